/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pen: writes a document in one version of OCPI, with the misbehaviours that concern spelling.
 */
#ifndef TESTS_SIM_PEN_H
#define TESTS_SIM_PEN_H

#include <stdint.h>

#include "ocpi/version.h"

struct evse;
struct sim;
struct text;

struct pen {
    struct sim *sim;
    struct text *out;
    enum ocpi_version version;
    const struct evse *evse; /* whose misbehaviours count; NULL: none in sight */
};

/* For the hub, in the version that was agreed on. */
struct pen pen_to_hub(struct sim *sim, struct text *out);

void pen_id(const struct pen *pen, const char *key, const char *id);
/* Whole seconds in 2.1.1, milliseconds in the others (R-TYPE-05). */
void pen_time(const struct pen *pen, const char *key, int64_t us);
/* last_updated of a PATCH: 2.1.1 bodies normally lack it (R-TRANS-12). */
void pen_patch_time(const struct pen *pen, int64_t us);
/* At most four decimals (R-TYPE-07). */
void pen_number(const struct pen *pen, const char *key, int64_t value_u6);
/* Members that OCPI does not know, if the misbehaviour is on. */
void pen_extra(const struct pen *pen);
void pen_coordinates(const struct pen *pen, unsigned number);
void pen_address(const struct pen *pen, unsigned number);
/* country_code, party_id: ours. */
void pen_owner(const struct pen *pen);

#endif
