/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Versions of OCPI, and the two objects that announce them (R-VER).
 */
#ifndef OCPI_VERSION_H
#define OCPI_VERSION_H

#include <stddef.h>

#include "ocpi/party.h"

struct object_type;

/* In ascending order: a higher one is a better choice. A table of fields exists per class and
 * version. */
enum ocpi_version {
    OCPI_VERSION_NONE,
    OCPI_2_1_1,
    OCPI_2_2_1,
    OCPI_2_3_0,
};

const char *version_name(enum ocpi_version version); /* "2.2.1"; NULL for NONE */
enum ocpi_version version_parse(const char *name);   /* NONE for every other text */

/* Module ids (R-VER-06); custom modules have ids of their own, so these stay texts. */
#define MODULE_CDRS "cdrs"
#define MODULE_CHARGING_PROFILES "chargingprofiles"
#define MODULE_COMMANDS "commands"
#define MODULE_CREDENTIALS "credentials"
#define MODULE_HUB_CLIENT_INFO "hubclientinfo"
#define MODULE_INVOICES "invoicereconciliation"
#define MODULE_LOCATIONS "locations"
#define MODULE_SESSIONS "sessions"
#define MODULE_TARIFFS "tariffs"
#define MODULE_TOKENS "tokens"

struct ocpi_version_entry {
    const char *version, *url;
};

struct ocpi_endpoint {
    const char *identifier;
    enum ocpi_interface role;
    const char *url;
};

struct ocpi_version_details {
    const char *version;
    struct {
        const struct ocpi_endpoint *at;
        size_t count;
    } endpoints;
};

extern const struct object_type ocpi_version_entry_type;
extern const struct object_type ocpi_endpoint_type;
extern const struct object_type ocpi_version_details_type;

/* The highest version of the list that is also in `ours`; unknown numbers are skipped (R-VER-05).
 * NULL if there is none. */
const struct ocpi_version_entry *version_choose(const struct ocpi_version_entry *theirs,
                                                size_t count, const enum ocpi_version *ours,
                                                size_t our_count);
/* NULL if the module is not offered in that role. The role of `credentials` is ignored, and so is
 * every role before 2.2 (R-VER-03, 04). */
const struct ocpi_endpoint *version_endpoint(const struct ocpi_version_details *details,
                                             const char *module, enum ocpi_interface role);

#endif
