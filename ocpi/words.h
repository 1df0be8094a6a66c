/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Words: the enums of OCPI. One list per enum makes the C constants and the table of words; the
 * constant without a value is PREFIX_NONE (0), a word that is not in the list PREFIX_UNLISTED.
 *
 * The enums that 2.3.0 opened are open in every version (R-TYPE-14/15): an unlisted word is read
 * as PREFIX_UNLISTED, the document keeps the word itself. Comparison is case-sensitive (R-LOC-14).
 */
#ifndef OCPI_WORDS_H
#define OCPI_WORDS_H

#include <stdbool.h>
#include <stddef.h>

/* A second spelling that is read but never written. */
struct word_alias {
    const char *word;
    unsigned value;
};

struct word_list {
    const char *name;         /* "SessionStatus" */
    const char *const *words; /* words[value - 1] */
    unsigned count;
    bool open;
    struct word_alias alias; /* .word NULL: none */
};

/* NULL for NONE and UNLISTED. */
const char *word_name(const struct word_list *list, unsigned value);
/* 0 for NULL, count + 1 for a word that is not in the list, whether or not the enum is open. */
unsigned word_parse(const struct word_list *list, const char *word);

#define WORD_CONSTANT_(PREFIX, word) PREFIX##_##word,
#define WORD_TEXT_(PREFIX, word) #word,

/* Declares name_words, name_name() and name_parse() of an `enum name` that is written by hand,
 * because a word of it is no C identifier: PREFIX_NONE, the words in the order of the table,
 * PREFIX_UNLISTED. */
#define WORDS_DECLARE_TABLE(name)                                                                  \
    extern const struct word_list name##_words;                                                    \
    static inline const char *name##_name(enum name value)                                         \
    {                                                                                              \
        return word_name(&name##_words, value);                                                    \
    }                                                                                              \
    static inline enum name name##_parse(const char *word)                                         \
    {                                                                                              \
        return (enum name)word_parse(&name##_words, word);                                         \
    }

/* Declares `enum name` as well. */
#define WORDS_DECLARE(name, PREFIX, LIST)                                                          \
    enum name { PREFIX##_NONE, LIST(WORD_CONSTANT_, PREFIX) PREFIX##_UNLISTED };                   \
    WORDS_DECLARE_TABLE(name)

/* Defines the table, in one .c file. Further arguments: `.open = true`, `.alias = {...}`. */
#define WORDS_DEFINE(name_, PREFIX, LIST, ocpi_name, ...)                                          \
    static const char *const name_##_texts[] = {LIST(WORD_TEXT_, PREFIX)};                         \
    const struct word_list name_##_words = {.name = ocpi_name,                                     \
                                            .words = name_##_texts,                                \
                                            .count =                                               \
                                                sizeof(name_##_texts) / sizeof(name_##_texts[0]),  \
                                            __VA_ARGS__};

#endif
