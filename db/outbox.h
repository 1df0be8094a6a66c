/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Outbox: what is to be told to partners, written in the same transaction as the fact, by triggers
 * on the tables of the facts. Only the latest state goes out: a row names an object, and what is
 * sent is read when it is claimed; a change while it waits makes no second row.
 *
 * A push that could not be delivered in 15 minutes is dropped and its partner marked as needing a
 * resync: it pulls. CDRs and invoices are tried for 72 hours; what is then left, or was refused
 * five times alike, waits for a person. Order is kept per partner and object.
 *
 * db_on_notify("outbox", ...) tells that something is due now; what is due later is found by a
 * look every second.
 */
#ifndef DB_OUTBOX_H
#define DB_OUTBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/flow.h"
#include "ocpi/version.h"

enum outbox_kind {
    OUTBOX_LOCATION,        /* PUT the Location */
    OUTBOX_EVSE,            /* PATCH the EVSE's status; a receiver without it gets the Location */
    OUTBOX_TARIFF,          /* PUT */
    OUTBOX_TARIFF_DELETED,  /* DELETE */
    OUTBOX_SESSION,         /* PUT */
    OUTBOX_CDR,             /* POST */
    OUTBOX_CLIENT_INFO,     /* PUT */
    OUTBOX_TOKEN,           /* PUT; of other eMSPs, to CPOs */
    OUTBOX_INVOICE,         /* POST; of ours */
    OUTBOX_INVOICE_CHANGED, /* PUT; a receiver without it gets it by POST */
    OUTBOX_INVOICE_DELETED, /* DELETE */
};
const char *outbox_kind_name(enum outbox_kind kind);

struct outbox_item {
    int64_t id;
    int64_t partner_id; /* the receiver */
    enum outbox_kind kind;
    const char *country_code, *party_id, *object_id; /* of the object */
    const char *evse_uid;
    int attempts;    /* this one included */
    int64_t version; /* of the row: outbox_done tells whether a newer one waits */
    /* The newest document; NULL: it is no more to be told (the contract has ended). ClientInfo has
     * none: there role is NULL then. */
    const char *document;
    size_t length;
    enum ocpi_version ocpi;
    const char *location; /* Sessions and CDRs: as in db/share.h */
    enum ocpi_version location_ocpi;
    const char *token_country_code, *token_party_id; /* Sessions, CDRs, invoices */
    /* ClientInfo */
    const char *role, *status;
    int64_t last_updated_us;
    const char *detail; /* outbox_parked: why it is not delivered */
};
struct outbox_items {
    struct outbox_item *items;
    size_t count;
};

/* Claims up to `limit` due rows for 30 s, at most `per_partner` under way per partner, and never
 * two of one object. */
enum flow_next outbox_claim(struct flow *f, int limit, int per_partner, struct outbox_items *ret);

enum outbox_outcome {
    OUTBOX_SENT,  /* done; ready again at once if a newer state waits */
    OUTBOX_RETRY, /* after a pause that grows, until it expires */
    OUTBOX_REST,  /* not tried, the partner is away: nothing of its is claimed for retry_after_s */
    OUTBOX_REFUSED, /* the partner refuses it: five times alike and it waits for a person */
    OUTBOX_SKIPPED, /* nothing to tell: the version cannot say it; detail says why */
};
/* Gathered with others of this process (db/gather.h). retry_after_s: what the partner asked for, 0:
 * none. detail: for people. */
enum flow_next outbox_done(struct flow *f, const struct outbox_item *item,
                           enum outbox_outcome outcome, int64_t retry_after_s, const char *detail);

/* What waits for a person, of one partner or of all (0); and what that person decides: it is tried
 * again, or dropped. */
enum flow_next outbox_parked(struct flow *f, int64_t partner_id, int limit,
                             struct outbox_items *ret);
enum flow_next outbox_again(struct flow *f, int64_t id, bool drop, bool *ret_found);

#endif
