/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pages of a pull: which one comes first, and which one after this (R-TRANS-40..47). Pure.
 */
#ifndef HUB_JOBS_PULL_PAGE_H
#define HUB_JOBS_PULL_PAGE_H

#include "db/pull.h"
#include "ocpi/peer.h"

struct arena;

/* The address of the first page; NULL: the partner does not offer the module. */
const char *pull_first_page(struct arena *a, const struct peer *peer,
                            const struct pull_claim *claim);

/* A page that is too large, with half as many objects: its address. NULL: it has one already. */
const char *pull_smaller_page(struct arena *a, const char *url);
/* The address behind an object that is too large by itself. NULL: the partner's own Links, which
 * say no offset, lead there alone. */
const char *pull_page_behind(struct arena *a, const struct pull_claim *claim, const char *url);

struct pull_page {
    const char *url;
    const char *link; /* the header, NULL: none */
    int64_t total;    /* X-Total-Count; -1: none */
    size_t count;     /* objects */
    const char *first_id;
};

/* *ret: the claim of the next page; its cursor is NULL where this was the last one. What was wrong,
 * for people, or NULL. */
const char *pull_next_page(struct arena *a, const struct peer *peer, const struct pull_claim *claim,
                           const struct pull_page *page, struct pull_claim *ret);

#endif
