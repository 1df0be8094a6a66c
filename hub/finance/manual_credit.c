/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Credits of manual CDRs: a wrong one is taken back as a network takes back its own, as a whole and
 * by two persons; then the CDR of the network, or another manual one, can be billed.
 *
 *   POST /v1/finance/manual-cdrs/{id}/credit {reason}
 *        a draft, which somebody else confirms or declines as one of a manual CDR (manual_cdr.c)
 */
#include <string.h>

#include "base/arena.h"
#include "base/decimal.h"
#include "base/id.h"
#include "base/json.h"
#include "base/text.h"
#include "base/time.h"
#include "db/cdr.h"
#include "hub/finance/deed.h"
#include "hub/finance/finance_api.h"
#include "hub/finance/list_ask.h"
#include "hub/request.h"

enum { REASON_MAX = 500, ANSWER_MAX = 8192, COST_MAX = 200, PATH_LENGTH = 32 };

struct crediting {
    struct deed deed;
    int64_t original;
    struct cdr_row row;
    struct cdr_draft draft;
    int64_t cdr;
    enum { BEGIN, ORIGINAL, DRAFTED } phase;
};

static enum flow_next read_ask(struct flow *f)
{
    struct crediting *s = f->state;
    struct field_errors errors;

    FLOW_TRY(f, deed_read(f, &s->deed, true));
    s->original = list_id(request_of(f)->params[0]);
    if (!s->original)
        return flow_fail(f, err_new(ERR_OBJECT_NOT_FOUND));
    field_errors_init(&errors, f->arena);
    s->draft.reason = json_text_of(request_of(f)->json, "reason");
    if (!deed_text_is_good(s->draft.reason, REASON_MAX))
        field_errors_add(&errors, "reason", "reason_invalid",
                         "must be text of 1 to 500 characters without control characters");
    return errors.count ? reply_field_errors(f, &errors) : FLOW_NEXT;
}

static enum flow_next begin(struct flow *f)
{
    struct crediting *s = f->state;

    return deed_begin(f, &s->deed);
}

/* ---- the document ---- */

static void put_number(struct text *t, const char *key, int64_t value_u6)
{
    char number[DECIMAL_TEXT];

    json_put_raw(t, key, decimal_print_u6(number, value_u6, 0, 6));
}

static struct err negative_cost(struct arena *a, const struct cdr_put *put, json_t **ret)
{
    struct text t;

    text_init(&t, a, COST_MAX);
    json_begin_object(&t, NULL);
    put_number(&t, "excl_vat", -put->total_cost_excl_u6);
    if (put->has_incl_vat)
        put_number(&t, "incl_vat", -put->total_cost_u6);
    json_end_object(&t);
    return json_read(a, t.bytes, strlen(t.bytes), 0, ret);
}

/* The original with another id, and its total negated (R-CDR-05). */
static struct err write_document(struct flow *f, const struct cdr_put *put, const char *id,
                                 const char **ret)
{
    char time[TIME_TEXT];
    json_t *original, *cost;
    size_t length;

    TRY(json_read(f->arena, put->body, put->body_length, 0, &original));
    TRY(negative_cost(f->arena, put, &cost));
    AUTO_JSON json_t *document = json_copy(original);
    json_object_set_new(document, "id", json_string(id));
    json_object_set_new(document, "credit", json_true());
    json_object_set_new(document, "credit_reference_id", json_string(put->id));
    json_object_set(document, "total_cost", cost);
    json_object_set_new(document, "last_updated",
                        json_string(time_print_millis(time, time_now_us())));
    *ret = json_text(f->arena, document, &length);
    return OK;
}

/* ---- drafting ---- */

static enum flow_next write_draft(struct flow *f, struct crediting *s)
{
    struct cdr_draft *d = &s->draft;
    char id[UUID_TEXT];

    if (!s->row.found || !s->row.manual || s->row.put.credit)
        return flow_fail(f, err_new(ERR_OBJECT_NOT_FOUND));
    id_uuid_v4(id);
    d->id = arena_printf(f->arena, "K-%s", id);
    d->by = request_of(f)->caller.name;
    FLOW_TRY(f, write_document(f, &s->row.put, d->id, &d->body));
    id_sha256_hex(d->body, strlen(d->body), d->content_hash);
    id_token(d->path, PATH_LENGTH);
    s->phase = DRAFTED;
    cdr_draft_credit(f, s->original, d, &s->cdr);
    return FLOW_AGAIN;
}

static enum flow_next answer_draft(struct flow *f, struct crediting *s)
{
    const struct cdr_put *put = &s->row.put;
    char time[TIME_TEXT];
    struct text t;

    if (!s->cdr)
        return flow_fail(f, err_at(f->arena, ERR_ALREADY_DECIDED, NULL,
                                   "the manual CDR does not count, or its session has a draft"));
    text_init(&t, f->arena, ANSWER_MAX);
    json_begin_object(&t, NULL);
    json_put_int(&t, "id", s->cdr);
    json_put_text(&t, "cdr_id", s->draft.id);
    json_put_text(&t, "session_id", s->row.session_id);
    json_put_text(&t, "filed", "draft");
    put_number(&t, "energy_kwh", put->energy_u6);
    json_put_text(&t, "start_time", time_print_millis(time, put->start_us));
    json_put_text(&t, "end_time", time_print_millis(time, put->end_us));
    put_number(&t, "cost", -put->total_cost_excl_u6);
    if (put->has_incl_vat)
        put_number(&t, "cost_incl_vat", -put->total_cost_u6);
    else
        json_put_null(&t, "cost_incl_vat");
    json_put_text(&t, "currency", put->currency);
    json_put_text(&t, "reason", s->draft.reason);
    json_put_text(&t, "drafted_by", s->draft.by);
    json_end_object(&t);
    return deed_done(&s->deed, 201, &t);
}

static enum flow_next draft(struct flow *f)
{
    struct crediting *s = f->state;

    switch (s->phase) {
    case BEGIN:
        if (!deed_is_new(f, &s->deed))
            return FLOW_DONE;
        s->phase = ORIGINAL;
        cdr_read(f, s->original, &s->row);
        return FLOW_AGAIN;
    case ORIGINAL:
        return write_draft(f, s);
    case DRAFTED:
        break;
    }
    return answer_draft(f, s);
}

static enum flow_next keep(struct flow *f)
{
    struct crediting *s = f->state;

    return deed_keep(f, &s->deed);
}

static enum flow_next answer(struct flow *f)
{
    const struct crediting *s = f->state;

    return deed_answer(f, &s->deed);
}

static const struct flow_step steps[] = {
    {"read what is asked", read_ask},
    {"reserve the key", begin},
    {"draft", draft},
    {"keep the answer", keep, .also_on_failure = true},
    {"answer", answer},
    {0},
};
const struct flow_type credit_manual_cdr_flow = {
    .name = "credit_manual_cdr",
    .state_size = sizeof(struct crediting),
    .deadline_ms = SECONDS(10),
    .steps = steps,
};
