/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Errors: the list of base/err.h as a table, and the one way to make an error with a text.
 */
#include "base/err.h"

#include <assert.h>
#include <stdarg.h>

#include "base/arena.h"
#include "base/log.h"

static const struct err_info infos[ERR_COUNT] = {
#define X(kind, http, code, ocpi_http, ocpi_code, level, text)                                     \
    [ERR_##kind] = {#kind, http, code, ocpi_http, ocpi_code, LOG_##level, text},
    ERRORS(X)
#undef X
};

const struct err_info *err_info(enum err_kind kind)
{
    assert((unsigned)kind < ERR_COUNT);
    return &infos[kind];
}

const char *err_text(struct err e)
{
    return e.text ? e.text : err_info(e.kind)->text;
}

struct err err_at(struct arena *a, enum err_kind kind, const char *where, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    struct err e = {kind, arena_vprintf(a, format, args), where};
    va_end(args);
    return e;
}
