/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Turn: the engine. One pass over the source document, along the field tables of both versions and
 * the rows of the classes; see turn.h. Nothing here knows a class by name except the list of them.
 *
 * Recursion follows the tables of fields, which are of finite depth, not the document.
 */
#include "ocpi/translate/turn.h"

#include <string.h>

#include "base/arena.h"
#include "base/decimal.h"
#include "base/json.h"
#include "base/text.h"
#include "base/time.h"
#include "ocpi/v211/ascii.h"

static const struct turn_class *const classes[] = {
    &turn_location,
    &turn_evse,
    &turn_connector,
    &turn_geo_location,
    &turn_additional_geo_location,
    &turn_hours,
    &turn_image,
    &turn_environmental_impact,
    &turn_publish_token,
    &turn_tariff,
    &turn_tariff_element,
    &turn_price_component,
    &turn_tariff_restrictions,
    &turn_price,
    &turn_price_limit,
    &turn_session,
    &turn_cdr,
    &turn_cdr_token,
    &turn_charging_period,
    &turn_cdr_dimension,
    &turn_cdr_location,
    &turn_token,
    &turn_authorization_info,
    &turn_location_references,
    &turn_start_session,
    &turn_reserve_now,
    &turn_unlock_connector,
    &turn_command_response,
    &turn_command_result,
    &turn_client_info,
    &turn_credentials,
    &turn_endpoint,
};

static const struct turn_class plain = {.name = ""};

static const struct turn_class *find_class(const char *name)
{
    for (size_t i = 0; i < sizeof(classes) / sizeof(classes[0]); i++) {
        if (strcmp(classes[i]->name, name) == 0)
            return classes[i];
    }
    return &plain;
}

static bool find_field(const struct object_type *type, const char *name, struct field_facts *ret)
{
    size_t count = type ? object_type_fields(type) : 0;

    for (size_t i = 0; i < count; i++) {
        *ret = object_type_field(type, i);
        if (strcmp(ret->name, name) == 0)
            return true;
    }
    return false;
}

bool turn_knows(const struct object_type *type, const char *member)
{
    struct field_facts facts;

    return find_field(type, member, &facts);
}

/* --- values --- */

/* jansson counts references in the value itself; nothing else of it changes. */
json_t *turn_share(const json_t *value)
{
    return json_incref((json_t *)(uintptr_t)value);
}

void turn_set(struct turn_object *o, const char *member, const json_t *value)
{
    json_object_set_new(o->out, member, turn_share(value));
}

void turn_set_text(struct turn_object *o, const char *member, const char *text)
{
    json_object_set_new(o->out, member, json_string(text));
}

bool turn_has(const struct turn_object *o, const char *member)
{
    const json_t *value = json_object_get(o->out, member);

    return value && !json_is_null(value);
}

bool turn_is(const json_t *value, const char *word)
{
    return json_is_string(value) && strcmp(json_string_value(value), word) == 0;
}

json_t *turn_number(int64_t u6)
{
    char buffer[DECIMAL_TEXT];

    decimal_print_u6(buffer, u6, 0, 6);
    return json_loads(buffer, JSON_DECODE_ANY, NULL);
}

const char *turn_cut_text(struct arena *a, const char *text, size_t characters)
{
    const char *end = text;

    for (; *end; end++) {
        /* Not a continuation byte: a character begins here. */
        if (((unsigned char)*end & 0xc0) != 0x80 && characters-- == 0)
            return arena_bytes(a, text, (size_t)(end - text));
    }
    return text;
}

const json_t *turn_entry(const json_t *object, const char *member, size_t index)
{
    return json_array_get(json_object_get(object, member), index);
}

/* --- row functions --- */

/* What the document does not say in the target, and is not lost: the URL or the hub knows it. */
struct err turn_leave_out(struct turn *t, struct turn_object *o, const struct turn_row *row,
                          const json_t *value)
{
    (void)t, (void)o, (void)row, (void)value;
    return OK;
}

static const char wrong_type[] = "it is of a wrong type";

void turn_wrong_kind(struct turn *t, struct turn_object *o, const struct turn_row *row,
                     const json_t *value)
{
    turn_lose_member(t, o, row->member, value, wrong_type);
}

/* R-TYPE-02 */
const char *turn_ascii(struct turn *t, const struct turn_object *o, const char *member,
                       const char *text, size_t limit)
{
    const char *ascii = t->to == OCPI_2_1_1 ? ascii_of(t->arena, text, limit) : text;

    if (ascii != text)
        turn_lose(t, o, member, json_object_get(o->source, member),
                  "texts of 2.1.1 are ASCII: letters lost their marks");
    return ascii;
}

static const char *name_in_target(const struct turn_row *row)
{
    return row->to ? row->to : row->member;
}

struct err turn_cut(struct turn *t, struct turn_object *o, const struct turn_row *row,
                    const json_t *value)
{
    const char *text = json_string_value(value);
    const char *cut;

    if (!text) {
        turn_wrong_kind(t, o, row, value);
        return OK;
    }
    cut = turn_cut_text(t->arena, text, row->limit);
    if (cut != text)
        turn_lose(t, o, row->member, value, "it is too long there and was cut");
    turn_set_text(o, name_in_target(row), turn_ascii(t, o, row->member, cut, row->limit));
    return OK;
}

/* R-BR-06, 07 */
struct err turn_id(struct turn *t, struct turn_object *o, const struct turn_row *row,
                   const json_t *value)
{
    const char *id = json_string_value(value);
    const char *alias;

    if (!id) {
        turn_wrong_kind(t, o, row, value);
        return OK;
    }
    alias = translate_id(t->arena, id);
    if (alias != id)
        turn_lose(t, o, row->member, value, "it is too long there: an alias stands for it");
    turn_set_text(o, name_in_target(row), alias);
    return OK;
}

static bool is_among(const char *const *words, const char *word)
{
    for (; words && *words; words++) {
        if (strcmp(*words, word) == 0)
            return true;
    }
    return false;
}

/* An alias of the table ("RESERVED") is no word. */
static bool is_listed(const struct word_list *list, const char *word)
{
    for (unsigned i = 1; i <= list->count; i++) {
        if (strcmp(word_name(list, i), word) == 0)
            return true;
    }
    return false;
}

bool turn_word_known(const struct turn_words *words, const char *word, enum ocpi_version version)
{
    if (!is_listed(words->words, word) || is_among(words->since_230, word))
        return version == OCPI_2_3_0;
    return version != OCPI_2_1_1 || !is_among(words->since_221, word);
}

struct err turn_word(struct turn *t, struct turn_object *o, const struct turn_row *row,
                     const json_t *value)
{
    const struct turn_words *words = row->with;
    const char *word = json_string_value(value);

    if (!word) {
        turn_wrong_kind(t, o, row, value);
        return OK;
    }
    if (turn_word_known(words, word, t->to)) {
        turn_set(o, name_in_target(row), value);
        return OK;
    }
    turn_lose(t, o, row->member, value,
              words->other ? arena_printf(t->arena, "there it is called %s", words->other)
                           : "the word is unknown there");
    if (words->other)
        turn_set_text(o, name_in_target(row), words->other);
    return OK;
}

struct err turn_word_list(struct turn *t, struct turn_object *o, const struct turn_row *row,
                          const json_t *value)
{
    json_t *list;

    if (!json_is_array(value)) {
        turn_wrong_kind(t, o, row, value);
        return OK;
    }
    list = json_array();
    json_object_set_new(o->out, name_in_target(row), list);
    for (size_t i = 0; i < json_array_size(value); i++) {
        const json_t *entry = json_array_get(value, i);
        const char *word = json_string_value(entry);

        if (word && turn_word_known(row->with, word, t->to))
            json_array_append_new(list, turn_share(entry));
        else
            turn_lose(t, o, arena_printf(t->arena, "%s/%zu", row->member, i), entry,
                      word ? "the word is unknown there" : wrong_type);
    }
    return OK;
}

/* The owner, who stands in no object of 2.1.1 (15.2 to 15.6). */
struct err turn_add_owner(struct turn *t, struct turn_object *o)
{
    if (!turn_has(o, "country_code")) {
        if (!t->facts->country_code)
            return turn_missing(t, o, "country_code", "nothing tells who the owner is");
        turn_set_text(o, "country_code", t->facts->country_code);
    }
    if (!turn_has(o, "party_id")) {
        if (!t->facts->party_id)
            return turn_missing(t, o, "party_id", "nothing tells who the owner is");
        turn_set_text(o, "party_id", t->facts->party_id);
    }
    return OK;
}

/* --- single values, by the tables --- */

/* "2026-01-31T08:00:00", with or without a fraction and a Z: what every version reads. */
static bool is_documented_time(const char *text)
{
    static const char shape[] = "dddd-dd-ddTdd:dd:dd";

    for (size_t i = 0; shape[i]; i++, text++) {
        if (shape[i] == 'd' ? *text < '0' || *text > '9' : *text != shape[i])
            return false;
    }
    if (*text == '.')
        text += 1 + strspn(text + 1, "0123456789");
    return strcmp(text, "") == 0 || strcmp(text, "Z") == 0;
}

/* R-TYPE-05: whole seconds to 2.1.1, cut off. Newer versions take a time as it came, but not in the
 * forms that we only tolerate. */
static json_t *turn_time(const struct turn *t, const json_t *value)
{
    const char *text = json_string_value(value);
    char buffer[TIME_TEXT];
    int64_t us;

    if (!text)
        return NULL;
    if (t->to != OCPI_2_1_1 && is_documented_time(text))
        return turn_share(value);
    if (!time_parse(text, TIME_OCPI_ANY_OFFSET, &us))
        return NULL;
    return json_string(t->to == OCPI_2_1_1 ? time_print_seconds(buffer, us)
                                           : time_print_millis(buffer, us));
}

/* As they came (R-TYPE-08); a number in a text is never passed on (R-TYPE-09). */
json_t *turn_numeric(const json_t *value)
{
    int64_t u6;

    if (json_is_number(value))
        return turn_share(value);
    return json_is_string(value) && json_number_u6(value, true, &u6) ? turn_number(u6) : NULL;
}

/* A new reference, or NULL where the value is of another kind than the table says. */
static json_t *turn_scalar(const struct turn *t, const struct field_facts *field,
                           const json_t *value)
{
    switch (field->kind) {
    case FIELD_TEXT:
    case FIELD_URL:
        if (field->number_tolerated && json_is_integer(value))
            return json_string(
                arena_printf(t->arena, "%lld", (long long)json_integer_value(value)));
        return json_is_string(value) ? turn_share(value) : NULL;
    case FIELD_ENUM:
        return json_is_string(value) ? turn_share(value) : NULL;
    case FIELD_TIME:
        return turn_time(t, value);
    case FIELD_NUMBER:
    case FIELD_INT:
        return turn_numeric(value);
    case FIELD_BOOL:
        return json_is_boolean(value) ? turn_share(value) : NULL;
    case FIELD_OBJECT:
        break;
    }
    return NULL;
}

/* --- members --- */

static struct err turn_object(struct turn *t, struct turn_object *o, json_t **ret);

static json_t *turn_text(struct turn *t, const struct turn_object *at, const struct field_facts *to,
                         const json_t *value)
{
    const char *text = json_string_value(value);
    const char *ascii = ascii_of(t->arena, text, to->limit);

    if (ascii == text)
        return turn_share(value);
    turn_lose(t, at, NULL, value, "texts of 2.1.1 are ASCII: letters lost their marks");
    return json_string(ascii);
}

/* *ret NULL: the value was lost, and is in the list. */
static struct err turn_one(struct turn *t, struct turn_object *o, const struct field_facts *from,
                           const struct field_facts *to, size_t index, const json_t *value,
                           json_t **ret)
{
    struct turn_object inner = {.up = o,
                                .name = from->name,
                                .index = index,
                                .from = from->type,
                                .to = to->type,
                                .source = value};

    *ret = NULL;
    if (from->kind == FIELD_OBJECT && to->kind == FIELD_OBJECT && json_is_object(value)) {
        inner.class = find_class(object_type_name(from->type));
        TRY(turn_object(t, &inner, ret));
        if (!*ret)
            turn_lose(t, &inner, NULL, value, inner.refused);
        return OK;
    }
    if (from->kind == FIELD_TEXT && t->to == OCPI_2_1_1 && json_is_string(value))
        *ret = turn_text(t, &inner, to, value);
    else if (from->kind != FIELD_OBJECT)
        *ret = turn_scalar(t, from, value);
    if (!*ret)
        turn_lose(t, &inner, NULL, value, wrong_type);
    return OK;
}

static struct err turn_list(struct turn *t, struct turn_object *o, const struct field_facts *from,
                            const struct field_facts *to, const json_t *value, json_t *list)
{
    for (size_t i = 0; i < json_array_size(value); i++) {
        json_t *entry;

        TRY(turn_one(t, o, from, to, i, json_array_get(value, i), &entry));
        if (entry)
            json_array_append_new(list, entry);
    }
    return OK;
}

static struct err turn_by_tables(struct turn *t, struct turn_object *o,
                                 const struct field_facts *from, const struct field_facts *to,
                                 const json_t *value)
{
    json_t *single = NULL, *list;

    if (from->list != json_is_array(value) || from->list != to->list) {
        turn_lose_member(t, o, from->name, value, wrong_type);
        return OK;
    }
    if (!from->list) {
        TRY(turn_one(t, o, from, to, NO_INDEX, value, &single));
        if (single)
            json_object_set_new(o->out, to->name, single);
        return OK;
    }
    list = json_array();
    json_object_set_new(o->out, to->name, list);
    return turn_list(t, o, from, to, value, list);
}

static const struct turn_row *find_row(const struct turn *t, const struct turn_object *o,
                                       const char *member)
{
    for (size_t i = 0; i < o->class->row_count; i++) {
        const struct turn_row *row = &o->class->rows[i];

        if (row->ways & t->way && strcmp(row->member, member) == 0)
            return row;
    }
    return NULL;
}

/* R-BR-48 */
static void turn_unknown(struct turn *t, struct turn_object *o, const char *name,
                         const json_t *value)
{
    if (turn_knows(o->to, name))
        turn_lose_member(t, o, name, value, "the member means something else there");
    else if (t->to == OCPI_2_1_1 && !t->facts->keep_unknown)
        turn_lose_member(t, o, name, value, "members of no table do not go to 2.1.1");
    else
        turn_set(o, name, value);
}

static struct err turn_told(struct turn *t, struct turn_object *o, const char *name,
                            const json_t *value)
{
    const struct turn_row *row = find_row(t, o, name);
    const char *to_name = row ? name_in_target(row) : name;
    struct field_facts from, to;

    if (!row && !find_field(o->from, name, &from)) {
        turn_unknown(t, o, name, value);
        return OK;
    }
    if (json_is_null(value)) {
        /* Clearing a member that is made of several, or that the target requires. */
        if (o->patch && row && row->turn && row->turn != turn_leave_out)
            t->whole = true;
        if (find_field(o->to, to_name, &to)) {
            t->whole = t->whole || (o->patch && to.required);
            turn_set(o, to_name, value);
        }
        return OK;
    }
    if (row && row->turn) {
        if (o->patch && !row->one_to_one && row->turn != turn_leave_out)
            t->whole = true;
        return row->turn(t, o, row, value);
    }
    if (!find_field(o->from, name, &from) || !find_field(o->to, to_name, &to)) {
        turn_lose_member(t, o, name, value,
                         arena_printf(t->arena, "OCPI %s has no such member", version_name(t->to)));
        return OK;
    }
    return turn_by_tables(t, o, &from, &to, value);
}

/* A PATCH that leaves out what its target has would leave an old value there (R-BR-09). */
static struct err turn_member(struct turn *t, struct turn_object *o, const char *name,
                              const json_t *value)
{
    const struct turn_row *row = o->patch ? find_row(t, o, name) : NULL;
    const char *to_name = row ? name_in_target(row) : name;

    TRY(turn_told(t, o, name, value));
    if (o->patch && turn_knows(o->to, to_name) && !json_object_get(o->out, to_name))
        t->whole = true;
    return OK;
}

/* --- objects --- */

/* The name in the source of what the target calls `name`. */
static const char *name_in_source(const struct turn *t, const struct turn_object *o,
                                  const char *name)
{
    for (size_t i = 0; i < o->class->row_count; i++) {
        const struct turn_row *row = &o->class->rows[i];

        if (row->ways & t->way && row->to && strcmp(row->to, name) == 0)
            return row->member;
    }
    return name;
}

static struct err check_required(struct turn *t, const struct turn_object *o)
{
    for (size_t i = 0; i < object_type_fields(o->to); i++) {
        struct field_facts field = object_type_field(o->to, i);

        if (!field.required)
            continue;
        if (!turn_has(o, field.name) ||
            (field.list && json_array_size(json_object_get(o->out, field.name)) == 0))
            return turn_missing(t, o, name_in_source(t, o, field.name),
                                arena_printf(t->arena, "OCPI %s requires %s, nothing gives it",
                                             version_name(t->to), field.name));
    }
    return OK;
}

/* R-BR-08: a PATCH of 2.1.1 need not say when; newer versions want to know. */
static void add_last_updated(struct turn *t, struct turn_object *o)
{
    char now[TIME_TEXT];

    if (t->way & FROM_211 && turn_knows(o->to, "last_updated") && !turn_has(o, "last_updated"))
        turn_set_text(o, "last_updated", time_print_millis(now, t->now_us));
}

static struct err turn_members(struct turn *t, struct turn_object *o)
{
    /* jansson's iterators take an object that may be changed; this one is not. */
    json_t *walked = (json_t *)(uintptr_t)o->source;

    for (void *at = json_object_iter(walked); at; at = json_object_iter_next(walked, at))
        TRY(turn_member(t, o, json_object_iter_key(at), json_object_iter_value(at)));
    if (o->class->finish && !o->refused)
        TRY(o->class->finish(t, o));
    if (o->patch)
        add_last_updated(t, o);
    return o->refused || o->patch ? OK : check_required(t, o);
}

/* *ret is the caller's; NULL where the object was refused. */
static struct err turn_object(struct turn *t, struct turn_object *o, json_t **ret)
{
    struct err e;

    o->out = json_object();
    e = turn_members(t, o);
    *ret = NULL;
    if (failed(e) || o->refused)
        json_decref(o->out);
    else
        *ret = o->out;
    o->out = NULL;
    return e;
}

struct err turn_document(struct turn *t, const char *name, const char *in_from, const char *in_to,
                         const json_t *source, bool patch, json_t **ret, const char **ret_refused)
{
    struct turn_object top = {.index = NO_INDEX,
                              .from = object_type_find(t->from, in_from),
                              .to = object_type_find(t->to, in_to),
                              .class = find_class(name),
                              .source = source,
                              .patch = patch};

    *ret = NULL;
    if (!top.from || !top.to)
        return err_at(t->arena, ERR_INTERNAL, NULL, "there is no table of %s", name);
    TRY(turn_object(t, &top, ret));
    *ret_refused = top.refused;
    return OK;
}

struct err turn_walk(struct turn *t, struct turn_object *up, const char *name, const char *class,
                     const json_t *source, json_t **ret)
{
    struct turn_object o = {.up = up,
                            .name = name,
                            .index = NO_INDEX,
                            .from = object_type_find(t->from, class),
                            .to = object_type_find(t->to, class),
                            .class = find_class(class),
                            .source = source};

    *ret = NULL;
    if (!o.from || !o.to)
        return err_at(t->arena, ERR_INTERNAL, NULL, "there is no table of %s", class);
    return turn_object(t, &o, ret);
}
