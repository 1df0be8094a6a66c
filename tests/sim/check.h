/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Check: the hub's messages against OCPI. What is wrong becomes a violation; a test ends with
 * none. Requests are answered all the same, as a lenient network would.
 */
#ifndef TESTS_SIM_CHECK_H
#define TESTS_SIM_CHECK_H

#include <jansson.h>

#include "ocpi/object.h"

struct call;
struct check;
struct http_answer;
struct http_call;
struct push;
struct sim;
struct text;

struct check *check_new(void);
void check_free(struct check *c);
void check_clear(struct check *c);
void check_print(const struct check *c, struct text *out);

void check_violation(struct sim *sim, const char *rule, const char *method, const char *path,
                     const char *format, ...) __attribute__((format(printf, 5, 6)));
/* Headers of a request. */
void check_request(struct call *call);
/* Its body, by the class of the call's version; false if it is not of the class. A class that has
 * no table is not checked. */
bool check_body(struct call *call, const char *class);
bool check_patch(struct call *call, const char *class);
/* response_url and authorization_reference are used once. */
void check_used_once(struct call *call, const char *what, const char *value);
/* The hub's answer to what we sent. */
void check_answer(struct sim *sim, const struct push *p, const struct http_call *call,
                  const struct http_answer *answer);

#endif
