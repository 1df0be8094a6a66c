/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Invoices.
 */
#include "db/invoice.h"

#include <assert.h>

#include "base/arena.h"
#include "db/export_pg.h"
#include "db/pg.h"
#include "db/session_row.h"
#include "db/statements.h"

static void add_key(struct pg_args *args, struct flow *f, const struct invoice_key *key)
{
    pg_args_init(args, f->arena);
    pg_arg_int(args, key->partner_id);
    pg_arg_text(args, key->country_code);
    pg_arg_text(args, key->party_id);
    pg_arg_text(args, key->record_id);
}

static struct err take_outcome(struct flow *f, const PGresult *rows, void *to)
{
    static const char *const words[] = {"created", "replaced", "same", "stale", "exists", NULL};
    enum invoice_outcome *ret = to;

    (void)f;
    int word = session_take_word(rows, 0, "outcome", words);
    assert(word >= 0);
    *ret = (enum invoice_outcome)word;
    return OK;
}

enum flow_next invoice_put(struct flow *f, const struct invoice_put *put, enum invoice_outcome *ret)
{
    static const char *const ways[] = {"put", "post", "pull"};
    struct pg_args args;

    add_key(&args, f, &put->key);
    pg_arg_text(&args, put->invoice_id);
    pg_arg_texts(&args, put->cdrs, put->cdr_count);
    pg_arg_text(&args, put->document);
    pg_arg_text(&args, put->content_hash);
    pg_arg_time(&args, put->last_updated_us);
    pg_arg_text(&args, put->to.country_code);
    pg_arg_text(&args, put->to.party_id);
    pg_arg_text(&args, ways[put->way]);
    pg_arg_bool(&args, put->unreliable_clock);
    return pg_run(f, PG_WRITE, STATEMENT_invoice_put, &args, take_outcome, ret);
}

static struct err take_document(struct flow *f, const PGresult *rows, void *to)
{
    const char **ret = to;

    *ret = PQntuples(rows) ? pg_text(f->arena, rows, 0, "document") : NULL;
    return OK;
}

enum flow_next invoice_get(struct flow *f, const struct invoice_key *key, const char **ret_document)
{
    struct pg_args args;

    add_key(&args, f, key);
    return pg_run(f, PG_READ, STATEMENT_invoice_get, &args, take_document, ret_document);
}

static struct err take_any(struct flow *f, const PGresult *rows, void *to)
{
    bool *ret = to;

    (void)f;
    *ret = PQntuples(rows) > 0;
    return OK;
}

enum flow_next invoice_delete(struct flow *f, const struct invoice_key *key, bool *ret_found)
{
    struct pg_args args;

    add_key(&args, f, key);
    return pg_run(f, PG_WRITE, STATEMENT_invoice_delete, &args, take_any, ret_found);
}

/* The first row says how many there are. */
static struct err take_page(struct flow *f, const PGresult *rows, void *to)
{
    struct invoice_page *ret = to;

    ret->total = pg_int(rows, 0, "total");
    ret->count = (size_t)PQntuples(rows) - 1;
    ret->documents = arena_alloc(f->arena, sizeof(*ret->documents) * (ret->count + 1));
    for (size_t i = 0; i < ret->count; i++)
        ret->documents[i] = pg_text(f->arena, rows, (int)i + 1, "document");
    return OK;
}

enum flow_next invoice_list(struct flow *f, const struct invoice_ask *ask, struct invoice_page *ret)
{
    struct pg_args args;

    pg_args_init(&args, f->arena);
    pg_arg_int(&args, ask->partner_id);
    pg_arg_text(&args, ask->reader.country_code);
    pg_arg_text(&args, ask->reader.party_id);
    pg_arg_time(&args, ask->date_from_us);
    pg_arg_time(&args, ask->date_to_us);
    pg_arg_int(&args, ask->offset);
    pg_arg_int(&args, ask->limit);
    pg_arg_int(&args, ask->bytes);
    return pg_run(f, PG_READ, STATEMENT_invoice_list, &args, take_page, ret);
}

/* ---- finance ---- */

enum flow_next invoice_document(struct flow *f, int64_t invoice, const char **ret_document)
{
    struct pg_args args;

    pg_args_init(&args, f->arena);
    pg_arg_int(&args, invoice);
    return pg_run(f, PG_READ, STATEMENT_invoice_document, &args, take_document, ret_document);
}

enum flow_next invoice_exists(struct flow *f, int64_t invoice, bool *ret_found)
{
    struct pg_args args;

    pg_args_init(&args, f->arena);
    pg_arg_int(&args, invoice);
    return pg_run(f, PG_READ, STATEMENT_invoice_exists, &args, take_any, ret_found);
}

static struct err take_entered(struct flow *f, const PGresult *rows, void *to)
{
    bool *ret = to;

    *ret = pg_text(f->arena, rows, 0, "outcome") != NULL;
    return OK;
}

enum flow_next invoice_enter_total(struct flow *f, int64_t invoice, const char *kind,
                                   int64_t amount_u6, const char *currency, const char *by,
                                   bool *ret_found)
{
    struct pg_args args;

    pg_args_init(&args, f->arena);
    pg_arg_int(&args, invoice);
    pg_arg_text(&args, kind);
    pg_arg_int(&args, amount_u6);
    pg_arg_text(&args, currency);
    pg_arg_text(&args, by);
    return pg_run(f, PG_WRITE, STATEMENT_invoice_enter_total, &args, take_entered, ret_found);
}

static void add_id(struct pg_args *args, int64_t id)
{
    if (id)
        pg_arg_int(args, id);
    else
        pg_arg_text(args, NULL);
}

struct err invoice_export(struct flow *f, int64_t from_us, int64_t to_us, int64_t partner_id,
                          const char *state, const struct export_taker *taker, void *arg,
                          struct export **ret)
{
    struct pg_args args;

    pg_args_init(&args, f->arena);
    pg_arg_time(&args, from_us);
    pg_arg_time(&args, to_us);
    add_id(&args, partner_id);
    pg_arg_text(&args, state);
    return export_run(STATEMENT_finance_invoices, &args, taker, arg, ret);
}

struct err invoice_export_cdrs(struct flow *f, int64_t invoice, const struct export_taker *taker,
                               void *arg, struct export **ret)
{
    struct pg_args args;

    pg_args_init(&args, f->arena);
    pg_arg_int(&args, invoice);
    return export_run(STATEMENT_finance_invoice_cdrs, &args, taker, arg, ret);
}

struct err invoice_export_gaps(struct flow *f, int64_t partner_id, const char *kind,
                               const struct export_taker *taker, void *arg, struct export **ret)
{
    struct pg_args args;

    pg_args_init(&args, f->arena);
    add_id(&args, partner_id);
    pg_arg_text(&args, kind);
    return export_run(STATEMENT_finance_invoice_gaps, &args, taker, arg, ret);
}
