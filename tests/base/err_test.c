/* SPDX-License-Identifier: Apache-2.0 */
/* Errors: the list is complete and keeps to the rules of both worlds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/log.h"

static void every_kind_has_all_its_facts(void **state)
{
    (void)state;
    for (unsigned kind = 0; kind < ERR_COUNT; kind++) {
        const struct err_info *info = err_info((enum err_kind)kind);
        assert_non_null(info->name);
        assert_true(*info->text && *info->code);
        assert_in_range(info->level, LOG_DEBUG, LOG_ERROR);
        assert_true(info->http == 200 || (info->http >= 400 && info->http <= 505));
        /* OCPI knows 1000, 2xxx (client), 3xxx (server) and 4xxx (hub). */
        assert_in_range(info->ocpi_code, 1000, 4003);
        for (const char *c = info->code; *c; c++)
            assert_true(*c == '_' || (*c >= 'a' && *c <= 'z'));
    }
}

static void our_own_problems_are_logged_as_errors(void **state)
{
    (void)state;
    for (unsigned kind = 1; kind < ERR_COUNT; kind++)
        if (err_info((enum err_kind)kind)->http == 500)
            assert_int_equal(err_info((enum err_kind)kind)->level, LOG_ERROR);
}

static void the_text_is_the_given_one_or_that_of_the_list(void **state)
{
    struct arena *a = arena_new(10000);
    struct err e = err_at(a, ERR_BAD_FIELD, "/id", "%s: %d", "id", 7);

    (void)state;
    assert_true(failed(e));
    assert_string_equal(err_text(e), "id: 7");
    assert_string_equal(e.where, "/id");
    assert_string_equal(err_text(err_new(ERR_NOT_FOUND)), err_info(ERR_NOT_FOUND)->text);
    assert_false(failed(OK));
    arena_free(a);
}

static struct err first(int *reached, struct err e)
{
    TRY(e);
    ++*reached;
    return OK;
}

static void try_returns_an_error_and_goes_on_without(void **state)
{
    int reached = 0;

    (void)state;
    assert_int_equal(first(&reached, err_new(ERR_STORE)).kind, ERR_STORE);
    assert_int_equal(reached, 0);
    assert_false(failed(first(&reached, OK)));
    assert_int_equal(reached, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_has_all_its_facts),
        cmocka_unit_test(our_own_problems_are_logged_as_errors),
        cmocka_unit_test(the_text_is_the_given_one_or_that_of_the_list),
        cmocka_unit_test(try_returns_an_error_and_goes_on_without),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
