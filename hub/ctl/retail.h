/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Retail commands: what users pay, by which VAT, and what is odd about the networks' tariffs: what
 * they ask and show (rows of the table in commands.c).
 */
#ifndef HUB_CTL_RETAIL_H
#define HUB_CTL_RETAIL_H

#include "hub/ctl/command.h"

/* The bytes of a file, "-" for standard input; NULL: complained of, on standard error. */
const char *retail_file(struct arena *a, const char *path);

const char *retail_show_query(struct arena *a, const struct command_line *line);
const char *retail_withdraw_body(struct arena *a, const struct command_line *line);
void retail_print(struct arena *a, json_t *answer);
void retail_print_list(struct arena *a, json_t *answer);
void retail_print_whole(struct arena *a, json_t *answer);

const char *vat_set_body(struct arena *a, const struct command_line *line);
const char *vat_list_query(struct arena *a, const struct command_line *line);
void vat_print(struct arena *a, json_t *answer);

const char *group_set_body(struct arena *a, const struct command_line *line);
const char *group_add_body(struct arena *a, const struct command_line *line);
const char *group_remove_query(struct arena *a, const struct command_line *line);
void group_print(struct arena *a, json_t *answer);

const char *lint_query(struct arena *a, const struct command_line *line);
const char *lint_approve_body(struct arena *a, const struct command_line *line);
void lint_print(struct arena *a, json_t *answer);

#endif
