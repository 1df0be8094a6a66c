/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Postgres connections: commits shared and not shared, and every way a server can go away.
 *
 * The statement under test is schema_migration_insert; in the test's database a trigger makes it
 * write into a table of ours and misbehave by name, and notes which transaction it was in.
 */
#include "tests/db/fixture.h"

#include "base/flow.h"
#include "db/pg.h"

enum { TIMEOUT_MS = 500, ANSWERS = 5000 };

static const char hook[] =
    "CREATE TABLE written (number integer CONSTRAINT written_once UNIQUE DEFERRABLE INITIALLY "
    "DEFERRED, name text, tx bigint DEFAULT txid_current(), backend integer DEFAULT "
    "pg_backend_pid());"
    "CREATE SEQUENCE tries;"
    "CREATE FUNCTION hook() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
    "CASE NEW.name WHEN 'poison' THEN RAISE EXCEPTION 'poison'; "
    "WHEN 'sleep' THEN PERFORM pg_sleep(NEW.number / 1000.0); "
    "WHEN 'deadlock' THEN IF nextval('tries') <= NEW.number THEN "
    "  RAISE EXCEPTION 'victim' USING ERRCODE = '40P01'; END IF; "
    "WHEN 'read_only' THEN RAISE EXCEPTION 'standby' USING ERRCODE = '25006'; "
    "ELSE NULL; END CASE; "
    "INSERT INTO written (number, name) VALUES (NEW.number, NEW.name); RETURN NULL; END $$;"
    "CREATE TRIGGER hook BEFORE INSERT ON schema_migration FOR EACH ROW EXECUTE FUNCTION hook();";

static struct {
    int asked, answered;
    enum err_kind kinds[ANSWERS]; /* by the order of asking */
} answers;

static void on_answer(const PGresult *rows, struct err e, void *arg)
{
    intptr_t n = (intptr_t)arg;

    (void)rows;
    assert_true(n < ANSWERS);
    assert_int_equal(answers.kinds[n], ERR_COUNT); /* each ends once */
    answers.kinds[n] = e.kind;
    answers.answered++;
}

static int ask(int number, const char *name)
{
    struct arena *a = arena_new(1 << 20);
    struct pg_args args;
    int n = answers.asked++;

    answers.kinds[n] = ERR_COUNT;
    pg_args_init(&args, a);
    pg_arg_int(&args, number);
    pg_arg_text(&args, name);
    pg_arg_text(&args, "");
    pg_send(PG_WRITE, STATEMENT_schema_migration_insert, &args, on_answer, (void *)(intptr_t)n);
    arena_free(a);
    return n;
}

static int ask_read(void)
{
    int n = answers.asked++;

    answers.kinds[n] = ERR_COUNT;
    pg_send(PG_READ, STATEMENT_schema_migration_list, NULL, on_answer, (void *)(intptr_t)n);
    return n;
}

static bool all_answered(void)
{
    return answers.answered == answers.asked;
}

static void await_all(void)
{
    assert_true(fixture_until(all_answered, 10000));
}

static int setup(void **state)
{
    (void)state;
    fixture_database_new();
    fixture_migrate();
    sql(hook);
    fixture_open(TIMEOUT_MS, false);
    memset(&answers, 0, sizeof(answers));
    assert_true(fixture_until(fixture_db_up, 5000));
    fixture_turn_for(100); /* all connections, not only the first of each lane */
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    fixture_close();
    fixture_database_drop();
    return 0;
}

/* ---- sharing commits ---- */

static void writes_of_one_turn_share_one_transaction(void **state)
{
    (void)state;
    for (int i = 1; i <= 50; i++)
        ask(i, "plain");
    await_all();
    for (int i = 0; i < 50; i++)
        assert_int_equal(answers.kinds[i], ERR_NONE);
    assert_string_equal(sql("SELECT count(*) FROM written"), "50");
    assert_string_equal(sql("SELECT count(DISTINCT tx) FROM written"), "1");
}

static void many_writes_all_arrive_in_few_transactions(void **state)
{
    (void)state;
    for (int i = 1; i <= 4000; i++)
        ask(i, "plain");
    await_all();
    assert_string_equal(sql("SELECT count(DISTINCT number) FROM written"), "4000");
    assert_true(strtol(sql("SELECT count(DISTINCT tx) FROM written"), NULL, 10) <= 20);
}

static void a_poison_member_harms_only_its_owner(void **state)
{
    (void)state;
    for (int i = 0; i < 10; i++)
        ask(i, i == 4 ? "poison" : "plain");
    await_all();
    for (int i = 0; i < 10; i++)
        assert_int_equal(answers.kinds[i], i == 4 ? ERR_INTERNAL : ERR_NONE);
    assert_string_equal(sql("SELECT string_agg(number::text, ',' ORDER BY number) FROM written"),
                        "0,1,2,3,5,6,7,8,9");
}

static void an_error_of_the_commit_itself_reaches_its_owner(void **state)
{
    (void)state;
    ask(1, "plain");
    await_all();
    int other = ask(2, "plain"), twice = ask(1, "plain"), third = ask(3, "plain");
    await_all();
    assert_int_equal(answers.kinds[other], ERR_NONE);
    assert_int_equal(answers.kinds[twice], ERR_INTERNAL);
    assert_int_equal(answers.kinds[third], ERR_NONE);
    assert_string_equal(sql("SELECT count(*) FROM written"), "3");
}

static void a_statement_marked_alone_shares_its_transaction_with_nobody(void **state)
{
    struct arena *a = arena_new(1 << 20);
    struct pg_args args;

    (void)state;
    sql("CREATE OR REPLACE FUNCTION message_write(rows json) RETURNS void LANGUAGE sql AS $$ "
        "INSERT INTO written (number, name) VALUES (100, 'alone') $$");
    ask(1, "plain");
    pg_args_init(&args, a);
    pg_arg_text(&args, "[]");
    pg_send(PG_WRITE, STATEMENT_message_write, &args, NULL, NULL);
    arena_free(a);
    ask(2, "plain");
    await_all();
    assert_string_equal(sql("SELECT count(*) FROM written a JOIN written b ON a.tx = b.tx AND "
                            "a.name = 'alone' AND b.name <> 'alone'"),
                        "0");
    assert_string_equal(sql("SELECT count(*) FROM written"), "3");
}

/* ---- errors that pass ---- */

static void a_deadlock_victim_is_run_again(void **state)
{
    (void)state;
    int n = ask(3, "deadlock"); /* the batch, then two of three retries */
    await_all();
    assert_int_equal(answers.kinds[n], ERR_NONE);
    assert_string_equal(sql("SELECT count(*) FROM written"), "1");
}

static void a_victim_for_ever_ends_with_store(void **state)
{
    (void)state;
    int n = ask(1000, "deadlock");
    await_all();
    assert_int_equal(answers.kinds[n], ERR_STORE);
    assert_string_equal(sql("SELECT last_value FROM tries"), "4");
}

static void a_slow_statement_ends_with_store_and_its_neighbours_do_not(void **state)
{
    (void)state;
    int before = ask(1, "plain"), slow = ask(5000, "sleep"), after = ask(2, "plain");
    await_all();
    assert_int_equal(answers.kinds[before], ERR_NONE);
    assert_int_equal(answers.kinds[slow], ERR_STORE);
    assert_int_equal(answers.kinds[after], ERR_NONE);
    ask(3, "plain");
    await_all();
    assert_int_equal(answers.kinds[3], ERR_NONE);
}

static void a_connection_to_what_became_a_standby_is_given_up(void **state)
{
    (void)state;
    sql("CREATE TABLE before AS SELECT pid FROM pg_stat_activity WHERE application_name = "
        "'ocpi-hub' AND datname = current_database()");
    int n = ask(1, "read_only");
    await_all();
    assert_int_equal(answers.kinds[n], ERR_STORE);
    fixture_turn_for(300);
    assert_string_equal(sql("SELECT count(*) FROM before b JOIN pg_stat_activity a USING (pid)"),
                        "4"); /* two writers, two readers, the listener: one of them is new */
    n = ask(2, "plain");
    await_all();
    assert_int_equal(answers.kinds[n], ERR_NONE);
}

/* ---- a server that goes away ---- */

static const char kill_connections[] =
    "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = "
    "current_database() AND application_name = 'ocpi-hub'";

static void after_its_connections_were_killed_it_goes_on_by_itself(void **state)
{
    (void)state;
    assert_string_equal(sql(kill_connections), "5");
    while (
        strcmp(sql("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND "
                   "application_name = 'ocpi-hub'"),
               "0") != 0)
        continue;        /* they go one by one, while our loop stands still */
    fixture_turn_for(5); /* it learns of the loss; nothing was under way */
    /* Where the machine is slow to connect again, the first may be told to come back. */
    int write = ask(1, "plain"), read = ask_read();
    await_all();
    for (int tries = 0; tries < 50 && answers.kinds[write] == ERR_STORE; tries++) {
        fixture_turn_for(100);
        write = ask(1, "plain");
        read = ask_read();
        await_all();
    }
    assert_int_equal(answers.kinds[write], ERR_NONE);
    assert_int_equal(answers.kinds[read], ERR_NONE);
    assert_string_equal(sql("SELECT count(*) FROM written WHERE number = 1"), "1");
    assert_int_equal(db_health(), DB_UP);
}

static void what_was_sent_when_the_connection_died_ends_with_store(void **state)
{
    (void)state;
    int sent = ask(400, "sleep");
    fixture_turn_for(100);
    int waiting = ask(7, "plain"); /* the other writer takes it */
    assert_string_equal(sql("SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE "
                            "wait_event = 'PgSleep' AND datname = current_database()"),
                        "1");
    await_all();
    assert_int_equal(answers.kinds[sent], ERR_STORE);
    assert_int_equal(answers.kinds[waiting], ERR_NONE);
    assert_string_equal(sql("SELECT string_agg(number::text, ',') FROM written"), "7");
}

static void a_frozen_server_does_not_hold_anybody_for_ever(void **state)
{
    char pids[200];

    (void)state;
    if (geteuid() != 0) {
        print_message("skipped: only root may freeze the server's processes\n");
        skip();
    }
    snprintf(pids, sizeof(pids), "%s",
             sql("SELECT string_agg(pid::text, ' ') FROM pg_stat_activity WHERE application_name = "
                 "'ocpi-hub' AND datname = current_database()"));
    char *next = pids;
    for (pid_t pid; (pid = (pid_t)strtol(next, &next, 10)) > 0;)
        kill(pid, SIGSTOP);
    int64_t began = time_monotonic_ms();
    int write = ask(1, "plain");
    fixture_turn_for(20);
    int other = ask(2, "plain"); /* both writers hold one now */
    fixture_turn_for(20);
    int waiting = ask(3, "plain");
    await_all();
    next = pids;
    for (pid_t pid; (pid = (pid_t)strtol(next, &next, 10)) > 0;)
        kill(pid, SIGCONT);
    assert_int_equal(answers.kinds[write], ERR_STORE);
    assert_int_equal(answers.kinds[other], ERR_STORE);
    assert_int_equal(answers.kinds[waiting], ERR_STORE); /* it never left: too long in the queue */
    assert_in_range(time_monotonic_ms() - began, TIMEOUT_MS, 4 * TIMEOUT_MS);
    fixture_turn_for(500);
    int again = ask(4, "plain");
    await_all();
    assert_int_equal(answers.kinds[again], ERR_NONE);
}

static void a_stopped_server_means_store_at_once_and_a_started_one_is_found(void **state)
{
    (void)state;
    fixture_store("stop", "postgres");
    int first = ask(1, "plain");
    await_all();
    assert_int_equal(answers.kinds[first], ERR_STORE);
    assert_true(fixture_until(fixture_db_not_up, 2000));
    assert_int_equal(db_health(), DB_DOWN);
    int n = ask(2, "plain"), read = ask_read();
    assert_true(all_answered());
    assert_int_equal(answers.kinds[n], ERR_STORE);
    assert_int_equal(answers.kinds[read], ERR_STORE);

    fixture_store("start", "postgres");
    assert_true(fixture_until(fixture_db_up, 5000));
    n = ask(3, "plain");
    await_all();
    assert_int_equal(answers.kinds[n], ERR_NONE);
    assert_string_equal(sql("SELECT string_agg(number::text, ',') FROM written"), "3");
}

static void the_queue_has_an_end(void **state)
{
    (void)state;
    for (int i = 0; i < 4200; i++)
        ask(i, "plain");
    assert_int_equal(answers.answered, 4200 - 4096);
    assert_int_equal(answers.kinds[4199], ERR_STORE);
    await_all();
    assert_int_equal(answers.kinds[4095], ERR_NONE);
}

static void closing_ends_what_is_under_way(void **state)
{
    (void)state;
    int sent = ask(400, "sleep");
    fixture_turn_for(50);
    int waiting = ask(1, "plain");
    db_close();
    assert_int_equal(answers.kinds[sent], ERR_STORE);
    assert_int_equal(answers.kinds[waiting], ERR_STORE);
}

/* ---- flows ---- */

struct lister {
    int rows;
};

static struct err take_rows(struct flow *f, const PGresult *rows, void *ret)
{
    (void)f;
    *(int *)ret = PQntuples(rows);
    return OK;
}

static enum flow_next list_migrations(struct flow *f)
{
    struct lister *s = f->state;

    return pg_run(f, PG_READ, STATEMENT_schema_migration_list, NULL, take_rows, &s->rows);
}

static enum flow_next write_one(struct flow *f)
{
    struct pg_args args;

    pg_args_init(&args, f->arena);
    pg_arg_int(&args, 77);
    pg_arg_text(&args, "from a flow");
    pg_arg_text(&args, NULL);
    return pg_run(f, PG_WRITE, STATEMENT_schema_migration_insert, &args, NULL, NULL);
}

static int rows_seen;
static struct err flow_end;

static void note_end(struct flow *f)
{
    rows_seen = ((struct lister *)f->state)->rows;
    flow_end = f->err;
}

static bool no_flows(void)
{
    return flow_running() == 0;
}

static const struct flow_step steps[] = {
    {"list", list_migrations, false},
    {"write", write_one, false},
    {0},
};
static const struct flow_type type = {"test", sizeof(struct lister), 5000, steps};

static void a_flow_gets_its_rows_and_goes_on(void **state)
{
    int known = 0;

    (void)state;
    while (migrations[known].text)
        known++;
    struct flow_options options = {.loop = loop, .on_end = note_end};
    flow_run(flow_new(&type, &options));
    assert_true(fixture_until(no_flows, 5000));
    assert_int_equal(flow_end.kind, ERR_NONE);
    assert_int_equal(rows_seen, known);
    assert_string_equal(sql("SELECT name FROM written WHERE number = 77"), "from a flow");
}

static void what_nobody_waits_for_any_more_is_not_begun(void **state)
{
    static const struct flow_type writes = {"test", sizeof(struct lister), 5000, &steps[1]};
    struct flow_options options = {.loop = loop, .on_end = note_end};

    (void)state;
    struct flow *f = flow_new(&writes, &options);
    flow_run(f);
    flow_cancel(f, err_new(ERR_DEADLINE));
    ask(1, "plain");
    await_all();
    assert_string_equal(sql("SELECT count(*) FROM written WHERE number = 77"), "0");
}

/* ---- notify ---- */

static int heard_count;
static char heard[64];

static void on_heard(const char *payload, void *arg)
{
    (void)arg;
    heard_count++;
    snprintf(heard, sizeof(heard), "%s", payload);
}

static bool has_heard(void)
{
    return heard_count > 0;
}

static void notifications_arrive_also_after_the_listener_was_killed(void **state)
{
    (void)state;
    heard_count = 0;
    db_on_notify("location", on_heard, NULL);
    fixture_turn_for(100);
    sql("NOTIFY location, '7/FI*VRT*1'; NOTIFY partner, 'not for us'");
    assert_true(fixture_until(has_heard, 2000));
    assert_string_equal(heard, "7/FI*VRT*1");
    assert_int_equal(heard_count, 1);

    heard_count = 0;
    sql(kill_connections);
    assert_true(fixture_until(has_heard, 2000));
    assert_string_equal(heard, ""); /* something may have been missed */
    fixture_turn_for(100);
    heard_count = 0;
    sql("NOTIFY location, 'again'");
    assert_true(fixture_until(has_heard, 2000));
    assert_string_equal(heard, "again");
}

/* ---- values ---- */

static void values_come_back_as_they_were_sent(void **state)
{
    const char *texts[] = {"a", "with \"quotes\" and \\", NULL, "", "NULL", "{,}"};
    struct arena *a = arena_new(1 << 20);
    struct pg_args args;

    (void)state;
    pg_args_init(&args, a);
    pg_arg_texts(&args, texts, 6);
    pg_arg_time(&args, INT64_C(1774857600123456));
    pg_arg_time(&args, TIME_NONE);
    pg_arg_u6(&args, -1500001);
    pg_arg_int(&args, INT64_MIN);
    pg_arg_bool(&args, true);
    pg_arg_bytes(&args, "\0\1\\", 3);
    PGconn *pg = PQconnectdb(database_url);
    PQclear(PQexec(pg, "SET timezone = 'UTC'"));
    PGresult *rows = PQexecParams(
        pg,
        "SELECT ($1::text[])[2] AS quoted, ($1::text[])[3] AS missing, ($1::text[])[5] AS word, "
        "cardinality($1::text[]) AS count, ($1::text[])[4] AS empty, $2::timestamptz AS t, "
        "$3::timestamptz AS no_time, $4::numeric AS n, $5::bigint AS i, $6::boolean AS b, "
        "encode($7::bytea, 'hex') AS bytes, 123456789012.345678::numeric(18,6) AS big, 3::numeric "
        "AS three, '2026-01-01 00:00:00Z'::timestamptz AS whole",
        args.count, NULL, args.values, args.lengths, args.formats, 0);
    assert_int_equal(PQresultStatus(rows), PGRES_TUPLES_OK);
    assert_string_equal(pg_text(a, rows, 0, "quoted"), texts[1]);
    assert_null(pg_text(a, rows, 0, "missing"));
    assert_true(pg_is_null(rows, 0, "missing"));
    assert_string_equal(pg_text(a, rows, 0, "word"), "NULL");
    assert_string_equal(pg_text(a, rows, 0, "empty"), "");
    assert_int_equal(pg_int(rows, 0, "count"), 6);
    assert_true(pg_time(rows, 0, "t") == INT64_C(1774857600123456));
    assert_true(pg_time(rows, 0, "whole") == INT64_C(1767225600000000));
    assert_true(pg_time(rows, 0, "no_time") == TIME_NONE);
    assert_true(pg_u6(rows, 0, "n") == -1500001);
    assert_true(pg_u6(rows, 0, "big") == INT64_C(123456789012345678));
    assert_true(pg_u6(rows, 0, "three") == 3000000);
    assert_true(pg_int(rows, 0, "i") == INT64_MIN);
    assert_true(pg_bool(rows, 0, "b"));
    assert_string_equal(pg_text(a, rows, 0, "bytes"), "00015c");
    PQclear(rows);
    PQfinish(pg);
    arena_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        T(writes_of_one_turn_share_one_transaction),
        T(many_writes_all_arrive_in_few_transactions),
        T(a_poison_member_harms_only_its_owner),
        T(an_error_of_the_commit_itself_reaches_its_owner),
        T(a_statement_marked_alone_shares_its_transaction_with_nobody),
        T(a_deadlock_victim_is_run_again),
        T(a_victim_for_ever_ends_with_store),
        T(a_slow_statement_ends_with_store_and_its_neighbours_do_not),
        T(a_connection_to_what_became_a_standby_is_given_up),
        T(after_its_connections_were_killed_it_goes_on_by_itself),
        T(what_was_sent_when_the_connection_died_ends_with_store),
        T(a_frozen_server_does_not_hold_anybody_for_ever),
        T(a_stopped_server_means_store_at_once_and_a_started_one_is_found),
        T(the_queue_has_an_end),
        T(closing_ends_what_is_under_way),
        T(a_flow_gets_its_rows_and_goes_on),
        T(what_nobody_waits_for_any_more_is_not_begun),
        T(notifications_arrive_also_after_the_listener_was_killed),
        T(values_come_back_as_they_were_sent),
#undef T
    };
    int skipped = fixture_skip();

    if (skipped)
        return skipped;
    log_setup("pg_test", LOG_ERROR);
    metrics_setup(1);
    metrics_use_slot(0);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
