/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The life of a partner after its registration (R-HCI-05): probes, and what operators do. Each
 * change is notified, so that db/partner.h has it soon.
 *
 *   planned ── registers ──► connected ◄── seen or probed ──► offline (two failed probes,
 *      ▲                        │                                or it has unregistered)
 *      └── invited again        └── partner_suspend ──► suspended ── partner_resume ──► ...
 */
#ifndef DB_PARTNER_LIFE_H
#define DB_PARTNER_LIFE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/flow.h"
#include "ocpi/party.h"
#include "ocpi/words.h"

/* ---- probes (R-HCI-08) ---- */

struct partner_ids {
    int64_t *items;
    size_t count;
};
/* Connected or offline partners that have been silent so long; each is claimed for 30 s. */
enum flow_next partner_probe_due(struct flow *f, int limit, int64_t silence_s,
                                 struct partner_ids *ret);
/* An answer with a valid envelope is ok; two that are not, in a row: offline. */
enum flow_next partner_probed(struct flow *f, int64_t partner_id, bool ok);

/* Pushes to it were dropped; or it has fetched everything again. */
enum flow_next partner_needs_resync(struct flow *f, int64_t partner_id, bool needs);

/* ---- operators: found=false where there is nothing to change ---- */

/* Its credentials stay, so that it can be resumed; until then nothing of it works. */
enum flow_next partner_suspend(struct flow *f, int64_t partner_id, bool *ret_found);
enum flow_next partner_resume(struct flow *f, int64_t partner_id, bool *ret_found);

/* value: JSON ("true", "\"raw\""); NULL takes the quirk away. The caller knows the names. */
enum flow_next partner_quirk_set(struct flow *f, int64_t partner_id, const char *name,
                                 const char *value, bool *ret_found);

/* The partner asks to move; host as in peer.hosts, NULL: it does not any more. An approval is of
 * that one host only. */
enum flow_next partner_host_ask(struct flow *f, int64_t partner_id, const char *host,
                                bool *ret_found);
enum flow_next partner_host_approve(struct flow *f, int64_t partner_id, const char *host,
                                    bool *ret_found);

/* A pending role becomes one of the partner's parties. */
enum partner_party_approved { PARTY_APPROVED, PARTY_UNKNOWN, PARTY_TAKEN };
enum flow_next partner_party_approve(struct flow *f, int64_t partner_id, const struct party_id *id,
                                     enum ocpi_role role, enum partner_party_approved *ret);

#endif
