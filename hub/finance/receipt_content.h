/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a receipt says: everything that is fixed at the moment it is issued, as a struct for people
 * and as one canonical JSON text for the database and the hash chain.
 *
 * Number, issue date and revision are columns beside the text, since they are known only when the
 * row is written. The payment status is neither, because it changes. Whatever is shown of a receipt
 * later (JSON, HTML, PDF) comes from those columns and this text alone, never from the session, the
 * location or the clock: that is what makes a document of last year come out the same today. Local
 * times therefore carry their offset with them.
 *
 * A cancellation is the mirror of its receipt's bill, with `cancels` set and the rest as it was.
 */
#ifndef HUB_FINANCE_RECEIPT_CONTENT_H
#define HUB_FINANCE_RECEIPT_CONTENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "ocpi/bill.h"

struct arena;

enum {
    RECEIPT_CONTENT_MAX = 256 * 1024, /* bytes of the text */
    RECEIPT_GROUPS_MAX = 16,          /* VAT rates; lines: BILL_LINES_MAX */
    RECEIPT_NOTES_MAX = 32,
    RECEIPT_ADDRESS_MAX = 8, /* lines of an address */
};

struct receipt_time {
    int64_t us;       /* UTC; TIME_NONE where absent */
    int32_t offset_s; /* local time of the place minus UTC, whole minutes */
};

/* Of the issuer, or of the buyer. Texts may be NULL where the law lets them be absent. */
struct receipt_party {
    const char *name;
    const char *const *address; /* as on an envelope, without the name */
    size_t address_count;
    const char *vat_id;
    const char *contact; /* issuer: where complaints go */
};

struct receipt_place {
    const char *name, *address, *postal_code, *city;
    const char *country;   /* ISO 3166-1 alpha-3 */
    const char *time_zone; /* IANA */
};

struct receipt_meter {
    bool has_start, has_end;
    int64_t start_mwh, end_mwh; /* readings */
    const char *signed_url;     /* where the signed readings can be checked; or NULL */
    const char *signed_sha256;  /* hex, of the signed data as it came; or NULL */
};

struct receipt_content {
    struct receipt_party issuer;
    const struct receipt_party *buyer; /* NULL: not known */
    const char *network;
    const char *evse_id;
    struct receipt_place place;

    struct receipt_time start, end;
    int64_t energy_mwh;
    int64_t duration_s, charging_s, parking_s; /* charging_s, parking_s: -1 where not known */

    const char *tariff_name; /* NULL: none, the network's own price */
    int64_t tariff_version;  /* 0 with no tariff */
    const char *tariff_mode; /* fixed, markup, pass_through */

    /* Lines, VAT groups, totals, as bill_add_up or bill_mirror left them; `arena` and `line_room`
     * do not count. */
    struct bill bill;

    const char *session_id, *cdr_id;
    const struct receipt_meter *meter; /* NULL: none */
    const char *cancels;               /* number of the receipt that this one cancels, or NULL */
    const char *replaces; /* ... of the cancelled one that this one replaces, or NULL */

    /* How it was to be paid when it was issued: a payment_status of the contract and the means in
     * words ("Visa 4242"); both NULL where no payment is configured. */
    const char *payment_state, *payment_means;

    /* Codes of receipt_words.h, said in the reader's language; other texts are shown as they are.
     */
    const char *const *notes;
    size_t note_count;
};

/* NULL where the figures add up: lines to the net or, if the price includes VAT, to the gross
 * total; rates to all three totals; net + VAT = gross in each. Else what does not, for people. */
const char *receipt_content_wrong(const struct receipt_content *c);

/* The canonical text: keys in a fixed order, all present, numbers written from the integers. The
 * same content always gives the same bytes, also after being read back. ERR_TOO_LARGE past the
 * limits above. */
struct err receipt_content_print(struct arena *a, const struct receipt_content *c,
                                 const char **ret_text, size_t *ret_length);

/* Back again; the order of keys does not matter. Everything lives in the arena. */
struct err receipt_content_read(struct arena *a, const char *text, size_t length,
                                struct receipt_content *ret);

#endif
