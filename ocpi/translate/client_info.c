/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What connections are made of, between versions (15.1, 15.8): ClientInfo, Credentials and version
 * details. Credentials are never relayed; this turns those of a partner into roles and back.
 */
#include "ocpi/translate/turn.h"

#include <string.h>

#include "base/arena.h"
#include "base/json.h"
#include "ocpi/party.h"
#include "ocpi/version.h"

/* --- ClientInfo --- */

/* R-BR-45, R-HCI-11 */
static struct err client_role(struct turn *t, struct turn_object *o, const struct turn_row *row,
                              const json_t *value)
{
    if (!json_is_string(value))
        turn_wrong_kind(t, o, row, value);
    else if (turn_is(value, "HUB"))
        o->refused = "the role HUB is never relayed";
    else
        turn_set(o, row->member, value);
    return OK;
}

static const struct turn_row client_info_rows[] = {
    BY("role", SIDEWAYS, client_role),
};
const struct turn_class turn_client_info = TURN_CLASS("ClientInfo", client_info_rows);

/* --- Credentials --- */

static const char *role_of(const struct turn *t)
{
    return t->facts->role ? t->facts->role : "CPO";
}

/* The role is that of the face to which 2.1.1 credentials came. */
static void add_role(struct turn *t, struct turn_object *o)
{
    static const char *const members[] = {"business_details", "party_id", "country_code"};
    json_t *role = json_object(), *roles = json_array();

    json_object_set_new(role, "role", json_string(role_of(t)));
    for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
        const json_t *value = json_object_get(o->source, members[i]);

        if (value && !json_is_null(value))
            json_object_set_new(role, members[i], turn_share(value));
    }
    json_array_append_new(roles, role);
    json_object_set_new(o->out, "roles", roles);
}

/* The party of the first role that 2.1.1 can be; it has one. */
static struct err roles_for_211(struct turn *t, struct turn_object *o, const struct turn_row *row,
                                const json_t *value)
{
    static const char *const members[] = {"business_details", "party_id", "country_code"};
    size_t count = json_array_size(value), chosen = 0;

    if (!json_is_array(value)) {
        turn_wrong_kind(t, o, row, value);
        return OK;
    }
    for (size_t i = count; i-- > 0;) {
        if (turn_is(json_object_get(json_array_get(value, i), "role"), role_of(t)))
            chosen = i;
    }
    for (size_t i = 0; i < count; i++) {
        if (i != chosen)
            turn_lose(t, o, arena_printf(t->arena, "roles/%zu", i), json_array_get(value, i),
                      "credentials of 2.1.1 are of one party");
    }
    for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
        const json_t *member = json_object_get(json_array_get(value, chosen), members[i]);

        if (member && !json_is_null(member))
            turn_set(o, members[i], member);
    }
    return OK;
}

/* 2.3.0 has no role HUB: who routes says so with hub_party_id (R-CRED-14). */
static struct err roles_for_230(struct turn *t, struct turn_object *o, const struct turn_row *row,
                                const json_t *value)
{
    json_t *list;

    if (!json_is_array(value)) {
        turn_wrong_kind(t, o, row, value);
        return OK;
    }
    list = json_array();
    json_object_set_new(o->out, row->member, list);
    for (size_t i = 0; i < json_array_size(value); i++) {
        const json_t *role = json_array_get(value, i);
        const char *country = json_text_of(role, "country_code");
        const char *party = json_text_of(role, "party_id");

        if (!turn_is(json_object_get(role, "role"), "HUB")) {
            json_array_append_new(list, turn_share(role));
            continue;
        }
        turn_lose(t, o, arena_printf(t->arena, "roles/%zu", i), role,
                  "there is no role HUB: hub_party_id says it");
        if (country && party)
            turn_set_text(o, "hub_party_id", arena_printf(t->arena, "%s%s", country, party));
    }
    return OK;
}

static struct err credentials_finish(struct turn *t, struct turn_object *o)
{
    if (t->way & FROM_211)
        add_role(t, o);
    return OK;
}

/* clang-format off */
static const struct turn_row credentials_rows[] = {
    LEAVE_OUT("business_details", FROM_211), /* part of the role */
    LEAVE_OUT("party_id",         FROM_211),
    LEAVE_OUT("country_code",     FROM_211),
    BY       ("roles",            TO_211, roles_for_211),
    BY       ("roles",            RISES, roles_for_230),
};
const struct turn_class turn_credentials =
    TURN_CLASS("Credentials", credentials_rows, .finish = credentials_finish);
/* clang-format on */

/* --- VersionDetails --- */

/* What a CPO owns it sends; tokens and commands it receives. An eMSP the other way round. */
static const char *interface_role(const struct turn *t, const char *module)
{
    static const char *const received_by_cpo[] = {MODULE_TOKENS, MODULE_COMMANDS,
                                                  MODULE_CHARGING_PROFILES};
    bool is_cpo = strcmp(role_of(t), "CPO") == 0, received = !is_cpo;

    if (strcmp(module, MODULE_CREDENTIALS) == 0)
        return "SENDER"; /* R-VER-03 */
    for (size_t i = 0; i < sizeof(received_by_cpo) / sizeof(received_by_cpo[0]); i++) {
        if (strcmp(module, received_by_cpo[i]) == 0)
            received = is_cpo;
    }
    return received ? "RECEIVER" : "SENDER";
}

static struct err endpoint_finish(struct turn *t, struct turn_object *o)
{
    const char *module = json_text_of(o->source, "identifier");

    if (t->way & FROM_211 && module)
        turn_set_text(o, "role", interface_role(t, module));
    return OK;
}

/* 2.1.1 peers have one role: the other interface of a module is none of theirs. */
static struct err endpoint_role_for_211(struct turn *t, struct turn_object *o,
                                        const struct turn_row *row, const json_t *value)
{
    const char *module = json_text_of(o->source, "identifier");

    (void)row;
    if (t->facts->role && module && strcmp(module, MODULE_CREDENTIALS) != 0 &&
        !turn_is(value, interface_role(t, module)))
        o->refused = "2.1.1 has one interface of a module";
    return OK;
}

static const struct turn_row endpoint_rows[] = {
    BY("role", TO_211, endpoint_role_for_211),
};
const struct turn_class turn_endpoint =
    TURN_CLASS("Endpoint", endpoint_rows, .finish = endpoint_finish);
