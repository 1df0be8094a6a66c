/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pages of a pull.
 *
 * Link is followed verbatim, and only on the partner's own hosts (R-TRANS-47). Where a partner
 * gives none though X-Total-Count says that there is more, we count by ourselves. Pages that go in
 * a circle are noticed because one that was passed, chosen anew each time their number doubles,
 * comes again.
 */
#include "hub/jobs/pull_page.h"

#include <string.h>

#include "base/arena.h"
#include "base/text.h"
#include "base/time.h"
#include "ocpi/headers.h"
#include "ocpi/url.h"

/* Reading a page of large objects must not hold up the loop for long. */
enum { PAGE_LIMIT = 100, PAGE_LIMIT_LARGE = 20 };

const char *pull_first_page(struct arena *a, const struct peer *peer,
                            const struct pull_claim *claim)
{
    const char *endpoint = peer_url(a, peer, claim->module, OCPI_INTERFACE_SENDER, NULL);
    bool large =
        strcmp(claim->module, MODULE_LOCATIONS) == 0 || strcmp(claim->module, MODULE_INVOICES) == 0;
    const char *from = NULL;
    char time[TIME_TEXT];

    if (!endpoint)
        return NULL;
    if (claim->date_from_us != TIME_NONE)
        from = peer->version == OCPI_2_1_1 ? time_print_seconds(time, claim->date_from_us)
                                           : time_print_millis(time, claim->date_from_us);
    return url_query(a, endpoint, "limit",
                     arena_printf(a, "%d", large ? PAGE_LIMIT_LARGE : PAGE_LIMIT), "date_from",
                     from, NULL);
}

/* ---- offset ---- */

static int64_t offset_of(struct arena *a, const char *url)
{
    const char *query = strchr(url, '?');
    int64_t offset = query ? header_count(query_value(a, query + 1, "offset", NULL)) : 0;

    return offset > 0 ? offset : 0;
}

/* The same URL with another value; its other parameters stay as they are. */
static const char *with_count(struct arena *a, const char *url, const char *name, int64_t count)
{
    size_t path = strcspn(url, "?"), name_length = strlen(name);
    struct text t;

    text_init(&t, a, strlen(url) + 64);
    text_add_bytes(&t, url, path);
    text_printf(&t, "?%s=%lld", name, (long long)count);
    for (const char *p = url[path] ? url + path + 1 : ""; *p;) {
        size_t length = strcspn(p, "&");
        if (length > 0 && (strncmp(p, name, name_length) != 0 || p[name_length] != '=')) {
            text_add(&t, "&");
            text_add_bytes(&t, p, length);
        }
        p += length;
        p += *p == '&';
    }
    return t.bytes;
}

static const char *with_offset(struct arena *a, const char *url, int64_t offset)
{
    return with_count(a, url, "offset", offset);
}

/* ---- too large ---- */

static int64_t count_in(struct arena *a, const char *url, const char *name)
{
    const char *query = strchr(url, '?');

    return query ? header_count(query_value(a, query + 1, name, NULL)) : -1;
}

const char *pull_smaller_page(struct arena *a, const char *url)
{
    int64_t limit = count_in(a, url, "limit");

    if (limit <= 0 || limit > PAGE_LIMIT)
        limit = PAGE_LIMIT;
    return limit > 1 ? with_count(a, url, "limit", limit / 2) : NULL;
}

const char *pull_page_behind(struct arena *a, const struct pull_claim *claim, const char *url)
{
    if (claim->page_url && count_in(a, url, "offset") < 0)
        return NULL;
    return with_offset(a, with_count(a, url, "limit", PAGE_LIMIT_LARGE), offset_of(a, url) + 1);
}

/* ---- the next one ---- */

static bool same(const char *a, const char *b)
{
    return a && b && strcmp(a, b) == 0;
}

/* R-TRANS-46: an object has left the list, so that the others have moved up: the page before is
 * read again, one object earlier. */
static bool read_again(struct arena *a, const struct pull_claim *claim,
                       const struct pull_page *page, struct pull_claim *ret)
{
    if (!claim->page_url || claim->total < 0 || page->total < 0 || page->total >= claim->total)
        return false;
    int64_t offset = offset_of(a, claim->page_url);
    ret->cursor = offset > 0 ? with_offset(a, claim->page_url, offset - 1) : claim->page_url;
    ret->page_url = ret->first_id = ret->mark = NULL;
    return true;
}

static const char *stop(struct pull_claim *ret, const char *why)
{
    ret->cursor = NULL;
    ret->complete = false;
    return why;
}

static const char *follow(const struct peer *peer, const struct pull_claim *claim,
                          const struct pull_page *page, const char *next, struct pull_claim *ret)
{
    if (same(next, page->url) || same(next, claim->page_url) || same(next, claim->mark))
        return stop(ret, "the pages go in a circle");
    if (!peer_owns_url(peer, next))
        return stop(ret, "a Link to a foreign host is not followed");
    ret->cursor = next;
    return NULL;
}

/* No Link: is there more all the same? */
static const char *count_on(struct arena *a, const struct pull_claim *claim,
                            const struct pull_page *page, struct pull_claim *ret)
{
    int64_t offset = offset_of(a, page->url), next = offset + (int64_t)page->count;

    if (page->count == 0 || page->total <= next)
        return NULL;
    if (same(page->first_id, claim->first_id))
        return stop(ret, "the partner gives no Link, and the same page whatever the offset");
    ret->cursor = with_offset(a, page->url, next);
    return NULL;
}

static bool is_power_of_two(int64_t n)
{
    return n > 0 && (n & (n - 1)) == 0;
}

const char *pull_next_page(struct arena *a, const struct peer *peer, const struct pull_claim *claim,
                           const struct pull_page *page, struct pull_claim *ret)
{
    const char *next = page->link ? link_next(a, page->link) : NULL;
    const char *why;

    *ret = *claim;
    ret->pages++;
    ret->cursor = NULL;
    ret->total = page->total;
    ret->page_url = page->url;
    ret->first_id = page->first_id;
    if (is_power_of_two(ret->pages))
        ret->mark = page->url;
    if (ret->pages >= PULL_PAGES_MAX)
        return next ? stop(ret, "there are more pages than any list has") : NULL;
    if (read_again(a, claim, page, ret))
        return NULL;
    why = next ? follow(peer, claim, page, next, ret) : count_on(a, claim, page, ret);
    return why;
}
