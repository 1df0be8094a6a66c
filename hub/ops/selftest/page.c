/* SPDX-License-Identifier: Apache-2.0 */
/* Page: reading, and the questions that it answers alone. */
#include "hub/ops/selftest/page.h"

#include <string.h>

#include "base/arena.h"
#include "base/json.h"
#include "base/text.h"
#include "base/time.h"
#include "ocpi/headers.h"
#include "ocpi/url.h"

bool page_read(struct arena *a, const char *url, const struct ocpi_answer *answer, struct page *ret)
{
    const struct http_answer *http = &answer->http;

    *ret = (struct page){.url = url, .total = -1, .limit = -1};
    if (http->outcome != HTTP_ANSWERED || !envelope_is_success(&answer->envelope) ||
        !json_is_array(answer->data))
        return false;
    ret->objects = answer->data;
    ret->count = json_array_size(answer->data);
    const char *total = http_answer_header(http, "x-total-count");
    const char *limit = http_answer_header(http, "x-limit");
    const char *link = http_answer_header(http, "link");
    ret->total = total ? header_count(total) : -1;
    ret->limit = limit ? header_count(limit) : -1;
    ret->next = link ? link_next(a, link) : NULL;
    return true;
}

/* ---- Link ---- */

bool link_wrong(const struct peer *peer, const struct page *page, struct link_fault *ret)
{
    if (!page->next)
        return false;
    *ret = (struct link_fault){.got = page->next};
    if (strcmp(page->next, page->url) == 0) {
        ret->rule = "R-TRANS-43";
        ret->expected = "the next page, not the one that was asked for";
    } else if (!peer_owns_url(peer, page->next)) {
        ret->rule = "R-TRANS-47";
        ret->expected = "a URL on the host of the endpoint";
    } else if (strlen(page->next) > URL_MAX) {
        ret->rule = "R-TYPE-10";
        ret->expected = "a URL of at most 255 characters";
    } else {
        return false;
    }
    return true;
}

static const char *query_of(const char *url)
{
    const char *mark = strchr(url, '?');

    return mark ? mark + 1 : "";
}

static bool same_time(const char *one, const char *other)
{
    int64_t a, b;

    return strcmp(one, other) == 0 ||
           (time_parse(one, TIME_OCPI, &a) && time_parse(other, TIME_OCPI, &b) && a == b);
}

bool link_drops_filter(struct arena *a, const struct page *page, struct link_fault *ret)
{
    static const char *const FILTERS[] = {"date_from", "date_to"};

    for (size_t i = 0; page->next && i < sizeof FILTERS / sizeof *FILTERS; i++) {
        const char *asked = query_value(a, query_of(page->url), FILTERS[i], NULL);
        const char *kept = query_value(a, query_of(page->next), FILTERS[i], NULL);
        if (!asked || (kept && same_time(asked, kept)))
            continue;
        *ret = (struct link_fault){
            .rule = "R-TRANS-43",
            .expected = arena_printf(a, "%s=%s in the Link", FILTERS[i], asked),
            .got = page->next,
        };
        return true;
    }
    return false;
}

/* ---- objects ---- */

const char *object_key(struct arena *a, const json_t *object)
{
    static const char *const IDS[] = {"id", "uid", "role"};
    const char *country = json_text_of(object, "country_code");
    const char *party = json_text_of(object, "party_id");
    const char *type = json_text_of(object, "type"), *id = NULL;

    for (size_t i = 0; !id && i < sizeof IDS / sizeof *IDS; i++)
        id = json_text_of(object, IDS[i]);
    if (!id)
        return NULL;
    /* The type is part of a Token's key (R-TOK-01) and does no harm in that of others. */
    char *key = arena_printf(a, "%s/%s/%s/%s", country ? country : "", party ? party : "", id,
                             type ? type : "");
    text_to_lower(key);
    return key;
}

const json_t *page_find(struct arena *a, const struct page *page, const char *key)
{
    size_t i;
    const json_t *object;

    json_array_foreach(page->objects, i, object)
    {
        const char *its = object_key(a, object);
        if (its && strcmp(its, key) == 0)
            return object;
    }
    return NULL;
}

int64_t object_changed(const json_t *object)
{
    const char *text = json_text_of(object, "last_updated");
    int64_t us;

    return text && time_parse(text, TIME_OCPI_ANY_OFFSET, &us) ? us : TIME_NONE;
}

static bool is_empty(const json_t *value)
{
    return !value || json_is_null(value) || (json_is_array(value) && !json_array_size(value));
}

static bool same_value(const json_t *sent, const json_t *got)
{
    if (json_is_string(sent) && json_is_string(got))
        return same_time(json_string_value(sent), json_string_value(got)) ||
               text_equal_caseless(json_string_value(sent), json_string_value(got));
    if (json_is_number(sent) && json_is_number(got)) {
        int64_t a, b;
        return json_number_u6(sent, false, &a) && json_number_u6(got, false, &b) && a == b;
    }
    return json_equal(sent, got);
}

const char *object_differs(struct arena *a, const json_t *sent, const json_t *got)
{
    const char *key, *below;
    json_t *value;
    size_t i;

    if (is_empty(sent) && is_empty(got))
        return NULL;
    if (json_is_object(sent) && json_is_object(got)) {
        json_object_foreach((json_t *)(uintptr_t)sent, key, value)
        {
            below = object_differs(a, value, json_object_get(got, key));
            if (below)
                return arena_printf(a, "/%s%s", key, below);
        }
        return NULL;
    }
    if (json_is_array(sent) && json_is_array(got) &&
        json_array_size(sent) == json_array_size(got)) {
        json_array_foreach(sent, i, value)
        {
            below = object_differs(a, value, json_array_get(got, i));
            if (below)
                return arena_printf(a, "/%zu%s", i, below);
        }
        return NULL;
    }
    return same_value(sent, got) ? NULL : "";
}
