/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ocpi-tables: prints the field tables of a version of OCPI as JSON, for tests that make their
 * cases of them. {"Location": [{"name": "id", "kind": "text", "limit": 36, "required": true, ...},
 * ...]}
 *
 *   ocpi-tables [--version 2.1.1|2.2.1|2.3.0]      2.2.1 if it is not said
 */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

/* NONE for what is no version and for arguments that are none. */
static enum ocpi_version version_of_arguments(int argc, char **argv)
{
    if (argc == 1)
        return OCPI_2_2_1;
    if (argc == 3 && strcmp(argv[1], "--version") == 0)
        return version_parse(argv[2]);
    return OCPI_VERSION_NONE;
}

int main(int argc, char **argv)
{
    enum ocpi_version version = version_of_arguments(argc, argv);
    const struct object_type *type;
    json_t *classes;
    int failed_to_print;

    if (version == OCPI_VERSION_NONE) {
        fputs("usage: ocpi-tables [--version 2.1.1|2.2.1|2.3.0]\n", stderr);
        return EXIT_FAILURE;
    }
    classes = json_object();
    for (size_t i = 0; (type = object_type_at(version, i)); i++)
        json_object_set_new(classes, object_type_name(type), describe_type(type));
    failed_to_print = json_dumpf(classes, stdout, JSON_INDENT(1)) || puts("") < 0;
    json_decref(classes);
    return failed_to_print ? EXIT_FAILURE : EXIT_SUCCESS;
}
