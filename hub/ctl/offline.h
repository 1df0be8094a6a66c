/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Offline: the commands that need no hub. They work on documents in files: what a session costs by
 * a tariff, and what a document is in another version of OCPI.
 */
#ifndef HUB_CTL_OFFLINE_H
#define HUB_CTL_OFFLINE_H

struct arena;
struct command_line;

/* Both give the status to end with. */
int offline_price(struct arena *a, const struct command_line *line);
int offline_translate(struct arena *a, const struct command_line *line);

#endif
