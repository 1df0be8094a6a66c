/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Record: everything received and everything sent, so that a test can say "exactly one
 * START_SESSION". The latest RECORD_KEPT exchanges of each direction are kept; all are counted.
 */
#ifndef TESTS_SIM_RECORD_H
#define TESTS_SIM_RECORD_H

#include <stdbool.h>
#include <stdint.h>

struct arena;
struct http_answer;
struct http_call;
struct http_request;
struct record;
struct text;

enum { RECORD_KEPT = 20000 };

struct record *record_new(void);
void record_free(struct record *r);
void record_clear(struct record *r);

/* Number of the entry, for record_answered. */
uint64_t record_in(struct record *r, const struct http_request *request);
/* status 0: closed without an answer. */
void record_answered(struct record *r, uint64_t number, int status);
void record_out(struct record *r, const struct http_call *call, const struct http_answer *answer);

/* {"count": matching, "total": ever, "requests": [...]} of one direction. Filters may be NULL:
 * `path` is a part of path and query, `method` the whole word, `contains` a part of the body. */
void record_print(const struct record *r, bool incoming, const char *path, const char *method,
                  const char *contains, uint64_t after, struct text *out);

#endif
