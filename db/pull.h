/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pulls: what we fetch from partners by ourselves, page by page. A page is claimed by one process
 * for 70 s; the database keeps how far the pull has come, so that any process goes on.
 */
#ifndef DB_PULL_H
#define DB_PULL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/flow.h"

enum { PULL_PAGES_MAX = 10000 };

struct pull_claim {
    int64_t partner_id;
    const char *module;   /* "locations", "tariffs", "sessions", "cdrs", "tokens" */
    int64_t date_from_us; /* TIME_NONE: full pull */
    const char *cursor;   /* the page to fetch, NULL: the first one */
    int64_t started_us;
    /* The page before. */
    const char *page_url, *first_id; /* NULL: there is none */
    int64_t total;                   /* its X-Total-Count; -1: not told */
    int64_t pages;                   /* how many have been fetched */
    const char *mark;                /* one of them: when it comes again, they go in a circle */
    bool complete;                   /* nothing has been left out so far */
};
struct pull_claims {
    struct pull_claim *items;
    size_t count;
};
enum flow_next pull_claim(struct flow *f, int limit, struct pull_claims *ret);

/* A page has been stored, and there is another: what the next claim gets. */
enum flow_next pull_page_done(struct flow *f, const struct pull_claim *next);
/* Finished: the next one is due on its schedule. ok=false: the same page again after a pause. What
 * is not complete does not count as a full pull. */
enum flow_next pull_finished(struct flow *f, int64_t partner_id, const char *module, bool ok,
                             bool complete);
/* Asks for a pull now (after a handshake; sessions of a CPO with unclear starts). */
enum flow_next pull_request(struct flow *f, int64_t partner_id, const char *module);

/* ---- the objects ---- */

/* "fi*vrt/loc1": how an object of a page is named here. */
char *pull_key(struct arena *a, const char *country_code, const char *party_id, const char *id);

/* Which of these are stored just as they came? ret[i] for digests[i], the SHA-256 of the document
 * in hex. */
enum flow_next pull_unchanged(struct flow *f, const struct pull_claim *claim,
                              const char *const *keys, const char *const *digests, size_t count,
                              bool *ret);
/* Which of these tokens would be our own users'? */
enum flow_next pull_ours(struct flow *f, const char *const *uids, const char *const *contracts,
                         size_t count, bool *ret);
/* The objects of a page, before they are stored: a full pull remembers them, and what had been
 * closed is open again. */
enum flow_next pull_see(struct flow *f, const struct pull_claim *claim, const char *const *keys,
                        size_t count);
/* After the last page of a full pull (R-TRANS-48): notes what no page had ... */
enum flow_next pull_note_missing(struct flow *f, const struct pull_claim *claim);
/* ... and closes what two in a row have not had, some at a time. */
enum flow_next pull_close_missing(struct flow *f, const struct pull_claim *claim,
                                  int64_t *ret_closed);

#endif
