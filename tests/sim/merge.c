/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Parts into wholes.
 */
#include "tests/sim/merge.h"

#include <string.h>
#include <strings.h>

#include "base/json.h"
#include "base/time.h"

void merge_patch(json_t *object, json_t *patch)
{
    const char *name;
    json_t *value;

    json_object_foreach(patch, name, value)
    {
        if (json_is_null(value))
            json_object_del(object, name);
        else
            json_object_set_new(object, name, json_deep_copy(value));
    }
}

static int64_t start_of(const json_t *period)
{
    const char *text = json_text_of(period, "start_date_time");
    int64_t us;

    return text && time_parse(text, TIME_OCPI, &us) ? us : TIME_NONE;
}

void merge_session(json_t *session, json_t *patch)
{
    json_t *stored = json_object_get(session, "charging_periods");
    json_t *more = json_object_get(patch, "charging_periods");
    json_t *all = json_is_array(stored) ? json_deep_copy(stored) : json_array();
    json_t *period;
    size_t i;

    json_array_foreach(more, i, period)
    {
        size_t at = 0;

        /* The same start replaces, an earlier one is put in its place (R-SESS-09). */
        while (at < json_array_size(all) && start_of(json_array_get(all, at)) < start_of(period))
            at++;
        if (at < json_array_size(all) && start_of(json_array_get(all, at)) == start_of(period))
            json_array_set_new(all, at, json_deep_copy(period));
        else
            json_array_insert_new(all, at, json_deep_copy(period));
    }
    merge_patch(session, patch);
    if (json_array_size(all) > 0)
        json_object_set(session, "charging_periods", all);
    json_decref(all);
}

static json_t *entry_of(const json_t *object, const char *list, const char *key, const char *id,
                        size_t *ret_index)
{
    json_t *entry;
    size_t i;

    json_array_foreach(json_object_get(object, list), i, entry)
    {
        const char *value = json_text_of(entry, key);

        if (value && strcasecmp(value, id) == 0) {
            *ret_index = i;
            return entry;
        }
    }
    return 0;
}

json_t *location_part(json_t *location, const char *evse_uid, const char *connector_id)
{
    size_t index;
    json_t *evse = entry_of(location, "evses", "uid", evse_uid, &index);

    return evse && connector_id ? entry_of(evse, "connectors", "id", connector_id, &index) : evse;
}

bool location_put_part(json_t *location, const char *evse_uid, const char *connector_id,
                       const json_t *part)
{
    json_t *parent = connector_id ? location_part(location, evse_uid, 0) : location;
    const char *list = connector_id ? "connectors" : "evses";
    size_t index;

    if (!parent)
        return false;
    if (!json_is_array(json_object_get(parent, list)))
        json_object_set_new(parent, list, json_array());
    json_t *entries = json_object_get(parent, list);
    if (entry_of(parent, list, connector_id ? "id" : "uid", connector_id ? connector_id : evse_uid,
                 &index))
        json_array_set_new(entries, index, json_deep_copy(part));
    else
        json_array_append_new(entries, json_deep_copy(part));
    return true;
}

static void touch(json_t *object, const char *last_updated)
{
    const char *stored = json_text_of(object, "last_updated");
    int64_t before, now;

    if (object && time_parse(last_updated, TIME_OCPI, &now) &&
        !(stored && time_parse(stored, TIME_OCPI, &before) && before > now))
        json_object_set_new(object, "last_updated", json_string(last_updated));
}

void location_touch(json_t *location, const char *evse_uid, const char *last_updated)
{
    if (!last_updated)
        return;
    if (evse_uid)
        touch(location_part(location, evse_uid, 0), last_updated);
    touch(location, last_updated);
}
