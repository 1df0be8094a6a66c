/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sessions: one charging session from the caller's start to the receipt.
 *
 * The state machine is data: table session_transition (from, event, to) of the schema. One SQL
 * function, session_apply, locks the row, looks the transition up, writes the new state, appends
 * session_event and returns the row. Every function here that changes a session goes through it.
 *
 * Whoever changed a session calls live_put() with the row it got back, and, where operations_due
 * is set, operation_send_due(): both are done by hub/jobs/after.h's after_session_change().
 */
#ifndef DB_SESSION_H
#define DB_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/flow.h"
#include "base/id.h"

enum session_state { SESSION_PENDING, SESSION_ACTIVE, SESSION_STOPPING, SESSION_COMPLETED, SESSION_FAILED };
const char *session_state_name(enum session_state s); /* "pending" ... */
bool session_state_parse(const char *name, enum session_state *ret);

struct session {
    char id[UUID_TEXT];
    int64_t version;         /* grows with each change of the row */
    enum session_state state;
    const char *substatus;    /* contract 4.1, or NULL */
    const char *failure_code; /* contract 4.4, or NULL */
    const char *last_error;   /* "stop_rejected" or NULL */
    const char *user_id;
    const char *robot_id; /* act.sub of the robot that started it, or NULL */
    const char *evse_id;  /* as the caller sent it */
    const char *network;  /* display name */
    const char *user_reference;
    int64_t partner_id;
    const char *country_code, *party_id; /* the CPO */
    const char *location_id, *evse_uid, *connector_id;
    const char *network_session_id; /* the CPO's Session.id, NULL until known */
    bool profiles;                  /* the EVSE takes charging profiles */
    int64_t energy_mwh;             /* 10^-6 kWh */
    /* What the driver pays; 0 until known. With a quote it is wholesale, and not for drivers, until
     * the session is completed: hub/finance/live_cost.h says what it costs them so far. */
    int64_t cost_u6;
    bool cost_known;   /* the network has reported a cost (R-SESS-06) */
    const char *quote; /* the prices told before the start (db/retail.h); NULL: none */
    char currency[4];
    int64_t created_us, start_us, end_us, updated_us; /* TIME_NONE where not known */
    int64_t seen_us;         /* when the network was last heard of about it; TIME_NONE: never */
    int64_t charging_end_us; /* since when it only parks, where its quote minds; else TIME_NONE */
    bool operations_due; /* after this change: a command waits to be sent now */
    bool changed;        /* false: this call changed nothing */
};

/* Duration in whole minutes as the contract counts it: the receipt's for a completed session. */
int64_t session_duration_minutes(const struct session *s, int64_t now_us);

struct session_event {
    int64_t seq, at_us;
    const char *from, *to, *cause, *by; /* from is NULL for the first */
};

/* ---- start ---- */

struct idempotency {
    const char *key;          /* NULL: none was sent */
    const char *caller;       /* "user:abc" */
    const char *method, *path;
    char body_hash[SHA256_HEX]; /* of the canonical body */
};
/* What an earlier request with this key left. */
struct idempotency_record {
    enum { IDEMPOTENCY_NONE, IDEMPOTENCY_RUNNING, IDEMPOTENCY_DONE, IDEMPOTENCY_OTHER_BODY } state;
    int status;
    const char *body;
};
enum flow_next idempotency_find(struct flow *f, const struct idempotency *key,
                                struct idempotency_record *ret);
/* For calls other than start: reserves the key (RUNNING), then keeps the answer or forgets it. */
enum flow_next idempotency_begin(struct flow *f, const struct idempotency *key,
                                 struct idempotency_record *ret);
enum flow_next idempotency_finish(struct flow *f, const struct idempotency *key, int status,
                                  const char *body);
enum flow_next idempotency_forget(struct flow *f, const struct idempotency *key);

struct session_start {
    char id[UUID_TEXT]; /* made by the caller: UUID v7 */
    const char *user_id, *robot_id;
    const char *evse_id; /* as sent */
    const char *network;
    int64_t partner_id;
    const char *country_code, *party_id, *location_id, *evse_uid, *connector_id;
    bool send_connector_id; /* always in params; the adapter decides */
    bool profiles;
    int64_t battery_target_mwh; /* 0: none */
    const char *user_reference;
    const char *currency;       /* the network's default until it says otherwise */
    int max_open_per_user;
    int64_t start_grace_s; /* the 120 s (300) of start_deadline after the result timeout */
    struct idempotency idempotency;
    /* The answer's body with status pending, kept in the idempotency record. */
    const char *answer_body;
    /* A network that returns no authorization_reference gets a token uid of its own per start. */
    bool own_token_per_start;
    const char *const *tariff_ids; /* of the connector: their versions of this moment are kept */
    size_t tariff_count;
    const struct session_quote *quote; /* NULL: the network's price is passed through */
    const char *credit_currency;       /* NULL: no credit limit */
    int64_t credit_minor;
};

/* The price as it was told before the start; the receipt is computed from it. */
struct session_quote {
    const char *retail_tariff, *mode; /* "fixed", "markup" */
    int64_t retail_version;
    const char *document; /* a retail tariff of mode fixed (ocpi/retail.h), canonical */
    char hash[SHA256_HEX];
    const char *language, *country;         /* "de"; of the place, alpha-3 */
    int64_t network_tariff, tariff_version; /* markup: what it was made of; else 0 */
    int64_t max_minutes;                    /* 0: none */
    bool parks; /* it matters when charging has ended */
};

struct session_started {
    enum {
        START_STORED,
        START_REPLAY,       /* idempotency: body and status of the first answer */
        START_KEY_REUSED,
        START_KEY_RUNNING,
        START_EVSE_BUSY,    /* running_session_id set when it is the same user's */
        START_LIMIT,
        START_EVSE_GONE,    /* the EVSE changed meanwhile */
    } outcome;
    struct session session;
    const char *running_session_id;
    struct idempotency_record replay;
};

/* One statement: session + operation + token (made at the user's first start) + idempotency
 * record + quote and limits. Nothing is sent. */
enum flow_next session_start(struct flow *f, const struct session_start *ask,
                             struct session_started *ret);

/* ---- stop ---- */

struct session_stop {
    char id[UUID_TEXT];
    const char *user_id;  /* NULL: staff or the hub itself, any session */
    const char *robot_id; /* set: only sessions this robot started */
    const char *by;       /* "user:abc", "hub", "operator:x" */
    const char *cause;    /* "user_stop", "energy_target", "max_session" ... */
    struct idempotency idempotency;
};
struct session_stopped {
    enum { STOP_TAKEN, STOP_ALREADY, STOP_ENDED, STOP_NOT_FOUND, STOP_REPLAY, STOP_KEY_REUSED,
           STOP_KEY_RUNNING } outcome;
    struct session session;
    struct idempotency_record replay;
};
/* One statement: state stopping + stop operation (waiting until the network's session is known)
 * + idempotency record (status 200, the answer of contract 5.2). */
enum flow_next session_stop(struct flow *f, const struct session_stop *ask,
                            struct session_stopped *ret);

/* ---- read ---- */

/* user_id NULL: any. found=false where it is missing or someone else's. */
enum flow_next session_get(struct flow *f, const char *id, const char *user_id, bool *ret_found,
                           struct session *ret);

struct session_events {
    struct session_event *items;
    size_t count;
};
enum flow_next session_events(struct flow *f, const char *id, int limit,
                              struct session_events *ret);

struct session_filter {
    const char *user_id;
    bool states[5], any_state;
    int64_t from_us, to_us; /* of created; TIME_NONE: open */
    const char *network, *evse_id;
    int limit;
    int64_t before_created_us; /* cursor; TIME_NONE: first page */
    char before_id[UUID_TEXT];
};
struct session_list {
    struct session *items;
    size_t count; /* up to limit + 1: one more tells that there is a next page */
};
enum flow_next session_list(struct flow *f, const struct session_filter *filter,
                            struct session_list *ret);

#endif
