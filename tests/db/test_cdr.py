# SPDX-License-Identifier: Apache-2.0
"""
CDRs and receipts: each CDR once for ever, each billed one with exactly one receipt.
"""

import pytest

from model import PHASES, check_receipts, closed, completed


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
    assert session in [e["s_id"] for e in m.retry()]
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
    assert [r["amount_minor"] for r in m.receipts(session)] == [720]
    m.wait(72 * 3600 + 1)
    assert len(m.cancel_due()) == 1
    assert [r["amount_minor"] for r in m.receipts(session)] == [720, -720]


def test_a_cdr_after_force_close_is_a_finance_case_until_confirmed(m):
    session = closed(m)
    assert m.cdr("C", session)["filed"] == "force_closed"
    assert m.session(session)["state"] == "failed"
    cdr = m.row("SELECT id FROM cdr")["id"]
    m.decide(cdr, True)
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
