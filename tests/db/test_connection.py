# SPDX-License-Identifier: Apache-2.0
"""What each connection of the hub is set to before anything else runs on it."""


def test_nothing_is_compiled_and_nothing_runs_for_ever(r):
    """With many partners the planner thinks that reading their register is worth a compilation, which
    takes a hundred times as long: then each change is known that much later."""
    assert r.statement("connection_setup", "1234")[0]["standby"] is False
    expected = {"jit": "off", "statement_timeout": "1234ms", "lock_timeout": "500ms", "TimeZone": "UTC"}
    assert {name: r.row(f"SHOW {name}")[name] for name in expected} == expected
