# SPDX-License-Identifier: Apache-2.0
"""
When a pull begins: by the clock, and when somebody asks for one.
"""

import pytest

PAGE_DONE = "UPDATE pull SET cursor = 'p2', lease_until = NULL WHERE partner_id = %s AND module = 'tariffs'"


class Pull:
    def __init__(self, m):
        self.m = m
        m.rows("UPDATE partner SET state = 'connected' WHERE id = %s", m.partner)
        m.rows("INSERT INTO pull (partner_id, module, due_at) VALUES (%s, 'tariffs', hub_now())"
               " ON CONFLICT (partner_id, module) DO UPDATE SET due_at = hub_now()", m.partner)

    def claim(self):
        return [p["cursor"] for p in self.m.call("pull_claim", 50)
                if (p["partner_id"], p["module"]) == (self.m.partner, "tariffs")]

    def page_done(self):
        self.m.rows(PAGE_DONE, self.m.partner)

    def finished(self, ok=True):
        self.m.call("pull_finished", self.m.partner, "tariffs", ok, True)

    def ask(self):
        assert self.m.value("pull_request", self.m.partner, "tariffs")

    def begins_again(self):
        """Whether another one begins soon, rather than in hours."""
        self.m.wait(61)
        return self.claim() == [None]


@pytest.fixture
def pull(m):
    yield Pull(m)
    m.rows("DELETE FROM pull WHERE partner_id = %s", m.partner)


def test_nobody_has_asked_and_the_next_one_takes_its_time(pull):
    assert pull.claim() == [None]
    pull.page_done()
    assert pull.claim() == ["p2"]
    pull.finished()
    assert not pull.begins_again()


@pytest.mark.parametrize("when", ["first page", "between pages", "last page", "before a failure"])
def test_what_is_asked_for_meanwhile_follows(pull, when):
    assert pull.claim() == [None]
    if when == "first page":
        pull.ask()
    pull.page_done()
    if when == "between pages":
        pull.ask()
    assert pull.claim() == ["p2"]
    if when in ("last page", "before a failure"):
        pull.ask()
    if when == "before a failure":
        pull.finished(ok=False)
        pull.m.wait(60)
        assert pull.claim() == ["p2"], "the same page"
    pull.finished()
    assert pull.begins_again()
    pull.finished()
    assert not pull.begins_again(), "once"


def test_what_is_asked_for_before_it_begins_is_answered_by_it(pull):
    pull.ask()
    assert pull.claim() == [None]
    pull.finished()
    assert not pull.begins_again()
