/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Partners: what the admin endpoints about them share.
 */
#ifndef HUB_OPS_PARTNERS_H
#define HUB_OPS_PARTNERS_H

#include "db/partner.h"
#include "hub/request.h"

/* The partner with its endpoints. */
enum flow_next reply_partner(struct flow *f, const struct partner *p);
/* The member "version", which may be left out: NONE. */
void partner_version_read(const json_t *body, enum ocpi_version *ret, struct field_errors *errors);

#endif
