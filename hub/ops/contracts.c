/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Contracts for those who run the hub: whose objects may go to whom, per module.
 *
 *   POST /v1/admin/contracts {from, to, module?, allow}
 *   GET  /v1/admin/contracts?from&to
 */
#include <string.h>

#include "base/json.h"
#include "base/log.h"
#include "base/text.h"
#include "base/time.h"
#include "db/contract.h"
#include "hub/ops/ops.h"
#include "hub/request.h"
#include "ocpi/version.h"

enum { LIST_BYTES = 7 * 1024 * 1024 };

static const char NO_PARTY[] = "must be a country code and a party id, such as FI*ABC";

static void put_contract(struct text *t, const struct contract *c)
{
    char party[PARTY_TEXT], since[TIME_TEXT];

    json_begin_object(t, NULL);
    json_put_text(t, "from", party_id_print(&c->from, party));
    json_put_text(t, "to", party_id_print(&c->to, party));
    json_put_text(t, "module", c->module);
    json_put_bool(t, "allowed", c->allowed);
    json_put_text(t, "since", time_print_seconds(since, c->since_us));
    json_end_object(t);
}

/* ---- set ---- */

/* What contracts can be about: the functional modules. */
static const char *module_known(const char *name)
{
    static const char *const MODULES[] = {
        MODULE_LOCATIONS, MODULE_TARIFFS,  MODULE_SESSIONS,          MODULE_CDRS,
        MODULE_TOKENS,    MODULE_COMMANDS, MODULE_CHARGING_PROFILES,
    };

    for (size_t i = 0; i < sizeof MODULES / sizeof *MODULES; i++)
        if (strcmp(MODULES[i], name) == 0)
            return MODULES[i];
    return NULL;
}

static void read_party(struct field_errors *errors, const json_t *body, const char *name,
                       struct party_id *ret)
{
    const char *text = json_text_of(body, name);

    if (!text || !party_id_parse(text, ret))
        field_errors_add(errors, name, "party_invalid", NO_PARTY);
}

static void read_contract(struct field_errors *errors, const json_t *body, struct contract *ret)
{
    const json_t *module = json_object_get(body, "module");
    const json_t *allow = json_object_get(body, "allow");

    read_party(errors, body, "from", &ret->from);
    read_party(errors, body, "to", &ret->to);
    if (!errors->count && party_id_equal(&ret->from, &ret->to))
        field_errors_add(errors, "to", "party_invalid", "must be another party than from");
    if (module && !json_is_null(module)) {
        ret->module = json_is_string(module) ? module_known(json_string_value(module)) : NULL;
        if (!ret->module)
            field_errors_add(errors, "module", "module_invalid",
                             "must be a functional module of OCPI, such as locations");
    }
    if (!json_is_boolean(allow))
        field_errors_add(errors, "allow", "allow_invalid", "must be true or false");
    ret->allowed = json_is_true(allow);
    ret->since_us = time_now_us();
}

static enum flow_next set(struct flow *f)
{
    struct contract *c = f->state;
    struct field_errors errors;

    field_errors_init(&errors, f->arena);
    read_contract(&errors, request_of(f)->json, c);
    if (errors.count)
        return reply_field_errors(f, &errors);
    return contract_set(f, c);
}

static enum flow_next confirm(struct flow *f)
{
    const struct contract *c = f->state;
    char from[PARTY_TEXT], to[PARTY_TEXT];
    struct text t;

    log_line(LOG_INFO, "contract set", LOG_TEXT("from", party_id_print(&c->from, from)),
             LOG_TEXT("to", party_id_print(&c->to, to)),
             LOG_TEXT("module", c->module ? c->module : "all"), LOG_BOOL("allowed", c->allowed),
             LOG_TEXT("by", request_of(f)->caller.name));
    text_init(&t, f->arena, 4096);
    put_contract(&t, c);
    return reply_json(f, 200, &t);
}

static const struct flow_step set_steps[] = {{"set it", set}, {"confirm", confirm}, {0}};
const struct flow_type set_contract_flow = {
    .name = "set_contract",
    .state_size = sizeof(struct contract),
    .deadline_ms = SECONDS(10),
    .steps = set_steps,
};

/* ---- list ---- */

struct contract_ask {
    struct party_id from, to;
    struct contracts found;
};

static enum flow_next look(struct flow *f)
{
    struct contract_ask *a = f->state;
    const char *from = request_query(f, "from"), *to = request_query(f, "to");
    struct field_errors errors;

    field_errors_init(&errors, f->arena);
    if (from && *from && !party_id_parse(from, &a->from))
        field_errors_add(&errors, "from", "party_invalid", NO_PARTY);
    if (to && *to && !party_id_parse(to, &a->to))
        field_errors_add(&errors, "to", "party_invalid", NO_PARTY);
    if (errors.count)
        return reply_field_errors(f, &errors);
    return contract_list(f, &a->from, &a->to, &a->found);
}

static enum flow_next list(struct flow *f)
{
    const struct contract_ask *a = f->state;
    struct text t;

    text_init(&t, f->arena, LIST_BYTES);
    json_begin_object(&t, NULL);
    json_begin_array(&t, "items");
    for (size_t i = 0; i < a->found.count; i++)
        put_contract(&t, &a->found.items[i]);
    json_end_array(&t);
    json_end_object(&t);
    return reply_json(f, 200, &t);
}

static const struct flow_step list_steps[] = {{"look", look}, {"list", list}, {0}};
const struct flow_type list_contracts_flow = {
    .name = "list_contracts",
    .state_size = sizeof(struct contract_ask),
    .deadline_ms = SECONDS(10),
    .steps = list_steps,
};
