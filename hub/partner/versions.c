/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Versions: the entry point of every partner, and the probe by which it sees that we live
 * (R-VER-01). No side effects.
 */
#include "base/text.h"
#include "hub/hub.h"
#include "hub/partner/partner_api.h"
#include "hub/request.h"
#include "ocpi/version.h"

static enum flow_next list_versions(struct flow *f)
{
    struct text t;

    text_init(&t, f->arena, 4096);
    json_begin_array(&t, NULL);
    json_begin_object(&t, NULL);
    json_put_text(&t, "version", version_name(OCPI_2_2_1));
    json_put_text(&t, "url",
                  arena_printf(f->arena, "%s/ocpi/emsp/2.2.1", hub_of(f)->public_url));
    json_end_object(&t);
    json_end_array(&t);
    return reply_ocpi(f, 200, t.bytes);
}

static const struct flow_step list_steps[] = {{"list the versions", list_versions}, {0}};
const struct flow_type versions_flow = {.name = "ocpi_versions", .steps = list_steps};

/* What an eMSP implements (R-VER-10, R-ROUTE-56); credentials once, as SENDER (R-VER-03). */
static const struct {
    const char *module;
    enum ocpi_interface role;
} ENDPOINTS[] = {
    {MODULE_CREDENTIALS, OCPI_INTERFACE_SENDER},
    {MODULE_LOCATIONS, OCPI_INTERFACE_RECEIVER},
    {MODULE_TARIFFS, OCPI_INTERFACE_RECEIVER},
    {MODULE_SESSIONS, OCPI_INTERFACE_RECEIVER},
    {MODULE_CDRS, OCPI_INTERFACE_RECEIVER},
    {MODULE_TOKENS, OCPI_INTERFACE_SENDER},
    {MODULE_COMMANDS, OCPI_INTERFACE_SENDER},
    {MODULE_CHARGING_PROFILES, OCPI_INTERFACE_SENDER},
};

static enum flow_next show_details(struct flow *f)
{
    struct text t;

    text_init(&t, f->arena, 16384);
    json_begin_object(&t, NULL);
    json_put_text(&t, "version", version_name(OCPI_2_2_1));
    json_begin_array(&t, "endpoints");
    for (size_t i = 0; i < sizeof ENDPOINTS / sizeof *ENDPOINTS; i++) {
        json_begin_object(&t, NULL);
        json_put_text(&t, "identifier", ENDPOINTS[i].module);
        json_put_text(&t, "role", ocpi_interface_name(ENDPOINTS[i].role));
        json_put_text(&t, "url",
                      arena_printf(f->arena, "%s/ocpi/emsp/2.2.1/%s", hub_of(f)->public_url,
                                   ENDPOINTS[i].module));
        json_end_object(&t);
    }
    json_end_array(&t);
    json_end_object(&t);
    return reply_ocpi(f, 200, t.bytes);
}

static const struct flow_step details_steps[] = {{"show the details", show_details}, {0}};
const struct flow_type version_details_flow = {.name = "ocpi_version_details",
                                               .steps = details_steps};
