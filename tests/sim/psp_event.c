/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Events of the simulated PSP: written when something happens, signed when they are sent, sent
 * again until they are answered with 200, at most ten times.
 */
#include "tests/sim/psp.h"

#include <stdlib.h>
#include <string.h>

#include "adapters/http_client.h"
#include "base/flow.h"
#include "base/id.h"
#include "base/text.h"
#include "base/time.h"

enum { EVENT_MAX = 65536, TRIES = 10, AGAIN_MS = 300, DAY_S = 86400, CALL_MS = 5000 };

struct telling {
    struct psp_sim *sim;
    size_t number; /* of the event; or NONE */
    char *body;
    int64_t age_s;
    bool bad_signature;
    struct http_answer answer;
};

static char *signature_of(struct arena *a, const struct telling *t)
{
    const char *secret =
        t->bad_signature ? "not the secret that was agreed upon" : t->sim->webhook_secret;
    long long stamp = (long long)(time_now_us() / US_PER_SECOND - t->age_s);
    const char *text = arena_printf(a, "%lld.%s", stamp, t->body);
    unsigned char mac[SHA256_BYTES];
    char hex[SHA256_HEX];

    id_hmac_sha256(secret, strlen(secret), text, strlen(text), mac);
    id_hex(mac, sizeof mac, hex);
    return arena_printf(a, "t=%lld,v1=%s", stamp, hex);
}

static enum flow_next send_event(struct flow *f)
{
    struct telling *t = f->state;
    struct http_call_header header = {"PSP-Signature", signature_of(f->arena, t)};
    struct http_call call = {
        .method = "POST",
        .url = t->sim->webhook_url,
        .headers = &header,
        .header_count = 1,
        .body = t->body,
        .body_length = strlen(t->body),
        .connect_ms = CALL_MS,
        .total_ms = CALL_MS,
    };

    return http_send(f, &call, &t->answer);
}

static void again(struct psp_sim *sim, void *arg)
{
    if (!sim->closing)
        psp_tell_again(sim, (size_t)(uintptr_t)arg);
}

static enum flow_next note(struct flow *f)
{
    struct telling *t = f->state;
    int status = t->answer.outcome == HTTP_ANSWERED ? t->answer.status : 0;

    free(t->body);
    t->body = NULL;
    if (t->sim->closing)
        return FLOW_NEXT;
    struct psp_event_sent *e = &t->sim->events.items[t->number];
    e->status = status;
    /* Who refused the signature is not asked again: that was wanted. */
    if (status != 200 && status != 401 && status != 422 && e->sent < TRIES)
        psp_after(t->sim, AGAIN_MS, again, (void *)(uintptr_t)t->number);
    return FLOW_NEXT;
}

static const struct flow_step steps[] = {
    {"send the event", send_event},
    {"note the answer", note, .also_on_failure = true},
    {0},
};

static const struct flow_type tell_flow = {
    .name = "psp_event",
    .state_size = sizeof(struct telling),
    .deadline_ms = 2 * CALL_MS,
    .steps = steps,
};

static void tell(struct psp_sim *sim, size_t number, int64_t age_s, bool bad_signature)
{
    if (!sim->webhook_url || sim->closing)
        return;
    struct flow *f =
        flow_new(&tell_flow, &(struct flow_options){.loop = sim->loop, .no_log = true});
    struct telling *t = f->state;

    sim->events.items[number].sent++;
    t->sim = sim;
    t->number = number;
    t->body = strdup(sim->events.items[number].body);
    t->age_s = age_s;
    t->bad_signature = bad_signature;
    flow_run(f);
}

void psp_tell_again(struct psp_sim *sim, size_t number)
{
    if (number < sim->events.count)
        tell(sim, number, 0, false);
}

void psp_tell_raw(struct psp_sim *sim, const char *body, int64_t age_s, bool bad_signature)
{
    struct psp_event_sent *e = PSP_ADD(sim->events);

    text_copy(e->id, sizeof e->id, "raw");
    e->body = strdup(body);
    tell(sim, sim->events.count - 1, age_s, bad_signature);
}

static void tell_as_told(struct psp_sim *sim, size_t number, const char *customer)
{
    int64_t age_s = psp_acts(sim, PSP_BEHAVE_OLD_EVENTS, customer, NULL) ? DAY_S : 0;
    bool bad = psp_acts(sim, PSP_BEHAVE_BAD_SIGNATURE_EVENTS, customer, NULL);
    int times = psp_acts(sim, PSP_BEHAVE_DUPLICATE_EVENTS, customer, NULL) ? 3 : 1;

    for (int i = 0; i < times; i++)
        tell(sim, number, age_s, bad);
}

struct soon {
    size_t number;
    char customer[PSP_TEXT];
};

static void tell_soon(struct psp_sim *sim, void *arg)
{
    struct soon *s = arg;

    if (!sim->closing)
        tell_as_told(sim, s->number, s->customer);
    free(s);
}

void psp_tell(struct psp_sim *sim, const struct psp_payment *p, const char *type)
{
    struct psp_payment shown = *p;
    struct text out;

    if (psp_acts(sim, PSP_BEHAVE_NO_EVENTS, p->customer, NULL))
        return;
    if (psp_acts(sim, PSP_BEHAVE_WRONG_AMOUNT_EVENTS, p->customer, NULL))
        shown.amount++;
    if (psp_acts(sim, PSP_BEHAVE_MAJOR_UNIT_EVENTS, p->customer, NULL)) {
        shown.amount /= 100;
        shown.captured /= 100;
        shown.refunded /= 100;
    }
    if (psp_acts(sim, PSP_BEHAVE_WRONG_CURRENCY_EVENTS, p->customer, NULL))
        text_copy(shown.currency, sizeof shown.currency,
                  strcmp(p->currency, "SEK") == 0 ? "EUR" : "SEK");
    struct psp_event_sent *e = PSP_ADD(sim->events);
    size_t number = sim->events.count - 1;
    snprintf(e->id, sizeof e->id, "evt_%u", ++sim->numbers);
    text_copy(e->type, sizeof e->type, type);
    text_copy(e->payment, sizeof e->payment, p->id);
    text_init(&out, NULL, EVENT_MAX);
    json_begin_object(&out, NULL);
    json_put_text(&out, "id", e->id);
    json_put_text(&out, "type", type);
    psp_print(&shown, &out, "payment");
    json_end_object(&out);
    e->body = strdup(out.bytes);
    text_done(&out);

    if (psp_acts(sim, PSP_BEHAVE_REORDERED_EVENTS, p->customer, NULL)) {
        if (!sim->kept_back) {
            sim->kept_back = number + 1;
            return;
        }
        size_t first = sim->kept_back - 1;
        sim->kept_back = 0;
        tell_as_told(sim, number, p->customer);
        struct soon *s = calloc(1, sizeof *s);
        if (!s)
            abort();
        s->number = first;
        text_copy(s->customer, sizeof s->customer, p->customer);
        psp_after(sim, AGAIN_MS, tell_soon, s);
        return;
    }
    struct soon *s = calloc(1, sizeof *s);
    if (!s)
        abort();
    s->number = number;
    text_copy(s->customer, sizeof s->customer, p->customer);
    /* Usually the answer is there first. */
    if (psp_acts(sim, PSP_BEHAVE_EARLY_EVENTS, p->customer, NULL))
        tell_soon(sim, s);
    else
        psp_after(sim, 50, tell_soon, s);
}
