/* SPDX-License-Identifier: Apache-2.0 */
/* Rules: the list, and the words made of it. */
#include "ocpi/rule.h"

#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/text.h"

/* clang-format off */
static const struct rule rules[] = {
    {"R-TYPE-01", "types, CiString", "ids and codes are printable ASCII and compare without case"},
    {"R-TYPE-02", "types, string", "texts have no control characters"},
    {"R-TYPE-04", "types, DateTime", "times are UTC, with Z or without a zone"},
    {"R-TYPE-05", "types, DateTime", "times with an offset other than zero are not taken"},
    {"R-TYPE-07", "types, number", "a number has at most the decimals of its field"},
    {"R-TYPE-08", "types, number", "numbers are JSON numbers"},
    {"R-TYPE-09", "types, number", "numbers are not JSON strings"},
    {"R-TYPE-10", "types, URL", "URLs have at most 255 characters"},
    {"R-TYPE-11", "types, DisplayText", "a DisplayText has a language of two letters and a plain text"},
    {"R-TYPE-12", "terminology, Cardinality", "required members are there, required lists are not empty"},
    {"R-TYPE-13", "transport_and_format, No data available", "#NA stands only where the data cannot exist"},
    {"R-TYPE-14", "types, enum and OpenEnum", "closed enums have only the listed words"},
    {"R-TYPE-15", "types, enum", "closed enums have only the listed words"},
    {"R-TYPE-16", "terminology, Variable names", "members are objects and lists of the form that the class has"},
    {"R-TYPE-17", "types, string", "texts have at most the length of their field"},
    {"R-TYPE-18", "types, Price", "a tax has a name and an amount"},

    {"R-TRANS-01", "transport_and_format, Authorization header", "Authorization is the word Token, one space and the token"},
    {"R-TRANS-02", "transport_and_format, Authorization header", "from 2.2 on the token is Base64 encoded"},
    {"R-TRANS-05", "credentials, Credentials object", "tokens are 1 to 64 printable ASCII characters without blanks"},
    {"R-TRANS-06", "transport_and_format, Authorization header", "a request without a known token is answered 401"},
    {"R-TRANS-07", "transport_and_format, Authorization header", "a registration token opens versions and credentials only"},
    {"R-TRANS-08", "transport_and_format, Request format", "bodies are JSON with Content-Type: application/json"},
    {"R-TRANS-09", "transport_and_format, Request format", "each endpoint has its methods; others are answered 405"},
    {"R-TRANS-10", "transport_and_format, PUT", "a PUT carries the whole object"},
    {"R-TRANS-11", "transport_and_format, PATCH", "a PATCH carries only what changes"},
    {"R-TRANS-12", "transport_and_format, PATCH", "every PATCH carries last_updated (from 2.2 on)"},
    {"R-TRANS-13", "transport_and_format, PATCH", "a PATCH changes neither the id nor the owner, and clears optional members only"},
    {"R-TRANS-14", "transport_and_format, PATCH", "a PATCH of an unknown object is not found: send a PUT"},
    {"R-TRANS-15", "", "a clock that is a day ahead orders nothing"},
    {"R-TRANS-16", "transport_and_format, Client Owned Object Push", "the owner in the URL is a party of the connection, the id is the one of the object"},
    {"R-TRANS-17", "transport_and_format, Client Owned Object Push", "owner and id in the URL and in the object are the same"},
    {"R-TRANS-18", "transport_and_format, Client Owned Object Pull", "an object belongs to a party of the connection that sends it"},
    {"R-TRANS-30", "transport_and_format, Response format", "every response is an envelope with status_code and timestamp"},
    {"R-TRANS-32", "status_codes", "a body that is no JSON is answered 400"},
    {"R-TRANS-33", "status_codes", "a missing object is answered 404"},
    {"R-TRANS-40", "transport_and_format, Pagination", "offset and limit are whole numbers from 0 on"},
    {"R-TRANS-41", "transport_and_format, Paginated request", "date_from is inclusive, date_to exclusive"},
    {"R-TRANS-42", "mod_sessions, GET Method", "a list of Sessions needs date_from"},
    {"R-TRANS-43", "transport_and_format, Paginated response", "a page has Link unless it is the last, X-Total-Count and X-Limit"},
    {"R-TRANS-44", "transport_and_format, Pagination", "offset and limit are whole numbers from 0 on"},
    {"R-TRANS-45", "transport_and_format, Paginated response", "lists are ordered by creation, so that pages stay stable"},
    {"R-TRANS-46", "transport_and_format, Paginated response", "X-Total-Count is the number of objects that match"},
    {"R-TRANS-47", "", "a Link is followed on the partner's own hosts only"},
    {"R-TRANS-60", "transport_and_format, Unique message IDs", "X-Request-ID and X-Correlation-ID identify a message"},

    {"R-VER-01", "version_information_endpoint", "versions and version details can always be read"},
    {"R-VER-03", "version_information_endpoint, Endpoint class", "credentials are listed once"},
    {"R-VER-04", "version_information_endpoint", "the endpoints of 2.1.1 stand for one role"},
    {"R-VER-05", "version_information_endpoint, VersionNumber", "a connection needs a version that both sides offer"},
    {"R-VER-06", "version_information_endpoint, ModuleID", "modules are those of the version"},
    {"R-VER-08", "", "URLs are served with and without a slash at the end"},
    {"R-VER-10", "", "each of our URLs serves the versions that it lists"},

    {"R-CRED-02", "credentials, POST Method", "the version is that of the endpoint the credentials are sent to"},
    {"R-CRED-03", "credentials, Errors during registration", "the client's versions and details can be fetched with its token"},
    {"R-CRED-04", "credentials, POST, PUT and DELETE", "POST is for clients that are not registered, PUT and DELETE for those that are"},
    {"R-CRED-05", "credentials, PUT Method", "a PUT renews the connection"},
    {"R-CRED-06", "credentials, PUT Method", "each exchange of credentials makes a new token"},
    {"R-CRED-08", "credentials, DELETE Method", "after unregistering nothing works any more"},
    {"R-CRED-09", "", "registering again needs a new registration token"},
    {"R-CRED-12", "credentials, CredentialsRole", "each role and party is listed once and belongs to one connection"},
    {"R-CRED-13", "credentials", "a hub of 2.2.1 lists the role HUB only"},
    {"R-CRED-14", "credentials", "a hub of 2.3.0 gives hub_party_id and the parties it reaches"},
    {"R-CRED-17", "credentials", "hub_party_id is two letters of country and three of party"},
    {"R-CRED-18", "credentials, GET Method", "GET returns the credentials object of the server"},
    {"R-CRED-19", "", "URLs are https on the registered host, at public addresses"},
    {"R-CRED-20", "", "a registration token is spent by its first use"},

    {"R-ROUTE-01", "transport_and_format, Message routing", "requests of functional modules name sender and receiver"},
    {"R-ROUTE-02", "transport_and_format, Message routing", "configuration modules carry no routing headers"},
    {"R-ROUTE-04", "transport_and_format, Message routing", "in an answer TO and FROM of the request change places"},
    {"R-ROUTE-05", "transport_and_format, Message routing", "routing headers come in pairs and have the form of party ids"},
    {"R-ROUTE-06", "transport_and_format, Message routing", "a request comes from a party of the connection, in a role that fits"},
    {"R-ROUTE-14", "transport_and_format, Broadcast Push", "a GET is for one receiver, or a list of everybody's"},
    {"R-ROUTE-15", "transport_and_format, Broadcast Push", "only what is meant for everybody is sent to everybody"},
    {"R-ROUTE-20", "transport_and_format, Open Routing Request", "without a receiver the content has to name one"},
    {"R-ROUTE-23", "", "of several that are asked the first success counts"},
    {"R-ROUTE-24", "", "what creates something goes to one receiver"},
    {"R-ROUTE-30", "transport_and_format, GET All via Hubs", "the hub answers lists; a single object is asked of its owner"},
    {"R-ROUTE-32", "", "the hub collects the lists of objects, not those of payments"},
    {"R-ROUTE-22", "", "a list names the party it is asked of: the hub for objects of everybody"},
    {"R-ROUTE-41", "status_codes, Hub errors", "the receiver must be connected here"},
    {"R-ROUTE-42", "status_codes, Hub errors", "the receiver must offer the module"},
    {"R-ROUTE-43", "", "an answer of the receiver that cannot be used is not passed on"},
    {"R-ROUTE-46", "mod_hub_client_info, Scenarios", "no requests are sent to parties that are not connected"},
    {"R-ROUTE-51", "", "a Link is for who was given it, and ends some hours later"},
    {"R-ROUTE-55", "", "an id that several owners use does not name one object"},
    {"R-ROUTE-56", "terminology, Typical OCPI implementations", "each role has its side of a module"},
    {"R-ROUTE-62", "", "who does not answer is left in peace for a while"},
    {"R-ROUTE-63", "", "no message goes back to the connection it came from"},

    {"R-HCI-01", "mod_hub_client_info, Push model", "only a hub tells of clients"},
    {"R-HCI-03", "mod_hub_client_info", "ClientInfo carries no routing headers"},
    {"R-HCI-04", "mod_hub_client_info, PUT Method", "a ClientInfo belongs to one party and role"},
    {"R-HCI-05", "", "a suspended partner is let in nowhere"},
    {"R-HCI-10", "", "OCPI 2.1.1 has no ClientInfo"},
    {"R-HCI-12", "mod_hub_client_info, ClientInfo object", "last_updated is required"},

    {"R-ASYNC-11", "", "a result comes from the connection that the request went to"},
    {"R-ASYNC-14", "", "a result belongs to a request that waits for it"},
    {"R-ASYNC-16", "mod_charging_profiles, GET Method", "response_url is a parameter of the URL, percent-encoded"},
    {"R-ASYNC-17", "", "response_url lies on a host of the requester"},

    {"R-CMD-01", "mod_commands", "the body is that of the command in the path"},
    {"R-CMD-02", "mod_commands, StartSession", "an eMSP uses its own tokens"},
    {"R-CMD-07", "mod_commands, ReserveNow", "a reservation is named by the requester's own id"},
    {"R-CMD-10", "mod_commands, Flow", "a command for an unknown place is answered 2003 and REJECTED"},

    {"R-CP-02", "mod_charging_profiles", "a profile is for a Session that the CPO knows, of a token of who sets it"},
    {"R-CP-03", "mod_charging_profiles, PUT Method", "ActiveChargingProfiles follow a profile that was set"},
    {"R-CP-06", "mod_charging_profiles, ChargingProfile", "periods start at 0 and ascend"},

    {"R-LOC-01", "mod_locations, PUT and PATCH", "EVSE and Connector are updated below their Location"},
    {"R-LOC-04", "", "an EVSE or Connector needs the object it belongs to"},
    {"R-LOC-05", "mod_locations, Location object", "publish_allowed_to goes with publish=false"},
    {"R-LOC-06", "mod_locations, PublishTokenType", "uid, visual_number or group_id is set; uid needs type, visual_number needs issuer"},
    {"R-LOC-09", "mod_locations, Hours", "either always open or regular hours"},
    {"R-LOC-10", "mod_locations, GeoLocation", "coordinates are texts of decimal degrees"},
    {"R-LOC-12", "mod_locations, Parking object", "each parking place has an id of its own in its Location"},

    {"R-SESS-01", "mod_sessions, Push model", "a Session begins by PUT"},
    {"R-SESS-03", "", "the status of a Session moves forward"},
    {"R-SESS-08", "mod_sessions, PATCH Method", "charging_periods of a PATCH are appended"},
    {"R-SESS-13", "mod_sessions, ChargingPreferencesResponse", "preferences need a capable EVSE"},
    {"R-SESS-15", "", "the token of a Session or CDR belongs to a known party"},

    {"R-CDR-01", "mod_cdrs", "a CDR never changes"},
    {"R-CDR-03", "mod_cdrs, POST Method", "the answer to POST names the URL of the CDR in Location"},
    {"R-CDR-04", "", "the id of a CDR has one content"},
    {"R-CDR-05", "mod_cdrs, CDR object", "the id of a CDR has at most 36 characters, that of a credit 39"},
    {"R-CDR-06", "mod_cdrs, Credit CDRs", "a credit names the CDR it cancels"},
    {"R-CDR-07", "", "a credit fits the CDR it cancels"},
    {"R-CDR-11", "mod_cdrs, ChargingPeriod class", "a session ends after it starts, and its periods lie in between"},

    {"R-TAR-15", "mod_tariffs", "PATCH of a Tariff exists in 2.1.1 only"},
    {"R-TAR-16", "mod_tariffs, DELETE Method", "an unknown Tariff cannot be deleted"},
    {"R-TAR-17", "mod_tariffs, TaxIncluded", "tax_included says whether prices include taxes"},

    {"R-TOK-01", "mod_tokens", "a Token is named by owner, uid and type"},
    {"R-TOK-02", "mod_tokens, Push model", "Tokens are never deleted: valid becomes false"},
    {"R-TOK-03", "mod_tokens, POST Method", "an unknown Token is answered 404 and 2004"},
    {"R-TOK-04", "mod_tokens, POST Method", "an authorisation needs enough information"},
    {"R-TOK-10", "", "a Token belongs to one eMSP"},

    {"R-BR-03", "", "what the other side's version requires has to be there"},
    {"R-BR-47", "", "what a version cannot say is not shown in it"},
};
/* clang-format on */
enum { RULE_COUNT = sizeof rules / sizeof *rules };

const struct rule *rule_at(unsigned index)
{
    return index < RULE_COUNT ? &rules[index] : NULL;
}

const struct rule *rule_find(const char *id)
{
    for (unsigned i = 0; id && i < RULE_COUNT; i++)
        if (strcmp(rules[i].id, id) == 0)
            return &rules[i];
    return NULL;
}

void rule_explain_to(char *buffer, unsigned size, struct err e)
{
    const struct rule *rule = rule_find(e.rule);
    size_t length;
    int n = snprintf(buffer, size, "%s", err_text(e));

    length = n < 0 ? 0 : (size_t)n;
    if (e.came && length < size)
        length += (size_t)snprintf(buffer + length, size - length, "; came %s", e.came);
    if (e.expected && length < size)
        length += (size_t)snprintf(buffer + length, size - length, "; expected %s", e.expected);
    if (e.rule && length < size)
        length +=
            (size_t)snprintf(buffer + length, size - length, " [%s%s%s]", e.rule,
                             rule && *rule->section ? ", OCPI " : "", rule ? rule->section : "");
    if (length < size)
        return;
    /* Cut: perhaps in the middle of a character. */
    for (length = size - 1; length && !text_is_utf8(buffer, length); length--)
        buffer[length - 1] = '\0';
}

const char *rule_explain(struct arena *a, struct err e)
{
    char buffer[1024];

    rule_explain_to(buffer, sizeof buffer, e);
    return arena_text(a, buffer);
}
