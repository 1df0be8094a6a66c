/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Headers of OCPI over HTTP: credentials, routing. Paging is in paging.c.
 */
#include "ocpi/headers.h"

#include <string.h>

#include "base/arena.h"
#include "base/text.h"

#define SCHEME "Token "

enum { ENCODED_TOKEN_MAX = 4 * ((CREDENTIALS_TOKEN_MAX + 2 + 2) / 3) };

/* --- Authorization --- */

bool credentials_token_valid(const char *token)
{
    size_t length = strlen(token);

    if (length < 1 || length > CREDENTIALS_TOKEN_MAX)
        return false;
    for (const char *p = token; *p; p++) {
        if (*p < '!' || *p > '~')
            return false;
    }
    return true;
}

/* NULL unless it is Base64 of a possible token. The samples of the specification end in a newline
 * that is not part of the token (R-TRANS-04). */
static const char *decode_token(struct arena *a, const char *value)
{
    size_t length;
    char *decoded = text_base64_decode(a, value, &length);

    if (!decoded || strlen(decoded) != length)
        return NULL;
    while (length > 0 && (decoded[length - 1] == '\n' || decoded[length - 1] == '\r'))
        decoded[--length] = '\0';
    return credentials_token_valid(decoded) ? decoded : NULL;
}

struct err authorization_read(struct arena *a, const char *header, enum auth_encoding encoding,
                              struct token_candidates *ret)
{
    const char *value;

    *ret = (struct token_candidates){0};
    if (!header || !*header)
        return err_new(ERR_UNAUTHENTICATED);
    if (strncmp(header, SCHEME, sizeof(SCHEME) - 1) != 0)
        return err_at(a, ERR_TOKEN_INVALID, HEADER_AUTHORIZATION,
                      "the Authorization header has another form than \"Token <value>\"");
    value = header + sizeof(SCHEME) - 1;
    if (strlen(value) > ENCODED_TOKEN_MAX)
        return err_new(ERR_TOKEN_INVALID);
    if (encoding != AUTH_BASE64 && credentials_token_valid(value))
        ret->verbatim = arena_text(a, value);
    if (encoding != AUTH_RAW)
        ret->decoded = decode_token(a, value);
    return ret->verbatim || ret->decoded ? OK : err_new(ERR_TOKEN_INVALID);
}

char *authorization_print(struct arena *a, const char *token, enum auth_encoding encoding,
                          enum ocpi_version version)
{
    bool encode = encoding == AUTH_BASE64 || (encoding == AUTH_AUTO && version != OCPI_2_1_1);

    return arena_printf(a, SCHEME "%s", encode ? text_base64(a, token, strlen(token)) : token);
}

/* --- routing --- */

static struct err read_pair(struct arena *a, const char *country_header, const char *country_code,
                            const char *party_header, const char *party_id, struct party_id *ret)
{
    if (!country_code && !party_id)
        return OK;
    if (!country_code)
        return err_at(a, ERR_BAD_FIELD, country_header, "%s is missing beside %s", country_header,
                      party_header);
    if (!party_id)
        return err_at(a, ERR_BAD_FIELD, party_header, "%s is missing beside %s", party_header,
                      country_header);
    if (!party_country_valid(country_code))
        return err_at(a, ERR_BAD_FIELD, country_header, "%s is no country code of two letters",
                      country_header);
    if (!party_id_make(country_code, party_id, ret))
        return err_at(a, ERR_BAD_FIELD, party_header,
                      "%s is no party id of three letters or digits", party_header);
    return OK;
}

struct err routing_read(struct arena *a, const char *from_country_code, const char *from_party_id,
                        const char *to_country_code, const char *to_party_id, struct routing *ret)
{
    *ret = (struct routing){0};
    TRY(read_pair(a, HEADER_FROM_COUNTRY_CODE, from_country_code, HEADER_FROM_PARTY_ID,
                  from_party_id, &ret->from));
    return read_pair(a, HEADER_TO_COUNTRY_CODE, to_country_code, HEADER_TO_PARTY_ID, to_party_id,
                     &ret->to);
}

struct routing routing_of_answer(struct routing request)
{
    return (struct routing){.from = request.to, .to = request.from};
}

bool module_is_routed(const char *module)
{
    return strcmp(module, MODULE_CREDENTIALS) != 0 && strcmp(module, MODULE_HUB_CLIENT_INFO) != 0 &&
           strcmp(module, "versions") != 0;
}
