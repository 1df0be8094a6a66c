/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Commands and their answers between versions (15.7).
 */
#include "ocpi/translate/turn.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/json.h"
#include "base/text.h"

enum { TIMEOUT_S = 60 };

/* --- requests --- */

/* Of an EVSE that wants to be told its connector (START_SESSION_CONNECTOR_REQUIRED): the only one.
 * Which of several is meant, 2.1.1 cannot say. */
static struct err connector_of_211(struct turn *t, struct turn_object *o)
{
    const char *uid = json_text_of(o->source, "evse_uid");
    const json_t *evses = json_object_get(t->facts->location, "evses");
    const json_t *evse = NULL, *capabilities, *connectors;
    bool required = false;

    for (size_t i = 0; uid && !evse && i < json_array_size(evses); i++) {
        const json_t *one = json_array_get(evses, i);
        const char *its = json_text_of(one, "uid");

        if (its && text_equal_caseless(translate_id(t->arena, its), translate_id(t->arena, uid)))
            evse = one;
    }
    capabilities = json_object_get(evse, "capabilities");
    for (size_t i = 0; i < json_array_size(capabilities); i++)
        required = required ||
                   turn_is(json_array_get(capabilities, i), "START_SESSION_CONNECTOR_REQUIRED");
    if (!required)
        return OK;
    connectors = json_object_get(evse, "connectors");
    if (json_array_size(connectors) != 1)
        o->refused = "the EVSE has to be told which connector: answer REJECTED";
    else if (json_text_of(json_array_get(connectors, 0), "id"))
        turn_set_text(o, "connector_id", json_text_of(json_array_get(connectors, 0), "id"));
    return OK;
}

static struct err start_session_finish(struct turn *t, struct turn_object *o)
{
    if (!(t->way & FROM_211))
        return OK;
    if (t->facts->authorization_reference)
        turn_set_text(o, "authorization_reference", t->facts->authorization_reference);
    return connector_of_211(t, o);
}

/* clang-format off */
static const struct turn_row start_session_rows[] = {
    LEAVE_OUT("authorization_reference", TO_211), /* kept by the hub */
    ID       ("location_id", FROM_211, NULL),
    ID       ("evse_uid",    FROM_211, NULL),
};
const struct turn_class turn_start_session =
    TURN_CLASS("StartSession", start_session_rows, .finish = start_session_finish);

static const struct turn_row unlock_connector_rows[] = {
    ID("location_id", FROM_211, NULL),
    ID("evse_uid",    FROM_211, NULL),
};
const struct turn_class turn_unlock_connector =
    TURN_CLASS("UnlockConnector", unlock_connector_rows);
/* clang-format on */

/* 2.1.1 counts reservations, newer versions name them. */
static struct err reservation_id_of_211(struct turn *t, struct turn_object *o,
                                        const struct turn_row *row, const json_t *value)
{
    int64_t u6;

    if (!json_number_u6(value, true, &u6) || u6 % 1000000 != 0) {
        turn_wrong_kind(t, o, row, value);
        return OK;
    }
    turn_set_text(o, row->member, arena_printf(t->arena, "%lld", (long long)(u6 / 1000000)));
    return OK;
}

static struct err reservation_id_for_211(struct turn *t, struct turn_object *o,
                                         const struct turn_row *row, const json_t *value)
{
    const char *id = json_string_value(value);
    int64_t number = t->facts->reservation_number;
    size_t digits = id ? strspn(id, "0123456789") : 0;

    if (!id) {
        turn_wrong_kind(t, o, row, value);
        return OK;
    }
    if (number == 0 && digits > 0 && digits <= 10 && id[digits] == '\0')
        number = strtoll(id, NULL, 10);
    if (number <= 0 || number > INT32_MAX)
        return turn_missing(t, o, row->member,
                            "OCPI 2.1.1 requires a number of 31 bits, none stands for this id");
    json_object_set_new(o->out, row->member, json_integer(number));
    return OK;
}

static struct err reserve_now_finish(struct turn *t, struct turn_object *o)
{
    if (t->way & FROM_211 && t->facts->authorization_reference)
        turn_set_text(o, "authorization_reference", t->facts->authorization_reference);
    return OK;
}

/* clang-format off */
static const struct turn_row reserve_now_rows[] = {
    LEAVE_OUT("authorization_reference", TO_211), /* kept by the hub */
    ID       ("location_id",    FROM_211, NULL),
    ID       ("evse_uid",       FROM_211, NULL),
    BY       ("reservation_id", FROM_211, reservation_id_of_211),
    BY       ("reservation_id", TO_211, reservation_id_for_211),
};
const struct turn_class turn_reserve_now =
    TURN_CLASS("ReserveNow", reserve_now_rows, .finish = reserve_now_finish);
/* clang-format on */

/* --- answers --- */

struct replacement {
    const char *word, *instead;
};

static struct err replace(struct turn *t, struct turn_object *o, const struct turn_row *row,
                          const json_t *value, const struct replacement *list)
{
    const char *word = json_string_value(value);

    if (!word) {
        turn_wrong_kind(t, o, row, value);
        return OK;
    }
    for (; list->word; list++) {
        if (strcmp(list->word, word) != 0)
            continue;
        turn_lose(t, o, row->member, value,
                  arena_printf(t->arena, "there it is called %s", list->instead));
        turn_set_text(o, row->member, list->instead);
        return OK;
    }
    turn_set(o, row->member, value);
    return OK;
}

static void add_message(struct turn_object *o, const char *text)
{
    json_t *list = json_array();

    json_array_append_new(list, json_pack("{s:s,s:s}", "language", "en", "text", text));
    json_object_set_new(o->out, "message", list);
}

/* R-BR-44: words of the diagrams of 2.1.1 that are in no enum. */
#define WORDS_OF_THE_DIAGRAMS                                                                      \
    {"UNKOWN_LOCATION", "REJECTED"}, {"UNKNOWN_LOCATION", "REJECTED"},                             \
    {                                                                                              \
        "SUCCESSFUL", "ACCEPTED"                                                                   \
    }

static struct err response_of_211(struct turn *t, struct turn_object *o, const struct turn_row *row,
                                  const json_t *value)
{
    static const struct replacement list[] = {
        WORDS_OF_THE_DIAGRAMS, {"TIMEOUT", "REJECTED"}, {NULL, NULL}};

    if (turn_is(value, "TIMEOUT"))
        add_message(o, "The charge point did not answer in time.");
    return replace(t, o, row, value, list);
}

static struct err response_finish(struct turn *t, struct turn_object *o)
{
    int64_t timeout = t->facts->timeout_s > 0 ? t->facts->timeout_s : TIMEOUT_S;

    if (t->way & FROM_211)
        json_object_set_new(o->out, "timeout", json_integer(timeout));
    return OK;
}

/* clang-format off */
static const struct turn_row command_response_rows[] = {
    BY       ("result",  FROM_211, response_of_211),
    LEAVE_OUT("timeout", TO_211),
};
const struct turn_class turn_command_response =
    TURN_CLASS("CommandResponse", command_response_rows, .finish = response_finish);
/* clang-format on */

static struct err result_of_211(struct turn *t, struct turn_object *o, const struct turn_row *row,
                                const json_t *value)
{
    static const struct replacement list[] = {
        WORDS_OF_THE_DIAGRAMS, {"UNKNOWN_SESSION", "REJECTED"}, {NULL, NULL}};

    return replace(t, o, row, value, list);
}

static struct err result_for_211(struct turn *t, struct turn_object *o, const struct turn_row *row,
                                 const json_t *value)
{
    static const struct replacement list[] = {{"EVSE_OCCUPIED", "REJECTED"},
                                              {"EVSE_INOPERATIVE", "REJECTED"},
                                              {"FAILED", "REJECTED"},
                                              {"UNKNOWN_RESERVATION", "REJECTED"},
                                              {"CANCELED_RESERVATION", "REJECTED"},
                                              {NULL, NULL}};

    return replace(t, o, row, value, list);
}

/* clang-format off */
static const struct turn_row command_result_rows[] = {
    BY("result", FROM_211, result_of_211),
    BY("result", TO_211, result_for_211),
};
const struct turn_class turn_command_result = TURN_CLASS("CommandResult", command_result_rows);
/* clang-format on */
