/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The directory of this process: all parties that are connected to us, as routing sees them. Made
 * once for each snapshot of the register of partners.
 */
#ifndef HUB_RELAY_DIRECTORY_H
#define HUB_RELAY_DIRECTORY_H

#include "base/flow.h"
#include "ocpi/routing.h"

/* That of the newest snapshot; it lives as long as the flow. */
const struct routing_directory *relay_directory(struct flow *f);

/* Contracts, as a question at this interface needs them: what is addressed to the sender of objects
 * needs the contract under which its owner tells them to who asks, everything else one under which
 * who asks may address the receiver. Between our own party and its partners none is needed. */
struct routing_contracts relay_contracts(struct flow *f, enum ocpi_interface interface);

#endif
