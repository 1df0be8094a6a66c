/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lint: each version of a network's tariff is looked at once, soon after it came. What is odd about
 * it is kept with it and shown to operations (`hubctl tariff lint`).
 */
#ifndef HUB_JOBS_LINT_H
#define HUB_JOBS_LINT_H

struct hub;

void lint_look(struct hub *hub); /* at what nobody has looked at */

#endif
