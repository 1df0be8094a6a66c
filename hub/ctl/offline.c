/* SPDX-License-Identifier: Apache-2.0 */
/* Prices and translations of documents in files. */
#include "hub/ctl/offline.h"

#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/decimal.h"
#include "base/json.h"
#include "base/text.h"
#include "base/time.h"
#include "base/zone.h"
#include "hub/ctl/command.h"
#include "hub/ctl/print.h"
#include "ocpi/price.h"
#include "ocpi/translate/translate.h"

enum { FILE_MAX = 8 * 1024 * 1024, OUTPUT_MAX = 32 * 1024 * 1024 };

static int complain(const char *about, struct err e)
{
    fprintf(stderr, "hubctl: %s%s%s\n", about ? about : "", about ? ": " : "", err_text(e));
    if (e.rule)
        fprintf(stderr, "(%s%s%s)\n", e.rule, e.expected ? ", expected " : "",
                e.expected ? e.expected : "");
    return 1;
}

/* "-" is the standard input. */
static struct err read_document(struct arena *a, const char *path, json_t **ret)
{
    bool standard = strcmp(path, "-") == 0;
    FILE *file = standard ? stdin : fopen(path, "re");

    if (!file)
        return err_at(a, ERR_NOT_FOUND, NULL, "the file cannot be opened");
    char *bytes = arena_alloc(a, FILE_MAX + 1);
    size_t length = fread(bytes, 1, FILE_MAX + 1, file);
    bool broken = ferror(file);
    if (!standard)
        fclose(file);
    if (broken)
        return err_at(a, ERR_NOT_FOUND, NULL, "the file cannot be read");
    if (length > FILE_MAX)
        return err_at(a, ERR_BAD_JSON, NULL, "the file is larger than 8 MiB");
    return json_read(a, bytes, length, 0, ret);
}

/* NONE and status 2 where it is no version. */
static int take_version(const char *text, const char *option, enum ocpi_version *ret)
{
    *ret = text ? version_parse(text) : OCPI_VERSION_NONE;
    if (!text || *ret != OCPI_VERSION_NONE)
        return 0;
    fprintf(stderr, "hubctl: --%s is 2.1.1, 2.2.1 or 2.3.0\n", option);
    return 2;
}

/* What a partner wrote, for the terminal. */
static const char *harmless(struct arena *a, const char *text)
{
    AUTO_JSON json_t *value = text ? json_string(text) : NULL;

    return print_cell(a, value);
}

/* ---- price: what is asked ---- */

struct pricing {
    struct price_record record;
    const struct price_tariff *tariffs;
    size_t count;
    struct zone *zone;
    const char *zone_name;
    struct price price;
    int64_t stated, difference; /* a credit's total with the sign of its original */
    bool compared;
};

/* A Location within the document knows where it is: that of 2.1.1. */
static struct err find_zone(struct arena *a, const struct command_line *line,
                            const json_t *document, struct pricing *p)
{
    p->zone_name = line->time_zone;
    if (!p->zone_name)
        p->zone_name = json_text_of(json_object_of(document, "location"), "time_zone");
    return p->zone_name ? zone_load(a, p->zone_name, &p->zone) : OK;
}

static struct err find_tariffs(struct arena *a, const struct command_line *line,
                               enum ocpi_version version, struct pricing *p)
{
    struct price_tariff *tariff;
    json_t *document;

    if (!line->tariff) {
        p->tariffs = p->record.tariffs.at;
        p->count = p->record.tariffs.count;
        return p->count ? OK
                        : err_at(a, ERR_BAD_FIELD, NULL, "%s",
                                 p->record.tariffs_beyond
                                     ? p->record.tariffs_beyond
                                     : "there is no tariff in it: name one with --tariff");
    }
    TRY(read_document(a, line->tariff, &document));
    tariff = arena_alloc(a, sizeof *tariff);
    TRY(price_tariff_read(version, document, a, tariff));
    p->tariffs = tariff;
    p->count = 1;
    return OK;
}

static struct err reckon(struct arena *a, struct pricing *p)
{
    struct price_history history;

    TRY(price_history_of(&p->record, p->tariffs, p->count, a, &history));
    TRY(price_reckon(p->tariffs, p->count, &history, p->zone, a, &p->price));
    p->price.notes |= price_record_check(&p->record);
    p->stated = p->record.cost_excl;
    if (p->stated == NUMBER_NONE)
        return OK;
    if (p->record.credit)
        p->stated = -p->stated;
    p->compared =
        p->price.excl != NUMBER_NONE && strcmp(p->record.currency, p->price.currency) == 0;
    if (p->compared && __builtin_sub_overflow(p->stated, p->price.excl, &p->difference))
        return err_at(a, ERR_BAD_FIELD, NULL, "the stated cost is beyond reckoning");
    return OK;
}

static const char *class_name(const struct pricing *p)
{
    static const char *const names[] = {"same", "close", "dispute"};

    return names[price_compare(p->stated, p->price.excl)];
}

/* ---- price: for people ---- */

static const char *decimal(struct arena *a, int64_t u6, int places)
{
    char buffer[DECIMAL_TEXT];

    return u6 == NUMBER_NONE ? "-" : arena_text(a, decimal_print_u6(buffer, u6, places, 6));
}

static const char *quantity(struct arena *a, enum price_kind kind, int64_t value)
{
    switch (kind) {
    case PRICE_ENERGY:
        return arena_printf(a, "%s kWh", decimal(a, value, 0));
    case PRICE_FLAT:
    case PRICE_RESERVATION_FLAT:
        return arena_printf(a, "%lld x", (long long)value);
    default:
        return arena_printf(a, "%lld:%02lld:%02lld h", (long long)(value / 3600),
                            (long long)(value / 60 % 60), (long long)(value % 60));
    }
}

static const char *unit_of(enum price_kind kind)
{
    if (kind == PRICE_ENERGY)
        return "/kWh";
    return kind == PRICE_FLAT || kind == PRICE_RESERVATION_FLAT ? "" : "/h";
}

static const char *pointer_of(struct arena *a, const struct pricing *p, const struct price_line *l)
{
    const char *where =
        arena_printf(a, "/elements/%zu/price_components/%zu", l->element, l->component);

    return p->count == 1 ? where
                         : arena_printf(a, "%s %s", harmless(a, p->tariffs[l->tariff].id), where);
}

static void print_lines(struct arena *a, const struct pricing *p)
{
    enum { COLUMNS = 8 };
    static const char *const HEAD[COLUMNS] = {"WHAT", "USED",         "BILLED",      "PRICE",
                                              "VAT",  "BEFORE TAXES", "AFTER TAXES", "COMPONENT"};
    struct print_table table;

    print_table_init(&table, a, COLUMNS);
    print_table_add(&table, HEAD);
    for (size_t i = 0; i < p->price.line_count; i++) {
        const struct price_line *l = &p->price.lines[i];
        const char *row[COLUMNS] = {
            price_kind_name(l->kind),
            quantity(a, l->kind, l->used),
            quantity(a, l->kind, l->billed),
            arena_printf(a, "%s%s", decimal(a, l->price, 2), unit_of(l->kind)),
            l->vat == NUMBER_NONE ? "-" : arena_printf(a, "%s %%", decimal(a, l->vat, 0)),
            decimal(a, l->excl, 2),
            decimal(a, l->incl, 2),
            pointer_of(a, p, l),
        };
        print_table_add(&table, row);
    }
    if (p->price.excl != p->price.unlimited_excl || p->price.incl != p->price.unlimited_incl)
        print_table_add(&table, (const char *const[COLUMNS]){
                                    "sum", "", "", "", "", decimal(a, p->price.unlimited_excl, 2),
                                    decimal(a, p->price.unlimited_incl, 2), "before the limits"});
    print_table_add(&table, (const char *const[COLUMNS]){
                                "total", "", "", "", "", decimal(a, p->price.excl, 2),
                                decimal(a, p->price.incl, 2), harmless(a, p->price.currency)});
    print_table_end(&table);
}

static void print_stated(struct arena *a, const struct pricing *p)
{
    const char *what = p->record.cdr ? "CDR" : "Session";

    if (p->stated == NUMBER_NONE) {
        printf("\nThe %s tells no cost: that is unknown, not free.\n", what);
        return;
    }
    printf("\nThe %s says %s before taxes, %s after taxes, %s.\n", what,
           decimal(a, p->record.cost_excl, 2), decimal(a, p->record.cost_incl, 2),
           harmless(a, p->record.currency));
    if (p->record.credit)
        puts("It is a credit: compared is the amount that it gives back.");
    if (p->compared)
        printf("Difference: %s before taxes (%s).\n", decimal(a, p->difference, 2), class_name(p));
    else
        puts("It cannot be compared with the total above.");
}

static void print_price(struct arena *a, const struct pricing *p)
{
    printf("%s %s by tariff %s, time zone %s\n\n", p->record.cdr ? "CDR" : "Session",
           harmless(a, p->record.id),
           p->count == 1 ? harmless(a, p->tariffs->id) : "as each period says",
           p->zone ? harmless(a, p->zone_name) : "unknown");
    print_lines(a, p);
    print_stated(a, p);
    for (size_t i = 0; i < p->count; i++)
        for (size_t k = 0; k < p->tariffs[i].alt_text.count; k++)
            printf("The tariff says (%s): %s\n", harmless(a, p->tariffs[i].alt_text.at[k].language),
                   harmless(a, p->tariffs[i].alt_text.at[k].text));
    for (unsigned note = 0; note < PRICE_NOTE_COUNT; note++)
        if (p->price.notes >> note & 1)
            printf("Note: %s.\n", price_note_text(note));
}

/* ---- price: for programs ---- */

static void put_number(struct text *t, const char *key, int64_t u6)
{
    char buffer[DECIMAL_TEXT];

    if (u6 == NUMBER_NONE)
        json_put_null(t, key);
    else
        json_put_raw(t, key, decimal_print_u6(buffer, u6, 0, 6));
}

static void put_quantity(struct text *t, const char *key, enum price_kind kind, int64_t value)
{
    if (kind == PRICE_ENERGY)
        put_number(t, key, value);
    else
        json_put_int(t, key, value);
}

static void put_line(struct text *t, const struct pricing *p, const struct price_line *l)
{
    bool energy = l->kind == PRICE_ENERGY, flat = !*unit_of(l->kind);

    json_begin_object(t, NULL);
    json_put_text(t, "what", price_kind_name(l->kind));
    json_put_text(t, "unit", energy ? "kWh" : flat ? "session" : "s");
    put_quantity(t, "used", l->kind, l->used);
    put_quantity(t, "billed", l->kind, l->billed);
    put_number(t, "price", l->price);
    put_number(t, "vat", l->vat);
    json_put_int(t, "step_size", l->step_size);
    put_number(t, "before_taxes", l->excl);
    put_number(t, "after_taxes", l->incl);
    json_put_text(t, "tariff_id", p->tariffs[l->tariff].id);
    json_put_int(t, "element", (int64_t)l->element);
    json_put_int(t, "component", (int64_t)l->component);
    json_end_object(t);
}

static void put_price(struct arena *a, const struct pricing *p)
{
    struct text t;

    text_init(&t, a, OUTPUT_MAX);
    json_begin_object(&t, NULL);
    json_put_text(&t, "object", p->record.cdr ? "CDR" : "Session");
    json_put_text(&t, "id", p->record.id);
    json_put_text(&t, "time_zone", p->zone ? p->zone_name : NULL);
    json_put_text(&t, "currency", p->price.currency);
    put_number(&t, "before_taxes", p->price.excl);
    put_number(&t, "after_taxes", p->price.incl);
    put_number(&t, "unlimited_before_taxes", p->price.unlimited_excl);
    put_number(&t, "unlimited_after_taxes", p->price.unlimited_incl);
    json_begin_array(&t, "lines");
    for (size_t i = 0; i < p->price.line_count; i++)
        put_line(&t, p, &p->price.lines[i]);
    json_end_array(&t);
    json_begin_object(&t, "stated");
    put_number(&t, "before_taxes", p->record.cost_excl);
    put_number(&t, "after_taxes", p->record.cost_incl);
    put_number(&t, "difference", p->compared ? p->difference : NUMBER_NONE);
    json_put_text(&t, "class", p->compared ? class_name(p) : NULL);
    json_end_object(&t);
    json_begin_array(&t, "notes");
    for (unsigned note = 0; note < PRICE_NOTE_COUNT; note++)
        if (p->price.notes >> note & 1) {
            json_begin_object(&t, NULL);
            json_put_text(&t, "code", price_note_name(note));
            json_put_text(&t, "text", price_note_text(note));
            json_end_object(&t);
        }
    json_end_array(&t);
    json_end_object(&t);
    puts(t.bytes);
}

int offline_price(struct arena *a, const struct command_line *line)
{
    struct pricing p = {.stated = NUMBER_NONE};
    enum ocpi_version version;
    json_t *document;
    int status = take_version(line->version, "version", &version);

    if (status)
        return status;
    struct err e = read_document(a, line->session, &document);
    if (!failed(e))
        e = price_record_read(version, document, a, &p.record);
    if (failed(e))
        return complain(line->session, e);
    e = find_tariffs(a, line, version, &p);
    if (failed(e))
        return complain(line->tariff ? line->tariff : line->session, e);
    e = find_zone(a, line, document, &p);
    if (!failed(e))
        e = reckon(a, &p);
    if (failed(e))
        return complain(NULL, e);
    if (line->json)
        put_price(a, &p);
    else
        print_price(a, &p);
    return 0;
}

/* ---- translate ---- */

static const char *const classes[] = {
    "Location",
    "EVSE",
    "Connector",
    "Tariff",
    "Session",
    "CDR",
    "Token",
    "AuthorizationInfo",
    "LocationReferences",
    "ClientInfo",
    "Credentials",
    "VersionDetails",
    "StartSession",
    "StopSession",
    "ReserveNow",
    "CancelReservation",
    "UnlockConnector",
    "CommandResponse",
    "CommandResult",
    "SetChargingProfile",
    "ChargingProfileResponse",
    "ChargingProfileResult",
    "ClearProfileResult",
    "ActiveChargingProfile",
    "ActiveChargingProfileResult",
    "ChargingPreferences",
};
enum { CLASSES = sizeof classes / sizeof *classes };

/* "CDR", "cdr" and "start_session" are classes; NULL: it is none. */
static const char *class_of(struct arena *a, const char *word)
{
    char *plain = arena_text(a, word), *end = plain;

    for (const char *c = word; *c; c++)
        if (*c != '_' && *c != '-')
            *end++ = *c;
    *end = '\0';
    for (size_t i = 0; i < CLASSES; i++)
        if (text_equal_caseless(classes[i], plain))
            return classes[i];
    return NULL;
}

static int complain_class(const char *word)
{
    fprintf(stderr, "hubctl: \"%s\" is no object that is translated. These are:\n", word);
    for (size_t i = 0; i < CLASSES; i++)
        fprintf(stderr, "%s%s", classes[i], i + 1 == CLASSES ? "\n" : i % 6 == 5 ? ",\n" : ", ");
    return 2;
}

static void put_translation(struct arena *a, const struct translation *r)
{
    struct text t;

    text_init(&t, a, OUTPUT_MAX);
    json_begin_object(&t, NULL);
    json_put_raw(&t, "document", r->document ? json_text(a, r->document, NULL) : "null");
    json_put_text(&t, "withheld", r->withheld);
    json_begin_array(&t, "losses");
    for (size_t i = 0; i < r->loss_count; i++) {
        json_begin_object(&t, NULL);
        json_put_text(&t, "field", r->losses[i].field);
        json_put_text(&t, "value", r->losses[i].value);
        json_put_text(&t, "reason", r->losses[i].reason);
        json_end_object(&t);
    }
    json_end_array(&t);
    json_end_object(&t);
    puts(t.bytes);
}

/* The document alone goes to the standard output, so that it can be passed on. */
static void print_translation(struct arena *a, const struct translation *r)
{
    if (r->document)
        puts(json_text(a, r->document, NULL));
    for (size_t i = 0; i < r->loss_count; i++)
        fprintf(stderr, "lost %s = %s: %s\n", harmless(a, r->losses[i].field),
                harmless(a, r->losses[i].value), harmless(a, r->losses[i].reason));
    if (r->withheld)
        fprintf(stderr, "hubctl: it may not be passed on: %s\n", harmless(a, r->withheld));
}

int offline_translate(struct arena *a, const struct command_line *line)
{
    const char *class = class_of(a, line->object);
    struct translation_facts facts = {.country_code = line->country,
                                      .party_id = line->party,
                                      .token_country_code = line->country,
                                      .token_party_id = line->party,
                                      .role = line->role,
                                      .time_zone = line->time_zone};
    enum ocpi_version from, to;
    struct translation result;
    json_t *document;
    int status = take_version(line->from, "from", &from);

    status = status ? status : take_version(line->to, "to", &to);
    if (status)
        return status;
    if (!class)
        return complain_class(line->object);
    struct err e = read_document(a, line->operand, &document);
    /* What is wrong in its own version would only come out as losses. */
    const struct object_type *type = object_type_find(from, class);
    if (!failed(e) && type)
        e = object_check(type, document, NULL, a);
    if (!failed(e))
        e = translate(class, from, to, document, &facts, a, &result);
    if (failed(e))
        return complain(line->operand, e);
    if (line->json)
        put_translation(a, &result);
    else
        print_translation(a, &result);
    return result.withheld != NULL;
}
