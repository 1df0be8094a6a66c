/* SPDX-License-Identifier: Apache-2.0 */
/* Jobs of finance: CDRs that are looked at again, cancellations that are due, the audit by night.
 */
#ifndef HUB_JOBS_FINANCE_H
#define HUB_JOBS_FINANCE_H

struct hub;

void finance_what_is_due(struct hub *hub); /* once a beat; works now and then */

#endif
