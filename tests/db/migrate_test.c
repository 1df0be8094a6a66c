/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Migrations, and the guard that keeps a program away from a schema that is not its own.
 */
#include "tests/db/fixture.h"

static int setup(void **state)
{
    (void)state;
    fixture_database_new();
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    fixture_database_drop();
    return 0;
}

static int known_migrations(void)
{
    int known = 0;

    while (migrations[known].text)
        known++;
    return known;
}

static void every_statement_prepares_against_a_migrated_database(void **state)
{
    int bad = 0;

    (void)state;
    fixture_migrate();
    PGconn *pg = PQconnectdb(database_url);
    for (int i = 0; i < STATEMENT_COUNT; i++) {
        PGresult *rows = PQprepare(pg, statements[i].name, statements[i].text, 0, NULL);
        if (PQresultStatus(rows) != PGRES_COMMAND_OK) {
            print_error("%s: %s", statements[i].name, PQresultErrorMessage(rows));
            bad++;
        }
        PQclear(rows);
        rows = PQdescribePrepared(pg, statements[i].name);
        if (PQresultStatus(rows) == PGRES_COMMAND_OK && PQnparams(rows) != statements[i].params) {
            print_error("%s: %d parameters, not %d\n", statements[i].name, PQnparams(rows),
                        statements[i].params);
            bad++;
        }
        PQclear(rows);
    }
    PQfinish(pg);
    assert_int_equal(bad, 0);
}

static void migrating_twice_changes_nothing(void **state)
{
    char first[64];

    (void)state;
    fixture_migrate();
    snprintf(first, sizeof(first), "%s", sql("SELECT max(applied_at) FROM schema_migration"));
    fixture_migrate();
    assert_string_equal(sql("SELECT max(applied_at) FROM schema_migration"), first);
    assert_int_equal(strtol(sql("SELECT count(*) FROM schema_migration"), NULL, 10),
                     known_migrations());
}

/* Expects db_migrate to refuse and to say why. */
static void assert_refused(const char *word)
{
    struct arena *a = arena_new(1 << 20);
    struct err e = db_migrate(a, database_url);

    assert_int_equal(e.kind, ERR_STORE);
    assert_non_null(strstr(err_text(e), word));
    arena_free(a);
}

static void an_edited_migration_is_refused(void **state)
{
    (void)state;
    fixture_migrate();
    sql("UPDATE schema_migration SET sha256 = 'other' WHERE number = 2");
    assert_refused("another content");
}

static void a_newer_database_is_refused(void **state)
{
    (void)state;
    fixture_migrate();
    sql("INSERT INTO schema_migration (number, name, sha256) VALUES (999, 'future', 'x')");
    assert_refused("newer");
}

/* Something of the first migration exists already: its transaction fails as a whole. */
static void a_failing_migration_leaves_nothing_behind(void **state)
{
    (void)state;
    fixture_migrate();
    sql("DELETE FROM schema_migration");
    assert_refused("exists");
    assert_string_equal(sql("SELECT count(*) FROM schema_migration"), "0");
}

static void no_server_is_an_error_not_a_crash(void **state)
{
    struct arena *a = arena_new(1 << 20);

    (void)state;
    struct err e = db_migrate(a, "host=/nonexistent dbname=x");
    assert_int_equal(e.kind, ERR_STORE);
    arena_free(a);
}

/* ---- the guard ---- */

static bool says_no_schema(void)
{
    return db_health() == DB_NO_SCHEMA;
}

static void an_empty_database_asks_for_migrate_and_is_used_once_that_is_done(void **state)
{
    (void)state;
    fixture_open(1000, false);
    assert_int_equal(db_health(), DB_DOWN); /* nothing known yet */
    assert_true(fixture_until(says_no_schema, 5000));
    assert_non_null(strstr(db_health_text(), "ocpi-hub migrate"));
    fixture_migrate();
    assert_true(fixture_until(fixture_db_up, 5000));
    assert_string_equal(db_health_text(), "up");
    fixture_close();
}

static void guard_says(const char *change, const char *word)
{
    fixture_migrate();
    sql(change);
    fixture_open(1000, false);
    assert_true(fixture_until(says_no_schema, 5000));
    if (!strstr(db_health_text(), word))
        print_error("%s\n", db_health_text());
    assert_non_null(strstr(db_health_text(), word));
    fixture_close();
}

static void an_older_schema_is_not_used(void **state)
{
    (void)state;
    guard_says("DELETE FROM schema_migration WHERE number = (SELECT max(number) FROM "
               "schema_migration)",
               "older");
}

static void a_newer_schema_is_not_used(void **state)
{
    (void)state;
    guard_says("INSERT INTO schema_migration (number, name, sha256) VALUES (999, 'future', 'x')",
               "newer");
}

static void another_schema_is_not_used(void **state)
{
    (void)state;
    guard_says("UPDATE schema_migration SET sha256 = 'other' WHERE number = 1", "migration 1");
}

static void a_statement_that_does_not_fit_is_noticed_before_it_is_needed(void **state)
{
    (void)state;
    guard_says("DROP FUNCTION message_write(json)", "statement");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        T(every_statement_prepares_against_a_migrated_database),
        T(migrating_twice_changes_nothing),
        T(an_edited_migration_is_refused),
        T(a_newer_database_is_refused),
        T(a_failing_migration_leaves_nothing_behind),
        T(no_server_is_an_error_not_a_crash),
        T(an_empty_database_asks_for_migrate_and_is_used_once_that_is_done),
        T(an_older_schema_is_not_used),
        T(a_newer_schema_is_not_used),
        T(another_schema_is_not_used),
        T(a_statement_that_does_not_fit_is_noticed_before_it_is_needed),
#undef T
    };
    int skipped = fixture_skip();

    if (skipped)
        return skipped;
    log_setup("migrate_test", LOG_ERROR);
    metrics_setup(1);
    metrics_use_slot(0);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
