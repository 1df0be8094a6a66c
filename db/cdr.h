/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CDRs: the networks' final records, each stored once, for ever, in the bytes in which it came;
 * and the receipts made from them in the same statement.
 *
 * Intake order: identity, match to a session, second CDR of a billed session,
 * state. What cannot be billed by itself waits as a finance case; the sender still gets success,
 * except for the same id with other content, which is refused.
 */
#ifndef DB_CDR_H
#define DB_CDR_H

#include "base/flow.h"
#include "db/session.h"
#include "ocpi/version.h"

struct cdr_put {
    int64_t partner_id;
    const char *country_code, *party_id, *id;
    const char *body; /* as it came */
    size_t body_length;
    enum ocpi_version ocpi; /* its version; NONE: 2.2.1 */
    char content_hash[SHA256_HEX]; /* of the canonical document */
    char location_id_path[33];     /* made by the caller: the unguessable part of Location */
    const char *session_id;        /* the CPO's Session.id, or NULL */
    const char *token_uid, *authorization_reference;
    const char *token_country_code, *token_party_id; /* the token's owner; NULL: nobody's */
    const char *evse_uid, *cdr_location_id;
    int64_t start_us, end_us;
    int64_t energy_u6, total_cost_u6; /* incl_vat where given */
    int64_t total_cost_excl_u6;
    bool has_incl_vat;
    const char *currency;
    bool credit;
    const char *credit_reference_id;
    int64_t last_updated_us;
    bool plausible; /* as far as the object alone tells */
    const char *implausible_why;
};
struct cdr_stored {
    enum { CDR_STORED, CDR_REPEATED, CDR_CONFLICT } outcome; /* CONFLICT: 2001 (R-CDR-04) */
    const char *path; /* location_id_path of the stored one: the same Location again */
    const char *filed; /* "billed", "unmatched", "late_start", "duplicate_session", "credit", ... */
    struct session session; /* id "" where none */
};
enum flow_next cdr_put(struct flow *f, const struct cdr_put *put, struct cdr_stored *ret);

/* GET by the URL that was returned; only for the partner that posted it. */
struct cdr_body {
    bool found;
    const char *body;
    size_t length;
    enum ocpi_version ocpi;
    const char *country_code, *party_id; /* whose it is */
};
enum flow_next cdr_get(struct flow *f, int64_t partner_id, const char *path, struct cdr_body *ret);

struct receipt {
    bool found;
    enum session_state state; /* of the session */
    const char *network, *evse_id;
    int64_t energy_mwh, duration_minutes, cost_minor;
    char currency[4];
    const char *payment_status, *receipt_number;
};
/* session_found=false: missing or another user's. */
enum flow_next receipt_get(struct flow *f, const char *session_id, const char *user_id,
                           bool *ret_session_found, struct receipt *ret);

#endif
