/* SPDX-License-Identifier: Apache-2.0 */
/* Cursors: making the Link of a relayed list, and following it. */
#include "hub/relay/cursor.h"

#include <string.h>

#include "base/arena.h"
#include "base/id.h"
#include "base/log.h"
#include "base/text.h"
#include "ocpi/headers.h"
#include "ocpi/url.h"

enum { ROOM = 4096 };

static bool is_named(const char *pair, size_t length, const char *name)
{
    size_t name_length = strlen(name);

    return length >= name_length && strncmp(pair, name, name_length) == 0 &&
           (length == name_length || pair[name_length] == '=');
}

/* What a query may be made of (RFC 3986). */
static bool is_safe(const char *pair, size_t length)
{
    return strspn(pair, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                        "-._~%!$&'()*+,;=:@/?") >= length;
}

/* Where it still fits. */
static void add_pair(struct text *url, const char *pair, size_t length)
{
    if (length == 0 || !is_safe(pair, length) || url->length + 1 + length > URL_MAX)
        return;
    text_add(url, "&");
    text_add_bytes(url, pair, length);
}

const char *cursor_url(struct arena *a, const char *endpoint, const char *query, const char *id,
                       const char *next_url)
{
    static const char *const FROM_NEXT[] = {"offset", "limit"};
    const char *next = strchr(next_url, '?');
    struct text url;

    text_init(&url, a, ROOM);
    text_printf(&url, "%s?cursor=%s", endpoint, id);
    if (text_overflowed(&url) || url.length > URL_MAX)
        return NULL;
    for (size_t i = 0; next && i < sizeof(FROM_NEXT) / sizeof(*FROM_NEXT); i++) {
        const char *value = query_value(a, next + 1, FROM_NEXT[i], NULL);
        /* A number, or nothing that would help people. */
        if (!value || !*value || strspn(value, "0123456789") != strlen(value) || strlen(value) > 16)
            continue;
        const char *pair = arena_printf(a, "%s=%s", FROM_NEXT[i], value);
        add_pair(&url, pair, strlen(pair));
    }
    for (const char *p = query ? query : ""; *p;) {
        size_t length = strcspn(p, "&");

        if (!is_named(p, length, "cursor") && !is_named(p, length, "offset") &&
            !is_named(p, length, "limit"))
            add_pair(&url, p, length);
        p += length;
        p += *p == '&';
    }
    return url.bytes;
}

enum flow_next cursor_make(struct flow *f, struct relay_cursor *c, const struct peer *receiver,
                           const char *link, const char *endpoint, const char *query,
                           const char **ret_link)
{
    const char *next = link ? link_next(f->arena, link) : NULL;
    const char *url;

    *ret_link = NULL;
    if (!next)
        return FLOW_NEXT;
    if (!peer_owns_url(receiver, next)) {
        log_line(LOG_WARN, "a Link to a foreign host is not passed on",
                 LOG_TEXT("partner", receiver->name), LOG_TEXT("text", next));
        return FLOW_NEXT;
    }
    id_token(c->id, RELAY_CURSOR_ID - 1);
    c->receiver_id = receiver->partner_id;
    c->next_url = next;
    url = cursor_url(f->arena, endpoint, query, c->id, next);
    if (!url)
        return flow_fail(f, err_at(f->arena, ERR_INTERNAL, NULL,
                                   "our own Link has more than %d characters", URL_MAX));
    *ret_link = arena_printf(f->arena, "<%s>; rel=\"next\"", url);
    return relay_cursor_insert(f, c);
}

const char *cursor_in(struct arena *a, const char *query)
{
    size_t times;
    const char *cursor = query ? query_value(a, query, "cursor", &times) : NULL;

    if (!query || !times)
        return NULL;
    return cursor && times == 1 ? cursor : "";
}

enum flow_next cursor_look_up(struct flow *f, const char *cursor, struct cursor_open *o)
{
    o->found = (struct relay_cursor_found){0};
    if (strlen(cursor) != RELAY_CURSOR_ID - 1)
        return FLOW_NEXT;
    return relay_cursor_find(f, cursor, &o->found);
}

/* "" is nobody: what was not named has to stay so. */
static bool same_party(const struct party_id *a, const struct party_id *b)
{
    bool set = party_id_is_set(a);

    return set == party_id_is_set(b) && (!set || party_id_equal(a, b));
}

static struct err bad_cursor(struct arena *a, const char *why)
{
    struct err e = err_at(a, ERR_BAD_FIELD, "cursor", "cursor: %s", why);

    e.expected = "the URL of a Link header, as it was given, by the party it was given to";
    return err_rule(e, "R-ROUTE-51");
}

struct err cursor_opened(struct arena *a, const struct cursor_open *o, struct relay_cursor *ret)
{
    const struct relay_cursor *c = &o->found.cursor, *ask = o->ask;

    /* Whoever holds another's learns no more than that. */
    if (!o->found.found || c->requester_id != ask->requester_id ||
        strcmp(c->module, ask->module) != 0 || !same_party(&c->from, &ask->from) ||
        !same_party(&c->to, &ask->to))
        return bad_cursor(a, "it is none of this list and these parties");
    if (o->found.expired)
        return bad_cursor(a, "it is over; begin again with the list's first page");
    *ret = *c;
    return OK;
}
