/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Translate: which objects there are, and what may be told as a PATCH.
 */
#include "ocpi/translate/turn.h"

#include <string.h>

#include "base/arena.h"
#include "base/id.h"
#include "base/text.h"
#include "base/time.h"

enum { ID_MAX = 36, ALIAS_KEPT = 19, ALIAS_HASH = 16 };

/* The class names of the specification; what it is called in 2.1.1, NULL: there is none. */
struct translatable {
    const char *name, *in_211;
    const char *why_not_211;
    bool by_patch; /* has a PATCH in every version */
};

/* clang-format off */
static const char not_in_211[] = "OCPI 2.1.1 has no such object";
static const char no_profiles[] = "OCPI 2.1.1 has no charging profiles: answer NOT_SUPPORTED";

static const struct translatable translatables[] = {
    {"Location",            "Location",           NULL, true},
    {"EVSE",                "EVSE",               NULL, true},
    {"Connector",           "Connector",          NULL, true},
    {"Tariff",              "Tariff",             NULL, false}, /* R-TAR-15 */
    {"Session",             "Session",            NULL, true},
    {"CDR",                 "CDR",                NULL, false},
    {"Token",               "Token",              NULL, true},
    {"AuthorizationInfo",   "AuthorizationInfo",  NULL, false},
    {"LocationReferences",  "LocationReferences", NULL, false},
    {"ClientInfo",          NULL,                 not_in_211, false}, /* R-HCI-10 */
    {"Credentials",         "Credentials",        NULL, false},
    {"VersionDetails",      "VersionDetails",     NULL, false},
    {"StartSession",        "StartSession",       NULL, false},
    {"StopSession",         "StopSession",        NULL, false},
    {"ReserveNow",          "ReserveNow",         NULL, false},
    {"CancelReservation",   NULL,
     "OCPI 2.1.1 has no CANCEL_RESERVATION: answer NOT_SUPPORTED", false},
    {"UnlockConnector",     "UnlockConnector",    NULL, false},
    {"CommandResponse",     "CommandResponse",    NULL, false},
    {"CommandResult",       "CommandResponse",    NULL, false},
    {"SetChargingProfile",  NULL, no_profiles, false}, /* 15.7 */
    {"ChargingProfile",     NULL, no_profiles, false},
    {"ChargingProfileResponse", NULL, no_profiles, false},
    {"ChargingProfileResult", NULL, no_profiles, false},
    {"ClearProfileResult",  NULL, no_profiles, false},
    {"ActiveChargingProfile", NULL, no_profiles, false},
    {"ActiveChargingProfileResult", NULL, no_profiles, false},
    {"ChargingPreferences", NULL, "OCPI 2.1.1 has no charging preferences: answer 2001", false},
};
/* clang-format on */

static const struct translation_facts nothing_known;

static const struct translatable *find_translatable(const char *object)
{
    for (size_t i = 0; i < sizeof(translatables) / sizeof(translatables[0]); i++) {
        if (strcmp(translatables[i].name, object) == 0)
            return &translatables[i];
    }
    return NULL;
}

static unsigned way_of(enum ocpi_version from, enum ocpi_version to)
{
    if (from == OCPI_2_1_1)
        return to == OCPI_2_2_1 ? FROM_211_TO_221 : FROM_211_TO_230;
    if (to == OCPI_2_1_1)
        return from == OCPI_2_2_1 ? FROM_221_TO_211 : FROM_230_TO_211;
    return from == OCPI_2_2_1 ? RISES : FALLS;
}

static void decref(void *value)
{
    json_decref(value);
}

static bool is_version(enum ocpi_version version)
{
    return version == OCPI_2_1_1 || version == OCPI_2_2_1 || version == OCPI_2_3_0;
}

static struct err run(const char *object, enum ocpi_version from, enum ocpi_version to,
                      const json_t *document, const struct translation_facts *facts,
                      struct arena *a, bool patch, struct translation *ret, bool *ret_whole)
{
    const struct translatable *what = find_translatable(object);
    struct turn t = {.arena = a, .facts = facts ? facts : &nothing_known, .from = from, .to = to};
    json_t *out = NULL;
    const char *refused = NULL;
    struct err e;

    *ret = (struct translation){0};
    if (!what || !is_version(from) || !is_version(to))
        return err_at(a, ERR_INTERNAL, NULL, "%s cannot be translated", object);
    if (from == to) {
        ret->document = turn_share(document);
        if (document)
            arena_on_free(a, decref, ret->document);
        return OK;
    }
    if (!json_is_object(document))
        return err_at(a, ERR_BAD_BODY, "", "no object came where a %s is expected", object);
    if (patch && !what->by_patch) {
        *ret_whole = true;
        return OK;
    }
    if (!what->in_211 && (from == OCPI_2_1_1 || to == OCPI_2_1_1)) {
        ret->withheld = what->why_not_211;
        return OK;
    }
    t.way = way_of(from, to);
    t.now_us = t.facts->now_us ? t.facts->now_us : time_now_us();
    e = turn_document(&t, what->name, from == OCPI_2_1_1 ? what->in_211 : what->name,
                      to == OCPI_2_1_1 ? what->in_211 : what->name, document, patch, &out,
                      &refused);
    ret->losses = t.losses;
    ret->loss_count = t.loss_count;
    if (failed(e))
        return e;
    if (out)
        arena_on_free(a, decref, out);
    if (patch && (t.whole || refused)) {
        *ret_whole = true;
        return OK;
    }
    ret->document = refused ? NULL : out;
    ret->withheld = refused;
    return OK;
}

struct err translate(const char *object, enum ocpi_version from, enum ocpi_version to,
                     const json_t *document, const struct translation_facts *facts, struct arena *a,
                     struct translation *ret)
{
    return run(object, from, to, document, facts, a, false, ret, NULL);
}

/* R-BR-09 */
struct err translate_patch(const char *object, enum ocpi_version from, enum ocpi_version to,
                           const json_t *patch, const struct translation_facts *facts,
                           struct arena *a, struct translation *ret, bool *ret_whole)
{
    *ret_whole = false;
    return run(object, from, to, patch, facts, a, true, ret, ret_whole);
}

/* R-TRANS-35 */
int translate_status(int status_code, enum ocpi_version to)
{
    if (to != OCPI_2_1_1)
        return status_code;
    if (status_code == 2004)
        return 2000;
    return status_code >= 4000 && status_code <= 4999 ? 3000 : status_code;
}

/* R-BR-06: what is readable of the id and a hash of all of it; ids compare without case. */
const char *translate_id(struct arena *a, const char *id)
{
    char hash[SHA256_HEX];
    char *folded;

    if (text_utf8_count(id) <= ID_MAX)
        return id;
    folded = arena_text(a, id);
    text_to_lower(folded);
    id_sha256_hex(folded, strlen(folded), hash);
    return arena_printf(a, "%s-%.*s", turn_cut_text(a, folded, ALIAS_KEPT), ALIAS_HASH, hash);
}
