/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ocpi-tables: prints the field tables of OCPI 2.2.1 as JSON, for tests that make their cases of
 * them. {"Location": [{"name": "id", "kind": "text", "limit": 36, "required": true, ...}, ...]}
 */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "ocpi/object.h"

static const char *kind_name(enum field_kind kind)
{
    switch (kind) {
    case FIELD_TEXT:
        return "text";
    case FIELD_URL:
        return "url";
    case FIELD_TIME:
        return "time";
    case FIELD_NUMBER:
        return "number";
    case FIELD_INT:
        return "int";
    case FIELD_BOOL:
        return "bool";
    case FIELD_ENUM:
        return "enum";
    case FIELD_OBJECT:
        return "object";
    }
    return "?";
}

static json_t *describe_words(const struct word_list *list)
{
    json_t *words = json_array();

    for (unsigned i = 0; i < list->count; i++)
        json_array_append_new(words, json_string(list->words[i]));
    return json_pack("{s:s, s:b, s:o, s:s?}", "name", list->name, "open", list->open, "words",
                     words, "alias", list->alias.word);
}

static json_t *describe_field(const struct field_facts *facts)
{
    json_t *field =
        json_pack("{s:s, s:s, s:b, s:b, s:b, s:b, s:b, s:I}", "name", facts->name, "kind",
                  kind_name(facts->kind), "list", facts->list, "required", facts->required,
                  "caseless", facts->caseless, "identity", facts->identity, "number_tolerated",
                  facts->number_tolerated, "limit", (json_int_t)facts->limit);

    if (facts->type)
        json_object_set_new(field, "type", json_string(object_type_name(facts->type)));
    if (facts->words)
        json_object_set_new(field, "enum", describe_words(facts->words));
    return field;
}

static json_t *describe_type(const struct object_type *type)
{
    json_t *fields = json_array();

    for (size_t i = 0; i < object_type_fields(type); i++) {
        struct field_facts facts = object_type_field(type, i);

        json_array_append_new(fields, describe_field(&facts));
    }
    return fields;
}

int main(void)
{
    const struct object_type *type;
    json_t *classes = json_object();
    int failed_to_print;

    for (size_t i = 0; (type = object_type_at(OCPI_2_2_1, i)); i++)
        json_object_set_new(classes, object_type_name(type), describe_type(type));
    failed_to_print = json_dumpf(classes, stdout, JSON_INDENT(1)) || puts("") < 0;
    json_decref(classes);
    return failed_to_print ? EXIT_FAILURE : EXIT_SUCCESS;
}
