/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Translate: a document of one OCPI version as a document of another (R-BR).
 *
 *   2.1.1  <-->  2.2.1  <-->  2.3.0  <-->  2.1.1
 *
 * A document is turned member by member; what is in no table stays between 2.2.1 and 2.3.0 and is
 * dropped towards 2.1.1 (R-BR-48). What the target version cannot say is a loss: it is listed with
 * its pointer, value and reason (R-BR-02). Some losses may not happen, because money or safety
 * depends on them: then the document is withheld, and the reason says why.
 *
 * Pure: what the document alone does not tell comes in as facts. The result is not checked against
 * the tables of the target; who sends it away does that.
 */
#ifndef OCPI_TRANSLATE_TRANSLATE_H
#define OCPI_TRANSLATE_TRANSLATE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "ocpi/version.h"

struct arena;

/* What is known beside the document. Everything may be absent (NULL, NONE, 0): the rules of R-BR
 * say what stands there then. */
struct translation_facts {
    /* The owner, who stands in no object of 2.1.1: of the URL or of the connection. */
    const char *country_code, *party_id;
    int64_t now_us; /* 0: the clock */
    /* Locations of 2.1.1 that name no zone; NULL: by their country where it has one, else UTC. */
    const char *time_zone;
    bool keep_unknown; /* the quirk: members of no table go to 2.1.1 too */

    /* Session and CDR towards 2.1.1: the Location that they name, whole, in the version in which it
     * is kept. NULL: a stub (R-BR, section 15.5). START_SESSION of 2.1.1: the same, for an EVSE
     * that has to be told its connector. */
    const json_t *location;
    enum ocpi_version location_version;

    /* Session and CDR of 2.1.1: the Token (2.2.1 or newer) that auth_id means. NULL: one is made of
     * auth_id, of type OTHER, owned by the party below. */
    const json_t *token;
    const char *token_country_code, *token_party_id;
    const char *authorization_reference; /* that belongs to it */
    const char *session_id;              /* CDR: the Session it bills */
    bool by_command;                     /* a START_SESSION of ours began it: COMMAND */

    /* Towards newer versions: what a Token of type OTHER was before (section 15.2). */
    const char *token_type;
    /* CDR towards 2.1.1: the remark and total of a credit (R-BR-40) are made by the translation;
     * from 2.1.1: the CDR that a negative one credits, found by its remark (R-BR-41), or NULL. */
    const char *credited_id;
    /* Tariff of 2.3.0 whose prices include an unknown tax: percent, six decimals; 0: not known
     * (R-BR-33). */
    int64_t tax_percent_u6;
    bool tax_free; /* Tariff towards 2.3.0: the CPO charges no taxes (N/A instead of NO) */
    /* Connector towards 2.1.1: Tariff documents (2.2.1 or newer) by their id, to choose the one
     * that stays. NULL: the first of tariff_ids. */
    const json_t *tariffs;
    bool sae_j3400_as_tesla_s; /* setting: a plug of that name goes to older versions as TESLA_S */
    bool limit_amperage;       /* setting: the current follows max_electric_power towards 2.1.1 */
    bool withhold_credits;     /* setting: credit CDRs do not go to 2.1.1 (R-BR-40) */

    /* AuthorizationInfo of 2.1.1 without `token` above: what was asked about, and who answers. */
    const char *token_uid, *token_issuer;
    /* Credentials and VersionDetails, from and to 2.1.1: "CPO" or "EMSP", as which the peer is
     * registered (R-VER-04). */
    const char *role;
    int64_t timeout_s; /* CommandResponse of 2.1.1; 0: 60 s */

    /* RESERVE_NOW: the number that stands for the id towards 2.1.1; 0: the id must be one. */
    int64_t reservation_number;
};

struct translation_loss {
    const char *field;  /* JSON pointer in the source: "/evses/0/connectors/1/standard" */
    const char *value;  /* as it stood there, cut to 80 characters */
    const char *reason; /* for people */
};

struct translation {
    /* Owned by the arena; NULL where withheld. It shares values with the source: change members of
     * the document itself only. */
    json_t *document;
    struct translation_loss *losses;
    size_t loss_count;
    const char *withheld; /* why it may not be passed on; NULL: it may */
};

/* `object` is the class name of the specification: Location, EVSE, Connector, Tariff, Session, CDR,
 * Token, AuthorizationInfo, LocationReferences, ClientInfo, Credentials, VersionDetails,
 * StartSession, StopSession, ReserveNow, CancelReservation, UnlockConnector, CommandResponse,
 * CommandResult, SetChargingProfile, ChargingProfileResponse, ChargingProfileResult,
 * ClearProfileResult, ActiveChargingProfile, ActiveChargingProfileResult, ChargingPreferences.
 * The 2.1.1 body of a result is a CommandResponse; ask for CommandResult in both directions.
 *
 * The source should have passed its own table; a member of a wrong type is a loss, never a crash.
 * ERR_BAD_FIELD where a required member of the target cannot be made (R-BR-03), with its pointer in
 * the source. ERR_INTERNAL for an object that is not in the list. The same version: the document
 * itself, untouched. */
struct err translate(const char *object, enum ocpi_version from, enum ocpi_version to,
                     const json_t *document, const struct translation_facts *facts, struct arena *a,
                     struct translation *ret);

/* A PATCH body of the class: only members that map one to one (R-BR-09). *ret_whole: it cannot be
 * told as a PATCH; the merged object has to go as PUT. */
struct err translate_patch(const char *object, enum ocpi_version from, enum ocpi_version to,
                           const json_t *patch, const struct translation_facts *facts,
                           struct arena *a, struct translation *ret, bool *ret_whole);

/* Status codes that the version knows: 2004 and 4xxx become 2000 and 3000 towards 2.1.1
 * (R-TRANS-35). */
int translate_status(int status_code, enum ocpi_version to);

/* What stands for an id that is longer than the 36 characters of the target (R-BR-06): always the
 * same for the same id, whatever its case. The id itself where it fits. */
const char *translate_id(struct arena *a, const char *id);

/* The id in the remark of a credit of 2.1.1, "CREDIT for <id>"; NULL: it is none (R-BR-41). */
const char *translate_credited_id(struct arena *a, const char *remark);

#endif
