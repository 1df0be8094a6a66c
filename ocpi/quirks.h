/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Quirks: what we put up with in one partner (R-TRANS-22). Data, never code: a row of the register
 * says which partner has which; all are off for a new one. `auth_encoding` has a value and is a
 * member of the peer.
 */
#ifndef OCPI_QUIRKS_H
#define OCPI_QUIRKS_H

#include <jansson.h>
#include <stdbool.h>

/* clang-format off */
/*    name                  what it does */
#define QUIRKS(X) \
    X(trailing_slash,       "endpoint URLs are called with a slash at the end") \
    X(list_for_object,      "where one object is expected, a list of one is read as the object") \
    X(missing_envelope,     "an answer without envelope and with HTTP 2xx is its data (code 1000)") \
    X(numbers_as_text,      "numbers may come as JSON strings") \
    X(offset_times,         "times may have any UTC offset") \
    X(long_text,            "texts may be longer than OCPI allows, up to 5000 characters") \
    X(unknown_words,        "words that closed enums do not have are kept") \
    X(lower_case_ids,       "ids of the partner's own objects are sent in lower case in URLs") \
    X(no_timeout,           "a CommandResponse without timeout is normal and not reported") \
    X(unreliable_clock,     "last_updated does not order the partner's pushes: the later one wins") \
    X(version_2_2,          "the version label 2.2 is read as 2.2.1") \
    X(keep_unknown,         "members that 2.1.1 does not know are sent to it nevertheless") \
    X(lenient_routing,      "routing headers that are wrong or halved are ignored") \
    X(prefers_amps,         "charging profiles are sent in ampere per phase") \
    X(assume_remote_start,  "EVSEs may be started remotely although they do not say so")
/* clang-format on */

struct quirks {
#define X(name, help) bool name;
    QUIRKS(X)
#undef X
};

/* Of {"name": true, ...}; NULL and unknown names: none. */
struct quirks quirks_read(const json_t *json);
/* What a name stands for, or NULL: there is no such quirk. */
const char *quirk_help(const char *name);

#endif
