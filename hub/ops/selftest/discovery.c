/* SPDX-License-Identifier: Apache-2.0 */
/* Checks of discovery: versions, details, and what they promise. */
#include <string.h>

#include "adapters/url_guard.h"
#include "base/json.h"
#include "base/text.h"
#include "hub/ops/selftest/selftest.h"
#include "ocpi/came.h"

#define VERSIONS "versions"

/* ---- the list of versions ---- */

static enum flow_next ask_versions(struct flow *f)
{
    return ask_get(f, VERSIONS, selftest_of(f)->peer.versions_url);
}

/* The one that we speak with the partner; "2.2" is how some call 2.2.1. */
static const char *find_version(const json_t *list, const char *version)
{
    const json_t *entry;
    size_t i;

    json_array_foreach(list, i, entry)
    {
        const char *name = json_text_of(entry, "version"), *url = json_text_of(entry, "url");
        if (name && url && strcmp(name, version) == 0)
            return url;
    }
    return NULL;
}

static const char *versions_in_words(struct arena *a, const json_t *list)
{
    const char *words = "";
    const json_t *entry;
    size_t i;

    json_array_foreach(list, i, entry)
    {
        const char *name = json_text_of(entry, "version");
        words = arena_printf(a, "%s%s%s", words, i ? ", " : "", name ? name : "?");
    }
    return *words ? words : "an empty list";
}

static enum flow_next judge_versions(struct flow *f)
{
    struct selftest *t = selftest_of(f);
    const char *ours = version_name(t->peer.version);

    if (t->answer.http.outcome != HTTP_ANSWERED) {
        t->stop = "the partner cannot be reached";
        return tell_fail(f, t->peer.versions_url, "an answer", answer_words(f));
    }
    if (!expect_good(f, "the list of versions"))
        return FLOW_DONE;
    const json_t *list = t->answer.data;
    if (!json_is_array(list))
        return tell_fail(f, "/data", "a list of Version objects", came_of(f->arena, "", list));
    t->details_url = find_version(list, ours);
    if (t->details_url)
        return FLOW_DONE;
    if (t->peer.version == OCPI_2_2_1)
        t->details_url = find_version(list, "2.2");
    return tell_fail(f, "/data", arena_printf(f->arena, "%s, the version of this connection", ours),
                     versions_in_words(f->arena, list));
}

/* ---- details ---- */

static enum flow_next ask_details(struct flow *f)
{
    struct selftest *t = selftest_of(f);

    if (!t->details_url)
        return tell_skipped(f, "no URL of the version details is known");
    return ask_get(f, VERSIONS, t->details_url);
}

static enum flow_next judge_details(struct flow *f)
{
    struct selftest *t = selftest_of(f);
    const struct object_type *type = object_type_find(t->peer.version, "VersionDetails");

    if (!expect_good(f, "the version details"))
        return FLOW_DONE;
    if (!json_is_object(t->answer.data))
        return tell_fail(f, "/data", "one VersionDetails object",
                         json_is_array(t->answer.data) ? "a list"
                                                       : came_of(f->arena, "", t->answer.data));
    struct err e = object_check(type, t->answer.data, NULL, f->arena);
    if (json_array_of(t->answer.data, "endpoints"))
        t->details = t->answer.data;
    if (failed(e))
        tell(f, (struct finding){VERDICT_FAIL, .rule = e.rule, .where = e.where,
                                 .expected = e.expected ? e.expected : err_text(e),
                                 .got = e.came ? e.came : "nothing"});
    return FLOW_DONE;
}

static enum flow_next judge_details_version(struct flow *f)
{
    struct selftest *t = selftest_of(f);
    const char *ours = version_name(t->peer.version), *theirs;

    if (!t->details)
        return tell_skipped(f, "the version details could not be read");
    theirs = json_text_of(t->details, "version");
    if (!theirs || strcmp(theirs, ours) != 0)
        return tell_fail(f, "/data/version", ours, theirs ? theirs : "nothing");
    return FLOW_DONE;
}

/* ---- endpoints ---- */

static const char *endpoint_url(const struct selftest *t, const char *module,
                                enum ocpi_interface role)
{
    const json_t *entry;
    size_t i;

    json_array_foreach(json_array_of(t->details, "endpoints"), i, entry)
    {
        const char *identifier = json_text_of(entry, "identifier");
        const char *its_role = json_text_of(entry, "role");
        if (identifier && strcmp(identifier, module) == 0 &&
            (!its_role || !role || strcmp(its_role, ocpi_interface_name(role)) == 0))
            return json_text_of(entry, "url");
    }
    return NULL;
}

struct wanted {
    const char *module;
    enum ocpi_interface role;
    bool needed; /* else only missed */
};

static const struct wanted of_network[] = {
    {MODULE_CREDENTIALS, OCPI_INTERFACE_NONE, true},
    {MODULE_LOCATIONS, OCPI_INTERFACE_SENDER, true},
    {MODULE_COMMANDS, OCPI_INTERFACE_RECEIVER, true},
    {MODULE_SESSIONS, OCPI_INTERFACE_SENDER, false},
    {MODULE_CDRS, OCPI_INTERFACE_SENDER, false},
    {MODULE_TARIFFS, OCPI_INTERFACE_SENDER, false},
    {0},
};

static const struct wanted of_provider[] = {
    {MODULE_CREDENTIALS, OCPI_INTERFACE_NONE, true},
    {MODULE_TOKENS, OCPI_INTERFACE_SENDER, true},
    {MODULE_CDRS, OCPI_INTERFACE_RECEIVER, false},
    {0},
};

static void judge_wanted(struct flow *f, const struct wanted *wanted)
{
    const struct selftest *t = selftest_of(f);

    for (const struct wanted *w = wanted; w->module; w++) {
        if (endpoint_url(t, w->module, w->role))
            continue;
        tell(f, (struct finding){
                    w->needed ? VERDICT_FAIL : VERDICT_WARN, .where = "/data/endpoints",
                    .expected = arena_printf(f->arena, "%s%s%s", w->module, w->role ? " as " : "",
                                             w->role ? ocpi_interface_name(w->role) : ""),
                    .got = "it is not listed"});
    }
}

static enum flow_next judge_endpoints(struct flow *f)
{
    struct selftest *t = selftest_of(f);

    if (!t->details)
        return tell_skipped(f, "the version details could not be read");
    if (is_network(t))
        judge_wanted(f, of_network);
    if (is_provider(t))
        judge_wanted(f, of_provider);
    return FLOW_DONE;
}

/* An endpoint that we would call has to be one that we may call. */
static enum flow_next judge_urls(struct flow *f)
{
    struct selftest *t = selftest_of(f);
    const json_t *entry;
    size_t i;

    if (!t->details)
        return tell_skipped(f, "the version details could not be read");
    json_array_foreach(json_array_of(t->details, "endpoints"), i, entry)
    {
        const char *text = json_text_of(entry, "url");
        const char *where = arena_printf(f->arena, "/data/endpoints/%zu/url", i);
        struct url url;
        if (!text)
            continue; /* the check of the details has said it */
        struct err e = url_guard_parse(http_client_guard(), f->arena, text, &url);
        if (failed(e) || (url_guard_needs_private(&url) && strncmp(text, "https:", 6) != 0 &&
                          strncmp(t->peer.versions_url, "https:", 6) == 0))
            tell_fail(f, where, "an https URL that may be called from here",
                      failed(e) ? arena_printf(f->arena, "%s: %s", text, err_text(e)) : text);
        else if (!peer_owns_url(&t->peer, text))
            tell_warn(f, where, "the host of the versions URL", text);
    }
    return FLOW_DONE;
}

/* What we call is what we were told when the connection was made. */
static enum flow_next judge_registered(struct flow *f)
{
    struct selftest *t = selftest_of(f);

    if (!t->details)
        return tell_skipped(f, "the version details could not be read");
    for (size_t i = 0; i < t->peer.endpoint_count; i++) {
        const struct peer_endpoint *e = &t->peer.endpoints[i];
        const char *now = endpoint_url(
            t, e->module,
            strcmp(e->module, MODULE_CREDENTIALS) == 0 ? OCPI_INTERFACE_NONE : e->role);
        if (!now || strcmp(now, e->url) != 0)
            tell_warn(f, arena_printf(f->arena, "endpoint of %s", e->module), e->url,
                      now ? now : "it is not listed any more");
    }
    return FLOW_DONE;
}

static enum flow_next judge_credentials_once(struct flow *f)
{
    struct selftest *t = selftest_of(f);
    const json_t *entry;
    size_t i, times = 0;

    if (!t->details)
        return tell_skipped(f, "the version details could not be read");
    json_array_foreach(json_array_of(t->details, "endpoints"), i, entry)
    {
        const char *identifier = json_text_of(entry, "identifier");
        times += identifier && strcmp(identifier, MODULE_CREDENTIALS) == 0;
    }
    if (times > 1)
        return tell_warn(f, "/data/endpoints", "credentials once, as SENDER",
                         arena_printf(f->arena, "%zu times", times));
    return FLOW_DONE;
}

/* ---- credentials ---- */

static enum flow_next ask_credentials(struct flow *f)
{
    struct selftest *t = selftest_of(f);
    const char *url = peer_endpoint(&t->peer, MODULE_CREDENTIALS, OCPI_INTERFACE_SENDER);

    if (!url)
        return tell_skipped(f, "no endpoint of credentials is known");
    return ask_get(f, MODULE_CREDENTIALS, url);
}

static enum flow_next judge_credentials(struct flow *f)
{
    struct selftest *t = selftest_of(f);
    const struct object_type *type = object_type_find(t->peer.version, "Credentials");

    if (!expect_good(f, "a Credentials object"))
        return FLOW_DONE;
    struct err e = object_check(type, t->answer.data, NULL, f->arena);
    if (failed(e))
        tell(f, (struct finding){VERDICT_FAIL, .rule = e.rule, .where = e.where,
                                 .expected = e.expected ? e.expected : err_text(e),
                                 .got = e.came ? e.came : "nothing"});
    const char *url = json_text_of(t->answer.data, "url");
    if (url && strcmp(url, t->peer.versions_url) != 0)
        tell_warn(f, "/data/url", t->peer.versions_url, url);
    return FLOW_DONE;
}

/* clang-format off */
const struct check discovery_checks[] = {
    {"versions.list", "R-VER-05", "List every version that is served, by its own number.", 0,
     {ask_versions, judge_versions}},
    {"details.read", "R-VER-01", "Serve the version details as one object with its endpoints.", 0,
     {ask_details, judge_details}},
    {"details.version", "R-VER-05", "Give in the details the version under which they are listed.", 0,
     {judge_details_version}},
    {"details.endpoints", "R-ROUTE-56", "List the endpoint of each module that your role has.", 0,
     {judge_endpoints}},
    {"details.urls", "R-CRED-19", "Publish endpoints as https URLs at a public address of your host.", 0,
     {judge_urls}},
    {"details.registered", "R-CRED-05", "Send your credentials by PUT when endpoints change.", 0,
     {judge_registered}},
    {"details.credentials_once", "R-VER-03", "List credentials once, with the role SENDER.", 0,
     {judge_credentials_once}},
    {"credentials.get", "R-CRED-18", "Answer GET of credentials with your own Credentials object.", 0,
     {ask_credentials, judge_credentials}},
    {0},
};
/* clang-format on */
