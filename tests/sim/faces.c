/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a CPO offers: lists and objects of locations, tariffs, sessions, CDRs; and the tokens it
 * is told of.
 */
#include "base/json.h"
#include "base/text.h"
#include "base/time.h"
#include "ocpi/envelope.h"
#include "ocpi/token.h"
#include "tests/sim/behave.h"
#include "tests/sim/call.h"
#include "tests/sim/check.h"
#include "tests/sim/print.h"

enum { TOKEN_KEY = 160, TOKENS_MAX = 1000000 };

/* A list: how many there are, when one changed (TIME_NONE: not there), and how it prints. */
struct list {
    const char *module;
    size_t count;
    int64_t (*changed_us)(struct sim *sim, size_t index);
    void (*print)(struct sim *sim, size_t index, struct text *out);
};

static bool on_page(const struct paging *page, int64_t changed_us)
{
    return changed_us != TIME_NONE &&
           (page->date_from_us == TIME_NONE || changed_us >= page->date_from_us) &&
           (page->date_to_us == TIME_NONE || changed_us < page->date_to_us);
}

static const char *next_page(struct call *call, const struct list *list, const struct paging *page,
                             int64_t total)
{
    struct behave *b = call->sim->behave;
    const char *host = call->sim->base_url;
    bool elsewhere = behave_acts(b, BEHAVE_LINK_ELSEWHERE, 0);

    if (elsewhere)
        host = "http://127.0.0.2:9";
    const char *url = arena_printf(call->arena, "%s/ocpi/2.2.1/%s", host, list->module);
    if (behave_acts(b, BEHAVE_LINK_LOOP, 0))
        return arena_printf(call->arena, "<%s?%s>; rel=\"next\"", url, call->r->query);
    return paging_link(call->arena, url, call->r->query, page, total);
}

static void serve_list(struct call *call, const struct list *list, bool date_from_required)
{
    struct paging page;
    struct text data;
    int64_t total = 0;
    struct err e = paging_read(call->arena, call->r->query, call->sim->options->page,
                               date_from_required, &page);

    if (failed(e)) {
        check_violation(call->sim, "R-TRANS-40", call->r->method, call->r->target, "%s",
                        err_text(e));
        call_invalid(call, err_text(e));
        return;
    }
    text_init(&data, call->arena, PRINT_MAX);
    json_begin_array(&data, 0);
    for (size_t i = 0; i < list->count; i++) {
        if (!on_page(&page, list->changed_us(call->sim, i)))
            continue;
        if (total >= page.offset && total < page.offset + page.limit)
            list->print(call->sim, i, &data);
        total++;
    }
    json_end_array(&data);
    call_header(call, HEADER_TOTAL_COUNT, arena_printf(call->arena, "%lld", (long long)total));
    call_header(call, HEADER_LIMIT,
                arena_printf(call->arena, "%lld", (long long)call->sim->options->page));
    call_header(call, HEADER_LINK, next_page(call, list, &page, total));
    call_ok(call, data.bytes);
}

/* --- locations --- */

static int64_t location_changed(struct sim *sim, size_t index)
{
    return sim->world->locations[index].updated_us;
}

static void location_print(struct sim *sim, size_t index, struct text *out)
{
    print_location(sim, out, 0, &sim->world->locations[index]);
}

static bool print_part(struct call *call, struct text *out)
{
    struct sim *sim = call->sim;
    const struct location *l = world_location(sim->world, call->rest[0]);
    const struct evse *e = call->rest_count > 1 ? world_evse(sim->world, call->rest[1]) : 0;
    const struct connector *c = e && call->rest_count > 2 ? evse_connector(e, call->rest[2]) : 0;

    if (!l || (call->rest_count > 1 && (!e || &sim->world->locations[e->location] != l)) ||
        (call->rest_count > 2 && !c) || call->rest_count > 3)
        return false;
    if (c)
        print_connector(sim, out, 0, e, c);
    else if (e)
        print_evse(sim, out, 0, e);
    else
        print_location(sim, out, 0, l);
    return true;
}

void serve_locations(struct call *call)
{
    struct text data;

    if (call->rest_count == 0) {
        serve_list(call,
                   &(struct list){MODULE_LOCATIONS, call->sim->world->location_count,
                                  location_changed, location_print},
                   false);
        return;
    }
    text_init(&data, call->arena, PRINT_MAX);
    if (print_part(call, &data))
        call_ok(call, data.bytes);
    else
        call_answer(call, 404, OCPI_UNKNOWN_LOCATION, "no such location", 0);
}

/* --- tariffs --- */

static int64_t tariff_changed(struct sim *sim, size_t index)
{
    (void)index;
    return sim->world->locations[sim->world->location_count - 1].updated_us;
}

static void tariff_print(struct sim *sim, size_t index, struct text *out)
{
    print_tariff(sim, out, 0, &tariffs[index]);
}

void serve_tariffs(struct call *call)
{
    serve_list(call, &(struct list){MODULE_TARIFFS, tariff_count, tariff_changed, tariff_print},
               false);
}

/* --- sessions and CDRs --- */

static int64_t session_changed(struct sim *sim, size_t index)
{
    struct session *s = sim->sessions->list[index];

    if (index < sim->sessions->first_visible || !session_is_visible(s))
        return TIME_NONE;
    return s->updated_us;
}

static void session_print(struct sim *sim, size_t index, struct text *out)
{
    print_session(out, 0, sim->sessions->list[index]);
}

void serve_sessions(struct call *call)
{
    struct text data;

    if (call->rest_count == 0) {
        serve_list(call,
                   &(struct list){MODULE_SESSIONS, call->sim->sessions->count, session_changed,
                                  session_print},
                   true);
        return;
    }
    /* OCPI 2.2.1 has no GET of one Session at the sender; answering it helps those who try. */
    struct session *s = session_find(call->sim, call->rest[0]);
    if (!s) {
        call_not_found(call, "no such session");
        return;
    }
    text_init(&data, call->arena, PRINT_MAX);
    print_session(&data, 0, s);
    call_ok(call, data.bytes);
}

static int64_t cdr_changed(struct sim *sim, size_t index)
{
    return index < sim->sessions->first_visible ? TIME_NONE : sim->sessions->list[index]->cdr_us;
}

static void cdr_print(struct sim *sim, size_t index, struct text *out)
{
    print_cdr(out, 0, sim->sessions->list[index], 0);
}

void serve_cdrs(struct call *call)
{
    serve_list(call,
               &(struct list){MODULE_CDRS, call->sim->sessions->count, cdr_changed, cdr_print},
               false);
}

/* --- tokens: pushed to us --- */

void serve_tokens(struct call *call)
{
    struct sim *sim = call->sim;
    const char *type = http_query_get(call->arena, call->r->query, "type", 0);
    char key[TOKEN_KEY];

    if (call->rest_count != 3) {
        call_not_found(call, "tokens/{country_code}/{party_id}/{uid}");
        return;
    }
    snprintf(key, sizeof(key), "%s/%s/%s/%s", call->rest[0], call->rest[1], call->rest[2],
             type ? type : "RFID");
    text_to_lower(key);
    json_t *known = json_object_get(sim->tokens, key);
    if (strcmp(call->r->method, "GET") == 0) {
        if (known)
            call_ok(call, json_text(call->arena, known, 0));
        else
            call_answer(call, 404, OCPI_UNKNOWN_TOKEN, "no such token", 0);
        return;
    }
    if (strcmp(call->r->method, "PATCH") == 0) {
        if (!known) {
            call_answer(call, 404, OCPI_UNKNOWN_TOKEN, "no such token", 0);
        } else if (!check_patch(call, &ocpi_token_type)) {
            call_invalid(call, "not a Token");
        } else {
            json_object_update(known, call->json);
            call_ok(call, 0);
        }
        return;
    }
    if (!check_body(call, &ocpi_token_type)) {
        call_invalid(call, "not a Token");
        return;
    }
    if (json_object_size(sim->tokens) < TOKENS_MAX)
        json_object_set_new(sim->tokens, key, json_deep_copy(call->json));
    call_answer(call, known ? 200 : 201, OCPI_SUCCESS, "Success", 0);
}
