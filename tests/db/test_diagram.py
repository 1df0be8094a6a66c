# SPDX-License-Identifier: Apache-2.0
"""The diagram in ARCHITECTURE.md is the machine's table."""

import pathlib

from session_diagram import diagram


def test_the_diagram_in_the_documentation_is_the_table(url):
    document = (pathlib.Path(__file__).parents[2] / "ARCHITECTURE.md").read_text(encoding="utf-8")
    assert diagram(url) in document, "print it anew: python3 tests/db/session_diagram.py"
