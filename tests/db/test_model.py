# SPDX-License-Identifier: Apache-2.0
"""
Anything in any order: random sequences of everything that may happen to sessions, and the
invariants that hold after each step. MODEL_SEEDS: how many sequences.
"""

import datetime
import os
import random

import pytest

from model import check_books, check_receipts

OPEN = ("pending", "active", "stopping")


# ---------------------------------------------------------------- anything in any order

def check(m, seen):
    for s in m.rows("SELECT * FROM session"):
        before = seen.get(s["id"])
        if before:
            assert s["version"] >= before["version"]
            if before["state"] == "completed":
                assert s["state"] == "completed", "completed is final"
            if before["state"] == "failed" and s["state"] != "failed":
                assert s["recovered_from"] or s["state"] == "completed"
                assert s["state"] in ("stopping", "completed")
            if s["state"] in OPEN:
                assert s["energy_mwh"] >= before["energy_mwh"], "energy never falls while open"
        seen[s["id"]] = s
    assert not m.rows("SELECT 1 FROM session s WHERE state = 'completed' AND NOT EXISTS"
                      " (SELECT FROM cdr WHERE session_id = s.id AND accepted_at IS NOT NULL)")
    assert not m.rows("SELECT 1 FROM cdr c WHERE accepted_at IS NOT NULL AND"
                      " (SELECT count(*) FROM receipt WHERE cdr = c.id)"
                      " + (SELECT count(*) FROM receipt_cancellation WHERE credit = c.id"
                      "     AND issued_at IS NULL) <> 1"), "I6"
    assert not m.rows("SELECT 1 FROM operation WHERE kind = 'start' AND attempts - not_sent > 1"), "I2"
    assert not m.rows("SELECT 1 FROM session s WHERE state = 'stopping' AND NOT ended AND substatus"
                      " NOT IN ('stuck') AND last_error IS NULL AND NOT EXISTS"
                      " (SELECT FROM operation WHERE session_id = s.id AND kind = 'stop'"
                      "  AND finished_at IS NULL)"), "I4"
    assert not m.rows("SELECT 1 FROM session s WHERE state IN ('pending', 'active', 'stopping')"
                      " AND NOT EXISTS (SELECT FROM timer WHERE subject = s.id::text"
                      " AND slot = 'life')"), "nobody waits without a timer"
    # Every event in the log is one that the table allows.
    assert not m.rows("SELECT 1 FROM session_event e WHERE rule IS NOT NULL AND NOT EXISTS"
                      " (SELECT FROM session_transition t WHERE t.event = e.event"
                      " AND t.rule = e.rule AND t.to_state = e.to_state"
                      " AND t.from_state IS NOT DISTINCT FROM e.from_state)")
    check_receipts(m)
    check_books(m)


def play(m, seed):
    dice = random.Random(seed)
    sessions, sent, told, bills = [], [], [], []
    started, seen = {}, {}
    for _ in range(dice.randint(20, 60)):
        session = dice.choice(sessions) if sessions else None
        what = dice.choice(["start", "stop", "claim", "answer", "result", "push", "push", "push",
                            "cdr", "timer", "again", "force", "finance", "profile"])
        if what == "start" or not session:
            answer = m.start(evse=dice.randint(0, 2), own=dice.random() < 0.3,
                             target=dice.choice([0, 5000000]), user=dice.choice("uv"))
            if answer["outcome"] == "stored":
                sessions.append(answer["s_id"])
        elif what == "stop":
            m.stop(session, user=m.session(session)["user_id"])
        elif what == "claim":
            for o in m.claim(dice.choice([None, session])):
                if o["kind"] == "start":
                    started[o["session_id"]] = started.get(o["session_id"], 0) + 1
                sent.append(o)
        elif what == "answer" and sent:
            o = dice.choice(sent)
            outcome = dice.choice(["accepted"] * 4 + ["rejected", "not_supported", "unclear",
                                                      "unknown_session", "not_sent"])
            current = m.row("SELECT * FROM operation WHERE id = %s", o["id"])
            if current["answered_at"] is None and current["sent_at"] == o["sent_at"]:
                if outcome == "not_sent" and o["kind"] == "start":
                    started[o["session_id"]] -= 1
                m.answer(o["id"], outcome)
        elif what == "result" and sent:
            m.result(dice.choice(sent)["callback_id"], dice.choice(
                ["accepted"] * 3 + ["rejected", "unknown_session", "retry", "unclear", "ignored"]))
        elif what == "push":
            s = m.session(session)
            ask = dict(name=dice.choice([f"S{session[:8]}", f"S{session[:8]}", f"T{session[:8]}"]),
                       status=dice.choice(["PENDING", "ACTIVE", "ACTIVE", "ACTIVE", "COMPLETED",
                                           "INVALID", "RESERVATION", "NEW_WORD"]),
                       session=dice.choice([session, session, None]), kwh=dice.randint(0, 80) / 10,
                       at=m.later() - datetime.timedelta(seconds=dice.choice([0, 0, 0, 0, 30])),
                       token=s["token_uid"], evse=s["evse_uid"], pull=dice.random() < 0.2)
            told.append(ask)
            m.push(**ask)
        elif what == "cdr":
            ask = dict(name=f"C{dice.randint(0, 99)}{session[:6]}",
                       session=dice.choice([session, None]),
                       network_session=dice.choice([f"S{session[:8]}", None]),
                       kwh=dice.randint(0, 90) / 10, cost=dice.randint(0, 9999999),
                       plausible=dice.random() < 0.9)
            if bills and dice.random() < 0.2:
                original = dice.choice(bills)
                ask.update(name=f"K{dice.randint(0, 999)}", credit=True, credits=original["name"],
                           cost=-original["cost"])
            bills.append(ask)
            m.cdr(**ask)
        elif what == "again":
            if told and dice.random() < 0.6:
                m.push(**dice.choice(told))
            elif bills:
                m.cdr(**dice.choice(bills))
        elif what == "timer":
            m.wait(dice.choice([1, 5, 16, 35, 90, 200, 1000, 8000, 90000]))
            m.timers()
            m.retry()
            m.cancel_due()
        elif what == "force" and dice.random() < 0.2:
            m.rows("SELECT session_force_close(%s, 'test', 'operator:x')", session)
        elif what == "finance":
            for c in m.rows("SELECT id FROM cdr WHERE filed IN"
                            " ('late_start', 'force_closed', 'quarantined') LIMIT 1"):
                m.decide(c["id"], dice.random() < 0.5)
        elif what == "profile":
            m.call("profile_ask", session, None, None, "u", dice.random() < 0.3, "{}")
        assert not m.rows("SELECT * FROM timer WHERE failures > 0"), "a timer raised"
        check(m, seen)
    assert all(n <= 1 for n in started.values()), "a start goes out once"
    # In the end everything comes to rest: nothing is open that waits for nobody.
    for _ in range(60):
        m.wait(5 * 3600)
        for o in m.claim():
            m.answer(o["id"], "unclear")
        m.timers()
        m.retry()
        m.cancel_due()
        check(m, seen)
    for s in m.rows("SELECT * FROM session WHERE state IN ('pending', 'active', 'stopping')"):
        assert s["state"] == "stopping" and (s["ended"] or s["recovered_from"]), dict(s)


@pytest.mark.parametrize("seed", range(int(os.environ.get("MODEL_SEEDS", "25"))))
def test_whatever_happens_in_whatever_order(m, seed):
    play(m, seed)
