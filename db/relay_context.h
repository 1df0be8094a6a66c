/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Relay contexts: what was asked of a CPO for somebody else and is still to be answered by a POST
 * to a URL of ours (R-ASYNC-10..18). Rows: the answer may come to another process, or after a
 * restart. The id is all that the URL says; only the receiver it was given to is heard.
 *
 *    open -> answered: accepted   lives until its deadline (R-ASYNC-13)
 *                      refused    gone at once (R-ASYNC-15)
 *                      unclear    lives for an hour: the CPO may have accepted (R-ROUTE-61)
 *         -> result, perhaps before the answer: first, same, other ... (R-ASYNC-14)
 *
 * And who has set a session's charging profile: it hears what comes of it.
 */
#ifndef DB_RELAY_CONTEXT_H
#define DB_RELAY_CONTEXT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/flow.h"
#include "ocpi/party.h"
#include "ocpi/version.h"

enum relay_kind {
    RELAY_START_SESSION,
    RELAY_STOP_SESSION,
    RELAY_RESERVE_NOW,
    RELAY_CANCEL_RESERVATION,
    RELAY_UNLOCK_CONNECTOR,
    RELAY_PROFILE_GET,
    RELAY_PROFILE_SET,
    RELAY_PROFILE_CLEAR,
    RELAY_KIND_COUNT
};
/* "START_SESSION" ..., which is the command's name in URLs too; "profile_get" ... */
const char *relay_kind_name(enum relay_kind kind);
bool relay_kind_parse(const char *name, enum relay_kind *ret);

/* One side of what is relayed. */
struct relay_side {
    int64_t partner_id;
    struct party_id party;
    enum ocpi_version version; /* in which it spoke, or was spoken to */
};

enum { RELAY_ID = 33 }; /* 128 bits in hex, and NUL */

struct relay_context {
    char id[RELAY_ID];
    enum relay_kind kind;
    struct relay_side requester, receiver;
    const char *response_url;   /* the requester's own */
    const char *correlation_id; /* of the request; NULL: none */
    /* What it is about, in the receiver's words; NULL where it names none. */
    const char *session_id, *location_id, *token_uid;
    const char *reservation_id; /* as the requester calls it */
    int64_t expiry_us;          /* RESERVE_NOW: expiry_date; else TIME_NONE */
    /* START_SESSION and RESERVE_NOW at a CPO of 2.1.1: for relay_origin_find alone. */
    const char *evse_uid, *contract_id, *authorization_reference;
    /* Set by the store. */
    int64_t created_us, deadline_us;
    int results; /* how many different ones have come */
};

/* Stores it: before the request is sent, because the result may overtake the answer. The id must be
 * set (hub/relay/context.h does it). */
enum flow_next relay_context_insert(struct flow *f, const struct relay_context *c);

enum relay_answered {
    RELAY_ACCEPTED,
    RELAY_REFUSED, /* the answer was not ACCEPTED, or the request was never sent */
    RELAY_UNCLEAR, /* sent, and no answer in time */
};
/* timeout_s: of the answer, 0: it had none. Nobody waits for what was accepted to be written: until
 * then, or where the process ends first, the context lives the hour that it got when it was stored.
 */
enum flow_next relay_context_answered(struct flow *f, const struct relay_context *c,
                                      enum relay_answered how, int64_t timeout_s);

struct relay_found {
    bool found; /* false: no such id, over, or not this partner's: all the same to who asks */
    struct relay_context context;
};
/* For a POST by `partner_id` to the URL. */
enum flow_next relay_context_find(struct flow *f, const char *id, int64_t partner_id,
                                  struct relay_found *ret);

enum relay_resulted {
    RELAY_RESULT_FIRST, /* to be told to the requester, then relay_context_told */
    RELAY_RESULT_OTHER, /* the same, and worth a line in the log */
    RELAY_RESULT_SAME,  /* told already: 1000, nothing is forwarded */
    RELAY_RESULT_SPENT, /* a third one: 1000, nothing is forwarded; worth a line in the log */
    RELAY_RESULT_GONE,  /* its deadline has passed meanwhile: 404 */
    RELAY_RESULT_BUSY,  /* the same is being told: ask again, until it is known what came of that */
};
struct relay_result {
    enum relay_resulted outcome;
    int seq; /* for relay_context_told */
};
/* `body` is what came, to be compared. One that could not be told (relay_context_told false, or its
 * process ended within 30 s) counts as new when it comes again. */
enum flow_next relay_context_result(struct flow *f, const struct relay_context *c, const char *body,
                                    size_t length, struct relay_result *ret);
enum flow_next relay_context_told(struct flow *f, const struct relay_context *c,
                                  const struct relay_result *result, bool told);

/* ---- how a charge began ---- */

/* What a Session or CDR of 2.1.1 says of itself, and whom it is told. The start that it belongs to
 * is known long after its context is over. */
struct relay_origin_ask {
    int64_t cpo_partner_id;
    const char *token_country_code, *token_party_id;
    const char *auth_id, *location_id, *evse_uid; /* as they stand there */
    int64_t start_us;
    bool cdr; /* its Session is wanted too */
};
struct relay_origin {
    bool by_command;                     /* a start that was carried through us */
    const char *authorization_reference; /* of that start; NULL: none */
    const char *session_id;              /* that a CDR bills; NULL: not known */
};
enum flow_next relay_origin_find(struct flow *f, const struct relay_origin_ask *ask,
                                 struct relay_origin *ret);

/* ---- charging profiles ---- */

/* `setter` has set (or NULL: cleared) the profile of a CPO's session. Forgotten when the session is
 * over. */
enum flow_next profile_setter_set(struct flow *f, const struct party_id *cpo,
                                  const char *session_id, const struct relay_side *setter);
struct profile_setter {
    bool found;
    struct relay_side side;
};
enum flow_next profile_setter_find(struct flow *f, const struct party_id *cpo,
                                   const char *session_id, struct profile_setter *ret);

#endif
