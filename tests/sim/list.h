/* SPDX-License-Identifier: Apache-2.0 */
/*
 * List: what is served by pages, with what may go wrong there.
 */
#ifndef TESTS_SIM_LIST_H
#define TESTS_SIM_LIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tests/sim/pen.h"

struct call;

/* How many there are, when one changed (TIME_NONE: not there), and how it prints. */
struct list {
    const char *module;
    size_t count;
    int64_t (*changed_us)(struct sim *sim, size_t index);
    void (*print)(struct pen pen, size_t index);
    const char *needed; /* a required member of its objects, for bad-object-in-page */
};

void serve_list(struct call *call, const struct list *list, bool date_from_required);

#endif
