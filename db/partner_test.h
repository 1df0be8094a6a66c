/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tests of partners: one row for each test, one for each thing that a check had to say. Rows come
 * while the test runs; whoever asks sees how far it is.
 */
#ifndef DB_PARTNER_TEST_H
#define DB_PARTNER_TEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/flow.h"

/* Texts are NULL where there is nothing to say. */
struct partner_check {
    int64_t seq;
    const char *name; /* "locations.total" */
    const char *module;
    const char *result; /* "pass", "warn", "fail", "skipped" */
    const char *rule;   /* "R-TRANS-43" */
    const char *place;  /* JSON pointer, header, or URL */
    const char *expected, *got;
    const char *advice; /* what the partner's developer can do */
};

struct partner_test {
    int64_t id; /* 0: no such test */
    bool full, running;
    int64_t started_us, finished_us; /* TIME_NONE: never finished */
    struct partner_check *checks;
    size_t count;
};

/* *ret_id 0: a test of this partner is running already. */
enum flow_next partner_test_begin(struct flow *f, int64_t partner_id, bool full, int64_t *ret_id);
enum flow_next partner_check_add(struct flow *f, int64_t test_id,
                                 const struct partner_check *checks, size_t count);
enum flow_next partner_test_end(struct flow *f, int64_t test_id);
/* The test without its checks, then those. */
enum flow_next partner_test_get(struct flow *f, int64_t partner_id, int64_t test_id,
                                struct partner_test *ret);
enum flow_next partner_check_list(struct flow *f, int64_t test_id, struct partner_test *ret);

#endif
