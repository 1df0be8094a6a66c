/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Party ids: reading, comparing, printing.
 */
#include "ocpi/party.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"

WORDS_DEFINE(ocpi_role, OCPI_ROLE, OCPI_ROLES, "Role", .open = false)
WORDS_DEFINE(ocpi_interface, OCPI_INTERFACE, OCPI_INTERFACE_ROLES, "InterfaceRole", .open = false)

static bool is_letter(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

static bool is_letter_or_digit(char c)
{
    return is_letter(c) || (c >= '0' && c <= '9');
}

bool party_country_valid(const char *country_code)
{
    return country_code && strlen(country_code) == 2 && is_letter(country_code[0]) &&
           is_letter(country_code[1]);
}

bool party_name_valid(const char *party_id)
{
    return party_id && strlen(party_id) == 3 && is_letter_or_digit(party_id[0]) &&
           is_letter_or_digit(party_id[1]) && is_letter_or_digit(party_id[2]);
}

bool party_id_make(const char *country_code, const char *party_id, struct party_id *ret)
{
    *ret = (struct party_id){0};
    if (!party_country_valid(country_code) || !party_name_valid(party_id))
        return false;
    memcpy(ret->country_code, country_code, sizeof(ret->country_code));
    memcpy(ret->party_id, party_id, sizeof(ret->party_id));
    return true;
}

bool party_id_equal(const struct party_id *a, const struct party_id *b)
{
    return text_equal_caseless(a->country_code, b->country_code) &&
           text_equal_caseless(a->party_id, b->party_id);
}

bool party_id_is_set(const struct party_id *p)
{
    return p->country_code[0] != '\0';
}

const char *party_id_print(const struct party_id *p, char buffer[PARTY_TEXT])
{
    snprintf(buffer, PARTY_TEXT, "%s-%s", p->country_code, p->party_id);
    text_to_upper(buffer);
    return buffer;
}

bool party_id_parse(const char *text, struct party_id *ret)
{
    char country_code[3] = "";
    size_t skip = 2;

    *ret = (struct party_id){0};
    if (strlen(text) < 5)
        return false;
    memcpy(country_code, text, 2);
    if (text[2] == '-' || text[2] == '*')
        skip = 3;
    return party_id_make(country_code, text + skip, ret);
}
