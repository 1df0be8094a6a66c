/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Call: one request to the hub's admin API, on its unix socket or, with a token, by URL. Waits for
 * the answer on a loop of its own.
 */
#ifndef HUB_CTL_CALL_H
#define HUB_CTL_CALL_H

#include <stddef.h>
#include <stdio.h>

#include "adapters/http_client.h"

struct arena;

struct call {
    const char *socket; /* NULL: by url */
    const char *url;    /* "https://hub.example", no slash at the end */
    const char *token;  /* NULL: none */
    const char *method, *path;
    const char *body; /* NULL: none */
    const char *key;  /* Idempotency-Key; NULL: none */
    FILE *csv;        /* the answer is wanted as CSV, in this file, however long; or NULL */
};

/* What came back, or why nothing did, is in ret, which lives in the arena. An error only if the
 * call could not even be begun. */
struct err call_hub(struct arena *a, const struct call *call, struct http_answer *ret);

#endif
