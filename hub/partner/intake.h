/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Intake: what happens to an object of a partner, whether it was pushed or found by our own pull.
 * Each checks by the field tables and stores in one statement.
 */
#ifndef HUB_PARTNER_INTAKE_H
#define HUB_PARTNER_INTAKE_H

#include <jansson.h>

#include "base/flow.h"
#include "db/cdr.h"
#include "db/location.h"
#include "db/network_session.h"
#include "db/partner.h"
#include "db/tariff.h"

/* Fill a *_put from a checked document: ERR_BAD_FIELD with the path otherwise. Everything lives in
 * the flow's arena. */
struct err intake_location(struct flow *f, const struct partner *p, const json_t *document,
                           struct location_put *ret);
struct err intake_tariff(struct flow *f, const struct partner *p, const json_t *document,
                         struct tariff_put *ret);
struct err intake_session(struct flow *f, const struct partner *p, const json_t *document,
                          struct network_session_put *ret);
/* body: the bytes as they came, or NULL: printed from the document (a CDR out of a pulled page). */
struct err intake_cdr(struct flow *f, const struct partner *p, const json_t *document,
                      const char *body, size_t body_length, struct cdr_put *ret);

/* What the URL says and what the body says are the same, in any case (R-TRANS-16, 17). */
struct err intake_same(struct flow *f, const char *where, const char *in_url, const char *in_body);

#endif
