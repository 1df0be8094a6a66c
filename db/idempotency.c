/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Idempotency records of calls that are more than one statement: reserved first, then the answer
 * is kept, or the record forgotten. Start and stop keep theirs in their own statement.
 */
#include <assert.h>
#include <stddef.h>

#include "base/arena.h"
#include "db/pg.h"
#include "db/session.h"
#include "db/session_row.h"
#include "db/statements.h"

static struct err take_record(struct flow *f, const PGresult *rows, void *to)
{
    static const char *const words[] = {"none", "running", "done", "other_body", NULL};
    struct idempotency_record *ret = to;

    *ret = (struct idempotency_record){.state = IDEMPOTENCY_NONE};
    if (PQntuples(rows) == 0)
        return OK;
    int word = session_take_word(rows, 0, "word", words);
    assert(word >= 0);
    ret->state = (typeof(ret->state))word;
    if (ret->state == IDEMPOTENCY_DONE) {
        ret->status = (int)pg_int(rows, 0, "status");
        ret->body = pg_text(f->arena, rows, 0, "body");
    }
    return OK;
}

static void add_key(struct pg_args *args, struct arena *a, const struct idempotency *key)
{
    pg_args_init(args, a);
    pg_arg_text(args, key->caller);
    pg_arg_text(args, key->method);
    pg_arg_text(args, key->path);
    pg_arg_text(args, key->key);
}

enum flow_next idempotency_find(struct flow *f, const struct idempotency *key,
                                struct idempotency_record *ret)
{
    struct pg_args args;

    *ret = (struct idempotency_record){.state = IDEMPOTENCY_NONE};
    if (!key->key)
        return FLOW_NEXT;
    add_key(&args, f->arena, key);
    pg_arg_text(&args, key->body_hash);
    return pg_run(f, PG_READ, STATEMENT_idempotency_find, &args, take_record, ret);
}

enum flow_next idempotency_begin(struct flow *f, const struct idempotency *key,
                                 struct idempotency_record *ret)
{
    struct pg_args args;

    *ret = (struct idempotency_record){.state = IDEMPOTENCY_NONE};
    if (!key->key)
        return FLOW_NEXT;
    add_key(&args, f->arena, key);
    pg_arg_text(&args, key->body_hash);
    return pg_run(f, PG_WRITE, STATEMENT_idempotency_begin, &args, take_record, ret);
}

enum flow_next idempotency_finish(struct flow *f, const struct idempotency *key, int status,
                                  const char *body)
{
    struct pg_args args;

    if (!key->key)
        return FLOW_NEXT;
    add_key(&args, f->arena, key);
    pg_arg_int(&args, status);
    pg_arg_text(&args, body);
    return pg_run(f, PG_WRITE, STATEMENT_idempotency_finish, &args, NULL, NULL);
}

enum flow_next idempotency_forget(struct flow *f, const struct idempotency *key)
{
    struct pg_args args;

    if (!key->key)
        return FLOW_NEXT;
    add_key(&args, f->arena, key);
    return pg_run(f, PG_WRITE, STATEMENT_idempotency_forget, &args, NULL, NULL);
}
