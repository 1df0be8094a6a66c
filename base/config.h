/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Config: an INI file read through one table of settings.
 *
 * The table (name, section, type, default, help) is the only list: it reads the file, prints the
 * commented sample, checks the environment (PREFIX + upper-case name wins over the file) and names
 * file, line, setting and reason in a complaint. A setting of type SECRET_FILE names a file whose
 * first line is the secret. Settings are read once, checked as a whole, then constant.
 */
#ifndef BASE_CONFIG_H
#define BASE_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/err.h"
#include "base/secret.h"

struct arena;

enum setting_type {
    SETTING_TEXT,        /* const char * */
    SETTING_INT,         /* int64_t, min..max */
    SETTING_BOOL,        /* bool: true/false/yes/no/on/off/1/0 */
    SETTING_MILLIS,      /* int64_t in ms: "500ms", "15s", "10m", "2h", "7d" */
    SETTING_BYTES,       /* int64_t: "64k", "1m", plain bytes */
    SETTING_LIST,        /* const char *const *: comma-separated, NULL-terminated */
    SETTING_SECRET_FILE, /* struct secret: the value is a path; named <setting>_file */
    SETTING_FILE,        /* const char *: must exist and be readable when given */
};

struct setting {
    const char *section, *name;
    enum setting_type type;
    size_t offset;             /* into the caller's struct */
    const char *default_value; /* as it would stand in the file; NULL: none */
    const char *help;          /* one line */
    int64_t min, max;          /* INT, MILLIS, BYTES; both 0: any value >= 0 */
    bool required;
};

/* `path` NULL: defaults and environment only. ret points to a zeroed struct; text lives in the
 * arena, and so do secrets, which are wiped with it. The error text is complete:
 * "hub.ini:12: workers: 0 is below the least value, 1". */
struct err config_read(struct arena *a, const struct setting *table, const char *path,
                       const char *environment_prefix, void *ret);
void config_print_sample(const struct setting *table, FILE *out);

#endif
