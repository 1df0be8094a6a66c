/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The live view, with a Redis that is emptied, frozen, stopped and started again.
 */
#include "tests/db/fixture.h"

#include <hiredis/hiredis.h>

#include "base/flow.h"
#include "db/live.h"

static const char id[] = "01900000-0000-7000-8000-000000000001";
static const char other_id[] = "01900000-0000-7000-8000-000000000002";

static bool redis_is_up(void)
{
    return db_redis_up();
}

static bool redis_is_down(void)
{
    return !db_redis_up();
}

/* What somebody else does in Redis: blocking, on a connection of its own. What came of it as a
 * number. */
static int64_t redis_do(const char *one, const char *two, const char *three)
{
    char path[200];
    int64_t number;
    const char *args[] = {one, two, three};

    snprintf(path, sizeof(path), "%s", getenv("REDIS_URL") + strlen("unix://"));
    path[strcspn(path, "?")] = '\0';
    redisContext *c = redisConnectUnix(path);
    assert_true(c && !c->err);
    redisReply *r = redisCommandArgv(c, three ? 3 : two ? 2 : 1, args, NULL);
    assert_non_null(r);
    assert_int_not_equal(r->type, REDIS_REPLY_ERROR);
    number = r->type == REDIS_REPLY_STRING ? strtoll(r->str, NULL, 10) : r->integer;
    freeReplyObject(r);
    redisFree(c);
    return number;
}

static int setup(void **state)
{
    (void)state;
    redis_do("FLUSHALL", NULL, NULL);
    fixture_open(1000, true);
    assert_true(fixture_until(redis_is_up, 3000));
    fixture_turn_for(50); /* the subscription */
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    fixture_close();
    return 0;
}

/* ---- asking from a flow ---- */

static struct {
    struct live_value value;
    char owner[64], answer[64];
    int64_t took_ms;
    bool ended;
    int64_t wait_ms;
} seen;

static enum flow_next get(struct flow *f)
{
    return live_get(f, id, f->state);
}

static enum flow_next await(struct flow *f)
{
    return live_wait(f, id, seen.wait_ms);
}

static int64_t began_ms;

static void note_end(struct flow *f)
{
    assert_int_equal(f->err.kind, ERR_NONE);
    seen.value = *(struct live_value *)f->state;
    snprintf(seen.owner, sizeof(seen.owner), "%s", seen.value.owner ? seen.value.owner : "");
    snprintf(seen.answer, sizeof(seen.answer), "%s", seen.value.answer ? seen.value.answer : "");
    seen.took_ms = time_monotonic_ms() - began_ms;
    seen.ended = true;
}

static bool has_ended(void)
{
    return seen.ended;
}

static const struct flow_step get_steps[] = {{"get", get, false}, {0}};
static const struct flow_step wait_steps[] = {{"wait", await, false}, {0}};
static const struct flow_type get_type = {"get", sizeof(struct live_value), 10000, get_steps};
static const struct flow_type wait_type = {"wait", sizeof(struct live_value), 10000, wait_steps};

static void begin(const struct flow_type *type)
{
    struct flow_options options = {.loop = loop, .on_end = note_end};

    seen.ended = false;
    began_ms = time_monotonic_ms();
    flow_run(flow_new(type, &options));
}

static int look(void)
{
    begin(&get_type);
    assert_true(fixture_until(has_ended, 3000));
    return (int)seen.value.outcome;
}

/* ---- values ---- */

static void what_was_put_is_there(void **state)
{
    (void)state;
    assert_int_equal(look(), LIVE_MISS);
    live_put(id, 3, "user\nrobot", "{\"state\":\"active\"}");
    assert_int_equal(look(), LIVE_HIT);
    assert_int_equal(seen.value.version, 3);
    assert_string_equal(seen.owner, "user\nrobot");
    assert_string_equal(seen.answer, "{\"state\":\"active\"}");
}

static void an_older_version_never_wins(void **state)
{
    (void)state;
    live_put(id, 10, "u\n", "new");
    live_put(id, 9, "u\n", "old");
    assert_int_equal(look(), LIVE_HIT);
    assert_string_equal(seen.answer, "new");
    live_put(id, 10, "u\n", "the same version again");
    look();
    assert_string_equal(seen.answer, "the same version again");
}

/* A process may have died owing a newer one: then this one must not be served for ever. */
static void a_value_of_unknown_age_is_not_sure_until_it_is_put_again(void **state)
{
    char key[80];

    (void)state;
    live_put(id, 10, "u\n", "text");
    assert_int_equal(look(), LIVE_HIT);
    assert_true(seen.value.sure);
    snprintf(key, sizeof(key), "hub:live:%s", id);
    redis_do("HDEL", key, "t");
    assert_int_equal(look(), LIVE_HIT);
    assert_false(seen.value.sure);
    live_put(id, 10, "u\n", "text");
    assert_int_equal(look(), LIVE_HIT);
    assert_true(seen.value.sure);
}

static void forgotten_scripts_are_sent_again(void **state)
{
    (void)state;
    live_put(id, 1, "u\n", "one");
    look();
    redis_do("SCRIPT", "FLUSH", NULL);
    live_put(id, 2, "u\n", "two");
    fixture_turn_for(30);
    look();
    assert_string_equal(seen.answer, "two");
}

static void an_emptied_redis_is_a_miss(void **state)
{
    (void)state;
    live_put(id, 1, "u\n", "one");
    assert_int_equal(look(), LIVE_HIT);
    redis_do("FLUSHALL", NULL, NULL);
    assert_int_equal(look(), LIVE_MISS);
}

/* ---- waiting ---- */

static void a_put_in_this_process_ends_the_wait(void **state)
{
    (void)state;
    seen.wait_ms = 5000;
    begin(&wait_type);
    live_put(other_id, 1, "u\n", "x");
    fixture_turn_for(100);
    assert_false(seen.ended);
    live_put(id, 1, "u\n", "x");
    assert_true(fixture_until(has_ended, 1000));
    assert_true(seen.took_ms < 1000);
}

static void a_put_in_another_process_ends_the_wait(void **state)
{
    (void)state;
    seen.wait_ms = 5000;
    begin(&wait_type);
    fixture_turn_for(50);
    redis_do("PUBLISH", "hub.session", other_id);
    fixture_turn_for(50);
    assert_false(seen.ended);
    redis_do("PUBLISH", "hub.session", id);
    assert_true(fixture_until(has_ended, 1000));
    assert_true(seen.took_ms < 2000);
}

static void a_wait_ends_with_its_time(void **state)
{
    (void)state;
    seen.wait_ms = 200;
    begin(&wait_type);
    assert_true(fixture_until(has_ended, 1000));
    assert_in_range(seen.took_ms, 190, 400);
}

/* ---- Redis away ---- */

static void a_frozen_redis_costs_fifty_milliseconds_and_then_nothing(void **state)
{
    pid_t pid = fixture_pid("redis");

    (void)state;
    kill(pid, SIGSTOP);
    int outcome = look();
    int64_t first_ms = seen.took_ms;
    look();
    int64_t second_ms = seen.took_ms;
    kill(pid, SIGCONT);
    assert_int_equal(outcome, LIVE_DOWN);
    assert_in_range(first_ms, 40, 120);
    assert_true(second_ms < 20);
    assert_true(fixture_until(redis_is_up, 5000));
    assert_int_equal(look(), LIVE_MISS);
}

static void a_stopped_redis_is_down_at_once_and_found_again(void **state)
{
    (void)state;
    live_put(id, 1, "u\n", "one");
    look();
    fixture_store("stop", "redis");
    assert_true(fixture_until(redis_is_down, 1000));
    assert_int_equal(look(), LIVE_DOWN);
    assert_true(seen.took_ms < 20);
    live_put(id, 2, "u\n", "two");
    fixture_turn_for(100); /* the loss of the subscription, noticed a turn later, wakes who waits */
    seen.wait_ms = 5000;
    begin(&wait_type);
    assert_true(fixture_until(has_ended, 2000));
    assert_in_range(seen.took_ms, 900, 1300);
    fixture_store("start", "redis");
    assert_true(fixture_until(redis_is_up, 5000));
    fixture_turn_for(50);
    assert_int_equal(look(), LIVE_HIT); /* what could not be written is written now */
    assert_string_equal(seen.answer, "two");
}

/* The older value outlives the outage in Redis: it must not be served for ever. */
static void a_value_whose_writing_was_cut_off_replaces_the_older_one_later(void **state)
{
    pid_t pid = fixture_pid("redis");

    (void)state;
    live_put(id, 1, "u\n", "active");
    assert_int_equal(look(), LIVE_HIT);
    kill(pid, SIGSTOP);
    live_put(id, 2, "u\n", "completed");
    fixture_turn_for(150);
    kill(pid, SIGCONT);
    assert_true(fixture_until(redis_is_up, 5000));
    fixture_turn_for(50);
    assert_int_equal(look(), LIVE_HIT);
    assert_string_equal(seen.answer, "completed");
}

static int64_t put_at(void)
{
    char key[80];

    snprintf(key, sizeof(key), "hub:live:%s", id);
    return redis_do("HGET", key, "t");
}

static bool is_written(void)
{
    return put_at() > 0;
}

/* It was true when it was put; nobody has looked since. */
static void a_value_that_is_written_late_is_as_old_as_it_is(void **state)
{
    pid_t pid = fixture_pid("redis");

    (void)state;
    kill(pid, SIGSTOP);
    live_put(id, 3, "u\n", "completed");
    int64_t put_us = time_now_us();
    fixture_turn_for(150);
    kill(pid, SIGCONT);
    assert_true(fixture_until(is_written, 5000));
    assert_in_range(put_at(), put_us - US_PER_SECOND, put_us);
}

static void waits_go_on_across_a_restart_of_redis(void **state)
{
    (void)state;
    fixture_store("stop", "redis");
    fixture_store("start", "redis");
    assert_true(fixture_until(redis_is_down, 1000));
    assert_true(fixture_until(redis_is_up, 5000));
    fixture_turn_for(1500);
    seen.wait_ms = 5000;
    begin(&wait_type);
    fixture_turn_for(20);
    redis_do("PUBLISH", "hub.session", id);
    assert_true(fixture_until(has_ended, 1000));
    assert_true(seen.took_ms < 900);
}

static void closing_ends_those_who_wait(void **state)
{
    (void)state;
    seen.wait_ms = 5000;
    begin(&wait_type);
    live_put(other_id, 1, "u\n", "x");
    db_close();
    assert_true(seen.ended);
}

static void a_wrong_address_is_refused(void **state)
{
    static const char *const bad[] = {"redis:/x",      "http://h",        "redis://",
                                      "redis://h:x",   "unix://",         "redis://h:99999",
                                      "redis://h/0/1", "unix:///s?base=1"};

    (void)state;
    struct event_base *base = event_base_new();
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        struct db_options options = {.database_url = "", .redis_url = bad[i], .writers = 1};
        struct err e = db_open(base, &options);
        if (!failed(e))
            print_error("%s is taken\n", bad[i]);
        assert_true(failed(e));
    }
    event_base_free(base);
}

static int group_setup(void **state)
{
    (void)state;
    fixture_database_new();
    fixture_migrate();
    return 0;
}

static int group_teardown(void **state)
{
    (void)state;
    fixture_database_drop();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        T(what_was_put_is_there),
        T(an_older_version_never_wins),
        T(a_value_of_unknown_age_is_not_sure_until_it_is_put_again),
        T(forgotten_scripts_are_sent_again),
        T(an_emptied_redis_is_a_miss),
        T(a_put_in_this_process_ends_the_wait),
        T(a_put_in_another_process_ends_the_wait),
        T(a_wait_ends_with_its_time),
        T(a_frozen_redis_costs_fifty_milliseconds_and_then_nothing),
        T(a_stopped_redis_is_down_at_once_and_found_again),
        T(a_value_whose_writing_was_cut_off_replaces_the_older_one_later),
        T(a_value_that_is_written_late_is_as_old_as_it_is),
        T(waits_go_on_across_a_restart_of_redis),
        T(closing_ends_those_who_wait),
        cmocka_unit_test(a_wrong_address_is_refused),
#undef T
    };
    int skipped = fixture_skip();

    if (skipped)
        return skipped;
    log_setup("live_test", LOG_ERROR);
    metrics_setup(1);
    metrics_use_slot(0);
    return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
