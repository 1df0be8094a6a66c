/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What we are: versions, version details, credentials.
 */
#include "base/text.h"
#include "tests/sim/behave.h"
#include "tests/sim/call.h"
#include "tests/sim/handshake.h"

static const char *announced(struct sim *sim, enum ocpi_version version)
{
    if (version == OCPI_2_2_1 && behave_acts(sim->behave, BEHAVE_VERSION_2_2, 0))
        return "2.2";
    return version_name(version);
}

void serve_versions(struct call *call)
{
    const struct sim_options *o = call->sim->options;
    struct text data;

    text_init(&data, call->arena, 4096);
    json_begin_array(&data, 0);
    for (size_t i = 0; i < o->version_count; i++) {
        json_begin_object(&data, 0);
        json_put_text(&data, "version", announced(call->sim, o->versions[i]));
        json_put_text(&data, "url",
                      arena_printf(call->arena, "%s/ocpi/%s", call->sim->base_url,
                                   version_name(o->versions[i])));
        json_end_object(&data);
    }
    json_end_array(&data);
    call_ok(call, data.bytes);
}

struct offer {
    const char *module;
    enum ocpi_interface role;
    enum ocpi_version since;
};

/* clang-format off */
static const struct offer cpo_offers[] = {
    {MODULE_CREDENTIALS,       OCPI_INTERFACE_SENDER,   OCPI_2_1_1},
    {MODULE_LOCATIONS,         OCPI_INTERFACE_SENDER,   OCPI_2_1_1},
    {MODULE_TARIFFS,           OCPI_INTERFACE_SENDER,   OCPI_2_1_1},
    {MODULE_SESSIONS,          OCPI_INTERFACE_SENDER,   OCPI_2_1_1},
    {MODULE_CDRS,              OCPI_INTERFACE_SENDER,   OCPI_2_1_1},
    {MODULE_TOKENS,            OCPI_INTERFACE_RECEIVER, OCPI_2_1_1},
    {MODULE_COMMANDS,          OCPI_INTERFACE_RECEIVER, OCPI_2_1_1},
    {MODULE_CHARGING_PROFILES, OCPI_INTERFACE_RECEIVER, OCPI_2_2_1},
    {MODULE_HUB_CLIENT_INFO,   OCPI_INTERFACE_RECEIVER, OCPI_2_2_1},
    {MODULE_INVOICES,          OCPI_INTERFACE_SENDER,   OCPI_2_3_0},
    {MODULE_INVOICES,          OCPI_INTERFACE_RECEIVER, OCPI_2_3_0},
    {0},
};

static const struct offer emsp_offers[] = {
    {MODULE_CREDENTIALS,       OCPI_INTERFACE_SENDER,   OCPI_2_1_1},
    {MODULE_LOCATIONS,         OCPI_INTERFACE_RECEIVER, OCPI_2_1_1},
    {MODULE_TARIFFS,           OCPI_INTERFACE_RECEIVER, OCPI_2_1_1},
    {MODULE_SESSIONS,          OCPI_INTERFACE_RECEIVER, OCPI_2_1_1},
    {MODULE_CDRS,              OCPI_INTERFACE_RECEIVER, OCPI_2_1_1},
    {MODULE_TOKENS,            OCPI_INTERFACE_SENDER,   OCPI_2_1_1},
    {MODULE_COMMANDS,          OCPI_INTERFACE_SENDER,   OCPI_2_1_1},
    {MODULE_CHARGING_PROFILES, OCPI_INTERFACE_SENDER,   OCPI_2_2_1},
    {MODULE_HUB_CLIENT_INFO,   OCPI_INTERFACE_RECEIVER, OCPI_2_2_1},
    {MODULE_INVOICES,          OCPI_INTERFACE_SENDER,   OCPI_2_3_0},
    {MODULE_INVOICES,          OCPI_INTERFACE_RECEIVER, OCPI_2_3_0},
    {0},
};
/* clang-format on */

static bool offered(const struct call *call, const struct offer *offer)
{
    const struct sim *sim = call->sim;
    bool infos = strcmp(offer->module, MODULE_HUB_CLIENT_INFO) == 0;

    return call->version >= offer->since &&
           (!infos || sim_is_emsp(sim) || sim->options->client_info);
}

static const char *offer_url(struct call *call, const struct offer *offer)
{
    struct behave *b = call->sim->behave;
    bool functional = strcmp(offer->module, MODULE_CREDENTIALS) != 0;
    bool elsewhere = functional && behave_acts(b, BEHAVE_PRIVATE_URL, 0);
    bool slash = behave_acts(b, BEHAVE_ENDPOINT_SLASH, 0);

    return arena_printf(call->arena, "%s/ocpi/%s/%s%s",
                        elsewhere ? "http://10.1.2.3" : call->sim->base_url,
                        version_name(call->version), offer->module, slash ? "/" : "");
}

void serve_details(struct call *call)
{
    const struct sim *sim = call->sim;
    const char *missing = 0;
    struct text data;

    if (behave_acts(sim->behave, BEHAVE_ENDPOINT_MISSING, 0))
        missing = sim_is_emsp(sim) ? MODULE_TOKENS : MODULE_LOCATIONS;
    text_init(&data, call->arena, 16384);
    json_begin_object(&data, 0);
    json_put_text(&data, "version",
                  behave_acts(sim->behave, BEHAVE_DETAILS_WRONG_VERSION, 0)
                      ? "2.0"
                      : announced(call->sim, call->version));
    json_begin_array(&data, "endpoints");
    for (const struct offer *o = sim_is_emsp(sim) ? emsp_offers : cpo_offers; o->module; o++) {
        if (!offered(call, o) || (missing && strcmp(missing, o->module) == 0))
            continue;
        json_begin_object(&data, 0);
        json_put_text(&data, "identifier", o->module);
        if (call->version != OCPI_2_1_1)
            json_put_text(&data, "role", ocpi_interface_name(o->role));
        json_put_text(&data, "url", offer_url(call, o));
        json_end_object(&data);
    }
    json_end_array(&data);
    json_end_object(&data);
    call_ok(call, data.bytes);
}

static void put_party(const struct sim_options *o, struct text *out)
{
    json_put_text(out, "party_id", o->party.party_id);
    json_put_text(out, "country_code", o->party.country_code);
    json_begin_object(out, "business_details");
    json_put_text(out, "name", o->name);
    json_end_object(out);
}

char *our_credentials(struct sim *sim, struct arena *a, enum ocpi_version version,
                      const char *token)
{
    const struct sim_options *o = sim->options;
    struct text data;

    text_init(&data, a, 4096);
    json_begin_object(&data, 0);
    json_put_text(&data, "token", token);
    json_put_text(&data, "url", arena_printf(a, "%s/ocpi/versions", sim->base_url));
    if (version == OCPI_2_1_1) {
        put_party(o, &data);
    } else {
        json_begin_array(&data, "roles");
        json_begin_object(&data, 0);
        json_put_text(&data, "role", ocpi_role_name(o->role));
        put_party(o, &data);
        json_end_object(&data);
        json_end_array(&data);
    }
    json_end_object(&data);
    return data.bytes;
}
