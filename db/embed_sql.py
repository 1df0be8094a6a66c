#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
Turns SQL files into C text: C holds no SQL.

    embed_sql.py SOURCE_DIR OUTPUT_DIR

SOURCE_DIR/statements/*.sql: blocks under a line "-- name: session_get". Comments are left out of the
text; the number of parameters is the highest $n outside strings. One statement a block. "-- name:
message_write alone" marks a statement that must not share its transaction with others, because it
changes how the transaction commits.
SOURCE_DIR/migrations/NNN_name.sql: kept byte by byte, with the SHA-256 that proves later that an
applied migration was not edited.
"""

import hashlib
import pathlib
import re
import sys

NAME = re.compile(r"--\s*name:\s*([a-z][a-z0-9_]*)(\s+alone)?\s*$")
MIGRATION = re.compile(r"(\d{3})_([a-z0-9_]+)\.sql$")
HEADER = "/* SPDX-License-Identifier: Apache-2.0 */\n/* Made by db/embed_sql.py from {}: edit there. */\n"

# One piece of SQL: what may hide a "--", a ";" or a "$1" comes before what they mean.
PIECE = re.compile(
    r"""(?P<comment>--[^\n]*|/\*.*?\*/)
      | (?P<string>[eE]'(?:[^'\\]|\\.|'')*'|'(?:[^']|'')*'|"(?:[^"]|"")*")
      | (?P<dollar>\$(?P<tag>[A-Za-z_][A-Za-z0-9_]*|)\$.*?\$(?P=tag)\$)
      | (?P<parameter>\$(?P<number>\d+))
      | (?P<end>;)
      | (?P<space>\s+)
      | (?P<word>[A-Za-z_][A-Za-z0-9_$]*)
      | (?P<other>.)""",
    re.VERBOSE | re.DOTALL,
)


def stop(path, why):
    sys.exit(f"{path}: {why}")


def clean(path, name, sql):
    """The text without comments and surplus space, and its number of parameters."""
    out, highest, seen, ended = [], 0, set(), False
    for piece in PIECE.finditer(sql):
        kind, text = piece.lastgroup, piece.group()
        kind = {"tag": "dollar", "number": "parameter"}.get(kind, kind)
        if kind in ("comment", "space"):
            if out and not out[-1].isspace():
                out.append("\n" if "\n" in text and kind == "space" else " ")
            continue
        if kind == "end":
            ended = True
            continue
        if ended:
            stop(path, f"{name}: more than one statement")
        if kind == "parameter":
            number = int(piece.group("number"))
            seen.add(number)
            highest = max(highest, number)
        out.append(text)
    if seen != set(range(1, highest + 1)):
        stop(path, f"{name}: parameters are not $1..${highest} without a gap")
    text = "".join(out).strip()
    if not text:
        stop(path, f"{name}: empty")
    return text, highest


def statements_of(path):
    name, alone, lines = None, False, []
    for line in path.read_text(encoding="utf-8").splitlines():
        found = NAME.match(line)
        if found:
            if name:
                yield name, *clean(path, name, "\n".join(lines)), alone
            name, alone, lines = found.group(1), bool(found.group(2)), []
        elif line.lstrip().startswith("-- name"):
            stop(path, f"not a name: {line}")
        elif name:
            lines.append(line)
        elif line.strip() and not line.startswith("--"):
            stop(path, "SQL before the first -- name:")
    if name:
        yield name, *clean(path, name, "\n".join(lines)), alone


def c_text(text, indent="     "):
    """One C string literal a line; an empty text is still a literal."""
    lines = text.splitlines(keepends=True) or [""]
    out = []
    for line in lines:
        escaped = "".join(
            {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t", "?": "\\?"}.get(c, c)
            if c in '\\"\n\t?' or c >= " " else f"\\{ord(c):03o}" for c in line)
        out.append(f'{indent}"{escaped}"')
    return "\n".join(out)


def write(path, text):
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        path.write_text(text, encoding="utf-8")
    else:
        path.touch()


def main():
    source, target = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    target.mkdir(parents=True, exist_ok=True)
    statements, where = [], {}
    for path in sorted((source / "statements").glob("*.sql")):
        for name, text, params, alone in statements_of(path):
            if name in where:
                stop(path, f"{name} stands in {where[name]} already")
            where[name] = path.name
            statements.append((name, text, params, alone))

    h = HEADER.format("db/statements") + "#ifndef DB_STATEMENTS_H\n#define DB_STATEMENTS_H\n\n"
    h += "enum statement_name {\n"
    h += "".join(f"    STATEMENT_{name},\n" for name, _, _, _ in statements)
    h += "    STATEMENT_COUNT\n};\n\n"
    h += "struct statement {\n    const char *name, *text;\n    int params;\n    int alone; /* in a transaction of its own */\n};\n"
    h += "extern const struct statement statements[]; /* by STATEMENT_ name; ends with {0} */\n\n"
    h += "struct migration {\n    int number;\n    const char *name, *sha256, *text;\n};\n"
    h += "extern const struct migration migrations[]; /* 1, 2, 3 ...; ends with {0} */\n\n#endif\n"
    write(target / "statements.h", h)

    c = HEADER.format("db/statements") + '#include "db/statements.h"\n\n'
    c += "const struct statement statements[] = {\n"
    for name, text, params, alone in statements:
        c += f'    {{"{name}",\n{c_text(text)},\n     {params}, {int(alone)}}},\n'
    c += "    {0},\n};\n"
    write(target / "statements.c", c)

    c = HEADER.format("db/migrations") + '#include "db/statements.h"\n\n'
    c += "const struct migration migrations[] = {\n"
    for expected, path in enumerate(sorted((source / "migrations").glob("*.sql")), start=1):
        found = MIGRATION.match(path.name)
        if not found or int(found.group(1)) != expected:
            stop(path, f"expected {expected:03d}_name.sql")
        raw = path.read_bytes()
        digest = hashlib.sha256(raw).hexdigest()
        c += f'    {{{expected}, "{found.group(2)}",\n     "{digest}",\n{c_text(raw.decode("utf-8"))}}},\n'
    c += "    {0},\n};\n"
    write(target / "migrations.c", c)


if __name__ == "__main__":
    main()
