/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is odd about the networks' tariffs, for those who run the hub.
 *
 *   GET  /v1/admin/tariffs/lint?partner&held
 *   POST /v1/admin/tariffs/{tariff}/approve   {version}: users may be sold by it after all
 */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/log.h"
#include "base/text.h"
#include "base/time.h"
#include "db/partner.h"
#include "db/retail.h"
#include "hub/ops/ops.h"
#include "hub/request.h"

struct linted {
    const char *document;
    int64_t tariff, version;
    bool found;
};

static enum flow_next complain(struct flow *f, const char *field, const char *code,
                               const char *message)
{
    struct field_errors errors;

    field_errors_init(&errors, f->arena);
    field_errors_add(&errors, field, code, message);
    return reply_field_errors(f, &errors);
}

static enum flow_next look(struct flow *f)
{
    struct linted *l = f->state;
    const char *which = request_query(f, "partner"), *held = request_query(f, "held");
    const struct partner *p = NULL;

    if (which && *which && !(p = partner_named(f, which)))
        return complain(f, "partner", "partner_invalid", "no partner has this name or number");
    return tariff_lint_list(f, p ? p->id : 0, held && strcmp(held, "true") == 0, &l->document);
}

static enum flow_next list(struct flow *f)
{
    const struct linted *l = f->state;

    return reply_json_text(f, 200, l->document);
}

static const struct flow_step list_steps[] = {{"look", look}, {"list", list}, {0}};
const struct flow_type list_tariff_lint_flow = {
    .name = "list_tariff_lint",
    .state_size = sizeof(struct linted),
    .deadline_ms = SECONDS(20),
    .steps = list_steps,
};

/* From 1 on; else 0. */
static int64_t number_from(const char *text)
{
    char *end;

    if (!text || !*text)
        return 0;
    long long n = strtoll(text, &end, 10);
    return *end || n < 1 ? 0 : n;
}

static enum flow_next approve(struct flow *f)
{
    struct linted *l = f->state;
    const json_t *version = json_object_get(request_of(f)->json, "version");

    l->tariff = number_from(request_of(f)->params[0]);
    l->version = json_is_integer(version) ? json_integer_value(version)
                                          : number_from(json_string_value(version));
    if (l->version < 1)
        return complain(f, "version", "version_invalid",
                        "must be the version that was looked at: another one may be as odd");
    return tariff_approve(f, l->tariff, l->version, request_of(f)->caller.name, &l->found);
}

static enum flow_next confirm(struct flow *f)
{
    const struct linted *l = f->state;
    struct text t;

    if (!l->found)
        return flow_fail(f, err_new(ERR_OBJECT_NOT_FOUND));
    log_line(LOG_INFO, "tariff approved", LOG_INT("tariff", l->tariff),
             LOG_INT("version", l->version), LOG_TEXT("by", request_of(f)->caller.name));
    text_init(&t, f->arena, 4096);
    json_begin_object(&t, NULL);
    json_put_int(&t, "tariff", l->tariff);
    json_put_int(&t, "version", l->version);
    json_put_bool(&t, "held", false);
    json_end_object(&t);
    return reply_json(f, 200, &t);
}

static const struct flow_step approve_steps[] = {
    {"approve it", approve}, {"confirm", confirm}, {0}};
const struct flow_type approve_tariff_flow = {
    .name = "approve_tariff",
    .state_size = sizeof(struct linted),
    .deadline_ms = SECONDS(10),
    .steps = approve_steps,
};
