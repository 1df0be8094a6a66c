/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Retail: each function is one statement (migrations/019_retail.sql).
 */
#include "db/retail.h"

#include <assert.h>
#include <string.h>

#include "base/arena.h"
#include "base/json.h"
#include "base/time.h"
#include "db/pg.h"
#include "db/session_row.h"
#include "db/statements.h"
#include "ocpi/object.h"

/* ---- results that several have ---- */

static struct err take_document(struct flow *f, const PGresult *rows, void *to)
{
    const char **ret = to;

    *ret = pg_text(f->arena, rows, 0, "document");
    return OK;
}

static struct err take_found(struct flow *f, const PGresult *rows, void *to)
{
    bool *ret = to;

    (void)f;
    *ret = PQntuples(rows) > 0;
    return OK;
}

/* [{tariff, version, document, ocpi}] */
static struct err tariffs_read(struct arena *a, const char *text, struct network_tariff **ret,
                               size_t *ret_count)
{
    json_t *list;

    *ret = NULL;
    *ret_count = 0;
    if (!text)
        return OK;
    TRY(json_read_own(a, text, &list));
    size_t count = json_array_size(list);
    *ret = arena_alloc(a, sizeof(**ret) * (count + 1));
    for (size_t i = 0; i < count; i++) {
        const json_t *t = json_array_get(list, i);

        (*ret)[i] = (struct network_tariff){
            .tariff = json_integer_value(json_object_get(t, "tariff")),
            .version = json_integer_value(json_object_get(t, "version")),
            .document = json_text_of(t, "document"),
            .ocpi = version_parse(json_text_of(t, "ocpi")),
        };
    }
    *ret_count = count;
    return OK;
}

static void arg_int_or_null(struct pg_args *args, int64_t value)
{
    if (value)
        pg_arg_int(args, value);
    else
        pg_arg_text(args, NULL);
}

/* ---- the book ---- */

static struct err take_book(struct flow *f, const PGresult *rows, void *to)
{
    const char *text = pg_text(f->arena, rows, 0, "document");
    const json_t **ret = to;
    json_t *book;

    TRY(json_read_own(f->arena, text, &book));
    *ret = book;
    return OK;
}

enum flow_next retail_book_read(struct flow *f, const json_t **ret)
{
    struct pg_args args;

    pg_args_init(&args, f->arena);
    return pg_run(f, PG_READ, STATEMENT_retail_book, &args, take_book, ret);
}

/* ---- tariffs ---- */

static struct err take_published(struct flow *f, const PGresult *rows, void *to)
{
    static const char *const words[] = {"published", "same", "other", "older", NULL};
    enum retail_published *ret = to;

    (void)f;
    int word = session_take_word(rows, 0, "outcome", words);
    assert(word >= 0);
    *ret = (enum retail_published)word;
    return OK;
}

enum flow_next retail_publish(struct flow *f, const char *id, int64_t version, const char *document,
                              const char *mode, const char *by, enum retail_published *ret)
{
    struct pg_args args;

    pg_args_init(&args, f->arena);
    pg_arg_text(&args, id);
    pg_arg_int(&args, version);
    pg_arg_text(&args, document);
    pg_arg_text(&args, mode);
    pg_arg_text(&args, by);
    return pg_run(f, PG_WRITE, STATEMENT_retail_tariff_publish, &args, take_published, ret);
}

static struct err take_count(struct flow *f, const PGresult *rows, void *to)
{
    size_t *ret = to;

    (void)f;
    *ret = (size_t)PQntuples(rows);
    return OK;
}

enum flow_next retail_withdraw(struct flow *f, const char *id, int64_t version, const char *by,
                               size_t *ret_count)
{
    struct pg_args args;

    pg_args_init(&args, f->arena);
    pg_arg_text(&args, id);
    arg_int_or_null(&args, version);
    pg_arg_text(&args, by);
    return pg_run(f, PG_WRITE, STATEMENT_retail_tariff_withdraw, &args, take_count, ret_count);
}

enum flow_next retail_list(struct flow *f, const char *id, int64_t version, const char **ret_json)
{
    struct pg_args args;

    pg_args_init(&args, f->arena);
    pg_arg_text(&args, id);
    arg_int_or_null(&args, version);
    return pg_run(f, PG_READ, STATEMENT_retail_tariff_list, &args, take_document, ret_json);
}

/* ---- VAT ---- */

static struct err take_vat_set(struct flow *f, const PGresult *rows, void *to)
{
    static const char *const words[] = {"set", "past", NULL};
    bool *ret = to;

    (void)f;
    int word = session_take_word(rows, 0, "outcome", words);
    assert(word >= 0);
    *ret = word == 1;
    return OK;
}

enum flow_next vat_rate_set(struct flow *f, const struct vat_rate *rate, const char *by,
                            bool *ret_past)
{
    struct pg_args args;

    pg_args_init(&args, f->arena);
    pg_arg_text(&args, rate->country);
    pg_arg_text(&args, rate->buyer);
    pg_arg_text(&args, rate->rate);
    pg_arg_text(&args, rate->valid_from);
    pg_arg_text(&args, rate->valid_until);
    pg_arg_text(&args, by);
    return pg_run(f, PG_WRITE, STATEMENT_vat_rate_set, &args, take_vat_set, ret_past);
}

enum flow_next tax_profile_set(struct flow *f, const char *country, const char *vat_id,
                               const char *currency, const char *by)
{
    struct pg_args args;

    pg_args_init(&args, f->arena);
    pg_arg_text(&args, country);
    pg_arg_text(&args, vat_id);
    pg_arg_text(&args, currency);
    pg_arg_text(&args, by);
    return pg_run(f, PG_WRITE, STATEMENT_tax_profile_set, &args, NULL, NULL);
}

enum flow_next vat_list(struct flow *f, const char *country, const char **ret_json)
{
    struct pg_args args;

    pg_args_init(&args, f->arena);
    pg_arg_text(&args, country);
    return pg_run(f, PG_READ, STATEMENT_vat_list, &args, take_document, ret_json);
}

/* ---- groups of users ---- */

enum flow_next user_group_set(struct flow *f, const char *name, int64_t credit_minor,
                              const char *currency)
{
    struct pg_args args;

    pg_args_init(&args, f->arena);
    pg_arg_text(&args, name);
    arg_int_or_null(&args, currency ? credit_minor : 0);
    pg_arg_text(&args, currency);
    return pg_run(f, PG_WRITE, STATEMENT_user_group_set, &args, NULL, NULL);
}

static enum flow_next change_member(struct flow *f, int statement, const char *name,
                                    const char *user_id, bool *ret_found)
{
    struct pg_args args;

    pg_args_init(&args, f->arena);
    pg_arg_text(&args, name);
    pg_arg_text(&args, user_id);
    return pg_run(f, PG_WRITE, statement, &args, take_found, ret_found);
}

enum flow_next user_group_add(struct flow *f, const char *name, const char *user_id,
                              bool *ret_found)
{
    return change_member(f, STATEMENT_user_group_add, name, user_id, ret_found);
}

enum flow_next user_group_remove(struct flow *f, const char *name, const char *user_id,
                                 bool *ret_found)
{
    return change_member(f, STATEMENT_user_group_remove, name, user_id, ret_found);
}

enum flow_next user_group_list(struct flow *f, const char **ret_json)
{
    struct pg_args args;

    pg_args_init(&args, f->arena);
    return pg_run(f, PG_READ, STATEMENT_user_group_list, &args, take_document, ret_json);
}

/* ---- what an offer needs ---- */

static struct err take_offer_context(struct flow *f, const PGresult *rows, void *to)
{
    struct offer_context *ret = to;
    struct arena *a = f->arena;

    *ret = (struct offer_context){
        .user_group = pg_text(a, rows, 0, "user_group"),
        .credit_minor = pg_int(rows, 0, "credit_limit_minor"),
        .credit_currency = pg_text(a, rows, 0, "credit_currency"),
    };
    return tariffs_read(a, pg_text(a, rows, 0, "tariffs"), &ret->tariffs, &ret->tariff_count);
}

enum flow_next offer_context_read(struct flow *f, const char *user_id,
                                  const struct offer_place *place, struct offer_context *ret)
{
    struct pg_args args;

    pg_args_init(&args, f->arena);
    pg_arg_text(&args, user_id);
    pg_arg_int(&args, place->partner_id);
    pg_arg_text(&args, place->country_code);
    pg_arg_text(&args, place->party_id);
    pg_arg_texts(&args, place->tariff_ids, place->tariff_count);
    return pg_run(f, PG_READ, STATEMENT_offer_context, &args, take_offer_context, ret);
}

/* ---- limits of running sessions ---- */

static struct err take_limits(struct flow *f, const PGresult *rows, void *to)
{
    struct limit_works *ret = to;
    int count = PQntuples(rows);

    ret->count = (size_t)count;
    ret->items = arena_alloc(f->arena, sizeof(*ret->items) * ((size_t)count + 1));
    for (int i = 0; i < count; i++) {
        struct limit_work *w = &ret->items[i];

        session_take(f->arena, rows, i, &w->session);
        w->max_minutes = pg_int(rows, i, "max_minutes");
        w->credit_minor = pg_int(rows, i, "credit_minor");
        w->credit_currency = pg_text(f->arena, rows, i, "credit_currency");
    }
    return OK;
}

enum flow_next limit_claim(struct flow *f, int limit, struct limit_works *ret)
{
    struct pg_args args;

    pg_args_init(&args, f->arena);
    pg_arg_int(&args, limit);
    return pg_run(f, PG_WRITE, STATEMENT_limit_claim, &args, take_limits, ret);
}

static struct err take_limit_done(struct flow *f, const PGresult *rows, void *to)
{
    session_take(f->arena, rows, 0, to);
    return OK;
}

enum flow_next limit_done(struct flow *f, const struct session *s, const char *cause,
                          int64_t next_us, struct session *ret)
{
    struct pg_args args;

    pg_args_init(&args, f->arena);
    pg_arg_text(&args, s->id);
    pg_arg_int(&args, s->version);
    pg_arg_text(&args, cause);
    pg_arg_time(&args, next_us);
    return pg_run(f, PG_WRITE, STATEMENT_limit_done, &args, take_limit_done, ret);
}

/* ---- lint of the networks' tariffs ---- */

static struct err take_lint_due(struct flow *f, const PGresult *rows, void *to)
{
    struct lint_works *ret = to;
    int count = PQntuples(rows);
    struct arena *a = f->arena;

    ret->count = (size_t)count;
    ret->items = arena_alloc(a, sizeof(*ret->items) * ((size_t)count + 1));
    for (int i = 0; i < count; i++) {
        ret->items[i] = (struct lint_work){
            .tariff = {.tariff = pg_int(rows, i, "tariff"),
                       .version = pg_int(rows, i, "version"),
                       .document = pg_text(a, rows, i, "document"),
                       .ocpi = version_parse(pg_text(a, rows, i, "ocpi"))},
            .country_currency = pg_text(a, rows, i, "currency"),
            .vat_u6 = pg_is_null(rows, i, "vat") ? NUMBER_NONE : pg_u6(rows, i, "vat"),
        };
    }
    return OK;
}

enum flow_next tariff_lint_due(struct flow *f, int limit, struct lint_works *ret)
{
    struct pg_args args;

    pg_args_init(&args, f->arena);
    pg_arg_int(&args, limit);
    return pg_run(f, PG_READ, STATEMENT_tariff_lint_due, &args, take_lint_due, ret);
}

enum flow_next tariff_lint_put(struct flow *f, const struct network_tariff *t, const char *lint,
                               bool hold)
{
    struct pg_args args;

    pg_args_init(&args, f->arena);
    pg_arg_int(&args, t->tariff);
    pg_arg_int(&args, t->version);
    pg_arg_text(&args, lint);
    pg_arg_bool(&args, hold);
    return pg_run(f, PG_WRITE, STATEMENT_tariff_lint_put, &args, NULL, NULL);
}

enum flow_next tariff_lint_list(struct flow *f, int64_t partner_id, bool held,
                                const char **ret_json)
{
    struct pg_args args;

    pg_args_init(&args, f->arena);
    arg_int_or_null(&args, partner_id);
    pg_arg_bool(&args, held);
    return pg_run(f, PG_READ, STATEMENT_tariff_lint_list, &args, take_document, ret_json);
}

static struct err take_approved(struct flow *f, const PGresult *rows, void *to)
{
    bool *ret = to;

    (void)f;
    *ret = pg_bool(rows, 0, "approved");
    return OK;
}

enum flow_next tariff_approve(struct flow *f, int64_t tariff, int64_t version, const char *by,
                              bool *ret_found)
{
    struct pg_args args;

    pg_args_init(&args, f->arena);
    pg_arg_int(&args, tariff);
    pg_arg_int(&args, version);
    pg_arg_text(&args, by);
    return pg_run(f, PG_WRITE, STATEMENT_tariff_approve, &args, take_approved, ret_found);
}

/* ---- a session under way ---- */

static struct err take_price_context(struct flow *f, const PGresult *rows, void *to)
{
    struct session_price_context *ret = to;
    struct arena *a = f->arena;

    *ret = (struct session_price_context){.found = PQntuples(rows) > 0, .cost_u6 = NUMBER_NONE};
    if (!ret->found)
        return OK;
    session_take(a, rows, 0, &ret->session);
    ret->document = pg_text(a, rows, 0, "document");
    if (ret->document)
        ret->ocpi = version_parse(pg_text(a, rows, 0, "ocpi"));
    if (!pg_is_null(rows, 0, "cost_u6"))
        ret->cost_u6 = pg_int(rows, 0, "cost_u6");
    ret->currency = pg_text(a, rows, 0, "network_currency");
    ret->time_zone = pg_text(a, rows, 0, "time_zone");
    return tariffs_read(a, pg_text(a, rows, 0, "tariffs"), &ret->tariffs, &ret->tariff_count);
}

enum flow_next session_price_context_read(struct flow *f, const char *id,
                                          struct session_price_context *ret)
{
    struct pg_args args;

    pg_args_init(&args, f->arena);
    pg_arg_text(&args, id);
    return pg_run(f, PG_READ, STATEMENT_session_price_context, &args, take_price_context, ret);
}
