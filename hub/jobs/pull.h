/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pull: fetching a partner's objects page by page, after a handshake and on a schedule. Each page
 * is a piece of work of its own, claimed in the database, so a pull goes on where it was.
 */
#ifndef HUB_JOBS_PULL_H
#define HUB_JOBS_PULL_H

struct hub;

void pull_what_is_due(struct hub *hub);

#endif
