/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of partners: begin, results, end, and reading them. */
#include "db/partner_test.h"

#include "base/arena.h"
#include "base/text.h"
#include "base/time.h"
#include "db/pg.h"
#include "db/statements.h"

enum { CHECKS_BYTES = 4 * 1024 * 1024 };

static struct err take_id(struct flow *f, const PGresult *rows, void *ret)
{
    int64_t *id = ret;

    (void)f;
    *id = PQntuples(rows) ? pg_int(rows, 0, "id") : 0;
    return OK;
}

enum flow_next partner_test_begin(struct flow *f, int64_t partner_id, bool full, int64_t *ret_id)
{
    struct pg_args args;

    pg_args_init(&args, f->arena);
    pg_arg_int(&args, partner_id);
    pg_arg_bool(&args, full);
    return pg_run(f, PG_WRITE, STATEMENT_partner_test_begin, &args, take_id, ret_id);
}

enum flow_next partner_check_add(struct flow *f, int64_t test_id,
                                 const struct partner_check *checks, size_t count)
{
    struct pg_args args;
    struct text t;

    text_init(&t, f->arena, CHECKS_BYTES);
    json_begin_array(&t, NULL);
    for (size_t i = 0; i < count; i++) {
        const struct partner_check *c = &checks[i];
        json_begin_object(&t, NULL);
        json_put_int(&t, "seq", c->seq);
        json_put_text(&t, "name", c->name);
        json_put_text(&t, "module", c->module);
        json_put_text(&t, "result", c->result);
        json_put_text(&t, "rule", c->rule);
        json_put_text(&t, "place", c->place);
        json_put_text(&t, "expected", c->expected);
        json_put_text(&t, "got", c->got);
        json_put_text(&t, "advice", c->advice);
        json_end_object(&t);
    }
    json_end_array(&t);
    pg_args_init(&args, f->arena);
    pg_arg_int(&args, test_id);
    pg_arg_text(&args, t.bytes);
    return pg_run(f, PG_WRITE, STATEMENT_partner_check_add, &args, NULL, NULL);
}

enum flow_next partner_test_end(struct flow *f, int64_t test_id)
{
    struct pg_args args;

    pg_args_init(&args, f->arena);
    pg_arg_int(&args, test_id);
    return pg_run(f, PG_WRITE, STATEMENT_partner_test_end, &args, NULL, NULL);
}

static struct err take_test(struct flow *f, const PGresult *rows, void *to)
{
    struct partner_test *ret = to;

    (void)f;
    *ret = (struct partner_test){0};
    if (!PQntuples(rows))
        return OK;
    ret->id = pg_int(rows, 0, "id");
    ret->full = pg_bool(rows, 0, "full_test");
    ret->running = pg_bool(rows, 0, "running");
    ret->started_us = pg_time(rows, 0, "started_at");
    ret->finished_us = pg_time(rows, 0, "finished_at");
    return OK;
}

enum flow_next partner_test_get(struct flow *f, int64_t partner_id, int64_t test_id,
                                struct partner_test *ret)
{
    struct pg_args args;

    pg_args_init(&args, f->arena);
    pg_arg_int(&args, partner_id);
    pg_arg_int(&args, test_id);
    return pg_run(f, PG_READ, STATEMENT_partner_test_get, &args, take_test, ret);
}

static struct err take_checks(struct flow *f, const PGresult *rows, void *to)
{
    struct partner_test *ret = to;
    int count = PQntuples(rows);

    ret->count = (size_t)count;
    ret->checks = arena_alloc(f->arena, sizeof(*ret->checks) * ((size_t)count + 1));
    for (int i = 0; i < count; i++) {
        ret->checks[i] = (struct partner_check){
            .seq = pg_int(rows, i, "seq"),
            .name = pg_text(f->arena, rows, i, "name"),
            .module = pg_text(f->arena, rows, i, "module"),
            .result = pg_text(f->arena, rows, i, "result"),
            .rule = pg_text(f->arena, rows, i, "rule"),
            .place = pg_text(f->arena, rows, i, "place"),
            .expected = pg_text(f->arena, rows, i, "expected"),
            .got = pg_text(f->arena, rows, i, "got"),
            .advice = pg_text(f->arena, rows, i, "advice"),
        };
    }
    return OK;
}

enum flow_next partner_check_list(struct flow *f, int64_t test_id, struct partner_test *ret)
{
    struct pg_args args;

    pg_args_init(&args, f->arena);
    pg_arg_int(&args, test_id);
    return pg_run(f, PG_READ, STATEMENT_partner_check_list, &args, take_checks, ret);
}
