/* SPDX-License-Identifier: Apache-2.0 */
/* Inspect: one statement builds the whole document. */
#include "db/inspect.h"

#include "db/pg.h"
#include "db/statements.h"

static struct err take_document(struct flow *f, const PGresult *rows, void *ret)
{
    const char **document = ret;

    *document = PQntuples(rows) ? pg_text(f->arena, rows, 0, "document") : NULL;
    return OK;
}

enum flow_next session_inspect(struct flow *f, const char *session_id, const char **ret_document)
{
    struct pg_args args;

    pg_args_init(&args, f->arena);
    pg_arg_text(&args, session_id);
    return pg_run(f, PG_READ, STATEMENT_session_inspect, &args, take_document, ret_document);
}
