/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Partner: what hubctl asks of the hub about connections.
 */
#ifndef HUB_CTL_PARTNER_H
#define HUB_CTL_PARTNER_H

#include <jansson.h>

struct arena;
struct command_line;

const char *partner_register_body(struct arena *a, const struct command_line *line);
const char *partner_invite_body(struct arena *a, const struct command_line *line);
/* {"host": second operand} */
const char *partner_approve_body(struct arena *a, const struct command_line *line);
/* NAME=VALUE of the second operand; a name alone is switched on. */
const char *partner_quirk_body(struct arena *a, const struct command_line *line);

void partner_print_left(struct arena *a, json_t *answer);

#endif
