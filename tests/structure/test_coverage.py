# SPDX-License-Identifier: Apache-2.0
"""
tests/ocpi-coverage says of each rule of OCPI which tests hold it, or why none does. What it says is
complete and true: every rule that a source or a test names stands there, and every test file that a
line lists has a test that names the rule.
"""

import ast
import collections
import functools
import io
import pathlib
import re
import tokenize

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
TESTS = ROOT / "tests"
COVERAGE = TESTS / "ocpi-coverage"
FOLDERS = ("ocpi", "hub", "db", "adapters", "tests")
SUFFIXES = (".c", ".h", ".py", ".sql")

# In the order of the file.
GROUPS = ("TYPE", "TRANS", "VER", "CRED", "ROUTE", "HCI", "ASYNC", "CMD", "CP", "LOC", "SESS", "CDR", "TAR", "TOK",
          "INV", "PAY", "BOOK", "BR", "REST", "AMB")
# Of these together nine in ten are tested.
MOSTLY_TESTED = ("TYPE", "TRANS", "VER", "CRED", "HCI", "ASYNC", "CMD", "CP", "LOC", "SESS", "CDR", "TAR", "TOK")
REASONS = ("not built: ", "nothing to test: ")

# "R-TYPE-01", and what may follow it: ", 02", ", -05", "/04", " and -07", "..09", "..R-TYPE-09".
MORE = r"(?:\s*(?:,|/|and|\.\.)\s*(?:and\s+)?(?:R-\1)?-?\d\d(?!\d|\.\d))*"
NAMED = re.compile(r"(?<![\w-])R-(" + "|".join(GROUPS) + r")-(\d\d)(?!\d)(" + MORE + ")")
STEP = re.compile(r"(\.\.)?\s*(?:R-[A-Z]+)?-?(\d\d)(?!\d)")


def ids_in(text):
    """Every rule that the text names, also in the short forms."""
    found = set()
    for group, first, more in NAMED.findall(text):
        last = int(first)
        found.add(f"R-{group}-{last:02}")
        for to, number in STEP.findall(more):
            start = last + 1 if to else int(number)
            last = int(number)
            found.update(f"R-{group}-{n:02}" for n in range(start, last + 1))
    return found


# ---- the file ----


class Line:
    """Of one rule: the tests, perhaps with a remark of what they leave open; or why there are none."""

    def __init__(self, rule, files, reason):
        self.rule, self.files, self.reason = rule, files, reason


def read(text):
    """The lines, the numbers that no rule has, and what is wrong with the form."""
    lines, gaps, wrong = [], set(), []
    for number, row in enumerate(text.splitlines(), 1):
        if not row.strip() or row.startswith("#"):
            continue
        rule, _, rest = row.partition(" ")
        rest = re.sub(r"\s*\(not built: [^()]+\)$", "", rest.strip())
        if rule == "unused":
            gaps |= ids_in(rest)
        elif ids_in(rule) != {rule}:
            wrong.append(f"line {number}: {rule} is no rule")
        elif rest.startswith("tested ") or rest == "tested":
            lines.append(Line(rule, rest.split()[1:], None))
        else:
            lines.append(Line(rule, [], rest))
    return lines, gaps, wrong


def place(rule):
    group, number = rule[2:].rsplit("-", 1)
    return GROUPS.index(group), int(number)


def faults_of_list(lines, gaps):
    """Each rule once, in order, each group from 01 on; a reason where there is no test."""
    wrong = []
    rules = [line.rule for line in lines]
    wrong += [f"{rule}: stands there {n} times" for rule, n in collections.Counter(rules).items() if n > 1]
    wrong += [f"{b}: stands behind {a}" for a, b in zip(rules, rules[1:]) if place(a) > place(b)]
    wrong += [f"{rule}: is called unused, and stands there" for rule in gaps & set(rules)]
    for i, group in enumerate(GROUPS):
        numbers = {place(rule)[1] for rule in (*rules, *gaps) if place(rule)[0] == i}
        wrong += [f"R-{group}-{n:02}: is missing" for n in range(1, max(numbers, default=0) + 1) if n not in numbers]
    for line in lines:
        if not line.files and not any((line.reason or "").startswith(r) and len(line.reason) > len(r) for r in REASONS):
            wrong.append(f"{line.rule}: neither tests nor a reason ({' or '.join(REASONS)}...)")
    return wrong


# ---- what tests name ----


def code_of_c(text):
    """A test in C without its first words, which say what the whole file is for."""
    return re.sub(r"\A(\s*/\*.*?\*/)+", "", text, flags=re.S)


def code_of_python(text):
    """The test functions, each with its decorators and the comment that stands right above it."""
    tree, rows, parts = ast.parse(text), text.splitlines(), []
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
            first = min([node.lineno, *(d.lineno for d in node.decorator_list)]) - 1
            while first and rows[first - 1].startswith("#"):
                first -= 1
            parts.append("\n".join(rows[first:node.end_lineno]))
    return "\n".join(parts)


def named_by_tests(path, text):
    if path.endswith("_test.c"):
        return ids_in(code_of_c(text))
    if re.search(r"(^|/)test_\w+\.py$", path):
        return ids_in(code_of_python(text))
    return None


@functools.cache
def named_in(path):
    """The rules that tests of this file (relative to tests/) name; None if it is no test."""
    file = TESTS / path
    return named_by_tests(path, file.read_text(encoding="utf-8")) if file.is_file() else None


def faults_of_tests(lines, named):
    wrong = []
    for line in lines:
        for path in line.files:
            rules = named(path)
            if rules is None:
                wrong.append(f"{line.rule}: {path} is no test")
            elif line.rule not in rules:
                wrong.append(f"{line.rule}: no test of {path} names it")
    return wrong


# ---- this file and these tests ----


@pytest.fixture(scope="module")
def coverage():
    lines, gaps, wrong = read(COVERAGE.read_text(encoding="utf-8"))
    assert not wrong, "\n".join(wrong)
    return lines, gaps


def test_each_rule_stands_there_once_with_tests_or_a_reason(coverage):
    wrong = faults_of_list(*coverage)
    assert not wrong, "\n".join(wrong)
    assert {place(line.rule)[0] for line in coverage[0]} == set(range(len(GROUPS)))


def test_every_rule_that_is_named_anywhere_stands_there(coverage):
    known, missing = {line.rule for line in coverage[0]}, []
    for folder in FOLDERS:
        for path in sorted((ROOT / folder).rglob("*")):
            if path.suffix in SUFFIXES and path != pathlib.Path(__file__).resolve():
                text = path.read_text(encoding="utf-8", errors="replace")
                missing += [f"{path.relative_to(ROOT)}: {rule}" for rule in sorted(ids_in(text) - known)]
    assert not missing, "\n".join(missing)


def test_the_tests_that_are_listed_name_the_rule(coverage):
    wrong = faults_of_tests(coverage[0], named_in)
    assert not wrong, "\n".join(wrong)


def test_nine_in_ten_rules_of_the_modules_are_tested(coverage):
    count = collections.defaultdict(lambda: [0, 0])
    for line in coverage[0]:
        of_group = count[line.rule[2:].rsplit("-", 1)[0]]
        of_group[0] += bool(line.files)
        of_group[1] += 1
    for group in GROUPS:
        print(f"R-{group:<6} {count[group][0]:3} of {count[group][1]:3}")
    tested, rules = (sum(count[g][i] for g in MOSTLY_TESTED) for i in (0, 1))
    print(f"together {tested:3} of {rules:3}: {100 * tested / rules:.1f} % (without routing, bridging and REST)")
    assert tested * 10 >= rules * 9


# ---- the check itself ----


@pytest.mark.parametrize("text,rules", [
    ("R-CP-01", "CP-01"), ("R-VER-01, -02, -03", "VER-01 VER-02 VER-03"), ("R-CP-01, 02 and -04", "CP-01 CP-02 CP-04"),
    ("R-TRANS-03/04", "TRANS-03 TRANS-04"), ("R-CMD-01..03, R-CP-05", "CMD-01 CMD-02 CMD-03 CP-05"),
    ("R-TYPE-04..R-TYPE-06", "TYPE-04 TYPE-05 TYPE-06"), ("R-TOK, R-TRANS-49: kept", "TRANS-49"),
    ("R-CMD-05; section 15.7", "CMD-05"), ("R-CP-01, 2026", "CP-01"), ("XR-CP-01 R-CP-1 R-CP-011", ""),
    ("R-BR 15.5, 15.6", ""), ("R-BR-48, 15.3", "BR-48"), ("R-ROUTE-40, R-ROUTE-43, 44", "ROUTE-40 ROUTE-43 ROUTE-44"),
])
def test_short_forms_are_understood(text, rules):
    assert ids_in(text) == {"R-" + rule for rule in rules.split()}


@pytest.mark.parametrize("text,fault", [
    ("R-CP-01 tested a_test.c\n", None),
    ("R-CP-01 tested a_test.c\nR-CP-02 not built: no relay\nunused R-CP-03\nR-CP-04 nothing to test: a word\n", None),
    ("R-CP-01 tested a_test.c\nR-CP-03 tested a_test.c\n", "R-CP-02: is missing"),
    ("R-CP-01 tested a_test.c (not built: the rest)\n", None),
    ("R-CP-01 tested (not built: all)\n", "R-CP-01: neither"),
    ("R-CP-02 tested a_test.c\nR-CP-01 tested a_test.c\n", "R-CP-01: stands behind R-CP-02"),
    ("R-CP-01 tested a_test.c\nR-CP-01 tested a_test.c\n", "R-CP-01: stands there 2 times"),
    ("R-CP-01 tested a_test.c\nunused R-CP-01\n", "R-CP-01: is called unused"),
    ("R-CP-01 tested\n", "R-CP-01: neither tests nor a reason"), ("R-CP-01\n", "R-CP-01: neither"),
    ("R-CP-01 later\n", "R-CP-01: neither"), ("R-CP-01 not built: \n", "R-CP-01: neither"),
    ("R-CX-01 tested a_test.c\n", "line 1: R-CX-01 is no rule"), ("CP-01 tested a_test.c\n", "CP-01 is no rule"),
])
def test_a_list_that_is_wrong_is_found_out(text, fault):
    lines, gaps, wrong = read(text)
    wrong += faults_of_list(lines, gaps)
    if fault is None:
        assert not wrong
    else:
        assert any(fault in w for w in wrong), wrong


@pytest.mark.parametrize("path,text,there", [
    ("a_test.c", "/* x */\n/* for R-CP-01 */\nint a;\n", False),
    ("a_test.c", "/* x */\nint a; /* R-CP-01 */\n", True),
    ("a_test.c", '/* x */\nint a; {"R-CP-01", 1}\n', True),
    ("e2e/test_a.py", '"""R-CP-01"""\ndef helper():\n    """R-CP-01"""\n', False),
    ("e2e/test_a.py", 'def test_a():\n    """R-CP-01"""\n', True),
    ("e2e/test_a.py", "# R-CP-01\n@mark\ndef test_a():\n    pass\n", True),
    ("e2e/test_a.py", "# R-CP-01\n\ndef test_a():\n    pass\n", False),
    ("e2e/test_a.py", "def test_a():\n    pass\n\n\n@mark(1, 'R-CP-01')\ndef test_b():\n    pass\n", True),
    ("sim/call.c", "int a; /* R-CP-01 */\n", None), ("e2e/partner.py", "def test_a(): 'R-CP-01'\n", None),
])
def test_what_counts_as_named(path, text, there):
    named = named_by_tests(path, text)
    assert named is None if there is None else ("R-CP-01" in named) == there
    faults = faults_of_tests([Line("R-CP-01", [path], None)], lambda _: named)
    assert bool(faults) == (not there)


def test_comments_of_python_are_understood_as_python_does():
    """A rule in a test's comment counts, since it is part of what stands there."""
    text = "def test_a():\n    x = 1  # R-CP-01\n"
    comments = [t.string for t in tokenize.generate_tokens(io.StringIO(text).readline) if t.type == tokenize.COMMENT]
    assert ids_in(" ".join(comments)) == {"R-CP-01"} == named_by_tests("test_a.py", text)
