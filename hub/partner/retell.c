/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Retelling. Each document is read and turned in memory of its own, so that a page of a thousand
 * needs that of one.
 */
#include "hub/partner/retell.h"

#include <string.h>

#include "base/json.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/text.h"
#include "base/time.h"
#include "db/partner.h"
#include "hub/partner/rename.h"
#include "hub/request.h"
#include "ocpi/object.h"
#include "ocpi/translate/translate.h"

enum {
    WORK_BYTES = 256 * 1024 * 1024,
    VALUES_MAX = 1000000,
    LOSSES_BYTES = 256 * 1024, /* of one message */
    LOSSES_TOLD = 200,         /* of one document: the counter has them all */
};

static void put_loss(struct text *t, const struct retell_ask *ask,
                     const struct translation_loss *loss)
{
    json_begin_object(t, NULL);
    json_put_text(t, "object", ask->object);
    json_put_text(t, "id", ask->id);
    json_put_text(t, "field", loss->field);
    json_put_text(t, "value", loss->value);
    json_put_text(t, "reason", loss->reason);
    json_end_object(t);
}

static const char *losses_json(struct flow *f, const struct retell_ask *ask,
                               const struct translation *t)
{
    size_t count = t->loss_count < LOSSES_TOLD ? t->loss_count : LOSSES_TOLD;
    struct text list;

    if (!count)
        return NULL;
    text_init(&list, f->arena, LOSSES_BYTES);
    json_begin_array(&list, NULL);
    for (size_t i = 0; i < count; i++)
        put_loss(&list, ask, &t->losses[i]);
    json_end_array(&list);
    return text_overflowed(&list) ? NULL : list.bytes;
}

/* A list of documents is one message: its losses stand one after the other, as many as fit. */
static void note_in_request(struct flow *f, const char *losses)
{
    struct request *r = request_of(f);
    size_t length = strlen(losses);

    if (!r)
        return;
    if (!r->losses) {
        r->losses = arena_alloc(f->arena, sizeof *r->losses);
        text_init(r->losses, f->arena, LOSSES_BYTES);
    }
    if (r->losses->length + length >= LOSSES_BYTES)
        return;
    if (r->losses->length)
        text_add(r->losses, ",");
    text_add_bytes(r->losses, losses + 1, length - 2); /* without its brackets */
}

void note_losses(struct flow *f, const struct retell_ask *ask, const struct translation *t)
{
    if (!t->loss_count)
        return;
    metric_add(METRIC_TRANSLATION_LOSSES, ask->reader->name, ask->object, NULL, t->loss_count);
    for (size_t i = 0; i < t->loss_count; i++)
        log_line(LOG_DEBUG, "a version cannot say this", LOG_TEXT("partner", ask->reader->name),
                 LOG_TEXT("object", ask->object), LOG_TEXT("id", ask->id),
                 LOG_TEXT("from", version_name(ask->from)), LOG_TEXT("to", version_name(ask->to)),
                 LOG_TEXT("field", t->losses[i].field), LOG_TEXT("value", t->losses[i].value),
                 LOG_TEXT("text", t->losses[i].reason),
                 LOG_TEXT("correlation_id", *f->correlation_id ? f->correlation_id : NULL));
}

void note_losses_in_request(struct flow *f, const struct retell_ask *ask,
                            const struct translation *t)
{
    const char *losses = losses_json(f, ask, t);

    if (losses)
        note_in_request(f, losses);
}

static void note_withheld(struct flow *f, const struct retell_ask *ask, const char *why)
{
    metric_add(METRIC_TRANSLATION_WITHHELD, ask->reader->name, ask->object, NULL, 1);
    log_line(LOG_DEBUG, "an object is not told in this version",
             LOG_TEXT("partner", ask->reader->name), LOG_TEXT("object", ask->object),
             LOG_TEXT("id", ask->id), LOG_TEXT("from", version_name(ask->from)),
             LOG_TEXT("to", version_name(ask->to)), LOG_TEXT("text", why),
             LOG_TEXT("correlation_id", *f->correlation_id ? f->correlation_id : NULL));
}

/* Over-long texts of a partner that is allowed them go on as they are (R-TYPE-17). */
static struct err check(struct arena *a, const struct retell_ask *ask, const json_t *document)
{
    static const struct object_leniency PASSED_ON = {.long_text = true};
    const struct object_type *type = object_type_find(ask->to, ask->object);

    if (!type)
        return err_at(a, ERR_BAD_FIELD, NULL, "OCPI %s has no %s", version_name(ask->to),
                      ask->object);
    return object_check(type, document, &PASSED_ON, a);
}

/* The Token as it is known, in words of 2.2.1 or newer. */
static struct err read_token(struct arena *a, const struct token_owner *o, const json_t **ret)
{
    const struct translation_facts facts = {.country_code = o->country_code,
                                            .party_id = o->party_id};
    struct translation t;
    json_t *token;

    TRY(json_read(a, o->document, strlen(o->document), 0, &token));
    *ret = token;
    if (o->ocpi != OCPI_2_1_1)
        return OK;
    TRY(translate("Token", OCPI_2_1_1, OCPI_2_2_1, token, &facts, a, &t));
    *ret = t.document;
    return OK;
}

static struct err known_facts(struct arena *a, const struct retell_known *known,
                              struct translation_facts *facts)
{
    facts->by_command = known->origin.by_command;
    facts->authorization_reference = known->origin.authorization_reference;
    facts->session_id = known->origin.session_id;
    return known->token.found && known->token.document ? read_token(a, &known->token, &facts->token)
                                                       : OK;
}

static struct err turn(struct flow *f, struct arena *a, const struct retell_ask *ask,
                       struct translation *ret)
{
    struct translation_facts facts = {
        .country_code = ask->country_code,
        .party_id = ask->party_id,
        .keep_unknown = ask->reader->peer.quirks.keep_unknown,
        .location_version = ask->location_version,
        .token_country_code = ask->token_country_code,
        .token_party_id = ask->token_party_id,
    };
    json_t *document, *location = NULL;

    TRY(json_read(a, ask->document, ask->length, VALUES_MAX, &document));
    if (ask->location && ask->to == OCPI_2_1_1)
        TRY(json_read(a, ask->location, strlen(ask->location), VALUES_MAX, &location));
    facts.location = location;
    if (ask->known)
        TRY(known_facts(a, ask->known, &facts));
    TRY(translate(ask->object, ask->from, ask->to, document, &facts, a, ret));
    note_losses(f, ask, ret);
    return ret->withheld ? OK : check(a, ask, ret->document);
}

/* What a Session or CDR of 2.1.1 says of itself; false: it cannot be read. */
static bool read_origin(struct flow *f, const struct retell_ask *ask, struct relay_origin_ask *ret)
{
    struct arena *a = arena_new(WORK_BYTES);
    json_t *document;
    bool cdr = strcmp(ask->object, "CDR") == 0;
    bool read = !failed(json_read(a, ask->document, ask->length, VALUES_MAX, &document));

    if (read) {
        const json_t *location = json_object_of(document, "location");
        const json_t *evse = json_array_get(json_array_of(location, "evses"), 0);
        const char *start = json_text_of(document, cdr ? "start_date_time" : "start_datetime");

        *ret = (struct relay_origin_ask){
            .token_country_code = ask->token_country_code,
            .token_party_id = ask->token_party_id,
            .auth_id = arena_text(f->arena, json_text_of(document, "auth_id")),
            .location_id = arena_text(f->arena, json_text_of(location, "id")),
            .evse_uid = arena_text(f->arena, json_text_of(evse, "uid")),
            .start_us = TIME_NONE,
            .cdr = cdr,
        };
        if (start && !time_parse(start, TIME_OCPI_ANY_OFFSET, &ret->start_us))
            ret->start_us = TIME_NONE;
        read = ret->auth_id != NULL;
    }
    arena_free(a);
    return read;
}

bool retell_learn(struct flow *f, const struct retell_ask *ask, struct retell_known *ret)
{
    bool charged = strcmp(ask->object, "Session") == 0 || strcmp(ask->object, "CDR") == 0;
    const struct partner *cpo;
    struct relay_origin_ask origin;

    *ret = (struct retell_known){0};
    if (!charged || !ask->document || ask->from != OCPI_2_1_1 || ask->to == OCPI_2_1_1 ||
        !read_origin(f, ask, &origin))
        return false;
    cpo = partner_of_party(f, ask->country_code, ask->party_id);
    if (!cpo)
        return false;
    origin.cpo_partner_id = cpo->id;
    flow_all_begin(f);
    token_owner_find(f, cpo->id, origin.auth_id, &ret->token);
    if (origin.token_country_code && origin.start_us != TIME_NONE)
        relay_origin_find(f, &origin, &ret->origin);
    (void)flow_all_end(f);
    return true;
}

/* Its reader knows objects of this owner by other names (R-BR-06). */
static bool names_differ(const struct retell_ask *ask, struct party_id *ret_owner)
{
    return ask->to == OCPI_2_1_1 && ask->aliases &&
           party_id_make(ask->country_code, ask->party_id, ret_owner) &&
           rename_is_due(ask->aliases, ret_owner);
}

void retell(struct flow *f, const struct retell_ask *ask, struct retold *ret)
{
    struct translation t = {0};
    struct party_id owner;
    bool renamed = names_differ(ask, &owner);
    struct arena *a;

    *ret = (struct retold){.document = ask->document, .length = ask->length};
    if (ask->from == ask->to && !renamed)
        return;
    *ret = (struct retold){0};
    a = arena_new(WORK_BYTES);
    struct err e = ask->from == ask->to
                       ? json_read(a, ask->document, ask->length, VALUES_MAX, &t.document)
                       : turn(f, a, ask, &t);
    if (!failed(e) && !t.withheld && renamed)
        rename_ids(t.document, ask->object, &owner, ask->aliases);
    if (!failed(e) && !t.withheld) {
        ret->document = json_text(f->arena, t.document, &ret->length);
    } else {
        ret->why = arena_text(f->arena, failed(e) ? err_text(e) : t.withheld);
        note_withheld(f, ask, ret->why);
    }
    ret->losses = losses_json(f, ask, &t);
    if (ret->losses)
        note_in_request(f, ret->losses);
    arena_free(a);
}

json_t *retold_part(const json_t *parent, const char *list, const char *key, const char *id)
{
    const json_t *parts = json_array_of(parent, list);

    for (size_t i = 0; i < json_array_size(parts); i++) {
        json_t *part = json_array_get(parts, i);
        const char *its_id = json_text_of(part, key);
        if (its_id && text_equal_caseless(its_id, id))
            return part;
    }
    return NULL;
}
