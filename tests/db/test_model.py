# SPDX-License-Identifier: Apache-2.0
"""
The SQL functions of the session machine: one session's ways from the start to the receipt, by the
rules of the contract.
"""

import datetime
import os
import pathlib
import random
import sys
import tempfile
import threading

import psycopg2
import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parents[1]))
sys.path.insert(0, str(pathlib.Path(__file__).parent))
import stores  # noqa: E402
from model import Model, migrate  # noqa: E402

OPEN = ("pending", "active", "stopping")


@pytest.fixture(scope="module")
def url():
    directory = tempfile.mkdtemp(prefix="hub-model-", dir="/tmp")
    os.chmod(directory, 0o755)
    s = stores.Stores(directory, fast=True)
    try:
        s.start("postgres")
        migrate(s.database_url)
        yield s.database_url
    finally:
        s.remove()


@pytest.fixture
def m(url):
    model = Model(url)
    # Every test has the world for itself; cdr and receipt refuse to be emptied otherwise.
    model.rows("SET session_replication_role = replica")
    model.rows("TRUNCATE session, session_event, operation, timer, network_session, cdr,"
               " cdr_refused, receipt, receipt_series, finance_case, idempotency, token CASCADE")
    model.rows("SET session_replication_role = origin")
    model.rows("INSERT INTO timer (subject, slot, kind, due_at)"
               " VALUES ('hub', 'orphan_cdr', 'orphan_cdr', hub_now())")
    yield model
    model.close()


# ---------------------------------------------------------------- the table itself

# Contract 4.2, written once more by hand: (from, to) of every rule.
RULES = {
    "1": {(None, "pending")},
    "2": {("pending", "active")},
    "3": {("pending", "failed")},
    "4": {("pending", "stopping")},
    "5": {("active", "stopping")},
    "6": {("pending", "stopping"), ("active", "stopping")},
    "7": {("stopping", "completed")},
    "8": {("active", "completed")},
    "9": {("stopping", "active")},
    "10": {("stopping", "failed")},
    "11": {("active", "failed")},
    "12": {("failed", "stopping")},
    "12b": {("failed", "completed"), ("stopping", "completed"), ("stopping", "failed")},
    "13": {("pending", "completed")},
    "14": {("active", "failed"), ("stopping", "failed")},
}


def test_the_table_holds_exactly_the_rules_of_the_contract(m):
    moves = {}
    for row in m.rows("SELECT DISTINCT rule, from_state, to_state FROM session_transition"
                      " WHERE rule IS NOT NULL"):
        moves.setdefault(row["rule"], set()).add((row["from_state"], row["to_state"]))
    assert moves == RULES
    assert not m.rows("SELECT * FROM session_transition"
                      " WHERE rule IS NULL AND from_state <> to_state")


PHASES = {
    "pending": lambda m: m.started(),
    "active": lambda m: m.active(),
    "cancelling": lambda m: cancelling(m),
    "stopping": lambda m: stopping(m),
    "awaiting_cdr": lambda m: awaiting_cdr(m),
    "recovered": lambda m: recovered(m),
    "completed": lambda m: completed(m),
    "failed": lambda m: failed(m),
    "closed": lambda m: closed(m),
}


def cancelling(m):
    session = m.started()
    m.claim(session)
    m.stop(session)
    return session


def stopping(m):
    session = m.active()
    m.stop(session)
    return session


def awaiting_cdr(m):
    session = m.active()
    m.push("S", "COMPLETED", session, kwh=5)
    return session


def failed(m):
    session = m.started()
    (start,) = m.claim(session)
    m.answer(start["id"], "rejected", "evse_occupied")
    return session


def recovered(m):
    session = failed(m)
    m.push("S", "ACTIVE", session)
    return session


def closed(m):
    session = m.active()
    m.rows("SELECT session_force_close(%s, 'test', 'operator:x')", session)
    return session


def completed(m):
    session = m.active()
    m.cdr("C", session)
    return session


def transitions():
    """(phase, event) of the whole table, from the migration's own text, and every other pair."""
    text = (pathlib.Path(__file__).parents[2] / "db/migrations/003_session.sql").read_text()
    listed = set()
    for line in text.splitlines():
        if line.startswith("    ('"):
            words = [w.strip().strip("'") for w in line.strip(" (),;").split(",")]
            listed.add((words[0], words[1]))
    events = sorted({event for _, event in listed})
    return listed, events


LISTED, EVENTS = transitions()


def apply(m, session, event):
    return m.row("SELECT state, failure_code FROM session_apply(%s, %s, 'test', 'test')",
                 session, event)


@pytest.mark.parametrize("phase", PHASES)
def test_each_pair_does_what_the_table_says_and_no_other_pair_does_anything(m, phase):
    for event in EVENTS:
        m.rows("DELETE FROM timer")
        m.rows("UPDATE session SET connector_held = false, version = version + 1"
               " WHERE connector_held")
        m.rows("UPDATE network_session SET network_session_id = 'gone ' || id")
        m.rows("SET session_replication_role = replica")
        m.rows("DELETE FROM receipt")
        m.rows("DELETE FROM cdr")
        m.rows("SET session_replication_role = origin")
        session = PHASES[phase](m)
        before = m.session(session)
        assert before["phase"] == phase
        listed = m.row("SELECT * FROM session_transition WHERE phase = %s AND event = %s",
                       phase, event)
        if listed and listed["to_state"] == "completed":
            with pytest.raises(psycopg2.Error, match="without an accepted CDR"):
                apply(m, session, event)
            m.rows("INSERT INTO cdr (partner_id, country_code, party_id, cdr_id, path, body,"
                   " content_hash, energy_mwh, total_cost_u6, total_cost_excl_u6, has_incl_vat,"
                   " currency, credit, plausible, last_updated, received_at, session_id, accepted_at)"
                   " VALUES (1, 'FI', 'X', %s, %s, '', '', 0, 0, 0, true, 'EUR', false, true,"
                   " now(), now(), %s, now())", session, session, session)
        apply(m, session, event)
        after = m.session(session)
        if not listed:
            assert after == before, event
            continue
        assert (phase, event) in LISTED
        assert after["state"] == listed["to_state"], event
        last = m.events(session)[-1]
        if after["state"] != before["state"]:
            assert (last["from_state"], last["to_state"]) == (before["state"], after["state"])
            assert (last["event"], last["rule"], last["cause"], last["by"]) == (
                event, listed["rule"], "test", "test")
            assert last["seq"] == after["event_seq"] == before["event_seq"] + 1
            assert after["version"] > before["version"]


@pytest.mark.parametrize("phase", PHASES)
def test_the_database_refuses_states_that_come_by_another_way(m, phase):
    session = PHASES[phase](m)
    state = m.session(session)["state"]
    for to in ("pending", "active", "stopping", "completed", "failed"):
        if to != state:
            with pytest.raises(psycopg2.Error, match="no transition"):
                m.rows("UPDATE session SET state = %s, version = version + 1 WHERE id = %s",
                       to, session)


def test_the_database_refuses_falling_energy_while_open(m):
    session = m.active()
    m.push("S", "ACTIVE", session, kwh=3)
    with pytest.raises(psycopg2.Error, match="energy falls"):
        m.rows("UPDATE session SET energy_mwh = 2999999, version = version + 1 WHERE id = %s",
               session)


def test_receipts_cdrs_and_events_cannot_be_changed(m):
    completed(m)
    for sql in ("UPDATE receipt SET amount_minor = 1", "DELETE FROM receipt",
                "UPDATE cdr SET total_cost_u6 = 1", "DELETE FROM cdr",
                "UPDATE cdr SET accepted_at = NULL", "UPDATE session_event SET by = 'x'"):
        with pytest.raises(psycopg2.Error):
            m.rows(sql)


# ---------------------------------------------------------------- start

def test_a_start_stores_session_operation_token_and_first_event(m):
    answer = m.start(user="anna")
    assert answer["outcome"] == "stored" and answer["s_operations_due"]
    session = answer["s_id"]
    assert m.state(session) == "pending/command_queued"
    operation = m.operation(session, "start")
    assert operation["state"] == "pending" and operation["sent_at"] is None
    assert len(operation["callback_id"]) == 32
    token = m.row("SELECT * FROM token WHERE uid = %s", m.session(session)["token_uid"])
    assert token["type"] == "APP_USER" and len(token["uid"]) == 20
    assert token["contract_id"].startswith("FI-HUB-C") and "anna" not in token["uid"]
    assert [(e["from_state"], e["to_state"]) for e in m.events(session)] == [(None, "pending")]


def test_a_user_keeps_the_token_and_gets_a_fresh_one_where_the_network_needs_it(m):  # R-REST-02
    tokens = [m.session(m.started(evse=i, own=i > 1))["token_uid"] for i in range(4)]
    assert tokens[0] == tokens[1] and len(set(tokens)) == 3
    assert m.row("SELECT type FROM token WHERE uid = %s", tokens[3])["type"] == "AD_HOC_USER"
    assert m.row("SELECT count(DISTINCT contract_id) AS n FROM token")["n"] == 1


def test_one_open_session_per_connector(m):
    session = m.started()
    again = m.start()
    assert again["outcome"] == "evse_busy" and again["running_session_id"] == session
    other = m.start(user="v")
    assert other["outcome"] == "evse_busy" and other["running_session_id"] is None
    assert m.start(connector="2")["outcome"] == "stored"


def test_waiting_for_a_cdr_blocks_nobody(m):
    awaiting_cdr(m)
    assert m.start(max_open=1)["outcome"] == "stored"


def test_a_user_has_a_limited_number_of_open_sessions(m):
    m.started(evse=0)
    m.started(evse=1)
    assert m.start(evse=2, max_open=2)["outcome"] == "limit"
    assert m.start(evse=2, max_open=2, user="v")["outcome"] == "stored"


def test_an_evse_that_was_removed_meanwhile_is_gone(m):
    m.rows("UPDATE evse SET status = 'REMOVED' FROM location l WHERE l.id = location"
           " AND l.partner_id = %s AND uid = 'E3'", m.partner)
    assert m.start(evse=3)["outcome"] == "evse_gone"


def test_a_repeated_key_gets_the_first_answer_and_another_body_is_told(m):
    first = m.start(key="k")
    again = m.start(key="k")
    assert (again["outcome"], again["replay_status"]) == ("replay", 200)
    assert first["s_id"] in again["replay_body"]
    assert m.start(key="k", body="other")["outcome"] == "key_reused"
    assert m.start(key="k", user="v", evse=1)["outcome"] == "stored"


def test_a_refused_start_leaves_its_key_free(m):
    m.started()
    assert m.start(key="k")["outcome"] == "evse_busy"
    assert m.start(key="k", evse=1)["outcome"] == "stored"


def test_a_key_is_forgotten_after_48_hours(m):
    session = m.started(key="k")
    m.wait(48 * 3600 + 1)
    assert m.start(key="k")["outcome"] == "evse_busy"
    m.rows("SELECT session_apply(%s, 'start_refused', 'test', 'test')", session)
    assert m.start(key="k", body="other")["outcome"] == "stored"


def test_fifty_starts_at_once_on_one_connector_make_one_session(m, url):
    outcomes = []

    def ask(i):
        own = Model.__new__(Model)
        own.connection = psycopg2.connect(url, cursor_factory=m.connection.cursor_factory)
        own.connection.autocommit = True
        own.partner, own.country, own.party = m.partner, m.country, m.party
        outcomes.append(own.start(user=f"user {i % 7}", key=f"k{i % 10}")["outcome"])
        own.connection.close()

    threads = [threading.Thread(target=ask, args=(i,)) for i in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert outcomes.count("stored") == 1
    assert set(outcomes) <= {"stored", "evse_busy", "replay"}
    assert m.row("SELECT count(*) AS n FROM session")["n"] == 1


# ---------------------------------------------------------------- the start command

def test_a_start_is_claimed_once_in_its_life(m):
    session = m.started()
    (claimed,) = m.claim(session)
    assert claimed["sent_at"] and claimed["attempts"] == 1
    assert not m.claim(session) and not m.claim()
    m.wait(31)
    assert not m.claim()


def test_a_start_whose_process_died_after_the_claim_is_unclear_and_never_sent_again(m):
    session = m.started()
    m.claim(session)
    m.wait(31)
    m.timers()
    assert m.operation(session, "start")["outcome"] == "unclear"
    assert m.state(session) == "pending/command_unclear"
    for _ in range(20):
        m.wait(20)
        m.timers()
        assert not m.claim()
    assert m.session(session)["failure_code"] == "start_timeout"


def test_an_unsent_start_is_sent_within_30_seconds_or_fails(m):
    session = m.started()
    m.wait(31)
    assert not m.claim()
    m.timers()
    assert m.session(session)["failure_code"] == "start_timeout"


def test_not_sent_is_tried_twice_more_and_then_unreachable(m):
    session = m.started()
    for n in range(3):
        (start,) = m.claim(session)
        m.answer(start["id"], "not_sent")
        assert not m.claim(session), "not at once"
        m.wait(2)
    assert not m.claim(session)
    assert m.session(session)["failure_code"] == "network_unreachable"
    assert m.operation(session, "start")["attempts"] == 3


@pytest.mark.parametrize("outcome, failure, code", [
    ("rejected", None, "rejected_by_network"), ("rejected", "token_unknown", "token_unknown"),
    ("not_supported", None, "not_supported")])
def test_a_refused_start_fails_with_its_code(m, outcome, failure, code):
    session = m.started()
    (start,) = m.claim(session)
    m.answer(start["id"], outcome, failure)
    assert m.session(session)["failure_code"] == code


def test_accepted_alone_does_not_activate(m):  # R-ASYNC-04
    session = m.started()
    (start,) = m.claim(session)
    m.answer(start["id"], "accepted")
    m.result(start["callback_id"], "accepted")
    assert m.state(session) == "pending/command_accepted"
    assert m.operation(session, "start")["outcome"] == "confirmed"


@pytest.mark.parametrize("order", ["arp", "apr", "rap", "rpa", "par", "pra"])
def test_answer_result_and_session_come_in_any_order(m, order):  # R-CMD-12
    session = m.started()
    (start,) = m.claim(session)
    for step in order:
        if step == "a":
            m.answer(start["id"], "accepted")
        elif step == "r":
            assert m.result(start["callback_id"], "accepted")["found"]
        else:
            m.push("S", "ACTIVE", session)
    assert m.state(session) == "active/charging"
    operation = m.operation(session, "start")
    assert (operation["state"], operation["outcome"]) == ("completed", "done")


def test_a_result_is_only_taken_from_the_partner_and_for_a_day(m):
    session = m.started()
    (start,) = m.claim(session)
    assert not m.result(start["callback_id"], "accepted", partner=m.partner + 1000)["found"]
    assert not m.result("0" * 32, "accepted")["found"]
    assert m.result(start["callback_id"], "accepted")["applied"]
    again = m.result(start["callback_id"], "rejected")
    assert again["found"] and not again["applied"]
    assert m.session(session)["state"] == "pending"
    m.wait(24 * 3600 + 1)
    assert not m.result(start["callback_id"], "accepted")["found"]


def test_a_pending_start_looks_at_half_time_and_fails_at_its_deadline(m):
    session = m.started()
    (start,) = m.claim(session)
    m.answer(start["id"], "accepted", timeout=30)  # deadline 30 + 15 + 120 s
    m.wait(84)
    assert [e["pull_partner"] for e in m.timers() if e["pull_partner"]][:1] == [m.partner]
    assert m.session(session)["state"] == "pending"
    m.wait(80)
    m.timers()
    assert m.session(session)["state"] == "pending"
    m.wait(3)
    m.timers()
    assert m.session(session)["failure_code"] == "start_timeout"
    assert m.operation(session, "start")["outcome"] == "timed_out"


def test_a_session_that_the_network_shows_as_pending_waits_two_hours_and_is_then_stopped(m):
    session = m.started()
    m.claim(session)
    m.push("S", "PENDING", session)
    m.wait(7199)
    m.timers()
    assert m.session(session)["state"] == "pending"
    m.wait(2)
    m.timers()
    assert m.session(session)["failure_code"] == "start_timeout"
    (stop,) = m.claim(session)
    assert stop["kind"] == "stop"


# ---------------------------------------------------------------- stop

def test_a_stop_before_the_command_left_sends_nothing(m):
    session = m.started()
    assert m.stop(session)["outcome"] == "taken"
    assert m.session(session)["failure_code"] == "cancelled_before_start"
    assert not m.claim() and not m.claim(session)
    assert [e["rule"] for e in m.events(session)] == ["1", "4", "10"]


def test_a_stop_waits_for_the_networks_session(m):  # R-CMD-11
    session = cancelling(m)
    assert m.state(session) == "stopping/stop_requested"
    assert not m.claim(session)
    answer = m.push("S", "ACTIVE", session)
    assert answer["s_operations_due"]
    (stop,) = m.claim(session)
    assert stop["kind"] == "stop"
    assert m.state(session) == "stopping/stop_requested"
    m.push("S", "COMPLETED", session, kwh=1)
    assert m.operation(session, "stop")["outcome"] == "done"


@pytest.mark.parametrize("how", ["refused", "deadline"])
def test_a_stop_whose_start_does_not_happen_ends_as_cancelled(m, how):
    session = cancelling(m)
    if how == "refused":
        m.result(m.operation(session, "start")["callback_id"], "rejected", "evse_occupied")
    else:
        for _ in range(10):
            m.wait(40)
            m.timers()
    assert m.session(session)["failure_code"] == "cancelled_before_start"
    assert not m.claim()


def test_a_second_stop_is_no_second_command(m):
    session = stopping(m)
    assert m.stop(session)["outcome"] == "already"
    assert len(m.rows("SELECT 1 FROM operation WHERE kind = 'stop'")) == 1


def test_stopping_what_is_over_foreign_or_unknown(m):
    session = completed(m)
    assert m.stop(session)["outcome"] == "ended"
    assert m.stop(session, user="v")["outcome"] == "not_found"
    robot = m.started(robot="r", evse=5)
    assert m.stop(robot, robot="other")["outcome"] == "not_found"
    assert m.stop(robot, robot="r")["outcome"] == "taken"


def test_a_stop_is_repeated_and_then_stuck(m):
    session = stopping(m)
    sent = 0
    for _ in range(200):
        for stop in m.claim(session):
            m.answer(stop["id"], "unclear")
            sent += 1
        m.wait(5)
        m.timers()
    assert m.state(session) == "stopping/stuck"
    assert 13 <= sent <= 16
    assert m.operation(session, "stop")["outcome"] == "timed_out"


def test_a_refused_stop_is_tried_once_more_and_then_active_again(m):
    session = stopping(m)
    (stop,) = m.claim(session)
    m.answer(stop["id"], "rejected")
    assert m.state(session) == "stopping/stop_requested" and not m.claim(session)
    m.wait(11)
    (stop,) = m.claim(session)
    m.answer(stop["id"], "accepted")
    m.result(stop["callback_id"], "rejected")
    s = m.session(session)
    assert (s["state"], s["last_error"]) == ("active", "stop_rejected")
    assert m.stop(session)["outcome"] == "taken"
    assert m.session(session)["last_error"] is None


def test_a_session_the_network_does_not_know_waits_for_its_cdr(m):
    session = stopping(m)
    for _ in range(2):
        (stop,) = m.claim(session)
        m.answer(stop["id"], "unknown_session")
        m.wait(31)
    assert m.state(session) == "stopping/awaiting_cdr"
    assert m.start()["outcome"] == "stored"


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
    m.wait(2879)
    m.timers()
    assert m.session(session)["state"] == "active"
    m.wait(2)
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
    m.rows("SELECT finance_decide(%s, %s, %s, 'finance:x', 'FI-HUB')", session, cdr, confirm)
    assert m.session(session)["state"] == ("completed" if confirm else "failed")
    assert len(m.receipts(session)) == confirm and not m.cases(session)
    if not confirm:
        assert m.session(session)["failure_code"] == "evse_occupied"
        m.push("S2", "ACTIVE", session)
        assert m.session(session)["state"] == "failed"


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


# ---------------------------------------------------------------- CDRs

@pytest.mark.parametrize("phase", ["pending", "active", "cancelling", "stopping", "awaiting_cdr"])
def test_an_accepted_cdr_completes_and_makes_one_receipt(m, phase):
    session = PHASES[phase](m)
    answer = m.cdr("C", session, kwh=20, cost=7195000)
    assert (answer["outcome"], answer["filed"], answer["s_state"]) == ("stored", "billed",
                                                                     "completed")
    (receipt,) = m.receipts(session)
    assert receipt["amount_minor"] == 720 and receipt["energy_mwh"] == 20000000
    assert receipt["duration_s"] == 1800 and receipt["kind"] == "receipt"
    assert m.session(session)["cost_u6"] == 7200000
    assert not m.claim()
    assert not m.rows("SELECT * FROM timer WHERE subject = %s", session)
    assert not m.rows("SELECT * FROM operation WHERE finished_at IS NULL")


def test_the_same_cdr_again_changes_nothing_and_another_body_is_refused(m):  # R-CDR-04, I5
    session = m.active()
    first = m.cdr("C", session)
    again = m.cdr("C", session)
    assert (again["outcome"], again["path"]) == ("repeated", first["path"])
    assert m.cdr("C", session, cost=1)["outcome"] == "conflict"
    assert m.cdr("C", session, cost=1)["outcome"] == "conflict"
    assert m.cases(session) == ["cdr_conflict"]
    assert len(m.receipts(session)) == 1
    assert m.row("SELECT count(*) AS n FROM cdr_refused")["n"] == 1


def test_a_second_cdr_of_a_billed_session_is_kept_for_a_person(m):
    session = completed(m)
    assert m.cdr("D", session)["filed"] == "duplicate_session"
    assert m.cases(session) == ["quarantined_cdr"] and len(m.receipts(session)) == 1


def test_an_implausible_cdr_proves_the_end_but_does_not_bill(m):
    session = m.active()
    m.push("S", "ACTIVE", session, kwh=10)
    assert m.cdr("C", session, kwh=9.8)["filed"] == "quarantined"
    assert m.state(session) == "stopping/awaiting_cdr"
    other = m.active(name="T", evse=1)
    assert m.cdr("D", other, plausible=False)["filed"] == "quarantined"


def test_a_cdr_before_its_session_is_found_by_the_job(m):
    assert m.cdr("C", network_session="S")["filed"] == "unmatched"
    assert m.cases(cdr="C") == ["unmatched_cdr"]
    session = m.active(name="S")
    m.wait(15 * 60 + 1)
    assert session in [e["s_id"] for e in m.timers()]
    assert m.session(session)["state"] == "completed" and not m.cases(cdr="C")


def test_a_credit_cancels_and_its_replacement_is_a_new_receipt(m):  # R-CDR-06, R-CDR-07
    session = m.active()
    m.cdr("C", session, cost=7200000)
    assert m.cdr("C-C", session, cost=-7100000, credit=True, credits="c")["filed"] == "credit_amount"
    assert m.cdr("C-D", session, cost=-7200000, credit=True, credits="c")["filed"] == "credit"
    assert m.cdr("C-E", session, cost=-7200000, credit=True, credits="c")["filed"] == "credit_twice"
    assert m.session(session)["state"] == "completed"
    assert m.cdr("D", session, cost=5000000)["filed"] == "billed"
    assert [(r["kind"], r["amount_minor"]) for r in m.receipts(session)] == [
        ("receipt", 720), ("cancellation", -720), ("receipt", 500)]
    assert m.session(session)["state"] == "completed"


def test_a_credit_before_its_original_meets_it(m):
    session = m.active()
    assert m.cdr("C-C", credit=True, credits="C", cost=-7200000)["filed"] == "credit_waiting"
    m.cdr("C", session)
    assert [r["amount_minor"] for r in m.receipts(session)] == [720, -720]


def test_a_cdr_after_force_close_is_a_finance_case_until_confirmed(m):
    session = closed(m)
    assert m.cdr("C", session)["filed"] == "force_closed"
    assert m.session(session)["state"] == "failed"
    cdr = m.row("SELECT id FROM cdr")["id"]
    m.rows("SELECT finance_decide(%s, %s, true, 'finance:x', 'FI-HUB')", session, cdr)
    assert m.session(session)["state"] == "completed" and len(m.receipts(session)) == 1


@pytest.mark.parametrize("currency, cost, minor", [
    ("EUR", 5000, 1), ("EUR", 4999, 0), ("EUR", 15320000, 1532), ("JPY", 500000, 1),
    ("JPY", 499999, 0), ("KWD", 1234500, 1235), ("ISK", 12000000, 12)])
def test_amounts_are_rounded_once_half_away_from_zero(m, currency, cost, minor):
    session = m.active()
    m.cdr("C", session, cost=cost, currency=currency)
    assert m.receipts(session)[0]["amount_minor"] == minor


def test_receipt_numbers_are_gapless_and_their_hashes_chain(m):
    for i in range(9):
        m.cdr(f"C{i}", m.active(name=f"S{i}", evse=i), evse=f"E{i}")
    check_receipts(m)
    assert m.row("SELECT min(number) AS number FROM receipt")["number"].endswith("-0000001")


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


# ---------------------------------------------------------------- anything in any order

def check_receipts(m):
    rows = m.rows("SELECT *, receipt_hash(r) AS again FROM receipt r ORDER BY series, year, seq")
    previous = ""
    for i, r in enumerate(rows):
        assert r["seq"] == i + 1
        assert r["previous_hash"] == previous and r["hash"] == r["again"]
        previous = r["hash"]


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
                      " (SELECT count(*) FROM receipt WHERE cdr = c.id) <> 1"), "I6"
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
        elif what == "force" and dice.random() < 0.2:
            m.rows("SELECT session_force_close(%s, 'test', 'operator:x')", session)
        elif what == "finance":
            for c in m.rows("SELECT id, session_id FROM cdr WHERE filed IN"
                            " ('late_start', 'force_closed') LIMIT 1"):
                m.rows("SELECT finance_decide(%s, %s, %s, 'finance:x', 'FI-HUB')",
                       c["session_id"], c["id"], dice.random() < 0.5)
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
        check(m, seen)
    for s in m.rows("SELECT * FROM session WHERE state IN ('pending', 'active', 'stopping')"):
        assert s["state"] == "stopping" and (s["ended"] or s["recovered_from"]), dict(s)


@pytest.mark.parametrize("seed", range(int(os.environ.get("MODEL_SEEDS", "25"))))
def test_whatever_happens_in_whatever_order(m, seed):
    play(m, seed)
