/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inspect: one session with everything that belongs to it, for those who run the hub.
 */
#ifndef DB_INSPECT_H
#define DB_INSPECT_H

#include "base/flow.h"

/* JSON: {session, events, operations, network_session, cdrs, receipts, cases}, built by one
 * statement; NULL where there is no such session. */
enum flow_next session_inspect(struct flow *f, const char *session_id, const char **ret_document);

#endif
