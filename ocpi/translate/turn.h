/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Turn: the small vocabulary in which the translation of a class is told (inside ocpi/translate).
 *
 * The engine (translate.c) walks a document along the field tables of both versions:
 *
 *   a member with a row below      the row says what becomes of it
 *   known in both versions         goes over; objects and lists of them are walked in turn
 *   known in the source only       a loss
 *   in no table of the source      R-BR-48; a loss too where the target has a member of that name
 *
 * Then the class's finish() adds what the target wants beside, and every required member of the
 * target has to be there (R-BR-03).
 */
#ifndef OCPI_TRANSLATE_TURN_H
#define OCPI_TRANSLATE_TURN_H

#include "ocpi/translate/translate.h"

#include "ocpi/object.h"

/* Which directions a row is for. */
enum turn_way {
    FROM_211_TO_221 = 1,
    FROM_211_TO_230 = 2,
    FROM_221_TO_211 = 4,
    FROM_230_TO_211 = 8,
    RISES = 16, /* 2.2.1 to 2.3.0 */
    FALLS = 32, /* 2.3.0 to 2.2.1 */
    FROM_211 = FROM_211_TO_221 | FROM_211_TO_230,
    TO_211 = FROM_221_TO_211 | FROM_230_TO_211,
    TO_230 = FROM_211_TO_230 | RISES,
    FROM_230 = FROM_230_TO_211 | FALLS,
    OLDER = TO_211 | FALLS,
    NEWER = FROM_211 | RISES,
    SIDEWAYS = RISES | FALLS,
};

/* One translation. */
struct turn {
    struct arena *arena;
    const struct translation_facts *facts;
    enum ocpi_version from, to;
    unsigned way; /* one of the six */
    int64_t now_us;
    bool embedded;   /* a Location inside a Session or CDR: never withheld */
    bool whole;      /* of a PATCH: it has to go as PUT */
    unsigned silent; /* above 0: what is walked is no part of the document */
    struct translation_loss *losses;
    size_t loss_count, loss_room;
};

/* One object of the document on its way. */
struct turn_object {
    struct turn_object *up; /* NULL: the document */
    const char *name;       /* in `up` */
    size_t index;           /* in the list `name`; NO_INDEX: it is no list */
    const struct object_type *from, *to;
    const struct turn_class *class;
    const json_t *source;
    json_t *out;
    bool patch;
    bool reduced;        /* a Tariff of which elements were left out (R-BR-30) */
    const char *refused; /* set: it cannot be told; an entry is left out, a document withheld */
};
#define NO_INDEX SIZE_MAX

struct turn_row {
    const char *member; /* in the source */
    const char *to;     /* its name in the target; NULL: the same, or the function knows */
    /* What becomes of it; NULL: it goes over as it is. `value` is never null. */
    struct err (*turn)(struct turn *t, struct turn_object *o, const struct turn_row *row,
                       const json_t *value);
    const void *with;
    size_t limit;
    unsigned ways;
    bool one_to_one; /* a function that a PATCH may use (R-BR-09) */
};

struct turn_class {
    const char *name;
    const struct turn_row *rows;
    size_t row_count;
    /* After the members; `o->patch`: only what a PATCH needs. */
    struct err (*finish)(struct turn *t, struct turn_object *o);
};
#define TURN_CLASS(name_, rows_, ...)                                                              \
    {                                                                                              \
        .name = (name_), .rows = (rows_), .row_count = sizeof(rows_) / sizeof((rows_)[0]),         \
        __VA_ARGS__                                                                                \
    }

/* The rows' words. */
#define RENAME(member_, ways_, to_)                                                                \
    {                                                                                              \
        .member = (member_), .ways = (ways_), .to = (to_)                                          \
    }
#define LEAVE_OUT(member_, ways_)                                                                  \
    {                                                                                              \
        .member = (member_), .ways = (ways_), .turn = turn_leave_out                               \
    }
#define CUT(member_, ways_, limit_)                                                                \
    {                                                                                              \
        .member = (member_), .ways = (ways_), .turn = turn_cut, .limit = (limit_),                 \
        .one_to_one = true                                                                         \
    }
#define ID(member_, ways_, to_)                                                                    \
    {                                                                                              \
        .member = (member_), .ways = (ways_), .to = (to_), .turn = turn_id, .one_to_one = true     \
    }
#define WORD(member_, ways_, words_)                                                               \
    {                                                                                              \
        .member = (member_), .ways = (ways_), .turn = turn_word, .with = (words_),                 \
        .one_to_one = true                                                                         \
    }
#define WORD_LIST_OF(member_, ways_, words_)                                                       \
    {                                                                                              \
        .member = (member_), .ways = (ways_), .turn = turn_word_list, .with = (words_),            \
        .one_to_one = true                                                                         \
    }
#define BY(member_, ways_, function_)                                                              \
    {                                                                                              \
        .member = (member_), .ways = (ways_), .turn = (function_)                                  \
    }
#define BY_ALSO_PATCH(member_, ways_, function_)                                                   \
    {                                                                                              \
        .member = (member_), .ways = (ways_), .turn = (function_), .one_to_one = true              \
    }

/* Which version an enum's words came with: what 2.2.1 lists is known to 2.3.0 too. */
struct turn_words {
    const struct word_list *words; /* the table of 2.2.1, which reads newer words as well */
    const char *const *since_221;  /* NULL-terminated; unknown to 2.1.1 */
    const char *const *since_230;  /* NULL-terminated; unknown to 2.2.1 as well */
    const char *other;             /* what stands for an unknown word; NULL: nothing does */
};
bool turn_word_known(const struct turn_words *words, const char *word, enum ocpi_version version);

/* Row functions. */
struct err turn_leave_out(struct turn *t, struct turn_object *o, const struct turn_row *row,
                          const json_t *value);
struct err turn_cut(struct turn *t, struct turn_object *o, const struct turn_row *row,
                    const json_t *value);
struct err turn_id(struct turn *t, struct turn_object *o, const struct turn_row *row,
                   const json_t *value);
struct err turn_word(struct turn *t, struct turn_object *o, const struct turn_row *row,
                     const json_t *value);
struct err turn_word_list(struct turn *t, struct turn_object *o, const struct turn_row *row,
                          const json_t *value);

/* Losses. `member` is one of o, or a pointer's tail ("cdr_token/uid"), NULL: o itself. */
void turn_lose(struct turn *t, const struct turn_object *o, const char *member, const json_t *value,
               const char *reason);
/* The same of a member whose name comes from outside. */
void turn_lose_member(struct turn *t, const struct turn_object *o, const char *name,
                      const json_t *value, const char *reason);
struct err turn_missing(struct turn *t, const struct turn_object *o, const char *member,
                        const char *why);

/* A whole document; *ret is the caller's, *ret_refused why it may not go. `name` is that of the
 * rules, `in_from` and `in_to` those of the tables. */
struct err turn_document(struct turn *t, const char *name, const char *in_from, const char *in_to,
                         const json_t *source, bool patch, json_t **ret, const char **ret_refused);
/* Walks an object that is no plain member, such as a Location that comes in as a fact. *ret is the
 * caller's; NULL where it is refused. */
struct err turn_walk(struct turn *t, struct turn_object *up, const char *name, const char *class,
                     const json_t *source, json_t **ret);

/* Members of a result. Values of the source are shared, not copied. */
void turn_set(struct turn_object *o, const char *member, const json_t *value);
void turn_set_text(struct turn_object *o, const char *member, const char *text);
bool turn_has(const struct turn_object *o, const char *member); /* in the result, and not null */
/* A row function's complaint: the member is lost. */
void turn_wrong_kind(struct turn *t, struct turn_object *o, const struct turn_row *row,
                     const json_t *value);
json_t *turn_share(const json_t *value);

/* The owner, who stands in no object of 2.1.1. */
struct err turn_add_owner(struct turn *t, struct turn_object *o);

bool turn_knows(const struct object_type *type, const char *member);
bool turn_is(const json_t *value, const char *word);
/* A number, or a text that is one; NULL: neither. A new reference. */
json_t *turn_numeric(const json_t *value);
/* Exact: made of decimals, read as any other JSON number is. */
json_t *turn_number(int64_t u6);
const char *turn_cut_text(struct arena *a, const char *text, size_t characters);
/* R-TYPE-02: texts of 2.1.1 are ASCII; a loss where that changes something. To newer versions the
 * text itself. */
const char *turn_ascii(struct turn *t, const struct turn_object *o, const char *member,
                       const char *text, size_t limit);
/* Entry `index` of the list `member` of an object; NULL where there is none. */
const json_t *turn_entry(const json_t *object, const char *member, size_t index);

/* ISO 3166 (country.c). NULL where unknown; the zone only where the country has one. */
const char *country_alpha3(const char *alpha2);
const char *country_time_zone(const char *alpha3);

/* The classes with rules of their own. */
extern const struct turn_class turn_location, turn_evse, turn_connector, turn_geo_location,
    turn_additional_geo_location, turn_hours, turn_image, turn_environmental_impact,
    turn_publish_token;
extern const struct turn_class turn_tariff, turn_tariff_element, turn_price_component,
    turn_tariff_restrictions, turn_price, turn_price_limit;
extern const struct turn_class turn_session, turn_cdr, turn_cdr_token, turn_charging_period,
    turn_cdr_dimension, turn_cdr_location;
extern const struct turn_class turn_token, turn_authorization_info, turn_location_references;
extern const struct turn_class turn_start_session, turn_reserve_now, turn_unlock_connector,
    turn_command_response, turn_command_result;
extern const struct turn_class turn_client_info, turn_credentials, turn_endpoint;

/* Shared by Session and CDR (session.c). */
struct err turn_auth_id(struct turn *t, struct turn_object *o, const struct turn_row *row,
                        const json_t *value);
struct err turn_cdr_token_away(struct turn *t, struct turn_object *o, const struct turn_row *row,
                               const json_t *value);
struct err turn_auth_method(struct turn *t, struct turn_object *o, const struct turn_row *row,
                            const json_t *value);
struct err turn_authorization(struct turn *t, struct turn_object *o);
struct err turn_total_cost(struct turn *t, struct turn_object *o, const struct turn_row *row,
                           const json_t *value);
/* The token of the facts, in words of the target; NULL: there is none. A new reference. */
json_t *turn_token_fact(const struct turn *t);
extern const struct turn_words turn_connector_standards, turn_power_types, turn_token_types;
/* The standard under which a version knows a plug; NULL: under none. */
const char *turn_standard(const struct turn *t, const char *standard);
/* "60.170000" of "60.17": six decimals, rounded. NULL: not degrees. */
const char *turn_degrees(struct arena *a, const char *text);

#endif
