# SPDX-License-Identifier: Apache-2.0
"""
No amount, price, rate, energy or duration is ever a binary float: what reckons with money, and the
SQL that keeps it, has no floating type in it, nor a call that gives or takes one.
"""

import pathlib
import re

import pytest

from test_includes import ROOT, name_of, without_comments_and_texts

# What reckons with money, by the beginning of the file's name. Folders end with a slash.
MONEY = (
    "base/decimal", "ocpi/price", "ocpi/bill", "ocpi/retail", "ocpi/cdr_check", "ocpi/cdr_tariff",
    "ocpi/tariff", "ocpi/cdr", "ocpi/psp", "ocpi/v211/cdr", "ocpi/v211/tariff", "ocpi/v230/cdr",
    "ocpi/v230/tariff", "ocpi/translate/cdr", "ocpi/translate/tariff",
    "db/cdr", "db/tariff", "db/retail", "db/receipt", "db/ledger", "db/payment", "db/statement.",
    "db/settlement", "db/invoice", "db/finance", "db/refund",
    "hub/finance/", "hub/api/receipt", "hub/ctl/retail", "hub/ctl/finance", "hub/ops/retail",
    "hub/ops/vat", "hub/ops/tariff_lint", "hub/jobs/finance", "hub/jobs/pay", "hub/jobs/lint",
    "hub/jobs/limits", "adapters/psp", "tests/sim/psp",
)

# Named one by one, each with its reason: none so far.
MAY = {}

FLOATING = re.compile(
    r"(?<![\w.])(?:float|double|_Complex|_Decimal\d+|float_t|double_t|DBL_\w+|FLT_\w+|JSON_REAL\w*)(?!\w)")
CALL = re.compile(
    r"(?<![\w.>])(?:json_real\w*|json_is_real|json_number_value|strto(?:d|f|ld)|atof|"
    r"(?:l?l?round|floor|ceil|l?l?rint|trunc|pow|fmod|fabs|modf)[fl]?)\s*(?=\()")
# 1.5, .5, 1e3, 1.5f, 0x1p3; no 1.5 within a name and no member access.
LITERAL = re.compile(r"(?<![\w.])(?:\d+\.\d*(?:[eE][+-]?\d+)?|\.\d+(?:[eE][+-]?\d+)?|\d+[eE][+-]?\d+"
                     r"|0[xX][0-9a-fA-F.]+[pP][+-]?\d+)[fFlL]?(?![\w.])")
HEADER = re.compile(r"#\s*include\s*<(math|tgmath|float|complex)\.h>")
# "%f" prints one. The texts are looked at for this alone.
FORMAT = re.compile(r'"(?:\\.|[^"\\\n])*%[-+#0]*(?:\d+|\*)?(?:\.(?:\d+|\*))?L?[aAeEfFgG](?:\\.|[^"\\\n])*"')
PRINTING = re.compile(r"printf|scanf|err_at|arena_printf|text_printf|complain")

SQL_FLOATING = re.compile(r"\b(?:float[48]?|real|double\s+precision|money|json_real)\b", re.IGNORECASE)
SQL_COMMENT = re.compile(r"--[^\n]*|/\*.*?\*/", re.DOTALL)
SQL_TEXT = re.compile(r"'(?:[^'])*'")
MONEY_MIGRATIONS = ("019_", "020_", "021_", "022_", "023_")


def faults_of_c(code):
    """(line, what) of each floating thing in C."""
    bare = without_comments_and_texts(code)
    found = [(code.count("\n", 0, m.start()) + 1, m.group().strip())
             for pattern in (FLOATING, CALL, LITERAL) for m in pattern.finditer(bare)]
    found += [(code.count("\n", 0, m.start()) + 1, m.group()) for m in HEADER.finditer(code)]
    for number, line in enumerate(code.split("\n"), 1):
        if PRINTING.search(line):
            found += [(number, m.group()) for m in FORMAT.finditer(line)]
    return sorted(found)


def faults_of_sql(text):
    blank = lambda m: re.sub(r"[^\n]", " ", m.group())
    bare = SQL_TEXT.sub(blank, SQL_COMMENT.sub(blank, text))
    return [(text.count("\n", 0, m.start()) + 1, m.group()) for m in SQL_FLOATING.finditer(bare)]


def money_sources():
    return [p for folder in ("base", "ocpi", "db", "adapters", "hub", "tests/sim")
            for p in sorted((ROOT / folder).rglob("*.[ch]")) if name_of(p).startswith(MONEY)]


def money_statements():
    """The statements of the modules above, and what the migrations of money define."""
    named = {pathlib.PurePath(m).name.rstrip(".") for m in MONEY if m.startswith("db/")}
    statements = [p for p in sorted((ROOT / "db/statements").glob("*.sql")) if p.stem.startswith(tuple(named))]
    return statements + [p for p in sorted((ROOT / "db/migrations").glob("*.sql"))
                         if p.name.startswith(MONEY_MIGRATIONS)]


def test_no_floating_type_in_what_reckons_with_money():
    wrong = [f"{name_of(p)}:{line}: {what}" for p in money_sources() if name_of(p) not in MAY
             for line, what in faults_of_c(p.read_text(encoding="utf-8"))]
    assert not wrong, "\n".join(wrong)


def test_no_floating_type_in_the_tables_of_money():
    wrong = [f"{name_of(p)}:{line}: {what}" for p in money_statements()
             for line, what in faults_of_sql(p.read_text(encoding="utf-8"))]
    assert not wrong, "\n".join(wrong)


def test_the_modules_of_money_are_there():
    """A module that was renamed would be looked for in vain."""
    names = [name_of(p) for p in money_sources()]
    for module in ("base/decimal.c", "ocpi/price_amount.c", "ocpi/bill.c", "ocpi/bill_record.c", "ocpi/retail.c",
                   "ocpi/retail_read.c", "ocpi/retail_quote.c", "ocpi/cdr_check.c", "ocpi/tariff_lint.c"):
        assert module in names


@pytest.mark.parametrize("code", [
    "double x;", "float f(int a);", "static const double half = 1 / 2;", "long double *p;",
    "json_object_set_new(o, \"cost\", json_real(amount));", "x = json_real_value(v);", "if (json_is_real(v))",
    "int64_t x = (int64_t)(a * 1.19);", "x = a * .5;", "x = 1e6;", "x = 1.5f;", "x = strtod(s, NULL);",
    "x = llround(y);", "#include <math.h>", "arena_printf(a, \"%.2f\", x);", "snprintf(b, n, \"%5.15g\", x);",
])
def test_a_float_is_found(code):
    assert faults_of_c("int a;\n" + code + "\n")
    assert all(line == 2 for line, _ in faults_of_c("int a;\n" + code + "\n"))


@pytest.mark.parametrize("code", [
    "/* double entry, 0.5 */", "// a float\n", 'text = "0.5 or double";', "struct x a = {.y = 1};", "ledger_double(x);",
    "x.at[0].price;", "int64_t double_entries;", "x = 0x1E3;", "printf(\"%5d %% of\", x);", "round_div(a, b);",
    "int half_up = 2 * a;", "struct round *round = f->state;", "decimal_round(x);", "floor_div(a, b);", "\"% for each\"; complain(x);",
])
def test_what_is_none_is_not_found(code):
    assert not faults_of_c(code)


@pytest.mark.parametrize("text,found", [
    ("amount numeric(20,6)", False), ("amount double precision", True), ("x float8", True), ("x::real", True),
    ("-- real money\nx bigint", False), ("x text DEFAULT 'money'", False), ("x money", True),
])
def test_floats_of_sql(text, found):
    assert bool(faults_of_sql(text)) == found
