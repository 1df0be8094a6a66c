/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Payments: each function is one statement. The words of outcomes stand in the order of the
 * header's enums.
 */
#include "db/payment.h"

#include <assert.h>
#include <string.h>

#include "base/arena.h"
#include "base/time.h"
#include "db/pg.h"
#include "db/session_row.h"
#include "db/statements.h"

/* The eleven members of SQL's psp_view. */
static void add_view(struct pg_args *args, const struct psp_view *v)
{
    bool told = v && v->psp_id;

    pg_arg_text(args, told ? v->psp_id : NULL);
    pg_arg_text(args, told ? psp_status_name(v->status) : NULL);
    pg_arg_int(args, told ? v->amount_minor : 0);
    pg_arg_text(args, told ? v->currency : NULL);
    pg_arg_int(args, told ? v->captured_minor : 0);
    pg_arg_int(args, told ? v->refunded_minor : 0);
    pg_arg_int(args, told ? v->fee_minor : 0);
    pg_arg_time(args, told ? v->expires_us : TIME_NONE);
    pg_arg_text(args, told ? v->brand : NULL);
    pg_arg_text(args, told ? v->last_four : NULL);
    pg_arg_text(args, v ? v->code : NULL);
}

static struct err take_outcome(struct flow *f, const PGresult *rows, void *to)
{
    const char **ret = to;

    *ret = pg_text(f->arena, rows, 0, "outcome");
    return OK;
}

/* ---- the hold ---- */

static struct err take_held(struct flow *f, const PGresult *rows, void *to)
{
    static const char *const words[] = {"begun",      "held",       "running",
                                        "key_reused", "not_needed", NULL};
    struct payment_held *ret = to;
    int word = session_take_word(rows, 0, "outcome", words);

    assert(word >= 0);
    *ret = (struct payment_held){
        .session_id = pg_text(f->arena, rows, 0, "session_id"),
        .operation = pg_int(rows, 0, "operation"),
        .key = pg_text(f->arena, rows, 0, "key"),
        .reference = pg_text(f->arena, rows, 0, "reference"),
        .customer = pg_text(f->arena, rows, 0, "customer"),
        .amount_minor = pg_int(rows, 0, "amount_minor"),
        .currency = pg_text(f->arena, rows, 0, "currency"),
    };
    ret->outcome = (typeof(ret->outcome))word;
    return OK;
}

enum flow_next payment_hold(struct flow *f, const struct payment_hold *ask,
                            struct payment_held *ret)
{
    const struct idempotency *key = ask->idempotency;
    bool sent = key && key->key;
    struct pg_args args;

    pg_args_init(&args, f->arena);
    pg_arg_text(&args, ask->session_id);
    pg_arg_text(&args, ask->user_id);
    pg_arg_int(&args, ask->amount_minor);
    pg_arg_text(&args, ask->currency);
    pg_arg_text(&args, sent ? key->caller : NULL);
    pg_arg_text(&args, sent ? key->key : NULL);
    pg_arg_text(&args, sent ? key->body_hash : NULL);
    return pg_run(f, PG_WRITE, STATEMENT_payment_hold, &args, take_held, ret);
}

enum flow_next payment_release(struct flow *f, const char *session_id)
{
    struct pg_args args;

    pg_args_init(&args, f->arena);
    pg_arg_text(&args, session_id);
    return pg_run(f, PG_WRITE, STATEMENT_payment_release, &args, NULL, NULL);
}

/* ---- calls ---- */

static struct err take_operations(struct flow *f, const PGresult *rows, void *to)
{
    struct psp_operations *ret = to;
    struct arena *a = f->arena;
    int count = PQntuples(rows);

    ret->count = (size_t)count;
    ret->items = arena_alloc(a, sizeof(*ret->items) * ((size_t)count + 1));
    for (int i = 0; i < count; i++) {
        ret->items[i] = (struct psp_operation){
            .id = pg_int(rows, i, "id"),
            .kind = pg_text(a, rows, i, "kind"),
            .key = pg_text(a, rows, i, "key"),
            .amount_minor = pg_int(rows, i, "amount_minor"),
            .currency = pg_text(a, rows, i, "currency"),
            .attempts = (int)pg_int(rows, i, "attempts"),
            .reference = pg_text(a, rows, i, "reference"),
            .psp_id = pg_text(a, rows, i, "psp_id"),
            .customer = pg_text(a, rows, i, "psp_customer"),
        };
    }
    return OK;
}

enum flow_next psp_claim(struct flow *f, int limit, struct psp_operations *ret)
{
    struct pg_args args;

    pg_args_init(&args, f->arena);
    pg_arg_int(&args, limit);
    return pg_run(f, PG_WRITE, STATEMENT_psp_claim, &args, take_operations, ret);
}

static struct err take_done(struct flow *f, const PGresult *rows, void *to)
{
    struct psp_done_answer *ret = to;

    *ret = (struct psp_done_answer){
        .state = pg_text(f->arena, rows, 0, "state"),
        .failure = pg_text(f->arena, rows, 0, "failure"),
        .outcome = pg_text(f->arena, rows, 0, "outcome"),
    };
    return OK;
}

enum flow_next psp_done(struct flow *f, const struct psp_done *done, struct psp_done_answer *ret)
{
    struct pg_args args;

    pg_args_init(&args, f->arena);
    pg_arg_int(&args, done->id);
    pg_arg_text(&args, done->outcome);
    pg_arg_text(&args, done->detail);
    pg_arg_int(&args, done->retry_after_s);
    add_view(&args, &done->view);
    return pg_run(f, PG_WRITE, STATEMENT_psp_done, &args, ret ? take_done : NULL, ret);
}

/* ---- events ---- */

enum flow_next psp_event_take(struct flow *f, const struct psp_event *event,
                              const char content_hash[SHA256_HEX], const char **ret_outcome)
{
    struct pg_args args;

    pg_args_init(&args, f->arena);
    pg_arg_text(&args, event->id);
    pg_arg_text(&args, content_hash);
    pg_arg_text(&args, event->type);
    pg_arg_text(&args, event->event);
    pg_arg_text(&args, event->view.reference);
    add_view(&args, &event->view);
    return pg_run(f, PG_WRITE, STATEMENT_psp_event_take, &args, take_outcome, ret_outcome);
}

/* ---- the job ---- */

static struct err take_works(struct flow *f, const PGresult *rows, void *to)
{
    struct payment_works *ret = to;
    int count = PQntuples(rows);

    ret->count = (size_t)count;
    ret->items = arena_alloc(f->arena, sizeof(*ret->items) * ((size_t)count + 1));
    for (int i = 0; i < count; i++) {
        ret->items[i] = (struct payment_work){
            .payment = pg_int(rows, i, "payment"),
            .reference = pg_text(f->arena, rows, i, "reference"),
            .psp_id = pg_text(f->arena, rows, i, "psp_id"),
        };
    }
    return OK;
}

enum flow_next payment_work(struct flow *f, int limit, struct payment_works *ret)
{
    struct pg_args args;

    pg_args_init(&args, f->arena);
    pg_arg_int(&args, limit);
    return pg_run(f, PG_WRITE, STATEMENT_payment_work, &args, take_works, ret);
}

enum flow_next payment_read(struct flow *f, int64_t payment, const struct psp_view *view,
                            const char **ret_outcome)
{
    struct pg_args args;

    pg_args_init(&args, f->arena);
    pg_arg_int(&args, payment);
    pg_arg_bool(&args, view != NULL);
    add_view(&args, view);
    return pg_run(f, PG_WRITE, STATEMENT_payment_read, &args, take_outcome, ret_outcome);
}

/* ---- payouts ---- */

static struct err take_day(struct flow *f, const PGresult *rows, void *to)
{
    const char **ret = to;

    *ret = PQntuples(rows) ? pg_text(f->arena, rows, 0, "day") : NULL;
    return OK;
}

enum flow_next psp_payout_claim(struct flow *f, const char **ret_day)
{
    struct pg_args args;

    pg_args_init(&args, f->arena);
    return pg_run(f, PG_WRITE, STATEMENT_psp_payout_claim, &args, take_day, ret_day);
}

static struct err take_difference(struct flow *f, const PGresult *rows, void *to)
{
    int64_t *ret = to;

    (void)f;
    *ret = pg_int(rows, 0, "difference");
    return OK;
}

enum flow_next psp_payout_put(struct flow *f, const struct psp_payout_line *line,
                              int64_t *ret_difference_minor)
{
    struct pg_args args;

    pg_args_init(&args, f->arena);
    pg_arg_text(&args, line->day);
    pg_arg_text(&args, line->currency);
    pg_arg_int(&args, line->paid_minor);
    pg_arg_int(&args, line->captured_minor);
    pg_arg_int(&args, line->refunded_minor);
    pg_arg_int(&args, line->charged_back_minor);
    pg_arg_int(&args, line->fee_minor);
    return pg_run(f, PG_WRITE, STATEMENT_psp_payout_put, &args, take_difference,
                  ret_difference_minor);
}

enum flow_next psp_payout_done(struct flow *f, const char *day, bool ok)
{
    struct pg_args args;

    pg_args_init(&args, f->arena);
    pg_arg_text(&args, day);
    pg_arg_bool(&args, ok);
    return pg_run(f, PG_WRITE, STATEMENT_psp_payout_done, &args, NULL, NULL);
}

/* ---- refunds ---- */

static struct err take_refund(struct flow *f, const PGresult *rows, void *to)
{
    static const char *const words[] = {
        "stored",      "waiting", "not_found", "not_paid",   "too_much",    "bad_amount",
        "same_person", "already", "replay",    "key_reused", "key_running", NULL,
    };
    struct refund_asked *ret = to;
    struct arena *a = f->arena;
    int word = session_take_word(rows, 0, "outcome", words);

    assert(word >= 0);
    *ret = (struct refund_asked){
        .id = pg_text(a, rows, 0, "reference"),
        .receipt = pg_int(rows, 0, "receipt"),
        .amount_minor = pg_int(rows, 0, "amount_minor"),
        .state = pg_text(a, rows, 0, "state"),
        .asked_by = pg_text(a, rows, 0, "asked_by"),
        .confirmed_by = pg_text(a, rows, 0, "confirmed_by"),
        .left_minor = pg_int(rows, 0, "left_minor"),
    };
    session_take_text(rows, 0, "currency", ret->currency, sizeof(ret->currency));
    ret->outcome = (typeof(ret->outcome))word;
    return OK;
}

enum flow_next refund_ask(struct flow *f, const struct refund_ask *ask, struct refund_asked *ret)
{
    const struct idempotency *key = ask->idempotency;
    struct pg_args args;

    pg_args_init(&args, f->arena);
    pg_arg_int(&args, ask->receipt);
    pg_arg_int(&args, ask->amount_u6);
    pg_arg_text(&args, ask->reason);
    pg_arg_text(&args, ask->by);
    pg_arg_int(&args, ask->limit_minor);
    pg_arg_text(&args, ask->limit_currency);
    pg_arg_text(&args, key->key);
    pg_arg_text(&args, key->caller);
    pg_arg_text(&args, key->method);
    pg_arg_text(&args, key->path);
    pg_arg_text(&args, key->body_hash);
    pg_arg_text(&args, ask->receipt_number);
    return pg_run(f, PG_WRITE, STATEMENT_refund_ask, &args, take_refund, ret);
}

static struct err take_refund_if_found(struct flow *f, const PGresult *rows, void *to)
{
    struct refund_asked *ret = to;

    if (PQntuples(rows))
        return take_refund(f, rows, to);
    *ret = (struct refund_asked){.outcome = REFUND_NOT_FOUND};
    return OK;
}

enum flow_next refund_get(struct flow *f, const char *id, struct refund_asked *ret)
{
    struct pg_args args;

    pg_args_init(&args, f->arena);
    pg_arg_text(&args, id);
    return pg_run(f, PG_READ, STATEMENT_refund_get, &args, take_refund_if_found, ret);
}

enum flow_next refund_confirm(struct flow *f, const char *id, const char *by,
                              struct refund_asked *ret)
{
    struct pg_args args;

    pg_args_init(&args, f->arena);
    pg_arg_text(&args, id);
    pg_arg_text(&args, by);
    return pg_run(f, PG_WRITE, STATEMENT_refund_confirm, &args, take_refund, ret);
}

enum flow_next refund_decline(struct flow *f, const char *id, const char *by,
                              struct refund_asked *ret)
{
    struct pg_args args;

    pg_args_init(&args, f->arena);
    pg_arg_text(&args, id);
    pg_arg_text(&args, by);
    return pg_run(f, PG_WRITE, STATEMENT_refund_decline, &args, take_refund, ret);
}

/* ---- payers ---- */

static struct err take_payer(struct flow *f, const PGresult *rows, void *to)
{
    struct payer *ret = to;

    *ret = (struct payer){.found = PQntuples(rows) == 1};
    if (ret->found) {
        ret->mode = pg_text(f->arena, rows, 0, "mode");
        ret->psp_customer = pg_text(f->arena, rows, 0, "psp_customer");
    }
    return OK;
}

enum flow_next payer_get(struct flow *f, const char *user_id, struct payer *ret)
{
    struct pg_args args;

    pg_args_init(&args, f->arena);
    pg_arg_text(&args, user_id);
    return pg_run(f, PG_READ, STATEMENT_payer_get, &args, take_payer, ret);
}

enum flow_next payer_put(struct flow *f, const char *user_id, const struct payer *payer,
                         const char *by)
{
    struct pg_args args;

    pg_args_init(&args, f->arena);
    pg_arg_text(&args, user_id);
    pg_arg_text(&args, payer->mode);
    pg_arg_text(&args, payer->psp_customer);
    pg_arg_text(&args, by);
    return pg_run(f, PG_WRITE, STATEMENT_payer_put, &args, NULL, NULL);
}
