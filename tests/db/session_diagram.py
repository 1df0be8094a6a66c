#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
Prints the session's state diagram (Mermaid) from the table of the machine itself.

    python3 tests/db/session_diagram.py [DATABASE_URL]

Without a URL it makes a database of its own for the moment.
"""

import pathlib
import sys
import tempfile

import psycopg2

sys.path.insert(0, str(pathlib.Path(__file__).parents[1]))
sys.path.insert(0, str(pathlib.Path(__file__).parent))
import stores  # noqa: E402
from model import migrate  # noqa: E402


def diagram(url):
    with psycopg2.connect(url) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT coalesce(from_state::text, '[*]'), to_state, rule, events"
                       " FROM session_moves ORDER BY length(rule), rule, from_state, to_state")
        lines = [f"    {a} --> {b}: {rule} {events}" for a, b, rule, events in cursor.fetchall()]
    connection.close()
    ends = [f"    {state} --> [*]" for state in ("completed", "failed")]
    return "\n".join(["stateDiagram-v2", *lines, *ends])


def main():
    if len(sys.argv) > 1:
        print(diagram(sys.argv[1]))
        return
    s = stores.Stores(tempfile.mkdtemp(prefix="hub-diagram-", dir="/tmp"), fast=True)
    try:
        s.start("postgres")
        migrate(s.database_url)
        print(diagram(s.database_url))
    finally:
        s.remove()


if __name__ == "__main__":
    main()
