/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Partner test: hubctl begins a test of a partner, and shows what it finds as it comes.
 */
#ifndef HUB_CTL_PARTNER_TEST_H
#define HUB_CTL_PARTNER_TEST_H

#include "hub/ctl/call.h"
#include "hub/ctl/command.h"

const char *partner_test_body(struct arena *a, const struct command_line *line);
/* After the answer that names the test: until it has finished. The exit status. */
int partner_test_follow(struct arena *a, const struct command_line *line, const struct call *call,
                        json_t *answer);

#endif
