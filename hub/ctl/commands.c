/* SPDX-License-Identifier: Apache-2.0 */
/* The commands: what they ask, and how their answers are shown. */
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/json.h"
#include "base/text.h"
#include "hub/ctl/command.h"
#include "hub/ctl/print.h"

enum { BODY_MAX = 64 * 1024 };

/* ---- what is asked ---- */

struct member {
    const char *name, *value;
};

/* An object of those members that have a value. */
static const char *object_of(struct arena *a, const struct member *members, size_t count)
{
    struct text t;

    text_init(&t, a, BODY_MAX);
    json_begin_object(&t, NULL);
    for (size_t i = 0; i < count; i++)
        if (members[i].value)
            json_put_text(&t, members[i].name, members[i].value);
    json_end_object(&t);
    return t.bytes;
}

#define OBJECT_OF(a, ...)                                                                          \
    object_of(a, (const struct member[]){__VA_ARGS__},                                             \
              sizeof((const struct member[]){__VA_ARGS__}) / sizeof(struct member))

static const char *mint_body(struct arena *a, const struct command_line *line)
{
    return OBJECT_OF(a, {"sub", line->sub}, {"robot", line->robot});
}

static const char *register_body(struct arena *a, const struct command_line *line)
{
    return OBJECT_OF(a, {"versions_url", line->versions_url}, {"token_a", line->token_a});
}

static const char *invite_body(struct arena *a, const struct command_line *line)
{
    return OBJECT_OF(a, {"name", line->name}, {"country_code", line->country},
                     {"party_id", line->party}, {"role", line->role});
}

static const char *unlock_body(struct arena *a, const struct command_line *line)
{
    return OBJECT_OF(a, {"connector_id", line->connector});
}

/* ---- what is shown ---- */

/* The token alone, so that it can stand in a shell's $(...). */
static void print_token(struct arena *a, json_t *answer)
{
    puts(print_cell(a, json_object_get(answer, "token")));
}

static const char *parties_of(struct arena *a, const json_t *partner)
{
    const json_t *roles = json_array_of(partner, "roles");
    const char *all = "";

    for (size_t i = 0; i < json_array_size(roles); i++) {
        const json_t *role = json_array_get(roles, i);
        all = arena_printf(a, "%s%s%s*%s %s", all, i ? ", " : "",
                           print_cell(a, json_object_get(role, "country_code")),
                           print_cell(a, json_object_get(role, "party_id")),
                           print_cell(a, json_object_get(role, "role")));
    }
    return *all ? all : "-";
}

static void print_partners(struct arena *a, json_t *answer)
{
    static const char *const MEMBERS[] = {"id", "name", "state", "version"};
    enum { PLAIN = sizeof MEMBERS / sizeof *MEMBERS, COLUMNS = PLAIN + 2 };
    static const char *const HEAD[COLUMNS] = {"ID",      "NAME",    "STATE",
                                              "VERSION", "PARTIES", "LAST CONTACT"};
    const json_t *items = json_array_of(answer, "items");
    struct print_table table;

    if (!json_array_size(items)) {
        puts("No partner is connected. `hubctl partner invite` or `hubctl partner register` makes "
             "one.");
        return;
    }
    print_table_init(&table, a, COLUMNS);
    print_table_add(&table, HEAD);
    for (size_t i = 0; i < json_array_size(items); i++) {
        const json_t *p = json_array_get(items, i);
        const char *row[COLUMNS];
        for (size_t c = 0; c < PLAIN; c++)
            row[c] = print_cell(a, json_object_get(p, MEMBERS[c]));
        row[PLAIN] = parties_of(a, p);
        row[PLAIN + 1] = print_cell(a, json_object_get(p, "last_contact_at"));
        print_table_add(&table, row);
    }
    print_table_end(&table);
}

static bool unlocked(const json_t *answer)
{
    const char *status = json_text_of(answer, "status");

    return !status || strcmp(status, "failed") != 0;
}

static void print_unlock(struct arena *a, json_t *answer)
{
    const char *id = print_cell(a, json_object_get(answer, "operation_id"));
    const char *status = json_text_of(answer, "status");

    if (status && strcmp(status, "completed") == 0)
        printf("The connector is unlocked (operation %s).\n", id);
    else if (unlocked(answer))
        printf("The network has not said yet whether it unlocked (operation %s).\n", id);
    else
        printf("The connector stays locked: %s (operation %s).\n",
               print_cell(a, json_object_get(answer, "outcome")), id);
}

/* ---- the table ---- */

/* clang-format off */
const struct command commands[] = {
    {"token", "mint", NULL, "sub", "robot",
     "make a user's token",
     "Prints the token alone. Only where the hub's setting dev_jwt_key_file is set: for development.",
     "POST", "/v1/admin/tokens", mint_body, print_token, NULL,
     "This hub signs no tokens. For development set dev_jwt_key_file in its configuration."},
    {"partner", "register", NULL, "versions-url token-a", "",
     "connect to a company: we present ourselves with the token A that it gave us",
     "Reads its versions, exchanges credentials, and has its locations and tariffs fetched.",
     "POST", "/v1/admin/partners/register", register_body, print_document, NULL, NULL},
    {"partner", "invite", NULL, "name country party role", "",
     "let a company connect to us: makes the token A to give to it",
     "Pass versions_url and token_a on by a safe way. Token A opens nothing but the registration.",
     "POST", "/v1/admin/partners/invite", invite_body, print_document, NULL, NULL},
    {"partner", "list", NULL, "", "",
     "the companies that are connected, or invited", NULL,
     "GET", "/v1/admin/partners", NULL, print_partners, NULL, NULL},
    {"partner", "show", "ID|NAME", "", "",
     "one of them, with its endpoints", NULL,
     "GET", "/v1/admin/partners/%s", NULL, print_document, NULL,
     "`hubctl partner list` shows their numbers and names."},
    {"session", "show", "ID", "", "",
     "a session with its events, operations, CDRs and receipts", NULL,
     "GET", "/v1/admin/sessions/%s", NULL, print_document, NULL,
     "The id is the session_id that the app was given, a UUID."},
    {"evse", "unlock", "EVSE_ID", "", "connector",
     "free a connector; waits up to 15 s for the network's result",
     "The connector must be named where the EVSE has several. Status 1 if it stays locked.",
     "POST", "/v1/admin/evses/%s/unlock", unlock_body, print_unlock, unlocked,
     "The network has not sent a location with this EVSE."},
    {0},
};
/* clang-format on */
