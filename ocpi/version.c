/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Versions: names, tables, and the choice of the highest mutual one.
 */
#include "ocpi/version.h"

#include <string.h>

#include "ocpi/field.h"

static const char *const names[] = {
    [OCPI_2_1_1] = "2.1.1",
    [OCPI_2_2_1] = "2.2.1",
    [OCPI_2_3_0] = "2.3.0",
};

const char *version_name(enum ocpi_version version)
{
    return version <= OCPI_2_3_0 ? names[version] : NULL;
}

enum ocpi_version version_parse(const char *name)
{
    for (enum ocpi_version v = OCPI_2_1_1; name && v <= OCPI_2_3_0; v++) {
        if (strcmp(names[v], name) == 0)
            return v;
    }
    return OCPI_VERSION_NONE;
}

/* clang-format off */
static const struct field version_entry_fields[] = {
    TEXT  (struct ocpi_version_entry, version, 10, REQUIRED),
    URL   (struct ocpi_version_entry, url,     REQUIRED, .text_check = field_callable_url),
};

static const struct field endpoint_fields[] = {
    TEXT  (struct ocpi_endpoint, identifier, 255, REQUIRED),
    ENUM  (struct ocpi_endpoint, role,       interface, REQUIRED),
    URL   (struct ocpi_endpoint, url,        REQUIRED, .text_check = field_callable_url),
};

static const struct field version_details_fields[] = {
    TEXT  (struct ocpi_version_details, version,   10, REQUIRED),
    LIST  (struct ocpi_version_details, endpoints, endpoint, REQUIRED),
};

const struct object_type ocpi_version_entry_type =
    OBJECT_TYPE("Version", OCPI_2_2_1, struct ocpi_version_entry, version_entry_fields);
const struct object_type ocpi_endpoint_type =
    OBJECT_TYPE("Endpoint", OCPI_2_2_1, struct ocpi_endpoint, endpoint_fields);
const struct object_type ocpi_version_details_type =
    OBJECT_TYPE("VersionDetails", OCPI_2_2_1, struct ocpi_version_details, version_details_fields);
/* clang-format on */

static bool is_ours(enum ocpi_version version, const enum ocpi_version *ours, size_t our_count)
{
    for (size_t i = 0; i < our_count; i++) {
        if (ours[i] == version)
            return true;
    }
    return false;
}

const struct ocpi_version_entry *version_choose(const struct ocpi_version_entry *theirs,
                                                size_t count, const enum ocpi_version *ours,
                                                size_t our_count)
{
    enum ocpi_version best = OCPI_VERSION_NONE;
    const struct ocpi_version_entry *ret = NULL;

    for (size_t i = 0; i < count; i++) {
        enum ocpi_version version = version_parse(theirs[i].version);

        if (version > best && is_ours(version, ours, our_count)) {
            best = version;
            ret = &theirs[i];
        }
    }
    return ret;
}

const struct ocpi_endpoint *version_endpoint(const struct ocpi_version_details *details,
                                             const char *module, enum ocpi_interface role)
{
    bool any_role = strcmp(module, MODULE_CREDENTIALS) == 0;

    for (size_t i = 0; i < details->endpoints.count; i++) {
        const struct ocpi_endpoint *endpoint = &details->endpoints.at[i];

        if (strcmp(endpoint->identifier, module) != 0)
            continue;
        if (any_role || endpoint->role == OCPI_INTERFACE_NONE || endpoint->role == role)
            return endpoint;
    }
    return NULL;
}
