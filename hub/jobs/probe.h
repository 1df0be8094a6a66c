/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Probe: partners that have been silent, or that a breaker has just been opened for, are asked for
 * their versions (R-HCI-08).
 */
#ifndef HUB_JOBS_PROBE_H
#define HUB_JOBS_PROBE_H

struct hub;

void probe_start(struct hub *hub); /* hears of breakers from now on */
void probe_who_is_silent(struct hub *hub);

#endif
