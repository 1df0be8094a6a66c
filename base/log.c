/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Log: each line is one write of at most PIPE_BUF bytes, which the kernel does not mix with those
 * of other processes.
 *
 * O_NONBLOCK belongs to the open file, which we share with whoever started us: a terminal set
 * non-blocking stays so for the shell. A pipe is therefore opened once more for ourselves, and a
 * socket (journald) is asked not to wait line by line. Files and terminals are written as they are.
 */
#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/metrics.h"
#include "base/text.h"
#include "base/time.h"

enum { MAX_LINE = PIPE_BUF, MAX_FIELD = 700 };

static const char *const level_names[] = {"debug", "info", "warn", "error"};

static struct {
    char program[32];
    enum log_level lowest;
    int fd;
    bool is_socket;
    uint64_t dropped;
    struct text line; /* used again and again */
} log_state = {.lowest = LOG_INFO, .fd = STDERR_FILENO};

void log_setup(const char *program, enum log_level lowest)
{
    struct stat st;

    text_copy(log_state.program, sizeof(log_state.program), program);
    log_state.lowest = lowest;
    if (log_state.fd != STDERR_FILENO)
        close(log_state.fd);
    log_state.fd = STDERR_FILENO;
    log_state.is_socket = false;
    if (fstat(STDERR_FILENO, &st) < 0)
        return;
    log_state.is_socket = S_ISSOCK(st.st_mode);
    if (S_ISFIFO(st.st_mode)) {
        int own = open("/proc/self/fd/2", O_WRONLY | O_NONBLOCK | O_CLOEXEC);
        if (own >= 0)
            log_state.fd = own;
    }
}

bool log_level_parse(const char *name, enum log_level *ret)
{
    for (unsigned i = 0; i < sizeof(level_names) / sizeof(level_names[0]); i++) {
        if (text_equal_caseless(name, level_names[i])) {
            *ret = (enum log_level)i;
            return true;
        }
    }
    return false;
}

uint64_t log_dropped(void)
{
    return log_state.dropped;
}

static void write_line(const char *bytes, size_t length)
{
    struct pollfd room = {.fd = log_state.fd, .events = POLLOUT};
    ssize_t n = -1;

    do {
        if (log_state.is_socket)
            n = send(log_state.fd, bytes, length, MSG_DONTWAIT | MSG_NOSIGNAL);
        else if (poll(&room, 1, 0) == 1 && !(room.revents & (POLLERR | POLLHUP)))
            n = write(log_state.fd, bytes, length);
        else
            break;
    } while (n < 0 && errno == EINTR);
    if (n != (ssize_t)length) {
        log_state.dropped++;
        metric_add(METRIC_LOG_DROPPED, "", "", "", 1);
    }
}

/* Cuts between characters. */
static void put_bounded(struct text *line, const char *name, const char *value)
{
    char cut[MAX_FIELD + 4];
    size_t length = strnlen(value, MAX_FIELD + 1);

    if (length <= MAX_FIELD) {
        json_put_text(line, name, value);
        return;
    }
    length = MAX_FIELD;
    while (length && ((unsigned char)value[length] & 0xC0) == 0x80)
        length--;
    memcpy(cut, value, length);
    memcpy(cut + length, "...", 4);
    json_put_text(line, name, cut);
}

static void put_field(struct text *line, const struct log_field *field)
{
    switch (field->kind) {
    case LOG_FIELD_TEXT:
        if (field->text)
            put_bounded(line, field->name, field->text);
        break;
    case LOG_FIELD_INT:
        json_put_int(line, field->name, field->number);
        break;
    case LOG_FIELD_BOOL:
        json_put_bool(line, field->name, field->number != 0);
        break;
    case LOG_FIELD_SECRET:
        json_put_text(line, field->name, "***");
        break;
    }
}

static void build_line(struct text *line, enum log_level level, const char *message,
                       const struct log_field *fields)
{
    char now[TIME_TEXT];

    text_reset(line);
    json_begin_object(line, NULL);
    json_put_text(line, "time", time_print_micros(now, time_now_us()));
    json_put_text(line, "level", level_names[level]);
    json_put_text(line, "program", log_state.program);
    json_put_int(line, "pid", getpid());
    put_bounded(line, "message", message);
    if (fields)
        for (; fields->name; fields++)
            put_field(line, fields);
    else
        json_put_bool(line, "fields_too_long", true);
    json_end_object(line);
    text_add_bytes(line, "\n", 1);
}

void log_fields(enum log_level level, const char *message, const struct log_field *fields)
{
    static const struct log_field none[] = {{0}};
    struct text *line = &log_state.line;

    if (level < log_state.lowest)
        return;
    if (!line->max)
        text_init(line, NULL, MAX_LINE);
    build_line(line, level, message, fields ? fields : none);
    if (text_overflowed(line))
        build_line(line, level, message, NULL);
    if (text_overflowed(line))
        build_line(line, level, "(a message that is too long)", NULL);
    write_line(line->bytes, line->length);
}
