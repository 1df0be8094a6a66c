/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Invoice reconciliation (2.3.0), both sides: records of ours are told by the control API and
 * listed for who pulls; records of others are received as every push is (receiver.c).
 */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/text.h"
#include "base/time.h"
#include "ocpi/envelope.h"
#include "tests/sim/call.h"
#include "tests/sim/control.h"
#include "tests/sim/list.h"
#include "tests/sim/push.h"
#include "tests/sim/store.h"

/* --- the list --- */

static int64_t invoice_changed(struct sim *sim, size_t index)
{
    const json_t *record = json_array_get(sim->store->invoices, index);
    int64_t us;

    return time_parse(json_text_of(record, "last_updated"), TIME_OCPI, &us) ? us : TIME_NONE;
}

static void invoice_print(struct pen pen, size_t index)
{
    char *text = ask_heap_json(json_array_get(pen.sim->store->invoices, index));

    json_put_raw(pen.out, 0, text);
    free(text);
}

void serve_invoices(struct call *call)
{
    if (strcmp(call->r->method, "GET") != 0 || call->rest_count > 0) {
        serve_received(call);
        return;
    }
    serve_list(call,
               &(struct list){MODULE_INVOICES, json_array_size(call->sim->store->invoices),
                              invoice_changed, invoice_print, "invoice_id"},
               false);
}

/* --- telling one --- */

static size_t invoice_find(const struct sim *sim, const char *id)
{
    size_t i;
    json_t *record;

    json_array_foreach(sim->store->invoices, i, record)
    {
        if (strcasecmp(json_text_of(record, "id"), id) == 0)
            return i;
    }
    return i;
}

static json_t *invoice_make(struct ask *ask, const char *id)
{
    const struct party_id *us = &ask->sim->options->party;
    const json_t *cdrs = json_array_of(ask->json, "cdrs");
    char updated[TIME_TEXT];

    time_print_millis(updated, time_now_us());
    return json_pack("{s:s, s:s, s:s, s:s, s:o, s:s}", "country_code", us->country_code, "party_id",
                     us->party_id, "id", id, "invoice_id", ask_text(ask, "invoice_id", id), "cdrs",
                     cdrs ? json_deep_copy(cdrs) : json_array(), "last_updated", updated);
}

void control_invoice(struct ask *ask)
{
    struct sim *sim = ask->sim;
    const char *id = ask_text(ask, "id", ""), *method = ask_text(ask, "method", "POST");
    const char *url = sim_endpoint(sim, MODULE_INVOICES, OCPI_INTERFACE_RECEIVER);
    const struct party_id *us = &sim->options->party;
    bool deleted = strcmp(method, "DELETE") == 0;
    size_t at = invoice_find(sim, id);
    char *body = 0;

    if (!*id || !url) {
        ask_wrong(ask, *id ? "the hub takes no invoice records" : "\"id\" is missing");
        return;
    }
    if (deleted) {
        json_array_remove(sim->store->invoices, at);
    } else {
        json_t *record = invoice_make(ask, id);
        body = ask_heap_json(record);
        if (at < json_array_size(sim->store->invoices))
            json_array_set_new(sim->store->invoices, at, record);
        else
            json_array_append_new(sim->store->invoices, record);
    }
    if (strcmp(method, "POST") != 0)
        url = url_join(ask->arena, url, us->country_code, us->party_id, id, NULL);
    struct push *p = push_new(sim, method, MODULE_INVOICES, url, body);
    ask_address(ask, p);
    p->done = ask_pushed;
    p->arg = ask;
    push_send(p, 0);
}
