/* SPDX-License-Identifier: Apache-2.0 */
/* The commands: what they ask, and how their answers are shown. */
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/json.h"
#include "base/text.h"
#include "hub/ctl/command.h"
#include "hub/ctl/contract.h"
#include "hub/ctl/message.h"
#include "hub/ctl/offline.h"
#include "hub/ctl/partner.h"
#include "hub/ctl/partner_test.h"
#include "hub/ctl/print.h"
#include "hub/ctl/reservation.h"

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
    {"partner", "register", NULL, "versions-url token-a", "role version",
     "connect to a company: we present ourselves with the token A that it gave us",
     "Reads its versions, exchanges credentials, and has its objects fetched. --role says what it is:\n"
     "CPO (if not given) or EMSP; --version, which OCPI to speak: the newest of both if not given.",
     "POST", "/v1/admin/partners/register", partner_register_body, print_document, NULL, NULL},
    {"partner", "invite", NULL, "name country party role", "version",
     "let a company connect to us: makes the token A to give to it",
     "Pass versions_url and token_a on by a safe way. Token A opens nothing but the registration.",
     "POST", "/v1/admin/partners/invite", partner_invite_body, print_document, NULL, NULL},
    {"partner", "rotate", "ID|NAME", "", "",
     "change the tokens of a connection now", NULL,
     "POST", "/v1/admin/partners/%s/rotate", NULL, print_document, NULL,
     "`hubctl partner list` shows their numbers and names."},
    {"partner", "unregister", "ID|NAME", "", "",
     "end a connection: its tokens are dead at once",
     "It may connect again with a new token A (partner invite). What it told us stays.",
     "POST", "/v1/admin/partners/%s/unregister", NULL, partner_print_left, NULL,
     "`hubctl partner list` shows their numbers and names."},
    {"partner", "suspend", "ID|NAME", "", "",
     "hold a connection: nothing goes in or out", NULL,
     "POST", "/v1/admin/partners/%s/suspend", NULL, print_document, NULL,
     "`hubctl partner list` shows their numbers and names."},
    {"partner", "resume", "ID|NAME", "", "",
     "let it go on", NULL,
     "POST", "/v1/admin/partners/%s/resume", NULL, print_document, NULL,
     "`hubctl partner list` shows their numbers and names."},
    {"partner", "approve", "ID|NAME", "", "",
     "let its URLs lie on a host that it has asked for (partner show: host_asked)",
     "Make sure by another way that the company has asked for it: a stolen token could, too.",
     "POST", "/v1/admin/partners/%s/approve", partner_approve_body, print_document, NULL,
     "`hubctl partner list` shows their numbers and names.", NULL, "HOST"},
    {"partner", "quirk", "ID|NAME", "", "",
     "put up with a deviation of it, or not any more (QUIRK=off)",
     "auth_encoding=auto|raw|base64 is one with a value.",
     "PUT", "/v1/admin/partners/%s/quirks", partner_quirk_body, print_document, NULL,
     "`hubctl partner list` shows their numbers and names.", NULL, "QUIRK"},
    {"partner", "test", "ID|NAME", "", "full",
     "run the checks of OCPI against its endpoints; says what is wrong and what to do",
     "Without --full nothing is changed at the partner. With it objects named HUBTEST-... are pushed,\n"
     "commands for unknown places are sent, and both tokens are changed. Status 1 if a check fails.",
     "POST", "/v1/admin/partners/%s/test", partner_test_body, print_document, NULL,
     "`hubctl partner list` shows their numbers and names.", .follow = partner_test_follow},
    {"partner", "list", NULL, "", "",
     "the companies that are connected, or invited", NULL,
     "GET", "/v1/admin/partners", NULL, print_partners, NULL, NULL},
    {"partner", "show", "ID|NAME", "", "",
     "one of them, with its endpoints", NULL,
     "GET", "/v1/admin/partners/%s", NULL, print_document, NULL,
     "`hubctl partner list` shows their numbers and names."},
    {"contract", "allow", NULL, "from to", "module",
     "let a party's objects and messages go to another party",
     "Nothing goes between two parties without one. What is newly allowed is pushed from now on.",
     "POST", "/v1/admin/contracts", contract_allow_body, contract_print, NULL, NULL, NULL},
    {"contract", "deny", NULL, "from to", "module",
     "end that, or except a module from it", NULL,
     "POST", "/v1/admin/contracts", contract_deny_body, contract_print, NULL, NULL, NULL},
    {"contract", "list", NULL, "", "from to",
     "the contracts, of all parties or of those", NULL,
     "GET", "/v1/admin/contracts", NULL, contract_print_list, NULL, NULL, contract_list_query},
    {"message", "list", NULL, "", "partner module object correlation refused since until before limit",
     "what was said with partners, the newest first", NULL,
     "GET", "/v1/admin/messages", NULL, message_print_list, NULL, NULL, message_list_query},
    {"message", "show", "ID", "", "",
     "one message with its bodies", NULL,
     "GET", "/v1/admin/messages/%s", NULL, message_print, NULL,
     "`hubctl message list` shows the ids.", NULL},
    {"message", "explain", "ID", "", "",
     "why it was refused: the rule, what came, what was expected, how often", NULL,
     "GET", "/v1/admin/messages/%s", NULL, message_explain, NULL,
     "`hubctl message list --refused` shows the ids.", NULL},
    {"session", "show", "ID", "", "",
     "a session with its events, operations, CDRs and receipts", NULL,
     "GET", "/v1/admin/sessions/%s", NULL, print_document, NULL,
     "The id is the session_id that the app was given, a UUID."},
    {"evse", "unlock", "EVSE_ID", "", "connector",
     "free a connector; waits up to 15 s for the network's result",
     "The connector must be named where the EVSE has several. Status 1 if it stays locked.",
     "POST", "/v1/admin/evses/%s/unlock", unlock_body, print_unlock, unlocked,
     "The network has not sent a location with this EVSE."},
    {"evse", "reserve", "EVSE_ID", "sub minutes", "reservation",
     "have an EVSE held for a user; waits up to 15 s for the network's result",
     "With --reservation a reservation of the same EVSE and user gets another end.",
     "POST", "/v1/admin/evses/%s/reserve", reservation_body, reservation_print, NULL,
     "There is no such EVSE, or no such reservation any more."},
    {"reservation", "cancel", "RESERVATION_ID", "", "",
     "let a reserved EVSE go; waits up to 15 s for the network's result",
     "Networks that speak OCPI 2.1.1 cannot cancel: their reservations end by themselves.",
     "DELETE", "/v1/admin/reservations/%s", NULL, reservation_print, NULL,
     "There is no such reservation any more."},
    {"price", NULL, NULL, "session", "tariff time-zone version",
     "what a Session or CDR in a file costs by a tariff; needs no hub",
     "Without --tariff a CDR is priced by the tariffs in it. Without --version each document's version\n"
     "is told by its members. For a CDR the difference to its total_cost is shown, too.",
     .local = offline_price},
    {"translate", NULL, "FILE", "from to object", "country party role time-zone",
     "a document in a file in another version of OCPI; needs no hub",
     "--object is its class, such as location or cdr; --country and --party own what has no owner in\n"
     "2.1.1. The document goes to standard output, what is lost to standard error. Status 1 if it may\n"
     "not be passed on.",
     .local = offline_translate},
    {0},
};
/* clang-format on */
