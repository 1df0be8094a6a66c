/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Operations: each thing we ask of a network, written before any byte goes out.
 *
 *   pending ──claim: sent_at──► pending+sent_at ──accepted──► submitted ──► completed | failed
 *
 * operation_claim commits sent_at before the first byte leaves; START and UNLOCK are claimed once
 * in their life, STOP and the profile calls may be claimed again when they are due again.
 * The asynchronous result finds its row by callback_id.
 */
#ifndef DB_OPERATION_H
#define DB_OPERATION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/flow.h"
#include "db/session.h"
#include "ocpi/outcome.h"

enum operation_kind { OPERATION_START, OPERATION_STOP, OPERATION_UNLOCK, OPERATION_PROFILE_SET,
                      OPERATION_PROFILE_CLEAR, OPERATION_PROFILE_GET, OPERATION_RESERVE,
                      OPERATION_CANCEL_RESERVATION };
const char *operation_kind_name(enum operation_kind k); /* "start" ... */

struct operation {
    int64_t id;
    enum operation_kind kind;
    char callback_id[33];       /* 128 random bits, 32 hex: in response_url */
    char session_id[UUID_TEXT]; /* "" for unlock without a session */
    int64_t partner_id;
    int attempts;               /* this one included */
    const char *params;         /* JSON: what the adapter needs beyond the session */
    struct session session;     /* as it stands at the claim; zeroed without one */
    /* start: the token the CPO will see in Session and CDR */
    const char *token_uid, *token_type, *token_contract_id;
    int64_t token_last_updated_us;
    bool more_due; /* another one of this session waits to be claimed */
};

struct operations {
    struct operation *items;
    size_t count;
};

/* Claims what is due now and sendable, at most `limit`, of one session (session_id) or of any
 * (NULL). Once it returns, sent_at is durable. */
enum flow_next operation_claim(struct flow *f, const char *session_id, int limit,
                               struct operations *ret);

/* What the network answered at once (or did not). Applies the outcome to the session by its kind
 * and sets the next due time or deadline. */
struct operation_answer {
    int64_t id;
    enum ocpi_outcome outcome;      /* accepted, rejected, not_sent, unclear ... : ocpi/outcome.h */
    const char *failure_code;  /* finer word for a rejected start, or NULL */
    int64_t timeout_s;         /* the peer's, already clamped to 10..180 */
    const char *detail;        /* for people */
};
enum flow_next operation_answered(struct flow *f, const struct operation_answer *answer,
                                  struct session *ret);

/* An asynchronous result. found=false: unknown, expired (24 h) or another partner's: HTTP 404. */
struct operation_result {
    const char *callback_id;
    int64_t partner_id;
    enum ocpi_outcome outcome;
    const char *failure_code;
    const char *raw; /* the word as it came */
};
struct operation_resulted {
    bool found;
    bool applied; /* false: repeated or too late; recorded only */
    enum operation_kind kind;
    struct session session; /* id "" where there is none */
};
enum flow_next operation_result(struct flow *f, const struct operation_result *result,
                                struct operation_resulted *ret);

/* The kind a callback is for, so that its body can be checked. found as above. */
enum flow_next operation_kind_of(struct flow *f, const char *callback_id, int64_t partner_id,
                                 bool *ret_found, enum operation_kind *ret);

/* ---- charging profiles ---- */

struct profile_ask {
    char session_id[UUID_TEXT];
    const char *user_id, *robot_id; /* as in session_stop */
    const char *by;
    bool clear;
    const char *params; /* JSON of the periods in W etc.; "{}" for clear */
};
struct profile_asked {
    enum { PROFILE_QUEUED, PROFILE_NOT_FOUND, PROFILE_NOT_ACTIVE, PROFILE_NOT_SUPPORTED,
           PROFILE_NONE_SET /* clear without a profile: also true */,
           PROFILE_OTHERS /* one that another party has set stands */ } outcome;
    int64_t operation_id;
    struct session session;
};
/* Queues it; an older one of the session that is not finished is superseded. */
enum flow_next profile_ask(struct flow *f, const struct profile_ask *ask,
                           struct profile_asked *ret);

/* What the network is going to allow in the next `seconds` (for operators). Outcomes as above, but
 * PROFILE_NONE_SET and PROFILE_OTHERS. */
enum flow_next profile_get_ask(struct flow *f, const char *session_id, int64_t seconds,
                               const char *by, struct profile_asked *ret);
/* The body of its result, kept before the result itself is told. */
enum flow_next operation_keep_document(struct flow *f, const char *callback_id, int64_t partner_id,
                                       const char *document);

/* A session of ours by the id that its CPO gave it, and whether a profile was sent for it and not
 * refused (R-CP-03). */
enum flow_next operation_profile_find(struct flow *f, int64_t partner_id,
                                      const char *network_session_id, bool *ret_known,
                                      bool *ret_set);

struct operation_state {
    bool found, finished;
    enum ocpi_outcome outcome;  /* once finished */
    const char *detail;         /* for people: what the network said, or NULL */
    const char *document;       /* profile_get: the result's body, or NULL */
};
/* Waiting for an operation's end: read, sleep, read (hub/api/profile.c). */
enum flow_next operation_get(struct flow *f, int64_t id, struct operation_state *ret);

/* ---- unlock (operators) ---- */
struct unlock_ask {
    int64_t partner_id;
    const char *country_code, *party_id, *location_id, *evse_uid, *connector_id, *by;
};
enum flow_next operation_unlock(struct flow *f, const struct unlock_ask *ask, int64_t *ret_id);

#endif
