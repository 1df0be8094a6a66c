/* SPDX-License-Identifier: Apache-2.0 */
/* Watch: look, sleep, look again. */
#include "hub/ops/watch.h"

#include "base/time.h"
#include "hub/hub.h"
#include "hub/jobs/jobs.h"

enum { WAIT_MS = 15000, LOOK_AGAIN_MS = 200 };

enum flow_next watch_operation(struct flow *f, struct watch *w)
{
    if (!w->until_ms) {
        w->until_ms = time_monotonic_ms() + WAIT_MS;
        dispatch_operations(hub_of(f), NULL);
    }
    if (!w->looked) {
        w->looked = true;
        operation_get(f, w->operation_id, &w->state);
        return FLOW_AGAIN;
    }
    if (w->state.finished || time_monotonic_ms() >= w->until_ms)
        return FLOW_NEXT;
    w->looked = false;
    flow_sleep(f, LOOK_AGAIN_MS);
    return FLOW_AGAIN;
}

struct err watch_refusal(struct flow *f, const struct watch *w)
{
    const char *said = w->state.detail ? w->state.detail : "no reason was given";

    switch (w->state.outcome) {
    case OCPI_OUTCOME_ACCEPTED:
        return OK;
    case OCPI_OUTCOME_NOT_SUPPORTED:
        return err_at(f->arena, ERR_NETWORK_CANNOT, NULL, "The network does not support this: %s.",
                      said);
    case OCPI_OUTCOME_TOO_OFTEN:
        return err_new(ERR_PROFILE_TOO_OFTEN);
    case OCPI_OUTCOME_NOT_SENT:
        return err_at(f->arena, ERR_PEER_UNREACHABLE, NULL, "The network cannot be reached: %s.",
                      said);
    case OCPI_OUTCOME_UNCLEAR:
    case OCPI_OUTCOME_RETRY:
        return err_at(f->arena, ERR_PEER_TIMEOUT, NULL,
                      "The network has not said what became of it: %s.", said);
    case OCPI_OUTCOME_REJECTED:
    case OCPI_OUTCOME_UNKNOWN_SESSION:
    case OCPI_OUTCOME_IGNORED:
        break;
    }
    return err_at(f->arena, ERR_PEER_REJECTED, NULL, "The network refused: %s.", said);
}
