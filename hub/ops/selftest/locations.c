/* SPDX-License-Identifier: Apache-2.0 */
/* Checks of single objects at the sender: a Location, its EVSE and Connector, and one that nobody
 * knows. They come right behind the list of locations. */
#include <string.h>

#include "base/json.h"
#include "hub/ops/selftest/selftest.h"
#include "ocpi/came.h"

/* ---- one that is listed ---- */

static const char *id_of(const json_t *object, const char *member)
{
    return json_text_of(object, member);
}

static const char *below(struct flow *f, const char *id, const char *evse, const char *connector)
{
    struct selftest *t = selftest_of(f);

    return peer_url(f->arena, &t->peer, MODULE_LOCATIONS, OCPI_INTERFACE_SENDER,
                    peer_own_id(f->arena, &t->peer, id), evse, connector, NULL);
}

static const json_t *first_evse(const json_t *location)
{
    return json_array_get(json_array_of(location, "evses"), 0);
}

static enum flow_next ask_one(struct flow *f)
{
    struct selftest *t = selftest_of(f);
    const json_t *object;
    size_t i;

    t->location = NULL;
    /* One with an EVSE, if there is such. */
    json_array_foreach(t->list.first.objects, i, object)
    {
        if (id_of(object, "id") && (!t->location || !first_evse(t->location)))
            t->location = object;
    }
    if (!t->location)
        return tell_skipped(f, "no Location is listed");
    return ask_get(f, MODULE_LOCATIONS, below(f, id_of(t->location, "id"), NULL, NULL));
}

/* It may have changed since it was listed: then last_updated has, too. */
static enum flow_next judge_same(struct flow *f, const json_t *listed)
{
    struct selftest *t = selftest_of(f);

    if (!expect_good(f, "the object that is listed"))
        return FLOW_DONE;
    if (!json_is_object(t->answer.data))
        return tell_fail(f, "/data", "one object",
                         json_is_array(t->answer.data) ? "a list"
                                                       : came_of(f->arena, "", t->answer.data));
    if (object_changed(listed) != object_changed(t->answer.data))
        return FLOW_DONE;
    const char *differs = object_differs(f->arena, listed, t->answer.data);
    if (differs)
        return tell_warn(f, arena_printf(f->arena, "%s%s", t->call.url, differs),
                         "what the list says, as last_updated is the same", "another value");
    return FLOW_DONE;
}

static enum flow_next judge_one(struct flow *f)
{
    return judge_same(f, selftest_of(f)->location);
}

static const json_t *an_evse(struct flow *f)
{
    const json_t *evse = first_evse(selftest_of(f)->location);

    return evse && id_of(evse, "uid") ? evse : NULL;
}

static enum flow_next ask_evse(struct flow *f)
{
    struct selftest *t = selftest_of(f);
    const json_t *evse = an_evse(f);

    if (!evse)
        return tell_skipped(f, "no EVSE is listed");
    return ask_get(f, MODULE_LOCATIONS,
                   below(f, id_of(t->location, "id"), id_of(evse, "uid"), NULL));
}

static enum flow_next judge_evse(struct flow *f)
{
    return judge_same(f, an_evse(f));
}

static const json_t *a_connector(struct flow *f)
{
    const json_t *evse = an_evse(f);
    const json_t *connector = json_array_get(json_array_of(evse, "connectors"), 0);

    return connector && id_of(connector, "id") ? connector : NULL;
}

static enum flow_next ask_connector(struct flow *f)
{
    struct selftest *t = selftest_of(f);
    const json_t *connector = a_connector(f);

    if (!connector)
        return tell_skipped(f, "no Connector is listed");
    return ask_get(
        f, MODULE_LOCATIONS,
        below(f, id_of(t->location, "id"), id_of(an_evse(f), "uid"), id_of(connector, "id")));
}

static enum flow_next judge_connector(struct flow *f)
{
    return judge_same(f, a_connector(f));
}

/* ---- one that nobody knows ---- */

static enum flow_next ask_unknown(struct flow *f)
{
    return ask_get(f, MODULE_LOCATIONS, below(f, new_id(f, "none"), NULL, NULL));
}

static enum flow_next judge_unknown(struct flow *f)
{
    struct selftest *t = selftest_of(f);

    if (t->answer.http.outcome != HTTP_ANSWERED || answer_good(t))
        return tell_fail(f, t->call.url, "HTTP 404", answer_words(f));
    if (t->answer.http.status != 404)
        return tell_warn(f, t->call.url, "HTTP 404", answer_words(f));
    return FLOW_DONE;
}

/* clang-format off */
const struct check location_checks[] = {
    {"single", "R-TRANS-30", "Answer GET of one Location with that object, as it is listed.", 0,
     {ask_one, judge_one}},
    {"evse", "R-LOC-01", "Answer GET of one EVSE below its Location with that object.", 0,
     {ask_evse, judge_evse}},
    {"connector", "R-LOC-01", "Answer GET of one Connector below its EVSE with that object.", 0,
     {ask_connector, judge_connector}},
    {"unknown", "R-TRANS-33", "Answer GET of an unknown object with HTTP 404 and an envelope.", 0,
     {ask_unknown, judge_unknown}},
    {0},
};
/* clang-format on */
