/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Retell: a kept document in the words of whoever reads it.
 *
 * Where the reader's version is the owner's, the bytes go out as they came (R-TRANS-21). Else the
 * document is translated, and what comes out is checked by the tables of the reader's version:
 * what may not or cannot be said in it is not told at all (R-BR-03, R-BR-47).
 */
#ifndef HUB_PARTNER_RETELL_H
#define HUB_PARTNER_RETELL_H

#include <jansson.h>
#include <stddef.h>

#include "base/flow.h"
#include "db/relay_context.h"
#include "db/roaming_token.h"
#include "ocpi/version.h"

struct aliases;
struct partner;
struct translation;

/* What Sessions and CDRs of 2.1.1 do not say, and newer versions do (R-BR, sections 15.5, 15.6). */
struct retell_known {
    struct token_owner token;
    struct relay_origin origin;
};

struct retell_ask {
    const char *object; /* the class: "Location" */
    const char *id;     /* for the log */
    const char *document;
    size_t length;
    enum ocpi_version from, to;
    const struct partner *reader;
    const char *country_code, *party_id; /* of the owner, who stands in no object of 2.1.1 */
    /* Sessions and CDRs; NULL: not known */
    const char *location;
    enum ocpi_version location_version;
    const char *token_country_code, *token_party_id;
    const struct retell_known *known; /* what retell_learn found; NULL: nothing */
    /* Readers of 2.1.1: what aliases_find (db/alias.h) found for them. NULL: nothing. */
    const struct aliases *aliases;
};

struct retold {
    const char *document; /* in the flow's arena; NULL: it is not told */
    size_t length;
    const char *why;    /* ... because */
    const char *losses; /* JSON list of {object, id, field, value, reason}; NULL: none. Those of an
                           answer are noted in its request */
};

/* Sessions and CDRs of 2.1.1 for newer readers: asks for whose token it was and how the charge
 * began. false: nothing had to be asked; else wait before retell. Not within flow_all_begin. */
bool retell_learn(struct flow *f, const struct retell_ask *ask, struct retell_known *ret);

/* Needs no store, and no memory but the text that comes out. */
void retell(struct flow *f, const struct retell_ask *ask, struct retold *ret);

/* What the reader's version could not say: counted per reader, and in the log (R-BR-02). */
void note_losses(struct flow *f, const struct retell_ask *ask, const struct translation *t);
/* The same in the message log, beside the request that is being served: for messages that are
 * carried to others, and their answers. */
void note_losses_in_request(struct flow *f, const struct retell_ask *ask,
                            const struct translation *t);

/* An EVSE or Connector by its id, in any case (R-TYPE-01); NULL. */
json_t *retold_part(const json_t *parent, const char *list, const char *key, const char *id);

#endif
