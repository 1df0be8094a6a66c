/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Message log: turns exchanges with partners into rows (db/message.h), with secrets masked.
 */
#ifndef HUB_PARTNER_MESSAGE_LOG_H
#define HUB_PARTNER_MESSAGE_LOG_H

#include "adapters/ocpi_client.h"

struct partner;

/* An exchange we began: the observer of the OCPI client. */
void message_log_outgoing(const struct ocpi_exchange *exchange);

/* One object of a page that we fetched and did not take: the rest of the page was good. `url` is
 * the page's. */
void message_log_object(struct flow *f, const struct partner *p, const char *module, const char *id,
                        const char *url, const json_t *object, struct err e);

/* JSON text with the values of members named "token" masked (credentials objects); other text
 * unchanged. In the arena. */
const char *message_mask(struct arena *a, const char *module, const char *body, size_t length);

#endif
