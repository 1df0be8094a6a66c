/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a client likes best of what we have: Accept and Accept-Language (RFC 9110, 12.5). Pure.
 *
 * An element that is not well-formed is passed over, and a header without a single good one counts
 * as absent: nobody is refused for a typing error.
 */
#ifndef HUB_SERVER_HTTP_ACCEPT_H
#define HUB_SERVER_HTTP_ACCEPT_H

#include <stddef.h>

enum { HTTP_ACCEPT_NONE = -1 };

/* The best of the offered media types ("text/html"): the greatest weight that the most precise
 * range gives it; among equals the one offered first. No header: the first. HTTP_ACCEPT_NONE: none
 * will do. */
int http_accept_type(const char *header, const char *const *offered, size_t count);

/* The same for languages ("en", in lower case): a range "de-AT" also takes "de", and "*" whatever
 * is named nowhere else. HTTP_ACCEPT_NONE: no header, or none of them: then it is ours to choose.
 */
int http_accept_language(const char *header, const char *const *offered, size_t count);

#endif
