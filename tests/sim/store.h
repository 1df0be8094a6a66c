/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Store: what was pushed to us, what we pulled, and the results of what we asked for. Everything
 * is kept as it came, also what is wrong: a test wants to see it.
 *
 * An entry is a JSON object:
 *   {"owner": "FI-VRT", "id", "version", "pushes": 3, "method": "PATCH", "valid": true,
 *    "older": 0, "error": null, "deleted": false, "document": {...}, "refused": {...}}
 * `older` counts pushes that were older than what held, `error` is the first complaint there ever
 * was, `document` what holds now (null: nothing usable came yet), `refused` the last body that was
 * not taken.
 */
#ifndef TESTS_SIM_STORE_H
#define TESTS_SIM_STORE_H

#include <jansson.h>
#include <stdbool.h>

enum { STORE_KEY = 320 };

struct store {
    json_t *received; /* module -> {key in lower case -> entry} */
    json_t *pulled;   /* module -> the last pull */
    json_t *results;  /* callbacks, in order of arrival */
    json_t *invoices; /* our own invoice records, as they were told */
};

struct store *store_new(void);
void store_free(struct store *s);
void store_clear(struct store *s);

/* NULL: nothing came under this key. Keys in any spelling. */
json_t *store_find(const struct store *s, const char *module, const char *key);
/* The entry of that key, made if need be, with this push counted. */
json_t *store_push(struct store *s, const char *module, const char *key, const char *owner,
                   const char *id, const char *method, const char *version);
void entry_count(json_t *entry, const char *what); /* "pushes", "older" */
/* NULL: unknown, deleted, or never a usable one. */
json_t *entry_document(const json_t *entry);
void entry_set_document(json_t *entry, json_t *document); /* takes the reference */
/* Complaint and body; the document stays what it was. */
void entry_refuse(json_t *entry, const char *error, json_t *body);

#endif
