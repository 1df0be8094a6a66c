/* SPDX-License-Identifier: Apache-2.0 */
/* Shared rules for what apps send. */
#include "hub/api/validate.h"

#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/decimal.h"
#include "base/json.h"
#include "hub/routes.h"
#include "hub/server/http_server.h"

struct err path_session_id(struct flow *f, char ret[UUID_TEXT])
{
    if (!id_uuid_parse(request_of(f)->params[0], ret))
        return err_new(ERR_BAD_SESSION_ID);
    return OK;
}

bool number_read(const json_t *value, int places, int64_t *ret_u6)
{
    char text[DECIMAL_TEXT];

    if (!json_is_number(value) || !json_number_u6(value, false, ret_u6))
        return false;
    if (json_is_integer(value))
        return true;
    snprintf(text, sizeof text, "%.15g", json_real_value(value));
    int given = decimal_places(text);
    return given >= 0 && given <= places;
}

struct err idempotency_read(struct flow *f, struct idempotency *ret)
{
    const struct request *r = request_of(f);
    const char *key = http_header(r->http, "Idempotency-Key");

    *ret = (struct idempotency){0};
    if (!key)
        return OK;
    size_t length = strlen(key);
    if (!length || length > 200 || !text_is_printable_ascii(key) ||
        http_header_count(r->http, "Idempotency-Key") > 1)
        return err_new(ERR_BAD_IDEMPOTENCY_KEY);
    const char *body = r->json ? json_canonical(f->arena, r->json) : "";
    const char *caller = r->caller.name;
    if (r->caller.robot_id) /* it may act for several users: a replay must not cross them */
        caller = arena_printf(f->arena, "%s\n%s", r->caller.user_id, caller);
    *ret = (struct idempotency){
        .key = key,
        .caller = caller,
        .method = r->http->method,
        .path = r->http->path,
    };
    id_sha256_hex(body, strlen(body), ret->body_hash);
    return OK;
}

enum flow_next reply_replay(struct flow *f, const struct idempotency_record *r)
{
    struct reply_header replay = {"Idempotent-Replay", "true"};

    return reply(f, r->status, "application/json", r->body, strlen(r->body), &replay, 1);
}

bool idempotency_answered(struct flow *f, const struct idempotency_record *r)
{
    switch (r->state) {
    case IDEMPOTENCY_DONE:
        reply_replay(f, r);
        return true;
    case IDEMPOTENCY_RUNNING:
        reply_problem(f, ERR_IDEMPOTENCY_RUNNING, NULL, 1, NULL, 0);
        return true;
    case IDEMPOTENCY_OTHER_BODY:
        reply_problem(f, ERR_IDEMPOTENCY_REUSED, NULL, 0, NULL, 0);
        return true;
    default:
        return false;
    }
}
