/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Command: what hubctl can do. One table says how each is called, what it asks of the hub's admin
 * API, and how the answer looks to people; --json prints the answer as it came.
 */
#ifndef HUB_CTL_COMMAND_H
#define HUB_CTL_COMMAND_H

#include <jansson.h>
#include <stdbool.h>

struct arena;
struct call;

/* What the user gave, of all commands together; NULL where absent. */
struct command_line {
    const char *socket, *url, *token_file;
    bool json, help;
    bool full;
    const char *sub, *robot;
    const char *versions_url, *token_a;
    const char *name, *country, *party, *role;
    const char *connector, *minutes, *reservation;
    const char *from, *to, *module;
    const char *partner, *object, *correlation, *since, *until, *before, *limit;
    bool refused;
    const char *version;
    const char *tariff, *session, *time_zone;
    const char *rate, *buyer, *vat_id, *currency, *credit_limit;
    bool held;
    /* of finance */
    const char *csv, *note, *reason, *kind, *user, *energy, *start, *end, *cost, *cost_incl_vat;
    const char *state, *amount, *net, *gross;
    const char *vat_treatment, *fee_percent, *fee_per_cdr, *fee_vat_treatment, *fee_vat_rate;
    bool resolved, netting;
    const char *operand, *second;
};

struct command {
    const char *noun, *verb;      /* verb NULL: a command of one word */
    const char *operand;          /* how the help calls it; NULL: the command takes none */
    const char *required, *other; /* its options by name, with blanks between; "" for none */
    const char *summary;          /* one line */
    const char *details;          /* what else a user must know; NULL: nothing */
    const char *method, *path;    /* of the admin API; %s is the operand, encoded */
    const char *(*body)(struct arena *a, const struct command_line *line); /* NULL: no body */
    void (*print)(struct arena *a, json_t *answer);
    bool (*good)(const json_t *answer); /* NULL: an answer is good news */
    const char *if_not_found;           /* what to do about a 404; may be NULL */
    const char *(*query)(struct arena *a, const struct command_line *line); /* "?..."; NULL: none */
    const char *second; /* as operand: a second word; it goes into the body */
    /* What goes on after the answer, which it then prints itself; the exit status. */
    int (*follow)(struct arena *a, const struct command_line *line, const struct call *call,
                  json_t *answer);
    bool file; /* the operand is a file: a JSON document, which is the body */
    /* Does it all without a hub: nothing is asked then. The exit status. */
    int (*local)(struct arena *a, const struct command_line *line);
    bool once; /* it moves money: each call has an Idempotency-Key of its own */
};

extern const struct command commands[]; /* ends with a noun of NULL */

#endif
