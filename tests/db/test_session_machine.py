# SPDX-License-Identifier: Apache-2.0
"""
The session machine by the rules of the contract: its table, starts and stops.
"""

import pathlib
import threading

import psycopg2
import pytest

from model import PHASES, Model, awaiting_cdr, cancelling, completed, stopping


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
    # 2.1.1 tells the contract id alone (auth_id): a token of one start has its own.
    assert m.row("SELECT count(DISTINCT contract_id) AS n FROM token")["n"] == 3


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
    m.wait(78)
    m.timers()
    assert m.session(session)["state"] == "pending"
    m.wait(5)
    m.timers()
    assert m.session(session)["failure_code"] == "start_timeout"
    assert m.operation(session, "start")["outcome"] == "timed_out"


def test_a_deadline_that_passed_while_nobody_was_here_is_no_reason_to_stop_a_car(m):
    session = m.started()
    (start,) = m.claim(session)
    m.answer(start["id"], "accepted")
    m.result(start["callback_id"], "accepted")
    m.wait(600)  # the hub was away, and with it everything the network said
    assert m.partner in [e["pull_partner"] for e in m.timers()]
    assert m.session(session)["state"] == "pending"
    m.push("S", "ACTIVE", session, pull=True)
    assert m.state(session) == "active/charging"
    assert not m.claim(session)


def test_a_deadline_that_passed_while_nobody_was_here_passes_after_one_look(m):
    session = m.started()
    m.claim(session)
    m.wait(600)
    m.timers()  # the process that sent it has died: unclear, and long overdue
    m.timers()
    assert m.state(session) == "pending/command_unclear"
    m.wait(95)
    m.timers()
    assert m.session(session)["failure_code"] == "start_timeout"


def test_a_session_that_the_network_shows_as_pending_waits_two_hours_and_is_then_stopped(m):
    session = m.started()
    m.claim(session)
    m.push("S", "PENDING", session)
    m.wait(7197)
    m.timers()
    assert m.session(session)["state"] == "pending"
    m.wait(4)
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
