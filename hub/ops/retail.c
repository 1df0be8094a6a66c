/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Retail tariffs for those who run the hub: what its users pay.
 *
 *   POST /v1/admin/retail-tariffs                 publishes the tariff in the body
 *   GET  /v1/admin/retail-tariffs                 the newest of each first
 *   GET  /v1/admin/retail-tariffs/{id}?version
 *   POST /v1/admin/retail-tariffs/{id}/withdraw   {version?}: that one, or all of them
 */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/log.h"
#include "base/text.h"
#include "base/time.h"
#include "db/retail.h"
#include "hub/finance/retail_book.h"
#include "hub/ops/ops.h"
#include "hub/request.h"
#include "ocpi/retail.h"

enum { DOCUMENT_BYTES = 64 * 1024 };

/* ---- publish ---- */

struct publishing {
    const json_t *rows; /* of the book: as it stands now, not as this process last read it */
    struct retail_tariff tariff;
    struct text document;
    enum retail_published outcome;
};

/* "time_tariffs[1].minute_price" is complained of as minute_price_invalid. */
static const char *code_of(struct flow *f, const char *where)
{
    const char *name = strrchr(where, '.');

    name = name ? name + 1 : where;
    return arena_printf(f->arena, "%.*s_invalid", (int)strcspn(name, "["), name);
}

static enum flow_next complain(struct flow *f, struct err e)
{
    const char *where = e.where && *e.where ? e.where : "tariff";
    struct field_errors errors;

    if (e.kind != ERR_BAD_FIELD)
        return flow_fail(f, e);
    field_errors_init(&errors, f->arena);
    field_errors_add(&errors, where, code_of(f, where), err_text(e));
    return reply_field_errors(f, &errors);
}

static enum flow_next read_body(struct flow *f)
{
    struct publishing *p = f->state;

    struct err e = retail_tariff_read(request_of(f)->json, f->arena, &p->tariff);
    if (failed(e))
        return complain(f, e);
    return FLOW_NEXT;
}

static enum flow_next read_book(struct flow *f)
{
    struct publishing *p = f->state;

    return retail_book_read(f, &p->rows);
}

static enum flow_next publish(struct flow *f)
{
    struct publishing *p = f->state;

    struct err e =
        retail_book_check(retail_book_of(f, p->rows), &p->tariff, time_now_us(), f->arena);
    if (failed(e))
        return complain(f, e);
    text_init(&p->document, f->arena, DOCUMENT_BYTES);
    retail_tariff_print(&p->tariff, &p->document, NULL);
    if (text_overflowed(&p->document))
        return flow_fail(f, err_new(ERR_TOO_LARGE));
    return retail_publish(f, p->tariff.id, p->tariff.version, p->document.bytes,
                          retail_mode_name(p->tariff.mode), request_of(f)->caller.name,
                          &p->outcome);
}

static enum flow_next confirm(struct flow *f)
{
    const struct publishing *p = f->state;
    struct text t;

    if (p->outcome == RETAIL_OTHER)
        return complain(f, err_at(f->arena, ERR_BAD_FIELD, "version",
                                  "version %lld of %s has been published with another content, or "
                                  "was withdrawn: a version never changes, publish a newer one",
                                  (long long)p->tariff.version, p->tariff.id));
    if (p->outcome == RETAIL_OLDER)
        return complain(f, err_at(f->arena, ERR_BAD_FIELD, "version",
                                  "a newer version of %s has been published", p->tariff.id));
    if (p->outcome == RETAIL_PUBLISHED)
        log_line(LOG_INFO, "retail tariff published", LOG_TEXT("tariff", p->tariff.id),
                 LOG_INT("version", p->tariff.version), LOG_TEXT("by", request_of(f)->caller.name));
    text_init(&t, f->arena, 2 * DOCUMENT_BYTES);
    json_begin_object(&t, NULL);
    json_put_text(&t, "id", p->tariff.id);
    json_put_int(&t, "version", p->tariff.version);
    json_put_text(&t, "state", "published");
    json_put_bool(&t, "published_now", p->outcome == RETAIL_PUBLISHED);
    json_put_raw(&t, "document", p->document.bytes);
    json_end_object(&t);
    return reply_json(f, 200, &t);
}

static const struct flow_step publish_steps[] = {
    {"read the tariff", read_body},
    {"read VAT rates and profiles", read_book},
    {"publish it, unless it disagrees", publish},
    {"confirm", confirm},
    {0},
};
const struct flow_type publish_retail_flow = {
    .name = "publish_retail",
    .state_size = sizeof(struct publishing),
    .deadline_ms = SECONDS(10),
    .steps = publish_steps,
};

/* ---- list, show ---- */

struct listing {
    const char *document;
};

static enum flow_next look_at_all(struct flow *f)
{
    struct listing *l = f->state;

    return retail_list(f, NULL, 0, &l->document);
}

/* 0 where none is given; -1: it is no version. */
static int64_t version_from(const char *text)
{
    char *end;

    if (!text || !*text)
        return 0;
    long long n = strtoll(text, &end, 10);
    return *end || n < 1 || n > INT32_MAX ? -1 : n;
}

static enum flow_next look_at_one(struct flow *f)
{
    struct listing *l = f->state;
    int64_t version = version_from(request_query(f, "version"));

    if (version < 0)
        return complain(f,
                        err_at(f->arena, ERR_BAD_FIELD, "version", "must be a number from 1 on"));
    return retail_list(f, request_of(f)->params[0], version, &l->document);
}

static enum flow_next list(struct flow *f)
{
    const struct listing *l = f->state;

    return reply_json_text(f, 200, l->document);
}

static enum flow_next show(struct flow *f)
{
    const struct listing *l = f->state;

    if (strcmp(l->document, "{\"items\": []}") == 0)
        return flow_fail(f, err_new(ERR_OBJECT_NOT_FOUND));
    return reply_json_text(f, 200, l->document);
}

static const struct flow_step list_steps[] = {{"look", look_at_all}, {"list", list}, {0}};
const struct flow_type list_retail_flow = {
    .name = "list_retail",
    .state_size = sizeof(struct listing),
    .deadline_ms = SECONDS(10),
    .steps = list_steps,
};
static const struct flow_step show_steps[] = {{"look", look_at_one}, {"show", show}, {0}};
const struct flow_type show_retail_flow = {
    .name = "show_retail",
    .state_size = sizeof(struct listing),
    .deadline_ms = SECONDS(10),
    .steps = show_steps,
};

/* ---- withdraw ---- */

struct withdrawing {
    int64_t version;
    size_t count;
};

static enum flow_next withdraw(struct flow *f)
{
    struct withdrawing *w = f->state;
    const json_t *version = json_object_get(request_of(f)->json, "version");

    if (version && !json_is_null(version)) {
        w->version = json_is_integer(version) ? json_integer_value(version)
                                              : version_from(json_string_value(version));
        if (w->version < 1 || w->version > INT32_MAX)
            return complain(
                f, err_at(f->arena, ERR_BAD_FIELD, "version", "must be a number from 1 on"));
    }
    return retail_withdraw(f, request_of(f)->params[0], w->version, request_of(f)->caller.name,
                           &w->count);
}

static enum flow_next confirm_withdrawal(struct flow *f)
{
    const struct withdrawing *w = f->state;
    struct text t;

    if (w->count == 0)
        return flow_fail(f, err_new(ERR_OBJECT_NOT_FOUND));
    log_line(LOG_INFO, "retail tariff withdrawn", LOG_TEXT("tariff", request_of(f)->params[0]),
             LOG_INT("versions", (int64_t)w->count), LOG_TEXT("by", request_of(f)->caller.name));
    text_init(&t, f->arena, 4096);
    json_begin_object(&t, NULL);
    json_put_text(&t, "id", request_of(f)->params[0]);
    json_put_int(&t, "withdrawn", (int64_t)w->count);
    json_end_object(&t);
    return reply_json(f, 200, &t);
}

static const struct flow_step withdraw_steps[] = {
    {"withdraw it", withdraw}, {"confirm", confirm_withdrawal}, {0}};
const struct flow_type withdraw_retail_flow = {
    .name = "withdraw_retail",
    .state_size = sizeof(struct withdrawing),
    .deadline_ms = SECONDS(10),
    .steps = withdraw_steps,
};
