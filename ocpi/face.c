/* SPDX-License-Identifier: Apache-2.0 */
/* Faces: the table of what each of them implements. */
#include "ocpi/face.h"

#include <string.h>

#include "base/arena.h"

/* Below the details, instead of under a face. */
#define BESIDE_DETAILS NULL

/* clang-format off */
static const struct {
    const char *module;
    enum ocpi_interface role;
    const char *under;        /* the face whose folder it lies in */
    enum ocpi_version since;
} offers[] = {
    {MODULE_CREDENTIALS,       OCPI_INTERFACE_SENDER,   BESIDE_DETAILS, OCPI_2_1_1}, /* R-VER-03 */
    {MODULE_HUB_CLIENT_INFO,   OCPI_INTERFACE_SENDER,   BESIDE_DETAILS, OCPI_2_2_1},
    {MODULE_HUB_CLIENT_INFO,   OCPI_INTERFACE_RECEIVER, BESIDE_DETAILS, OCPI_2_2_1},
    {MODULE_INVOICES,          OCPI_INTERFACE_SENDER,   BESIDE_DETAILS, OCPI_2_3_0},
    {MODULE_INVOICES,          OCPI_INTERFACE_RECEIVER, BESIDE_DETAILS, OCPI_2_3_0},
    {MODULE_LOCATIONS,         OCPI_INTERFACE_RECEIVER, "emsp", OCPI_2_1_1},
    {MODULE_TARIFFS,           OCPI_INTERFACE_RECEIVER, "emsp", OCPI_2_1_1},
    {MODULE_SESSIONS,          OCPI_INTERFACE_RECEIVER, "emsp", OCPI_2_1_1},
    {MODULE_CDRS,              OCPI_INTERFACE_RECEIVER, "emsp", OCPI_2_1_1},
    {MODULE_TOKENS,            OCPI_INTERFACE_SENDER,   "emsp", OCPI_2_1_1},
    {MODULE_COMMANDS,          OCPI_INTERFACE_SENDER,   "emsp", OCPI_2_1_1},
    {MODULE_CHARGING_PROFILES, OCPI_INTERFACE_SENDER,   "emsp", OCPI_2_2_1},
    {MODULE_LOCATIONS,         OCPI_INTERFACE_SENDER,   "cpo",  OCPI_2_1_1},
    {MODULE_TARIFFS,           OCPI_INTERFACE_SENDER,   "cpo",  OCPI_2_1_1},
    {MODULE_SESSIONS,          OCPI_INTERFACE_SENDER,   "cpo",  OCPI_2_1_1},
    {MODULE_CDRS,              OCPI_INTERFACE_SENDER,   "cpo",  OCPI_2_1_1},
    {MODULE_TOKENS,            OCPI_INTERFACE_RECEIVER, "cpo",  OCPI_2_1_1},
    {MODULE_COMMANDS,          OCPI_INTERFACE_RECEIVER, "cpo",  OCPI_2_1_1},
    {MODULE_CHARGING_PROFILES, OCPI_INTERFACE_RECEIVER, "cpo",  OCPI_2_2_1},
};
/* clang-format on */
enum { OFFER_COUNT = sizeof offers / sizeof *offers };

static const char *const names[] = {
    [FACE_EMSP] = "emsp", [FACE_CPO] = "cpo", [FACE_PLATFORM] = "platform"};

const char *face_name(enum face face)
{
    return names[face];
}

bool face_parse(const char *name, enum face *ret)
{
    for (size_t i = 0; name && i < sizeof names / sizeof *names; i++) {
        if (strcmp(names[i], name) != 0)
            continue;
        *ret = (enum face)i;
        return true;
    }
    return false;
}

bool face_speaks(enum face face, enum ocpi_version version)
{
    switch (face) {
    case FACE_EMSP:
        return version != OCPI_VERSION_NONE;
    case FACE_CPO:
        return version == OCPI_2_1_1;
    case FACE_PLATFORM:
        return version >= OCPI_2_2_1;
    }
    return false;
}

enum face face_for(enum ocpi_role role, enum ocpi_version version)
{
    if (role == OCPI_ROLE_CPO)
        return FACE_EMSP;
    return version == OCPI_2_1_1 ? FACE_CPO : FACE_PLATFORM;
}

size_t face_endpoints(struct arena *a, enum face face, enum ocpi_version version,
                      struct face_endpoint **ret)
{
    struct face_endpoint *list = arena_alloc(a, OFFER_COUNT * sizeof *list);
    size_t count = 0;

    for (size_t i = 0; i < OFFER_COUNT; i++) {
        const char *under = offers[i].under;
        if (version < offers[i].since ||
            (under && face != FACE_PLATFORM && strcmp(under, names[face]) != 0))
            continue;
        const char *folder = under ? arena_printf(a, "/ocpi/%s/%s", under, version_name(version))
                                   : face_details_path(a, face, version);
        list[count++] = (struct face_endpoint){
            .module = offers[i].module,
            .role = offers[i].role,
            .path = arena_printf(a, "%s/%s", folder, offers[i].module),
        };
    }
    *ret = list;
    return count;
}

const char *face_versions_path(enum face face)
{
    static const char *const paths[] = {[FACE_EMSP] = "/ocpi/emsp/versions",
                                        [FACE_CPO] = "/ocpi/cpo/versions",
                                        [FACE_PLATFORM] = "/ocpi/versions"};
    return paths[face];
}

char *face_details_path(struct arena *a, enum face face, enum ocpi_version version)
{
    if (face == FACE_PLATFORM)
        return arena_printf(a, "/ocpi/%s", version_name(version));
    return arena_printf(a, "/ocpi/%s/%s", names[face], version_name(version));
}
