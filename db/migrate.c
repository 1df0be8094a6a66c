/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Migrations: numbered SQL, forward only, embedded in the program. Blocking: for command lines.
 *
 * A lock that ends with the connection keeps two of them apart. Each migration is one transaction
 * together with its row in schema_migration; the row's checksum proves later that it was not
 * edited.
 */
#include <stdio.h>
#include <string.h>

#include <libpq-fe.h>

#include "base/arena.h"
#include "db/db.h"
#include "db/statements.h"

#define AUTO_PGRESULT __attribute__((cleanup(clear_result)))

static void clear_result(PGresult **rows)
{
    PQclear(*rows);
}

static void close_connection(PGconn **pg)
{
    PQfinish(*pg);
}

static struct err complaint(struct arena *a, const PGconn *pg, const char *what)
{
    return err_at(a, ERR_STORE, NULL, "%s: %s", what, PQerrorMessage(pg));
}

/* One statement or many; its result is of no interest. */
static struct err run(struct arena *a, PGconn *pg, const char *what, const char *sql)
{
    AUTO_PGRESULT PGresult *rows = PQexec(pg, sql);
    ExecStatusType status = PQresultStatus(rows);

    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK)
        return complaint(a, pg, what);
    return OK;
}

/* Applied migrations must be the first ones of ours, unchanged. */
static struct err check_applied(struct arena *a, PGconn *pg, int *ret_applied)
{
    AUTO_PGRESULT PGresult *rows = PQexec(pg, statements[STATEMENT_schema_migration_list].text);

    if (PQresultStatus(rows) != PGRES_TUPLES_OK)
        return complaint(a, pg, "cannot read schema_migration");
    for (int i = 0; i < PQntuples(rows); i++) {
        const char *number = PQgetvalue(rows, i, 0), *name = PQgetvalue(rows, i, 1);
        if (!migrations[i].text)
            return err_at(
                a, ERR_STORE, NULL,
                "the database has migration %s (%s), which this program does not know: it "
                "belongs to a newer release",
                number, name);
        if (strtol(number, NULL, 10) != migrations[i].number)
            return err_at(a, ERR_STORE, NULL, "migration %d is missing in the database",
                          migrations[i].number);
        if (strcmp(PQgetvalue(rows, i, 2), migrations[i].sha256) != 0)
            return err_at(a, ERR_STORE, NULL,
                          "migration %s (%s) was applied with another content than this program's",
                          number, name);
    }
    *ret_applied = PQntuples(rows);
    return OK;
}

static struct err record(struct arena *a, PGconn *pg, const struct migration *m)
{
    const char *values[] = {arena_printf(a, "%d", m->number), m->name, m->sha256};
    AUTO_PGRESULT PGresult *rows = PQexecParams(
        pg, statements[STATEMENT_schema_migration_insert].text, 3, NULL, values, NULL, NULL, 0);

    if (PQresultStatus(rows) != PGRES_COMMAND_OK)
        return complaint(a, pg, m->name);
    return OK;
}

/* If one step fails the transaction ends with the connection. */
static struct err apply(struct arena *a, PGconn *pg, const struct migration *m)
{
    TRY(run(a, pg, m->name, "BEGIN"));
    TRY(run(a, pg, arena_printf(a, "migration %03d_%s", m->number, m->name), m->text));
    TRY(record(a, pg, m));
    TRY(run(a, pg, m->name, "COMMIT"));
    printf("migration %03d %s applied\n", m->number, m->name);
    return OK;
}

static void ignore_notice(void *arg, const char *message)
{
    (void)arg;
    (void)message;
}

struct err db_migrate(struct arena *a, const char *database_url)
{
    const char *names[] = {"application_name", "target_session_attrs", "dbname", NULL};
    const char *values[] = {"ocpi-hub migrate", "read-write", database_url, NULL};
    __attribute__((cleanup(close_connection))) PGconn *pg = PQconnectdbParams(names, values, 1);
    int applied = 0;

    if (PQstatus(pg) != CONNECTION_OK)
        return complaint(a, pg, "cannot connect to the database");
    PQsetNoticeProcessor(pg, ignore_notice, NULL);
    TRY(run(a, pg, "lock", statements[STATEMENT_schema_migration_lock].text));
    TRY(run(a, pg, "schema_migration", statements[STATEMENT_schema_migration_create].text));
    TRY(check_applied(a, pg, &applied));
    for (const struct migration *m = &migrations[applied]; m->text; m++)
        TRY(apply(a, pg, m));
    int count = 0;
    while (migrations[count].text)
        count++;
    printf("schema is at migration %d%s\n", count, applied == count ? ", nothing to do" : "");
    fflush(stdout);
    return OK;
}
