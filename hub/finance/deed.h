/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Deed: what a person of finance does by a POST, once for each Idempotency-Key (contract 1.2).
 *
 *   read: deed_read --> begin: deed_begin --> do it: deed_is_new, ..., deed_done
 *         --> keep: deed_keep (also_on_failure) --> answer: deed_answer
 *
 * "Do it" is one step, whatever it waits for, so that the key is kept or given back after it: with
 * the answer, or free where it failed. Should this process die in between, the key is free again a
 * minute later: so what is done must bear to be asked twice.
 */
#ifndef HUB_FINANCE_DEED_H
#define HUB_FINANCE_DEED_H

#include <stdbool.h>
#include <stddef.h>

#include "db/session.h"
#include "hub/request.h"

struct text;

struct deed {
    struct idempotency idempotency;
    struct idempotency_record earlier;
    int status;
    const char *answer; /* NULL: none was given yet */
};

/* required: without a key ERR_IDEMPOTENCY_REQUIRED. */
struct err deed_read(struct flow *f, struct deed *d, bool required);
enum flow_next deed_begin(struct flow *f, struct deed *d);
/* false: it has been answered, return FLOW_DONE. */
bool deed_is_new(struct flow *f, struct deed *d);
enum flow_next deed_done(struct deed *d, int status, const struct text *body);
enum flow_next deed_keep(struct flow *f, struct deed *d);
enum flow_next deed_answer(struct flow *f, const struct deed *d);

/*
 * Whether `confirmer` may confirm what `asker` has asked for: a member of staff under a name of
 * their own, and another one. Who comes with the admin token or over the admin socket may ask, but
 * not confirm: nobody can tell who that is.
 */
bool deed_second_person(const char *asker, const char *confirmer);

/* 1 to `most` characters, none of which steers a terminal. */
bool deed_text_is_good(const char *text, size_t most);

#endif
