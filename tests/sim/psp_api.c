/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The simulated PSP's API. A request that changes something is carried out once for its key: the
 * same request gets the same answer, another one 422.
 *
 *   authorised --capture--> captured --refund--> partially_refunded --refund--> refunded
 *        |  `--void--> voided   `--dispute--> disputed --> captured | charged_back
 *        `--time--> expired
 */
#include "tests/sim/psp.h"

#include <stdlib.h>
#include <string.h>

#include "base/id.h"
#include "base/json.h"
#include "base/text.h"
#include "base/time.h"

enum { ANSWER_MAX = 1 << 20, HANG_MS = 12000, HOLD_DAYS = 7, FEE_FLAT = 25, FEE_PER_MILLE = 14 };

/* One request, until it has its answer. */
struct psp_ask {
    struct psp_sim *sim;
    struct http_exchange *x;
    const struct http_request *r;
    struct arena *arena;
    const char *key, *hash;
    const char *segments[4]; /* of the path */
    size_t count;
    const char *customer; /* "" where none is in sight */
    json_t *json;
    size_t request; /* its number in the record */
};

/* ---- payments ---- */

struct psp_payment *psp_find(struct psp_sim *sim, const char *id)
{
    for (size_t i = 0; id && i < sim->payments.count; i++)
        if (strcmp(sim->payments.items[i]->id, id) == 0 ||
            strcmp(sim->payments.items[i]->reference, id) == 0)
            return sim->payments.items[i];
    return NULL;
}

void psp_print(const struct psp_payment *p, struct text *out, const char *key)
{
    char expires[TIME_TEXT];

    json_begin_object(out, key);
    json_put_text(out, "id", p->id);
    json_put_text(out, "reference", p->reference);
    json_put_text(out, "customer", p->customer);
    json_put_text(out, "status", p->status);
    json_put_int(out, "amount", p->amount);
    json_put_text(out, "currency", p->currency);
    json_put_int(out, "captured", p->captured);
    json_put_int(out, "refunded", p->refunded);
    json_put_int(out, "fee", p->fee);
    json_put_text(out, "expires_at", time_print_seconds(expires, p->expires_us));
    json_put_text(out, "code", *p->code ? p->code : NULL);
    json_begin_object(out, "card");
    json_put_text(out, "brand", "visa");
    json_put_text(out, "last_four", "4242");
    json_end_object(out);
    json_end_object(out);
}

static void status_set(struct psp_payment *p, const char *status)
{
    text_copy(p->status, sizeof p->status, status);
}

static void money(struct psp_sim *sim, const struct psp_payment *p, int kind, int64_t amount)
{
    struct psp_money *m = PSP_ADD(sim->moves);

    m->at_us = time_now_us();
    m->amount = amount;
    m->kind = (typeof(m->kind))kind;
    text_copy(m->currency, sizeof m->currency, p->currency);
}

static void capture_now(struct psp_sim *sim, struct psp_payment *p, int64_t amount)
{
    p->captured = amount;
    p->fee = FEE_FLAT + amount * FEE_PER_MILLE / 1000;
    p->pending_capture = 0;
    status_set(p, "captured");
    money(sim, p, PSP_MONEY_CAPTURE, amount);
    money(sim, p, PSP_MONEY_FEE, p->fee);
    psp_tell(sim, p, "payment.captured");
}

static void refund_now(struct psp_sim *sim, struct psp_payment *p, int64_t amount)
{
    p->refunded += amount;
    p->pending_refund = 0;
    status_set(p, p->refunded == p->captured ? "refunded" : "partially_refunded");
    money(sim, p, PSP_MONEY_REFUND, amount);
    psp_tell(sim, p, "payment.refunded");
}

void psp_finish(struct psp_sim *sim, struct psp_payment *p)
{
    if (strcmp(p->status, "pending") == 0) {
        status_set(p, "authorised");
        psp_tell(sim, p, "payment.authorised");
    }
    if (p->pending_capture)
        capture_now(sim, p, p->pending_capture);
    if (p->pending_refund)
        refund_now(sim, p, p->pending_refund);
}

static void finish_later(struct psp_sim *sim, void *arg)
{
    if (!sim->closing)
        psp_finish(sim, arg);
}

void psp_expire(struct psp_sim *sim, struct psp_payment *p)
{
    if (strcmp(p->status, "authorised") != 0)
        return;
    status_set(p, "expired");
    psp_tell(sim, p, "payment.expired");
}

void psp_dispute(struct psp_sim *sim, struct psp_payment *p, const char *how)
{
    if (strcmp(how, "open") == 0) {
        status_set(p, "disputed");
        psp_tell(sim, p, "payment.disputed");
    } else if (strcmp(how, "won") == 0) {
        status_set(p, p->refunded ? "partially_refunded" : "captured");
        psp_tell(sim, p, "payment.dispute_won");
    } else {
        status_set(p, "charged_back");
        money(sim, p, PSP_MONEY_CHARGEBACK, p->captured - p->refunded);
        psp_tell(sim, p, "payment.dispute_lost");
    }
}

/* ---- answers ---- */

static void reply_now(struct psp_ask *a, int status, const char *body)
{
    const struct http_header_out headers[] = {{"Content-Type", "application/json"},
                                              {"Retry-After", status == 429 ? "1" : NULL}};

    a->sim->requests.items[a->request].status = status;
    http_exchange_reply(a->x, status, headers, 2, body, strlen(body));
}

struct waiting {
    struct http_exchange *x;
    struct arena *arena;
    char *body; /* NULL: the connection is closed */
    int status;
};

static void reply_later(struct psp_sim *sim, void *arg)
{
    static const struct http_header_out type = {"Content-Type", "application/json"};
    struct waiting *w = arg;

    if (w->body && !sim->closing)
        http_exchange_reply(w->x, w->status, &type, 1, w->body, strlen(w->body));
    else
        http_exchange_drop(w->x);
    free(w->body);
    free(w);
}

static void wait_with(struct psp_ask *a, int64_t ms, int status, const char *body)
{
    struct waiting *w = calloc(1, sizeof *w);

    if (!w)
        abort();
    w->x = a->x;
    w->status = status;
    w->body = body ? strdup(body) : NULL;
    psp_after(a->sim, ms, reply_later, w);
}

/* The answer as it goes out, after everything was done; kept for the key. */
static void finish(struct psp_ask *a, int status, const char *body)
{
    int64_t after_ms = 0;

    a->sim->requests.items[a->request].carried_out = status < 300;
    if (a->key) {
        struct psp_key *k = PSP_ADD(a->sim->keys);
        k->key = strdup(a->key);
        k->hash = strdup(a->hash);
        k->body = strdup(body);
        k->status = status;
    }
    if (psp_acts(a->sim, PSP_BEHAVE_LOST_ANSWER, a->customer, NULL))
        wait_with(a, HANG_MS, 0, NULL);
    else if (psp_acts(a->sim, PSP_BEHAVE_GARBAGE, a->customer, NULL))
        reply_now(a, status, "<html>Welcome</html>");
    else if (psp_acts(a->sim, PSP_BEHAVE_SLOW, a->customer, &after_ms))
        wait_with(a, after_ms, status, body);
    else
        reply_now(a, status, body);
}

static void refuse(struct psp_ask *a, int status, const char *code)
{
    finish(a, status, arena_printf(a->arena, "{\"code\":\"%s\"}", code));
}

static void show(struct psp_ask *a, int status, const struct psp_payment *p)
{
    struct psp_payment shown = *p;
    struct text out;

    if (psp_acts(a->sim, PSP_BEHAVE_WRONG_AMOUNT, p->customer, NULL))
        shown.amount++;
    text_init(&out, a->arena, ANSWER_MAX);
    psp_print(&shown, &out, NULL);
    finish(a, status, out.bytes);
}

/* ---- requests ---- */

static int64_t amount_of(const struct psp_ask *a)
{
    return json_integer_value(json_object_get(a->json, "amount"));
}

static void decline(struct psp_ask *a, const struct psp_payment *p, const char *code)
{
    struct text out;

    text_init(&out, a->arena, ANSWER_MAX);
    json_begin_object(&out, NULL);
    json_put_text(&out, "code", code);
    psp_print(p, &out, "payment");
    json_end_object(&out);
    finish(a, 402, out.bytes);
}

static void create(struct psp_ask *a)
{
    struct psp_sim *sim = a->sim;
    bool capture = json_is_true(json_object_get(a->json, "capture"));
    const char *reference = json_text_of(a->json, "reference");
    const char *currency = json_text_of(a->json, "currency");
    struct psp_payment *p = calloc(1, sizeof *p);
    int64_t after_ms;

    if (!p)
        abort();
    if (!reference || !currency || amount_of(a) <= 0 || strlen(currency) != 3 || !*a->customer ||
        strlen(reference) >= sizeof p->reference || strlen(a->customer) >= sizeof p->customer) {
        free(p);
        refuse(a, 400, "bad_request");
        return;
    }
    snprintf(p->id, sizeof p->id, "pay_%u", ++sim->numbers);
    text_copy(p->reference, sizeof p->reference, reference);
    text_copy(p->customer, sizeof p->customer, a->customer);
    text_copy(p->currency, sizeof p->currency, currency);
    p->amount = amount_of(a);
    p->created_us = time_now_us();
    p->expires_us = p->created_us + HOLD_DAYS * 86400 * US_PER_SECOND;
    *PSP_ADD(sim->payments) = p;
    if (psp_acts(sim, PSP_BEHAVE_DECLINE, a->customer, NULL)) {
        status_set(p, "declined");
        text_copy(p->code, sizeof p->code, "card_declined");
        psp_tell(sim, p, "payment.declined");
        decline(a, p, "card_declined");
        return;
    }
    if (psp_acts(sim, PSP_BEHAVE_PENDING, a->customer, &after_ms)) {
        status_set(p, "pending");
        p->pending_capture = capture ? p->amount : 0;
        psp_after(sim, after_ms, finish_later, p);
        show(a, 202, p);
        return;
    }
    status_set(p, "authorised");
    if (capture)
        capture_now(sim, p, p->amount);
    else
        psp_tell(sim, p, "payment.authorised");
    show(a, 201, p);
}

static void capture(struct psp_ask *a, struct psp_payment *p)
{
    int64_t amount = amount_of(a), after_ms;

    if (strcmp(p->status, "authorised") != 0 || p->pending_capture) {
        refuse(a, 422, "not_authorised");
    } else if (amount <= 0 || amount > p->amount) {
        refuse(a, 422, "amount_too_large");
    } else if (psp_acts(a->sim, PSP_BEHAVE_DECLINE_CAPTURE, p->customer, NULL)) {
        psp_tell(a->sim, p, "payment.capture_failed");
        decline(a, p, "do_not_honour");
    } else if (psp_acts(a->sim, PSP_BEHAVE_LATER, p->customer, &after_ms)) {
        p->pending_capture = amount;
        psp_after(a->sim, after_ms, finish_later, p);
        show(a, 202, p);
    } else {
        capture_now(a->sim, p, amount);
        show(a, 200, p);
    }
}

static void cancel(struct psp_ask *a, struct psp_payment *p)
{
    if (strcmp(p->status, "authorised") != 0 && strcmp(p->status, "pending") != 0) {
        refuse(a, 422, "not_authorised");
        return;
    }
    status_set(p, "voided");
    psp_tell(a->sim, p, "payment.voided");
    show(a, 200, p);
}

static void refund(struct psp_ask *a, struct psp_payment *p)
{
    int64_t amount = amount_of(a), after_ms;

    if (amount <= 0 || amount > p->captured - p->refunded - p->pending_refund) {
        refuse(a, 422, "amount_too_large");
    } else if (psp_acts(a->sim, PSP_BEHAVE_DECLINE_REFUND, p->customer, NULL)) {
        decline(a, p, "refund_refused");
    } else if (psp_acts(a->sim, PSP_BEHAVE_LATER, p->customer, &after_ms)) {
        p->pending_refund = amount;
        psp_after(a->sim, after_ms, finish_later, p);
        show(a, 202, p);
    } else {
        refund_now(a->sim, p, amount);
        show(a, 200, p);
    }
}

/* ---- reading ---- */

static void find_by_reference(struct psp_ask *a)
{
    const char *reference = http_query_get(a->arena, a->r->query, "reference", NULL);
    const struct psp_payment *p = psp_find(a->sim, reference);
    struct text out;

    text_init(&out, a->arena, ANSWER_MAX);
    json_begin_object(&out, NULL);
    json_begin_array(&out, "items");
    if (p)
        psp_print(p, &out, NULL);
    json_end_array(&out);
    json_end_object(&out);
    finish(a, 200, out.bytes);
}

static void print_payout(const struct psp_sim *sim, const char *day, const char *currency,
                         struct text *out)
{
    int64_t sums[4] = {0};
    char at[TIME_TEXT];

    for (size_t i = 0; i < sim->moves.count; i++) {
        const struct psp_money *m = &sim->moves.items[i];
        time_print_seconds(at, m->at_us);
        if (strncmp(at, day, 10) == 0 && strcmp(m->currency, currency) == 0)
            sums[m->kind] += m->amount;
    }
    json_begin_object(out, NULL);
    json_put_text(out, "currency", currency);
    json_put_int(out, "captured", sums[PSP_MONEY_CAPTURE]);
    json_put_int(out, "refunded", sums[PSP_MONEY_REFUND]);
    json_put_int(out, "charged_back", sums[PSP_MONEY_CHARGEBACK]);
    json_put_int(out, "fees", sums[PSP_MONEY_FEE]);
    json_put_int(out, "paid",
                 sums[PSP_MONEY_CAPTURE] - sums[PSP_MONEY_REFUND] - sums[PSP_MONEY_CHARGEBACK] -
                     sums[PSP_MONEY_FEE]);
    json_end_object(out);
}

static void payouts(struct psp_ask *a)
{
    const char *day = http_query_get(a->arena, a->r->query, "date", NULL);
    struct text out;

    if (!day || strlen(day) != 10) {
        refuse(a, 400, "bad_date");
        return;
    }
    text_init(&out, a->arena, ANSWER_MAX);
    json_begin_object(&out, NULL);
    json_begin_array(&out, "items");
    for (size_t i = 0; i < a->sim->moves.count; i++) {
        bool seen = false;
        for (size_t j = 0; j < i; j++)
            seen |= strcmp(a->sim->moves.items[i].currency, a->sim->moves.items[j].currency) == 0;
        if (!seen)
            print_payout(a->sim, day, a->sim->moves.items[i].currency, &out);
    }
    json_end_array(&out);
    json_end_object(&out);
    finish(a, 200, out.bytes);
}

static void read_something(struct psp_ask *a)
{
    const struct psp_payment *p;

    if (a->count == 1 && strcmp(a->segments[0], "payments") == 0) {
        find_by_reference(a);
    } else if (a->count == 1 && strcmp(a->segments[0], "payouts") == 0) {
        payouts(a);
    } else {
        p = a->count == 2 ? psp_find(a->sim, a->segments[1]) : NULL;
        if (p)
            show(a, 200, p);
        else
            refuse(a, 404, "not_found");
    }
}

/* ---- the way in ---- */

static bool path_split(struct psp_ask *a)
{
    char *path = arena_text(a->arena, a->r->path), *word;

    path++;
    while ((word = strsep(&path, "/"))) {
        if (a->count == sizeof a->segments / sizeof *a->segments)
            return false;
        a->segments[a->count++] = word;
    }
    return true;
}

static bool is_known_key(struct psp_ask *a)
{
    for (size_t i = 0; i < a->sim->keys.count; i++) {
        const struct psp_key *k = &a->sim->keys.items[i];
        if (strcmp(k->key, a->key) != 0)
            continue;
        if (strcmp(k->hash, a->hash) == 0)
            reply_now(a, k->status, k->body);
        else
            reply_now(a, 422, "{\"code\":\"idempotency_key_reused\"}");
        return true;
    }
    return false;
}

/* True: it has been dealt with, and nothing was done. */
static bool is_spoilt(struct psp_ask *a)
{
    if (psp_acts(a->sim, PSP_BEHAVE_NO_ANSWER, a->customer, NULL))
        wait_with(a, HANG_MS, 0, NULL);
    else if (psp_acts(a->sim, PSP_BEHAVE_HTTP_500, a->customer, NULL))
        reply_now(a, 500, "{\"code\":\"internal\"}");
    else if (psp_acts(a->sim, PSP_BEHAVE_HTTP_429, a->customer, NULL))
        reply_now(a, 429, "{\"code\":\"too_many\"}");
    else
        return false;
    return true;
}

static void change_something(struct psp_ask *a, struct psp_payment *p)
{
    if (a->count == 1 && strcmp(a->segments[0], "payments") == 0)
        create(a);
    else if (!p)
        refuse(a, 404, "not_found");
    else if (strcmp(a->segments[2], "capture") == 0)
        capture(a, p);
    else if (strcmp(a->segments[2], "void") == 0)
        cancel(a, p);
    else if (strcmp(a->segments[2], "refunds") == 0)
        refund(a, p);
    else
        refuse(a, 404, "not_found");
}

static void record(struct psp_ask *a)
{
    struct psp_request *q = PSP_ADD(a->sim->requests);

    a->request = a->sim->requests.count - 1;
    text_copy(q->method, sizeof q->method, a->r->method);
    q->path = strdup(a->r->target);
    q->key = a->key ? strdup(a->key) : NULL;
    q->body = strdup(a->r->body);
    q->at_us = time_now_us();
}

void psp_api_handle(void *ctx, struct http_exchange *x)
{
    const struct http_request *r = http_exchange_request(x);
    struct psp_ask *a = arena_alloc(r->arena, sizeof *a);
    const char *authorization = http_header(r, "Authorization");
    bool post = strcmp(r->method, "POST") == 0;

    *a = (struct psp_ask){.sim = ctx, .x = x, .r = r, .arena = r->arena, .customer = ""};
    if (post)
        a->key = http_header(r, "Idempotency-Key");
    record(a);
    if (!authorization || strncmp(authorization, "Bearer ", 7) != 0 ||
        strcmp(authorization + 7, a->sim->key) != 0) {
        reply_now(a, 401, "{\"code\":\"unauthorised\"}");
        return;
    }
    if (!path_split(a) || (post && !a->key)) {
        reply_now(a, 400, "{\"code\":\"bad_request\"}");
        return;
    }
    if (post && (failed(json_read(a->arena, r->body, r->body_length, 0, &a->json)) ||
                 !json_is_object(a->json))) {
        reply_now(a, 400, "{\"code\":\"bad_json\"}");
        return;
    }
    struct psp_payment *p = a->count == 3 ? psp_find(a->sim, a->segments[1]) : NULL;
    const char *customer = json_text_of(a->json, "customer");
    a->customer = customer ? customer : p ? p->customer : "";
    if (post) {
        char hash[SHA256_HEX];
        const char *what = arena_printf(a->arena, "%s\n%s", r->path, r->body);
        id_sha256_hex(what, strlen(what), hash);
        a->hash = arena_text(a->arena, hash);
    }
    if (is_spoilt(a) || (post && is_known_key(a)))
        return;
    if (post)
        change_something(a, p);
    else
        read_something(a);
}
