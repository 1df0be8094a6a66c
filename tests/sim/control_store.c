/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The part of the control API that shows what came, and pulls what the hub has.
 */
#include <stdlib.h>

#include "adapters/http_client.h"
#include "base/json.h"
#include "base/text.h"
#include "base/time.h"
#include "ocpi/envelope.h"
#include "tests/sim/check.h"
#include "tests/sim/control.h"
#include "tests/sim/print.h"
#include "tests/sim/push.h"
#include "tests/sim/store.h"

enum { PAGES_MAX = 10000, VALUES_MAX = 4 << 20, ERRORS_KEPT = 100 };

static void put_json(struct text *out, const char *key, const json_t *value)
{
    char *text = ask_heap_json(value);

    json_put_raw(out, key, text);
    free(text);
}

static const char *module_of(const char *name)
{
    return name && strcmp(name, "clientinfo") == 0 ? MODULE_HUB_CLIENT_INFO : name;
}

/* --- what was pushed to us --- */

static bool wanted(struct ask *ask, const json_t *entry)
{
    const char *valid = ask_query(ask, "valid"), *id = ask_query(ask, "id");
    const char *owner = ask_query(ask, "owner");
    bool is_valid = json_is_true(json_object_get(entry, "valid"));

    return !(valid && (strcmp(valid, "true") == 0) != is_valid) &&
           !(id && strcasecmp(id, json_text_of(entry, "id")) != 0) &&
           !(owner && strcasecmp(owner, json_text_of(entry, "owner")) != 0);
}

void control_received(struct ask *ask)
{
    const char *module = module_of(ask_query(ask, "module")), *name, *key;
    json_t *entries, *entry;
    struct text out;
    int64_t count = 0;

    text_init(&out, 0, PRINT_MAX);
    json_begin_object(&out, 0);
    json_begin_array(&out, "items");
    json_object_foreach(ask->sim->store->received, name, entries)
    {
        if (module && strcmp(module, name) != 0)
            continue;
        json_object_foreach(entries, key, entry)
        {
            if (!wanted(ask, entry))
                continue;
            put_json(&out, 0, entry);
            count++;
        }
    }
    json_end_array(&out);
    json_put_int(&out, "count", count);
    json_end_object(&out);
    ask_answer(ask, 200, out.bytes, out.length);
    text_done(&out);
}

void control_results(struct ask *ask)
{
    const char *id = ask_query(ask, "id");
    json_t *entry;
    struct text out;
    int64_t count = 0;
    size_t i;

    text_init(&out, 0, PRINT_MAX);
    json_begin_object(&out, 0);
    json_begin_array(&out, "results");
    json_array_foreach(ask->sim->store->results, i, entry)
    {
        if (id && strcmp(id, json_text_of(entry, "id")) != 0)
            continue;
        put_json(&out, 0, entry);
        count++;
    }
    json_end_array(&out);
    json_put_int(&out, "count", count);
    json_end_object(&out);
    ask_answer(ask, 200, out.bytes, out.length);
    text_done(&out);
}

void control_forget(struct ask *ask)
{
    store_clear(ask->sim->store);
    ask_done(ask);
}

/* --- pulling --- */

struct pull {
    struct ask *ask;
    const char *module, *class;
    const char *error; /* why it ended early */
    json_t *objects, *errors;
    int64_t pages, pages_max, total_count, limit, invalid;
    int64_t began_ms;
};

static const struct {
    const char *module, *class;
} pullable[] = {
    {MODULE_LOCATIONS, "Location"},
    {MODULE_TARIFFS, "Tariff"},
    {MODULE_SESSIONS, "Session"},
    {MODULE_CDRS, "CDR"},
    {MODULE_TOKENS, "Token"},
    {MODULE_HUB_CLIENT_INFO, "ClientInfo"},
    {MODULE_INVOICES, "InvoiceReconciliationRecord"},
};

/* Kept for GET /sim/pulled; the summary is the answer. */
static void pull_end(struct pull *p)
{
    struct ask *ask = p->ask;
    json_t *result = json_pack("{s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:s?, s:o}", "module",
                               p->module, "count", (json_int_t)json_array_size(p->objects), "pages",
                               (json_int_t)p->pages, "total_count", (json_int_t)p->total_count,
                               "limit", (json_int_t)p->limit, "invalid", (json_int_t)p->invalid,
                               "ms", (json_int_t)(time_monotonic_ms() - p->began_ms), "error",
                               p->error, "errors", p->errors);
    char *summary = ask_heap_json(result);

    json_object_set_new(result, "objects", p->objects);
    json_object_set_new(ask->sim->store->pulled, p->module, result);
    ask_answer(ask, 200, summary, strlen(summary)); /* the pull goes with its ask */
    free(summary);
}

static void pull_take(struct pull *p, json_t *list)
{
    struct sim *sim = p->ask->sim;
    const struct object_type *type = object_type_find(sim->reg.version, p->class);
    json_t *object;
    size_t i;

    json_array_foreach(list, i, object)
    {
        struct arena *a = arena_new(16 << 20);
        struct err e = type ? object_check(type, object, 0, a) : OK;

        json_array_append(p->objects, object);
        if (failed(e)) {
            p->invalid++;
            check_violation(sim, "R-TYPE", "GET", p->module, "pulled: %s", err_text(e));
            if (json_array_size(p->errors) < ERRORS_KEPT)
                json_array_append_new(p->errors,
                                      json_pack("{s:s?, s:s}", "id", json_text_of(object, "id"),
                                                "error", err_text(e)));
        }
        arena_free(a);
    }
}

static void pull_page(struct pull *p, const char *url);

static bool same_host(struct arena *a, const char *left, const char *right)
{
    struct url one, other;

    return url_parse(a, left, &one) && url_parse(a, right, &other) && url_same_origin(&one, &other);
}

static void pull_answered(struct push *push, const struct http_answer *answer)
{
    struct pull *p = push->arg;
    struct ask *ask = p->ask;
    struct arena *a = arena_new(128 << 20);
    struct envelope e;
    const char *total = http_answer_header(answer, "x-total-count");
    const char *limit = http_answer_header(answer, "x-limit");

    envelope_read(a, answer->status, answer->body, answer->body_length,
                  &(struct envelope_rules){.max_values = VALUES_MAX}, &e);
    const char *next = link_next(ask->arena, http_answer_header(answer, "link"));
    p->pages++;
    p->total_count = header_count(total);
    p->limit = header_count(limit);
    if (!envelope_is_success(&e) || !json_is_array(e.data)) {
        p->error = arena_printf(ask->arena, "HTTP %d, status_code %lld: %s", answer->status,
                                (long long)e.status_code, e.status_message ? e.status_message : "");
    } else {
        pull_take(p, e.data);
        if (p->total_count < 0 || p->limit < 0)
            check_violation(ask->sim, "R-TRANS-43", "GET", push->url,
                            "a list without X-Total-Count or X-Limit");
        if (next && !same_host(ask->arena, next, push->url))
            p->error = "Link leads to another host"; /* R-TRANS-47 */
        else if (next && p->pages == p->pages_max)
            p->error = "more pages than were asked for";
    }
    arena_free(a);
    if (next && !p->error)
        pull_page(p, next);
    else
        pull_end(p);
}

static void pull_page(struct pull *p, const char *url)
{
    struct push *push = push_new(p->ask->sim, "GET", p->module, url, 0);

    ask_address(p->ask, push);
    push->done = pull_answered;
    push->arg = p;
    push_send(push, 0);
}

void control_pull(struct ask *ask)
{
    struct pull *p = arena_alloc(ask->arena, sizeof(*p));
    const char *module = module_of(json_text_of(ask->json, "module")), *endpoint = 0;
    int64_t limit = ask_int(ask, "limit", 0);

    *p = (struct pull){.ask = ask,
                       .pages_max = ask_int(ask, "max_pages", PAGES_MAX),
                       .total_count = -1,
                       .limit = -1,
                       .began_ms = time_monotonic_ms()};
    for (size_t i = 0; module && i < sizeof(pullable) / sizeof(pullable[0]); i++) {
        if (strcmp(pullable[i].module, module) == 0) {
            p->module = pullable[i].module;
            p->class = pullable[i].class;
            endpoint = sim_endpoint(ask->sim, p->module, OCPI_INTERFACE_SENDER);
        }
    }
    if (!endpoint) {
        ask_wrong(ask, "\"module\": the hub offers no such list (or we are not registered)");
        return;
    }
    p->objects = json_array();
    p->errors = json_array();
    pull_page(p, url_query(ask->arena, endpoint, "date_from", json_text_of(ask->json, "date_from"),
                           "date_to", json_text_of(ask->json, "date_to"), "limit",
                           limit > 0 ? arena_printf(ask->arena, "%lld", (long long)limit) : NULL,
                           NULL));
}

void control_pulled(struct ask *ask)
{
    const char *module = module_of(ask_query(ask, "module"));
    const char *objects = ask_query(ask, "objects");
    json_t *pulled = json_object_get(ask->sim->store->pulled, module ? module : "");
    struct text out;

    if (!pulled) {
        ask_wrong(ask, "?module=: nothing was pulled");
        return;
    }
    json_t *shown = json_copy(pulled);
    if (objects && strcmp(objects, "false") == 0)
        json_object_del(shown, "objects");
    text_init(&out, 0, PRINT_MAX);
    put_json(&out, 0, shown);
    json_decref(shown);
    ask_answer(ask, 200, out.bytes, out.length);
    text_done(&out);
}

/* --- whom we are connected with --- */

static void put_beginning(struct text *out, const char *key, const char *token)
{
    char beginning[5] = "";

    snprintf(beginning, sizeof(beginning), "%s", token);
    json_put_text(out, key, token[0] ? beginning : 0);
}

void control_partner(struct ask *ask)
{
    const struct registration *reg = &ask->sim->reg;
    char party[PARTY_TEXT];
    struct text out;

    text_init(&out, ask->arena, 65536);
    json_begin_object(&out, 0);
    json_put_bool(&out, "registered", reg->registered);
    json_put_text(&out, "version", version_name(reg->version));
    json_put_text(&out, "party", reg->registered ? party_id_print(&reg->hub, party) : 0);
    json_put_bool(&out, "routes", reg->routes);
    json_put_text(&out, "versions_url", reg->registered ? reg->versions_url : 0);
    put_beginning(&out, "token_in", reg->token_in);
    put_beginning(&out, "token_out", reg->token_out);
    put_beginning(&out, "token_before", reg->token_before);
    json_end_object(&out);
    ask_answer(ask, 200, out.bytes, out.length);
}
