/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Log: one JSON object a line on stderr. Fields are given by name and kind, so that control
 * characters are escaped and secrets print as ***. Never blocks: when the pipe is full lines are
 * dropped and counted.
 *
 *   log_line(LOG_INFO, "session started", LOG_TEXT("session_id", id), LOG_INT("ms", 12));
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stdbool.h>
#include <stdint.h>

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };

struct log_field {
    const char *name; /* NULL ends the list */
    enum { LOG_FIELD_TEXT, LOG_FIELD_INT, LOG_FIELD_BOOL, LOG_FIELD_SECRET } kind;
    const char *text; /* NULL text: the field is left out */
    int64_t number;
};

#define LOG_TEXT(name, value) ((struct log_field){name, LOG_FIELD_TEXT, value, 0})
#define LOG_INT(name, value) ((struct log_field){name, LOG_FIELD_INT, 0, value})
#define LOG_BOOL(name, value) ((struct log_field){name, LOG_FIELD_BOOL, 0, value})
#define LOG_SECRET(name) ((struct log_field){name, LOG_FIELD_SECRET, 0, 0})

/* Every line carries time, level, program, pid and message. */
#define log_line(level, message, ...)                                                              \
    log_fields(level, message, (const struct log_field[]){__VA_ARGS__ __VA_OPT__(, ) {0}})

void log_fields(enum log_level level, const char *message, const struct log_field *fields);

void log_setup(const char *program, enum log_level lowest); /* fd 2, made non-blocking-safe */
bool log_level_parse(const char *name, enum log_level *ret);
uint64_t log_dropped(void);

#endif
