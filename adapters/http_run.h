/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HTTP run: the call below http_send, for operations that are built on it and have work to do even
 * if the flow that asked has gone. Inside adapters/ only.
 */
#ifndef ADAPTERS_HTTP_RUN_H
#define ADAPTERS_HTTP_RUN_H

#include "adapters/http_client.h"

/* `call` is copied. done is called exactly once, perhaps before http_run returns; the answer lives
 * until done returns. */
void http_run(const struct http_call *call,
              void (*done)(void *context, const struct http_answer *answer), void *context);
/* The head of an answer, its lines with their ends. curl has refused NUL bytes in it. */
void http_answer_head(struct arena *a, const char *head, struct http_answer *ret);
void http_answer_copy(struct arena *a, const struct http_answer *from, struct http_answer *ret);

#endif
