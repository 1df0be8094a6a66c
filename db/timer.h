/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Timers: waits longer than a request are rows with a due time. They survive restarts and each is
 * worked by one process at a time. Most of what they do is one statement (timer_run); what needs
 * the network comes back as a list of things to do.
 */
#ifndef DB_TIMER_H
#define DB_TIMER_H

#include "base/flow.h"
#include "db/session.h"

struct timer_effects {
    struct session *sessions; /* changed: after_session_change() for each */
    size_t session_count;
    int64_t *pull_sessions; /* partner ids whose sessions shall be pulled now */
    size_t pull_count;
};
/* Runs what is due: start_deadline, result_timeout, stop_retry, session_stale, energy_target,
 * max_session, cdr_overdue, force_close after 7 days, leases that ran out, retention. */
enum flow_next timer_run(struct flow *f, int limit, struct timer_effects *ret);

#endif
