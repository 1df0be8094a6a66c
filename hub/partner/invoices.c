/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Invoice reconciliation (2.3.0): which CDRs an invoice covers. Who invoices tells who is invoiced,
 * so CPOs and eMSPs implement both sides alike (R-INV-04):
 *
 *   POST            .../invoicereconciliation                    a new record of the partner's
 *   GET PUT DELETE  .../invoicereconciliation/{cc}/{pid}/{id}    one of its records
 *   GET             .../invoicereconciliation                    ours, for the party that asks
 *
 * Of partners that send it, our pull fetches theirs too (hub/jobs/pull_one.c).
 *
 * A record is kept as it came. What its CDRs are and come to is finance's (hub/finance/invoices.c).
 */
#include <string.h>

#include "base/json.h"
#include "base/text.h"
#include "base/time.h"
#include "db/invoice.h"
#include "db/partner.h"
#include "hub/hub.h"
#include "hub/partner/door.h"
#include "hub/partner/intake.h"
#include "hub/partner/partner_api.h"
#include "hub/partner/shared_lists.h"
#include "hub/request.h"
#include "hub/server/http_server.h"
#include "ocpi/headers.h"
#include "ocpi/object.h"
#include "ocpi/url.h"
#include "ocpi/v230/invoice.h"

struct invoice_write {
    struct invoice_key key;
    struct invoice_put put;
    enum invoice_outcome outcome;
    const char *document;
    bool found;
};

static struct err no_such_record(void)
{
    return err_rule(err_new(ERR_OBJECT_NOT_FOUND), "R-TRANS-33");
}

static struct err read_path(struct flow *f, struct invoice_write *w)
{
    const struct request *r = request_of(f);

    TRY(partner_door_party(f, r->params[0], r->params[1]));
    w->key = (struct invoice_key){r->caller.partner->id, r->params[0], r->params[1], r->params[2]};
    return OK;
}

/* ---- GET and DELETE of one ---- */

static enum flow_next read_stored(struct flow *f)
{
    struct invoice_write *w = f->state;

    FLOW_TRY(f, read_path(f, w));
    return invoice_get(f, &w->key, &w->document);
}

static enum flow_next show(struct flow *f)
{
    struct invoice_write *w = f->state;

    return w->document ? reply_ocpi(f, 200, w->document) : flow_fail(f, no_such_record());
}

static const struct flow_step get_steps[] = {
    {"read the record", read_stored}, {"show it", show}, {0}};
const struct flow_type invoice_get_flow = {
    .name = "invoice_get",
    .state_size = sizeof(struct invoice_write),
    .deadline_ms = SECONDS(10),
    .steps = get_steps,
};

static enum flow_next forget(struct flow *f)
{
    struct invoice_write *w = f->state;

    FLOW_TRY(f, read_path(f, w));
    return invoice_delete(f, &w->key, &w->found);
}

static enum flow_next confirm(struct flow *f)
{
    struct invoice_write *w = f->state;

    return w->found ? reply_ocpi(f, 200, NULL) : flow_fail(f, no_such_record());
}

static const struct flow_step delete_steps[] = {
    {"leave a tombstone", forget}, {"confirm", confirm}, {0}};
const struct flow_type invoice_delete_flow = {
    .name = "invoice_delete",
    .state_size = sizeof(struct invoice_write),
    .deadline_ms = SECONDS(10),
    .steps = delete_steps,
};

/* ---- POST and PUT ---- */

static bool is_party_of(const struct partner *p, const struct ocpi230_invoice_record *record)
{
    struct party_id id;

    if (party_id_make(record->country_code, record->party_id, &id))
        for (size_t i = 0; i < p->party_count; i++)
            if (party_id_equal(&p->parties[i].id, &id))
                return true;
    return false;
}

static struct err not_theirs(struct flow *f, const struct ocpi230_invoice_record *record,
                             const char *where)
{
    return err_rule(err_at(f->arena, ERR_BAD_FIELD, "/party_id",
                           "/party_id: %s-%s is not a party of this connection%s",
                           record->country_code, record->party_id, where),
                    "R-TRANS-18");
}

struct err intake_invoice_of(struct flow *f, const struct intake *in, const json_t *document,
                             struct invoice_put *ret)
{
    const struct partner *p = in->partner;
    struct ocpi230_invoice_record record;
    size_t length;

    TRY(object_parse_lenient(&ocpi230_invoice_record_type, document, &p->peer.leniency, f->arena,
                             &record));
    if (in->in_url) {
        TRY(intake_same(f, "/country_code", in->owner.country_code, record.country_code));
        TRY(intake_same(f, "/party_id", in->owner.party_id, record.party_id));
    }
    if (!is_party_of(p, &record))
        return not_theirs(f, &record, "");
    TRY(intake_check_clock(f, in, record.last_updated));
    *ret = (struct invoice_put){
        .key = {p->id, record.country_code, record.party_id, record.id},
        .invoice_id = record.invoice_id,
        .cdrs = record.cdrs.at,
        .cdr_count = record.cdrs.count,
        .document = json_text(f->arena, document, &length),
        .last_updated_us = record.last_updated,
        .to = p->peer.our_party,
        .unreliable_clock = p->peer.quirks.unreliable_clock,
    };
    const char *canonical = json_canonical(f->arena, document);
    id_sha256_hex(canonical, strlen(canonical), ret->content_hash);
    return OK;
}

/* The body of a POST says whose it is: a party of the caller in a role that uses this address. */
static struct err check_owner(struct flow *f, const struct invoice_key *key)
{
    if (!failed(partner_door_party(f, key->country_code, key->party_id)))
        return OK;
    return not_theirs(f,
                      &(struct ocpi230_invoice_record){.country_code = key->country_code,
                                                       .party_id = key->party_id},
                      " that may invoice at this address");
}

static enum flow_next check_and_store(struct flow *f)
{
    struct invoice_write *w = f->state;
    const struct request *r = request_of(f);
    bool post = strcmp(r->http->method, "POST") == 0;

    if (!post)
        FLOW_TRY(f, read_path(f, w));
    struct intake in = intake_of_request(f, w->key.country_code, w->key.party_id);
    in.in_url = !post;
    FLOW_TRY(f, intake_invoice_of(f, &in, r->json, &w->put));
    if (post)
        FLOW_TRY(f, check_owner(f, &w->put.key));
    else
        FLOW_TRY(f, intake_same(f, "/id", w->key.record_id, w->put.key.record_id));
    w->put.to = r->caller.to;
    w->put.way = post ? INVOICE_BY_POST : INVOICE_BY_PUT;
    return invoice_put(f, &w->put, &w->outcome);
}

static enum flow_next answer(struct flow *f)
{
    struct invoice_write *w = f->state;
    const struct request *r = request_of(f);
    const struct invoice_key *key = &w->put.key;

    if (w->outcome == INVOICE_EXISTS)
        return flow_fail(
            f, err_rule(err_at(f->arena, ERR_BAD_FIELD, "/id",
                               "/id: a record with this id and other content is stored already; "
                               "a change of it comes by PUT"),
                        "R-INV-02"));
    if (w->outcome != INVOICE_CREATED)
        return reply_ocpi(f, 200, NULL);
    const char *base =
        arena_printf(f->arena, "%s%s/%s", hub_of(f)->public_url,
                     face_details_path(f->arena, r->face, r->version), MODULE_INVOICES);
    struct reply_header location = {HEADER_LOCATION, url_join(f->arena, base, key->country_code,
                                                              key->party_id, key->record_id, NULL)};
    return reply_ocpi_headers(f, 201, NULL, &location, 1);
}

static const struct flow_step put_steps[] = {
    {"check and store", check_and_store}, {"answer", answer}, {0}};
const struct flow_type invoice_put_flow = {
    .name = "invoice_put",
    .state_size = sizeof(struct invoice_write),
    .deadline_ms = SECONDS(20),
    .steps = put_steps,
};
const struct flow_type invoice_post_flow = {
    .name = "invoice_post",
    .state_size = sizeof(struct invoice_write),
    .deadline_ms = SECONDS(20),
    .steps = put_steps,
};

/* ---- ours ---- */

struct invoice_listing {
    struct paging paging;
    struct invoice_page page;
};

static enum flow_next read_page(struct flow *f)
{
    struct invoice_listing *l = f->state;
    const struct request *r = request_of(f);
    struct err e =
        paging_read(f->arena, r->http->query, hub_of(f)->settings->page_limit, false, &l->paging);

    FLOW_TRY(f, shared_list_named(f));
    if (failed(e))
        return flow_fail(f, e.rule ? e : err_rule(e, "R-TRANS-44"));
    return invoice_list(f,
                        &(struct invoice_ask){
                            .partner_id = r->caller.partner->id,
                            .reader = r->caller.from,
                            .date_from_us = l->paging.date_from_us,
                            .date_to_us = l->paging.date_to_us,
                            .offset = l->paging.offset,
                            .limit = l->paging.limit,
                            .bytes = PAGE_DATA_BYTES,
                        },
                        &l->page);
}

static enum flow_next answer_page(struct flow *f)
{
    struct invoice_listing *l = f->state;
    struct text data;
    size_t most = 16; /* the brackets */

    for (size_t i = 0; i < l->page.count; i++)
        most += strlen(l->page.documents[i]) + 1;
    text_init(&data, f->arena, most);
    json_begin_array(&data, NULL);
    for (size_t i = 0; i < l->page.count; i++)
        json_put_raw(&data, NULL, l->page.documents[i]);
    json_end_array(&data);
    return reply_page(f, &l->paging, l->page.count, l->page.total, &data);
}

static const struct flow_step list_steps[] = {
    {"read the page", read_page}, {"answer", answer_page}, {0}};
const struct flow_type invoice_list_flow = {
    .name = "invoice_list",
    .state_size = sizeof(struct invoice_listing),
    .deadline_ms = SECONDS(10),
    .steps = list_steps,
};
