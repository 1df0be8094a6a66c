/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hubctl: the hub's command line for people, over its admin API. Status 0: done; 1: the hub said
 * no, or nothing; 2: the command line was wrong.
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/id.h"
#include "base/json.h"
#include "base/secret.h"
#include "base/text.h"
#include "hub/ctl/call.h"
#include "hub/ctl/command.h"
#include "hub/ctl/print.h"
#include "hub/ctl/retail.h"

enum { MEMORY = 128 * 1024 * 1024, RUN_FILE_MAX = 64 * 1024 };

static const char DEFAULT_SOCKET[] = "/run/ocpi-hub/admin.sock";
static const char RUN_FILE[] = "var/run/hub.json"; /* of ./dev run */
static const char SOCKET_VARIABLE[] = "OCPI_HUB_ADMIN_SOCKET";

/* ---- options ---- */

struct option_row {
    const char *name, *value; /* value NULL: a switch */
    size_t offset;
    const char *help;
    bool everywhere; /* any command takes it */
};

#define AT(member) offsetof(struct command_line, member)

/* clang-format off */
static const struct option_row option_rows[] = {
    {"socket",       "PATH", AT(socket),       "the hub's admin socket", true},
    {"url",          "URL",  AT(url),          "the hub by its public URL instead; needs --token-file", true},
    {"token-file",   "FILE", AT(token_file),   "its first line is the token of the hub's admin_token_file", true},
    {"json",         NULL,   AT(json),         "for programs: JSON, a hub's answer as it came", true},
    {"help",         NULL,   AT(help),         "what a command does and takes", true},
    {"sub",          "USER", AT(sub),          "the user's id", false},
    {"robot",        "ID",   AT(robot),        "a robot that acts for the user", false},
    {"versions-url", "URL",  AT(versions_url), "where the company publishes its OCPI versions", false},
    {"token-a",      "TOKEN", AT(token_a),     "the registration token it gave us", false},
    {"name",         "NAME", AT(name),         "how the company is called here", false},
    {"country",      "CC",   AT(country),      "its country code, two letters", false},
    {"party",        "PID",  AT(party),        "its party id, three letters or digits", false},
    {"role",         "ROLE", AT(role),         "its OCPI role, such as CPO", false},
    {"version",      "VERSION", AT(version),   "of OCPI: 2.1.1, 2.2.1 or 2.3.0; or of a retail tariff", false},
    {"connector",    "ID",   AT(connector),    "the connector's id at the EVSE", false},
    {"full",         NULL,   AT(full),         "also what changes something at the partner: pushes, commands, new tokens", false},
    {"minutes",      "N",    AT(minutes),      "for so long, 1380 at most", false},
    {"reservation",  "ID",   AT(reservation),  "the reservation that gets another end", false},
    {"from",         "CC*PID|VERSION", AT(from), "whose objects and messages; or a document's version", false},
    {"to",           "CC*PID|VERSION", AT(to), "who gets them; or the version it shall have", false},
    {"module",       "MODULE", AT(module),     "of this module only, such as locations", false},
    {"partner",      "NAME", AT(partner),      "of this partner only, by name or number", false},
    {"object",       "ID|CLASS", AT(object),   "about this object only; or a document's class", false},
    {"correlation",  "ID",   AT(correlation),  "with this X-Correlation-ID only", false},
    {"refused",      NULL,   AT(refused),      "refused messages only", false},
    {"since",        "TIME", AT(since),        "from then on, 2026-01-31T12:00:00Z or a day", false},
    {"until",        "TIME", AT(until),        "before then", false},
    {"before",       "ID",   AT(before),       "older than the message of this id", false},
    {"limit",        "N",    AT(limit),        "at most so many, 50 if not given", false},
    {"session",      "FILE", AT(session),      "a Session or CDR as JSON, - for standard input", false},
    {"tariff",       "FILE", AT(tariff),       "a Tariff as JSON", false},
    {"rate",         "PERCENT", AT(rate),      "such as 19 or 25.5", false},
    {"buyer",        "KIND", AT(buyer),        "consumer (if not given) or business", false},
    {"vat-id",       "NUMBER", AT(vat_id),     "the hub's VAT number in the country", false},
    {"currency",     "CODE", AT(currency),     "such as EUR", false},
    {"credit-limit", "AMOUNT", AT(credit_limit), "what one session may cost, such as 50.00", false},
    {"held",         NULL,   AT(held),         "only what waits for approval", false},
    {"csv",          "FILE", AT(csv),          "write the whole list there as CSV, however long", false},
    {"note",         "TEXT", AT(note),         "what others should know about the decision", false},
    {"reason",       "TEXT", AT(reason),       "why, for those who look at it later", false},
    {"state",        "WORD", AT(state),        "in this state only", false},
    {"amount",       "AMOUNT", AT(amount),     "in the receipt's currency, such as 5.00", false},
    {"net",          "AMOUNT", AT(net),        "total without VAT", false},
    {"gross",        "AMOUNT", AT(gross),      "total with VAT", false},
    {"kind",         "KIND", AT(kind),         "of this kind only, such as cost_mismatch", false},
    {"user",         "ID",   AT(user),         "of this user only", false},
    {"resolved",     NULL,   AT(resolved),     "also those that are resolved", false},
    {"energy",       "KWH",  AT(energy),       "energy, such as 12.345", false},
    {"start",        "TIME", AT(start),        "such as 2026-01-31T12:00:00Z", false},
    {"end",          "TIME", AT(end),          "such as 2026-01-31T12:30:00Z", false},
    {"cost",         "AMOUNT", AT(cost),       "what the network is owed, without VAT", false},
    {"cost-incl-vat", "AMOUNT", AT(cost_incl_vat), "the same with VAT", false},
    {"vat-treatment", "WORD", AT(vat_treatment), "domestic, reverse_charge or exempt", false},
    {"fee-percent",  "PERCENT", AT(fee_percent), "of the net amount, our fee", false},
    {"fee-per-cdr",  "AMOUNT", AT(fee_per_cdr), "for each CDR, our fee", false},
    {"fee-vat-treatment", "WORD", AT(fee_vat_treatment), "of the fee: domestic (if not given) or as above", false},
    {"fee-vat-rate", "PERCENT", AT(fee_vat_rate), "VAT of the fee", false},
    {"netting",      NULL,   AT(netting),      "the fee is taken off what we owe, by contract", false},
    {"time-zone",    "ZONE", AT(time_zone),    "of the location, such as Europe/Helsinki", false},
};
/* clang-format on */

enum { OPTIONS = sizeof option_rows / sizeof *option_rows, OPTION_BASE = 1000 };

static const char **text_at(struct command_line *line, size_t offset)
{
    return (const char **)(void *)((char *)line + offset);
}

static bool list_has(const char *list, const char *name)
{
    size_t length = strlen(name);

    for (const char *at = list; (at = strstr(at, name)); at += length)
        if ((at == list || at[-1] == ' ') && (at[length] == ' ' || !at[length]))
            return true;
    return false;
}

/* ---- help ---- */

static void print_option(FILE *out, const struct option_row *row, bool required)
{
    int length = fprintf(out, "  --%s %s", row->name, row->value ? row->value : "");

    fprintf(out, "%*s%s%s\n", length < 24 ? 24 - length : 1, "", row->help,
            required ? " (required)" : "");
}

/* A command that needs no hub does not say where it is. */
static bool asks_where(const struct option_row *row)
{
    return row->value;
}

static void print_common_options(FILE *out, bool local)
{
    for (size_t i = 0; i < OPTIONS; i++)
        if (option_rows[i].everywhere && !(local && asks_where(&option_rows[i])))
            print_option(out, &option_rows[i], false);
    if (local)
        return;
    fprintf(out,
            "\nThe socket is that of --socket, else of the variable %s, else of\n"
            "%s below the current directory, else %s.\n",
            SOCKET_VARIABLE, RUN_FILE, DEFAULT_SOCKET);
}

/* "partner list", or a command of one word. */
static const char *gap(const struct command *c)
{
    return c->verb ? " " : "";
}

static const char *verb(const struct command *c)
{
    return c->verb ? c->verb : "";
}

static void print_help(FILE *out)
{
    fputs("hubctl - asks a running ocpi-hub\n\n", out);
    for (const struct command *c = commands; c->noun; c++) {
        int length = fprintf(out, "  hubctl %s%s%s %s %s", c->noun, gap(c), verb(c),
                             c->operand ? c->operand : "", c->second ? c->second : "");
        fprintf(out, "%*s%s\n", length < 34 ? 34 - length : 1, "", c->summary);
    }
    fputs("\n`hubctl COMMAND --help` tells more. Options of all commands:\n\n", out);
    print_common_options(out, false);
}

static void print_command_help(FILE *out, const struct command *c)
{
    fprintf(out, "hubctl %s%s%s%s%s%s%s - %s\n", c->noun, gap(c), verb(c), c->operand ? " " : "",
            c->operand ? c->operand : "", c->second ? " " : "", c->second ? c->second : "",
            c->summary);
    if (c->details)
        fprintf(out, "%s\n", c->details);
    fputc('\n', out);
    for (size_t i = 0; i < OPTIONS; i++) {
        bool required = list_has(c->required, option_rows[i].name);
        if (required || list_has(c->other, option_rows[i].name))
            print_option(out, &option_rows[i], required);
    }
    print_common_options(out, c->local);
}

static int usage(const struct command *c, const char *why)
{
    fprintf(stderr, "hubctl: %s\n\n", why);
    if (c)
        print_command_help(stderr, c);
    else
        print_help(stderr);
    return 2;
}

/* ---- the command line ---- */

/* 0, or the status to end with. */
static int read_options(struct arena *a, int argc, char **argv, struct command_line *line)
{
    struct option known[OPTIONS + 1] = {{0}};
    int c, index = 0;

    for (int i = 0; i < OPTIONS; i++)
        known[i] = (struct option){option_rows[i].name,
                                   option_rows[i].value ? required_argument : no_argument, NULL,
                                   OPTION_BASE + i};
    opterr = 0;
    while ((c = getopt_long(argc, argv, ":h", known, &index)) != -1) {
        if (c == 'h') {
            line->help = true;
            continue;
        }
        if (c == ':')
            return usage(NULL, arena_printf(a, "%s needs a value", argv[optind - 1]));
        if (c < OPTION_BASE)
            return usage(NULL, arena_printf(a, "there is no option %s", argv[optind - 1]));
        const struct option_row *row = &option_rows[c - OPTION_BASE];
        if (row->value)
            *text_at(line, row->offset) = optarg;
        else
            *(bool *)((char *)line + row->offset) = true;
    }
    return 0;
}

static const struct command *find_command(char **words, int count)
{
    for (const struct command *c = commands; c->noun; c++)
        if (strcmp(words[0], c->noun) == 0 &&
            (!c->verb || (count > 1 && strcmp(words[1], c->verb) == 0)))
            return c;
    return NULL;
}

/* NULL, or what is wrong. */
static const char *check_line(struct arena *a, const struct command *c, struct command_line *line)
{
    for (size_t i = 0; i < OPTIONS; i++) {
        const struct option_row *row = &option_rows[i];
        bool required = list_has(c->required, row->name);
        bool allowed = required || (row->everywhere && !(c->local && asks_where(row))) ||
                       list_has(c->other, row->name);
        const char *value = row->value ? *text_at(line, row->offset) : NULL;
        if (required && !value)
            return arena_printf(a, "--%s is required", row->name);
        if (value && !allowed)
            return arena_printf(a, "%s%s%s takes no --%s", c->noun, gap(c), verb(c), row->name);
    }
    if (c->operand && (!line->operand || !*line->operand))
        return arena_printf(a, "%s is required", c->operand);
    if (!c->operand && line->operand)
        return arena_printf(a, "\"%s\" is too much", line->operand);
    if (c->second && (!line->second || !*line->second))
        return arena_printf(a, "%s is required", c->second);
    if (line->url && line->socket)
        return "either --url or --socket";
    if (line->url && !line->token_file)
        return "--url needs --token-file";
    if (line->token_file && !line->url)
        return "--token-file is for --url: the socket needs no token";
    return NULL;
}

/* ---- where the hub is ---- */

/* What ./dev run has left in this directory, or NULL. */
static const char *socket_of_run_file(struct arena *a)
{
    FILE *file = fopen(RUN_FILE, "re");
    json_t *document;

    if (!file)
        return NULL;
    char *bytes = arena_alloc(a, RUN_FILE_MAX);
    size_t length = fread(bytes, 1, RUN_FILE_MAX, file);
    fclose(file);
    if (failed(json_read(a, bytes, length, 0, &document)))
        return NULL;
    return json_text_of(document, "admin_socket");
}

static const char *find_socket(struct arena *a, const struct command_line *line)
{
    const char *socket = line->socket;

    if (!socket)
        socket = getenv(SOCKET_VARIABLE);
    if (!socket || !*socket)
        socket = socket_of_run_file(a);
    return socket ? socket : DEFAULT_SOCKET;
}

static const char *without_slash(struct arena *a, const char *url)
{
    size_t length = strlen(url);

    while (length && url[length - 1] == '/')
        length--;
    return arena_bytes(a, url, length);
}

/* ---- what went wrong ---- */

static int complain_unreachable(const struct call *call, const struct http_answer *answer)
{
    const char *why = answer->error;

    /* curl would speak of the host in the URL, which nobody asked for. */
    if (call->socket && answer->outcome == HTTP_NOT_SENT)
        why = access(call->socket, W_OK) ? strerror(errno) : "nobody listens on it";
    fprintf(stderr, "hubctl: the hub did not answer at %s: %s\n",
            call->socket ? call->socket : call->url, why);
    if (answer->outcome == HTTP_UNCLEAR)
        fputs("It may have done what was asked all the same: look before you repeat it.\n", stderr);
    else if (call->socket)
        fprintf(stderr,
                "Does it run, with the setting admin_socket, and may you open that socket?\n"
                "--socket PATH or the variable %s names another one.\n",
                SOCKET_VARIABLE);
    else
        fputs("Does it run, and is this its public URL?\n", stderr);
    return 1;
}

static const char *advice_for(const struct command *c, const struct http_answer *answer)
{
    switch (answer->status) {
    case 401:
        return "--token-file must hold the token of the hub's setting admin_token_file.";
    case 404:
        return c->if_not_found;
    case 429:
    case 503:
        return "Try again shortly.";
    default:
        return NULL;
    }
}

static int complain_refused(struct arena *a, const struct command *c,
                            const struct http_answer *answer)
{
    const char *advice = advice_for(c, answer);
    json_t *problem = NULL, *item;
    size_t i;

    if (failed(json_read(a, answer->body, answer->body_length, 0, &problem)) ||
        !json_text_of(problem, "detail")) {
        fprintf(stderr, "hubctl: HTTP status %d, and not in the hub's own words. Is this a hub?\n",
                answer->status);
        return 1;
    }
    const json_t *errors = json_array_of(problem, "errors");
    if (json_array_size(errors) < 2)
        fprintf(stderr, "hubctl: %s\n", print_cell(a, json_object_get(problem, "detail")));
    json_array_foreach(errors, i, item)
    {
        if (json_array_size(errors) > 1)
            fprintf(stderr, "hubctl: %s: %s\n", print_cell(a, json_object_get(item, "field")),
                    print_cell(a, json_object_get(item, "message")));
    }
    if (advice)
        fprintf(stderr, "%s\n", advice);
    fprintf(stderr, "(%s, request %s)\n", print_cell(a, json_object_get(problem, "code")),
            print_cell(a, json_object_get(problem, "request_id")));
    return 1;
}

/* ---- the story ---- */

static int show(struct arena *a, const struct command *c, const struct command_line *line,
                const struct call *call, const struct http_answer *answer)
{
    json_t *document;

    if (failed(json_read(a, answer->body, answer->body_length, 0, &document))) {
        fputs("hubctl: the answer is not JSON. Is this a hub?\n", stderr);
        return 1;
    }
    if (c->follow)
        return c->follow(a, line, call, document);
    if (line->json)
        printf("%s\n", answer->body);
    else
        c->print(a, document);
    return c->good && !c->good(document);
}

static int talk(struct arena *a, const struct command *c, const struct command_line *line,
                const struct call *call)
{
    struct http_answer answer;
    struct err e = call_hub(a, call, &answer);

    if (failed(e)) {
        fprintf(stderr, "hubctl: %s\n", err_text(e));
        return 1;
    }
    if (answer.outcome != HTTP_ANSWERED)
        return complain_unreachable(call, &answer);
    if (answer.status / 100 != 2)
        return complain_refused(a, c, &answer);
    return call->csv ? 0 : show(a, c, line, call, &answer);
}

/* The file is there only once it is whole. */
static int talk_into_file(struct arena *a, const struct command *c, const struct command_line *line,
                          struct call *call)
{
    const char *part = arena_printf(a, "%s.part", line->csv);

    call->csv = fopen(part, "wbe");
    if (!call->csv) {
        fprintf(stderr, "hubctl: %s: %s\n", part, strerror(errno));
        return 1;
    }
    int status = talk(a, c, line, call);
    bool written = fflush(call->csv) == 0 && !ferror(call->csv);
    written &= fclose(call->csv) == 0;
    if (status == 0 && written && rename(part, line->csv) == 0)
        return 0;
    if (status == 0)
        fprintf(stderr, "hubctl: %s could not be written\n", line->csv);
    remove(part);
    return 1;
}

static int run(struct arena *a, const struct command *c, const struct command_line *line)
{
    struct secret token = {0};
    char key[UUID_TEXT];
    struct call call = {
        .socket = line->url ? NULL : find_socket(a, line),
        .url = line->url ? without_slash(a, line->url) : NULL,
        .method = c->method,
        .path = c->path,
        .body = c->body ? c->body(a, line) : NULL,
    };

    if (c->file && !(call.body = retail_file(a, line->operand)))
        return 1;
    if (c->operand && !c->file) {
        const char *hole = strstr(c->path, "%s");
        call.path = arena_printf(a, "%.*s%s%s", (int)(hole - c->path), c->path,
                                 text_url_encode(a, line->operand), hole + 2);
    }
    if (c->query)
        call.path = arena_printf(a, "%s%s", call.path, c->query(a, line));
    if (line->token_file) {
        struct err e = secret_read_file(a, line->token_file, &token);
        if (failed(e)) {
            fprintf(stderr, "hubctl: %s\n", err_text(e));
            return 1;
        }
        call.token = secret_reveal(token);
    }
    if (c->once) {
        id_uuid_v4(key);
        call.key = key;
    }
    int status = line->csv ? talk_into_file(a, c, line, &call) : talk(a, c, line, &call);
    secret_wipe(&token);
    return status;
}

static int command_line_run(struct arena *a, int argc, char **argv)
{
    struct command_line line = {0};
    int status = read_options(a, argc, argv, &line);

    if (status)
        return status;
    char **words = argv + optind;
    int count = argc - optind;
    if (!count || (count == 1 && strcmp(words[0], "help") == 0)) {
        if (!count && !line.help)
            return usage(NULL, "what shall it do?");
        print_help(stdout);
        return 0;
    }
    const struct command *c = count ? find_command(words, count) : NULL;
    if (!c)
        return usage(NULL, arena_printf(a, "there is no command \"%s%s%s\"", words[0],
                                        count > 1 ? " " : "", count > 1 ? words[1] : ""));
    if (line.help) {
        print_command_help(stdout, c);
        return 0;
    }
    int first = c->verb ? 2 : 1, words_max = first + (c->second ? 2 : 1);
    if (count > words_max)
        return usage(c, arena_printf(a, "\"%s\" is too much", words[words_max]));
    line.operand = count > first ? words[first] : NULL;
    line.second = count > first + 1 ? words[first + 1] : NULL;
    const char *wrong = check_line(a, c, &line);
    if (wrong)
        return usage(c, wrong);
    return c->local ? c->local(a, &line) : run(a, c, &line);
}

int main(int argc, char **argv)
{
    struct arena *a = arena_new(MEMORY);
    int status = command_line_run(a, argc, argv);

    arena_free(a);
    if (fflush(stdout) != 0 || ferror(stdout)) {
        fputs("hubctl: the answer could not be written\n", stderr);
        return 1;
    }
    return status;
}
