/* SPDX-License-Identifier: Apache-2.0 */
/* The message log, as those who ask read it: one statement builds the document. */
#include "base/id.h"
#include "db/message.h"
#include "db/pg.h"
#include "db/statements.h"

static struct err take_document(struct flow *f, const PGresult *rows, void *ret)
{
    const char **document = ret;

    *document = PQntuples(rows) ? pg_text(f->arena, rows, 0, "document") : NULL;
    return OK;
}

enum flow_next message_list(struct flow *f, const struct message_filter *filter,
                            const char **ret_document)
{
    struct pg_args args;

    pg_args_init(&args, f->arena);
    pg_arg_text(&args, filter->partner_id
                           ? arena_printf(f->arena, "%lld", (long long)filter->partner_id)
                           : NULL);
    pg_arg_text(&args, filter->module);
    pg_arg_text(&args, filter->object_id);
    pg_arg_text(&args, filter->correlation_id);
    pg_arg_text(&args, filter->session_id);
    pg_arg_bool(&args, filter->refused);
    pg_arg_time(&args, filter->from_us);
    pg_arg_time(&args, filter->to_us);
    pg_arg_text(&args, filter->before);
    pg_arg_int(&args, filter->limit);
    return pg_run(f, PG_READ, STATEMENT_message_list, &args, take_document, ret_document);
}

enum flow_next message_show(struct flow *f, const char *id, const char **ret_document)
{
    struct pg_args args;

    pg_args_init(&args, f->arena);
    pg_arg_text(&args, id);
    return pg_run(f, PG_READ, STATEMENT_message_show, &args, take_document, ret_document);
}
