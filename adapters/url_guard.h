/* SPDX-License-Identifier: Apache-2.0 */
/*
 * URL guard: which URLs that came from outside may be called at all.
 */
#ifndef ADAPTERS_URL_GUARD_H
#define ADAPTERS_URL_GUARD_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "ocpi/url.h"

struct arena;
struct sockaddr;

struct url_guard; /* the networks of allow_private_urls, parsed */
struct err url_guard_new(const char *const *allow_private_urls, struct url_guard **ret);
void url_guard_free(struct url_guard *g);

/* The one strict parser: ERR_URL_REFUSED with the reason for anything odd (user info, fragment,
 * numeric host forms, control or non-ASCII bytes, > 255 characters, other schemes; http or ports
 * other than 443 only for hosts inside the allowed private networks). */
struct err url_guard_parse(const struct url_guard *g, struct arena *a, const char *url,
                           struct url *ret);
/* The same for a URL that we put together ourselves from a partner's (a query was added). */
struct err url_guard_parse_up_to(const struct url_guard *g, struct arena *a, const char *url,
                                 size_t max, struct url *ret);
/* http, or another port than 443: then the socket's address must be in an allowed network. */
bool url_guard_needs_private(const struct url *url);
bool url_guard_address_private(const struct url_guard *g, const struct sockaddr *address);
/* Is this resolved address public, or inside an allowed network? */
bool url_guard_address_ok(const struct url_guard *g, const struct sockaddr *address);
/* The guard of this process's client. */
const struct url_guard *http_client_guard(void);

#endif
