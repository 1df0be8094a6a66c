/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Versions: the entry point of every partner, and the probe by which it sees that we live
 * (R-VER-01). What is offered is decided by the face that is asked (ocpi/face.h). No side effects.
 */
#include "base/text.h"
#include "hub/hub.h"
#include "hub/partner/partner_api.h"
#include "hub/request.h"
#include "ocpi/version.h"

static enum flow_next list_versions(struct flow *f)
{
    enum face face = request_of(f)->face;
    const char *base = hub_of(f)->public_url;
    struct text t;

    text_init(&t, f->arena, 4096);
    json_begin_array(&t, NULL);
    for (enum ocpi_version v = OCPI_2_1_1; v <= OCPI_2_3_0; v++) {
        if (!face_speaks(face, v))
            continue;
        json_begin_object(&t, NULL);
        json_put_text(&t, "version", version_name(v));
        json_put_text(&t, "url",
                      arena_printf(f->arena, "%s%s", base, face_details_path(f->arena, face, v)));
        json_end_object(&t);
    }
    json_end_array(&t);
    return reply_ocpi(f, 200, t.bytes);
}

static const struct flow_step list_steps[] = {{"list the versions", list_versions}, {0}};
const struct flow_type versions_flow = {.name = "ocpi_versions", .steps = list_steps};

static enum flow_next show_details(struct flow *f)
{
    const struct request *r = request_of(f);
    struct face_endpoint *endpoints;
    size_t count = face_endpoints(f->arena, r->face, r->version, &endpoints);
    struct text t;

    text_init(&t, f->arena, 16384);
    json_begin_object(&t, NULL);
    json_put_text(&t, "version", version_name(r->version));
    json_begin_array(&t, "endpoints");
    for (size_t i = 0; i < count; i++) {
        json_begin_object(&t, NULL);
        json_put_text(&t, "identifier", endpoints[i].module);
        if (r->version >= OCPI_2_2_1) /* R-VER-04 */
            json_put_text(&t, "role", ocpi_interface_name(endpoints[i].role));
        json_put_text(&t, "url",
                      arena_printf(f->arena, "%s%s", hub_of(f)->public_url, endpoints[i].path));
        json_end_object(&t);
    }
    json_end_array(&t);
    json_end_object(&t);
    return reply_ocpi(f, 200, t.bytes);
}

static const struct flow_step details_steps[] = {{"show the details", show_details}, {0}};
const struct flow_type version_details_flow = {.name = "ocpi_version_details",
                                               .steps = details_steps};
