/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Request and reply as the use cases see them: plain data in the flow's arena. The HTTP server's
 * exchange stays behind; whoever asked may have left by the time the reply is given.
 */
#ifndef HUB_REQUEST_H
#define HUB_REQUEST_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/flow.h"
#include "base/text.h"
#include "ocpi/face.h"
#include "ocpi/party.h"

struct http_request;
struct http_exchange;
struct partner;
struct route;

/* What staff may do (contract section 2). */
enum role { ROLE_OPERATOR = 1, ROLE_LEAD = 2, ROLE_ADMIN = 4, ROLE_FINANCE = 8, ROLE_AUDITOR = 16 };

/* Who is asking, once the door has let them in. */
struct caller {
    enum { CALLER_NOBODY, CALLER_USER, CALLER_PARTNER, CALLER_ADMIN, CALLER_STAFF } kind;
    unsigned roles;                /* CALLER_STAFF: of enum role */
    const char *user_id;           /* sub */
    const char *robot_id;          /* act.sub, or NULL */
    const char *name;              /* "user:abc", "robot:r2", "staff:ann", "admin:socket": events, audit */
    const struct partner *partner; /* CALLER_PARTNER; NULL while only token A was shown */
    bool token_a;                  /* OCPI: only versions and credentials */
    bool token_a_used;             /* ... and it has been spent: 405 on POST */
    int64_t partner_id;            /* also for token A */
    struct party_id from, to;      /* OCPI routing headers as they came; "" where absent */
    bool token_encoded;            /* OCPI: it came in Base64 */
};

enum { REQUEST_PARAMS = 6 };

struct request {
    const struct http_request *http;
    const struct route *route;
    const char *allow;                  /* the methods served here, where this one is not */
    const char *params[REQUEST_PARAMS]; /* decoded path segments of the {x} in the pattern */
    size_t param_count;
    enum face face;            /* OCPI: of the URL ... */
    enum ocpi_version version; /* ... and its {version}; 2.2.1 where it has none */
    struct caller caller;
    void *door;   /* what the partners' door found so far: hub/partner/door.c */
    json_t *json; /* the body, for routes that take one; borrowed */
    /* the reply */
    struct http_exchange *exchange; /* NULL once answered */
    bool replied;
    int reply_status;
    const char *reply_body; /* kept for the message log */
    size_t reply_length;
    int ocpi_code;
    /* For the message log: what could not be said in the caller's version, or in that of who is
     * told for the caller; entries of a JSON list. */
    struct text *losses;
};

static inline struct request *request_of(const struct flow *f)
{
    return f->request;
}

/* ---- replies; each returns FLOW_DONE, so that a step can end with it ---- */

struct reply_header {
    const char *name, *value;
};

/* Headers may be NULL. The body is copied. */
enum flow_next reply(struct flow *f, int status, const char *content_type, const char *body,
                     size_t length, const struct reply_header *headers, size_t header_count);
/* application/json from a text that was written with json_put_*. */
enum flow_next reply_json(struct flow *f, int status, const struct text *body);
enum flow_next reply_json_text(struct flow *f, int status, const char *body);

/* OCPI: success (1000) with raw JSON data, or NULL for none; HTTP 200 or 201. */
enum flow_next reply_ocpi(struct flow *f, int http_status, const char *data_json);
enum flow_next reply_ocpi_headers(struct flow *f, int http_status, const char *data_json,
                                  const struct reply_header *headers, size_t count);
/* OCPI: an error that still has data (R-CMD-10), or an HTTP status of its own. */
enum flow_next reply_ocpi_error(struct flow *f, int http_status, int status_code,
                                const char *message, const char *data_json);

/* The answer to an error, as its listener and path want it: problem+json or an OCPI envelope. */
void reply_error(struct flow *f, struct err e);

/* ---- problem+json with more than an error has ---- */

struct field_error {
    const char *field, *code, *message;
};
struct field_errors {
    struct arena *arena;
    struct field_error *items;
    size_t count, capacity;
};
void field_errors_init(struct field_errors *e, struct arena *a);
void field_errors_add(struct field_errors *e, const char *field, const char *code,
                      const char *message);
/* 422 validation_failed with all of them. */
enum flow_next reply_field_errors(struct flow *f, const struct field_errors *e);

struct problem_extra {
    const char *name, *value; /* value NULL: left out */
};
/* kind's problem with another detail and up to two more members. */
enum flow_next reply_problem(struct flow *f, enum err_kind kind, const char *detail,
                             int retry_after_s, const struct problem_extra *extra, size_t count);

/* The problem body for errors below the routes (a request that is no request). */
void problem_body(struct text *out, enum err_kind kind, const char *detail, const char *path,
                  const char *request_id);

/* Query parameters: NULL where absent. */
const char *request_query(struct flow *f, const char *name);

#endif
