/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Complaints: what is said about a value that the tables refuse. For ocpi/object.c; the rules of
 * single classes use object_complaint() of ocpi/field.h.
 *
 * A complaint names the place by JSON pointer, what came and what was expected. Its text repeats no
 * value from outside, except an unknown word of an enum if it looks like one; err.came does.
 */
#ifndef OCPI_COMPLAINT_H
#define OCPI_COMPLAINT_H

#include "ocpi/field.h"

const char *complaint_pointer(const struct object_place *at); /* "/evses/0/uid" */

/* About the value that stands at the place; NULL: it is missing there. */
struct err complaint_about(const struct object_place *at, const json_t *value, const char *rule,
                           const char *wanted, const char *format, ...)
    __attribute__((format(printf, 5, 6)));
/* The value is of a kind that the field, or each entry of it, does not take. */
struct err complaint_of_kind(const struct object_place *at, const struct field *field,
                             const json_t *value);

/* The rule that values of the field's kind obey. */
const char *complaint_rule(const struct field *field);

/* Words for a text: what came, what one value should have been, what the field should have been. */
const char *complaint_kind(const json_t *value);
const char *complaint_one(struct arena *a, const struct field *field);
const char *complaint_expected(struct arena *a, const struct field *field);
/* The last two for err.expected, where there is room for the words of a closed enum. */
const char *complaint_wanted_one(struct arena *a, const struct field *field);
const char *complaint_wanted(struct arena *a, const struct field *field);

#endif
