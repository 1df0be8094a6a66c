/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sessions: from the accepted START_SESSION to the CDR.
 *
 *   RESERVED --(START_SESSION by the same token, or expiry)--> PENDING, COMPLETED
 *   STARTING --(result ACCEPTED, car plugged)--> PENDING --> ACTIVE --(stop, full, unplug)-->
 * COMPLETED |                                            |
 *      +--> GONE (refused, car never came)          +--> INVALID
 *
 * STARTING and GONE are ours alone: nobody is told of them. Everything a session pushes goes
 * through its lane, one after the other. What passed since the last look is accounted by
 * session_account() in steps that end where power changes: a profile's period, a full battery.
 */
#ifndef TESTS_SIM_SESSION_H
#define TESTS_SIM_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tests/sim/profile.h"
#include "tests/sim/push.h"
#include "tests/sim/sim.h"
#include "tests/sim/world.h"

enum session_state {
    SESSION_STARTING,
    SESSION_GONE,
    SESSION_RESERVED,
    SESSION_PENDING,
    SESSION_ACTIVE,
    SESSION_COMPLETED,
    SESSION_INVALID,
};

enum { SESSION_PERIODS = 500, SESSION_ID = 64, CDR_ID = 72 };

/* Whom a session is for. */
struct session_token {
    char country_code[3], party_id[4], uid[40], type[24], contract_id[40];
};

struct session_period {
    int64_t start_us;  /* wall clock */
    int64_t begin_mwh; /* of the session */
    int64_t power_w;
};

struct session {
    struct sim *sim;
    char id[SESSION_ID], cdr_id[CDR_ID];
    struct evse *evse;
    const struct connector *connector;
    struct session_token token;
    char authorization_reference[40]; /* "": none */
    char reservation_id[40];          /* "": none */
    const char *auth_method;
    char response_url[SIM_URL];
    enum session_state state;
    int64_t start_us, end_us, updated_us; /* wall clock */
    int64_t cdr_us;                       /* its last_updated; TIME_NONE: no CDR yet */
    int64_t mwh, carry, accounted_us;     /* accounted_us: virtual */
    struct session_period *periods;
    size_t period_count, period_capacity, periods_told;
    struct profile *profile; /* NULL: none was ever set */
    struct lane lane;
    struct clock_timer *step, *wake; /* its life; the next reading */
    struct party_id profile_owner;   /* who set a profile: ActiveChargingProfiles go there */
    struct party_id to;              /* whom its messages are for; not set: see session_send_to() */
    bool to_open;                    /* nobody is named: open routing */
    unsigned credits;                /* CDRs that took it back */
    bool silent;                     /* no-session-only-cdr */
    bool known_to_hub;               /* a PUT was answered well */
};

/* A CDR behind the usual one: it takes that back, or replaces it (R-CDR-06). */
struct later_cdr {
    struct session *session;
    char id[CDR_ID + 16];
    bool credit;
    int64_t cost_more_u6, updated_us;
};

struct sessions {
    struct session **list; /* in order of creation; never shortened while the program runs */
    size_t count, capacity, first_visible; /* a reset hides what was before */
    struct later_cdr **later;              /* credit CDRs and what follows them */
    size_t later_count, later_first_visible;
    json_t *by_id; /* lower case -> index */
    uint64_t numbered;
    char stamp[16]; /* in ids, so that two runs against one hub do not meet */
};

struct sessions *sessions_new(const struct sim_options *options);
void sessions_free(struct sessions *all);
/* Ends everything without a word. */
void sessions_reset(struct sim *sim);
/* By id, only what a partner may know of; NULL: unknown. */
struct session *session_find(const struct sim *sim, const char *id);
bool session_is_visible(const struct session *s);
bool session_is_open(const struct session *s); /* PENDING or ACTIVE */
const char *session_state_name(const struct session *s);

struct session *session_new(struct sim *sim, struct evse *evse, const struct connector *connector,
                            const struct session_token *token, const char *authorization_reference,
                            const char *auth_method, const char *response_url);
/* START_SESSION was (or, before_answer, is about to be) answered ACCEPTED: the rest of the story.
 */
void session_plan(struct session *s, bool before_answer);
/* Begins now, whoever asked. */
void session_begin(struct session *s);
void session_end(struct session *s);

/* Energy up to now. */
void session_account(struct session *s);
/* A new limit holds from now on. */
void session_power_changed(struct session *s);
int64_t session_power_w(struct session *s); /* at this moment */

const struct later_cdr *later_cdr_new(struct session *s, bool credit, int64_t cost_more_u6);

/* RESERVE_NOW: until expiry (wall clock). The session may be a new one or the one that already
 * stands for this reservation. */
void session_reserve(struct session *s, const char *reservation_id, int64_t expiry_us);
void session_reserve_end(struct session *s);
struct session *session_of_reservation(const struct sim *sim, const char *reservation_id);

void evse_plugged(struct sim *sim, struct evse *evse, bool plugged);
/* Sets the status and tells the hub. */
void evse_status(struct sim *sim, struct evse *evse, enum ocpi_evse_status status);

#endif
