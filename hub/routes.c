/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Routes: the list, and the way of a request through the front door.
 *
 *   bytes -> http_server -> routes_handle: match -> flow "request": open the door, read the body
 *         -> the route's own flow -> reply -> on_end: error reply if none was given, log, metrics
 */
#include "hub/routes.h"

#include <string.h>
#include <strings.h>

#include "base/id.h"
#include "base/json.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/time.h"
#include "db/db.h"
#include "db/partner.h"
#include "hub/api/api.h"
#include "hub/finance/finance_api.h"
#include "hub/finance/payment_api.h"
#include "hub/hub.h"
#include "hub/ops/ops.h"
#include "hub/partner/door.h"
#include "hub/partner/partner_api.h"
#include "hub/relay/relay.h"
#include "hub/server/authenticate.h"
#include "hub/server/http_server.h"
#include "ocpi/envelope.h"
#include "ocpi/headers.h"

enum { STARTING_PATIENCE_MS = 1000 };

/* {version} is one of ours that the face speaks; it is no parameter. */
#define EMSP "/ocpi/emsp/{version}"
#define CPO "/ocpi/cpo/{version}"
#define PLATFORM "/ocpi/{version}"

/* What every face has (R-VER-10): the list of versions, the details, credentials. */
#define FACE_ROUTES(versions, details)                                                               \
    {"GET", versions, DOOR_REGISTRATION, 0, &versions_flow, "versions"},                             \
        {"GET", details, DOOR_REGISTRATION, 0, &version_details_flow, "versions"},                   \
        {"GET", details "/credentials", DOOR_REGISTRATION, 0, &credentials_get_flow, "credentials"}, \
        {"POST",     details "/credentials", DOOR_REGISTRATION,                                      \
         ROUTE_JSON, &credentials_post_flow, "credentials"},                                         \
        {"PUT",      details "/credentials", DOOR_REGISTRATION,                                      \
         ROUTE_JSON, &credentials_put_flow,  "credentials"},                                         \
    {                                                                                                \
        "DELETE", details "/credentials", DOOR_REGISTRATION, 0, &credentials_delete_flow,            \
            "credentials"                                                                            \
    }

/* clang-format off */
const struct route routes[] = {
    /* apps and robots: northbound contract section 5 */
    {"POST",   "/v1/sessions/start",                 DOOR_USER, ROUTE_JSON, &start_session_flow},
    {"POST",   "/v1/sessions/stop",                  DOOR_USER, ROUTE_JSON, &stop_session_flow},
    {"GET",    "/v1/sessions/{session_id}/status",           DOOR_USER, 0, &session_status_flow},
    {"POST",   "/v1/sessions/{session_id}/charging-profile", DOOR_USER, ROUTE_JSON, &set_profile_flow},
    {"DELETE", "/v1/sessions/{session_id}/charging-profile", DOOR_USER, 0, &clear_profile_flow},
    {"GET",    "/v1/sessions/{session_id}/receipt",          DOOR_USER, ROUTE_NO_ROBOT, &session_receipt_flow},
    {"GET",    "/v1/sessions",                       DOOR_USER, ROUTE_NO_ROBOT, &list_sessions_flow},
    {"GET",    "/v1/sessions/{session_id}",                  DOOR_USER, ROUTE_NO_ROBOT, &show_session_flow},
    {"GET",    "/v1/evses/{evse_id}",                DOOR_USER, 0, &show_evse_flow},
    {"GET",    "/v1/openapi.json",                   DOOR_OPEN, 0, &openapi_flow},
    /* the payment service provider */
    {"POST",   "/v1/psp/webhook",                    DOOR_OPEN, ROUTE_RAW, &psp_webhook_flow},
    /* people and machines who run the hub */
    {"GET",    "/healthz",                           DOOR_OPEN, ROUTE_EVERYWHERE, &healthz_flow},
    {"GET",    "/readyz",                            DOOR_OPEN, ROUTE_EVERYWHERE, &readyz_flow},
    {"GET",    "/metrics",                           DOOR_OPEN, ROUTE_INTERNAL, &metrics_flow},
    {"POST",   "/v1/admin/tokens",                   DOOR_ADMIN, ROUTE_JSON, &mint_token_flow},
    {"GET",    "/v1/admin/partners",                 DOOR_ADMIN, 0, &list_partners_flow},
    {"POST",   "/v1/admin/partners/register",        DOOR_ADMIN, ROUTE_JSON, &register_partner_flow},
    {"POST",   "/v1/admin/partners/invite",          DOOR_ADMIN, ROUTE_JSON, &invite_partner_flow},
    {"POST",   "/v1/admin/partners/{id}/rotate",     DOOR_ADMIN, 0, &rotate_partner_flow},
    {"POST",   "/v1/admin/partners/{id}/unregister", DOOR_ADMIN, 0, &unregister_partner_flow},
    {"POST",   "/v1/admin/partners/{id}/suspend",    DOOR_ADMIN, 0, &suspend_partner_flow},
    {"POST",   "/v1/admin/partners/{id}/resume",     DOOR_ADMIN, 0, &resume_partner_flow},
    {"POST",   "/v1/admin/partners/{id}/approve",    DOOR_ADMIN, ROUTE_JSON, &approve_host_flow},
    {"PUT",    "/v1/admin/partners/{id}/quirks",     DOOR_ADMIN, ROUTE_JSON, &set_quirks_flow},
    {"POST",   "/v1/admin/partners/{id}/test",       DOOR_ADMIN, ROUTE_JSON_OPTIONAL, &test_partner_flow},
    {"GET",    "/v1/admin/partners/{id}/tests/{test_id}", DOOR_ADMIN, 0, &show_partner_test_flow},
    {"GET",    "/v1/admin/partners/{id}",            DOOR_ADMIN, 0, &show_partner_flow},
    {"GET",    "/v1/admin/contracts",                DOOR_ADMIN, 0, &list_contracts_flow},
    {"POST",   "/v1/admin/contracts",                DOOR_ADMIN, ROUTE_JSON, &set_contract_flow},
    {"POST",   "/v1/admin/retail-tariffs",           DOOR_ADMIN, ROUTE_JSON, &publish_retail_flow},
    {"GET",    "/v1/admin/retail-tariffs",           DOOR_ADMIN, 0, &list_retail_flow},
    {"GET",    "/v1/admin/retail-tariffs/{tariff}",  DOOR_ADMIN, 0, &show_retail_flow},
    {"POST",   "/v1/admin/retail-tariffs/{tariff}/withdraw", DOOR_ADMIN, ROUTE_JSON_OPTIONAL, &withdraw_retail_flow},
    {"GET",    "/v1/admin/vat",                      DOOR_ADMIN, 0, &list_vat_flow},
    {"PUT",    "/v1/admin/vat/{country}",            DOOR_ADMIN, ROUTE_JSON, &set_vat_flow},
    {"GET",    "/v1/admin/user-groups",              DOOR_ADMIN, 0, &list_user_groups_flow},
    {"PUT",    "/v1/admin/user-groups/{name}",       DOOR_ADMIN, ROUTE_JSON, &set_user_group_flow},
    {"POST",   "/v1/admin/user-groups/{name}/members", DOOR_ADMIN, ROUTE_JSON, &add_user_flow},
    {"DELETE", "/v1/admin/user-groups/{name}/members", DOOR_ADMIN, 0, &remove_user_flow},
    {"GET",    "/v1/admin/tariffs/lint",             DOOR_ADMIN, 0, &list_tariff_lint_flow},
    {"POST",   "/v1/admin/tariffs/{tariff}/approve", DOOR_ADMIN, ROUTE_JSON, &approve_tariff_flow},
    {"GET",    "/v1/finance/receipts",               DOOR_FINANCE, 0, &list_receipts_flow},
    {"GET",    "/v1/finance/receipts/{id}",          DOOR_FINANCE, 0, &show_receipt_flow},
    {"GET",    "/v1/finance/cdrs",                   DOOR_FINANCE, 0, &list_cdrs_flow},
    {"GET",    "/v1/finance/cdrs/{id}",              DOOR_FINANCE, 0, &show_cdr_flow},
    {"POST",   "/v1/finance/cdrs/{id}/match",        DOOR_FINANCE, ROUTE_JSON, &match_cdr_flow},
    {"POST",   "/v1/finance/sessions/{session_id}/manual-cdr", DOOR_FINANCE, ROUTE_JSON, &draft_cdr_flow},
    {"POST",   "/v1/finance/manual-cdrs/{id}/confirm", DOOR_FINANCE, ROUTE_JSON_OPTIONAL, &confirm_cdr_flow},
    {"POST",   "/v1/finance/manual-cdrs/{id}/credit", DOOR_FINANCE, ROUTE_JSON, &credit_manual_cdr_flow},
    {"POST",   "/v1/finance/manual-cdrs/{id}/decline", DOOR_FINANCE, ROUTE_JSON_OPTIONAL, &decline_cdr_flow},
    {"GET",    "/v1/finance/cases",                  DOOR_FINANCE, 0, &list_cases_flow},
    {"POST",   "/v1/finance/cases/{id}/resolve",     DOOR_FINANCE, ROUTE_JSON, &resolve_case_flow},
    {"GET",    "/v1/finance/reconciliation",         DOOR_FINANCE, 0, &reconciliation_flow},
    {"GET",    "/v1/finance/check",                  DOOR_FINANCE, 0, &check_books_flow},
    {"GET",    "/v1/finance/statements",             DOOR_FINANCE, 0, &list_statements_flow},
    {"GET",    "/v1/finance/statements/{id}",        DOOR_FINANCE, 0, &show_statement_flow},
    {"GET",    "/v1/finance/statements/{id}/lines",  DOOR_FINANCE, 0, &list_statement_lines_flow},
    {"POST",   "/v1/finance/statements/{id}/close",  DOOR_FINANCE, ROUTE_JSON_OPTIONAL, &close_statement_flow},
    {"POST",   "/v1/finance/statements/{id}/send",   DOOR_FINANCE, ROUTE_JSON_OPTIONAL, &send_statement_flow},
    {"POST",   "/v1/finance/statements/{id}/state",  DOOR_FINANCE, ROUTE_JSON, &move_statement_flow},
    {"GET",    "/v1/finance/terms",                  DOOR_FINANCE, 0, &list_terms_flow},
    {"PUT",    "/v1/finance/terms/{partner}",        DOOR_FINANCE, ROUTE_JSON, &put_terms_flow},
    {"GET",    "/v1/finance/ledger",                 DOOR_FINANCE, 0, &list_ledger_flow},
    {"GET",    "/v1/finance/invoices",               DOOR_FINANCE, 0, &list_invoices_flow},
    {"GET",    "/v1/finance/invoices/gaps",          DOOR_FINANCE, 0, &list_invoice_gaps_flow},
    {"GET",    "/v1/finance/invoices/{id}",          DOOR_FINANCE, 0, &show_invoice_flow},
    {"GET",    "/v1/finance/invoices/{id}/cdrs",     DOOR_FINANCE, 0, &list_invoice_cdrs_flow},
    {"POST",   "/v1/finance/invoices/{id}/total",    DOOR_FINANCE, ROUTE_JSON, &enter_invoice_total_flow},
    {"POST",   "/v1/finance/receipts/{id}/refund",   DOOR_FINANCE, ROUTE_JSON, &refund_receipt_flow},
    {"GET",    "/v1/finance/refunds",                DOOR_FINANCE, 0, &list_refunds_flow},
    {"POST",   "/v1/finance/refunds/{id}/confirm",   DOOR_FINANCE, ROUTE_JSON_OPTIONAL, &confirm_refund_flow},
    {"POST",   "/v1/finance/refunds/{id}/decline",   DOOR_FINANCE, ROUTE_JSON_OPTIONAL, &decline_refund_flow},
    {"GET",    "/v1/admin/payers/{user_id}",         DOOR_ADMIN, 0, &show_payer_flow},
    {"PUT",    "/v1/admin/payers/{user_id}",         DOOR_ADMIN, ROUTE_JSON, &set_payer_flow},
    {"GET",    "/v1/admin/messages",                 DOOR_ADMIN, 0, &list_messages_flow},
    {"GET",    "/v1/admin/messages/{id}",            DOOR_ADMIN, 0, &show_message_flow},
    {"GET",    "/v1/admin/sessions/{session_id}",           DOOR_ADMIN, 0, &inspect_session_flow},
    {"GET",    "/v1/admin/sessions/{session_id}/charging-profile", DOOR_ADMIN, 0, &active_profile_ask_flow},
    {"POST",   "/v1/admin/evses/{evse_id}/unlock",   DOOR_ADMIN, ROUTE_JSON, &unlock_evse_flow},
    {"POST",   "/v1/admin/evses/{evse_id}/reserve",  DOOR_ADMIN, ROUTE_JSON, &reserve_evse_flow},
    {"DELETE", "/v1/admin/reservations/{reservation_id}", DOOR_ADMIN, 0, &cancel_reservation_flow},
    /* OCPI: versions and credentials of each face */
    FACE_ROUTES("/ocpi/emsp/versions", EMSP),
    FACE_ROUTES("/ocpi/cpo/versions", CPO),
    FACE_ROUTES("/ocpi/versions", PLATFORM),
    /* OCPI: what an eMSP implements, for CPOs */
    {"GET",    EMSP "/locations/{cc}/{pid}/{location}",                    DOOR_PARTNER, 0, &location_get_flow, "locations"},
    {"PUT",    EMSP "/locations/{cc}/{pid}/{location}",                    DOOR_PARTNER, ROUTE_JSON | ROUTE_TO_READERS, &location_put_flow, "locations"},
    {"PATCH",  EMSP "/locations/{cc}/{pid}/{location}",                    DOOR_PARTNER, ROUTE_JSON | ROUTE_TO_READERS, &location_patch_flow, "locations"},
    {"GET",    EMSP "/locations/{cc}/{pid}/{location}/{evse}",             DOOR_PARTNER, 0, &location_get_flow, "locations"},
    {"PUT",    EMSP "/locations/{cc}/{pid}/{location}/{evse}",             DOOR_PARTNER, ROUTE_JSON | ROUTE_TO_READERS, &location_put_flow, "locations"},
    {"PATCH",  EMSP "/locations/{cc}/{pid}/{location}/{evse}",             DOOR_PARTNER, ROUTE_JSON | ROUTE_TO_READERS, &location_patch_flow, "locations"},
    {"GET",    EMSP "/locations/{cc}/{pid}/{location}/{evse}/{connector}", DOOR_PARTNER, 0, &location_get_flow, "locations"},
    {"PUT",    EMSP "/locations/{cc}/{pid}/{location}/{evse}/{connector}", DOOR_PARTNER, ROUTE_JSON | ROUTE_TO_READERS, &location_put_flow, "locations"},
    {"PATCH",  EMSP "/locations/{cc}/{pid}/{location}/{evse}/{connector}", DOOR_PARTNER, ROUTE_JSON | ROUTE_TO_READERS, &location_patch_flow, "locations"},
    {"GET",    EMSP "/tariffs/{cc}/{pid}/{tariff}",   DOOR_PARTNER, 0, &tariff_get_flow, "tariffs"},
    {"PUT",    EMSP "/tariffs/{cc}/{pid}/{tariff}",   DOOR_PARTNER, ROUTE_JSON | ROUTE_TO_READERS, &tariff_put_flow, "tariffs"},
    {"PATCH",  EMSP "/tariffs/{cc}/{pid}/{tariff}",   DOOR_PARTNER, ROUTE_JSON | ROUTE_TO_READERS | ROUTE_ONLY_2_1_1, &tariff_patch_flow, "tariffs"},
    {"DELETE", EMSP "/tariffs/{cc}/{pid}/{tariff}",   DOOR_PARTNER, ROUTE_TO_READERS, &tariff_delete_flow, "tariffs"},
    {"GET",    EMSP "/sessions/{cc}/{pid}/{session}", DOOR_PARTNER, 0, &session_get_flow, "sessions"},
    {"PUT",    EMSP "/sessions/{cc}/{pid}/{session}", DOOR_PARTNER, ROUTE_JSON | ROUTE_TO_READERS, &session_put_flow, "sessions"},
    {"PATCH",  EMSP "/sessions/{cc}/{pid}/{session}", DOOR_PARTNER, ROUTE_JSON | ROUTE_TO_READERS, &session_patch_flow, "sessions"},
    {"POST",   EMSP "/cdrs",                    DOOR_PARTNER, ROUTE_JSON | ROUTE_TO_READERS, &cdr_post_flow, "cdrs"},
    {"GET",    EMSP "/cdrs/{cdr}",              DOOR_PARTNER, 0, &cdr_get_flow, "cdrs"},
    {"GET",    EMSP "/tokens",                  DOOR_PARTNER, ROUTE_TO_OTHERS, &token_list_flow, "tokens", &relay_list_flow},
    {"POST",   EMSP "/tokens/{uid}/authorize",  DOOR_PARTNER, ROUTE_JSON_OPTIONAL | ROUTE_TO_OTHERS, &token_authorize_flow, "tokens", &relay_authorize_flow},
    {"POST",   EMSP "/cb/{callback}",           DOOR_PARTNER, ROUTE_JSON | ROUTE_TO_OTHERS, &callback_flow, "commands"},
    {"PUT",    EMSP "/chargingprofiles/{session}", DOOR_PARTNER, ROUTE_JSON | ROUTE_TO_OTHERS | ROUTE_NOT_2_1_1, &active_profile_flow, "chargingprofiles", &relay_active_profile_flow},
    /* OCPI: what a CPO implements, for eMSPs: others' objects out of the hub's store, or asked of
     * the party that TO names; what they want of a CPO is always carried to it */
    {"GET",    CPO "/locations",                      DOOR_PARTNER, ROUTE_TO_OTHERS, &shared_list_flow, "locations", &relay_list_flow},
    {"GET",    CPO "/locations/{location}",           DOOR_PARTNER, ROUTE_TO_OTHERS, &shared_location_flow, "locations", &relay_object_flow},
    {"GET",    CPO "/locations/{location}/{evse}",    DOOR_PARTNER, ROUTE_TO_OTHERS, &shared_location_flow, "locations", &relay_object_flow},
    {"GET",    CPO "/locations/{location}/{evse}/{connector}", DOOR_PARTNER, ROUTE_TO_OTHERS, &shared_location_flow, "locations", &relay_object_flow},
    {"GET",    CPO "/tariffs",                        DOOR_PARTNER, ROUTE_TO_OTHERS, &shared_list_flow, "tariffs", &relay_list_flow},
    {"GET",    CPO "/sessions",                       DOOR_PARTNER, ROUTE_TO_OTHERS, &shared_list_flow, "sessions", &relay_list_flow},
    {"GET",    CPO "/cdrs",                           DOOR_PARTNER, ROUTE_TO_OTHERS, &shared_list_flow, "cdrs", &relay_list_flow},
    {"PUT",    CPO "/sessions/{session}/charging_preferences", DOOR_PARTNER, ROUTE_JSON | ROUTE_TO_OTHERS | ROUTE_NOT_2_1_1, &relay_preferences_flow, "sessions"},
    {"POST",   CPO "/commands/{command}",             DOOR_PARTNER, ROUTE_JSON | ROUTE_TO_OTHERS, &relay_command_flow, "commands"},
    {"GET",    CPO "/chargingprofiles/{session}",     DOOR_PARTNER, ROUTE_TO_OTHERS | ROUTE_NOT_2_1_1, &relay_profile_flow, "chargingprofiles"},
    {"PUT",    CPO "/chargingprofiles/{session}",     DOOR_PARTNER, ROUTE_JSON | ROUTE_TO_OTHERS | ROUTE_NOT_2_1_1, &relay_profile_flow, "chargingprofiles"},
    {"DELETE", CPO "/chargingprofiles/{session}",     DOOR_PARTNER, ROUTE_TO_OTHERS | ROUTE_NOT_2_1_1, &relay_profile_flow, "chargingprofiles"},
    {"GET",    CPO "/tokens/{cc}/{pid}/{uid}",        DOOR_PARTNER, 0, &roaming_token_get_flow, "tokens"},
    {"PUT",    CPO "/tokens/{cc}/{pid}/{uid}",        DOOR_PARTNER, ROUTE_JSON | ROUTE_TO_READERS, &roaming_token_put_flow, "tokens"},
    {"PATCH",  CPO "/tokens/{cc}/{pid}/{uid}",        DOOR_PARTNER, ROUTE_JSON | ROUTE_TO_READERS, &roaming_token_patch_flow, "tokens"},
    /* OCPI: hubclientinfo, below the details of the versions that have it */
    {"GET",    EMSP "/hubclientinfo",                 DOOR_PARTNER, 0, &client_info_list_flow, "hubclientinfo"},
    {"GET",    EMSP "/hubclientinfo/{cc}/{pid}",      DOOR_PARTNER, 0, &client_info_get_flow, "hubclientinfo"},
    {"PUT",    EMSP "/hubclientinfo/{cc}/{pid}",      DOOR_PARTNER, ROUTE_JSON, &client_info_put_flow, "hubclientinfo"},
    {"GET",    PLATFORM "/hubclientinfo",             DOOR_PARTNER, 0, &client_info_list_flow, "hubclientinfo"},
    {"GET",    PLATFORM "/hubclientinfo/{cc}/{pid}",  DOOR_PARTNER, 0, &client_info_get_flow, "hubclientinfo"},
    {"PUT",    PLATFORM "/hubclientinfo/{cc}/{pid}",  DOOR_PARTNER, ROUTE_JSON, &client_info_put_flow, "hubclientinfo"},
    /* OCPI: invoicereconciliation, below the details too: who invoices whom is a matter of contract */
    {"GET",    EMSP "/invoicereconciliation", DOOR_PARTNER, ROUTE_SINCE_2_3_0, &invoice_list_flow, "invoicereconciliation"},
    {"POST",   EMSP "/invoicereconciliation", DOOR_PARTNER, ROUTE_JSON | ROUTE_SINCE_2_3_0, &invoice_post_flow, "invoicereconciliation"},
    {"GET",    EMSP "/invoicereconciliation/{cc}/{pid}/{record}", DOOR_PARTNER, ROUTE_SINCE_2_3_0, &invoice_get_flow, "invoicereconciliation"},
    {"PUT",    EMSP "/invoicereconciliation/{cc}/{pid}/{record}", DOOR_PARTNER, ROUTE_JSON | ROUTE_SINCE_2_3_0, &invoice_put_flow, "invoicereconciliation"},
    {"DELETE", EMSP "/invoicereconciliation/{cc}/{pid}/{record}", DOOR_PARTNER, ROUTE_SINCE_2_3_0, &invoice_delete_flow, "invoicereconciliation"},
    {"GET",    PLATFORM "/invoicereconciliation", DOOR_PARTNER, ROUTE_SINCE_2_3_0, &invoice_list_flow, "invoicereconciliation"},
    {"POST",   PLATFORM "/invoicereconciliation", DOOR_PARTNER, ROUTE_JSON | ROUTE_SINCE_2_3_0, &invoice_post_flow, "invoicereconciliation"},
    {"GET",    PLATFORM "/invoicereconciliation/{cc}/{pid}/{record}", DOOR_PARTNER, ROUTE_SINCE_2_3_0, &invoice_get_flow, "invoicereconciliation"},
    {"PUT",    PLATFORM "/invoicereconciliation/{cc}/{pid}/{record}", DOOR_PARTNER, ROUTE_JSON | ROUTE_SINCE_2_3_0, &invoice_put_flow, "invoicereconciliation"},
    {"DELETE", PLATFORM "/invoicereconciliation/{cc}/{pid}/{record}", DOOR_PARTNER, ROUTE_SINCE_2_3_0, &invoice_delete_flow, "invoicereconciliation"},
    {0},
};
/* clang-format on */

/* ---- matching ---- */

static bool next_segment(const char **pattern, const char **segment, size_t *length)
{
    if (**pattern != '/')
        return false;
    *segment = *pattern + 1;
    *length = strcspn(*segment, "/");
    *pattern = *segment + *length;
    return true;
}

static enum face face_of(const char *pattern)
{
    enum face face = FACE_PLATFORM;
    char name[8];

    if (sscanf(pattern, "/ocpi/%7[a-z]", name) == 1)
        (void)face_parse(name, &face);
    return face;
}

static bool path_matches(const char *pattern, const struct http_path *path, struct request *r)
{
    static const char VERSION[] = "{version}";
    const char *segment;
    size_t length, i = 0;

    r->param_count = 0;
    r->face = face_of(pattern);
    r->version = OCPI_2_2_1;
    while (next_segment(&pattern, &segment, &length)) {
        if (i == path->count)
            return false;
        const char *given = path->segments[i++];
        if (length == sizeof VERSION - 1 && memcmp(segment, VERSION, length) == 0) {
            r->version = version_parse(given);
            if (r->version == OCPI_VERSION_NONE)
                return false;
        } else if (segment[0] == '{') {
            if (!*given)
                return false;
            r->params[r->param_count++] = given;
        } else if (strlen(given) != length || memcmp(given, segment, length)) {
            return false;
        }
    }
    return i == path->count;
}

/* A face does not speak every version, and a version does not have every method. Functional
 * modules lie under the folder that implements them, whatever the face that led there. */
static bool version_has(const struct route *route, const struct request *r)
{
    if (!route->module)
        return true;
    if (route->flags & (r->version == OCPI_2_1_1 ? ROUTE_NOT_2_1_1 : ROUTE_ONLY_2_1_1) ||
        (route->flags & ROUTE_SINCE_2_3_0 && r->version < OCPI_2_3_0))
        return false;
    return module_is_routed(route->module) || !strstr(route->pattern, "{version}") ||
           face_speaks(r->face, r->version);
}

static bool listener_has(int listener, const struct route *route)
{
    switch (listener) {
    case LISTEN_INTERNAL:
        return route->flags & (ROUTE_INTERNAL | ROUTE_EVERYWHERE);
    case LISTEN_ADMIN:
        return route->door == DOOR_ADMIN || route->door == DOOR_FINANCE ||
               route->flags & ROUTE_EVERYWHERE;
    default:
        return !(route->flags & ROUTE_INTERNAL);
    }
}

/* The first pattern that matches is the resource, so fixed words stand before {parameters} in the
 * list. ERR_NOT_FOUND, or ERR_METHOD_NOT_ALLOWED with r->allow where it has other methods. */
static struct err route_find(struct arena *a, int listener, const char *method,
                             const struct http_path *path, struct request *r)
{
    const char *pattern = NULL;

    for (const struct route *route = routes; route->method; route++) {
        if (pattern ? strcmp(pattern, route->pattern) != 0
                    : !listener_has(listener, route) || !path_matches(route->pattern, path, r))
            continue;
        if (!version_has(route, r))
            continue;
        pattern = route->pattern;
        r->route = route;
        if (strcmp(route->method, method) == 0 ||
            (strcmp(method, "HEAD") == 0 && strcmp(route->method, "GET") == 0))
            return OK;
        r->allow = r->allow ? arena_printf(a, "%s, %s", r->allow, route->method) : route->method;
    }
    if (pattern)
        return err_rule(err_new(ERR_METHOD_NOT_ALLOWED), "R-TRANS-09");
    return err_rule(err_new(ERR_NOT_FOUND), "R-VER-10");
}

/* ---- the front door ---- */

static enum flow_next open_door(struct flow *f)
{
    struct request *r = request_of(f);
    struct hub *hub = hub_of(f);
    enum door door = r->route->door;

    if (door == DOOR_OPEN)
        return FLOW_NEXT;
    if (!hub_is_ready(hub)) {
        /* The other workers may be ready already: a moment's patience spares a needless 503. */
        if (time_monotonic_ms() - r->http->received_ms > STARTING_PATIENCE_MS)
            return flow_fail(f, err_new(ERR_STARTING));
        flow_sleep(f, 20);
        return FLOW_AGAIN;
    }
    const char *authorization = http_header(r->http, "Authorization");
    if (http_header_count(r->http, "Authorization") > 1)
        return flow_fail(f, err_rule(err_new(ERR_TOKEN_INVALID), "R-TRANS-01"));
    switch (door) {
    case DOOR_USER:
        return authenticate_user(f, authorization, &r->caller);
    case DOOR_FINANCE:
        /* A token of ours for staff has two dots, the admin token none. */
        if (authorization && strchr(authorization, '.'))
            return authenticate_staff(f, authorization, &r->caller);
        __attribute__((fallthrough));
    case DOOR_ADMIN:
        if (r->http->remote && strcmp(r->http->remote, "unix") == 0) {
            r->caller = (struct caller){.kind = CALLER_ADMIN, .name = "admin:socket"};
            return FLOW_NEXT;
        }
        FLOW_TRY(f, authenticate_admin(hub, authorization, &r->caller));
        return FLOW_NEXT;
    default:
        return partner_door_open(f);
    }
}

static bool is_read(const struct request *r)
{
    return strcmp(r->route->method, "GET") == 0;
}

static enum flow_next check_right(struct flow *f)
{
    struct request *r = request_of(f);

    if (r->route->door == DOOR_PARTNER || r->route->door == DOOR_REGISTRATION)
        FLOW_TRY(f, partner_door_check(f));
    if (r->route->flags & ROUTE_NO_ROBOT && r->caller.robot_id)
        return flow_fail(f, err_new(ERR_FORBIDDEN));
    if (r->caller.kind == CALLER_STAFF &&
        !(r->caller.roles & (is_read(r) ? ROLE_FINANCE | ROLE_AUDITOR : ROLE_FINANCE)))
        return flow_fail(f, err_new(ERR_FORBIDDEN));
    return FLOW_NEXT;
}

static bool is_json_type(const char *type)
{
    static const char JSON[] = "application/json";

    if (!type || strncasecmp(type, JSON, sizeof JSON - 1) != 0)
        return false;
    type += sizeof JSON - 1;
    while (*type == ' ' || *type == '\t')
        type++;
    return *type == 0 || *type == ';';
}

/* What serves the request: one that names another party is carried to it. */
static enum flow_next go_on(struct flow *f)
{
    const struct route *route = request_of(f)->route;

    flow_become(f, route->relay && relay_is_named(f) ? route->relay : route->flow);
    return FLOW_NEXT;
}

static enum flow_next read_body(struct flow *f)
{
    struct request *r = request_of(f);
    const char *type = http_header(r->http, "Content-Type");
    bool ocpi = r->route->module != NULL;

    if (r->route->flags & (ROUTE_JSON | ROUTE_JSON_OPTIONAL)) {
        bool empty = r->http->body_length == 0;
        if (empty && r->route->flags & ROUTE_JSON_OPTIONAL)
            return go_on(f);
        /* Partners forget the header (R-TRANS-08: liberal with what comes in); apps may not. */
        if (!is_json_type(type) && (!ocpi || type))
            return flow_fail(f, err_rule(err_new(ERR_MEDIA_TYPE), "R-TRANS-08"));
        struct err e = json_read(f->arena, r->http->body, r->http->body_length, 0, &r->json);
        if (failed(e))
            return flow_fail(f, err_rule(e, "R-TRANS-32"));
        if (r->caller.partner && r->caller.partner->peer.quirks.list_for_object &&
            json_array_size(r->json) == 1)
            r->json = json_array_get(r->json, 0);
        if (!json_is_object(r->json))
            return flow_fail(f, err_rule(err_new(ERR_BAD_BODY), "R-TRANS-32"));
    }
    return go_on(f);
}

static const struct flow_step request_steps[] = {
    {"open the door", open_door},
    {"check the right", check_right},
    {"read the body", read_body},
    {0},
};

static const struct flow_type request_flow = {
    .name = "request",
    .deadline_ms = SECONDS(10),
    .steps = request_steps,
};

/* No such page or method: the flow ends with the error it begins with. */
static const struct flow_step refused_steps[] = {{0}};
static const struct flow_type refused_flow = {.name = "refused", .steps = refused_steps};

/* ---- the end ---- */

static void log_request(struct flow *f, int64_t ms)
{
    const struct request *r = request_of(f);
    bool bad = failed(f->err);
    enum log_level level = LOG_DEBUG;

    if (bad)
        level = (enum log_level)err_info(f->err.kind)->level;
    log_line(level, "request", LOG_TEXT("method", r->http->method),
             LOG_TEXT("route", r->route ? r->route->pattern : NULL),
             LOG_TEXT("flow", f->type->name), LOG_INT("status", r->reply_status), LOG_INT("ms", ms),
             LOG_TEXT("error", bad ? err_info(f->err.kind)->name : NULL),
             LOG_TEXT("text", bad ? err_text(f->err) : NULL),
             LOG_TEXT("where", bad ? f->err.where : NULL),
             LOG_TEXT("partner", r->caller.partner ? r->caller.partner->name : NULL),
             LOG_TEXT("request_id", f->request_id),
             LOG_TEXT("correlation_id", *f->correlation_id ? f->correlation_id : NULL));
}

static void on_end(struct flow *f)
{
    struct request *r = request_of(f);
    char status[8];

    if (failed(f->err))
        reply_error(f, f->err);
    else if (!r->replied)
        reply_error(f, err_new(ERR_INTERNAL)); /* a use case that forgot to answer */
    int64_t ms = time_monotonic_ms() - r->http->received_ms;
    const char *pattern = r->route ? r->route->pattern : "none";
    snprintf(status, sizeof status, "%d", r->reply_status);
    metric_add(METRIC_HTTP_REQUESTS, pattern, r->http->method, status, 1);
    metric_observe_ms(METRIC_HTTP_SECONDS, pattern, NULL, ms);
    log_request(f, ms);
    if (r->route && r->route->module)
        partner_door_log(f, ms);
}

static const char *id_from(const char *header)
{
    size_t length = header ? strlen(header) : 0;

    return length && length <= 128 && text_is_printable_ascii(header) ? header : NULL;
}

void routes_handle(void *ctx, struct http_exchange *x)
{
    struct listener_context *listener = ctx;
    struct hub *hub = listener->hub;
    const struct http_request *http = http_exchange_request(x);
    struct arena *arena = http_exchange_take_arena(x);
    struct request *r = arena_alloc(arena, sizeof *r);
    char own_id[UUID_TEXT], own_correlation[UUID_TEXT];
    struct http_path path;

    r->http = http;
    r->exchange = x;
    const char *request_id = id_from(http_header(http, "X-Request-ID"));
    const char *correlation_id = id_from(http_header(http, "X-Correlation-ID"));
    if (!request_id) {
        id_uuid_v4(own_id);
        request_id = own_id;
    }
    if (!correlation_id && strncmp(http->path, "/ocpi", 5) == 0) {
        id_uuid_v4(own_correlation);
        correlation_id = own_correlation;
    }
    struct err e = http_path_split(arena, http->path, &path);
    if (!failed(e)) {
        /* Both forms of an OCPI URL are served (R-VER-08). */
        if (path.count > 1 && !*path.segments[path.count - 1] &&
            strcmp(path.segments[0], "ocpi") == 0)
            path.count--;
        e = route_find(arena, listener->listener, http->method, &path, r);
    }
    struct flow_options options = {
        .loop = hub->loop,
        .app = hub,
        .request = r,
        .request_id = request_id,
        .correlation_id = correlation_id,
        .arena = arena,
        .on_end = on_end,
        .no_log = true,
    };
    struct flow *f = flow_new(failed(e) ? &refused_flow : &request_flow, &options);
    if (failed(e))
        f->err = e;
    flow_run(f);
}

/* ---- before there is a request ---- */

size_t routes_body_max(void *ctx, const struct http_head *head)
{
    (void)ctx;
    if (strncmp(head->target, "/ocpi", 5) != 0)
        return 64 * 1024;
    return strstr(head->target, "/locations/") || strstr(head->target, "/" MODULE_INVOICES)
               ? 4 * 1024 * 1024
               : 1024 * 1024;
}

void routes_malformed(void *ctx, enum err_kind kind, const char *path, const char *request_id,
                      struct text *ret_body, const char **ret_content_type)
{
    (void)ctx;
    if (path && strncmp(path, "/ocpi", 5) == 0) {
        envelope_print_err(ret_body, err_new(kind), OCPI_2_2_1);
        *ret_content_type = "application/json";
        return;
    }
    problem_body(ret_body, kind, NULL, path, request_id);
    *ret_content_type = "application/problem+json";
}
