/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tokens and authorisations between versions (15.2).
 */
#include "ocpi/translate/turn.h"

#include <string.h>

#include "base/arena.h"
#include "base/json.h"
#include "base/time.h"
#include "ocpi/token.h"

static const char *const token_types_221[] = {"APP_USER", "AD_HOC_USER", NULL};
static const char *const token_types_230[] = {"EMAID", NULL};
const struct turn_words turn_token_types = {&ocpi_token_kind_words, token_types_221,
                                            token_types_230, "OTHER"};

/* OTHER: what it was before, where that is remembered and the target has a word for it. */
static struct err type_for_newer(struct turn *t, struct turn_object *o, const struct turn_row *row,
                                 const json_t *value)
{
    const char *before = t->facts->token_type;

    if (!json_is_string(value))
        turn_wrong_kind(t, o, row, value);
    else if (turn_is(value, "OTHER") && before && turn_word_known(&turn_token_types, before, t->to))
        turn_set_text(o, row->member, before);
    else
        turn_set(o, row->member, value);
    return OK;
}

static struct err token_finish(struct turn *t, struct turn_object *o)
{
    return t->way & FROM_211 && !o->patch ? turn_add_owner(t, o) : OK;
}

/* clang-format off */
static const struct turn_row token_rows[] = {
    LEAVE_OUT    ("country_code", TO_211),
    LEAVE_OUT    ("party_id",     TO_211),
    WORD         ("type",         OLDER, &turn_token_types),
    BY_ALSO_PATCH("type",         NEWER, type_for_newer),
    RENAME       ("auth_id",      FROM_211, "contract_id"),
    RENAME       ("contract_id",  TO_211, "auth_id"),
};
const struct turn_class turn_token = TURN_CLASS("Token", token_rows, .finish = token_finish);
/* clang-format on */

json_t *turn_token_fact(const struct turn *t)
{
    const char *type = json_text_of(t->facts->token, "type");
    json_t *token;

    if (!json_is_object(t->facts->token))
        return NULL;
    token = json_copy((json_t *)(uintptr_t)t->facts->token);
    if (type && !turn_word_known(&turn_token_types, type, t->to))
        json_object_set_new(token, "type", json_string(turn_token_types.other));
    return token;
}

/* --- AuthorizationInfo --- */

/* The answer of 2.1.1 does not repeat the Token that was asked about. */
static struct err make_token(struct turn *t, struct turn_object *o)
{
    const struct translation_facts *facts = t->facts;
    char now[TIME_TEXT];
    json_t *token = turn_token_fact(t);

    if (token) {
        json_object_set_new(o->out, "token", token);
        return OK;
    }
    if (!facts->token_uid)
        return turn_missing(t, o, "token", "nothing tells which token was asked about");
    if (!facts->country_code || !facts->party_id)
        return turn_missing(t, o, "token", "nothing tells who owns the token");
    token = json_object();
    json_object_set_new(o->out, "token", token);
    json_object_set_new(token, "country_code", json_string(facts->country_code));
    json_object_set_new(token, "party_id", json_string(facts->party_id));
    json_object_set_new(token, "uid", json_string(facts->token_uid));
    json_object_set_new(token, "type", json_string(facts->token_type ? facts->token_type : "RFID"));
    json_object_set_new(token, "contract_id", json_string(facts->token_uid));
    json_object_set_new(token, "issuer",
                        json_string(facts->token_issuer ? facts->token_issuer : facts->party_id));
    json_object_set_new(token, "valid",
                        json_boolean(turn_is(json_object_get(o->source, "allowed"), "ALLOWED")));
    json_object_set_new(token, "whitelist", json_string("NEVER"));
    json_object_set_new(token, "last_updated", json_string(time_print_millis(now, t->now_us)));
    return OK;
}

static struct err authorization_info_finish(struct turn *t, struct turn_object *o)
{
    if (!(t->way & FROM_211))
        return OK;
    if (t->facts->authorization_reference)
        turn_set_text(o, "authorization_reference", t->facts->authorization_reference);
    return make_token(t, o);
}

/* clang-format off */
static const struct turn_row authorization_info_rows[] = {
    LEAVE_OUT("token",                   TO_211),
    LEAVE_OUT("authorization_reference", TO_211), /* kept by the hub, for Session and CDR */
};
const struct turn_class turn_authorization_info =
    TURN_CLASS("AuthorizationInfo", authorization_info_rows, .finish = authorization_info_finish);
/* clang-format on */

/* --- LocationReferences --- */

static struct err evse_uids_of_211(struct turn *t, struct turn_object *o,
                                   const struct turn_row *row, const json_t *value)
{
    json_t *list;

    if (!json_is_array(value)) {
        turn_wrong_kind(t, o, row, value);
        return OK;
    }
    list = json_array();
    json_object_set_new(o->out, row->member, list);
    for (size_t i = 0; i < json_array_size(value); i++) {
        const json_t *uid = json_array_get(value, i);
        const char *member = arena_printf(t->arena, "%s/%zu", row->member, i);
        const char *alias;

        if (!json_is_string(uid)) {
            turn_lose(t, o, member, uid, "it is of a wrong type");
            continue;
        }
        alias = translate_id(t->arena, json_string_value(uid));
        if (alias != json_string_value(uid))
            turn_lose(t, o, member, uid, "it is too long there: an alias stands for it");
        json_array_append_new(list, json_string(alias));
    }
    return OK;
}

/* clang-format off */
static const struct turn_row location_references_rows[] = {
    ID("location_id", FROM_211, NULL),
    BY("evse_uids",   FROM_211, evse_uids_of_211),
};
const struct turn_class turn_location_references =
    TURN_CLASS("LocationReferences", location_references_rows);
/* clang-format on */
