/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An eMSP's tokens: the list, and real-time authorization.
 */
#include "tests/sim/cards.h"

#include <assert.h>
#include <stdlib.h>

#include "base/id.h"
#include "base/json.h"
#include "base/text.h"
#include "base/time.h"
#include "ocpi/envelope.h"
#include "tests/sim/behave.h"
#include "tests/sim/call.h"
#include "tests/sim/check.h"
#include "tests/sim/list.h"
#include "tests/sim/print.h"

enum { CARD_KEY = 64, FIRST_NUMBER = 1001 };

static bool card_key(char key[CARD_KEY], const char *uid, const char *type)
{
    int length = snprintf(key, CARD_KEY, "%s/%s", uid, type && *type ? type : "RFID");

    text_to_lower(key);
    return length < CARD_KEY;
}

struct card *card_find(const struct cards *cards, const char *uid, const char *type)
{
    char key[CARD_KEY];
    const json_t *found = card_key(key, uid, type) ? json_object_get(cards->by_key, key) : 0;

    return found ? &cards->list[json_integer_value(found)] : 0;
}

static struct card *card_add(struct cards *cards, const struct party_id *party, const char *uid,
                             const char *type)
{
    struct card card = {.valid = true, .updated_us = time_now_us()};
    char key[CARD_KEY];

    if (!*uid || !card_key(key, uid, type) || !text_copy(card.uid, sizeof(card.uid), uid) ||
        !text_copy(card.type, sizeof(card.type), type && *type ? type : "RFID"))
        return 0;
    snprintf(card.contract_id, sizeof(card.contract_id), "%s-%s-%.26s", party->country_code,
             party->party_id, uid);
    text_copy(card.issuer, sizeof(card.issuer), "ocpi-sim");
    text_copy(card.whitelist, sizeof(card.whitelist),
              strcmp(card.type, "RFID") == 0 ? "ALLOWED" : "NEVER"); /* R-TOK-07 */
    if (cards->count == cards->capacity) {
        cards->capacity = cards->capacity ? cards->capacity * 2 : 64;
        cards->list = realloc(cards->list, cards->capacity * sizeof(*cards->list));
        assert(cards->list);
    }
    json_object_set_new(cards->by_key, key, json_integer((json_int_t)cards->count));
    cards->list[cards->count] = card;
    return &cards->list[cards->count++];
}

struct card *card_make(struct sim *sim, const char *uid, const char *type)
{
    struct card *card = card_find(sim->cards, uid, type);

    return card ? card : card_add(sim->cards, &sim->options->party, uid, type);
}

static void cards_fill(struct cards *cards, const struct sim_options *o)
{
    int64_t born_us = (time_now_us() / US_PER_SECOND - 86400) * US_PER_SECOND;
    char uid[24];

    json_object_clear(cards->by_key);
    cards->count = 0;
    card_add(cards, &o->party, "CARD-1", "RFID");
    card_add(cards, &o->party, "CARD-2", "RFID")->valid = false;
    card_add(cards, &o->party, "APP-1", "APP_USER");
    for (unsigned i = 0; i < o->cards; i++) {
        snprintf(uid, sizeof(uid), "CARD-%u", FIRST_NUMBER + i);
        card_add(cards, &o->party, uid, "RFID");
    }
    for (size_t i = 0; i < cards->count; i++)
        cards->list[i].updated_us = born_us;
}

struct cards *cards_new(const struct sim_options *options)
{
    struct cards *cards = calloc(1, sizeof(*cards));

    assert(cards);
    cards->by_key = json_object();
    cards_fill(cards, options);
    return cards;
}

void cards_free(struct cards *cards)
{
    if (!cards)
        return;
    json_decref(cards->by_key);
    free(cards->list);
    free(cards);
}

void cards_reset(struct sim *sim)
{
    cards_fill(sim->cards, sim->options);
}

/* 2.1.1 knows two types only. */
static const char *type_word(enum ocpi_version version, const char *type)
{
    if (version == OCPI_2_1_1)
        return strcmp(type, "RFID") == 0 ? type : "OTHER";
    if (version == OCPI_2_2_1 && strcmp(type, "EMAID") == 0)
        return "OTHER";
    return type;
}

void print_card(struct pen pen, const char *key, const struct card *card)
{
    struct text *out = pen.out;
    bool old = pen.version == OCPI_2_1_1;

    json_begin_object(out, key);
    if (!old)
        pen_owner(&pen);
    pen_id(&pen, "uid", card->uid);
    json_put_text(out, "type", type_word(pen.version, card->type));
    pen_id(&pen, old ? "auth_id" : "contract_id", card->contract_id);
    if (card->visual_number[0])
        json_put_text(out, "visual_number", card->visual_number);
    json_put_text(out, "issuer", card->issuer);
    if (!old && card->group_id[0])
        json_put_text(out, "group_id", card->group_id);
    json_put_bool(out, "valid", card->valid);
    json_put_text(out, "whitelist", card->whitelist);
    if (card->language[0])
        json_put_text(out, "language", card->language);
    pen_extra(&pen);
    pen_time(&pen, "last_updated", card->updated_us);
    json_end_object(out);
}

/* --- the sender interface --- */

static int64_t card_changed(struct sim *sim, size_t index)
{
    return sim->cards->list[index].updated_us;
}

static void card_print(struct pen pen, size_t index)
{
    print_card(pen, 0, &pen.sim->cards->list[index]);
}

static const char *answer_word(const struct card *card)
{
    if (card->answer[0])
        return card->answer;
    return card->valid ? "ALLOWED" : "BLOCKED";
}

static void print_authorization(struct call *call, const struct card *card, struct text *out)
{
    struct pen pen = call_pen(call, out);
    const char *location_id = json_text_of(call->json, "location_id");
    const char *word = answer_word(card);
    char reference[UUID_TEXT];

    json_begin_object(out, 0);
    json_put_text(out, "allowed", word);
    if (call->version != OCPI_2_1_1)
        print_card(pen, "token", card);
    if (location_id && strcmp(word, "ALLOWED") == 0)
        json_put_raw(out, "location", json_text(call->arena, call->json, 0));
    if (call->version != OCPI_2_1_1 && strcmp(word, "ALLOWED") == 0) {
        id_uuid_v4(reference);
        json_put_text(out, "authorization_reference", reference);
    }
    json_end_object(out);
}

static void authorize(struct call *call, const char *uid)
{
    struct sim *sim = call->sim;
    const char *type = http_query_get(call->arena, call->r->query, "type", 0);
    const struct card *card = card_find(sim->cards, uid, type);
    struct card stranger = {.valid = true};
    struct text data;

    if (!card && behave_acts(sim->behave, BEHAVE_AUTHORIZE_UNKNOWN, 0)) {
        text_copy(stranger.uid, sizeof(stranger.uid), uid);
        text_copy(stranger.type, sizeof(stranger.type), type ? type : "RFID");
        text_copy(stranger.contract_id, sizeof(stranger.contract_id), "UNKNOWN");
        text_copy(stranger.issuer, sizeof(stranger.issuer), "ocpi-sim");
        text_copy(stranger.whitelist, sizeof(stranger.whitelist), "NEVER");
        stranger.updated_us = time_now_us();
        card = &stranger;
    }
    if (call->json && !check_body(call, "LocationReferences")) {
        call_invalid(call, "not LocationReferences");
    } else if (!card || strcmp(card->answer, "UNKNOWN") == 0) {
        call_answer(call, 404, call->version == OCPI_2_1_1 ? OCPI_CLIENT_ERROR : OCPI_UNKNOWN_TOKEN,
                    "no such token", 0);
    } else if (strcmp(card->answer, "NOT_ENOUGH") == 0 &&
               !json_text_of(call->json, "location_id")) {
        call_answer(call, 200, OCPI_NOT_ENOUGH, "where?", 0); /* R-TOK-04 */
    } else {
        text_init(&data, call->arena, PRINT_MAX);
        print_authorization(call, card, &data);
        call_ok(call, data.bytes);
    }
}

void serve_cards(struct call *call)
{
    bool post = strcmp(call->r->method, "POST") == 0;

    if (!post && call->rest_count == 0)
        serve_list(call,
                   &(struct list){MODULE_TOKENS, call->sim->cards->count, card_changed, card_print,
                                  "issuer"},
                   false);
    else if (post && call->rest_count == 2 && strcmp(call->rest[1], "authorize") == 0)
        authorize(call, call->rest[0]);
    else
        call_not_found(call, "no such address");
}
