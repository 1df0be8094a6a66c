/* SPDX-License-Identifier: Apache-2.0 */
/* The table of settings, and the checks between them. */
#include "hub/settings.h"

#include <ctype.h>
#include <stddef.h>
#include <string.h>

#include "base/arena.h"
#include "base/decimal.h"
#include "base/log.h"
#include "base/text.h"

static const char PREFIX[] = "OCPI_HUB_";
static const char KEY_FORM[] =
    "the file must hold 64 hex digits; make one with: openssl rand -hex 32";

#define AT(member) offsetof(struct settings, member)

/* clang-format off */
const struct setting settings_table[] = {
    {"hub", "workers", SETTING_INT, AT(workers), "2", "worker processes; one per core is right", 1, 64},
    {"hub", "public_listen", SETTING_TEXT, AT(public_listen), "127.0.0.1:8080", "address:port for apps and OCPI partners; port 0 picks a free one"},
    {"hub", "internal_listen", SETTING_TEXT, AT(internal_listen), "127.0.0.1:9090", "address:port for /metrics and health; never public"},
    {"hub", "admin_socket", SETTING_TEXT, AT(admin_socket), NULL, "unix socket for hubctl; who may open it is admin; empty: none"},
    {"hub", "public_url", SETTING_TEXT, AT(public_url), NULL, "how partners reach public_listen, in all URLs we give out; empty: http(s)://public_listen"},
    {"hub", "run_file", SETTING_TEXT, AT(run_file), NULL, "written when listening: JSON with pid and URLs; removed at the end"},
    {"hub", "tls_certificate", SETTING_FILE, AT(tls_certificate), NULL, "PEM with the chain; empty: plain HTTP behind a proxy"},
    {"hub", "tls_key", SETTING_FILE, AT(tls_key), NULL, "PEM private key of tls_certificate"},
    {"hub", "allow_private_urls", SETTING_LIST, AT(allow_private_urls), NULL, "networks (CIDR) where partners may have private addresses and plain HTTP; for tests"},
    {"hub", "ca_file", SETTING_FILE, AT(ca_file), NULL, "PEM with the authorities that certify partners; empty: the system's"},
    {"hub", "drain_notice", SETTING_MILLIS, AT(drain_notice_ms), "5s", "at SIGTERM: how long to go on accepting so that a balancer notices"},
    {"hub", "log_level", SETTING_TEXT, AT(log_level), "info", "debug, info, warn or error"},
    {"hub", "max_connections", SETTING_INT, AT(max_connections), "10000", "open connections per worker", 16, 1000000},
    {"hub", "max_open_sessions", SETTING_INT, AT(max_open_sessions), "3", "open sessions per user", 1, 10000},
    {"hub", "start_grace", SETTING_MILLIS, AT(start_grace_ms), "120s", "from the network's accepted result to its session: time to plug in", 1000, 3600000},
    {"hub", "default_currency", SETTING_TEXT, AT(default_currency), "EUR", "shown until the network says otherwise"},
    {"hub", "message_days", SETTING_INT, AT(message_days), "90", "days that rows of the message log are kept", 1, 3650},
    {"hub", "message_body_days", SETTING_INT, AT(message_body_days), "7", "days that bodies of messages are kept", 0, 3650},
    {"stores", "database_url", SETTING_TEXT, AT(database_url), NULL, "libpq connection string or URI; several hosts for fail-over", .required = true},
    {"stores", "redis_url", SETTING_TEXT, AT(redis_url), NULL, "redis://host:port/0 or unix:///path?db=0; empty: no live view, Postgres answers all"},
    {"stores", "database_password_file", SETTING_SECRET_FILE, AT(database_password), NULL, "file whose first line is the password"},
    {"stores", "redis_password_file", SETTING_SECRET_FILE, AT(redis_password), NULL, "file whose first line is the password"},
    {"stores", "writers", SETTING_INT, AT(writers), "2", "connections per worker for statements that write", 1, 16},
    {"stores", "readers", SETTING_INT, AT(readers), "2", "connections per worker for statements that read", 1, 16},
    {"stores", "statement_timeout", SETTING_MILLIS, AT(statement_timeout_ms), "2s", "a statement that takes longer is given up", 100, 60000},
    {"ocpi", "country_code", SETTING_TEXT, AT(country_code), "FI", "of our own party"},
    {"ocpi", "party_id", SETTING_TEXT, AT(party_id), "HUB", "of our own party"},
    {"ocpi", "name", SETTING_TEXT, AT(name), "Hub", "our name towards partners"},
    {"ocpi", "website", SETTING_TEXT, AT(website), NULL, "our website towards partners"},
    {"ocpi", "page_limit", SETTING_INT, AT(page_limit), "100", "objects per page at most, in lists we give out", 1, 1000},
    {"ocpi", "handshake_timeout", SETTING_MILLIS, AT(handshake_timeout_ms), "10s", "for each request of a registration", 1000, 60000},
    {"ocpi", "probe_silence", SETTING_MILLIS, AT(probe_silence_ms), "5m", "a partner that has been silent for so long is asked whether it is there", 1000, 86400000},
    {"ocpi", "probe_every", SETTING_MILLIS, AT(probe_every_ms), "30s", "how often that is looked at", 1000, 3600000},
    {"ocpi", "pull_share", SETTING_INT, AT(pull_share), "25", "of the time, in percent, that fetching a partner's objects may take of a worker; the rest are pauses", 1, 100},
    {"finance", "issuer_name", SETTING_TEXT, AT(issuer_name), NULL, "full name of the company that issues receipts; empty: name"},
    {"finance", "issuer_address", SETTING_LIST, AT(issuer_address), NULL, "its address, the lines separated by commas"},
    {"finance", "issuer_vat_id", SETTING_TEXT, AT(issuer_vat_id), NULL, "its VAT or tax number, where the country of the charge point has none of its own"},
    {"finance", "issuer_contact", SETTING_TEXT, AT(issuer_contact), NULL, "where complaints about a receipt go"},
    {"finance", "receipt_series", SETTING_TEXT, AT(receipt_series), NULL, "what numbers of receipts begin with, for instance DE; a new one begins a new series; empty: country_code-party_id"},
    {"finance", "receipt_language", SETTING_TEXT, AT(receipt_language), "en", "of receipts where the reader asks for none that there is: en, de or fi"},
    {"finance", "receipt_pdf", SETTING_FILE, AT(receipt_pdf), NULL, "the program that draws receipts; empty: receipt-pdf beside ocpi-hub"},
    {"finance", "cancellation_hold", SETTING_MILLIS, AT(cancellation_hold_ms), "72h", "how long a receipt that was credited waits for its replacement, so that both come together"},
    {"finance", "power_tolerance", SETTING_INT, AT(power_tolerance), "10", "percent of a connector's power that a CDR may exceed before a person has to look at it; more only for simulated time", 0, 100000000},
    {"finance", "collect_increase", SETTING_BOOL, AT(collect_increase), "no", "collect the difference where a corrected receipt is higher than the first; only if users have agreed to that"},
    {"secrets", "data_key_file", SETTING_SECRET_FILE, AT(data_key), NULL, "64 hex digits: seals the tokens we send to partners", .required = true},
    {"secrets", "hash_key_file", SETTING_SECRET_FILE, AT(hash_key), NULL, "64 hex digits: keys the hashes of tokens partners send to us", .required = true},
    {"secrets", "admin_token_file", SETTING_SECRET_FILE, AT(admin_token), NULL, "opens /v1/admin on the public listener; at least 32 characters"},
    {"payments", "psp_url", SETTING_TEXT, AT(psp_url), NULL, "API of the payment service provider; empty: nothing is held or taken, receipts are not_required"},
    {"payments", "psp_key_file", SETTING_SECRET_FILE, AT(psp_key), NULL, "what opens the PSP's API to us"},
    {"payments", "psp_webhook_secret_file", SETTING_SECRET_FILE, AT(psp_webhook_secret), NULL, "signs the events that the PSP sends us; at least 32 characters"},
    {"payments", "psp_timeout", SETTING_MILLIS, AT(psp_timeout_ms), "10s", "for each call of the PSP", 100, 20000},
    {"payments", "hold_amounts", SETTING_LIST, AT(hold_amounts), "60.00 EUR", "held before a start, one for each currency: 60.00 EUR, 700.00 SEK"},
    {"payments", "refund_limit", SETTING_TEXT, AT(refund_limit), "100.00 EUR", "a refund above it, or in another currency, needs a second person"},
    {"auth", "jwt_issuer", SETTING_TEXT, AT(jwt_issuer), "https://auth.hub.example", "iss that users' tokens must have"},
    {"auth", "jwt_audience", SETTING_TEXT, AT(jwt_audience), "ocpi-hub", "aud that users' tokens must contain"},
    {"auth", "jwt_staff_audience", SETTING_TEXT, AT(jwt_staff_audience), "ocpi-hub-staff", "aud that the tokens of staff must contain; they have roles and amr too"},
    {"auth", "jwt_keys_file", SETTING_FILE, AT(jwt_keys), NULL, "PEM public keys or a JWK set that sign users' tokens"},
    {"auth", "jwks_url", SETTING_TEXT, AT(jwks_url), NULL, "where the issuer publishes its keys"},
    {"auth", "dev_jwt_key_file", SETTING_FILE, AT(dev_jwt_key), NULL, "private key: enables token mint, its public half is trusted; never in production"},
    {0},
};
/* clang-format on */

/* Where a setting got its value: the variable, the line of the file, else the file. */
static const char *place_of(struct arena *a, const char *path, const char *name)
{
    char *variable = arena_printf(a, "%s%s", PREFIX, name), line[4096];
    size_t length = strlen(name), number = 0;
    const char *place = path ? path : "configuration";

    text_to_upper(variable);
    if (getenv(variable))
        return variable;
    FILE *file = path ? fopen(path, "re") : NULL;
    while (file && fgets(line, sizeof line, file)) {
        const char *start = line + strspn(line, " \t");
        number++;
        if (strncmp(start, name, length) == 0 && strchr(" \t=:", start[length]))
            place = arena_printf(a, "%s:%zu", path, number);
    }
    if (file)
        fclose(file);
    return place;
}

static struct err wrong(struct arena *a, const char *path, const char *name, const char *why)
{
    return err_at(a, ERR_BAD_FIELD, name, "%s: %s: %s", place_of(a, path, name), name, why);
}

/* An empty text takes a default away; what has one cannot be without. */
static struct err check_not_empty(struct arena *a, const char *path,
                                  const struct settings *settings)
{
    for (const struct setting *s = settings_table; s->name; s++) {
        const char *text = NULL;
        if (s->type != SETTING_TEXT || !s->default_value)
            continue;
        memcpy(&text, (const char *)settings + s->offset, sizeof text);
        if (!text)
            return wrong(a, path, s->name, "must not be empty");
    }
    return OK;
}

static struct err check_public_url(struct arena *a, const char *path, const char *url)
{
    size_t length = strlen(url);

    if (strncmp(url, "http://", 7) && strncmp(url, "https://", 8))
        return wrong(a, path, "public_url", "must begin with https:// (or http:// for tests)");
    if (url[length - 1] == '/')
        return wrong(a, path, "public_url", "must not end with a slash");
    if (length > 120)
        return wrong(a, path, "public_url",
                     "is too long: URLs given to partners have 255 characters");
    return OK;
}

static bool is_country(const char *s)
{
    return strlen(s) == 2 && isupper((unsigned char)s[0]) && isupper((unsigned char)s[1]);
}

static bool is_party(const char *s)
{
    if (strlen(s) != 3)
        return false;
    for (; *s; s++)
        if (!isupper((unsigned char)*s) && !isdigit((unsigned char)*s))
            return false;
    return true;
}

bool settings_amount(const char *text, char currency[4], int64_t *ret_minor)
{
    char number[DECIMAL_TEXT];
    const char *space = strchr(text, ' ');
    int64_t u6;

    if (!space || (size_t)(space - text) >= sizeof number || strlen(space + 1) != 3)
        return false;
    memcpy(number, text, (size_t)(space - text));
    number[space - text] = 0;
    if (!currency_known(space + 1) || !decimal_parse_u6(number, &u6) || u6 <= 0)
        return false;
    memcpy(currency, space + 1, 4);
    *ret_minor = money_minor_from_u6(u6, currency);
    return money_u6_from_minor(*ret_minor, currency) == u6;
}

/* A series is a part of file names and of numbers that people type. */
static bool is_series(const char *s)
{
    size_t length = strlen(s);

    return length >= 1 && length <= 20 &&
           strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-") == length && s[0] != '-' &&
           s[length - 1] != '-';
}

static struct err check_receipts(struct arena *a, const char *path, const struct settings *s)
{
    const char *language = s->receipt_language;

    if (s->receipt_series && !is_series(s->receipt_series))
        return wrong(a, path, "receipt_series",
                     "must be 1 to 20 upper-case letters, digits and dashes inside");
    if (strcmp(language, "en") && strcmp(language, "de") && strcmp(language, "fi"))
        return wrong(a, path, "receipt_language", "must be en, de or fi");
    return OK;
}

static struct err check_payments(struct arena *a, const char *path, const struct settings *s)
{
    bool has_default = false;
    char currency[4];
    int64_t minor;

    for (const char *const *hold = s->hold_amounts; hold && *hold; hold++) {
        if (!settings_amount(*hold, currency, &minor))
            return wrong(a, path, "hold_amounts", "must be amounts with a currency: 60.00 EUR");
        has_default |= strcmp(currency, s->default_currency) == 0;
    }
    if (!settings_amount(s->refund_limit, currency, &minor))
        return wrong(a, path, "refund_limit", "must be an amount with a currency: 100.00 EUR");
    if (!s->psp_url)
        return OK;
    size_t length = strlen(s->psp_url);
    if ((strncmp(s->psp_url, "http://", 7) && strncmp(s->psp_url, "https://", 8)) ||
        s->psp_url[length - 1] == '/')
        return wrong(a, path, "psp_url",
                     "must begin with https:// (or http:// for tests) and not end with a slash");
    if (!has_default)
        return wrong(a, path, "hold_amounts", "needs one in default_currency where psp_url is set");
    if (!secret_is_set(s->psp_key) || !secret_length(s->psp_key))
        return wrong(a, path, "psp_key_file", "is needed where psp_url is set");
    if (secret_length(s->psp_webhook_secret) < 32)
        return wrong(a, path, "psp_webhook_secret_file",
                     "is needed where psp_url is set, with at least 32 characters");
    return OK;
}

struct err settings_key(struct arena *a, const char *name, struct secret s, unsigned char ret[32])
{
    const char *hex = secret_reveal(s);

    if (secret_length(s) != 64 || strspn(hex, "0123456789abcdefABCDEF") != 64)
        return err_at(a, ERR_BAD_FIELD, name, "%s: %s", name, KEY_FORM);
    for (int i = 0; i < 32; i++) {
        char pair[3] = {hex[2 * i], hex[2 * i + 1], 0};
        ret[i] = (unsigned char)strtoul(pair, NULL, 16);
    }
    return OK;
}

struct err settings_read(struct arena *a, const char *path, struct settings *ret)
{
    unsigned char key[32];
    enum log_level level;

    TRY(config_read(a, settings_table, path, PREFIX, ret));
    TRY(check_not_empty(a, path, ret));
    if (!log_level_parse(ret->log_level, &level))
        return wrong(a, path, "log_level", "must be debug, info, warn or error");
    if (!currency_known(ret->default_currency))
        return wrong(a, path, "default_currency", "is not an ISO 4217 code");
    if (!is_country(ret->country_code))
        return wrong(a, path, "country_code", "must be two upper-case letters");
    if (!is_party(ret->party_id))
        return wrong(a, path, "party_id", "must be three upper-case letters or digits");
    if (!ret->tls_certificate != !ret->tls_key)
        return wrong(a, path, ret->tls_key ? "tls_key" : "tls_certificate",
                     "tls_certificate and tls_key need each other");
    if (ret->public_url)
        TRY(check_public_url(a, path, ret->public_url));
    if (secret_is_set(ret->admin_token) && secret_length(ret->admin_token) < 32)
        return wrong(a, path, "admin_token_file", "the token must have at least 32 characters");
    TRY(check_receipts(a, path, ret));
    TRY(check_payments(a, path, ret));
    if (failed(settings_key(a, "data_key_file", ret->data_key, key)))
        return wrong(a, path, "data_key_file", KEY_FORM);
    if (failed(settings_key(a, "hash_key_file", ret->hash_key, key)))
        return wrong(a, path, "hash_key_file", KEY_FORM);
    explicit_bzero(key, sizeof key);
    return OK;
}
