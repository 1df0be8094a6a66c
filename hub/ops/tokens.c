/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tokens for development: a user's JWT or, with `role`, that of a member of staff, signed with
 * dev_jwt_key_file; 404 where none is set.
 */
#include <string.h>

#include "base/json.h"
#include "base/text.h"
#include "hub/hub.h"
#include "hub/ops/ops.h"
#include "hub/request.h"
#include "hub/server/authenticate.h"
#include "hub/server/jwt.h"

enum { USER_S = 12 * 3600, ROBOT_S = 3600 };

static enum flow_next mint(struct flow *f)
{
    const json_t *body = request_of(f)->json;
    const char *sub = json_text_of(body, "sub"), *robot = json_text_of(body, "robot");
    const char *role = json_text_of(body, "role");
    struct field_errors errors;
    struct text t;

    field_errors_init(&errors, f->arena);
    if (!sub || !*sub || strlen(sub) > 200 || !text_is_printable_ascii(sub))
        field_errors_add(&errors, "sub", "sub_invalid", "must be 1 to 200 printable characters");
    if (robot && (!*robot || strlen(robot) > 200 || !text_is_printable_ascii(robot)))
        field_errors_add(&errors, "robot", "robot_invalid",
                         "must be 1 to 200 printable characters");
    if (json_object_get(body, "role") && (!jwt_role(role) || robot))
        field_errors_add(&errors, "role", "role_invalid",
                         "must be operator, lead, admin, finance or auditor, and no robot has one");
    if (errors.count)
        return reply_field_errors(f, &errors);
    int seconds = robot ? ROBOT_S : USER_S;
    const char *token =
        authenticator_mint(hub_of(f)->authenticator, f->arena, sub, robot, role, seconds);
    if (!token)
        return flow_fail(f, err_at(f->arena, ERR_NOT_FOUND, NULL,
                                   "this hub has no development key (setting dev_jwt_key_file)"));
    text_init(&t, f->arena, 16384);
    json_begin_object(&t, NULL);
    json_put_text(&t, "token", token);
    json_put_text(&t, "sub", sub);
    json_put_int(&t, "expires_in", seconds);
    json_end_object(&t);
    return reply_json(f, 200, &t);
}

static const struct flow_step steps[] = {{"mint", mint}, {0}};
const struct flow_type mint_token_flow = {.name = "mint_token", .steps = steps};
