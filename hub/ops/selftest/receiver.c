/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Checks of receivers: what becomes of an object that we push. Without `full` only a GET of one
 * that nobody knows.
 */
#include <string.h>

#include "base/json.h"
#include "hub/ops/selftest/selftest.h"
#include "ocpi/url.h"

static const char *module_of(const struct flow *f)
{
    const struct selftest *t = selftest_of(f);

    return t->plan[t->at].module;
}

static const char *class_of(const char *module)
{
    return strcmp(module, MODULE_LOCATIONS) == 0  ? "Location"
           : strcmp(module, MODULE_TARIFFS) == 0  ? "Tariff"
           : strcmp(module, MODULE_SESSIONS) == 0 ? "Session"
                                                  : "Token";
}

/* {endpoint}/{our country}/{our party}/{id}; a Token has its type besides (R-TOK-01). */
static const char *object_url(struct flow *f, const char *id)
{
    struct selftest *t = selftest_of(f);
    const char *module = module_of(f);
    const char *url =
        peer_url(f->arena, &t->peer, module, OCPI_INTERFACE_RECEIVER,
                 t->peer.our_party.country_code, t->peer.our_party.party_id, id, NULL);

    return strcmp(module, MODULE_TOKENS) == 0 ? url_query(f->arena, url, "type", "RFID", NULL)
                                              : url;
}

static struct sample sample_of(struct flow *f, const char *id)
{
    const struct selftest *t = selftest_of(f);

    return (struct sample){
        .version = t->peer.version,
        .owner = t->peer.our_party,
        .token_owner = t->peer.their_party,
        .id = id,
        .start = now_text(f, -60),
        .time = now_text(f, 0),
    };
}

/* A fresh document; NULL never, as the samples are objects. */
static json_t *sample_json(struct flow *f, const char *class, const char *id)
{
    struct sample sample = sample_of(f, id);
    const char *text = sample_object(f->arena, class, &sample);
    json_t *json = NULL;

    return text && !failed(json_read(f->arena, text, strlen(text), 0, &json)) ? json : NULL;
}

static enum flow_next push(struct flow *f, const char *method, const char *url, const json_t *body)
{
    size_t length;

    return ask(f, (struct ocpi_call){.method = method,
                                     .module = module_of(f),
                                     .url = url,
                                     .body = body ? json_text(f->arena, body, &length) : NULL});
}

static enum flow_next get(struct flow *f, const char *url)
{
    return ask_get(f, module_of(f), url);
}

/* ---- unknown ---- */

static enum flow_next ask_unknown(struct flow *f)
{
    struct selftest *t = selftest_of(f);

    t->push = (struct pushed){
        .class = class_of(module_of(f)),
        .id = new_id(f, "1"),
        .other_id = new_id(f, "2"),
        .refused = "nothing was pushed",
    };
    t->push.url = object_url(f, t->push.id);
    return get(f, object_url(f, new_id(f, "none")));
}

static enum flow_next judge_unknown(struct flow *f)
{
    struct selftest *t = selftest_of(f);

    if (t->answer.http.outcome != HTTP_ANSWERED || answer_good(t))
        return tell_fail(f, t->call.url, "HTTP 404", answer_words(f));
    if (t->answer.http.status != 404)
        return tell_warn(f, t->call.url, "HTTP 404", answer_words(f));
    return FLOW_DONE;
}

/* ---- what must be refused ---- */

static enum flow_next judge_2001(struct flow *f)
{
    struct selftest *t = selftest_of(f);
    const char *where = arena_printf(f->arena, "%s %s", t->call.method, t->call.url);

    if (t->answer.http.outcome != HTTP_ANSWERED || answer_good(t))
        return tell_fail(f, where, "status_code 2001", answer_words(f));
    if (t->answer.status_code != OCPI_INVALID_PARAMETER)
        return tell_warn(f, where, "status_code 2001", answer_words(f));
    return FLOW_DONE;
}

static enum flow_next put_broken(struct flow *f)
{
    struct selftest *t = selftest_of(f);
    json_t *body = sample_json(f, t->push.class, t->push.other_id);

    json_object_del(body, sample_needed(t->push.class));
    return push(f, "PUT", object_url(f, t->push.other_id), body);
}

static enum flow_next put_other_id(struct flow *f)
{
    struct selftest *t = selftest_of(f);

    return push(f, "PUT", object_url(f, t->push.other_id),
                sample_json(f, t->push.class, t->push.id));
}

/* ---- PUT and GET ---- */

static enum flow_next put(struct flow *f)
{
    struct selftest *t = selftest_of(f);

    t->push.object = sample_json(f, t->push.class, t->push.id);
    return push(f, "PUT", t->push.url, t->push.object);
}

static enum flow_next judge_put(struct flow *f)
{
    struct selftest *t = selftest_of(f);

    if (!expect_good(f, "HTTP 200 or 201 with status_code 1000")) {
        t->push.refused = "the PUT was refused";
        return FLOW_DONE;
    }
    t->push.refused = NULL;
    return FLOW_DONE;
}

static bool skip_refused(struct flow *f)
{
    const struct selftest *t = selftest_of(f);

    if (t->push.refused)
        tell_skipped(f, t->push.refused);
    return t->push.refused != NULL;
}

static enum flow_next get_back(struct flow *f)
{
    return skip_refused(f) ? FLOW_DONE : get(f, selftest_of(f)->push.url);
}

static enum flow_next judge_back(struct flow *f)
{
    struct selftest *t = selftest_of(f);

    if (!expect_good(f, "the object that was put"))
        return FLOW_DONE;
    const char *differs = object_differs(f->arena, t->push.object, t->answer.data);
    if (differs)
        return tell_fail(f, arena_printf(f->arena, "/data%s", differs), "the value that was put",
                         json_is_array(t->answer.data) ? "a list" : "another value, or none");
    return FLOW_DONE;
}

/* ---- PATCH ---- */

static json_t *patch_of(struct flow *f, bool with_time)
{
    const struct selftest *t = selftest_of(f);
    const char *value, *member = sample_change(t->push.class, &value);
    const char *text = with_time ? arena_printf(f->arena, "{\"%s\":%s,\"last_updated\":\"%s\"}",
                                                member, value, now_text(f, 1))
                                 : arena_printf(f->arena, "{\"%s\":%s}", member, value);
    json_t *json = NULL;

    return failed(json_read(f->arena, text, strlen(text), 0, &json)) ? NULL : json;
}

static enum flow_next patch_unknown(struct flow *f)
{
    return push(f, "PATCH", object_url(f, new_id(f, "none")), patch_of(f, true));
}

static enum flow_next patch_without_time(struct flow *f)
{
    return skip_refused(f) ? FLOW_DONE
                           : push(f, "PATCH", selftest_of(f)->push.url, patch_of(f, false));
}

static enum flow_next patch(struct flow *f)
{
    return skip_refused(f) ? FLOW_DONE
                           : push(f, "PATCH", selftest_of(f)->push.url, patch_of(f, true));
}

static enum flow_next judge_patch(struct flow *f)
{
    return expect_good(f, "status_code 1000") ? FLOW_NEXT : FLOW_DONE;
}

static enum flow_next judge_patched(struct flow *f)
{
    struct selftest *t = selftest_of(f);
    const char *value, *member = sample_change(t->push.class, &value);

    if (!expect_good(f, "the object that was changed"))
        return FLOW_DONE;
    const json_t *now = json_object_get(t->answer.data, member);
    size_t length;
    const char *text = now ? json_text(f->arena, now, &length) : "nothing";
    if (strcmp(text, value) != 0)
        return tell_fail(f, arena_printf(f->arena, "/data/%s", member),
                         arena_printf(f->arena, "%s, as the PATCH said", value), text);
    return FLOW_DONE;
}

/* ---- the end of what we pushed ---- */

static enum flow_next delete (struct flow *f) {
    return skip_refused(f) ? FLOW_DONE : push(f, "DELETE", selftest_of(f)->push.url, NULL);
}

static enum flow_next end_session(struct flow *f)
{
    struct selftest *t = selftest_of(f);

    if (skip_refused(f))
        return FLOW_DONE;
    json_object_set_new(t->push.object, "status", json_string("INVALID"));
    json_object_set_new(t->push.object, "last_updated", json_string(now_text(f, 2)));
    return push(f, "PUT", t->push.url, t->push.object);
}

static enum flow_next judge_end(struct flow *f)
{
    expect_good(f, "status_code 1000");
    return FLOW_DONE;
}

/* clang-format off */
const struct check receiver_checks[] = {
    {"unknown", "R-TRANS-33", "Answer GET of an unknown object with HTTP 404 and an envelope.", 0,
     {ask_unknown, judge_unknown}},
    {"put_broken", "R-TYPE-12", "Refuse an object that lacks a required member with 2001.", CHECK_FULL,
     {put_broken, judge_2001}},
    {"put_other_id", "R-TRANS-16", "Refuse an object whose id is not that of the URL with 2001.", CHECK_FULL,
     {put_other_id, judge_2001}},
    {"put", "R-TRANS-10", "Take a whole new object by PUT.", CHECK_FULL,
     {put, judge_put}},
    {"get", "R-TRANS-10", "Answer GET with the object as it was put.", CHECK_FULL,
     {get_back, judge_back}},
    {0},
};

const struct check patch_checks[] = {
    {"patch_unknown", "R-TRANS-14", "Answer PATCH of an unknown object with HTTP 404, so that the sender puts it.", CHECK_FULL,
     {patch_unknown, judge_unknown}},
    {"patch_without_last_updated", "R-TRANS-12", "Refuse a PATCH without last_updated with 2001.", CHECK_FULL | CHECK_SINCE_22,
     {patch_without_time, judge_2001}},
    {"patch", "R-TRANS-11", "Merge a PATCH into the object that you keep.", CHECK_FULL,
     {patch, judge_patch, get_back, judge_patched}},
    {0},
};

const struct check tariff_checks[] = {
    {"delete", "R-TAR-16", "Take DELETE of a Tariff that you have.", CHECK_FULL,
     {delete, judge_end}},
    {0},
};

const struct check session_checks[] = {
    {"end", "R-SESS-03", "Take a PUT with which a Session becomes INVALID.", CHECK_FULL,
     {end_session, judge_end}},
    {0},
};
/* clang-format on */

/* ---- CDRs: by POST, once and for all ---- */

static const char *cdrs_url(struct flow *f)
{
    return peer_url(f->arena, &selftest_of(f)->peer, MODULE_CDRS, OCPI_INTERFACE_RECEIVER, NULL);
}

static enum flow_next post_broken(struct flow *f)
{
    struct selftest *t = selftest_of(f);

    t->push = (struct pushed){.class = "CDR",
                              .id = new_id(f, "1"),
                              .other_id = new_id(f, "2"),
                              .refused = "no CDR was taken"};
    json_t *body = sample_json(f, "CDR", t->push.other_id);
    json_object_del(body, sample_needed("CDR"));
    return push(f, "POST", cdrs_url(f), body);
}

static enum flow_next post(struct flow *f)
{
    struct selftest *t = selftest_of(f);

    t->push.object = sample_json(f, "CDR", t->push.id);
    return push(f, "POST", cdrs_url(f), t->push.object);
}

static enum flow_next judge_post(struct flow *f)
{
    struct selftest *t = selftest_of(f);

    if (!expect_good(f, "HTTP 200 or 201 with status_code 1000"))
        return FLOW_DONE;
    t->push.refused = NULL;
    const char *location = http_answer_header(&t->answer.http, "location");
    if (!location)
        return tell_fail(f, "Location", "the URL of the stored CDR", "no such header");
    if (!peer_owns_url(&t->peer, location))
        return tell_fail(f, "Location", "a URL on the host of the endpoint", location);
    t->push.location = location;
    return FLOW_DONE;
}

static enum flow_next get_posted(struct flow *f)
{
    struct selftest *t = selftest_of(f);

    if (!t->push.location)
        return tell_skipped(f, "there is no Location to follow");
    return get(f, t->push.location);
}

static enum flow_next post_again(struct flow *f)
{
    return skip_refused(f) ? FLOW_DONE : push(f, "POST", cdrs_url(f), selftest_of(f)->push.object);
}

static enum flow_next judge_again(struct flow *f)
{
    struct selftest *t = selftest_of(f);

    if (!answer_good(t))
        return tell_warn(f, t->call.url, "status_code 1000: it is there already", answer_words(f));
    return FLOW_DONE;
}

static enum flow_next post_changed(struct flow *f)
{
    struct selftest *t = selftest_of(f);

    if (skip_refused(f))
        return FLOW_DONE;
    json_t *changed = sample_json(f, "CDR", t->push.id);
    json_object_set_new(changed, "remark", json_string("Interface test, changed"));
    return push(f, "POST", cdrs_url(f), changed);
}

static enum flow_next judge_changed(struct flow *f)
{
    struct selftest *t = selftest_of(f);

    if (answer_good(t))
        return tell_warn(f, t->call.url, "status_code 2001: a CDR never changes", answer_words(f));
    return FLOW_DONE;
}

/* clang-format off */
const struct check cdr_checks[] = {
    {"post_broken", "R-TYPE-12", "Refuse a CDR that lacks a required member with 2001.", CHECK_FULL,
     {post_broken, judge_2001}},
    {"post", "R-CDR-03", "Answer POST of a CDR with the header Location: the URL where it can be read.", CHECK_FULL,
     {post, judge_post}},
    {"get", "R-CDR-03", "Answer GET of the Location with the CDR as it was posted.", CHECK_FULL,
     {get_posted, judge_back}},
    {"post_again", "R-CDR-04", "Take the same CDR again with 1000: the answer to the first may be lost.", CHECK_FULL,
     {post_again, judge_again}},
    {"post_changed", "R-CDR-01", "Refuse a CDR that you have with another content with 2001.", CHECK_FULL,
     {post_changed, judge_changed}},
    {0},
};
/* clang-format on */
