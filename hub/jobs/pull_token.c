/* SPDX-License-Identifier: Apache-2.0 */
/* An eMSP's Token out of a pulled page: checked by the table of its version, kept as it came. */
#include <string.h>

#include "base/json.h"
#include "hub/jobs/pull_store.h"
#include "ocpi/token.h"

const char *pull_token_contract(const struct intake *in, const json_t *token)
{
    return json_text_of(token, in->version == OCPI_2_1_1 ? "auth_id" : "contract_id");
}

/* Whose it says it is has to be an eMSP-like party of the connection (R-TRANS-18). */
static struct err check_owner(struct flow *f, const struct partner *p, const struct party_id *owner)
{
    for (size_t i = 0; i < p->party_count; i++)
        if (party_id_equal(&p->parties[i].id, owner) &&
            (p->parties[i].role == OCPI_ROLE_EMSP || p->parties[i].role == OCPI_ROLE_OTHER))
            return OK;
    return err_rule(err_at(f->arena, ERR_BAD_FIELD, "/party_id",
                           "/party_id: %s-%s is no eMSP of this connection", owner->country_code,
                           owner->party_id),
                    "R-TRANS-18");
}

/* The words of 2.2.1; every other one is OTHER there. */
static const char *type_of_key(const char *type)
{
    enum ocpi_token_kind kind = ocpi_token_kind_parse(type);
    bool known =
        kind == OCPI_TOKEN_RFID || kind == OCPI_TOKEN_APP_USER || kind == OCPI_TOKEN_AD_HOC_USER;

    return known ? ocpi_token_kind_name(kind) : "OTHER";
}

struct err pull_token(struct flow *f, const struct intake *in, const json_t *token,
                      struct roaming_token_put *ret)
{
    const char *country = json_text_of(token, "country_code");
    const char *party = json_text_of(token, "party_id");
    struct party_id owner = in->owner;
    size_t length;

    TRY(intake_check(f, in, "Token", token));
    if (country && party)
        (void)party_id_make(country, party, &owner);
    TRY(check_owner(f, in->partner, &owner));
    const char *text = json_text(f->arena, token, &length);
    TRY(intake_fits(f, "Token", length, TOKEN_BYTES_MAX));
    *ret = (struct roaming_token_put){
        .key = {in->partner->id, arena_text(f->arena, owner.country_code),
                arena_text(f->arena, owner.party_id), json_text_of(token, "uid"),
                type_of_key(json_text_of(token, "type"))},
        .document = text,
        .ocpi = in->version,
        .contract_id = pull_token_contract(in, token),
        .valid = json_is_true(json_object_get(token, "valid")),
        .last_updated_us = intake_updated(token),
    };
    return intake_check_clock(f, in, ret->last_updated_us);
}
