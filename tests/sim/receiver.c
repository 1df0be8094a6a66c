/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Receiver interfaces: what others own and push to us. An eMSP takes locations, tariffs, sessions,
 * CDRs and client infos, a CPO tokens, both invoice records.
 *
 * Each body is checked by the tables of its version. What is wrong is answered 2001, a violation,
 * and seen in GET /sim/received?valid=false.
 */
#include "base/json.h"
#include "base/text.h"
#include "base/time.h"
#include "ocpi/envelope.h"
#include "tests/sim/behave.h"
#include "tests/sim/call.h"
#include "tests/sim/check.h"
#include "tests/sim/merge.h"
#include "tests/sim/store.h"

/* clang-format off */
static const struct kind {
    const char *module, *class;
    size_t least, most; /* segments behind the module */
    const char *id;     /* the member that is the last of three segments */
    int unknown;        /* status_code for an unknown object */
} kinds[] = {
    {MODULE_LOCATIONS,       "Location",   3, 5, "id",  OCPI_UNKNOWN_LOCATION},
    {MODULE_TARIFFS,         "Tariff",     3, 3, "id",  OCPI_CLIENT_ERROR},
    {MODULE_SESSIONS,        "Session",    3, 3, "id",  OCPI_CLIENT_ERROR},
    {MODULE_TOKENS,          "Token",      3, 3, "uid", OCPI_UNKNOWN_TOKEN},
    {MODULE_HUB_CLIENT_INFO, "ClientInfo", 2, 2, "party_id", OCPI_CLIENT_ERROR},
    {MODULE_CDRS,            "CDR",        0, 3, "id",  OCPI_CLIENT_ERROR},
    {MODULE_INVOICES,        "InvoiceReconciliationRecord", 0, 3, "id", OCPI_CLIENT_ERROR},
};
/* clang-format on */

/* One push: of what, and where it goes. */
struct received {
    struct call *call;
    const struct kind *kind;
    char key[STORE_KEY];
    const char *owner, *id;
    const char *location;                /* of a CDR: where it is found again */
    const char *evse_uid, *connector_id; /* NULL: the whole object */
    json_t *entry;                       /* NULL: unknown so far */
};

static const char *class_of(const struct received *r)
{
    return r->connector_id ? "Connector" : r->evse_uid ? "EVSE" : r->kind->class;
}

static json_t *received_entry(struct received *r)
{
    struct call *call = r->call;

    if (strlen(r->key) == 0)
        return 0;
    r->entry = store_push(call->sim->store, r->kind->module, r->key, r->owner, r->id,
                          call->r->method, version_name(call->version));
    return r->entry;
}

static void received_refuse(struct received *r, const char *rule, const char *what)
{
    check_violation(r->call->sim, rule, r->call->r->method, r->call->r->target, "%s", what);
    entry_refuse(received_entry(r), what, r->call->json);
    call_invalid(r->call, what);
}

/* Body by table; its complaint, or NULL. A PATCH of 2.1.1 needs no last_updated. */
static const char *body_wrong(struct received *r, bool patch)
{
    struct call *call = r->call;
    const struct object_type *type = object_type_find(call->version, class_of(r));
    struct behave *b = call->sim->behave;

    if (!json_is_object(call->json))
        return "the body is no object";
    if (patch && behave_acts(b, BEHAVE_PATCH_NO_LAST_UPDATED, 0))
        return 0;
    if (!patch && behave_acts(b, BEHAVE_ACCEPTS_BROKEN, 0))
        return 0;
    if (!type)
        return 0;
    struct err e = patch ? object_check_patch(type, call->json, 0, call->arena)
                         : object_check(type, call->json, 0, call->arena);
    return failed(e) ? err_text(e) : 0;
}

static bool differs(const char *segment, const char *member)
{
    return member && strcasecmp(segment, member) != 0;
}

/* URL and body name the same object (R-TRANS-16, 17). */
static const char *address_wrong(const struct received *r)
{
    struct call *call = r->call;
    const json_t *body = call->json;
    bool whole = !r->evse_uid;

    if (r->connector_id && differs(r->connector_id, json_text_of(body, "id")))
        return "the id of the URL is not that of the Connector";
    if (r->evse_uid && !r->connector_id && differs(r->evse_uid, json_text_of(body, "uid")))
        return "the uid of the URL is not that of the EVSE";
    if (whole && call->rest_count == 3 && differs(r->id, json_text_of(body, r->kind->id)))
        return "the id of the URL is not that of the object";
    if (whole && (differs(call->rest[0], json_text_of(body, "country_code")) ||
                  differs(call->rest[1], json_text_of(body, "party_id"))))
        return "the owner of the URL is not that of the object";
    return 0;
}

/* A push that is older than what holds (R-TRANS-15): taken as it comes, and counted. */
static void count_older(struct received *r, const json_t *stored)
{
    const char *before = json_text_of(stored, "last_updated");
    const char *now = json_text_of(r->call->json, "last_updated");
    int64_t before_us, now_us;

    if (before && now && time_parse(before, TIME_OCPI, &before_us) &&
        time_parse(now, TIME_OCPI, &now_us) && now_us < before_us)
        entry_count(r->entry, "older");
}

static void received_ok(struct received *r, bool was_known)
{
    call_answer(r->call, was_known ? 200 : 201, OCPI_SUCCESS, "Success", 0);
}

static void received_unknown(struct received *r)
{
    call_answer(r->call, 404,
                r->call->version == OCPI_2_1_1 && r->kind->unknown == OCPI_UNKNOWN_TOKEN
                    ? OCPI_CLIENT_ERROR
                    : r->kind->unknown,
                "no such object", 0);
}

static void receive_put(struct received *r)
{
    const char *wrong = body_wrong(r, false);
    json_t *document = entry_document(r->entry);

    if (wrong) {
        received_refuse(r, "R-TYPE", wrong);
        return;
    }
    wrong = address_wrong(r);
    if (wrong) {
        received_refuse(r, "R-TRANS-16", wrong);
        return;
    }
    bool was_known =
        document && (!r->evse_uid || location_part(document, r->evse_uid, r->connector_id));
    if (!r->evse_uid) {
        received_entry(r);
        count_older(r, document);
        entry_set_document(r->entry, json_deep_copy(r->call->json));
        received_ok(r, was_known);
        return;
    }
    if (!document || !location_put_part(document, r->evse_uid, r->connector_id, r->call->json)) {
        received_unknown(r);
        return;
    }
    received_entry(r);
    location_touch(document, r->connector_id ? r->evse_uid : 0,
                   json_text_of(r->call->json, "last_updated"));
    received_ok(r, was_known);
}

/* The merged whole must be an object again. */
static void check_merged(struct received *r)
{
    struct call *call = r->call;
    const struct object_type *type = object_type_find(call->version, r->kind->class);
    struct err e = type ? object_check(type, entry_document(r->entry), 0, call->arena) : OK;

    if (failed(e)) {
        check_violation(call->sim, "R-TRANS-11", call->r->method, call->r->target,
                        "after the PATCH: %s", err_text(e));
        entry_refuse(r->entry, err_text(e), call->json);
    }
}

/* Without a time of the sender's (2.1.1), the time of arrival counts (R-TRANS-12). */
static void merged_touch(struct received *r, json_t *document, json_t *part)
{
    const char *stamp = json_text_of(r->call->json, "last_updated");
    char now[TIME_TEXT];

    if (!stamp && r->call->version == OCPI_2_1_1)
        stamp = time_print_seconds(now, time_now_us());
    if (!stamp)
        return;
    json_object_set_new(part, "last_updated", json_string(stamp));
    if (r->evse_uid)
        location_touch(document, r->connector_id ? r->evse_uid : 0, stamp);
}

static void receive_patch(struct received *r)
{
    const char *wrong = body_wrong(r, true);
    json_t *document = entry_document(r->entry);
    json_t *part = r->evse_uid ? location_part(document, r->evse_uid, r->connector_id) : document;

    if (!part) {
        received_unknown(r);
        return;
    }
    if (!wrong)
        wrong = address_wrong(r);
    if (wrong) {
        received_refuse(r, "R-TRANS-12", wrong);
        return;
    }
    received_entry(r);
    count_older(r, part);
    if (!behave_acts(r->call->sim->behave, BEHAVE_PATCH_NOT_MERGED, 0)) {
        if (strcmp(r->kind->module, MODULE_SESSIONS) == 0)
            merge_session(part, r->call->json);
        else
            merge_patch(part, r->call->json);
        merged_touch(r, document, part);
        check_merged(r);
    }
    received_ok(r, true);
}

static void receive_delete(struct received *r)
{
    if (!entry_document(r->entry)) {
        received_unknown(r);
        return;
    }
    json_object_set_new(received_entry(r), "deleted", json_true());
    received_ok(r, true);
}

static void receive_get(struct received *r)
{
    json_t *document = entry_document(r->entry);

    if (document && r->evse_uid)
        document = location_part(document, r->evse_uid, r->connector_id);
    if (document)
        call_ok(r->call, json_text(r->call->arena, document, 0));
    else
        received_unknown(r);
}

/* A CDR comes by POST, is final, and is found again at its Location (R-CDR-03, 04). */
static void receive_cdr(struct received *r)
{
    struct call *call = r->call;
    const char *wrong = body_wrong(r, false);
    json_t *document = entry_document(r->entry);

    if (wrong) {
        received_refuse(r, "R-TYPE", wrong);
        return;
    }
    if (document && !json_equal(document, call->json)) {
        received_refuse(r, "R-CDR-04", "this CDR came before, with another content");
        return;
    }
    if (!document)
        entry_set_document(received_entry(r), json_deep_copy(call->json));
    else
        received_entry(r);
    if (!behave_acts(call->sim->behave, BEHAVE_CDR_NO_LOCATION, 0))
        call_header(call, HEADER_LOCATION, r->location);
    received_ok(r, document);
}

/* An invoice record is new where it comes by POST; changes come by PUT (R-INV-02). */
static void receive_invoice(struct received *r)
{
    struct call *call = r->call;
    const char *wrong = body_wrong(r, false);
    json_t *document = entry_document(r->entry);

    if (wrong) {
        received_refuse(r, "R-TYPE", wrong);
        return;
    }
    if (document && !json_equal(document, call->json)) {
        received_refuse(r, "R-INV-02", "this record came before, with another content");
        return;
    }
    entry_set_document(received_entry(r), json_deep_copy(call->json));
    received_ok(r, document);
}

static void received_invoice_key(struct received *r)
{
    struct call *call = r->call;
    const char *country_code = json_text_of(call->json, "country_code");
    const char *party_id = json_text_of(call->json, "party_id");
    const char *id = json_text_of(call->json, "id");

    r->id = id ? id : "";
    r->owner = arena_printf(call->arena, "%s-%s", country_code ? country_code : "",
                            party_id ? party_id : "");
    snprintf(r->key, sizeof(r->key), "%s/%s/%s", country_code ? country_code : "",
             party_id ? party_id : "", r->id);
}

static void received_key(struct received *r)
{
    struct call *call = r->call;
    const char *const *s = call->rest;
    bool tokens = strcmp(r->kind->module, MODULE_TOKENS) == 0;
    bool infos = strcmp(r->kind->module, MODULE_HUB_CLIENT_INFO) == 0;
    const char *type = tokens ? http_query_get(call->arena, call->r->query, "type", 0)
                              : json_text_of(call->json, "role");

    r->owner = arena_printf(call->arena, "%s-%s", s[0], s[1]);
    r->id = infos ? s[1] : s[2];
    if (tokens)
        snprintf(r->key, sizeof(r->key), "%s/%s/%s/%s", s[0], s[1], s[2], type ? type : "RFID");
    else if (infos) /* two roles, two infos (R-HCI-04) */
        snprintf(r->key, sizeof(r->key), "%s/%s/%s", s[0], s[1], type ? type : "");
    else
        snprintf(r->key, sizeof(r->key), "%s/%s/%s", s[0], s[1], s[2]);
}

/* 2.1.1 has no owner in a CDR: whoever sends it. */
static void received_cdr_key(struct received *r)
{
    struct call *call = r->call;
    const char *const *s = call->rest;
    const char *id = json_text_of(call->json, "id");
    const char *country_code = json_text_of(call->json, "country_code");
    const char *party_id = json_text_of(call->json, "party_id");
    const struct party_id *hub = &call->sim->reg.hub;

    if (call->rest_count > 0) {
        snprintf(r->key, sizeof(r->key), "%s%s%s%s%s", s[0], call->rest_count > 1 ? "/" : "",
                 call->rest_count > 1 ? s[1] : "", call->rest_count > 2 ? "/" : "",
                 call->rest_count > 2 ? s[2] : "");
        return;
    }
    const char *base = arena_printf(call->arena, "%s/ocpi/%s/cdrs", call->sim->base_url,
                                    version_name(call->version));
    r->id = id ? id : "";
    r->owner = arena_printf(call->arena, "%s-%s", country_code ? country_code : hub->country_code,
                            party_id ? party_id : hub->party_id);
    if (call->version == OCPI_2_1_1 || !country_code || !party_id) {
        snprintf(r->key, sizeof(r->key), "%s", r->id);
        r->location = url_join(call->arena, base, r->id, NULL);
    } else {
        snprintf(r->key, sizeof(r->key), "%s/%s/%s", country_code, party_id, r->id);
        r->location = url_join(call->arena, base, country_code, party_id, r->id, NULL);
    }
}

static void receive(struct received *r)
{
    struct call *call = r->call;
    const char *method = call->r->method;

    if (strcmp(method, "PATCH") == 0 && strcmp(r->kind->module, MODULE_TARIFFS) == 0 &&
        call->version != OCPI_2_1_1) {
        check_violation(call->sim, "R-TAR-15", method, call->r->target,
                        "a Tariff has no PATCH since 2.2");
        call_answer(call, 405, OCPI_CLIENT_ERROR, "method not allowed", 0);
    } else if (strcmp(method, "PUT") == 0) {
        receive_put(r);
    } else if (strcmp(method, "PATCH") == 0) {
        receive_patch(r);
    } else if (strcmp(method, "DELETE") == 0) {
        receive_delete(r);
    } else if (strcmp(method, "POST") == 0) {
        if (strcmp(r->kind->module, MODULE_INVOICES) == 0)
            receive_invoice(r);
        else
            receive_cdr(r);
    } else {
        receive_get(r);
    }
}

void serve_received(struct call *call)
{
    struct received r = {.call = call};

    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]) && !r.kind; i++) {
        if (strcmp(kinds[i].module, call->module) == 0)
            r.kind = &kinds[i];
    }
    bool cdr = r.kind && strcmp(r.kind->module, MODULE_CDRS) == 0;
    bool invoice = r.kind && strcmp(r.kind->module, MODULE_INVOICES) == 0;
    bool post = strcmp(call->r->method, "POST") == 0;
    if (!r.kind || call->rest_count < r.kind->least || call->rest_count > r.kind->most ||
        (cdr && post != (call->rest_count == 0)) ||
        (invoice && call->rest_count != (post ? 0 : 3))) {
        call_not_found(call, "no such address");
        return;
    }
    if (cdr)
        received_cdr_key(&r);
    else if (invoice && post)
        received_invoice_key(&r);
    else
        received_key(&r);
    r.evse_uid = !cdr && call->rest_count > 3 ? call->rest[3] : 0;
    r.connector_id = !cdr && call->rest_count > 4 ? call->rest[4] : 0;
    r.entry = store_find(call->sim->store, r.kind->module, r.key);
    receive(&r);
}
