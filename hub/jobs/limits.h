/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Limits: sessions that have reached their tariff's max_charging_time or their driver's credit
 * limit are stopped. When to look stands in the database, so it survives restarts.
 */
#ifndef HUB_JOBS_LIMITS_H
#define HUB_JOBS_LIMITS_H

struct hub;

void limits_look(struct hub *hub); /* at what is due */

#endif
