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

#include "base/flow.h"

struct message {
    bool outgoing;
    int64_t partner_id;    /* 0: not known */
    const char *from, *to; /* "FI*VRT"; may be NULL */
    const char *module, *method, *path, *object_id;
    const char *request_id, *correlation_id, *session_id;
    int http_status, ocpi_status; /* 0: none */
    int64_t at_us, duration_ms;
    const char *error, *where;          /* why it was refused or failed, and the JSON pointer */
    const char *rule, *came, *expected; /* as in struct err */
    const char *losses; /* JSON [{field, value, reason}]: what a translation could not carry */
    bool refused;       /* we, or the partner, did not take it */
    const char *request_body, *response_body; /* secrets already masked; cut at 256 KiB */
};

struct message_filter {
    int64_t partner_id;                                           /* 0: any */
    const char *module, *object_id, *correlation_id, *session_id; /* NULL: any; ids in any case */
    bool refused;                                                 /* refused ones only */
    int64_t from_us, to_us; /* from (inclusive) to (exclusive); TIME_NONE: open */
    const char *before;     /* a message's id: older ones than that */
    int64_t limit;
};
/* The newest first, as a JSON list. */
enum flow_next message_list(struct flow *f, const struct message_filter *filter,
                            const char **ret_document);
/* One with its bodies (if they are still kept) and how often the same was refused in the last 30
 * days: JSON; NULL: no such message. */
enum flow_next message_show(struct flow *f, const char *id, const char **ret_document);

void message_log(const struct message *m); /* copies what it needs */
void message_flush(void);                  /* at shutdown: starts the last batch */
/* Drops the partitions that are wholly older; a timer calls it a few times a day. */
void message_forget(int64_t keep_days, int64_t keep_body_days);

#endif
