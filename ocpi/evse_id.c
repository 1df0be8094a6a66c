/* SPDX-License-Identifier: Apache-2.0 */
/*
 * EVSE ids as people write them, and connector words.
 */
#include "ocpi/evse_id.h"

#include <string.h>

#include "base/text.h"
#include "ocpi/location.h"

enum { EVSE_ID_TAIL_MAX = 30 };

#define ALPHANUMERIC "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

static bool is_separator(char c)
{
    return c == '-' || c == '*';
}

bool evse_id_valid(const char *id)
{
    char country_code[3] = "", party[4] = "";
    size_t tail;

    if (strlen(id) > EVSE_ID_MAX || strlen(id) < 7)
        return false;
    memcpy(country_code, id, 2);
    id += 2;
    id += is_separator(*id);
    if (strlen(id) < 3)
        return false;
    memcpy(party, id, 3);
    id += 3;
    id += is_separator(*id);
    if (!party_country_valid(country_code) || !party_name_valid(party))
        return false;
    if (*id != 'E' && *id != 'e')
        return false;
    id++;
    tail = strspn(id, ALPHANUMERIC "*-");
    return tail >= 1 && tail <= EVSE_ID_TAIL_MAX && id[tail] == '\0';
}

bool evse_id_key(const char *id, char ret[EVSE_ID_KEY])
{
    size_t length = 0;

    ret[0] = '\0';
    if (strlen(id) > EVSE_ID_MAX || !text_is_printable_ascii(id))
        return false;
    for (const char *p = id; *p; p++) {
        if (!is_separator(*p))
            ret[length++] = *p;
    }
    ret[length] = '\0';
    text_to_upper(ret);
    return length > 0;
}

bool evse_id_operator(const char *key, struct party_id *ret)
{
    char start[6] = "";

    *ret = (struct party_id){0};
    if (strlen(key) < 5)
        return false;
    memcpy(start, key, 5);
    return party_id_parse(start, ret);
}

/* --- connector words --- */

enum region { ANYWHERE, NORTH_AMERICA, ELSEWHERE };

/* clang-format off */
static const struct connector_word {
    const char *word, *standard;
    enum region region;
} connector_words[] = {
    {"CCS",     "IEC_62196_T1_COMBO", NORTH_AMERICA},
    {"CCS",     "IEC_62196_T2_COMBO", ELSEWHERE},
    {"CCS1",    "IEC_62196_T1_COMBO", ANYWHERE},
    {"CCS2",    "IEC_62196_T2_COMBO", ANYWHERE},
    {"CHADEMO", "CHADEMO",            ANYWHERE},
    {"TYPE1",   "IEC_62196_T1",       ANYWHERE},
    {"TYPE2",   "IEC_62196_T2",       ANYWHERE},
    {"NACS",    "SAE_J3400",          ANYWHERE},
    /* 2.2.1 has no word for NACS; in North America the older Tesla connector is the same one. */
    {"NACS",    "TESLA_S",            NORTH_AMERICA},
    {"SCHUKO",  "DOMESTIC_F",         ANYWHERE},
    {"GBT_AC",  "GBT_AC",             ANYWHERE},
    {"GBT_DC",  "GBT_DC",             ANYWHERE},
};
/* clang-format on */

enum { CONNECTOR_WORDS = sizeof(connector_words) / sizeof(connector_words[0]) };

static bool is_north_america(const char *country)
{
    return country && (text_equal_caseless(country, "USA") || text_equal_caseless(country, "CAN") ||
                       text_equal_caseless(country, "MEX"));
}

static bool is_standard(const char *word)
{
    for (unsigned i = 0; i < ocpi_connector_standard_words.count; i++) {
        if (text_equal_caseless(ocpi_connector_standard_words.words[i], word))
            return true;
    }
    return false;
}

bool connector_word_valid(const char *word)
{
    for (unsigned i = 0; i < CONNECTOR_WORDS; i++) {
        if (text_equal_caseless(connector_words[i].word, word))
            return true;
    }
    return is_standard(word);
}

bool connector_word_fits(const char *word, const char *standard, const char *country)
{
    enum region here = is_north_america(country) ? NORTH_AMERICA : ELSEWHERE;

    for (unsigned i = 0; i < CONNECTOR_WORDS; i++) {
        const struct connector_word *w = &connector_words[i];

        if (text_equal_caseless(w->word, word) && text_equal_caseless(w->standard, standard) &&
            (w->region == ANYWHERE || w->region == here))
            return true;
    }
    return is_standard(word) && text_equal_caseless(word, standard);
}
