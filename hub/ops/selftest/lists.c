/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Checks of lists: paging, dates, and the objects themselves. The same for each module that the
 * partner lists; each builds on the pages that the ones before it have fetched.
 */
#include <string.h>

#include "base/text.h"
#include "base/time.h"
#include "hub/ops/selftest/selftest.h"
#include "ocpi/came.h"
#include "ocpi/headers.h"
#include "ocpi/url.h"

enum { MANY = 50, WINDOW_LIMIT = 100, DAYS_BACK = 31, TOLD_OBJECTS = 3 };

#define FAR_PAST "2000-01-01T00:00:00Z"
#define LONG_AGO "2015-01-01T00:00:00Z"
#define FAR_FUTURE "2099-01-01T00:00:00Z"

static const struct {
    const char *module, *class;
} classes[] = {
    {MODULE_LOCATIONS, "Location"}, {MODULE_TARIFFS, "Tariff"},
    {MODULE_SESSIONS, "Session"},   {MODULE_CDRS, "CDR"},
    {MODULE_TOKENS, "Token"},       {MODULE_HUB_CLIENT_INFO, "ClientInfo"},
};

static const char *class_of(const char *module)
{
    for (size_t i = 0; i < sizeof classes / sizeof *classes; i++)
        if (strcmp(classes[i].module, module) == 0)
            return classes[i].class;
    return NULL;
}

static const char *module_of(const struct flow *f)
{
    const struct selftest *t = selftest_of(f);

    return t->plan[t->at].module;
}

/* Sessions and CDRs of years would be a burden to count; Sessions need a date_from at all. */
static bool is_archive(const char *module)
{
    return strcmp(module, MODULE_SESSIONS) == 0 || strcmp(module, MODULE_CDRS) == 0;
}

/* A list's URL; NULL and negative parameters are left out. */
static const char *list_url(struct flow *f, const char *date_from, const char *date_to,
                            int64_t offset, int64_t limit)
{
    struct selftest *t = selftest_of(f);
    const char *url = peer_url(f->arena, &t->peer, module_of(f), OCPI_INTERFACE_SENDER, NULL);

    return url_query(f->arena, url, "date_from", date_from, "date_to", date_to, "offset",
                     offset < 0 ? NULL : arena_printf(f->arena, "%lld", (long long)offset), "limit",
                     limit < 0 ? NULL : arena_printf(f->arena, "%lld", (long long)limit), NULL);
}

static enum flow_next ask_list(struct flow *f, const char *url)
{
    return ask_get(f, module_of(f), url);
}

static const char *usual_from(struct flow *f)
{
    return is_archive(module_of(f)) ? now_text(f, -(int64_t)DAYS_BACK * 86400) : NULL;
}

/* What every check but the first begins with: NULL, or a step's answer. */
static bool skip_broken(struct flow *f)
{
    const struct listed *list = &selftest_of(f)->list;

    if (list->broken)
        tell_skipped(f, list->broken);
    return list->broken != NULL;
}

/* ---- list: it is there ---- */

static enum flow_next ask_first(struct flow *f)
{
    struct selftest *t = selftest_of(f);

    t->list =
        (struct listed){.class = class_of(module_of(f)), .broken = "the list could not be read"};
    return ask_list(f, list_url(f, usual_from(f), NULL, -1, MANY));
}

static enum flow_next judge_first(struct flow *f)
{
    struct selftest *t = selftest_of(f);

    if (page_read(f->arena, t->call.url, &t->answer, &t->list.first)) {
        t->list.broken = NULL;
        if (t->answer.http.status != 200)
            tell_warn(f, t->call.url, "HTTP 200", answer_words(f));
        return FLOW_DONE;
    }
    if (t->answer.http.status == 404 && !t->peer.quirks.trailing_slash)
        return FLOW_NEXT;
    if (answer_good(t))
        return tell_fail(f, "/data", "a list", came_of(f->arena, "", t->answer.data));
    return tell_fail(f, t->call.url, "a list in an envelope with 1000", answer_words(f));
}

/* Perhaps they want a slash at the end: then that is what is wrong. */
static enum flow_next ask_with_slash(struct flow *f)
{
    struct selftest *t = selftest_of(f);

    t->peer.quirks.trailing_slash = true;
    return ask_list(f, list_url(f, usual_from(f), NULL, -1, MANY));
}

static enum flow_next judge_with_slash(struct flow *f)
{
    struct selftest *t = selftest_of(f);
    const char *plain = peer_endpoint(&t->peer, module_of(f), OCPI_INTERFACE_SENDER);

    if (!page_read(f->arena, t->call.url, &t->answer, &t->list.first)) {
        t->peer.quirks.trailing_slash = false;
        return tell_fail(f, plain, "a list", answer_words(f));
    }
    t->list.broken = NULL;
    tell(f, (struct finding){VERDICT_FAIL, .rule = "R-VER-08", .where = plain,
                             .expected = "an answer with and without a slash at the end",
                             .got = "HTTP 404 without one",
                             .advice = "Serve your URLs with and without a slash at the end."});
    return FLOW_DONE;
}

/* ---- objects ---- */

static void tell_object(struct flow *f, size_t index, struct err e, bool lenient)
{
    tell(f, (struct finding){
                lenient ? VERDICT_WARN : VERDICT_FAIL, .rule = e.rule,
                .where = arena_printf(f->arena, "/data/%zu%s", index, e.where ? e.where : ""),
                .expected = e.expected ? e.expected : err_text(e),
                .got = e.came ? e.came : "nothing"});
}

/* The same complaint about each object is one complaint. */
static bool told_before(struct err const *told, size_t count, struct err e)
{
    for (size_t i = 0; i < count; i++)
        if (told[i].rule && e.rule && strcmp(told[i].rule, e.rule) == 0 && told[i].where &&
            e.where && strcmp(told[i].where, e.where) == 0)
            return true;
    return false;
}

static enum flow_next judge_objects(struct flow *f)
{
    struct selftest *t = selftest_of(f);
    const struct object_type *type =
        t->list.class ? object_type_find(t->peer.version, t->list.class) : NULL;
    const struct object_leniency *leniency = &t->partner->peer.leniency;
    struct err told[TOLD_OBJECTS];
    size_t i, bad = 0, count = 0;
    const json_t *object;

    if (skip_broken(f))
        return FLOW_DONE;
    if (!t->list.first.count || !type)
        return tell_skipped(f, "the list is empty");
    json_array_foreach(t->list.first.objects, i, object)
    {
        struct err e = object_check(type, object, NULL, f->arena);
        if (!failed(e))
            continue;
        bad++;
        if (count == TOLD_OBJECTS || told_before(told, count, e))
            continue;
        told[count++] = e;
        tell_object(f, i, e, !failed(object_check(type, object, leniency, f->arena)));
    }
    if (bad > count)
        tell(f, (struct finding){VERDICT_FAIL, .rule = told[0].rule, .where = "/data",
                                 .expected =
                                     arena_printf(f->arena, "objects of class %s", t->list.class),
                                 .got = arena_printf(f->arena, "%zu of %zu objects are not right",
                                                     bad, t->list.first.count)});
    return FLOW_DONE;
}

static bool is_theirs(const struct partner *partner, const char *country, const char *party)
{
    for (size_t i = 0; i < partner->party_count; i++)
        if (text_equal_caseless(partner->parties[i].id.country_code, country) &&
            text_equal_caseless(partner->parties[i].id.party_id, party))
            return true;
    return false;
}

static enum flow_next judge_owners(struct flow *f)
{
    struct selftest *t = selftest_of(f);
    const json_t *object;
    size_t i;

    if (skip_broken(f))
        return FLOW_DONE;
    if (t->partner->hub || strcmp(module_of(f), MODULE_HUB_CLIENT_INFO) == 0)
        return tell_skipped(f, "a hub passes on what others own");
    json_array_foreach(t->list.first.objects, i, object)
    {
        const char *country = json_string_value(json_object_get(object, "country_code"));
        const char *party = json_string_value(json_object_get(object, "party_id"));
        if (country && party && !is_theirs(t->partner, country, party))
            return tell_warn(f, arena_printf(f->arena, "/data/%zu", i),
                             "country_code and party_id of a party of this connection",
                             arena_printf(f->arena, "%s-%s", country, party));
    }
    return t->list.first.count ? FLOW_DONE : tell_skipped(f, "the list is empty");
}

/* ---- counts ---- */

static enum flow_next judge_total(struct flow *f)
{
    struct selftest *t = selftest_of(f);
    const struct page *page = &t->list.first;

    if (skip_broken(f))
        return FLOW_DONE;
    if (page->total < 0)
        return tell_fail(f, HEADER_TOTAL_COUNT, "a whole number", "no such header");
    if (page->total < (int64_t)page->count)
        return tell_fail(
            f, HEADER_TOTAL_COUNT,
            arena_printf(f->arena, "at least the %zu objects of the page", page->count),
            arena_printf(f->arena, "%lld", (long long)page->total));
    return FLOW_DONE;
}

static enum flow_next judge_x_limit(struct flow *f)
{
    struct selftest *t = selftest_of(f);
    const struct page *page = &t->list.first;

    if (skip_broken(f))
        return FLOW_DONE;
    if (page->limit < 0)
        return tell_fail(f, HEADER_LIMIT, "a whole number", "no such header");
    if (page->limit < (int64_t)page->count)
        return tell_fail(
            f, HEADER_LIMIT,
            arena_printf(f->arena, "at least the %zu objects of the page", page->count),
            arena_printf(f->arena, "%lld", (long long)page->limit));
    return FLOW_DONE;
}

/* ---- small pages, one behind the other ---- */

static enum flow_next ask_small(struct flow *f)
{
    struct selftest *t = selftest_of(f);
    struct listed *list = &t->list;
    const char *from = usual_from(f);

    if (skip_broken(f))
        return FLOW_DONE;
    if (list->first.count < 2)
        return tell_skipped(f, "fewer than two objects are listed");
    list->small = list->first.count > 2 ? 2 : 1;
    return ask_list(f, list_url(f, from ? from : LONG_AGO, FAR_FUTURE, 0, list->small));
}

static enum flow_next judge_limit(struct flow *f)
{
    struct selftest *t = selftest_of(f);
    struct listed *list = &t->list;
    struct page *page = &list->pages[0];

    if (!page_read(f->arena, t->call.url, &t->answer, page))
        return tell_fail(f, t->call.url, "a page", answer_words(f));
    list->page_count = 1;
    if ((int64_t)page->count > list->small)
        return tell_fail(f, "limit",
                         arena_printf(f->arena, "at most %lld objects", (long long)list->small),
                         arena_printf(f->arena, "%zu objects", page->count));
    return FLOW_DONE;
}

static bool skip_unpaged(struct flow *f)
{
    const struct listed *list = &selftest_of(f)->list;

    if (skip_broken(f))
        return true;
    if (!list->page_count)
        tell_skipped(f, "there are no small pages to look at");
    return !list->page_count;
}

/* How many objects the filters of the small pages leave, as far as we know. */
static int64_t matching(const struct listed *list)
{
    return list->pages[0].total >= 0 ? list->pages[0].total : (int64_t)list->first.count;
}

static enum flow_next judge_link(struct flow *f)
{
    struct selftest *t = selftest_of(f);
    const struct page *page = &t->list.pages[0];
    struct link_fault fault;

    if (skip_unpaged(f))
        return FLOW_DONE;
    if (!page->next && (int64_t)page->count < matching(&t->list))
        return tell_fail(f, HEADER_LINK, "<URL of the next page>; rel=\"next\"",
                         "no such header, though there are more objects");
    if (!link_wrong(&t->peer, page, &fault))
        return FLOW_DONE;
    tell(f, (struct finding){VERDICT_FAIL, .rule = fault.rule, .where = HEADER_LINK,
                             .expected = fault.expected, .got = fault.got});
    return FLOW_DONE;
}

static enum flow_next judge_filters(struct flow *f)
{
    struct selftest *t = selftest_of(f);
    const struct page *page = &t->list.pages[0];
    struct link_fault fault;

    if (skip_unpaged(f))
        return FLOW_DONE;
    if (!page->next)
        return tell_skipped(f, "there is no Link");
    if (link_drops_filter(f->arena, page, &fault))
        return tell_fail(f, HEADER_LINK, fault.expected, fault.got);
    return FLOW_DONE;
}

static const struct page *last_page(const struct listed *list)
{
    return &list->pages[list->page_count - 1];
}

static enum flow_next follow(struct flow *f)
{
    struct selftest *t = selftest_of(f);
    struct link_fault fault;

    if (skip_unpaged(f))
        return FLOW_DONE;
    const struct page *page = last_page(&t->list);
    if (!page->next)
        return t->list.page_count > 1 ? FLOW_DONE : tell_skipped(f, "there is no Link");
    if (link_wrong(&t->peer, page, &fault))
        return t->list.page_count > 1 ? FLOW_DONE : tell_skipped(f, "the Link is not followed");
    if (t->list.page_count == PAGES)
        return FLOW_DONE;
    return ask_list(f, page->next);
}

static enum flow_next judge_followed(struct flow *f)
{
    struct selftest *t = selftest_of(f);
    struct listed *list = &t->list;
    struct page page;

    if (!page_read(f->arena, t->call.url, &t->answer, &page))
        return tell_fail(f, t->call.url, "the next page", answer_words(f));
    list->pages[list->page_count++] = page;
    if (!page.count && page.next)
        return tell_fail(f, t->call.url, "no Link on an empty page", page.next);
    t->step -= 2; /* follow the next one */
    return FLOW_NEXT;
}

static enum flow_next judge_order(struct flow *f)
{
    struct selftest *t = selftest_of(f);
    const struct listed *list = &t->list;
    const json_t *object;
    size_t i;

    if (skip_unpaged(f))
        return FLOW_DONE;
    if (list->page_count < 2)
        return tell_skipped(f, "there is one page only");
    for (size_t p = 1; p < list->page_count; p++)
        json_array_foreach(list->pages[p].objects, i, object)
        {
            const char *key = object_key(f->arena, object);
            for (size_t before = 0; key && before < p; before++)
                if (page_find(f->arena, &list->pages[before], key))
                    return tell_fail(f, list->pages[p].url, "each object on one page only",
                                     arena_printf(f->arena, "%s is on an earlier page too", key));
        }
    return FLOW_DONE;
}

/* ---- the total stays ---- */

static const struct page *shrunk(const struct listed *list)
{
    for (size_t p = 1; p < list->page_count; p++)
        if (list->pages[p].total >= 0 && list->pages[p].total < list->pages[0].total)
            return &list->pages[p];
    return NULL;
}

/* An object may have left meanwhile: then the first page says so, too. */
static enum flow_next ask_total_again(struct flow *f)
{
    struct selftest *t = selftest_of(f);

    if (skip_unpaged(f))
        return FLOW_DONE;
    if (t->list.page_count < 2)
        return tell_skipped(f, "there is one page only");
    return shrunk(&t->list) ? ask_list(f, t->list.pages[0].url) : FLOW_DONE;
}

static enum flow_next judge_total_again(struct flow *f)
{
    struct selftest *t = selftest_of(f);
    const struct page *later = shrunk(&t->list);
    struct page again;

    if (!page_read(f->arena, t->call.url, &t->answer, &again) || again.total <= later->total)
        return tell_skipped(f, "the list changed meanwhile");
    return tell_fail(f, HEADER_TOTAL_COUNT,
                     arena_printf(f->arena, "%lld on each page", (long long)again.total),
                     arena_printf(f->arena, "%lld on a later page", (long long)later->total));
}

/* ---- the end ---- */

static enum flow_next ask_end(struct flow *f)
{
    struct selftest *t = selftest_of(f);
    const char *from = usual_from(f);

    if (skip_unpaged(f))
        return FLOW_DONE;
    if (t->list.pages[0].total < 1)
        return tell_skipped(f, "the number of objects is not known");
    return ask_list(f, list_url(f, from ? from : LONG_AGO, FAR_FUTURE, t->list.pages[0].total - 1,
                                t->list.small + 1));
}

static enum flow_next judge_end(struct flow *f)
{
    struct selftest *t = selftest_of(f);
    struct page page;

    if (!page_read(f->arena, t->call.url, &t->answer, &page))
        return tell_fail(f, t->call.url, "the last page", answer_words(f));
    bool grown = page.total > t->list.pages[0].total;
    if (page.next && !grown)
        return tell_fail(f, HEADER_LINK, "no Link on the last page", page.next);
    if ((int64_t)page.count > t->list.small && !grown)
        return tell_fail(f, "offset", "the last object alone",
                         arena_printf(f->arena, "%zu objects", page.count));
    return FLOW_DONE;
}

/* ---- dates ---- */

static enum flow_next ask_future(struct flow *f)
{
    if (skip_broken(f))
        return FLOW_DONE;
    if (!selftest_of(f)->list.first.count)
        return tell_skipped(f, "the list is empty");
    return ask_list(f, list_url(f, FAR_FUTURE, NULL, -1, 2));
}

static enum flow_next judge_nothing(struct flow *f)
{
    struct selftest *t = selftest_of(f);
    struct page page;

    if (!page_read(f->arena, t->call.url, &t->answer, &page))
        return tell_fail(f, t->call.url, "an empty list", answer_words(f));
    if (page.count)
        return tell_fail(f, t->call.url, "an empty list",
                         arena_printf(f->arena, "%zu objects", page.count));
    if (page.total > 0)
        tell_warn(f, HEADER_TOTAL_COUNT, "0, as the filters match nothing",
                  arena_printf(f->arena, "%lld", (long long)page.total));
    return FLOW_NEXT;
}

static enum flow_next ask_past(struct flow *f)
{
    return ask_list(f, list_url(f, "1999-01-01T00:00:00Z", FAR_PAST, -1, 2));
}

/* The oldest object is the one that will hardly change while we look. */
static void choose(struct listed *list)
{
    const json_t *object;
    size_t i;

    list->chosen = NULL;
    json_array_foreach(list->first.objects, i, object)
    {
        int64_t us = object_changed(object);
        if (us != TIME_NONE && (!list->chosen || us < list->chosen_us)) {
            list->chosen = object;
            list->chosen_us = us;
        }
    }
}

/* Times as all versions write them: whole seconds. */
static const char *second_text(struct flow *f, int64_t us)
{
    char text[TIME_TEXT];

    return arena_text(f->arena, time_print_seconds(text, us));
}

static enum flow_next ask_window(struct flow *f)
{
    struct selftest *t = selftest_of(f);

    if (skip_broken(f))
        return FLOW_DONE;
    choose(&t->list);
    t->list.complaint = NULL;
    if (!t->list.chosen || !object_key(f->arena, t->list.chosen))
        return tell_skipped(f, "no object with last_updated is listed");
    return ask_list(f,
                    list_url(f, second_text(f, t->list.chosen_us),
                             second_text(f, t->list.chosen_us + US_PER_SECOND), -1, WINDOW_LIMIT));
}

static enum flow_next judge_window(struct flow *f)
{
    struct selftest *t = selftest_of(f);
    struct listed *list = &t->list;
    int64_t from = list->chosen_us - list->chosen_us % US_PER_SECOND;
    const json_t *object;
    struct page page;
    size_t i;

    if (!page_read(f->arena, t->call.url, &t->answer, &page))
        return tell_fail(f, t->call.url, "a list", answer_words(f));
    json_array_foreach(page.objects, i, object)
    {
        int64_t us = object_changed(object);
        if (us != TIME_NONE && (us < from || us >= from + US_PER_SECOND))
            return tell_fail(f, arena_printf(f->arena, "/data/%zu/last_updated", i),
                             arena_printf(f->arena, "a time of the asked second from %s on",
                                          second_text(f, from)),
                             json_string_value(json_object_get(object, "last_updated")));
    }
    bool all = !page.next && (page.total < 0 || page.total <= (int64_t)page.count);
    if (all && !page_find(f->arena, &page, object_key(f->arena, list->chosen)))
        list->complaint = "the object is not listed: date_from is not inclusive";
    return FLOW_NEXT;
}

static enum flow_next ask_before_window(struct flow *f)
{
    struct selftest *t = selftest_of(f);

    if (t->list.chosen_us % US_PER_SECOND)
        return FLOW_NEXT; /* the border cannot be written in whole seconds */
    return ask_list(f, list_url(f, second_text(f, t->list.chosen_us - 3600 * US_PER_SECOND),
                                second_text(f, t->list.chosen_us), -1, WINDOW_LIMIT));
}

static enum flow_next judge_before_window(struct flow *f)
{
    struct selftest *t = selftest_of(f);
    struct listed *list = &t->list;
    struct page page;

    if (t->list.chosen_us % US_PER_SECOND == 0 &&
        page_read(f->arena, t->call.url, &t->answer, &page)) {
        const json_t *same = page_find(f->arena, &page, object_key(f->arena, list->chosen));
        if (same && object_changed(same) == list->chosen_us)
            return (t->peer.version == OCPI_2_1_1 ? tell_warn : tell_fail)(
                f, t->call.url, "date_to is exclusive",
                "an object whose last_updated is date_to is listed");
    }
    return list->complaint ? FLOW_NEXT : FLOW_DONE;
}

/* The object may have changed between the requests. */
static enum flow_next ask_chosen_again(struct flow *f)
{
    return ask_list(f, selftest_of(f)->list.first.url);
}

static enum flow_next judge_chosen_again(struct flow *f)
{
    struct selftest *t = selftest_of(f);
    const struct listed *list = &t->list;
    const json_t *same;
    struct page page;

    if (!page_read(f->arena, t->call.url, &t->answer, &page) ||
        !(same = page_find(f->arena, &page, object_key(f->arena, list->chosen))) ||
        object_changed(same) != list->chosen_us)
        return tell_skipped(f, "the object changed meanwhile");
    return (t->peer.version == OCPI_2_1_1 ? tell_warn : tell_fail)(
        f, "date_from",
        arena_printf(f->arena, "the object with last_updated %s",
                     json_string_value(json_object_get(list->chosen, "last_updated"))),
        list->complaint);
}

/* clang-format off */
const struct check list_checks[] = {
    {"list", "R-TRANS-40", "Answer GET of the module with a list of objects.", 0,
     {ask_first, judge_first, ask_with_slash, judge_with_slash}},
    {"objects", "R-TYPE-12", "Correct the member: an object that is not right is refused by who receives it.", 0,
     {judge_objects}},
    {"owners", "R-TRANS-18", "List objects of the parties of this connection only.", CHECK_SINCE_22,
     {judge_owners}},
    {"total", "R-TRANS-43", "Send X-Total-Count with the number of objects that match the filters.", 0,
     {judge_total}},
    {"x_limit", "R-TRANS-43", "Send X-Limit with the most objects that a page of yours may have.", 0,
     {judge_x_limit}},
    {"limit", "R-TRANS-40", "Send no more objects than limit asks for.", 0,
     {ask_small, judge_limit}},
    {"link", "R-TRANS-43", "Send a Link to the next page, on your own host, unless it is the last one.", 0,
     {judge_link}},
    {"link_filters", "R-TRANS-43", "Keep date_from and date_to of the request in the Link.", 0,
     {judge_filters}},
    {"pages", "R-TRANS-43", "Serve each page that a Link names.", 0,
     {follow, judge_followed}},
    {"order", "R-TRANS-45", "Order lists by creation with a unique tie-breaker, so that no object is on two pages.", 0,
     {judge_order}},
    {"total_stable", "R-TRANS-46", "Count all objects that match, whatever offset and limit are.", 0,
     {ask_total_again, judge_total_again}},
    {"end", "R-TRANS-43", "Leave the Link out of the last page.", 0,
     {ask_end, judge_end}},
    {"dates", "R-TRANS-41", "Filter by last_updated as date_from and date_to say.", 0,
     {ask_future, judge_nothing, ask_past, judge_nothing}},
    {"window", "R-TRANS-41", "Let date_from be inclusive and date_to exclusive, both by last_updated.", 0,
     {ask_window, judge_window, ask_before_window, judge_before_window, ask_chosen_again, judge_chosen_again}},
    {0},
};
/* clang-format on */

/* ---- sessions ---- */

static enum flow_next ask_without_date(struct flow *f)
{
    return ask_list(f, list_url(f, NULL, NULL, -1, 1));
}

static enum flow_next judge_without_date(struct flow *f)
{
    struct selftest *t = selftest_of(f);

    if (t->answer.http.outcome != HTTP_ANSWERED || answer_good(t))
        return tell_warn(f, t->call.url, "status_code 2001", answer_words(f));
    if (t->answer.status_code != OCPI_INVALID_PARAMETER)
        return tell_warn(f, t->call.url, "status_code 2001", answer_words(f));
    return FLOW_DONE;
}

/* clang-format off */
const struct check session_list_checks[] = {
    {"date_from_required", "R-TRANS-42", "Answer a list of Sessions without date_from with 2001.", 0,
     {ask_without_date, judge_without_date}},
    {0},
};
/* clang-format on */
