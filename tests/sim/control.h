/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Control API: how a test drives the simulator and asks what happened. JSON over HTTP on a port
 * of its own; the hub does not know it.
 */
#ifndef TESTS_SIM_CONTROL_H
#define TESTS_SIM_CONTROL_H

#include <jansson.h>
#include <stdio.h>

#include "base/arena.h"
#include "hub/server/http_server.h"
#include "tests/sim/sim.h"

struct http_answer;
struct push;
struct text;

/* One request of the test. */
struct ask {
    struct sim *sim;
    struct http_exchange *x;
    const struct http_request *r;
    struct arena *arena;
    json_t *json; /* the body, an object (empty if there was none) */
};

void control_handle(void *ctx, struct http_exchange *x);
size_t control_body_max(void *ctx, const struct http_head *head);
void control_help(FILE *to);

/* Answers; the ask is over. */
void ask_answer(struct ask *ask, int status, const char *json, size_t length);
void ask_done(struct ask *ask);                      /* 200 {"ok":true} */
void ask_wrong(struct ask *ask, const char *reason); /* 400 {"error":...} */
/* A member of the body. */
const char *ask_text(const struct ask *ask, const char *key, const char *otherwise);
int64_t ask_int(const struct ask *ask, const char *key, int64_t otherwise);
bool ask_bool(const struct ask *ask, const char *key, bool otherwise);
/* The EVSE the body names; NULL and answered 400 if there is none. */
struct evse *ask_evse(struct ask *ask);

/* JSON for push_new. */
char *ask_heap_json(const json_t *value);
/* done() of a push whose arg is the ask: answers with the hub's answer. */
void ask_pushed(struct push *p, const struct http_answer *answer);
/* Members of such an answer, into an object that was begun. */
void ask_put_answer(struct ask *ask, const struct http_answer *answer, struct text *out);
/* "to" of the body: a party ("CC*PID"), "none" for open routing; absent: the hub. */
void ask_address(const struct ask *ask, struct push *p);
/* A parameter of the query; NULL if it is absent or empty. */
const char *ask_query(struct ask *ask, const char *name);

/* control_hub.c: those that talk to the hub */
void control_push(struct ask *ask);
void control_authorize(struct ask *ask);
void control_register(struct ask *ask);
void control_rotate(struct ask *ask);
void control_unregister(struct ask *ask);
/* control_cpo.c: what happens at a charging network */
void control_start_session(struct ask *ask);
void control_credit(struct ask *ask);
void control_location(struct ask *ask);
void control_tariff(struct ask *ask);
void control_tariff_delete(struct ask *ask);
void control_touch(struct ask *ask);
void control_active_profile(struct ask *ask);
void control_cancel_reservation(struct ask *ask);
/* control_emsp.c: what an eMSP does */
void control_token(struct ask *ask);
void control_answer(struct ask *ask);
void control_command(struct ask *ask);
void control_profile(struct ask *ask);
/* invoices.c */
void control_invoice(struct ask *ask);
/* control_store.c: what came, and what is pulled */
void control_received(struct ask *ask);
void control_results(struct ask *ask);
void control_pull(struct ask *ask);
void control_pulled(struct ask *ask);
void control_forget(struct ask *ask);
void control_partner(struct ask *ask);
/* control_show.c: those that only tell */
void control_requests(struct ask *ask);
void control_sent(struct ask *ask);
void control_violations(struct ask *ask);
void control_world(struct ask *ask);
void control_sessions(struct ask *ask);
void control_cdrs(struct ask *ask);
void control_tokens(struct ask *ask);
void control_state(struct ask *ask);

#endif
