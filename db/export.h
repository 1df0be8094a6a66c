/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Export: the rows of one statement, however many, one after the other. They are one snapshot,
 * because they are one statement; the memory they take does not grow with their number, because
 * each is given away before the next is read, and the server waits while nobody takes them.
 *
 * An export has a connection of its own for its life, so there are few at a time: EXPORTS_MAX in
 * this process, and more are refused (ERR_OVERLOADED).
 */
#ifndef DB_EXPORT_H
#define DB_EXPORT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

enum { EXPORTS_MAX = 4 };

struct export;

enum export_kind { EXPORT_TEXT, EXPORT_NUMBER, EXPORT_BOOL, EXPORT_JSON };

struct export_column {
    const char *name;
    enum export_kind kind;
    const char *value; /* NULL: SQL NULL; the times are text, as the statement printed them */
    size_t length;
};

struct export_taker {
    /* Borrowed for the call. false: enough for now, until export_go_on(). May cancel. */
    bool (*row)(void *arg, const struct export_column *columns, int count);
    /* Last of all, once: failed: not all rows were given. Not called after export_cancel. */
    void (*ended)(void *arg, struct err e);
};

void export_go_on(struct export *x);
/* Nobody wants the rest; NULL is fine. */
void export_cancel(struct export *x);

#endif
