/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Errors are values: returned, never a global, never only a log line.
 *
 * One list makes the enum, the names in logs and metrics, the HTTP status and problem code towards
 * apps, the HTTP status and status_code towards OCPI partners. A layer that cannot deal with an
 * error returns it; the flow that ends with one logs it once.
 */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#include <stdbool.h>

struct arena;

/* clang-format off */
/*    kind                   HTTP  code for apps              OCPI HTTP/code  log    text for people */
#define ERRORS(X) \
    X(NONE,                  200, "ok",                       200, 1000, DEBUG, "success") \
    /* what came in is not acceptable */ \
    X(BAD_JSON,              400, "malformed_json",           400, 2000, INFO,  "the body is not valid JSON") \
    X(BAD_BODY,              400, "invalid_body",             200, 2001, INFO,  "the body is not a JSON object") \
    X(BAD_FIELD,             422, "validation_failed",        200, 2001, INFO,  "a field is missing or wrong") \
    X(NOT_ENOUGH,            422, "validation_failed",        200, 2002, INFO,  "not enough information") \
    X(BAD_SESSION_ID,        400, "invalid_session_id",       404, 2001, INFO,  "the id in the path is not a UUID") \
    X(BAD_IDEMPOTENCY_KEY,   400, "idempotency_key_invalid",  400, 2001, INFO,  "Idempotency-Key must be 1 to 200 printable ASCII characters") \
    X(IDEMPOTENCY_REQUIRED,  400, "idempotency_key_required", 400, 2001, INFO,  "send an Idempotency-Key: this call moves money") \
    X(IDEMPOTENCY_REUSED,    422, "idempotency_key_reused",   200, 2001, INFO,  "this Idempotency-Key was used with another body") \
    X(IDEMPOTENCY_RUNNING,   409, "idempotency_in_progress",  200, 2000, INFO,  "the first request with this Idempotency-Key is still running") \
    X(UNAUTHENTICATED,       401, "unauthenticated",          401, 2001, INFO,  "credentials are missing") \
    X(TOKEN_INVALID,         401, "token_invalid",            401, 2001, INFO,  "the credentials are not valid") \
    X(TOKEN_EXPIRED,         401, "token_expired",            401, 2001, INFO,  "the token has expired") \
    X(FORBIDDEN,             403, "forbidden",                403, 2001, INFO,  "this caller may not use this endpoint") \
    X(NOT_FOUND,             404, "not_found",                404, 2000, INFO,  "there is nothing at this address") \
    X(SESSION_NOT_FOUND,     404, "session_not_found",        404, 2001, INFO,  "no such session") \
    X(EVSE_NOT_FOUND,        404, "evse_not_found",           404, 2003, INFO,  "no such EVSE is known") \
    X(OBJECT_NOT_FOUND,      404, "not_found",                404, 2000, INFO,  "no such object is known") \
    X(UNKNOWN_LOCATION,      404, "location_not_found",       404, 2003, INFO,  "no such location is known") \
    X(UNKNOWN_TOKEN,         404, "not_found",                404, 2004, INFO,  "no such token is known") \
    X(METHOD_NOT_ALLOWED,    405, "method_not_allowed",       405, 2000, INFO,  "this method is not available here") \
    X(NOT_ACCEPTABLE,        406, "not_acceptable",           406, 2000, INFO,  "this is not available in any form that Accept names") \
    X(TIMEOUT_READING,       408, "request_timeout",          408, 2000, INFO,  "the request did not arrive in time") \
    X(TOO_LARGE,             413, "body_too_large",           413, 2000, INFO,  "the body is larger than this endpoint accepts") \
    X(URI_TOO_LONG,          414, "uri_too_long",             414, 2000, INFO,  "the request line is too long") \
    X(MEDIA_TYPE,            415, "unsupported_media_type",   415, 2000, INFO,  "send Content-Type: application/json") \
    X(HEADERS_TOO_LARGE,     431, "headers_too_large",        431, 2000, INFO,  "the header section is too large") \
    X(BAD_HTTP,              400, "bad_request",              400, 2000, INFO,  "this is not a valid HTTP/1.1 request") \
    X(EXPECTATION,           417, "expectation_failed",       417, 2000, INFO,  "only Expect: 100-continue is understood") \
    X(HTTP_VERSION,          505, "http_version",             505, 2000, INFO,  "only HTTP/1.1 and HTTP/1.0 are spoken here") \
    /* what is asked cannot be done now */ \
    X(PAYMENT_REQUIRED,      402, "payment_required",         200, 2000, INFO,  "the payment was refused; nothing was started") \
    X(PAYMENT_UNAVAILABLE,   503, "payment_unavailable",      200, 3000, WARN,  "the payment could not be made sure of; nothing was started; try again shortly") \
    X(SECOND_PERSON,         403, "second_person_required",   403, 2000, INFO,  "somebody else has to confirm this") \
    X(NOT_REFUNDABLE,        409, "not_refundable",           200, 2000, INFO,  "nothing was paid, or all of it has been given back") \
    X(ALREADY_DECIDED,       409, "already_decided",          200, 2000, INFO,  "this has been decided already") \
    X(UNBILLABLE,            409, "cdr_unbillable",           200, 2000, INFO,  "no receipt can be made of this CDR") \
    X(CDR_EXISTS,            409, "cdr_exists",               200, 2000, INFO,  "the session has a CDR that counts, or a draft") \
    X(SESSION_NOT_ENDED,     409, "session_not_ended",        200, 2000, INFO,  "the session has not ended") \
    X(STATEMENT_STATE,       409, "statement_state",          200, 2000, INFO,  "the statement cannot do this in its state") \
    X(CONTROL_SUMS,          409, "control_sums_differ",      200, 2000, ERROR, "two ways of adding up differ; nothing was closed") \
    X(EVSE_BUSY,             409, "evse_busy",                200, 2000, INFO,  "another session is open on this connector") \
    X(TEST_RUNNING,          409, "test_running",             200, 2000, INFO,  "a test of this partner is still running") \
    X(SESSION_LIMIT,         409, "session_limit_reached",    200, 2000, INFO,  "too many open sessions") \
    X(SESSION_NOT_ACTIVE,    409, "session_not_active",       200, 2000, INFO,  "the session is not active") \
    X(SESSION_ENDED,         409, "session_already_ended",    200, 2000, INFO,  "the session has already ended") \
    X(SESSION_FAILED,        409, "session_failed",           200, 2000, INFO,  "the session failed; there is no receipt") \
    X(RECEIPT_NOT_READY,     409, "receipt_not_ready",        200, 2000, INFO,  "the network has not sent the final record yet") \
    X(PROFILE_REJECTED,      409, "profile_rejected",         200, 2000, INFO,  "the network refused the charging profile") \
    X(PROFILE_TOO_OFTEN,     429, "profile_too_often",        200, 2000, INFO,  "the network takes profiles less often; try later") \
    X(PROFILE_NOT_SUPPORTED, 422, "profile_not_supported",    200, 2000, INFO,  "this EVSE does not take charging profiles") \
    X(CONNECTOR_MISMATCH,    422, "connector_type_mismatch",  200, 2001, INFO,  "the EVSE has no such connector") \
    X(EVSE_NOT_STARTABLE,    422, "evse_not_startable",       200, 2001, INFO,  "this EVSE cannot be started remotely") \
    X(NETWORK_CANNOT,        422, "not_supported",            200, 2000, INFO,  "the network does not support this") \
    X(EVSE_AMBIGUOUS,        422, "evse_ambiguous",           200, 2001, INFO,  "several networks have an EVSE with this id") \
    X(ALREADY_REGISTERED,    405, "method_not_allowed",       405, 2000, INFO,  "the client is already registered; use PUT") \
    X(NOT_REGISTERED,        405, "method_not_allowed",       405, 2000, INFO,  "the client is not registered yet; use POST") \
    /* somebody else did not do their part */ \
    X(PEER_REJECTED,         502, "network_rejected",         200, 2000, INFO,  "the network refused the request") \
    X(PEER_ERROR,            502, "network_error",            200, 3000, WARN,  "the network answered something unusable") \
    X(PEER_UNUSABLE,         502, "network_error",            200, 3001, WARN,  "the client's API cannot be used") \
    X(PEER_VERSION,          502, "network_error",            200, 3002, WARN,  "there is no mutual OCPI version") \
    X(PEER_ENDPOINTS,        502, "network_error",            200, 3003, WARN,  "a needed endpoint is missing") \
    X(PEER_TIMEOUT,          504, "network_timeout",          200, 4002, WARN,  "the network did not answer in time") \
    X(PEER_UNREACHABLE,      503, "network_unavailable",      200, 4003, WARN,  "the network cannot be reached") \
    X(UNKNOWN_RECEIVER,      404, "not_found",                200, 4001, INFO,  "no such party is connected here") \
    X(URL_REFUSED,           502, "network_error",            200, 2001, WARN,  "this URL may not be called from here") \
    /* we did not do ours */ \
    X(STORE,                 503, "store_unavailable",        503, 3000, ERROR, "the database is not available; try again shortly") \
    X(STARTING,              503, "starting_up",              503, 3000, WARN,  "the hub is starting; try again shortly") \
    X(OVERLOADED,            503, "overloaded",               503, 3000, WARN,  "too much to do at the moment; try again shortly") \
    X(CONFLICT,              500, "internal_error",           200, 3000, ERROR, "the state changed while it was worked on") \
    X(DEADLINE,              503, "overloaded",               503, 3000, ERROR, "the request could not be finished in time") \
    X(HUB_ERROR,             500, "internal_error",           200, 4000, ERROR, "the hub could not pass the message on") \
    X(INTERNAL,              500, "internal_error",           500, 3000, ERROR, "the hub has a problem of its own")
/* clang-format on */

enum err_kind {
#define X(kind, ...) ERR_##kind,
    ERRORS(X)
#undef X
        ERR_COUNT
};

struct err {
    enum err_kind kind;
    const char
        *text; /* for people; lives in an arena or is a constant; NULL: the list's own text */
    const char *where; /* JSON pointer or field name the complaint is about, or NULL */
    /* Towards partners, where the complaint can say more; each NULL where it does not: */
    const char *rule; /* the requirement that was broken, "R-TRANS-12": ocpi/rule.h explains it */
    const char *came; /* what came, in short */
    const char *expected; /* what would have been right */
};

/* Fixed facts about a kind. */
struct err_info {
    const char *name; /* "EVSE_BUSY": logs, metric labels */
    int http;         /* status towards apps */
    const char *code; /* problem+json code towards apps */
    int ocpi_http;    /* status towards OCPI partners */
    int ocpi_code;    /* status_code towards OCPI partners */
    int level;        /* enum log_level of base/log.h */
    const char *text;
};

const struct err_info *err_info(enum err_kind kind);
const char *err_text(struct err e); /* never NULL */

#define OK ((struct err){ERR_NONE})

static inline bool failed(struct err e)
{
    return e.kind != ERR_NONE;
}

static inline struct err err_new(enum err_kind kind)
{
    return (struct err){kind};
}

/* The same error with the rule that was broken. */
static inline struct err err_rule(struct err e, const char *rule)
{
    e.rule = rule;
    return e;
}

/* Text is formatted into the arena. `where` is borrowed and may be NULL. */
struct err err_at(struct arena *a, enum err_kind kind, const char *where, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* The only macro, with FLOW_TRY, that may return for you. */
#define TRY(expression)                                                                            \
    do {                                                                                           \
        struct err try_err_ = (expression);                                                        \
        if (failed(try_err_))                                                                      \
            return try_err_;                                                                       \
    } while (0)

#endif
