/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Retail: what the hub charges its users by, as it is stored. Published tariffs and VAT rates are
 * read as a whole (hub/finance/retail_book.h keeps them in memory); what a start needs beyond them,
 * the user's group and the network's tariffs of a connector, is one statement more.
 *
 * Lists for people come as the JSON that the admin API answers.
 */
#ifndef DB_RETAIL_H
#define DB_RETAIL_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/flow.h"
#include "db/session.h"
#include "ocpi/version.h"

/* {"tariffs":[{id, version, document: text}], "vat":[{country, buyer, from, until, rate: text}],
 * "profiles":[country], "groups": whether there are any}; borrowed from the flow's arena. */
enum flow_next retail_book_read(struct flow *f, const json_t **ret);

/* ---- tariffs ---- */

enum retail_published {
    RETAIL_PUBLISHED,
    RETAIL_SAME,  /* it had been, with the same content */
    RETAIL_OTHER, /* it had been, with another content, or was withdrawn */
    RETAIL_OLDER, /* a newer version has been published */
};
enum flow_next retail_publish(struct flow *f, const char *id, int64_t version, const char *document,
                              const char *mode, const char *by, enum retail_published *ret);
/* version 0: all. ret_count: of versions that were withdrawn by this. */
enum flow_next retail_withdraw(struct flow *f, const char *id, int64_t version, const char *by,
                               size_t *ret_count);
/* id NULL: all; version 0: all of it. The newest first. */
enum flow_next retail_list(struct flow *f, const char *id, int64_t version, const char **ret_json);

/* ---- VAT ---- */

struct vat_rate {
    const char *country; /* alpha-3 */
    const char *buyer;   /* "consumer", "business" */
    const char *rate;    /* percent, a number's text */
    const char *valid_from, *valid_until; /* "2026-01-01"; until is exclusive, NULL: open */
};
/* ret_past: refused, the days have begun with another rate. */
enum flow_next vat_rate_set(struct flow *f, const struct vat_rate *rate, const char *by,
                            bool *ret_past);
/* currency NULL: as it is. */
enum flow_next tax_profile_set(struct flow *f, const char *country, const char *vat_id,
                               const char *currency, const char *by);
enum flow_next vat_list(struct flow *f, const char *country, const char **ret_json);

/* ---- groups of users ---- */

/* currency NULL: without a limit. */
enum flow_next user_group_set(struct flow *f, const char *name, int64_t credit_minor,
                              const char *currency);
enum flow_next user_group_add(struct flow *f, const char *name, const char *user_id,
                              bool *ret_found);
enum flow_next user_group_remove(struct flow *f, const char *name, const char *user_id,
                                 bool *ret_found);
enum flow_next user_group_list(struct flow *f, const char **ret_json);

/* ---- what an offer needs ---- */

/* A network's tariff as it stands, or stood at a session's start. */
struct network_tariff {
    int64_t tariff, version; /* its row, and which of its versions */
    const char *document;
    enum ocpi_version ocpi;
};
struct offer_context {
    const char *user_group; /* NULL: in none */
    int64_t credit_minor;
    const char *credit_currency; /* NULL: no limit */
    struct network_tariff *tariffs;
    size_t tariff_count;
};
struct offer_place {
    int64_t partner_id;
    const char *country_code, *party_id;
    const char *const *tariff_ids;
    size_t tariff_count;
};
/* Tariffs that are held for approval are left out. user_id NULL: nobody's. */
enum flow_next offer_context_read(struct flow *f, const char *user_id,
                                  const struct offer_place *place, struct offer_context *ret);

/* ---- limits of running sessions ---- */

struct limit_work {
    struct session session;
    int64_t max_minutes;         /* 0: no such limit */
    const char *credit_currency; /* NULL: no such limit */
    int64_t credit_minor;
};
struct limit_works {
    struct limit_work *items;
    size_t count;
};
/* Sessions whose limits are to be looked at now; each is this process's for a minute. */
enum flow_next limit_claim(struct flow *f, int limit, struct limit_works *ret);
/* What the look has found: a cause to stop for, or when to look again (TIME_NONE: not before
 * something changes). ret: id "" where nothing came of it. */
enum flow_next limit_done(struct flow *f, const struct session *s, const char *cause,
                          int64_t next_us, struct session *ret);

/* ---- lint of the networks' tariffs ---- */

struct lint_work {
    struct network_tariff tariff;
    const char *country_currency; /* of the owner's places; NULL: not known */
    int64_t vat_u6;               /* percent; NUMBER_NONE: not known */
};
struct lint_works {
    struct lint_work *items;
    size_t count;
};
enum flow_next tariff_lint_due(struct flow *f, int limit, struct lint_works *ret);
enum flow_next tariff_lint_put(struct flow *f, const struct network_tariff *t, const char *lint,
                               bool hold);
/* partner_id 0: all; held: only what waits for approval. */
enum flow_next tariff_lint_list(struct flow *f, int64_t partner_id, bool held,
                                const char **ret_json);
enum flow_next tariff_approve(struct flow *f, int64_t tariff, int64_t version, const char *by,
                              bool *ret_found);

/* ---- a session under way, priced for operations ---- */

struct session_price_context {
    bool found;
    struct session session;
    const char *document; /* the network's Session; NULL: none yet */
    enum ocpi_version ocpi;
    int64_t cost_u6; /* as the network told; NUMBER_NONE: it did not */
    const char *currency, *time_zone;
    struct network_tariff *tariffs; /* of the start */
    size_t tariff_count;
};
enum flow_next session_price_context_read(struct flow *f, const char *id,
                                          struct session_price_context *ret);

#endif
