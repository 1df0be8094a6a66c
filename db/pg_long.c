/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Long statements: a flow waits for the answer of an export.
 */
#include "db/pg_long.h"

#include <assert.h>
#include <stdlib.h>

#include "base/metrics.h"
#include "base/time.h"
#include "db/export_pg.h"
#include "db/statements.h"

/* On the heap, because the flow may end before the statement does. */
struct long_run {
    struct flow_ticket ticket;
    int statement;
    int64_t since_ms;
    pg_take *take;
    void *ret;
};

static void finish(void *arg, const PGresult *rows, struct err e)
{
    struct long_run *l = arg;
    struct flow_ticket ticket = l->ticket;
    struct flow *f = flow_ticket_flow(ticket);

    metric_observe_us(METRIC_STORE_SECONDS, "postgres", statements[l->statement].name,
                      (time_monotonic_ms() - l->since_ms) * 1000);
    if (f && !failed(e))
        e = l->take(f, rows, l->ret);
    free(l);
    flow_resume(ticket, e);
}

enum flow_next pg_run_long(struct flow *f, int statement, const struct pg_args *args, pg_take *take,
                           void *ret)
{
    struct long_run *l = malloc(sizeof *l);

    assert(l);
    *l = (struct long_run){flow_wait(f), statement, time_monotonic_ms(), take, ret};
    struct err e = export_ask(statement, args, finish, l);
    if (failed(e))
        finish(l, NULL, e);
    return FLOW_WAIT;
}
