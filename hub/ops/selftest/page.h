/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Page: one answer to a list request, and what can be said about it without asking again.
 */
#ifndef HUB_OPS_SELFTEST_PAGE_H
#define HUB_OPS_SELFTEST_PAGE_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "adapters/ocpi_client.h"
#include "ocpi/version.h"

struct page {
    const char *url;       /* that was asked for */
    const json_t *objects; /* NULL: it is no page */
    size_t count;
    int64_t total;    /* X-Total-Count; -1: absent or no number */
    int64_t limit;    /* X-Limit; likewise */
    const char *next; /* target of Link; NULL: none */
};

/* false: the answer is no list; *ret is blank then but for the URL. */
bool page_read(struct arena *a, const char *url, const struct ocpi_answer *answer,
               struct page *ret);

/* What is wrong with the Link of a page, NULL: nothing, or there is none. */
struct link_fault {
    const char *rule, *expected, *got;
};
/* It leads on, and stays with the partner. */
bool link_wrong(const struct peer *peer, const struct page *page, struct link_fault *ret);
/* The filters of the request are in it. */
bool link_drops_filter(struct arena *a, const struct page *page, struct link_fault *ret);

/* What makes an object of a class unique in its list, in lower case: "fi/vrt/loc1". NULL: it lacks
 * its id. */
const char *object_key(struct arena *a, const json_t *object);
/* The object of `page` with this key, or NULL. */
const json_t *page_find(struct arena *a, const struct page *page, const char *key);
/* TIME_NONE: absent or unreadable. */
int64_t object_changed(const json_t *object);

/* Whether `got` has every member of `sent`, with the same value: texts that are times may be
 * written in another way. NULL, or the pointer of the first that differs. */
const char *object_differs(struct arena *a, const json_t *sent, const json_t *got);

#endif
