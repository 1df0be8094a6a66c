/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Accept and Accept-Language: weights, precision, and headers that are no headers.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "hub/server/http_accept.h"

static const char *const types[] = {"application/json", "text/html", "application/pdf"};
static const char *const languages[] = {"en", "de", "fi"};

struct accept_case {
    const char *header;
    int expected;
};

static void check(int (*pick)(const char *, const char *const *, size_t),
                  const char *const *offered, const struct accept_case *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        int got = pick(cases[i].header, offered, 3);
        if (got != cases[i].expected)
            fail_msg("%s: %d instead of %d", cases[i].header ? cases[i].header : "(none)", got,
                     cases[i].expected);
    }
}

static void the_heaviest_and_most_precise_type_wins(void **state)
{
    static const struct accept_case cases[] = {
        {NULL, 0},
        {"", 0},
        {"*/*", 0},
        {"application/json", 0},
        {"application/pdf", 2},
        {"Application/PDF", 2},
        {"text/html", 1},
        {"text/*", 1},
        {"application/*", 0},
        {"application/json;q=0.5, application/pdf", 2},
        {"application/json;q=0.5,application/pdf;q=0.501", 2},
        {"text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8", 1},
        {"*/*;q=0.1, text/html;q=0.2", 1},
        {"application/*;q=1, application/json;q=0.1", 2},
        {"*/*, application/json;q=0", 1},
        {"application/json; charset=utf-8", 0},
        {"application/pdf ; q=0.9 , text/html; q=0.8", 2},
        {"application/pdf;Q=0.9, text/html;q=0.8", 2},
        {"application/pdf;name=\"a,b;q=0\";q=1", 2},
        {",, ,application/pdf,,", 2},
        {"application/pdf;", 2},
        /* none of ours */
        {"image/png", HTTP_ACCEPT_NONE},
        {"text/plain, image/*;q=0.5", HTTP_ACCEPT_NONE},
        {"application/json;q=0", HTTP_ACCEPT_NONE},
        {"*/*;q=0.000", HTTP_ACCEPT_NONE},
        {"application/jso", HTTP_ACCEPT_NONE},
        {"application/jsonx", HTTP_ACCEPT_NONE},
        {"*/html", HTTP_ACCEPT_NONE},
    };

    (void)state;
    check(http_accept_type, types, cases, sizeof cases / sizeof *cases);
}

static void what_is_malformed_is_passed_over(void **state)
{
    static const struct accept_case cases[] = {
        {"application", 0},
        {"/", 0},
        {"application/", 0},
        {"text/html/x", 0},
        {"text /html", 0},
        {"text/html;q=2", 0},
        {"text/html;q=1.001", 0},
        {"text/html;q=0.1234", 0},
        {"text/html;q=-1", 0},
        {"text/html;q=", 0},
        {"text/html;q", 0},
        {"text/html;q=.5", 0},
        {"text/html;x=\"open", 0},
        {"\"", 0},
        {"\"\\", 0},
        {"text/html;q=7, application/pdf;q=0.1", 2},
        {"garbage, application/pdf", 2},
        {"text/html;q=1.000", 1},
        {"text/html;q=0.", HTTP_ACCEPT_NONE},
    };

    (void)state;
    check(http_accept_type, types, cases, sizeof cases / sizeof *cases);
}

static void the_language_that_is_liked_best_is_found(void **state)
{
    static const struct accept_case cases[] = {
        {NULL, HTTP_ACCEPT_NONE},
        {"", HTTP_ACCEPT_NONE},
        {"de", 1},
        {"DE", 1},
        {"de-AT", 1},
        {"de-at, en;q=0.9", 1},
        {"fi-FI,fi;q=0.9,en-US;q=0.8,en;q=0.7", 2},
        {"sv;q=0.9, fi;q=0.8, en;q=0.7", 2},
        {"sv, no", HTTP_ACCEPT_NONE},
        {"*", 0},
        {"sv, *;q=0.5", 0},
        {"en;q=0, *", 1},
        {"en;q=0.2, *;q=0.1, fi;q=0.15", 0},
        {"de;q=0.5, fi;q=0.5", 1},
        {"deu", HTTP_ACCEPT_NONE},
        {"d", HTTP_ACCEPT_NONE},
        {"de;q=0, de-AT", HTTP_ACCEPT_NONE},
        {"x;y;z, fi", 2},
    };

    (void)state;
    check(http_accept_language, languages, cases, sizeof cases / sizeof *cases);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_heaviest_and_most_precise_type_wins),
        cmocka_unit_test(what_is_malformed_is_passed_over),
        cmocka_unit_test(the_language_that_is_liked_best_is_found),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
