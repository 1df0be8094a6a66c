/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Merge: what a PUT or a PATCH of a part does to a whole document, by the rules of OCPI for
 * receivers (R-TRANS-13, R-SESS-08, R-LOC-01). Written apart from the hub's own merging.
 */
#ifndef TESTS_SIM_MERGE_H
#define TESTS_SIM_MERGE_H

#include <jansson.h>
#include <stdbool.h>

/* null removes, everything else replaces as a whole; periods: see merge_session. */
void merge_patch(json_t *object, json_t *patch);
/* Like merge_patch, but charging_periods that begin behind the stored ones are appended. */
void merge_session(json_t *session, json_t *patch);
/* The EVSE with that uid, or the Connector with that id; NULL: none. */
json_t *location_part(json_t *location, const char *evse_uid, const char *connector_id);
/* Replaces or appends it; false: its parent is unknown. */
bool location_put_part(json_t *location, const char *evse_uid, const char *connector_id,
                       const json_t *part);
/* A change below is a change above; parents never go back. */
void location_touch(json_t *location, const char *evse_uid, const char *last_updated);

#endif
