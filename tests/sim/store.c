/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Entries by module and key.
 */
#include "tests/sim/store.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

struct store *store_new(void)
{
    struct store *s = calloc(1, sizeof(*s));

    assert(s);
    s->received = json_object();
    s->pulled = json_object();
    s->results = json_array();
    s->invoices = json_array();
    return s;
}

void store_free(struct store *s)
{
    if (!s)
        return;
    json_decref(s->received);
    json_decref(s->pulled);
    json_decref(s->results);
    json_decref(s->invoices);
    free(s);
}

void store_clear(struct store *s)
{
    json_object_clear(s->received);
    json_object_clear(s->pulled);
    json_array_clear(s->results);
    json_array_clear(s->invoices);
}

json_t *store_find(const struct store *s, const char *module, const char *key)
{
    char lower[STORE_KEY];

    if (!text_copy(lower, sizeof(lower), key))
        return 0;
    text_to_lower(lower);
    return json_object_get(json_object_get(s->received, module), lower);
}

void entry_count(json_t *entry, const char *what)
{
    json_object_set_new(entry, what,
                        json_integer(json_integer_value(json_object_get(entry, what)) + 1));
}

json_t *store_push(struct store *s, const char *module, const char *key, const char *owner,
                   const char *id, const char *method, const char *version)
{
    json_t *entries = json_object_get(s->received, module), *entry;
    char lower[STORE_KEY];

    if (!entries) {
        entries = json_object();
        json_object_set_new(s->received, module, entries);
    }
    text_copy(lower, sizeof(lower), key);
    text_to_lower(lower);
    entry = json_object_get(entries, lower);
    if (!entry) {
        entry = json_pack("{s:s, s:s, s:i, s:i, s:b, s:n, s:b, s:n}", "owner", owner, "id", id,
                          "pushes", 0, "older", 0, "valid", 1, "error", "deleted", 0, "document");
        assert(entry);
        json_object_set_new(entries, lower, entry);
    }
    entry_count(entry, "pushes");
    json_object_set_new(entry, "method", json_string(method));
    json_object_set_new(entry, "version", json_string(version));
    return entry;
}

json_t *entry_document(const json_t *entry)
{
    json_t *document = json_object_get(entry, "document");

    if (!json_is_object(document) || json_is_true(json_object_get(entry, "deleted")))
        return 0;
    return document;
}

void entry_set_document(json_t *entry, json_t *document)
{
    json_object_set_new(entry, "document", document);
    json_object_set_new(entry, "deleted", json_false());
}

void entry_refuse(json_t *entry, const char *error, json_t *body)
{
    if (json_is_null(json_object_get(entry, "error")))
        json_object_set_new(entry, "error", json_string(error));
    json_object_set_new(entry, "valid", json_false());
    if (body)
        json_object_set_new(entry, "refused", json_deep_copy(body));
}
