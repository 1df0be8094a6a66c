/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Retail tariffs as documents: read strictly, printed canonically.
 *
 * Strictly means that a member nobody knows is refused too: a misspelt limit would otherwise be a
 * limit that is silently not there.
 */
#include "ocpi/retail.h"

#include <assert.h>
#include <string.h>

#include "base/arena.h"
#include "base/decimal.h"
#include "base/json.h"
#include "base/text.h"
#include "base/time.h"

enum {
    VERSION_MAX = 1000000000,
    ID_MAX = 36,
    NAME_MAX_CHARACTERS = 100,
    WEEK_MINUTES = 7 * 24 * 60,
    DAY_MINUTES = 24 * 60,
    INCREMENT_MAX_S = 3600
};

#define U6 INT64_C(1000000)
#define PRICE_MAX_U6 (1000000 * U6)
#define PERCENT_MAX_U6 (1000 * U6)

static const char *const mode_names[] = {"fixed", "markup", "pass_through"};
static const char *const class_names[] = {NULL, "AC", "DC", "HPC"};

const char *retail_mode_name(enum retail_mode mode)
{
    return mode_names[mode];
}

/* ---- reading ---- */

/* An object of the document, and its name in complaints: "", "markup.", "time_tariffs[1]." */
struct part {
    const json_t *json;
    const char *prefix;
    struct arena *arena;
};

static struct err complain(const struct part *p, const char *member, const char *what)
{
    const char *where = arena_printf(p->arena, "%s%s", p->prefix, member);

    return err_at(p->arena, ERR_BAD_FIELD, where, "%s: %s", where, what);
}

/* null is as if it were not there. */
static const json_t *member_of(const struct part *p, const char *name)
{
    const json_t *value = json_object_get(p->json, name);

    return json_is_null(value) ? NULL : value;
}

static struct err known_members_only(const struct part *p, const char *const *names)
{
    const char *key;
    json_t *value;

    json_object_foreach((json_t *)(uintptr_t)p->json, key, value)
    {
        const char *const *name = names;
        while (*name && strcmp(*name, key) != 0)
            name++;
        if (!*name)
            return complain(p, key, "there is no such member in a retail tariff");
    }
    return OK;
}

/* Not below 0; at most `max`, and so many decimals. Absent: *ret stays. */
static struct err take_number(const struct part *p, const char *name, int64_t max_u6, int places,
                              int64_t *ret_u6)
{
    const json_t *value = member_of(p, name);
    int64_t number;

    if (!value)
        return OK;
    if (!json_number_u6(value, false, &number))
        return complain(p, name, "a number is expected");
    if (number < 0)
        return complain(p, name, "must not be below 0");
    if (number > max_u6)
        return complain(p, name, "is too large");
    if (json_number_places(value) > places)
        return complain(p, name,
                        places == 4 ? "has more than four decimals" : "has more than six decimals");
    *ret_u6 = number;
    return OK;
}

static struct err take_price(const struct part *p, const char *name, int64_t *ret_u6)
{
    return take_number(p, name, PRICE_MAX_U6, 6, ret_u6);
}

static struct err take_percent(const struct part *p, const char *name, int64_t max_u6,
                               int64_t *ret_u4)
{
    int64_t percent = *ret_u4 * 100;

    TRY(take_number(p, name, max_u6, 4, &percent));
    *ret_u4 = percent / 100;
    return OK;
}

static struct err take_int(const struct part *p, const char *name, int64_t min, int64_t max,
                           int64_t *ret)
{
    const json_t *value = member_of(p, name);

    if (!value)
        return OK;
    if (!json_is_integer(value))
        return complain(p, name, "a whole number is expected");
    if (json_integer_value(value) < min || json_integer_value(value) > max)
        return complain(
            p, name,
            arena_printf(p->arena, "must be from %lld to %lld", (long long)min, (long long)max));
    *ret = json_integer_value(value);
    return OK;
}

static struct err take_bool(const struct part *p, const char *name, bool *ret)
{
    const json_t *value = member_of(p, name);

    if (!value)
        return OK;
    if (!json_is_boolean(value))
        return complain(p, name, "true or false is expected");
    *ret = json_is_true(value);
    return OK;
}

static struct err take_text(const struct part *p, const char *name, size_t max, const char **ret)
{
    const json_t *value = member_of(p, name);

    if (!value)
        return OK;
    if (!json_is_string(value))
        return complain(p, name, "a text is expected");
    const char *text = json_string_value(value);
    if (!*text || text_utf8_count(text) > max)
        return complain(p, name, arena_printf(p->arena, "must have 1 to %zu characters", max));
    for (const char *c = text; *c; c++)
        if ((unsigned char)*c < ' ' || *c == 0x7f)
            return complain(p, name, "must not have control characters");
    *ret = text;
    return OK;
}

/* Index in `words`; NULL entries are no words. */
static struct err take_word(const struct part *p, const char *name, const char *const *words,
                            size_t count, unsigned *ret)
{
    const char *text = NULL, *list = "";

    TRY(take_text(p, name, ID_MAX, &text));
    if (!text)
        return OK;
    for (unsigned i = 0; i < count; i++) {
        if (!words[i])
            continue;
        if (strcmp(words[i], text) == 0) {
            *ret = i;
            return OK;
        }
        list = *list ? arena_printf(p->arena, "%s, %s", list, words[i]) : words[i];
    }
    return complain(p, name, arena_printf(p->arena, "must be one of %s", list));
}

static struct err take_time(const struct part *p, const char *name, int64_t *ret_us)
{
    const char *text = NULL;

    TRY(take_text(p, name, TIME_TEXT, &text));
    if (text && !time_parse(text, TIME_RFC3339, ret_us))
        return complain(p, name, "must be a time like 2026-12-31T23:00:00Z");
    return OK;
}

static struct err demand(const struct part *p, const char *name)
{
    return member_of(p, name) ? OK : complain(p, name, "is missing");
}

static struct err refuse(const struct part *p, const char *const *names, const char *mode)
{
    for (; *names; names++)
        if (member_of(p, *names))
            return complain(p, *names, arena_printf(p->arena, "has no meaning in mode %s", mode));
    return OK;
}

static struct err take_id(const struct part *p, struct retail_tariff *t)
{
    TRY(demand(p, "id"));
    TRY(take_text(p, "id", ID_MAX, &t->id));
    for (const char *c = t->id; *c; c++)
        if (!strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-", *c))
            return complain(p, "id", "only letters, digits and . _ - are allowed");
    t->name = t->id;
    return take_text(p, "name", NAME_MAX_CHARACTERS, &t->name);
}

static struct err take_currency(const struct part *p, struct retail_tariff *t)
{
    const char *currency = NULL;

    TRY(demand(p, "currency"));
    TRY(take_text(p, "currency", 3, &currency));
    if (!currency_known(currency))
        return complain(p, "currency", "is not in ISO 4217");
    memcpy(t->currency, currency, sizeof t->currency);
    return OK;
}

static struct err take_tier(const struct part *p, int64_t after, struct retail_tier *ret)
{
    static const char *const members[] = {"starting_at_minute", "minute_price", NULL};

    if (!json_is_object(p->json))
        return complain(p, "", "an object is expected");
    TRY(known_members_only(p, members));
    TRY(demand(p, "starting_at_minute"));
    TRY(demand(p, "minute_price"));
    TRY(take_int(p, "starting_at_minute", 0, WEEK_MINUTES, &ret->starting_at_minute));
    if (ret->starting_at_minute <= after)
        return complain(p, "starting_at_minute", "must be later than that of the tier before");
    return take_price(p, "minute_price", &ret->minute_price_u6);
}

static struct err take_tiers(const struct part *p, struct retail_tariff *t)
{
    const json_t *list = member_of(p, "time_tariffs");
    size_t count = json_array_size(list);
    int64_t after = -1;

    if (!list)
        return OK;
    if (!json_is_array(list))
        return complain(p, "time_tariffs", "a list is expected");
    if (count > RETAIL_TIERS_MAX)
        return complain(p, "time_tariffs", "has too many entries");
    struct retail_tier *tiers = arena_alloc(p->arena, (count + 1) * sizeof *tiers);
    for (size_t i = 0; i < count; i++) {
        struct part tier = {json_array_get(list, i),
                            arena_printf(p->arena, "time_tariffs[%zu].", i), p->arena};
        if (!json_is_object(tier.json))
            tier.prefix = arena_printf(p->arena, "time_tariffs[%zu]", i);
        TRY(take_tier(&tier, after, &tiers[i]));
        after = tiers[i].starting_at_minute;
    }
    t->time_tariffs.at = tiers;
    t->time_tariffs.count = count;
    return OK;
}

/* ---- the selector ---- */

static bool is_country(const char *text)
{
    return strlen(text) == 3 && strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == 3;
}

/* "DE*ABC" */
static bool is_party(const char *text)
{
    const char *letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
    const char *signs = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";

    return strlen(text) == 6 && strspn(text, letters) >= 2 && text[2] == '*' &&
           strspn(text + 3, signs) == 3;
}

static bool is_group(const char *text)
{
    size_t length = strlen(text);

    return length >= 1 && length <= 64 && text_is_printable_ascii(text);
}

/* One text, or a list of them. */
static struct err take_list(const struct part *p, const char *name, bool (*valid)(const char *),
                            const char *expected, const char *const **ret, size_t *ret_count)
{
    const json_t *value = member_of(p, name);
    size_t count = json_is_array(value) ? json_array_size(value) : 1;

    if (!value)
        return OK;
    if (!count || count > RETAIL_SELECTOR_MAX)
        return complain(p, name, "must have 1 to 500 entries");
    const char **texts = arena_alloc(p->arena, count * sizeof *texts);
    for (size_t i = 0; i < count; i++) {
        const json_t *entry = json_is_array(value) ? json_array_get(value, i) : value;
        texts[i] = json_string_value(entry);
        if (!texts[i] || !valid(texts[i]))
            return complain(p, name, expected);
    }
    *ret = texts;
    *ret_count = count;
    return OK;
}

static struct err take_selector(const struct part *up, struct retail_selector *s)
{
    static const char *const members[] = {"country", "cpo", "power_class", "user_group", NULL};
    struct part p = {member_of(up, "selector"), "selector.", up->arena};
    unsigned class = RETAIL_POWER_NONE;

    if (!p.json)
        return OK;
    if (!json_is_object(p.json))
        return complain(up, "selector", "an object is expected");
    TRY(known_members_only(&p, members));
    TRY(take_list(&p, "country", is_country, "three letters of ISO 3166 are expected, like DEU",
                  &s->countries.at, &s->countries.count));
    TRY(take_list(&p, "cpo", is_party, "country code and party id are expected, like DE*ABC",
                  &s->cpos.at, &s->cpos.count));
    TRY(take_list(&p, "user_group", is_group, "1 to 64 printable ASCII characters are expected",
                  &s->user_groups.at, &s->user_groups.count));
    TRY(take_word(&p, "power_class", class_names, sizeof class_names / sizeof *class_names,
                  &class));
    s->power_class = (enum retail_power_class) class;
    return OK;
}

/* ---- the modes ---- */

static struct err take_fixed(const struct part *p, struct retail_tariff *t)
{
    static const char *const others[] = {"markup", NULL};

    TRY(refuse(p, others, "fixed"));
    if (!member_of(p, "kwh_price") && !member_of(p, "session_price") &&
        !member_of(p, "time_tariffs"))
        return complain(p, "kwh_price", "is missing: a price of 0 has to be told");
    TRY(take_price(p, "kwh_price", &t->kwh_price_u6));
    TRY(take_price(p, "session_price", &t->session_price_u6));
    TRY(take_tiers(p, t));
    TRY(take_price(p, "parking_minute_price", &t->parking_minute_price_u6));
    TRY(take_price(p, "min_price", &t->min_price_u6));
    TRY(take_price(p, "max_price", &t->max_price_u6));
    if (t->max_price_u6 != NUMBER_NONE && t->min_price_u6 > t->max_price_u6)
        return complain(p, "min_price", "is above max_price");
    return OK;
}

static const char *const fixed_only[] = {
    "kwh_price", "session_price", "time_tariffs", "parking_minute_price",
    "min_price", "max_price",     "quoted_mode",  NULL};

static struct err take_markup(const struct part *up, struct retail_tariff *t)
{
    static const char *const members[] = {"percent", "kwh_adder", "session_adder",
                                          "floor",   "cap",       NULL};
    struct part p = {member_of(up, "markup"), "markup.", up->arena};

    TRY(refuse(up, fixed_only, "markup"));
    TRY(demand(up, "markup"));
    if (!json_is_object(p.json))
        return complain(up, "markup", "an object is expected");
    TRY(known_members_only(&p, members));
    TRY(take_percent(&p, "percent", PERCENT_MAX_U6, &t->percent_u4));
    TRY(take_price(&p, "kwh_adder", &t->kwh_adder_u6));
    TRY(take_price(&p, "session_adder", &t->session_adder_u6));
    TRY(take_price(&p, "floor", &t->min_price_u6));
    TRY(take_price(&p, "cap", &t->max_price_u6));
    if (t->max_price_u6 != NUMBER_NONE && t->min_price_u6 > t->max_price_u6)
        return complain(&p, "floor", "is above cap");
    t->currency_mismatch_refused = true;
    return OK;
}

static struct err take_pass_through(const struct part *p)
{
    static const char *const others[] = {"markup",        "max_charging_time",  "time_increment_s",
                                         "grace_minutes", "price_includes_vat", NULL};

    TRY(refuse(p, fixed_only, "pass_through"));
    return refuse(p, others, "pass_through");
}

static struct err take_validity(const struct part *p, struct retail_tariff *t)
{
    TRY(take_time(p, "valid_from", &t->valid_from_us));
    TRY(take_time(p, "valid_until", &t->valid_until_us));
    if (t->valid_until_us != TIME_NONE && t->valid_until_us <= t->valid_from_us)
        return complain(p, "valid_until", "must be later than valid_from");
    return OK;
}

static struct err take_mismatch(const struct part *p, struct retail_tariff *t)
{
    static const char *const words[] = {"allow", "refuse"};
    unsigned word = t->currency_mismatch_refused;

    TRY(take_word(p, "currency_mismatch", words, 2, &word));
    if (t->mode == RETAIL_MARKUP && !word)
        return complain(p, "currency_mismatch", "a markup is in the currency of what it is put on");
    t->currency_mismatch_refused = word;
    return OK;
}

struct err retail_tariff_read(const json_t *json, struct arena *a, struct retail_tariff *ret)
{
    static const char *const members[] = {"id",
                                          "version",
                                          "name",
                                          "currency",
                                          "mode",
                                          "quoted_mode",
                                          "vat",
                                          "price_includes_vat",
                                          "kwh_price",
                                          "session_price",
                                          "time_tariffs",
                                          "parking_minute_price",
                                          "time_increment_s",
                                          "max_charging_time",
                                          "grace_minutes",
                                          "min_price",
                                          "max_price",
                                          "markup",
                                          "valid_from",
                                          "valid_until",
                                          "currency_mismatch",
                                          "selector",
                                          NULL};
    struct part p = {json, "", a};
    struct retail_tariff t = {
        .price_includes_vat = true,
        .parking_minute_price_u6 = NUMBER_NONE,
        .time_increment_s = 60,
        .max_charging_time = NUMBER_NONE,
        .min_price_u6 = NUMBER_NONE,
        .max_price_u6 = NUMBER_NONE,
        .valid_from_us = TIME_NONE,
        .valid_until_us = TIME_NONE,
    };
    unsigned mode = RETAIL_FIXED;

    if (!json_is_object(json))
        return err_at(a, ERR_BAD_BODY, NULL, "a retail tariff is an object");
    TRY(known_members_only(&p, members));
    TRY(take_id(&p, &t));
    TRY(demand(&p, "version"));
    TRY(take_int(&p, "version", 1, VERSION_MAX, &t.version));
    TRY(take_currency(&p, &t));
    TRY(demand(&p, "vat"));
    TRY(take_percent(&p, "vat", 100 * U6, &t.vat_u4));
    TRY(take_bool(&p, "price_includes_vat", &t.price_includes_vat));
    TRY(take_word(&p, "mode", mode_names, sizeof mode_names / sizeof *mode_names, &mode));
    t.mode = (enum retail_mode)mode;
    t.quoted_mode = t.mode;
    if (t.mode == RETAIL_FIXED)
        TRY(take_fixed(&p, &t));
    else if (t.mode == RETAIL_MARKUP)
        TRY(take_markup(&p, &t));
    else
        TRY(take_pass_through(&p));
    mode = t.quoted_mode;
    TRY(take_word(&p, "quoted_mode", mode_names, 2, &mode));
    t.quoted_mode = (enum retail_mode)mode;
    TRY(take_int(&p, "time_increment_s", 1, INCREMENT_MAX_S, &t.time_increment_s));
    TRY(take_int(&p, "max_charging_time", 1, WEEK_MINUTES, &t.max_charging_time));
    TRY(take_int(&p, "grace_minutes", 0, DAY_MINUTES, &t.grace_minutes));
    TRY(take_validity(&p, &t));
    TRY(take_mismatch(&p, &t));
    TRY(take_selector(&p, &t.selector));
    *ret = t;
    return OK;
}

/* ---- printing ---- */

static void put_decimal(struct text *out, const char *key, int64_t value_u6)
{
    char buffer[DECIMAL_TEXT];

    json_put_raw(out, key, decimal_print_u6(buffer, value_u6, 0, 6));
}

static void put_if(struct text *out, const char *key, int64_t value_u6)
{
    if (value_u6 != NUMBER_NONE)
        put_decimal(out, key, value_u6);
}

static void put_tiers(struct text *out, const struct retail_tariff *t)
{
    json_begin_array(out, "time_tariffs");
    for (size_t i = 0; i < t->time_tariffs.count; i++) {
        json_begin_object(out, NULL);
        json_put_int(out, "starting_at_minute", t->time_tariffs.at[i].starting_at_minute);
        put_decimal(out, "minute_price", t->time_tariffs.at[i].minute_price_u6);
        json_end_object(out);
    }
    json_end_array(out);
}

static void put_list(struct text *out, const char *key, const char *const *texts, size_t count)
{
    if (!count)
        return;
    json_begin_array(out, key);
    for (size_t i = 0; i < count; i++)
        json_put_text(out, NULL, texts[i]);
    json_end_array(out);
}

static void put_selector(struct text *out, const struct retail_selector *s)
{
    if (!s->countries.count && !s->cpos.count && !s->power_class && !s->user_groups.count)
        return;
    json_begin_object(out, "selector");
    put_list(out, "country", s->countries.at, s->countries.count);
    put_list(out, "cpo", s->cpos.at, s->cpos.count);
    if (s->power_class)
        json_put_text(out, "power_class", class_names[s->power_class]);
    put_list(out, "user_group", s->user_groups.at, s->user_groups.count);
    json_end_object(out);
}

static void put_time(struct text *out, const char *key, int64_t us)
{
    char buffer[TIME_TEXT];

    if (us != TIME_NONE)
        json_put_text(out, key, time_print_micros(buffer, us));
}

static void put_fixed(struct text *out, const struct retail_tariff *t)
{
    put_decimal(out, "kwh_price", t->kwh_price_u6);
    put_decimal(out, "session_price", t->session_price_u6);
    put_tiers(out, t);
    put_if(out, "parking_minute_price", t->parking_minute_price_u6);
    put_if(out, "min_price", t->min_price_u6);
    put_if(out, "max_price", t->max_price_u6);
}

static void put_markup(struct text *out, const struct retail_tariff *t)
{
    json_begin_object(out, "markup");
    put_decimal(out, "percent", t->percent_u4 * 100);
    put_decimal(out, "kwh_adder", t->kwh_adder_u6);
    put_decimal(out, "session_adder", t->session_adder_u6);
    put_if(out, "floor", t->min_price_u6);
    put_if(out, "cap", t->max_price_u6);
    json_end_object(out);
}

void retail_tariff_print(const struct retail_tariff *t, struct text *out, const char *key)
{
    json_begin_object(out, key);
    json_put_text(out, "id", t->id);
    json_put_int(out, "version", t->version);
    json_put_text(out, "name", t->name);
    json_put_text(out, "currency", t->currency);
    put_decimal(out, "vat", t->vat_u4 * 100);
    json_put_text(out, "mode", mode_names[t->mode]);
    if (t->mode != RETAIL_PASS_THROUGH) {
        json_put_bool(out, "price_includes_vat", t->price_includes_vat);
        json_put_int(out, "time_increment_s", t->time_increment_s);
        if (t->max_charging_time != NUMBER_NONE)
            json_put_int(out, "max_charging_time", t->max_charging_time);
        json_put_int(out, "grace_minutes", t->grace_minutes);
    }
    if (t->mode == RETAIL_FIXED)
        put_fixed(out, t);
    if (t->mode == RETAIL_MARKUP)
        put_markup(out, t);
    if (t->quoted_mode != t->mode)
        json_put_text(out, "quoted_mode", mode_names[t->quoted_mode]);
    put_time(out, "valid_from", t->valid_from_us);
    put_time(out, "valid_until", t->valid_until_us);
    json_put_text(out, "currency_mismatch", t->currency_mismatch_refused ? "refuse" : "allow");
    put_selector(out, &t->selector);
    json_end_object(out);
}

void retail_tariff_print_public(const struct retail_tariff *t, struct text *out, const char *key)
{
    json_begin_object(out, key);
    put_decimal(out, "kwh_price", t->kwh_price_u6);
    put_decimal(out, "session_price", t->session_price_u6);
    put_tiers(out, t);
    /* Percent with four decimals is a fraction with six. */
    put_decimal(out, "vat", t->vat_u4);
    json_put_text(out, "currency", t->currency);
    if (t->max_charging_time == NUMBER_NONE)
        json_put_null(out, "max_charging_time");
    else
        json_put_int(out, "max_charging_time", t->max_charging_time);
    json_end_object(out);
}
