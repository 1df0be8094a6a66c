/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The message log: every OCPI exchange, in and out, leaves a row. Written in batches off the
 * request path; under pressure rows are dropped and counted, never waited for.
 */
#ifndef DB_MESSAGE_H
#define DB_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct message {
    bool outgoing;
    int64_t partner_id; /* 0: not known */
    const char *from, *to; /* "FI*VRT"; may be NULL */
    const char *module, *method, *path, *object_id;
    const char *request_id, *correlation_id, *session_id;
    int http_status, ocpi_status; /* 0: none */
    int64_t at_us, duration_ms;
    const char *error, *where; /* why it was refused or failed, and the JSON pointer */
    const char *request_body, *response_body; /* secrets already masked; cut at 256 KiB */
};

void message_log(const struct message *m); /* copies what it needs */
void message_flush(void);                  /* at shutdown: starts the last batch */
/* Drops the partitions that are wholly older; a timer calls it a few times a day. */
void message_forget(int64_t keep_days, int64_t keep_body_days);

#endif
