/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How a test drives the simulated PSP and asks what happened.
 */
#include "tests/sim/psp.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/text.h"
#include "base/time.h"

enum { ANSWER_MAX = 64 << 20 };

struct ask {
    struct psp_sim *sim;
    struct http_exchange *x;
    const struct http_request *r;
    json_t *json;
};

static void answer(struct ask *a, int status, const char *json)
{
    const struct http_header_out type = {"Content-Type", "application/json"};

    http_exchange_reply(a->x, status, &type, 1, json, strlen(json));
}

static void done(struct ask *a)
{
    answer(a, 200, "{\"ok\":true}");
}

static const char *text_in(const struct ask *a, const char *key, const char *otherwise)
{
    const char *value = json_text_of(a->json, key);

    return value ? value : otherwise;
}

static int64_t int_in(const struct ask *a, const char *key, int64_t otherwise)
{
    const json_t *value = json_object_get(a->json, key);

    return json_is_integer(value) ? json_integer_value(value) : otherwise;
}

static struct psp_payment *payment_in(struct ask *a)
{
    struct psp_payment *p = psp_find(a->sim, json_text_of(a->json, "payment"));

    if (!p)
        answer(a, 400, "{\"error\":\"payment: no such one (its id or reference)\"}");
    return p;
}

/* ---- showing ---- */

static void show_payments(struct ask *a)
{
    const char *customer = http_query_get(a->r->arena, a->r->query, "customer", NULL);
    struct text out;

    text_init(&out, a->r->arena, ANSWER_MAX);
    json_begin_object(&out, NULL);
    json_begin_array(&out, "payments");
    for (size_t i = 0; i < a->sim->payments.count; i++)
        if (!customer || strcmp(customer, a->sim->payments.items[i]->customer) == 0)
            psp_print(a->sim->payments.items[i], &out, NULL);
    json_end_array(&out);
    json_end_object(&out);
    answer(a, 200, out.bytes);
}

static void show_requests(struct ask *a)
{
    const char *contains = http_query_get(a->r->arena, a->r->query, "contains", NULL);
    struct text out;

    text_init(&out, a->r->arena, ANSWER_MAX);
    json_begin_object(&out, NULL);
    json_begin_array(&out, "requests");
    for (size_t i = 0; i < a->sim->requests.count; i++) {
        const struct psp_request *q = &a->sim->requests.items[i];
        if (contains && !strstr(q->path, contains) && !strstr(q->body, contains))
            continue;
        json_begin_object(&out, NULL);
        json_put_text(&out, "method", q->method);
        json_put_text(&out, "path", q->path);
        json_put_text(&out, "key", q->key);
        json_put_text(&out, "body", q->body);
        json_put_int(&out, "at_ms", q->at_us / 1000);
        json_put_int(&out, "status", q->status);
        json_put_bool(&out, "carried_out", q->carried_out);
        json_end_object(&out);
    }
    json_end_array(&out);
    json_end_object(&out);
    answer(a, 200, out.bytes);
}

static void show_events(struct ask *a)
{
    const char *payment = http_query_get(a->r->arena, a->r->query, "payment", NULL);
    struct text out;

    text_init(&out, a->r->arena, ANSWER_MAX);
    json_begin_object(&out, NULL);
    json_begin_array(&out, "events");
    for (size_t i = 0; i < a->sim->events.count; i++) {
        const struct psp_event_sent *e = &a->sim->events.items[i];
        if (payment && strcmp(payment, e->payment) != 0)
            continue;
        json_begin_object(&out, NULL);
        json_put_int(&out, "number", (int64_t)i);
        json_put_text(&out, "id", e->id);
        json_put_text(&out, "type", e->type);
        json_put_text(&out, "payment", e->payment);
        json_put_int(&out, "sent", e->sent);
        json_put_int(&out, "status", e->status);
        json_put_text(&out, "body", e->body);
        json_end_object(&out);
    }
    json_end_array(&out);
    json_end_object(&out);
    answer(a, 200, out.bytes);
}

/* ---- doing ---- */

static void set_behave(struct ask *a)
{
    const json_t *on = json_object_get(a->json, "on");

    if (psp_behave(a->sim, text_in(a, "name", ""), text_in(a, "customer", ""), !json_is_false(on),
                   int_in(a, "times", -1), int_in(a, "after_ms", 1000)))
        done(a);
    else
        answer(a, 400, "{\"error\":\"name: no such misbehaviour (see ocpi-sim psp --help)\"}");
}

static void send_again(struct ask *a)
{
    int64_t number = int_in(a, "number", -1);

    if (number < 0 || (size_t)number >= a->sim->events.count) {
        answer(a, 400, "{\"error\":\"number: no such event\"}");
        return;
    }
    psp_tell_again(a->sim, (size_t)number);
    done(a);
}

static void send_raw(struct ask *a)
{
    psp_tell_raw(a->sim, text_in(a, "body", ""), int_in(a, "age_s", 0),
                 json_is_true(json_object_get(a->json, "bad_signature")));
    done(a);
}

static void expire(struct ask *a)
{
    struct psp_payment *p = payment_in(a);

    if (p) {
        psp_expire(a->sim, p);
        done(a);
    }
}

static void dispute(struct ask *a)
{
    struct psp_payment *p = payment_in(a);

    if (p) {
        psp_dispute(a->sim, p, text_in(a, "how", "open"));
        done(a);
    }
}

static void set_webhook(struct ask *a)
{
    static char url[PSP_TEXT];

    text_copy(url, sizeof url, text_in(a, "url", ""));
    a->sim->webhook_url = *url ? url : NULL;
    done(a);
}

/* clang-format off */
static const struct control {
    const char *method, *path;
    void (*run)(struct ask *a);
    const char *help;
} controls[] = {
    {"GET",  "/psp/payments", show_payments, "all payments: ?customer="},
    {"GET",  "/psp/requests", show_requests, "what the hub asked, with its keys: ?contains="},
    {"GET",  "/psp/events",   show_events,   "what was told, how often, and how it was answered: ?payment="},
    {"POST", "/psp/behave",   set_behave,    "{name, customer?, on?, times?, after_ms?}; name \"none\" ends all"},
    {"POST", "/psp/again",    send_again,    "{number}: an event once more"},
    {"POST", "/psp/raw",      send_raw,      "{body, age_s?, bad_signature?}: any bytes, signed"},
    {"POST", "/psp/expire",   expire,        "{payment}: its hold runs out"},
    {"POST", "/psp/dispute",  dispute,       "{payment, how: open, won or lost}"},
    {"POST", "/psp/webhook",  set_webhook,   "{url}: where events go"},
};
/* clang-format on */

void psp_control_help(FILE *to)
{
    for (size_t i = 0; i < sizeof controls / sizeof *controls; i++)
        fprintf(to, "  %-6s %-23s %s\n", controls[i].method, controls[i].path, controls[i].help);
}

void psp_control_handle(void *ctx, struct http_exchange *x)
{
    const struct http_request *r = http_exchange_request(x);
    struct ask *a = arena_alloc(r->arena, sizeof *a);

    *a = (struct ask){.sim = ctx, .x = x, .r = r};
    if (r->body_length && failed(json_read(r->arena, r->body, r->body_length, 0, &a->json))) {
        answer(a, 400, "{\"error\":\"the body is not JSON\"}");
        return;
    }
    for (size_t i = 0; i < sizeof controls / sizeof *controls; i++) {
        if (strcmp(controls[i].path, r->path) == 0 && strcmp(controls[i].method, r->method) == 0) {
            controls[i].run(a);
            return;
        }
    }
    answer(a, 404, "{\"error\":\"see ocpi-sim psp --help\"}");
}
