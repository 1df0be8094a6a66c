/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Probe.
 *
 *    claim who is due --> GET versions, each in a flow of its own --> note whether it is alive
 *
 * Two failures in a row make a partner offline; an answer brings it back, and what was missed
 * meanwhile is pulled. The breaker of this process hears of each probe as of any other call, so
 * that it closes when the partner is back.
 */
#include "hub/jobs/probe.h"

#include "adapters/network.h"
#include "base/log.h"
#include "base/time.h"
#include "db/partner.h"
#include "db/partner_life.h"
#include "hub/hub.h"

enum { AT_ONCE = 20, SUSPECT_PAUSE_MS = 10000 };

/* ---- one partner ---- */

struct probe {
    int64_t partner_id;
    bool suspect; /* the breaker opened: two probes tell at once whether it is offline */
    const struct partner *partner;
    bool up;
};

static enum flow_next ask(struct flow *f)
{
    struct probe *p = f->state;

    p->partner = partner_find(f, p->partner_id);
    if (!p->partner || !secret_is_set(p->partner->peer.token))
        return FLOW_DONE;
    return network_ocpi.health(f, &p->partner->peer, &p->up);
}

static enum flow_next note(struct flow *f)
{
    const struct probe *p = f->state;

    if (!p->up)
        log_line(LOG_WARN, "a partner does not answer a probe",
                 LOG_TEXT("partner", p->partner->name), LOG_TEXT("state", p->partner->state));
    return partner_probed(f, p->partner_id, p->up);
}

static enum flow_next pause_if_suspect(struct flow *f)
{
    const struct probe *p = f->state;

    return p->suspect && !p->up ? flow_sleep(f, SUSPECT_PAUSE_MS) : FLOW_DONE;
}

static const struct flow_step probe_steps[] = {
    {"ask for its versions", ask},
    {"note whether it is alive", note},
    {"wait if it is a suspect", pause_if_suspect},
    {"ask once more", ask},
    {"note whether it is alive now", note},
    {0},
};

static const struct flow_type probe_flow = {
    .name = "probe_partner",
    .state_size = sizeof(struct probe),
    .deadline_ms = SECONDS(45),
    .steps = probe_steps,
};

static void probe_fill(void *state, void *context)
{
    *(struct probe *)state = *(const struct probe *)context;
}

static struct hub *to_be_told;

static void on_breaker_opened(int64_t partner_id)
{
    struct probe p = {.partner_id = partner_id, .suspect = true};

    if (!to_be_told->draining)
        hub_job(to_be_told, &probe_flow, probe_fill, &p);
}

void probe_start(struct hub *hub)
{
    to_be_told = hub;
    network_breaker_observe(on_breaker_opened);
}

/* ---- who is due ---- */

struct probes {
    struct partner_ids due;
};

static enum flow_next claim(struct flow *f)
{
    struct probes *p = f->state;

    return partner_probe_due(f, AT_ONCE, hub_of(f)->settings->probe_silence_ms / 1000, &p->due);
}

static enum flow_next begin(struct flow *f)
{
    const struct probes *p = f->state;

    for (size_t i = 0; i < p->due.count; i++) {
        struct probe one = {.partner_id = p->due.items[i]};
        hub_job(hub_of(f), &probe_flow, probe_fill, &one);
    }
    return FLOW_NEXT;
}

static const struct flow_step steps[] = {
    {"claim who is due", claim}, {"begin with each", begin}, {0}};

static const struct flow_type probes_flow = {
    .name = "probes",
    .state_size = sizeof(struct probes),
    .deadline_ms = SECONDS(10),
    .steps = steps,
};

void probe_who_is_silent(struct hub *hub)
{
    if (!hub->draining && partner_register_ready())
        hub_job(hub, &probes_flow, NULL, NULL);
}
