/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Groups of users: who may have prices of their own (a retail tariff's selector names the group),
 * and a limit of what one session may cost.
 *
 *   GET    /v1/admin/user-groups
 *   PUT    /v1/admin/user-groups/{name}           {credit_limit?, currency?}
 *   POST   /v1/admin/user-groups/{name}/members   {user_id}: out of the group it was in
 *   DELETE /v1/admin/user-groups/{name}/members?user_id
 */
#include <string.h>

#include "base/decimal.h"
#include "base/json.h"
#include "base/text.h"
#include "base/time.h"
#include "db/retail.h"
#include "hub/ops/ops.h"
#include "hub/request.h"
#include "hub/server/http_server.h"

enum { USER_MAX = 255 };

struct user_group {
    const char *user_id, *currency, *document;
    int64_t credit_minor;
    bool found;
};

static bool name_valid(const char *name)
{
    size_t length = strlen(name);

    return length > 0 && length <= 36 &&
           strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-") ==
               length;
}

static void read_limit(struct user_group *g, const json_t *body, struct field_errors *e)
{
    const json_t *limit = json_object_get(body, "credit_limit");
    const char *currency = json_text_of(body, "currency");
    int64_t u6;

    if (!limit || json_is_null(limit))
        return;
    if (!currency || !currency_known(currency)) {
        field_errors_add(e, "currency", "currency_invalid", "must be a code of ISO 4217");
        return;
    }
    if (json_number_u6(limit, true, &u6))
        g->credit_minor = money_minor_from_u6(u6, currency);
    if (g->credit_minor <= 0)
        field_errors_add(e, "credit_limit", "credit_limit_invalid",
                         "must be an amount above 0, such as 50.00");
    g->currency = currency;
}

static enum flow_next set(struct flow *f)
{
    struct user_group *g = f->state;
    struct field_errors errors;

    field_errors_init(&errors, f->arena);
    if (!name_valid(request_of(f)->params[0]))
        field_errors_add(&errors, "name", "name_invalid",
                         "must be 1 to 36 letters, digits, points, dashes and underscores");
    read_limit(g, request_of(f)->json, &errors);
    if (errors.count)
        return reply_field_errors(f, &errors);
    return user_group_set(f, request_of(f)->params[0], g->credit_minor, g->currency);
}

static enum flow_next look(struct flow *f)
{
    struct user_group *g = f->state;

    return user_group_list(f, &g->document);
}

static enum flow_next list(struct flow *f)
{
    const struct user_group *g = f->state;

    return reply_json_text(f, 200, g->document);
}

static enum flow_next read_user(struct flow *f, const char *user_id)
{
    struct user_group *g = f->state;
    struct field_errors errors;

    g->user_id = user_id;
    if (user_id && *user_id && strlen(user_id) <= USER_MAX)
        return FLOW_NEXT;
    field_errors_init(&errors, f->arena);
    field_errors_add(&errors, "user_id", "user_id_invalid", "must be a user's id");
    return reply_field_errors(f, &errors);
}

static enum flow_next add(struct flow *f)
{
    struct user_group *g = f->state;
    enum flow_next next = read_user(f, json_text_of(request_of(f)->json, "user_id"));

    if (next != FLOW_NEXT)
        return next;
    return user_group_add(f, request_of(f)->params[0], g->user_id, &g->found);
}

static enum flow_next take_out(struct flow *f)
{
    struct user_group *g = f->state;
    enum flow_next next = read_user(f, request_query(f, "user_id"));

    if (next != FLOW_NEXT)
        return next;
    return user_group_remove(f, request_of(f)->params[0], g->user_id, &g->found);
}

static enum flow_next confirm(struct flow *f)
{
    const struct user_group *g = f->state;
    struct text t;

    if (!g->found)
        return flow_fail(f, err_new(ERR_OBJECT_NOT_FOUND));
    text_init(&t, f->arena, 4096);
    json_begin_object(&t, NULL);
    json_put_text(&t, "name", request_of(f)->params[0]);
    json_put_text(&t, "user_id", g->user_id);
    json_put_bool(&t, "member", strcmp(request_of(f)->http->method, "DELETE") != 0);
    json_end_object(&t);
    return reply_json(f, 200, &t);
}

static const struct flow_step list_steps[] = {{"look", look}, {"list", list}, {0}};
const struct flow_type list_user_groups_flow = {
    .name = "list_user_groups",
    .state_size = sizeof(struct user_group),
    .deadline_ms = SECONDS(10),
    .steps = list_steps,
};
static const struct flow_step set_steps[] = {{"set it", set}, {"look", look}, {"list", list}, {0}};
const struct flow_type set_user_group_flow = {
    .name = "set_user_group",
    .state_size = sizeof(struct user_group),
    .deadline_ms = SECONDS(10),
    .steps = set_steps,
};
static const struct flow_step add_steps[] = {{"add the user", add}, {"confirm", confirm}, {0}};
const struct flow_type add_user_flow = {
    .name = "add_user",
    .state_size = sizeof(struct user_group),
    .deadline_ms = SECONDS(10),
    .steps = add_steps,
};
static const struct flow_step remove_steps[] = {
    {"take the user out", take_out}, {"confirm", confirm}, {0}};
const struct flow_type remove_user_flow = {
    .name = "remove_user",
    .state_size = sizeof(struct user_group),
    .deadline_ms = SECONDS(10),
    .steps = remove_steps,
};
