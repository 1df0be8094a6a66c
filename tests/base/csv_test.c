/* SPDX-License-Identifier: Apache-2.0 */
/* CSV: what a spreadsheet gets is what was meant, and never a formula. */
#include "base/csv.h"
#include "base/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void check(const char *value, const char *expected)
{
    struct text t;

    text_init(&t, NULL, 4096);
    csv_put_text(&t, true, value, value ? strlen(value) : 0);
    assert_string_equal(t.length ? t.bytes : "", expected);
    text_done(&t);
}

static void text_stands_in_quotes(void **state)
{
    (void)state;
    check("Virta", "\"Virta\"");
    check("", "\"\"");
    check(NULL, "");
    check("Stra\xc3\x9f"
          "e 1",
          "\"Stra\xc3\x9f"
          "e 1\"");
    check("a'b", "\"a'b\"");
    check("5-3", "\"5-3\"");
    check("00123", "\"00123\"");
    check("12E5", "\"12E5\"");
    check("a,b", "\"a,b\"");
    check("a\"b", "\"a\"\"b\"");
    check("a\nb", "\"a\nb\"");
    check("a\rb", "\"a\rb\"");
    check(" a ", "\" a \"");
}

static void formulas_become_text(void **state)
{
    (void)state;
    check("=1+1", "\"'=1+1\"");
    check("+49", "\"'+49\"");
    check("-1", "\"'-1\"");
    check("@SUM(A1)", "\"'@SUM(A1)\"");
    check("\tx", "\"'\tx\"");
    check("\rx", "\"'\rx\"");
    check("  =1", "\"'  =1\"");
    check("=cmd|'/C calc'!A0,1", "\"'=cmd|'/C calc'!A0,1\"");
    check("=HYPERLINK(\"x\")", "\"'=HYPERLINK(\"\"x\"\")\"");
}

static void numbers_are_written_as_they_are(void **state)
{
    struct text t;

    (void)state;
    text_init(&t, NULL, 4096);
    csv_put_text(&t, true, "a", 1);
    csv_put_plain(&t, false, "-7.20", 5);
    csv_put_plain(&t, false, NULL, 0);
    csv_put_text(&t, false, NULL, 0);
    csv_put_plain(&t, false, "0", 1);
    csv_end_row(&t);
    assert_string_equal(t.bytes, "\"a\",-7.20,,,0\r\n");
    text_done(&t);
}

static void a_nul_is_left_out(void **state)
{
    struct text t;

    (void)state;
    text_init(&t, NULL, 4096);
    csv_put_text(&t, true, "a\0b", 3);
    assert_string_equal(t.bytes, "\"ab\"");
    text_done(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_stands_in_quotes),
        cmocka_unit_test(formulas_become_text),
        cmocka_unit_test(numbers_are_written_as_they_are),
        cmocka_unit_test(a_nul_is_left_out),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
