/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Intake: what happens to an object of a partner, whether it was pushed or found by our own pull.
 *
 *    document --> checked by the table of its own version: complaints speak the partner's words
 *             --> seen as 2.2.1 (R-BR): the columns and structs the hub works with
 *             --> kept as it came, with its version (R-BR-01)
 */
#ifndef HUB_PARTNER_INTAKE_H
#define HUB_PARTNER_INTAKE_H

#include <jansson.h>

#include "base/flow.h"
#include "db/cdr.h"
#include "db/invoice.h"
#include "db/location.h"
#include "db/network_session.h"
#include "db/partner.h"
#include "db/roaming_token.h"
#include "db/tariff.h"

/* Where a document comes from, and what is known beside it. */
struct intake {
    const struct partner *partner;
    enum ocpi_version version; /* of the document */
    /* Its owner, who stands in no object of 2.1.1: of the URL, or of the connection. */
    struct party_id owner;
    bool in_url;   /* the URL names it: what is pushed says the same (R-TRANS-17) */
    bool timeless; /* a PATCH of 2.1.1 that came without last_updated: intake_stamp */
    /* Session and CDR of 2.1.1: what token_owner_find says of intake_auth_id; NULL: not asked. */
    const struct token_owner *token;
};

/* Of the request: the version of its URL, and the party that owns what is pushed there (NULL: the
 * caller's own). The party has passed partner_door_party. */
struct intake intake_of_request(struct flow *f, const char *country_code, const char *party_id);
/* What we pulled: of the version and the party of the connection. */
struct intake intake_of_connection(const struct partner *p);

/* By the table of its version: "Location", "Session" ... A PATCH has what it changes alone; notes
 * in `in` whether it says its time. */
struct err intake_check(struct flow *f, const struct intake *in, const char *object,
                        const json_t *document);
struct err intake_check_patch(struct flow *f, struct intake *in, const char *object,
                              const json_t *patch);
/* A clock that is a day ahead orders nothing: ERR_BAD_FIELD (R-TRANS-15), but for a partner of whom
 * that is known (unreliable_clock). Part of intake_*_of. */
struct err intake_check_clock(struct flow *f, const struct intake *in, int64_t last_updated_us);
/* Session and CDR: what it was charged with, if that has to be looked up; NULL: the document says
 * whose it is. */
const char *intake_auth_id(const struct intake *in, const json_t *document);

/* Kept of one object, in bytes. Parts and PATCHes must not add up to what no process can read. */
enum {
    LOCATION_BYTES_MAX = 4 * 1024 * 1024,
    OBJECT_BYTES_MAX = 2 * 1024 * 1024,
    TOKEN_BYTES_MAX = 32 * 1024,
};
/* ERR_TOO_LARGE where an object would have more. */
struct err intake_fits(struct flow *f, const char *object, size_t bytes, size_t most);

/* A part was read, changed and not written, because somebody else had written meanwhile: waits a
 * moment that differs from theirs, then it is to be read once more. false: that was tried too
 * often, ERR_OVERLOADED. */
bool intake_once_more(struct flow *f, int *tries);

/* Fill a *_put from a document that has been checked by nobody yet: ERR_BAD_FIELD with the path
 * otherwise. Everything lives in the flow's arena. */
struct err intake_location_of(struct flow *f, const struct intake *in, const json_t *document,
                              struct location_put *ret);
struct err intake_tariff_of(struct flow *f, const struct intake *in, const json_t *document,
                            struct tariff_put *ret);
struct err intake_session_of(struct flow *f, const struct intake *in, const json_t *document,
                             struct network_session_put *ret);
/* body: the bytes as they came, or NULL: printed from the document (a CDR out of a pulled page). */
struct err intake_cdr_of(struct flow *f, const struct intake *in, const json_t *document,
                         const char *body, size_t body_length, struct cdr_put *ret);

/* An invoice reconciliation record (2.3.0), of a party of the partner whatever its role. Whom it
 * came for is us; a request says more. */
struct err intake_invoice_of(struct flow *f, const struct intake *in, const json_t *document,
                             struct invoice_put *ret);

/* A Session or CDR whose TO is neither us nor the owner of its token (of the put) would leak, or
 * forge, a charge: refused, and noted. */
struct err intake_check_receiver(struct flow *f, const char *object, const char *id,
                                 const char *token_country_code, const char *token_party_id);

/* Told once, when a Session or CDR is new whose put has no owner of the token: the operators hear
 * of it (R-SESS-15). */
void intake_note_stranger(const struct partner *p, const char *object, const char *id);

/* A stored document in the version of `in`: the document itself where that is its own.
 * ERR_OBJECT_NOT_FOUND where the version cannot have it (R-BR-47). A Session or CDR that was told
 * in 2.1.1: in->token belongs to intake_stored_auth_id. */
struct err intake_stored(struct flow *f, const struct intake *in, const char *object,
                         const struct stored_object *stored, json_t **ret);
/* What has to be looked up before; NULL: nothing. */
const char *intake_stored_auth_id(struct flow *f, const struct intake *in,
                                  const struct stored_object *stored);

/* last_updated of a PATCH of 2.1.1 that came without: now, never older than the stored object's
 * (R-TRANS-12, R-BR-08). At each try anew, or what was stored meanwhile would be newer than it.
 * Others stay as they are. After intake_check_patch. */
void intake_stamp(const struct intake *in, json_t *patch, const json_t *stored);
int64_t intake_updated(const json_t *object); /* its last_updated; TIME_NONE */

/* What the URL says and what the body says are the same, in any case (R-TRANS-16, 17). */
struct err intake_same(struct flow *f, const char *where, const char *in_url, const char *in_body);

#endif
