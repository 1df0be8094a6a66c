/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Message: the commands that read the hub's message log.
 */
#ifndef HUB_CTL_MESSAGE_H
#define HUB_CTL_MESSAGE_H

#include <jansson.h>

struct arena;
struct command_line;

const char *message_list_query(struct arena *a, const struct command_line *line);
void message_print_list(struct arena *a, json_t *answer);
void message_print(struct arena *a, json_t *answer);   /* all that is known of one */
void message_explain(struct arena *a, json_t *answer); /* why it was refused */

#endif
