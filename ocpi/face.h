/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Faces: as what a partner meets us, by the URL it was given (R-VER-10).
 *
 *   emsp      /ocpi/emsp/versions   our eMSP, for CPOs; all versions
 *   cpo       /ocpi/cpo/versions    for eMSPs of 2.1.1, where a URL stands for one role (R-VER-04)
 *   platform  /ocpi/versions        the hub, for everybody who speaks 2.2.1 or newer
 *
 * Functional modules always lie under the face that implements them: /ocpi/{emsp|cpo}/{version}/…;
 * the platform offers both. credentials and hubclientinfo lie below the version details, and so does
 * invoicereconciliation: CPOs and eMSPs implement it alike, so that one address serves both.
 */
#ifndef OCPI_FACE_H
#define OCPI_FACE_H

#include <stdbool.h>
#include <stddef.h>

#include "ocpi/version.h"

struct arena;

enum face { FACE_EMSP, FACE_CPO, FACE_PLATFORM };

const char *face_name(enum face face); /* "emsp" */
bool face_parse(const char *name, enum face *ret);
bool face_speaks(enum face face, enum ocpi_version version);
/* The face at which a party of this role registers; 2.1.1 has no platform. */
enum face face_for(enum ocpi_role role, enum ocpi_version version);

/* What the details of a version list, credentials first. */
struct face_endpoint {
    const char *module;
    enum ocpi_interface role; /* printed from 2.2.1 on */
    const char *path;         /* "/ocpi/emsp/2.2.1/locations", in the arena */
};
size_t face_endpoints(struct arena *a, enum face face, enum ocpi_version version,
                      struct face_endpoint **ret);

const char *face_versions_path(enum face face); /* "/ocpi/emsp/versions" */
char *face_details_path(struct arena *a, enum face face, enum ocpi_version version);

#endif
