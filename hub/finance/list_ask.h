/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a list for finance people is asked for: its query parameters. What is wrong with one becomes
 * a field error, and the parameter counts as not given.
 */
#ifndef HUB_FINANCE_LIST_ASK_H
#define HUB_FINANCE_LIST_ASK_H

#include "hub/request.h"

/* The value of a parameter; NULL: not given, or empty. */
const char *list_given(struct flow *f, const char *name);
/* A parameter that the list does not know may be a misspelt one, and one that is empty, given twice
 * or badly encoded asks for something: the answer would be more than was asked. `known` ends with
 * NULL. Comes first: what it complains about counts as not given afterwards. */
void list_check_names(struct flow *f, struct field_errors *errors, const char *const *known);
/* A date is the begin of its day in UTC. TIME_NONE: not given. */
int64_t list_time(struct flow *f, struct field_errors *errors, const char *name);
/* from and to, in that order. */
void list_period(struct flow *f, struct field_errors *errors, int64_t *ret_from_us,
                 int64_t *ret_to_us);
/* One of the words, which end with NULL; NULL: not given. */
const char *list_word(struct flow *f, struct field_errors *errors, const char *name,
                      const char *const *words);
/* "month": "2026-11", which is required; NULL where it is wrong. */
const char *list_month(struct flow *f, struct field_errors *errors);
/* "network": a partner's name or number; 0: not given. */
int64_t list_network(struct flow *f, struct field_errors *errors);
/* The number in a path; 0: none that there could be. */
int64_t list_id(const char *text);

#endif
