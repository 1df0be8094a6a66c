/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pages: filter, slice, headers, Link.
 */
#include "tests/sim/list.h"

#include "base/json.h"
#include "base/text.h"
#include "base/time.h"
#include "tests/sim/behave.h"
#include "tests/sim/call.h"
#include "tests/sim/check.h"
#include "tests/sim/print.h"

/* One request for a page, and which misbehaviours it meets. */
struct page {
    const struct list *list;
    struct paging asked;
    int64_t first; /* of the matching ones, on this page */
    int64_t total;
    bool endless, bad_object, no_last_updated;
};

static bool matches(const struct paging *page, int64_t changed_us)
{
    return changed_us != TIME_NONE &&
           (page->date_from_us == TIME_NONE || changed_us >= page->date_from_us) &&
           (page->date_to_us == TIME_NONE || changed_us < page->date_to_us);
}

static const char *next_link(struct call *call, const struct page *page)
{
    struct behave *b = call->sim->behave;
    const char *host = call->sim->base_url;
    const char *query = call->r->query;
    int64_t total = page->endless ? INT64_MAX : page->total;
    bool elsewhere = behave_acts(b, BEHAVE_LINK_ELSEWHERE, 0);

    if (elsewhere)
        host = "http://127.0.0.2:9";
    const char *url = arena_printf(call->arena, "%s/ocpi/%s/%s", host, version_name(call->version),
                                   page->list->module);
    if (behave_acts(b, BEHAVE_LINK_LOOP, 0))
        return arena_printf(call->arena, "<%s?%s>; rel=\"next\"", url, query);
    if (behave_acts(b, BEHAVE_LINK_NO_FILTER, 0))
        query = "";
    return paging_link(call->arena, url, query, &page->asked, total);
}

/* An object without one of its members. */
static void print_without(struct pen pen, const struct list *list, size_t index, const char *member,
                          struct arena *a)
{
    struct text *page = pen.out, one;

    text_init(&one, a, PRINT_MAX);
    pen.out = &one;
    list->print(pen, index);
    AUTO_JSON json_t *object = json_loads(one.bytes, 0, 0);
    json_object_del(object, member);
    json_put_raw(page, 0, json_text(a, object, 0));
}

static void print_one(struct call *call, const struct page *page, struct text *data, size_t index,
                      int64_t place)
{
    const char *without = page->bad_object && place == 1 ? page->list->needed
                          : page->no_last_updated        ? "last_updated"
                                                         : 0;

    if (without)
        print_without(call_pen(call, data), page->list, index, without, call->arena);
    else
        page->list->print(call_pen(call, data), index);
}

/* Prints the page's objects, and counts all that match. */
static void print_page(struct call *call, struct page *page, struct text *data)
{
    int64_t last = page->first + page->asked.limit, place = 0;

    for (size_t i = 0; i < page->list->count; i++) {
        if (!matches(&page->asked, page->list->changed_us(call->sim, i)))
            continue;
        if (page->total >= page->first && page->total < last)
            print_one(call, page, data, i, place++);
        page->total++;
    }
}

static struct page page_of(struct call *call, const struct list *list, struct paging asked)
{
    struct behave *b = call->sim->behave;
    struct page page = {.list = list,
                        .asked = asked,
                        .endless = behave_acts(b, BEHAVE_ENDLESS_LINK, 0),
                        .bad_object = behave_acts(b, BEHAVE_BAD_OBJECT_IN_PAGE, 0),
                        .no_last_updated = behave_acts(b, BEHAVE_MISSING_LAST_UPDATED, 0)};

    if (behave_acts(b, BEHAVE_LIMIT_IGNORED, 0))
        page.asked.limit = call->sim->options->page;
    if (behave_acts(b, BEHAVE_DATE_FROM_IGNORED, 0))
        page.asked.date_from_us = page.asked.date_to_us = TIME_NONE;
    page.first = page.asked.offset;
    if (page.first > 0 && behave_acts(b, BEHAVE_UNORDERED_PAGES, 0))
        page.first--;
    if (page.endless && list->count > 0)
        page.first %= (int64_t)list->count;
    return page;
}

static void page_headers(struct call *call, const struct page *page)
{
    struct behave *b = call->sim->behave;
    int64_t shown = page->total, limit = page->asked.limit;

    if (limit > 0 && behave_acts(b, BEHAVE_SHRINKING_TOTAL, 0))
        shown -= page->asked.offset / limit;
    if (!behave_acts(b, BEHAVE_NO_TOTAL_COUNT, 0))
        call_header(call, HEADER_TOTAL_COUNT, arena_printf(call->arena, "%lld", (long long)shown));
    call_header(call, HEADER_LIMIT,
                arena_printf(call->arena, "%lld", (long long)call->sim->options->page));
    call_header(call, HEADER_LINK, next_link(call, page));
}

void serve_list(struct call *call, const struct list *list, bool date_from_required)
{
    struct paging asked;
    struct text data;
    struct err e = paging_read(call->arena, call->r->query, call->sim->options->page,
                               date_from_required, &asked);

    if (failed(e)) {
        check_violation(call->sim, "R-TRANS-40", call->r->method, call->r->target, "%s",
                        err_text(e));
        call_invalid(call, err_text(e));
        return;
    }
    struct page page = page_of(call, list, asked);
    text_init(&data, call->arena, PRINT_MAX);
    json_begin_array(&data, 0);
    print_page(call, &page, &data);
    json_end_array(&data);
    page_headers(call, &page);
    call_ok(call, data.bytes);
}
