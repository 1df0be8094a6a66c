/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reservation commands: an EVSE is held for a driver, or let go.
 */
#ifndef HUB_CTL_RESERVATION_H
#define HUB_CTL_RESERVATION_H

#include <jansson.h>

struct arena;
struct command_line;

const char *reservation_body(struct arena *a, const struct command_line *line);
void reservation_print(struct arena *a, json_t *answer);

#endif
