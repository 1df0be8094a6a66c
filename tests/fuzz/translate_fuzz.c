/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fuzz target: translation. The first byte chooses the class, the second the versions, the third
 * the facts and whether it is a PATCH; the rest is JSON: the document, or an object with "document"
 * and the facts "location", "token" and "tariffs". Whatever it is, the answer is a document, a
 * reason or a complaint; what comes out prints, has its losses named, and can be translated back.
 */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/arena.h"
#include "base/json.h"
#include "base/text.h"
#include "ocpi/translate/translate.h"

enum { ARENA_MAX = 512 * 1024 * 1024, INPUT_MAX = 64 * 1024, HEAD = 3, SHOWN_MAX = 80 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const classes[] = {
    "Location",
    "EVSE",
    "Connector",
    "Tariff",
    "Session",
    "CDR",
    "Token",
    "AuthorizationInfo",
    "LocationReferences",
    "ClientInfo",
    "Credentials",
    "VersionDetails",
    "StartSession",
    "StopSession",
    "ReserveNow",
    "CancelReservation",
    "UnlockConnector",
    "CommandResponse",
    "CommandResult",
    "SetChargingProfile",
    "ChargingProfile",
    "ChargingProfileResponse",
    "ChargingProfileResult",
    "ClearProfileResult",
    "ActiveChargingProfile",
    "ActiveChargingProfileResult",
    "ChargingPreferences",
};
enum { CLASSES = sizeof(classes) / sizeof(classes[0]) };

static const enum ocpi_version versions[] = {OCPI_2_1_1, OCPI_2_2_1, OCPI_2_3_0};

static void check_losses(const struct translation *ret)
{
    for (size_t i = 0; i < ret->loss_count; i++) {
        const struct translation_loss *loss = &ret->losses[i];

        assert(loss->field && loss->value && loss->reason && *loss->reason);
        assert(*loss->field == '\0' || *loss->field == '/');
        assert(text_is_utf8(loss->value, strlen(loss->value)));
        assert(text_utf8_count(loss->value) <= SHOWN_MAX);
    }
}

static json_t *checked(const char *class, enum ocpi_version from, enum ocpi_version to,
                       const json_t *json, const struct translation_facts *facts, bool patch,
                       struct arena *a)
{
    struct translation ret = {0};
    bool whole = false;
    struct err e = patch ? translate_patch(class, from, to, json, facts, a, &ret, &whole)
                         : translate(class, from, to, json, facts, a, &ret);

    check_losses(&ret);
    if (failed(e)) {
        assert(e.kind == ERR_BAD_BODY || (e.kind == ERR_BAD_FIELD && e.where && e.rule));
        assert(!ret.document);
        return NULL;
    }
    assert(whole ? !ret.document && !ret.withheld : !ret.document != !ret.withheld);
    if (ret.document)
        (void)json_text(a, ret.document, NULL);
    return ret.document;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *class;
    enum ocpi_version from, to;
    struct translation_facts facts;
    struct arena *a;
    json_t *json, *told;

    if (size < HEAD || size > INPUT_MAX)
        return 0;
    class = classes[data[0] % CLASSES];
    from = versions[data[1] % 3];
    to = versions[data[1] / 3 % 3];
    facts = (struct translation_facts){
        .country_code = data[2] & 1 ? NULL : "FI",
        .party_id = "ABC",
        .now_us = INT64_C(1790000000000000),
        .keep_unknown = data[2] & 2,
        .token_country_code = "DE",
        .token_party_id = data[2] & 4 ? NULL : "EMP",
        .token_uid = data[2] & 4 ? NULL : "U1",
        .tax_percent_u6 = data[2] & 8 ? 24000000 : 0,
        .sae_j3400_as_tesla_s = data[2] & 16,
        .limit_amperage = data[2] & 16,
        .credited_id = data[2] & 32 ? "C0" : NULL,
        .location_version = versions[data[1] / 9 % 3],
    };
    a = arena_new(ARENA_MAX);
    if (!failed(json_read(a, (const char *)data + HEAD, size - HEAD, 0, &json))) {
        if (json_object_get(json, "document")) {
            facts.location = json_object_get(json, "location");
            facts.token = json_object_get(json, "token");
            facts.tariffs = json_object_get(json, "tariffs");
            json = json_object_get(json, "document");
        }
        told = checked(class, from, to, json, &facts, data[2] & 64, a);
        if (told)
            (void)checked(class, to, from, told, &facts, data[2] & 64, a);
    }
    arena_free(a);
    return 0;
}
