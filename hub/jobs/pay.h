/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pay: what the hub has to say to the payment service provider, and what it has to ask it. Off
 * unless one is configured.
 */
#ifndef HUB_JOBS_PAY_H
#define HUB_JOBS_PAY_H

struct hub;

/* On each beat: calls that are due, payments to look at, the payout report of yesterday. */
void pay_what_is_due(struct hub *hub);

#endif
