/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Came: a short look at a value from outside, for people who have to find out why it was refused.
 * Never the whole of it, and never a secret.
 */
#ifndef OCPI_CAME_H
#define OCPI_CAME_H

#include <jansson.h>

struct arena;

enum { CAME_MAX = 80 }; /* bytes */

/* The JSON of the value, cut with "..." where it is longer than CAME_MAX. Members named "token" are
 * shown as "***", and so is the value itself if `member` is that name (NULL: it is no member). NULL
 * where nothing came. */
const char *came_of(struct arena *a, const char *member, const json_t *value);

#endif
