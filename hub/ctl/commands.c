/* SPDX-License-Identifier: Apache-2.0 */
/* The commands: what they ask, and how their answers are shown. */
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/json.h"
#include "base/text.h"
#include "hub/ctl/command.h"
#include "hub/ctl/contract.h"
#include "hub/ctl/finance.h"
#include "hub/ctl/message.h"
#include "hub/ctl/offline.h"
#include "hub/ctl/partner.h"
#include "hub/ctl/partner_test.h"
#include "hub/ctl/print.h"
#include "hub/ctl/reservation.h"
#include "hub/ctl/retail.h"

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
    return OBJECT_OF(a, {"sub", line->sub}, {"robot", line->robot}, {"role", line->role});
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
    {"token", "mint", NULL, "sub", "robot role",
     "make a user's token, or with --role that of a member of staff",
     "Roles: operator, lead, admin, finance, auditor. Prints the token alone. Only where the hub's setting dev_jwt_key_file is set: for development.",
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
    {"retail", "publish", "FILE", "", "",
     "publish a retail tariff: what users pay from now on, or from its valid_from on",
     "A version never changes: other prices are another version. Refused where its vat is not that of\n"
     "a country it is for, or the hub is not registered there (vat list).",
     "POST", "/v1/admin/retail-tariffs", NULL, retail_print, NULL, NULL, .file = true},
    {"retail", "list", NULL, "", "",
     "the retail tariffs with all their versions", NULL,
     "GET", "/v1/admin/retail-tariffs", NULL, retail_print_list, NULL, NULL},
    {"retail", "show", "ID", "", "version",
     "one of them as it was published", NULL,
     "GET", "/v1/admin/retail-tariffs/%s", NULL, retail_print_whole, NULL,
     "`hubctl retail list` shows their ids.", retail_show_query},
    {"retail", "withdraw", "ID", "", "version",
     "let nobody start by it any more; sessions that have begun keep it",
     "Without --version all its versions; with it, the one before counts again.",
     "POST", "/v1/admin/retail-tariffs/%s/withdraw", retail_withdraw_body, print_document, NULL,
     "It is not published: `hubctl retail list`."},
    {"vat", "set", "COUNTRY", "", "rate since until buyer vat-id currency",
     "a country's VAT rate from a day on (--since, today if not given), or our registration there",
     "The rate at the end of a session counts. With --vat-id the country is one where users may be\n"
     "sold to; --currency is the one its prices usually are in.",
     "PUT", "/v1/admin/vat/%s", vat_set_body, vat_print, NULL, NULL},
    {"vat", "list", NULL, "", "country",
     "the VAT rates, and the countries where the hub is registered", NULL,
     "GET", "/v1/admin/vat", NULL, vat_print, NULL, NULL, vat_list_query},
    {"group", "set", "NAME", "", "credit-limit currency",
     "make a group of users, or change what one session of theirs may cost",
     "Retail tariffs name groups in their selector. Without --credit-limit there is none.",
     "PUT", "/v1/admin/user-groups/%s", group_set_body, group_print, NULL, NULL},
    {"group", "add", "NAME", "", "",
     "put a user into it, out of the group they were in", NULL,
     "POST", "/v1/admin/user-groups/%s/members", group_add_body, print_document, NULL,
     "`hubctl group set` makes a group.", NULL, "USER"},
    {"group", "remove", "NAME", "", "",
     "take a user out of it", NULL,
     "DELETE", "/v1/admin/user-groups/%s/members", NULL, print_document, NULL,
     "The user is not in this group.", group_remove_query, "USER"},
    {"group", "list", NULL, "", "",
     "the groups of users", NULL,
     "GET", "/v1/admin/user-groups", NULL, group_print, NULL, NULL},
    {"tariff", "lint", NULL, "", "partner held",
     "what is odd about the networks' tariffs",
     "Users are not sold by a tariff that is held, until somebody approves it: its prices look like\n"
     "a slip of the pen.",
     "GET", "/v1/admin/tariffs/lint", NULL, lint_print, NULL, NULL, lint_query},
    {"tariff", "approve", "NUMBER", "", "",
     "a held tariff is right: users may be sold by this version of it", NULL,
     "POST", "/v1/admin/tariffs/%s/approve", lint_approve_body, print_document, NULL,
     "This version is not held: `hubctl tariff lint --held`.", NULL, "VERSION"},
    {"finance", "receipts", NULL, "", "since until partner user csv",
     "receipts and cancellations, the oldest first", NULL,
     "GET", "/v1/finance/receipts", NULL, finance_print_receipts, NULL, NULL, finance_receipts_query},
    {"finance", "cdrs", NULL, "", "since until partner csv",
     "CDRs as they came in, with what became of them", NULL,
     "GET", "/v1/finance/cdrs", NULL, finance_print_cdrs, NULL, NULL, finance_cdrs_query},
    {"finance", "receipt", "NUMBER", "", "csv",
     "one receipt, whole; with --csv its lines", NULL,
     "GET", "/v1/finance/receipts/%s", NULL, print_document, NULL,
     "`hubctl finance receipts` shows their numbers."},
    {"finance", "cdr", "ID", "", "",
     "one CDR as it came, and what was found", NULL,
     "GET", "/v1/finance/cdrs/%s", NULL, print_document, NULL,
     "`hubctl finance cdrs` shows their numbers."},
    {"finance", "cases", NULL, "", "partner kind resolved csv",
     "what waits for a person's decision", NULL,
     "GET", "/v1/finance/cases", NULL, finance_print_cases, NULL, NULL, finance_cases_query},
    {"finance", "ledger", NULL, "", "since until csv",
     "the double-entry ledger, line by line", NULL,
     "GET", "/v1/finance/ledger", NULL, finance_print_ledger, NULL, NULL, finance_ledger_query},
    {"finance", "match", "CDR", "", "",
     "say whose an unmatched CDR is", NULL,
     "POST", "/v1/finance/cdrs/%s/match", finance_match_body, finance_print_decided, NULL,
     "`hubctl finance cdrs` shows the numbers of CDRs; the session is named by its UUID.", NULL,
     "SESSION", .once = true},
    {"finance", "resolve", "CASE", "", "note",
     "decide a case: confirm, decline, bill, accept, refuse or done, by its kind",
     "late_start, force_closed: confirm or decline. quarantined_cdr: bill or decline.\n"
     "unmatched_cdr: decline or done. cost_mismatch: accept (the network gets what it states) or refuse.\n"
     "Others: done.",
     "POST", "/v1/finance/cases/%s/resolve", finance_resolve_body, finance_print_decided, NULL,
     "`hubctl finance cases` shows their numbers.", NULL, "RESOLUTION", .once = true},
    {"finance", "manual-cdr", "SESSION", "energy start end cost reason", "cost-incl-vat currency",
     "draft the record of a session whose network sends none",
     "Somebody else has to confirm it: name yourself by --url and --token-file with your own token.",
     "POST", "/v1/finance/sessions/%s/manual-cdr", finance_manual_body, finance_print_draft, NULL,
     "There is no such session.", .once = true},
    {"finance", "credit-manual", "CDR", "reason", "",
     "draft the credit of a wrong manual CDR that was billed",
     "Somebody else has to confirm it, as a manual CDR. Then the network's CDR can be billed.",
     "POST", "/v1/finance/manual-cdrs/%s/credit", finance_reason_body, finance_print_draft, NULL,
     "`hubctl finance cdrs` shows the numbers of CDRs.", .once = true},
    {"finance", "confirm", "DRAFT", "", "",
     "the second person says yes to a manual CDR", NULL,
     "POST", "/v1/finance/manual-cdrs/%s/confirm", NULL, finance_print_decided, NULL,
     "`hubctl finance manual-cdr` has told the number of the draft.", .once = true},
    {"finance", "discard", "DRAFT", "", "",
     "a manual CDR was wrong: the draft goes", NULL,
     "POST", "/v1/finance/manual-cdrs/%s/decline", NULL, finance_print_decided, NULL,
     "`hubctl finance manual-cdr` has told the number of the draft.", .once = true},
    {"finance", "reconcile", "MONTH", "", "partner csv",
     "what a month came to, from the receipts and again from the CDRs",
     "MONTH is such as 2026-11. Status 1 if both differ.",
     "GET", "/v1/finance/reconciliation?month=%s", NULL, finance_print_month, finance_month_agrees,
     NULL, finance_partner_query},
    {"finance", "statements", "MONTH", "", "partner csv",
     "statements of partners: those that are closed, and what would be one", NULL,
     "GET", "/v1/finance/statements?month=%s", NULL, finance_print_statements, NULL,
     NULL, finance_partner_query},
    {"finance", "statement", "ID", "", "csv",
     "one of them: sums by VAT rate, fee, netting; with --csv its CDRs", NULL,
     "GET", "/v1/finance/statements/%s", NULL, print_document, NULL,
     "`hubctl finance statements MONTH` shows their ids."},
    {"finance", "close", "ID", "", "",
     "close a statement: it gets its number and never changes",
     "The month has to be over and those before it closed. What comes later is in the next one.",
     "POST", "/v1/finance/statements/%s/close", NULL, print_document, NULL,
     "`hubctl finance statements MONTH` shows their ids."},
    {"finance", "send", "ID", "", "",
     "a closed statement has been sent to the partner", NULL,
     "POST", "/v1/finance/statements/%s/send", NULL, print_document, NULL,
     "`hubctl finance statements MONTH` shows their ids."},
    {"finance", "mark", "ID", "", "",
     "what became of a statement that was sent: acknowledged, disputed, invoiced or paid",
     "In this order; one that is disputed is acknowledged once that is settled. Marked as invoiced it is\n"
     "told to a partner that speaks OCPI 2.3.0.",
     "POST", "/v1/finance/statements/%s/state", finance_state_body, print_document, NULL,
     "`hubctl finance statements MONTH` shows their ids.", NULL, "STATE"},
    {"finance", "refund", "RECEIPT", "amount reason", "",
     "give a driver money back for a receipt, named by its number",
     "Above the hub's refund_limit, and in another currency than its, somebody else has to confirm it.",
     "POST", "/v1/finance/receipts/%s/refund", finance_refund_body, finance_print_refund, NULL,
     "`hubctl finance receipts` shows their numbers.", .once = true},
    {"finance", "refunds", NULL, "", "since until partner state csv",
     "refunds, and who asked for and confirmed them",
     "--state awaiting_confirmation: what waits for a second person. Others: sent, done, failed, declined.",
     "GET", "/v1/finance/refunds", NULL, finance_print_refunds, NULL, NULL, finance_refunds_query},
    {"finance", "confirm-refund", "REFUND", "", "",
     "the second person says yes to a refund",
     "In their own name: with --url and the --token-file of a member of staff, not over the admin socket.",
     "POST", "/v1/finance/refunds/%s/confirm", NULL, finance_print_refund, NULL,
     "`hubctl finance refunds` shows their ids.", .once = true},
    {"finance", "decline-refund", "REFUND", "", "",
     "nothing is given back: a refund that waits for a second person goes", NULL,
     "POST", "/v1/finance/refunds/%s/decline", NULL, finance_print_refund, NULL,
     "`hubctl finance refunds` shows their ids.", .once = true},
    {"finance", "invoices", NULL, "", "since until partner state csv",
     "partners' invoices and ours, by their OCPI 2.3.0 reconciliation records",
     "--state open, matched, differs, deleted or sent.",
     "GET", "/v1/finance/invoices", NULL, finance_print_invoices, NULL, NULL, finance_invoices_query},
    {"finance", "invoice", "ID", "", "",
     "one of them: its CDRs by class, what we expect to pay, what may explain a difference", NULL,
     "GET", "/v1/finance/invoices/%s", NULL, print_document, NULL,
     "`hubctl finance invoices` shows their numbers."},
    {"finance", "invoice-cdrs", "ID", "", "csv",
     "each CDR of an invoice: whether it belongs there, and what it comes to", NULL,
     "GET", "/v1/finance/invoices/%s/cdrs", NULL, finance_print_invoice_cdrs, NULL,
     "`hubctl finance invoices` shows their numbers."},
    {"finance", "invoice-total", "ID", "currency", "net gross",
     "enter what the document of a partner's invoice says: --net or --gross", NULL,
     "POST", "/v1/finance/invoices/%s/total", finance_total_body, print_document, NULL,
     "`hubctl finance invoices` shows their numbers.", .once = true},
    {"finance", "invoice-gaps", NULL, "", "partner kind csv",
     "CDRs in no invoice or in two, and invoices with unknown ones",
     "--kind not_invoiced, unknown_cdr or in_two_invoices.",
     "GET", "/v1/finance/invoices/gaps", NULL, finance_print_gaps, NULL, NULL, finance_gaps_query},
    {"finance", "terms", NULL, "", "",
     "by what terms the partners' statements are reckoned", "`hubctl statement terms` sets them.",
     "GET", "/v1/finance/terms", NULL, finance_print_terms, NULL},
    {"finance", "check", NULL, "", "",
     "recompute the receipts' chain, the ledger's sums and the statements; status 1 if anything differs",
     NULL, "GET", "/v1/finance/check", NULL, finance_print_check, finance_books_agree, NULL},
    {"statement", "terms", "PARTNER", "currency vat-treatment",
     "rate since fee-percent fee-per-cdr fee-vat-treatment fee-vat-rate netting",
     "say by what terms a partner's statements are reckoned",
     "--rate is the VAT of what the partner sells us, by --since (a day) on. All of it is told each time.",
     "PUT", "/v1/finance/terms/%s", finance_terms_body, finance_print_terms, NULL,
     "`hubctl partner list` shows their numbers and names."},
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
