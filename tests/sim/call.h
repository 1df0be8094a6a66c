/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Call: one request of the hub at our OCPI door, and its answer.
 */
#ifndef TESTS_SIM_CALL_H
#define TESTS_SIM_CALL_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "hub/server/http_server.h"
#include "tests/sim/pen.h"
#include "tests/sim/sim.h"

struct evse;

enum { CALL_HEADERS = 12 };

struct call {
    struct sim *sim;
    struct http_exchange *x;
    const struct http_request *r;
    struct arena *arena;
    struct http_path path;
    enum ocpi_version version; /* of the URL; NONE: the list of versions */
    const char *module;        /* "versions", "details", "credentials" or a functional one */
    const char *const *rest;   /* segments behind the module */
    size_t rest_count;
    bool functional;
    bool with_token_a;
    const char *shown_token; /* who they said they are */
    json_t *json;            /* the body; NULL: none, or not JSON */
    struct routing routing;
    struct evse *evse; /* which misbehaviours count; NULL: none in sight */
    uint64_t number;   /* of the record */
    struct http_header_out headers[CALL_HEADERS]; /* further ones of the answer */
    size_t header_count;
    /* How the answer is spoilt, decided before the request is carried out. */
    bool close, garbage, html, empty, created;
    int64_t late_s;
    int status; /* kept for an answer that waits */
    struct text *out;
    struct call *next_hung;
};

/* The handler of hub/server/http_server.h. */
void call_handle(void *ctx, struct http_exchange *x);
size_t call_body_max(void *ctx, const struct http_head *head);

/* For an answer in the version of the URL. */
struct pen call_pen(const struct call *call, struct text *out);
void call_header(struct call *call, const char *name, const char *value);
/* data: JSON text or NULL. The call is over afterwards. */
void call_answer(struct call *call, int http, int code, const char *message, const char *data);
void call_ok(struct call *call, const char *data);
void call_not_found(struct call *call, const char *message);
void call_invalid(struct call *call, const char *message);

/* Ends the calls that hang, without an answer. */
void call_release_hung(struct sim *sim);

/* identity.c */
void serve_versions(struct call *call);
void serve_details(struct call *call);
/* handshake.c */
void serve_credentials(struct call *call);
/* faces.c */
void serve_locations(struct call *call);
void serve_tariffs(struct call *call);
void serve_sessions(struct call *call);
void serve_cdrs(struct call *call);
void serve_tokens(struct call *call);
/* commands.c */
void serve_commands(struct call *call);
/* profiles.c */
void serve_profiles(struct call *call);

/* receiver.c: what an eMSP is sent */
void serve_received(struct call *call);
void serve_invoices(struct call *call); /* invoices.c: invoicereconciliation */
/* cards.c: an eMSP's tokens */
void serve_cards(struct call *call);
/* asking.c: results of what an eMSP asked for */
void serve_command_results(struct call *call);
void serve_profile_results(struct call *call);

#endif
