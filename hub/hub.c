/* SPDX-License-Identifier: Apache-2.0 */
/* Hub: what everybody in a worker needs of it. */
#include "hub/hub.h"

#include "db/contract.h"
#include "db/db.h"
#include "db/partner.h"

enum { JOB_BYTES = 256 * 1024 * 1024 }; /* a pulled page: read, checked, printed, stored */

bool hub_is_ready(struct hub *hub)
{
    if (!hub->was_ready && db_health() == DB_UP && partner_register_ready() && contracts_ready())
        hub->was_ready = true;
    return hub->was_ready;
}

void hub_job(struct hub *hub, const struct flow_type *type,
             void (*fill)(void *state, void *context), void *context)
{
    struct flow *f = flow_new(
        type, &(struct flow_options){.loop = hub->loop, .app = hub, .arena_max = JOB_BYTES});

    if (fill)
        fill(f->state, context);
    flow_run(f);
}
