/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Peer: finding its endpoints, knowing its hosts.
 */
#include "ocpi/peer.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/text.h"
#include "ocpi/url.h"

enum { URL_ARENA = 64 * 1024, HOST_TEXT = 280 };

static const char *const encodings[] = {"auto", "raw", "base64"};

const char *auth_encoding_name(enum auth_encoding encoding)
{
    return encodings[encoding];
}

bool auth_encoding_parse(const char *name, enum auth_encoding *ret)
{
    for (unsigned i = 0; i < sizeof(encodings) / sizeof(encodings[0]); i++) {
        if (strcmp(encodings[i], name) == 0) {
            *ret = (enum auth_encoding)i;
            return true;
        }
    }
    return false;
}

const char *peer_endpoint(const struct peer *peer, const char *module, enum ocpi_interface role)
{
    bool any_role = strcmp(module, MODULE_CREDENTIALS) == 0;

    for (size_t i = 0; i < peer->endpoint_count; i++) {
        const struct peer_endpoint *e = &peer->endpoints[i];

        if (strcmp(e->module, module) == 0 &&
            (any_role || e->role == OCPI_INTERFACE_NONE || e->role == role))
            return e->url;
    }
    return NULL;
}

/* A slash at the end of the path, before any query. */
static char *with_slash(struct arena *a, const char *url)
{
    size_t path = strcspn(url, "?");

    if (path > 0 && url[path - 1] == '/')
        return arena_text(a, url);
    return arena_printf(a, "%.*s/%s", (int)path, url, url + path);
}

char *peer_url(struct arena *a, const struct peer *peer, const char *module,
               enum ocpi_interface role, ...)
{
    const char *endpoint = peer_endpoint(peer, module, role), *segment;
    va_list segments;
    char *url;

    if (!endpoint)
        return NULL;
    url = arena_text(a, endpoint);
    va_start(segments, role);
    while ((segment = va_arg(segments, const char *)))
        url = url_join(a, url, segment, NULL);
    va_end(segments);
    return peer->quirks.trailing_slash ? with_slash(a, url) : url;
}

const char *peer_own_id(struct arena *a, const struct peer *peer, const char *id)
{
    if (!peer->quirks.lower_case_ids || !id)
        return id;
    char *lower = arena_text(a, id);
    text_to_lower(lower);
    return lower;
}

static bool is_listed(const struct peer *peer, const struct url *url)
{
    char with_port[HOST_TEXT];
    bool default_port = url->port == (url->tls ? 443U : 80U);

    snprintf(with_port, sizeof(with_port), "%s:%u", url->host, url->port);
    for (size_t i = 0; i < peer->host_count; i++) {
        if (text_equal_caseless(peer->hosts[i], with_port))
            return true;
        if (default_port && text_equal_caseless(peer->hosts[i], url->host))
            return true;
    }
    return false;
}

static bool same_origin(struct arena *a, const struct url *url, const char *other)
{
    struct url theirs;

    return other && url_parse(a, other, &theirs) && url_same_origin(url, &theirs);
}

bool peer_owns_url(const struct peer *peer, const char *url)
{
    struct arena *a = arena_new(URL_ARENA + strlen(url));
    struct url parsed;
    bool owns = false;

    if (url_parse(a, url, &parsed)) {
        owns = same_origin(a, &parsed, peer->versions_url) || is_listed(peer, &parsed);
        for (size_t i = 0; !owns && i < peer->endpoint_count; i++)
            owns = same_origin(a, &parsed, peer->endpoints[i].url);
    }
    arena_free(a);
    return owns;
}
