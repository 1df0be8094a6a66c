/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Config: from an INI file and the environment into the caller's struct.
 *
 * Three passes: the file and the environment say what each setting's text is and where it came
 * from; then every setting is converted, the default's text by the same code; then the required
 * ones are looked for. The packaged inih gives no line numbers and reads lines of 199 bytes, so our
 * reader counts the lines and hands long ones over in pieces, as the continuations inih knows.
 * Indentation is dropped: a setting is one line.
 */
#include "base/config.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <ini.h>

#include "base/arena.h"
#include "base/text.h"

enum {
    MAX_LINE = 4096,
    MAX_NAME = 48, /* inih cuts longer names and sections without a word */
    PIECE = 150,
    MAX_COMPLAINT_VALUE = 60,
};

/* What a setting is said to be, and by whom. */
struct value {
    const char *text;  /* NULL: not said */
    const char *where; /* "hub.ini:12", "environment OCPI_HUB_WORKERS" */
};

struct reading {
    struct arena *arena;
    const struct setting *table;
    const char *path;
    struct value *values; /* one for each setting */
    struct err err;       /* the first complaint */

    FILE *file;
    int line;
    char text[MAX_LINE + 2]; /* the current line */
    size_t length, given;    /* of it; how much inih has got */
    long last;               /* the setting a further piece belongs to; -1: none */
};

__attribute__((format(printf, 3, 4))) static void complain(struct reading *r, const char *where,
                                                           const char *format, ...)
{
    va_list args;

    if (failed(r->err))
        return;
    va_start(args, format);
    const char *what = arena_vprintf(r->arena, format, args);
    va_end(args);
    r->err = err_at(r->arena, ERR_BAD_FIELD, NULL, "%s: %s", where, what);
}

static const char *place(const struct reading *r)
{
    return arena_printf(r->arena, "%s:%d", r->path, r->line);
}

/* ---- the file ---- */

/* Comments go here already, so that a piece of one is never taken for a value. */
static void cut_comment(struct reading *r)
{
    char *s = r->text;

    if (*s == '#' || *s == ';')
        *s = '\0';
    for (char *c = s; *c; c++) {
        if (*c == ';' && c > s && (c[-1] == ' ' || c[-1] == '\t')) {
            *c = '\0';
            break;
        }
    }
    size_t length = strlen(s);
    while (length && strchr(" \t\r\n", s[length - 1]))
        s[--length] = '\0';
    r->length = length;
}

/* What inih would complain about without knowing the line, or cut without a word. */
static const char *line_problem(const char *line)
{
    size_t name;

    if (!*line)
        return NULL;
    if (*line == '[') {
        name = strcspn(++line, "]");
        if (!line[name])
            return "']' is missing";
    } else {
        name = strcspn(line, "=:");
        if (!line[name])
            return "neither a [section] nor a name = value";
        while (name && (line[name - 1] == ' ' || line[name - 1] == '\t'))
            name--;
    }
    return name > MAX_NAME ? "the name is too long" : NULL;
}

/* Reads the next line of the file without its indentation and comments. */
static bool next_line(struct reading *r)
{
    if (!fgets(r->text, sizeof(r->text), r->file))
        return false;
    r->line++;
    r->given = 0;
    if (strlen(r->text) > MAX_LINE) {
        complain(r, place(r), "the line is longer than %d bytes", MAX_LINE);
        return false;
    }
    const char *begin = r->text;
    if (r->line == 1 && strncmp(begin, "\xEF\xBB\xBF", 3) == 0)
        begin += 3;
    begin += strspn(begin, " \t");
    memmove(r->text, begin, strlen(begin) + 1);
    cut_comment(r);
    const char *problem = line_problem(r->text);
    if (problem) {
        complain(r, place(r), "%s", problem);
        return false;
    }
    return true;
}

static bool is_inner(char c)
{
    return c && !strchr(" \t;#", c);
}

/* How much of the rest is the next piece: cut where inih drops nothing, so not at white space and
 * not before what it reads as a comment. 0: there is no such place. */
static size_t piece_length(const struct reading *r)
{
    const char *rest = r->text + r->given;
    size_t length = r->length - r->given;

    if (length <= PIECE)
        return length;
    for (length = PIECE; length > 0; length--)
        if (is_inner(rest[length - 1]) && is_inner(rest[length]))
            return length;
    return 0;
}

/* inih's fgets: gives one line of the file, in as many pieces as it needs. */
static char *read_piece(char *to, int size, void *context)
{
    struct reading *r = context;
    bool continues = r->given < r->length;

    assert(size > PIECE + 3);
    if (failed(r->err) || (!continues && !next_line(r)))
        return NULL;
    size_t length = piece_length(r);
    if (r->length - r->given > 0 && length == 0) {
        complain(r, place(r), "the line is too long");
        return NULL;
    }
    snprintf(to, (size_t)size, "%s%.*s\n", continues ? " " : "", (int)length, r->text + r->given);
    r->given += length;
    if (!continues)
        r->last = -1;
    return to;
}

static long find_setting(const struct reading *r, const char *section, const char *name)
{
    for (long i = 0; r->table[i].name; i++)
        if (strcmp(r->table[i].section, section) == 0 && strcmp(r->table[i].name, name) == 0)
            return i;
    return -1;
}

static int on_setting(void *context, const char *section, const char *name, const char *text)
{
    struct reading *r = context;

    if (failed(r->err))
        return 0;
    if (r->last >= 0) {
        struct value *v = &r->values[r->last];
        v->text = arena_printf(r->arena, "%s%s", v->text, text);
        return 1;
    }
    long i = find_setting(r, section, name);
    if (i < 0) {
        complain(r, place(r), "%s: there is no such setting in section [%s]", name, section);
        return 0;
    }
    if (r->values[i].text) {
        complain(r, place(r), "%s: already set at %s", name, r->values[i].where);
        return 0;
    }
    r->values[i] = (struct value){arena_text(r->arena, text), place(r)};
    r->last = i;
    return 1;
}

static void read_ini(struct reading *r)
{
    r->file = fopen(r->path, "re");
    if (!r->file) {
        complain(r, r->path, "%s", strerror(errno));
        return;
    }
    int bad_line = ini_parse_stream(read_piece, r, on_setting, r);
    if (ferror(r->file))
        complain(r, r->path, "%s", strerror(EIO));
    fclose(r->file);
    /* inih counts pieces, so its number is good for yes or no only; line_problem sees to it that
     * it has nothing to say. */
    if (bad_line)
        complain(r, place(r), "not a line of an INI file");
}

static void read_environment(struct reading *r, const char *prefix)
{
    for (long i = 0; r->table[i].name; i++) {
        char *name = arena_printf(r->arena, "%s%s", prefix, r->table[i].name);
        text_to_upper(name);
        const char *text = getenv(name);
        if (text)
            r->values[i] = (struct value){arena_text(r->arena, text),
                                          arena_printf(r->arena, "environment %s", name)};
    }
}

/* ---- conversion ---- */

/* A number may be followed by one of these. */
struct unit {
    const char *name;
    int64_t factor;
};

static const struct unit no_units[] = {{"", 1}, {0}};
static const struct unit time_units[] = {{"ms", 1},      {"s", 1000},     {"m", 60000},
                                         {"h", 3600000}, {"d", 86400000}, {0}};
static const struct unit byte_units[] = {
    {"", 1}, {"k", 1 << 10}, {"m", 1 << 20}, {"g", 1 << 30}, {0}};

static bool parse_number(const char *s, const struct unit *units, int64_t *ret)
{
    bool negative = *s == '-';
    int64_t value = 0;

    s += negative;
    if (*s < '0' || *s > '9')
        return false;
    for (; *s >= '0' && *s <= '9'; s++)
        if (__builtin_mul_overflow(value, 10, &value) ||
            __builtin_add_overflow(value, *s - '0', &value))
            return false;
    /* Nothing needs no unit. */
    if (value == 0 && !*s) {
        *ret = 0;
        return true;
    }
    for (; units->name; units++) {
        if (text_equal_caseless(s, units->name)) {
            if (__builtin_mul_overflow(value, units->factor, &value))
                return false;
            *ret = negative ? -value : value;
            return true;
        }
    }
    return false;
}

/* In the words in which it would stand in the file. */
static const char *print_number(struct arena *a, int64_t value, const struct unit *units)
{
    const struct unit *best = NULL;

    for (; units->name; units++)
        if (!best || (value && value % units->factor == 0))
            best = units;
    return arena_printf(a, "%" PRId64 "%s", value / best->factor, best->name);
}

static void convert_number(struct reading *r, const struct setting *s, const struct value *v,
                           const struct unit *units, const char *example, void *to)
{
    bool any = s->min == 0 && s->max == 0;
    int64_t value;

    if (!parse_number(v->text, units, &value))
        complain(r, v->where, "%s: \"%.*s\" is not %s", s->name, MAX_COMPLAINT_VALUE, v->text,
                 example);
    else if (value < s->min)
        complain(r, v->where, "%s: %s is below the least value, %s", s->name, v->text,
                 print_number(r->arena, s->min, units));
    else if (!any && value > s->max)
        complain(r, v->where, "%s: %s is above the greatest value, %s", s->name, v->text,
                 print_number(r->arena, s->max, units));
    else
        memcpy(to, &value, sizeof(value));
}

static void convert_bool(struct reading *r, const struct setting *s, const struct value *v,
                         void *to)
{
    static const char *const words[] = {"false", "true", "no", "yes", "off", "on", "0", "1"};

    for (unsigned i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (text_equal_caseless(v->text, words[i])) {
            bool value = i % 2;
            memcpy(to, &value, sizeof(value));
            return;
        }
    }
    complain(r, v->where, "%s: \"%.*s\" is neither true nor false", s->name, MAX_COMPLAINT_VALUE,
             v->text);
}

/* An empty member ("a,,b") is a slip and refused. */
static void convert_list(struct reading *r, const struct setting *s, const struct value *v,
                         void *to)
{
    const char *text = v->text ? v->text : "";
    size_t most = 2, n = 0;

    for (const char *c = text; *c; c++)
        most += *c == ',';
    const char **list = arena_alloc(r->arena, most * sizeof(*list));
    while (*text) {
        text += strspn(text, " \t");
        size_t whole = strcspn(text, ",");
        size_t length = whole;
        while (length && (text[length - 1] == ' ' || text[length - 1] == '\t'))
            length--;
        if (!length || (text[whole] && !text[whole + 1])) {
            complain(r, v->where, "%s: an entry of the list is empty", s->name);
            return;
        }
        list[n++] = arena_bytes(r->arena, text, length);
        text += whole + (text[whole] == ',');
    }
    memcpy(to, &list, sizeof(list));
}

static void convert_file(struct reading *r, const struct setting *s, const struct value *v,
                         void *to)
{
    if (access(v->text, R_OK) < 0)
        complain(r, v->where, "%s: %s: %s", s->name, v->text, strerror(errno));
    else
        memcpy(to, &v->text, sizeof(v->text));
}

static void wipe(void *secret)
{
    secret_wipe(secret);
}

static void convert_secret(struct reading *r, const struct setting *s, const struct value *v,
                           void *to)
{
    struct secret *secret = arena_alloc(r->arena, sizeof(*secret));
    struct err e = secret_read_file(r->arena, v->text, secret);

    if (failed(e)) {
        complain(r, v->where, "%s: %s", s->name, e.text);
        return;
    }
    arena_on_free(r->arena, wipe, secret);
    memcpy(to, secret, sizeof(*secret));
}

static void convert(struct reading *r, const struct setting *s, const struct value *v, void *to)
{
    /* A list that is not given is an empty list; other kinds stay zero. */
    if (s->type == SETTING_LIST) {
        convert_list(r, s, v, to);
        return;
    }
    bool is_text =
        s->type == SETTING_TEXT || s->type == SETTING_FILE || s->type == SETTING_SECRET_FILE;
    if (!v->text || (is_text && !*v->text))
        return;
    switch (s->type) {
    case SETTING_TEXT:
        memcpy(to, &v->text, sizeof(v->text));
        break;
    case SETTING_INT:
        convert_number(r, s, v, no_units, "a whole number", to);
        break;
    case SETTING_MILLIS:
        convert_number(r, s, v, time_units, "a time such as 500ms, 15s, 10m, 2h or 7d", to);
        break;
    case SETTING_BYTES:
        convert_number(r, s, v, byte_units, "a size such as 4096, 64k or 1m", to);
        break;
    case SETTING_BOOL:
        convert_bool(r, s, v, to);
        break;
    case SETTING_FILE:
        convert_file(r, s, v, to);
        break;
    case SETTING_SECRET_FILE:
        convert_secret(r, s, v, to);
        break;
    case SETTING_LIST:
        break;
    }
}

/* An empty text takes the default of a text away; a number or a bool cannot be empty. */
static void convert_all(struct reading *r, void *ret)
{
    for (long i = 0; r->table[i].name && !failed(r->err); i++) {
        const struct setting *s = &r->table[i];
        struct value v = r->values[i];
        if (!v.text)
            v = (struct value){s->default_value, "default"};
        if (s->required && (!v.text || !*v.text))
            complain(r,
                     v.text    ? v.where
                     : r->path ? r->path
                               : "configuration",
                     "%s: must be set in section [%s]", s->name, s->section);
        else
            convert(r, s, &v, (char *)ret + s->offset);
    }
}

/* Nobody shall use what a refused configuration names; the arena wipes it. */
static void forget_secrets(const struct setting *table, void *ret)
{
    for (; table->name; table++)
        if (table->type == SETTING_SECRET_FILE)
            memset((char *)ret + table->offset, 0, sizeof(struct secret));
}

struct err config_read(struct arena *a, const struct setting *table, const char *path,
                       const char *environment_prefix, void *ret)
{
    struct reading *r = arena_alloc(a, sizeof(*r));
    size_t count = 0;

    while (table[count].name)
        count++;
    r->arena = a;
    r->table = table;
    r->path = path;
    r->values = arena_alloc(a, (count + 1) * sizeof(*r->values));
    r->last = -1;
    if (path)
        read_ini(r);
    read_environment(r, environment_prefix);
    if (!failed(r->err))
        convert_all(r, ret);
    if (failed(r->err))
        forget_secrets(table, ret);
    return r->err;
}

/* ---- the sample ---- */

void config_print_sample(const struct setting *table, FILE *out)
{
    const char *section = "";

    for (const struct setting *s = table; s->name; s++) {
        if (strcmp(section, s->section) != 0) {
            fprintf(out, "%s[%s]\n", *section ? "\n" : "", s->section);
            section = s->section;
        }
        fprintf(out, "\n# %s%s\n", s->help, s->required ? " (required)" : "");
        fprintf(out, "%s%s =%s%s\n", s->required && !s->default_value ? "" : "#", s->name,
                s->default_value ? " " : "", s->default_value ? s->default_value : "");
    }
}
