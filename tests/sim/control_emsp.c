/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The part of the control API that an eMSP does: tokens, commands, charging profiles.
 */
#include <stdlib.h>

#include "adapters/http_client.h"
#include "base/id.h"
#include "base/json.h"
#include "base/text.h"
#include "base/time.h"
#include "tests/sim/behave.h"
#include "tests/sim/cards.h"
#include "tests/sim/control.h"
#include "tests/sim/print.h"
#include "tests/sim/push.h"

/* --- tokens --- */

static const struct {
    const char *key;
    size_t offset, size;
} card_texts[] = {
    {"contract_id", offsetof(struct card, contract_id), sizeof(((struct card *)0)->contract_id)},
    {"visual_number", offsetof(struct card, visual_number),
     sizeof(((struct card *)0)->visual_number)},
    {"issuer", offsetof(struct card, issuer), sizeof(((struct card *)0)->issuer)},
    {"group_id", offsetof(struct card, group_id), sizeof(((struct card *)0)->group_id)},
    {"language", offsetof(struct card, language), sizeof(((struct card *)0)->language)},
    {"whitelist", offsetof(struct card, whitelist), sizeof(((struct card *)0)->whitelist)},
};

static bool card_change(struct ask *ask, struct card *card)
{
    for (size_t i = 0; i < sizeof(card_texts) / sizeof(card_texts[0]); i++) {
        const char *value = json_text_of(ask->json, card_texts[i].key);

        if (value && !text_copy((char *)card + card_texts[i].offset, card_texts[i].size, value))
            return false;
    }
    card->valid = ask_bool(ask, "valid", card->valid);
    card->updated_us = time_now_us();
    return true;
}

/* Only what was said, and when. */
static char *card_patch(struct ask *ask, const struct card *card)
{
    struct sim *sim = ask->sim;
    struct text whole;

    text_init(&whole, 0, PRINT_MAX);
    print_card(pen_to_hub(sim, &whole), 0, card);
    AUTO_JSON json_t *document = json_loads(whole.bytes, 0, 0);
    AUTO_JSON json_t *patch = json_object();
    const char *key;
    json_t *value;
    json_object_foreach(document, key, value)
    {
        bool said = json_object_get(ask->json, strcmp(key, "auth_id") == 0 ? "contract_id" : key);

        if (strcmp(key, "uid") == 0 || strcmp(key, "type") == 0)
            continue;
        bool stamp = strcmp(key, "last_updated") == 0 && sim->reg.version != OCPI_2_1_1 &&
                     !behave_acts(sim->behave, BEHAVE_PATCH_NO_STAMP, 0);
        if (said || stamp)
            json_object_set(patch, key, value);
    }
    text_done(&whole);
    return ask_heap_json(patch);
}

static void card_push(struct ask *ask, const struct card *card, bool patch)
{
    struct sim *sim = ask->sim;
    const struct party_id *us = &sim->options->party;
    const char *endpoint = sim_endpoint(sim, MODULE_TOKENS, OCPI_INTERFACE_RECEIVER);
    struct text body;
    char *bytes;

    if (!endpoint) {
        ask_wrong(ask, "the hub takes no tokens (or we are not registered)");
        return;
    }
    char *url = url_join(ask->arena, endpoint, us->country_code, us->party_id, card->uid, NULL);
    if (behave_acts(sim->behave, BEHAVE_LOWER_CASE_IDS, 0)) {
        char *tail = url + strlen(endpoint);

        text_to_lower(tail);
    }
    /* 2.1.1 has no type in the address of a push (R-TOK-01). */
    if (sim->reg.version != OCPI_2_1_1)
        url = url_query(ask->arena, url, "type", card->type, NULL);
    if (patch) {
        bytes = card_patch(ask, card);
    } else {
        text_init(&body, 0, PRINT_MAX);
        print_card(pen_to_hub(sim, &body), 0, card);
        bytes = body.bytes;
    }
    struct push *p = push_new(sim, patch ? "PATCH" : "PUT", MODULE_TOKENS, url, bytes);
    ask_address(ask, p);
    p->done = ask_pushed;
    p->arg = ask;
    push_send(p, 0);
}

void control_token(struct ask *ask)
{
    const char *uid = ask_text(ask, "uid", ""), *type = ask_text(ask, "type", "RFID");
    bool known = card_find(ask->sim->cards, uid, type);
    const char *method = ask_text(ask, "method", known ? "PATCH" : "PUT");
    struct card *card = card_make(ask->sim, uid, type);

    if (!card || !card_change(ask, card)) {
        ask_wrong(ask, "\"uid\" is missing, or a text is too long");
        return;
    }
    if (strcmp(method, "none") == 0)
        ask_done(ask);
    else
        card_push(ask, card, strcmp(method, "PATCH") == 0);
}

void control_answer(struct ask *ask)
{
    struct card *card =
        card_make(ask->sim, ask_text(ask, "uid", ""), ask_text(ask, "type", "RFID"));

    if (!card || !text_copy(card->answer, sizeof(card->answer), ask_text(ask, "answer", ""))) {
        ask_wrong(ask, "\"uid\" and \"answer\"");
        return;
    }
    ask_done(ask);
}

/* --- commands --- */

struct asked {
    struct ask *ask;
    const char *id, *response_url;
};

static void asked_answered(struct push *p, const struct http_answer *answer)
{
    struct asked *asked = p->arg;
    struct text out;

    text_init(&out, 0, PRINT_MAX);
    json_begin_object(&out, 0);
    json_put_text(&out, "id", asked->id);
    json_put_text(&out, "response_url", asked->response_url);
    ask_put_answer(asked->ask, answer, &out);
    json_end_object(&out);
    ask_answer(asked->ask, 200, out.bytes, out.length);
    text_done(&out);
}

static struct asked *asked_new(struct ask *ask, const char *module, const char *kind)
{
    struct asked *asked = arena_alloc(ask->arena, sizeof(*asked));
    char *id = arena_alloc(ask->arena, UUID_TEXT);

    id_uuid_v4(id);
    *asked = (struct asked){
        .ask = ask,
        .id = id,
        .response_url = arena_printf(ask->arena, "%s/ocpi/%s/%s/%s/%s", ask->sim->base_url,
                                     version_name(ask->sim->reg.version), module, kind, id),
    };
    return asked;
}

static void asked_send(struct asked *asked, const char *method, const char *module, const char *url,
                       char *body)
{
    struct push *p = push_new(asked->ask->sim, method, module, url, body);

    ask_address(asked->ask, p);
    /* A hub finds the receiver by what is asked, and takes no broadcast (R-ROUTE-15, 20). */
    if (p->sim->reg.routes && !json_text_of(asked->ask->json, "to"))
        p->open = true;
    p->done = asked_answered;
    p->arg = asked;
    push_send(p, 0);
}

static void put_member(const struct ask *ask, struct text *out, const char *key)
{
    if (json_text_of(ask->json, key))
        json_put_text(out, key, json_text_of(ask->json, key));
}

/* The card that was named, also one that was never pushed (R-CMD-04). */
static void put_card(struct ask *ask, struct text *out)
{
    const json_t *token = json_object_of(ask->json, "token");
    const char *uid = json_text_of(token, "uid"), *type = json_text_of(token, "type");
    const struct card *card = card_make(ask->sim, uid ? uid : "CARD-1", uid ? type : "RFID");

    if (card)
        print_card(pen_to_hub(ask->sim, out), "token", card);
}

static void put_reservation(struct ask *ask, struct text *out, bool with_expiry)
{
    const char *id = ask_text(ask, "reservation_id", "1");
    struct pen pen = pen_to_hub(ask->sim, out);

    if (pen.version == OCPI_2_1_1)
        json_put_int(out, "reservation_id", strtoll(id, 0, 10));
    else
        json_put_text(out, "reservation_id", id);
    if (with_expiry)
        pen_time(&pen, "expiry_date",
                 time_now_us() + ask_int(ask, "expires_s", 900) * US_PER_SECOND);
}

static char *command_body(struct ask *ask, const char *command, const char *response_url)
{
    bool start = strcmp(command, "START_SESSION") == 0;
    bool reserve = strcmp(command, "RESERVE_NOW") == 0;
    bool old = ask->sim->reg.version == OCPI_2_1_1;
    struct text out;

    text_init(&out, 0, PRINT_MAX);
    json_begin_object(&out, 0);
    json_put_text(&out, "response_url", response_url);
    if (start || reserve)
        put_card(ask, &out);
    if (reserve || strcmp(command, "CANCEL_RESERVATION") == 0)
        put_reservation(ask, &out, reserve);
    put_member(ask, &out, "session_id");
    put_member(ask, &out, "location_id");
    put_member(ask, &out, "evse_uid");
    if (!reserve && !(old && start))
        put_member(ask, &out, "connector_id");
    if (!old)
        put_member(ask, &out, "authorization_reference");
    json_end_object(&out);
    return out.bytes;
}

void control_command(struct ask *ask)
{
    const char *command = ask_text(ask, "command", "START_SESSION");
    const char *endpoint = sim_endpoint(ask->sim, MODULE_COMMANDS, OCPI_INTERFACE_RECEIVER);

    if (!endpoint) {
        ask_wrong(ask, "the hub takes no commands (or we are not registered)");
        return;
    }
    struct asked *asked = asked_new(ask, MODULE_COMMANDS, command);
    asked_send(asked, "POST", MODULE_COMMANDS, url_join(ask->arena, endpoint, command, NULL),
               command_body(ask, command, asked->response_url));
}

/* --- charging profiles --- */

void control_profile(struct ask *ask)
{
    const char *method = ask_text(ask, "method", "PUT");
    const char *endpoint =
        sim_endpoint(ask->sim, MODULE_CHARGING_PROFILES, OCPI_INTERFACE_RECEIVER);
    struct text body;

    if (!endpoint) {
        ask_wrong(ask, "the hub takes no charging profiles (or we are not registered)");
        return;
    }
    struct asked *asked = asked_new(ask, MODULE_CHARGING_PROFILES, method);
    const char *url = url_join(ask->arena, endpoint, ask_text(ask, "session_id", ""), NULL);
    const char *duration =
        arena_printf(ask->arena, "%lld", (long long)ask_int(ask, "duration", 900));
    if (strcmp(method, "PUT") != 0) {
        bool get = strcmp(method, "GET") == 0;

        url = url_query(ask->arena, url, "duration", get ? duration : NULL, "response_url",
                        asked->response_url, NULL);
        asked_send(asked, method, MODULE_CHARGING_PROFILES, url, 0);
        return;
    }
    text_init(&body, 0, PRINT_MAX);
    json_begin_object(&body, 0);
    json_put_text(&body, "response_url", asked->response_url);
    json_begin_object(&body, "charging_profile");
    json_put_text(&body, "charging_rate_unit", "W");
    json_begin_array(&body, "charging_profile_period");
    json_begin_object(&body, 0);
    json_put_int(&body, "start_period", 0);
    json_put_int(&body, "limit", ask_int(ask, "limit_w", 11000));
    json_end_object(&body);
    json_end_array(&body);
    json_end_object(&body);
    json_end_object(&body);
    asked_send(asked, method, MODULE_CHARGING_PROFILES, url, body.bytes);
}
