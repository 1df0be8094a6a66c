/* SPDX-License-Identifier: Apache-2.0 */
/* The published description of this API: openapi/openapi.yaml, turned to JSON by the build. */
#include "hub/api/api.h"
#include "hub/request.h"

extern const char openapi_json[];
extern const size_t openapi_json_length;

static enum flow_next answer(struct flow *f)
{
    return reply(f, 200, "application/json", openapi_json, openapi_json_length, NULL, 0);
}

static const struct flow_step steps[] = {{"answer", answer}, {0}};

const struct flow_type openapi_flow = {.name = "openapi", .steps = steps};
