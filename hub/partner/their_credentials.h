/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Their credentials: what a partner says of itself, the same to us whatever its version; and the
 * hosts on which its URLs may lie.
 */
#ifndef HUB_PARTNER_THEIR_CREDENTIALS_H
#define HUB_PARTNER_THEIR_CREDENTIALS_H

#include <jansson.h>

#include "base/flow.h"
#include "db/partner.h"
#include "ocpi/face.h"

struct their_role {
    enum ocpi_role role;
    struct party_id party;
};

struct their_credentials {
    const char *token, *url;
    const char *name; /* of the first party */
    /* CredentialsRole objects, with the members that their table has; 2.1.1: made of what stands at
     * the top. */
    const json_t *roles;
    struct their_role *items;
    size_t count;
    bool hub; /* it routes for others (R-CRED-13, 14) */
};

/* Checked by the table of the version. At a face of 2.1.1 the role is that of the face, or the
 * one that was agreed with this partner, who may be NULL (R-VER-04). */
struct err their_credentials_read(struct flow *f, enum face face, enum ocpi_version version,
                                  const struct partner *p, const json_t *document,
                                  struct their_credentials *ret);

bool their_credentials_have(const struct their_credentials *c, enum ocpi_role role);
/* All that was agreed is there: 2001 otherwise. */
struct err their_credentials_approved(struct flow *f, const struct partner *p,
                                      const struct their_credentials *c);
/* The roles for the register, as JSON. Who connects speaks for the parties that were agreed, not
 * for any that it likes to list: the register keeps the others apart until an operator approves
 * them (partner_registered), who is told by the log. */
const char *their_roles(struct flow *f, const struct partner *p, const struct their_credentials *c);

/* NULL if the URL lies on the scheme, host and port of `base`, or on one that is listed for the
 * partner (who may be NULL). Else where it lies: "host", or "host:port". */
const char *foreign_host(struct arena *a, const char *base, const struct partner *p,
                         const char *url);
/* 2001: what it says, and that an operator must approve the host. */
struct err foreign_host_err(struct arena *a, const char *where, const char *what, const char *host);

#endif
