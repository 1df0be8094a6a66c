/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Contract commands: what they ask and show (rows of the table in commands.c).
 */
#ifndef HUB_CTL_CONTRACT_H
#define HUB_CTL_CONTRACT_H

#include "hub/ctl/command.h"

const char *contract_allow_body(struct arena *a, const struct command_line *line);
const char *contract_deny_body(struct arena *a, const struct command_line *line);
const char *contract_list_query(struct arena *a, const struct command_line *line);
void contract_print(struct arena *a, json_t *answer);
void contract_print_list(struct arena *a, json_t *answer);

#endif
