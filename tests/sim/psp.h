/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ocpi-sim psp: a payment service provider in one process. It keeps payments, answers the same key
 * with the same answer, and tells by signed events what has happened.
 *
 *   hub  --- API --->  psp_api.c   payments: authorise, capture, void, refund, read, payouts
 *        <-- events -- psp_event.c
 *   test -- control -> psp_control.c
 *
 * It shares no code with what the hub reads its messages by: each is a check on the other.
 */
#ifndef TESTS_SIM_PSP_H
#define TESTS_SIM_PSP_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/queue.h>

#include "base/arena.h"
#include "hub/server/http_server.h"

struct event_base;
struct text;

/* clang-format off */
/*    constant                word                     what it does */
#define PSP_BEHAVIOURS(X) \
    X(DECLINE,                "decline",               "authorise and charge: 402 card_declined") \
    X(DECLINE_CAPTURE,        "decline-capture",       "capture: 402 do_not_honour") \
    X(DECLINE_REFUND,         "decline-refund",        "refund: 402 refund_refused") \
    X(PENDING,                "pending",               "authorise and charge answer pending; the event comes after_ms later") \
    X(LATER,                  "later",                 "capture and refund are taken, and done after_ms later: an event tells") \
    X(LOST_ANSWER,            "lost-answer",           "carries the request out and never answers") \
    X(NO_ANSWER,              "no-answer",             "does nothing and never answers") \
    X(SLOW,                   "slow",                  "answers after_ms late") \
    X(HTTP_500,               "http-500",              "does nothing, answers 500") \
    X(HTTP_429,               "http-429",              "does nothing, answers 429 with Retry-After: 1") \
    X(GARBAGE,                "garbage",               "carries the request out; the answer is no JSON") \
    X(WRONG_AMOUNT,           "wrong-amount",          "answers show an amount that is one too high") \
    X(NO_EVENTS,              "no-events",             "tells nothing") \
    X(DUPLICATE_EVENTS,       "duplicate-events",      "each event is sent three times") \
    X(REORDERED_EVENTS,       "reordered-events",      "events change places two by two") \
    X(WRONG_AMOUNT_EVENTS,    "wrong-amount-events",   "events show an amount that is one too high") \
    X(MAJOR_UNIT_EVENTS,      "major-unit-events",     "events show a hundredth of the amount") \
    X(WRONG_CURRENCY_EVENTS,  "wrong-currency-events", "events are in another currency") \
    X(BAD_SIGNATURE_EVENTS,   "bad-signature-events",  "events are signed with another secret") \
    X(OLD_EVENTS,             "old-events",            "events are signed as of a day ago") \
    X(EARLY_EVENTS,           "early-events",          "the event is sent before the answer")
/* clang-format on */

enum psp_behaviour {
#define X(constant, ...) PSP_BEHAVE_##constant,
    PSP_BEHAVIOURS(X)
#undef X
        PSP_BEHAVE_COUNT
};

enum { PSP_WORD = 80, PSP_TEXT = 256 };

struct psp_payment {
    char id[PSP_WORD], reference[PSP_WORD], customer[PSP_TEXT], currency[4];
    char status[PSP_WORD], code[PSP_WORD];
    int64_t amount, captured, refunded, fee;
    int64_t pending_capture, pending_refund; /* taken, not done */
    int64_t created_us, expires_us;
};

/* What a key was first used for, and answered. */
struct psp_key {
    char *key, *hash, *body;
    int status;
};

struct psp_request {
    char method[8], *path, *key, *body;
    int64_t at_us;
    int status; /* 0: none was given */
    bool carried_out;
};

struct psp_event_sent {
    char id[PSP_WORD], type[PSP_WORD], payment[PSP_WORD];
    char *body;
    int sent;
    int status; /* of the last answer; 0: none */
};

struct psp_money { /* what moved, for payouts */
    int64_t at_us, amount;
    char currency[4];
    enum { PSP_MONEY_CAPTURE, PSP_MONEY_REFUND, PSP_MONEY_CHARGEBACK, PSP_MONEY_FEE } kind;
};

#define PSP_LIST(type)                                                                             \
    struct {                                                                                       \
        type *items;                                                                               \
        size_t count, room;                                                                        \
    }

struct psp_behave_rule {
    enum psp_behaviour what;
    char customer[PSP_TEXT]; /* "": all */
    int64_t times;           /* below 0: until told otherwise */
    int64_t after_ms;
};

struct psp_sim {
    struct event_base *loop;
    const char *webhook_url;
    char *key, *webhook_secret;
    struct psp_door {
        int fd, port;
        struct http_server *server;
    } api, control;
    PSP_LIST(struct psp_payment *) payments;
    PSP_LIST(struct psp_key) keys;
    PSP_LIST(struct psp_request) requests;
    PSP_LIST(struct psp_event_sent) events;
    PSP_LIST(struct psp_money) moves;
    PSP_LIST(struct psp_behave_rule) rules;
    LIST_HEAD(, later) laters;
    size_t kept_back; /* event number + 1 that waits for the next one to overtake it */
    unsigned numbers;
    bool closing;
};

/* psp.c */
int psp_main(int argc, char **argv);
/* Makes room for one more; the item is zeroed. */
void *psp_grow(void *items, size_t *count, size_t *room, size_t size);
#define PSP_ADD(list)                                                                              \
    ((list).items = psp_grow((list).items, &(list).count, &(list).room, sizeof *(list).items),     \
     &(list).items[(list).count - 1])
/* Does it act now, for this customer ("": nobody in sight)? Uses up one of its times. */
bool psp_acts(struct psp_sim *sim, enum psp_behaviour what, const char *customer,
              int64_t *ret_after_ms);
bool psp_behave(struct psp_sim *sim, const char *name, const char *customer, bool on, int64_t times,
                int64_t after_ms);
void psp_behave_help(FILE *to);
/* Runs it once: after so long, or when the simulator ends. Then sim->closing is set, and all there
 * is to do is to let go of arg. */
void psp_after(struct psp_sim *sim, int64_t ms, void (*run)(struct psp_sim *sim, void *arg),
               void *arg);

/* psp_api.c */
void psp_api_handle(void *ctx, struct http_exchange *x);
struct psp_payment *psp_find(struct psp_sim *sim, const char *id);
void psp_print(const struct psp_payment *p, struct text *out, const char *key);
void psp_expire(struct psp_sim *sim, struct psp_payment *p);
void psp_dispute(struct psp_sim *sim, struct psp_payment *p, const char *how);
/* What waited is done now. */
void psp_finish(struct psp_sim *sim, struct psp_payment *p);
size_t psp_body_max(void *ctx, const struct http_head *head);

/* psp_event.c */
void psp_tell(struct psp_sim *sim, const struct psp_payment *p, const char *type);
void psp_tell_again(struct psp_sim *sim, size_t number);
/* Any bytes, signed as of so many seconds ago; the answer's status is in psp_event_sent. */
void psp_tell_raw(struct psp_sim *sim, const char *body, int64_t age_s, bool bad_signature);

/* psp_control.c */
void psp_control_handle(void *ctx, struct http_exchange *x);
void psp_control_help(FILE *to);

#endif
