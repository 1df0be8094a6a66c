# SPDX-License-Identifier: Apache-2.0
"""
What networks report: readings, order, matching, late starts; and what only time brings.
"""

import datetime

import pytest

from model import ANSWER, Model, awaiting_cdr, closed, failed, recovered


# ---------------------------------------------------------------- readings, order

def test_energy_shown_never_falls_while_open_and_the_cdr_wins(m):
    session = m.active()
    for kwh, shown in ((5, 5), (4.99, 5), (2, 5), (6, 6)):
        m.push("S", "ACTIVE", session, kwh=kwh)
        assert m.session(session)["energy_mwh"] == shown * 1000000
    m.push("S", "COMPLETED", session, kwh=5.99)
    assert m.session(session)["energy_mwh"] == 6000000
    m.cdr("C", session, kwh=5.99)
    assert m.session(session)["energy_mwh"] == 5990000


def test_older_equal_and_repeated_messages(m):
    session = m.active()
    at = m.later()
    assert m.push("S", "ACTIVE", session, kwh=2, at=at)["outcome"] == "applied"
    assert m.push("S", "ACTIVE", session, kwh=2, at=at)["outcome"] == "duplicate"
    version = m.session(session)["version"]
    early = at - datetime.timedelta(seconds=9)
    assert m.push("S", "COMPLETED", session, kwh=9, at=early)["outcome"] == "stale"
    assert m.push("S", "ACTIVE", session, kwh=1, at=at, text="x")["outcome"] == "anomaly"
    assert m.session(session)["version"] == version
    assert m.push("S", "ACTIVE", session, kwh=3, at=at, text="y")["outcome"] == "applied"
    assert m.push("S", "ACTIVE", session, kwh=4, at=early,
                  unreliable=True)["outcome"] == "applied"


def test_a_completed_network_session_does_not_begin_again(m):
    session = awaiting_cdr(m)
    assert m.push("S", "ACTIVE", session, kwh=9)["outcome"] == "anomaly"
    assert m.state(session) == "stopping/awaiting_cdr"


def test_a_clock_ahead_is_clamped_to_five_minutes(m):
    session = m.active()
    m.push("S", "ACTIVE", session, kwh=1, at=m.now() + datetime.timedelta(hours=2))
    m.wait(301)
    assert m.push("S", "ACTIVE", session, kwh=2)["outcome"] == "applied"


def test_a_patch_on_another_version_is_a_conflict(m):
    session = m.active()
    assert m.push("S", "ACTIVE", session, kwh=1, if_version=7)["outcome"] == "conflict"
    assert m.push("S", "ACTIVE", session, kwh=1, if_version=1)["outcome"] == "applied"
    assert m.push("T", "ACTIVE", session, kwh=1, if_version=1)["outcome"] == "conflict"


def test_the_target_is_stopped_in_the_statement_of_the_reading(m):
    session = m.active(target=10000000)
    assert m.push("S", "ACTIVE", session, kwh=9.9)["s_state"] == "active"
    answer = m.push("S", "ACTIVE", session, kwh=10)
    assert (answer["s_state"], answer["s_operations_due"]) == ("stopping", True)
    assert m.events(session)[-1]["cause"] == "energy_target"


def test_the_target_is_foreseen_from_the_power(m):
    session = m.active(target=10000000)
    m.wait(360)
    m.push("S", "ACTIVE", session, kwh=1)  # 10 kW
    m.wait(360)
    m.push("S", "ACTIVE", session, kwh=2)
    m.wait(2870)  # of 2880; a moment between the readings counts eightfold
    m.timers()
    assert m.session(session)["state"] == "active"
    m.wait(30)
    m.timers()
    assert m.session(session)["state"] == "stopping"


def test_a_cost_that_was_not_told_is_unknown_not_zero(m):  # R-SESS-06
    session = m.active()
    assert not m.session(session)["cost_known"]
    m.push("S", "ACTIVE", session, kwh=1, cost=0)
    assert m.session(session)["cost_known"]


# ---------------------------------------------------------------- matching

def test_a_session_without_reference_is_matched_by_token_evse_and_time(m):
    session = m.started()
    token = m.session(session)["token_uid"]
    m.claim(session)
    start = m.now()
    late = start + datetime.timedelta(minutes=16)
    assert m.push("S1", "ACTIVE", token=token.lower(), start=late)["s_id"] is None
    assert m.push("S2", "ACTIVE", token=token, evse="E1")["s_id"] is None
    assert m.push("S3", "ACTIVE", token=token.lower(), evse="e0", start=start)["s_id"] == session


def test_two_candidates_match_none(m):
    first = m.started()
    m.claim(first)
    m.stop(first)
    m.result(m.operation(first, "start")["callback_id"], "rejected")
    second = m.started()
    token = m.session(second)["token_uid"]
    m.claim(second)
    assert m.push("S", "ACTIVE", token=token)["s_id"] is None


def test_a_foreign_partner_cannot_reach_a_session(m, url):
    other = Model(url)
    session = m.started()
    m.claim(session)
    token = m.session(session)["token_uid"]
    assert other.push("S", "ACTIVE", session, token=token)["s_id"] is None
    assert other.cdr("C", session, token=token)["filed"] == "unmatched"
    assert m.session(session)["state"] == "pending"
    other.close()


def test_ids_compare_without_case(m):  # R-TYPE-01
    session = m.active(name="Abc")
    assert m.push("aBC", "ACTIVE", kwh=4)["s_id"] == session
    assert m.cdr("C", network_session="ABC")["filed"] == "billed"
    assert m.cdr("c", network_session="ABC", text="C 10 7200000")["outcome"] == "repeated"


# ---------------------------------------------------------------- late starts

def test_a_late_start_is_stopped_at_once_and_waits_for_a_person(m):  # I3
    session = failed(m)
    answer = m.push("S", "ACTIVE", session, kwh=1)
    assert answer["s_operations_due"] and m.state(session) == "stopping/recovered"
    (stop,) = m.claim(session)
    m.answer(stop["id"], "accepted")
    m.push("S", "COMPLETED", session, kwh=2)
    assert m.state(session) == "stopping/recovered"
    assert m.cdr("C", session)["filed"] == "late_start"
    assert m.state(session) == "stopping/recovered" and not m.receipts(session)
    assert set(m.cases(session)) == {"late_start"}


@pytest.mark.parametrize("confirm", [True, False])
def test_a_person_decides_about_a_late_start(m, confirm):
    session = recovered(m)
    m.push("S", "COMPLETED", session, kwh=2)
    m.cdr("C", session, kwh=2)
    cdr = m.row("SELECT id FROM cdr")["id"]
    m.decide(cdr, confirm)
    assert m.session(session)["state"] == ("completed" if confirm else "failed")
    assert len(m.receipts(session)) == confirm and not m.cases(session)
    if not confirm:
        assert m.session(session)["failure_code"] == "evse_occupied"
        m.push("S2", "ACTIVE", session)
        assert m.session(session)["state"] == "failed"


def test_a_late_start_is_declined_before_its_cdr_has_come(m):
    session = recovered(m)
    answer = m.call("cdr_decline_awaited", session, "finance:x", columns=ANSWER)[0]
    assert (answer["outcome"], answer["filed"], answer["s_state"]) == ("settled", None, "failed")
    assert m.state(session) == "failed" and not m.cases(session)
    assert m.session(session)["failure_code"] == "evse_occupied"
    assert m.cdr("C", session)["filed"] == "late_start"  # about which somebody decides again
    assert m.state(session) == "failed" and set(m.cases(session)) == {"late_start"}


def test_a_cdr_that_came_while_its_late_start_was_declined_is_declined(m):
    session = recovered(m)
    m.push("S", "COMPLETED", session, kwh=2)
    m.cdr("C", session, kwh=2)
    answer = m.call("cdr_decline_awaited", session, "finance:x", columns=ANSWER)[0]
    assert (answer["outcome"], answer["filed"]) == ("settled", "declined")
    assert m.state(session) == "failed" and not m.cases(session) and not m.receipts(session)


def test_a_forced_end_is_declined_before_its_cdr_has_come(m):
    session = closed(m)
    answer = m.call("cdr_decline_awaited", session, "finance:x", columns=ANSWER)[0]
    assert (answer["outcome"], answer["s_state"]) == ("settled", "failed")
    assert not m.cases(session) and m.session(session)["failure_code"] == "force_closed"


def test_a_late_start_after_a_day_stays_failed(m):
    session = failed(m)
    m.wait(24 * 3600 + 1)
    m.push("S", "ACTIVE", session)
    assert m.session(session)["state"] == "failed"


def test_a_late_start_does_not_take_the_connector_of_a_newer_session(m):
    session = failed(m)
    newer = m.started()
    m.push("S", "ACTIVE", session)
    assert m.state(session) == "stopping/recovered"
    assert m.session(newer)["state"] == "pending"


def test_a_pending_network_session_of_a_failed_start_is_stopped(m):
    session = failed(m)
    m.push("S", "PENDING", session)
    assert m.session(session)["state"] == "failed"
    assert [o["kind"] for o in m.claim(session)] == ["stop"]


# ---------------------------------------------------------------- time

def test_a_quiet_session_is_looked_at_then_stuck_then_closed(m):
    session = m.active()
    m.wait(15 * 60 + 1)
    assert m.partner in [e["pull_partner"] for e in m.timers()]
    m.push("S", "ACTIVE", session, kwh=1)
    for _ in range(26 * 4 + 2):
        m.wait(15 * 60)
        m.timers()
    assert m.state(session) == "active/stuck"
    m.push("S", "ACTIVE", session, kwh=2)
    assert m.state(session) == "active/charging"
    for _ in range(7 * 24 + 1):
        m.wait(3600)
        m.timers()
    assert m.session(session)["failure_code"] == "force_closed"


def test_a_session_is_stopped_after_three_days(m):
    session = m.active()
    for i in range(72 * 6 + 2):
        m.wait(600)
        m.push("S", "ACTIVE", session, kwh=i * 0.1)
        m.timers()
    assert m.session(session)["state"] == "stopping"
    assert m.events(session)[-1]["cause"] == "max_session"


def test_a_missing_cdr_becomes_a_case_after_72_hours_and_is_never_closed_by_itself(m):
    session = awaiting_cdr(m)
    for hours in range(80):
        m.wait(3600)
        m.timers()
        if hours < 70:
            assert not m.cases(session)
    assert m.cases(session) == ["cdr_overdue"]
    m.wait(30 * 24 * 3600)
    m.timers()
    assert m.state(session) == "stopping/awaiting_cdr"
    m.cdr("C", session)
    assert m.session(session)["state"] == "completed" and not m.cases(session)


def test_a_timer_that_fails_does_not_hold_up_the_others(m):
    m.rows("INSERT INTO timer (subject, slot, kind, due_at)"
           " VALUES (%s, 'life', 'x', hub_now() - interval '1 day')", "not a session")
    session = m.started()
    m.wait(31)
    m.timers()
    assert m.session(session)["state"] == "failed"


# ---------------------------------------------------------------- profiles

def test_profiles_newer_replaces_older_and_clear_needs_one(m):
    session = m.active()

    def ask(clear=False, **who):
        return m.call("profile_ask", session, who.get("user", "u"), None, "user:u", clear, "{}",
                      columns="outcome, operation_id, (session).*")[0]

    assert ask(user="v")["outcome"] == "not_found"
    assert ask(clear=True)["outcome"] == "none_set"
    first = ask()
    (one,) = m.claim(session)
    second = ask()
    assert not m.result(one["callback_id"], "accepted")["applied"]
    assert not m.session(session)["profile_set"]
    (two,) = m.claim(session)
    assert (one["id"], two["id"]) == (first["operation_id"], second["operation_id"])
    m.answer(two["id"], "accepted")
    m.result(two["callback_id"], "accepted")
    assert m.session(session)["profile_set"]
    assert ask(clear=True)["outcome"] == "queued"
    m.stop(session)
    assert ask()["outcome"] == "not_active"
