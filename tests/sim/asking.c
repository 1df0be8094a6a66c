/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Results of what an eMSP asked for: POSTs to our response_urls, and ActiveChargingProfiles.
 *
 *   commands/{COMMAND}/{id}        CommandResult (2.1.1: CommandResponse)
 *   chargingprofiles/{PUT|GET|DELETE}/{id}   a result of that kind
 *   chargingprofiles/{session_id}  PUT of an ActiveChargingProfile
 */
#include "base/json.h"
#include "base/text.h"
#include "ocpi/envelope.h"
#include "tests/sim/call.h"
#include "tests/sim/check.h"
#include "tests/sim/store.h"

/* Kept as it came; a body that is not of its class is a violation, and answered 2001. */
static void result_take(struct call *call, const char *kind, const char *id, const char *class)
{
    bool valid = check_body(call, class);
    json_t *body = call->json ? json_deep_copy(call->json) : json_null();

    json_array_append_new(call->sim->store->results,
                          json_pack("{s:s, s:s, s:s, s:b, s:o}", "module", call->module, "kind",
                                    kind, "id", id, "valid", valid, "body", body));
    if (valid)
        call_ok(call, 0);
    else
        call_invalid(call, "not what was expected here");
}

void serve_command_results(struct call *call)
{
    if (call->rest_count != 2) {
        call_not_found(call, "not a response_url of ours");
        return;
    }
    result_take(call, call->rest[0], call->rest[1],
                call->version == OCPI_2_1_1 ? "CommandResponse" : "CommandResult");
}

void serve_profile_results(struct call *call)
{
    bool put = strcmp(call->r->method, "PUT") == 0;
    const char *kind = call->rest_count > 0 ? call->rest[0] : "";

    if (put && call->rest_count == 1)
        result_take(call, "active", call->rest[0], "ActiveChargingProfile");
    else if (!put && call->rest_count == 2)
        result_take(call, kind, call->rest[1],
                    strcmp(kind, "GET") == 0      ? "ActiveChargingProfileResult"
                    : strcmp(kind, "DELETE") == 0 ? "ClearProfileResult"
                                                  : "ChargingProfileResult");
    else
        call_not_found(call, "not a response_url of ours");
}
