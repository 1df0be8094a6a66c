/* SPDX-License-Identifier: Apache-2.0 */
/* Log: one valid JSON object a line, bounded, never blocking. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/event.h>
#include <jansson.h>

#include "base/flow.h"
#include "base/log.h"
#include "base/time.h"

static int real_stderr, read_end;
static char captured[65536];

static void capture_begin(bool with_socket, enum log_level lowest)
{
    int ends[2];

    real_stderr = dup(STDERR_FILENO);
    if (with_socket)
        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    else
        assert_int_equal(pipe(ends), 0);
    read_end = ends[0];
    fcntl(read_end, F_SETFL, O_NONBLOCK);
    dup2(ends[1], STDERR_FILENO);
    close(ends[1]);
    log_setup("log_test", lowest);
}

static const char *capture_end(void)
{
    dup2(real_stderr, STDERR_FILENO);
    close(real_stderr);
    log_setup("log_test", LOG_ERROR);
    ssize_t n = read(read_end, captured, sizeof(captured) - 1);
    captured[n > 0 ? n : 0] = '\0';
    close(read_end);
    return captured;
}

/* The only line that was written, parsed. */
static json_t *the_line(const char *text)
{
    json_error_t error;
    json_t *line = json_loads(text, JSON_REJECT_DUPLICATES, &error);

    assert_ptr_equal(strchr(text, '\n'), text + strlen(text) - 1);
    if (!line)
        fail_msg("%s in %s", error.text, text);
    return line;
}

static const char *text_of(json_t *line, const char *key)
{
    const char *text = json_string_value(json_object_get(line, key));

    return text ? text : "";
}

static void a_line_has_its_fields_by_kind(void **state)
{
    (void)state;
    time_set_for_test(INT64_C(1774857600000042));
    capture_begin(false, LOG_INFO);
    log_line(LOG_WARN, "some\nthing", LOG_TEXT("id", "a\"\x1b[31m"), LOG_INT("ms", 12),
             LOG_BOOL("good", true), LOG_SECRET("token"), LOG_TEXT("none", NULL));
    json_t *line = the_line(capture_end());
    time_set_for_test(TIME_NONE);
    assert_string_equal(text_of(line, "time"), "2026-03-30T08:00:00.000042Z");
    assert_string_equal(text_of(line, "level"), "warn");
    assert_string_equal(text_of(line, "program"), "log_test");
    assert_int_equal(json_integer_value(json_object_get(line, "pid")), getpid());
    assert_string_equal(text_of(line, "message"), "some\nthing");
    assert_string_equal(text_of(line, "id"), "a\"\x1b[31m");
    assert_int_equal(json_integer_value(json_object_get(line, "ms")), 12);
    assert_true(json_is_true(json_object_get(line, "good")));
    assert_string_equal(text_of(line, "token"), "***");
    assert_null(json_object_get(line, "none"));
    assert_null(strchr(captured, '\x1b')); /* U08 */
    json_decref(line);
}

static void lines_below_the_lowest_level_are_left_out(void **state)
{
    (void)state;
    capture_begin(false, LOG_WARN);
    log_line(LOG_INFO, "quiet");
    log_line(LOG_DEBUG, "quieter");
    assert_string_equal(capture_end(), "");
}

static void long_fields_are_cut_between_characters(void **state)
{
    char euros[3001];

    (void)state;
    for (int i = 0; i < 3000; i += 3)
        memcpy(euros + i, "€", 3);
    euros[3000] = '\0';
    capture_begin(false, LOG_INFO);
    log_line(LOG_INFO, "long", LOG_TEXT("text", euros));
    json_t *line = the_line(capture_end());
    const char *text = text_of(line, "text");
    assert_true(strlen(text) < 800);
    assert_memory_equal(text + strlen(text) - 6, "€...", 6);
    json_decref(line);
}

static void a_line_that_is_too_long_keeps_its_message(void **state)
{
    char controls[701];

    (void)state;
    memset(controls, 1, 700); /* six bytes each when escaped */
    controls[700] = '\0';
    capture_begin(false, LOG_INFO);
    log_line(LOG_INFO, "the message", LOG_TEXT("text", controls));
    json_t *line = the_line(capture_end());
    assert_string_equal(text_of(line, "message"), "the message");
    assert_true(json_is_true(json_object_get(line, "fields_too_long")));
    json_decref(line);
}

static void fill_until_lines_are_dropped(bool with_socket)
{
    uint64_t before = log_dropped();

    capture_begin(with_socket, LOG_INFO);
    for (int i = 0; i < 20000 && log_dropped() == before; i++)
        log_line(LOG_INFO, "more and more", LOG_INT("i", i));
    assert_true(log_dropped() > before);
    /* What did get out is whole. */
    const char *text = capture_end();
    json_t *first = json_loadb(text, strcspn(text, "\n"), 0, NULL);
    assert_non_null(first);
    json_decref(first);
}

static void a_full_pipe_drops_lines_and_counts_them(void **state)
{
    (void)state;
    fill_until_lines_are_dropped(false);
}

static void a_full_socket_drops_lines_and_counts_them(void **state)
{
    (void)state;
    fill_until_lines_are_dropped(true);
}

static void our_end_alone_does_not_block(void **state)
{
    (void)state;
    capture_begin(false, LOG_INFO);
    /* What we share with others keeps its mode. */
    assert_false(fcntl(STDERR_FILENO, F_GETFL) & O_NONBLOCK);
    capture_end();
}

static void levels_have_names(void **state)
{
    enum log_level level;

    (void)state;
    assert_true(log_level_parse("debug", &level));
    assert_int_equal(level, LOG_DEBUG);
    assert_true(log_level_parse("WARN", &level));
    assert_int_equal(level, LOG_WARN);
    assert_false(log_level_parse("warning!", &level));
    assert_false(log_level_parse("", &level));
}

/* ---- the line of a flow ---- */

static enum flow_next refuse(struct flow *f)
{
    return flow_fail(f, err_at(f->arena, ERR_PEER_TIMEOUT, "/x", "no answer"));
}

static enum flow_next agree(struct flow *f)
{
    (void)f;
    return FLOW_NEXT;
}

static const struct flow_step refusing[] = {{"agree", agree}, {"ask the CPO", refuse}, {0}};
static const struct flow_step agreeing[] = {{"agree", agree}, {0}};
static const struct flow_type refused = {.name = "refused", .steps = refusing};
static const struct flow_type agreed = {.name = "agreed", .steps = agreeing};

static const char *run_logged(const struct flow_type *type, enum log_level lowest, bool no_log)
{
    struct event_base *loop = event_base_new();
    struct flow_options options = {
        .loop = loop, .request_id = "r-1", .correlation_id = "c-1", .no_log = no_log};

    capture_begin(false, lowest);
    flow_run(flow_new(type, &options));
    event_base_free(loop);
    return capture_end();
}

static void a_failed_flow_leaves_one_line(void **state)
{
    (void)state;
    json_t *line = the_line(run_logged(&refused, LOG_INFO, false));
    assert_string_equal(text_of(line, "level"), "warn"); /* the level of the kind */
    assert_string_equal(text_of(line, "flow"), "refused");
    assert_string_equal(text_of(line, "outcome"), "failed");
    assert_string_equal(text_of(line, "error"), "PEER_TIMEOUT");
    assert_string_equal(text_of(line, "text"), "no answer");
    assert_string_equal(text_of(line, "where"), "/x");
    assert_string_equal(text_of(line, "step"), "ask the CPO");
    assert_string_equal(text_of(line, "request_id"), "r-1");
    assert_string_equal(text_of(line, "correlation_id"), "c-1");
    assert_true(json_is_integer(json_object_get(line, "ms")));
    json_decref(line);
}

static void success_and_steps_are_for_debugging(void **state)
{
    (void)state;
    assert_string_equal(run_logged(&agreed, LOG_INFO, false), "");
    const char *lines = run_logged(&agreed, LOG_DEBUG, false);
    assert_non_null(strstr(lines, "\"step\":\"agree\""));
    assert_non_null(strstr(lines, "\"outcome\":\"ok\""));
    assert_string_equal(run_logged(&refused, LOG_INFO, true), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_has_its_fields_by_kind),
        cmocka_unit_test(lines_below_the_lowest_level_are_left_out),
        cmocka_unit_test(long_fields_are_cut_between_characters),
        cmocka_unit_test(a_line_that_is_too_long_keeps_its_message),
        cmocka_unit_test(a_full_pipe_drops_lines_and_counts_them),
        cmocka_unit_test(a_full_socket_drops_lines_and_counts_them),
        cmocka_unit_test(our_end_alone_does_not_block),
        cmocka_unit_test(levels_have_names),
        cmocka_unit_test(a_failed_flow_leaves_one_line),
        cmocka_unit_test(success_and_steps_are_for_debugging),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
