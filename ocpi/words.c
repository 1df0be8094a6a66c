/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Words: look-up in the tables of the enums. The lists are short; a walk is fast enough.
 */
#include "ocpi/words.h"

#include <string.h>

const char *word_name(const struct word_list *list, unsigned value)
{
    if (value == 0 || value > list->count)
        return NULL;
    return list->words[value - 1];
}

unsigned word_parse(const struct word_list *list, const char *word)
{
    if (!word)
        return 0;
    for (unsigned i = 0; i < list->count; i++) {
        if (strcmp(list->words[i], word) == 0)
            return i + 1;
    }
    if (list->alias.word && strcmp(list->alias.word, word) == 0)
        return list->alias.value;
    return list->count + 1;
}
