/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The message log: every row arrives once, whatever the database does meanwhile, until there is no
 * room; and what is old goes.
 */
#include "tests/db/fixture.h"

#include "db/message.h"

static char expected[16];

static bool log_is_complete(void)
{
    return strcmp(sql("SELECT count(*) FROM message"), expected) == 0;
}

static void await_rows(int count)
{
    snprintf(expected, sizeof(expected), "%d", count);
    assert_true(fixture_until(log_is_complete, 8000));
}

static int setup(void **state)
{
    (void)state;
    fixture_database_new();
    fixture_migrate();
    fixture_open(1000, false);
    assert_true(fixture_until(fixture_db_up, 5000));
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    fixture_close();
    fixture_database_drop();
    return 0;
}

static struct message example(void)
{
    return (struct message){
        .outgoing = true,
        .partner_id = 7,
        .from = "FI*HUB",
        .to = "FI*VRT",
        .module = "sessions",
        .method = "PUT",
        .path = "/ocpi/cpo/2.2.1/sessions/FI/VRT/1",
        .correlation_id = "c-1",
        .http_status = 200,
        .ocpi_status = 2001,
        .at_us = INT64_C(1795000000123456),
        .duration_ms = 12,
        .error = "kwh is missing",
        .where = "/kwh",
        .request_body = "{\"id\":\"1 \xc3\xa4\"}",
    };
}

static void a_row_arrives_with_all_its_columns(void **state)
{
    struct message m = example();

    (void)state;
    message_log(&m);
    await_rows(1);
    assert_string_equal(
        sql("SELECT concat_ws('|', m.at, outgoing, partner_id, from_party, to_party, module, "
            "method, "
            "path, correlation_id, http_status, ocpi_status, duration_ms, error, error_where, "
            "request_body, response_body IS NULL, object_id IS NULL) FROM message m JOIN "
            "message_body b ON b.message_id = m.id AND b.at = m.at"),
        "2026-11-18 11:06:40.123456+00|t|7|FI*HUB|FI*VRT|sessions|PUT|/ocpi/cpo/2.2.1/sessions/FI/"
        "VRT/1|c-1|200|2001|12|kwh is missing|/kwh|{\"id\":\"1 \xc3\xa4\"}|t|t");
}

static void bytes_that_are_no_text_do_not_stop_the_log(void **state)
{
    struct message m = example();

    (void)state;
    m.path = "/\xff\xfe\xed\xa0\x80";
    m.request_body = "\x01\x80 \\u0000 \"";
    message_log(&m);
    await_rows(1);
    assert_string_equal(sql("SELECT position('\\u0000 \"' IN request_body) > 0 FROM message_body"),
                        "t");
}

static void a_long_body_is_cut_between_characters(void **state)
{
    size_t size = 300 * 1024;
    char *body = malloc(size + 1);
    struct message m = example();

    (void)state;
    assert_non_null(body);
    body[0] = 'x'; /* puts the limit into the middle of a character */
    for (size_t i = 1; i + 1 < size; i += 2)
        memcpy(body + i, "\xc3\xa4", 2);
    body[size - 1] = '\0';
    m.request_body = body;
    message_log(&m);
    await_rows(1);
    assert_string_equal(sql("SELECT octet_length(request_body) FROM message_body"), "262143");
    free(body);
}

static void many_rows_leave_in_few_statements(void **state)
{
    struct message m = example();

    (void)state;
    for (int i = 0; i < 1000; i++)
        message_log(&m);
    await_rows(1000);
    assert_true(strtol(sql("SELECT count(DISTINCT xmin::text) FROM message"), NULL, 10) <= 6);
}

static void rows_wait_while_the_database_is_away_and_arrive_once(void **state)
{
    struct message m = example();

    (void)state;
    fixture_store("stop", "postgres");
    for (int i = 0; i < 300; i++) {
        message_log(&m);
        if (i % 100 == 0)
            fixture_turn_for(300);
    }
    fixture_store("start", "postgres");
    assert_true(fixture_until(fixture_db_up, 5000));
    await_rows(300);
}

static void a_full_log_drops_and_does_not_wait(void **state)
{
    struct message m = example();

    (void)state;
    fixture_store("stop", "postgres");
    fixture_turn_for(100);
    for (int i = 0; i < 9000; i++)
        message_log(&m);
    fixture_store("start", "postgres");
    assert_true(fixture_until(fixture_db_up, 5000));
    await_rows(8192);
}

static void a_refused_row_is_dropped_alone(void **state)
{
    struct message m = example();

    (void)state;
    sql("ALTER TABLE message ADD CHECK (module <> 'poison')");
    for (int i = 0; i < 20; i++) {
        m.module = i == 7 ? "poison" : "sessions";
        message_log(&m);
    }
    await_rows(19);
    message_log(&m);
    await_rows(20);
}

static void flushing_does_not_wait_for_the_timer(void **state)
{
    struct message m = example();

    (void)state;
    message_log(&m);
    message_flush();
    int64_t began = time_monotonic_ms();
    await_rows(1);
    assert_true(time_monotonic_ms() - began < 190);
}

static bool is_forgotten(void)
{
    return strcmp(sql("SELECT count(*) FROM message"), "2") == 0;
}

static void what_is_old_is_forgotten_by_partition(void **state)
{
    int64_t day_us = 24 * 3600 * US_PER_SECOND, now_us = time_now_us();
    struct message m = example();

    (void)state;
    int64_t ages[] = {0, 10, 150};
    for (int i = 0; i < 3; i++) {
        m.at_us = now_us - ages[i] * day_us;
        message_log(&m);
    }
    await_rows(3);
    assert_string_equal(sql("SELECT count(*) FROM message_body"), "3");
    message_forget(90, 7);
    assert_true(fixture_until(is_forgotten, 3000));
    assert_string_equal(sql("SELECT count(*) FROM message_body"), "1");
    assert_string_equal(sql("SELECT to_regclass('message_body_' || to_char((now() + interval '1 "
                            "day') AT TIME ZONE 'UTC', 'YYYYMMDD')) IS NOT NULL"),
                        "t"); /* tomorrow is prepared */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        T(a_row_arrives_with_all_its_columns),
        T(bytes_that_are_no_text_do_not_stop_the_log),
        T(a_long_body_is_cut_between_characters),
        T(many_rows_leave_in_few_statements),
        T(rows_wait_while_the_database_is_away_and_arrive_once),
        T(a_full_log_drops_and_does_not_wait),
        T(a_refused_row_is_dropped_alone),
        T(flushing_does_not_wait_for_the_timer),
        T(what_is_old_is_forgotten_by_partition),
#undef T
    };
    int skipped = fixture_skip();

    if (skipped)
        return skipped;
    log_setup("message_test", LOG_ERROR);
    metrics_setup(1);
    metrics_use_slot(0);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
