/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ASCII: a table for U+00A0 to U+017F, and the punctuation that word processors make.
 */
#include "ocpi/v211/ascii.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/arena.h"
#include "base/text.h"

enum { LATIN_FIRST = 0xa0, LATIN_END = 0x180, ASCII_TEXT_MAX = 64 * 1024 };

/* clang-format off */
static const char *const latin[LATIN_END - LATIN_FIRST] = {
    " ", "!", "c", "?", "?", "?", "|", "?", "\"", "c", "a", "\"", "?", "-", "R", "-", "o", "+-",
    "2", "3", "'", "u", "?", ".", ",", "1", "o", "\"", "?", "?", "?", "?", "A", "A", "A", "A",
    "A", "A", "AE", "C", "E", "E", "E", "E", "I", "I", "I", "I", "D", "N", "O", "O", "O", "O",
    "O", "x", "O", "U", "U", "U", "U", "Y", "TH", "ss", "a", "a", "a", "a", "a", "a", "ae", "c",
    "e", "e", "e", "e", "i", "i", "i", "i", "d", "n", "o", "o", "o", "o", "o", "/", "o", "u", "u",
    "u", "u", "y", "th", "y", "A", "a", "A", "a", "A", "a", "C", "c", "C", "c", "C", "c", "C",
    "c", "D", "d", "D", "d", "E", "e", "E", "e", "E", "e", "E", "e", "E", "e", "G", "g", "G", "g",
    "G", "g", "G", "g", "H", "h", "H", "h", "I", "i", "I", "i", "I", "i", "I", "i", "I", "i",
    "IJ", "ij", "J", "j", "K", "k", "k", "L", "l", "L", "l", "L", "l", "L", "l", "L", "l", "N",
    "n", "N", "n", "N", "n", "n", "N", "n", "O", "o", "O", "o", "O", "o", "OE", "oe", "R", "r",
    "R", "r", "R", "r", "S", "s", "S", "s", "S", "s", "S", "s", "T", "t", "T", "t", "T", "t", "U",
    "u", "U", "u", "U", "u", "U", "u", "U", "u", "U", "u", "W", "w", "Y", "y", "Y", "Z", "z", "Z",
    "z", "Z", "z", "s",
};

static const struct {
    uint32_t from, to;
    const char *ascii;
} others[] = {
    {0x0218, 0x0218, "S"},   {0x0219, 0x0219, "s"},   {0x021a, 0x021a, "T"},   {0x021b, 0x021b, "t"},
    {0x1e9e, 0x1e9e, "SS"},  {0x2000, 0x200a, " "},   {0x2010, 0x2015, "-"},   {0x2018, 0x201b, "'"},
    {0x201c, 0x201f, "\""},  {0x2022, 0x2022, "*"},   {0x2026, 0x2026, "..."}, {0x2039, 0x203a, "'"},
    {0x20ac, 0x20ac, "EUR"}, {0x2212, 0x2212, "-"},
};
/* clang-format on */

/* The text is valid UTF-8: the loader of documents and the database see to it. */
static uint32_t next_character(const char **text)
{
    const unsigned char *p = (const unsigned char *)*text;
    unsigned more = p[0] >= 0xf0 ? 3 : p[0] >= 0xe0 ? 2 : p[0] >= 0xc0 ? 1 : 0;
    uint32_t character = more ? p[0] & (0x3fU >> more) : p[0];

    *text += 1;
    for (; more > 0 && (p[1] & 0xc0) == 0x80; more--, p++) {
        character = character << 6 | (p[1] & 0x3fU);
        *text += 1;
    }
    return character;
}

static const char *ascii_of_character(uint32_t character)
{
    if (character >= LATIN_FIRST && character < LATIN_END)
        return latin[character - LATIN_FIRST];
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        if (character >= others[i].from && character <= others[i].to)
            return others[i].ascii;
    }
    return "?";
}

static const char *translate(struct arena *a, const char *text, bool one_for_one)
{
    struct text out;

    text_init(&out, a, ASCII_TEXT_MAX);
    while (*text) {
        uint32_t character = next_character(&text);
        char same = (char)character;

        if (character >= 0x20 && character < 0x7f)
            text_add_bytes(&out, &same, 1);
        else if (one_for_one)
            text_add_bytes(&out, ascii_of_character(character), 1);
        else
            text_add(&out, ascii_of_character(character));
    }
    return out.bytes;
}

const char *ascii_of(struct arena *a, const char *text, size_t limit)
{
    const char *ret;

    if (text_is_printable_ascii(text))
        return text;
    ret = translate(a, text, false);
    return limit > 0 && strlen(ret) > limit ? translate(a, text, true) : ret;
}
