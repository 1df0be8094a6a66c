# SPDX-License-Identifier: Apache-2.0
"""
Money in the database: the ledger and the receipts cannot be bent, a credit takes back all that its
original did, and what a person decides has the effects it should have. Pricing is the model's own
(Model.price); what C makes of real records is tested in tests/e2e/test_cdr_intake.py.
"""

import json
import os
import random
import signal
import subprocess
import sys
import threading
import time

import psycopg2
import pytest
from model import ANSWER, HOLD, SERIES, Model, check_books, check_receipts, closed, recovered

AUDIT = "SELECT * FROM receipt_verify(%s, %s, 0, '', 1000)"


def refused(m, sql, *values, match="append only"):
    with pytest.raises(psycopg2.Error, match=match):
        m.rows(sql, *values)


def balances(m):
    return {(r["account"].split(":")[0], r["currency"]): int(r["sum"]) for r in m.rows(
        "SELECT split_part(account, ':', 1) AS account, currency, sum(amount_u6) FROM ledger_line"
        " JOIN ledger_entry ON id = entry GROUP BY 1, 2") if r["sum"]}


def year(m):
    return m.row("SELECT year FROM receipt_series")["year"]


# ---- the ledger ----


def test_an_entry_that_does_not_balance_is_refused_at_commit(m):
    refused(m, "SELECT ledger_post('receipt', 'k', 'EUR', NULL, NULL, NULL, '{receivable,revenue}',"
               " '{100,-99}')", match="does not balance: 1")
    assert not m.rows("SELECT * FROM ledger_entry")
    m.rows("BEGIN")
    m.rows("SELECT ledger_post('receipt', 'k', 'EUR', NULL, NULL, NULL, '{receivable}', '{100}')")
    m.rows("INSERT INTO ledger_line SELECT id, 2, 'revenue:DEU:19', -100 FROM ledger_entry")
    m.rows("COMMIT")  # in between it need not
    assert balances(m) == {("receivable", "EUR"): 100, ("revenue", "EUR"): -100}


def test_an_entry_is_posted_once_for_its_key_and_closed_with_its_transaction(m):
    post = ("SELECT ledger_post('receipt', 'k', 'EUR', NULL, NULL, NULL, '{receivable,revenue,vat}',"
            " '{119,-119,0}') AS id")
    entry = m.row(post)["id"]
    assert m.row(post)["id"] is None
    assert m.row("SELECT count(*) AS n FROM ledger_line")["n"] == 2  # a line of nothing is left out
    refused(m, "INSERT INTO ledger_line VALUES (%s, 8, 'a', 1), (%s, 9, 'b', -1)", entry, entry,
            match="is closed")


@pytest.mark.parametrize("sql", [
    "UPDATE ledger_entry SET currency = 'CHF'", "DELETE FROM ledger_entry", "TRUNCATE ledger_entry CASCADE",
    "UPDATE ledger_line SET amount_u6 = 0", "DELETE FROM ledger_line", "TRUNCATE ledger_line",
    "UPDATE receipt SET amount_minor = 0", "UPDATE receipt SET content = NULL, net_minor = NULL, vat_minor = NULL",
    "DELETE FROM receipt", "TRUNCATE receipt CASCADE"])
def test_ledger_and_receipts_are_insert_only(m, sql):
    m.cdr("C", m.active())
    refused(m, sql)


def test_a_cdr_that_is_owed_stays_owed(m):
    m.cdr("C", m.active())
    refused(m, "UPDATE cdr SET owed_at = NULL", match="immutable")
    refused(m, "UPDATE cdr SET owed_at = owed_at + interval '1 month'", match="immutable")


def test_a_receipt_and_a_purchase_are_posted_with_the_cdr(m):
    m.cdr("C", m.active(), cost=7200000, net=6050000)
    assert balances(m) == {("receivable", "EUR"): 7200000, ("revenue", "EUR"): -6050000, ("vat", "EUR"): -1150000,
                           ("purchase", "EUR"): 6050000, ("cpo_payable", "EUR"): -6050000}
    account = m.row("SELECT account FROM ledger_line WHERE account ~ 'cpo_payable'")["account"]
    assert account == f"cpo_payable:{m.partner}"
    check_books(m)


def test_a_receipt_of_nothing_is_a_receipt(m):
    session = m.active()
    m.cdr("C", session, cost=0)
    assert [r["amount_minor"] for r in m.receipts(session)] == [0]
    assert balances(m) == {}
    check_books(m)


# ---- what is owed, and when ----


def test_a_cdr_belongs_to_the_month_in_which_it_was_accepted(m):
    end = m.row("SELECT date_trunc('month', hub_now()) - interval '1 hour' AS t")["t"]
    session = m.active()
    m.rows("UPDATE session SET version = version + 1, start_at = %s, created_at = %s WHERE id = %s", end, end, session)
    m.cdr("C", session, end=end)
    c = m.row("SELECT *, date_trunc('month', hub_now() AT TIME ZONE 'UTC')::date AS now FROM cdr")
    assert c["period"] == c["now"] > c["end_at"].date()


def test_a_disputed_cdr_bills_the_user_and_is_owed_when_a_person_says_so(m):
    session = m.active()
    assert m.cdr("C", session, grade="DISPUTE")["filed"] == "billed"
    c = m.row("SELECT * FROM cdr")
    assert (c["class"], c["owed_at"], c["period"]) == ("DISPUTE", None, None)
    assert m.cases(session) == ["cost_mismatch"] and len(m.receipts(session)) == 1
    assert ("purchase", "EUR") not in balances(m)
    m.wait(40 * 86400)
    assert m.value("cdr_release", c["id"], True, "finance:x")
    assert not m.value("cdr_release", c["id"], True, "finance:x")
    c = m.row("SELECT *, date_trunc('month', hub_now() AT TIME ZONE 'UTC')::date AS now FROM cdr")
    assert c["period"] == c["now"] and c["period"] > c["accepted_at"].date()
    assert not m.cases(session) and balances(m)["purchase", "EUR"] == c["total_cost_excl_u6"]
    check_books(m)


def test_a_refused_dispute_is_never_owed(m):
    session = m.active()
    cdr = m.cdr("C", session, grade="DISPUTE")["cdr"]
    assert m.value("cdr_release", cdr, False, "finance:x") and not m.cases(session)
    assert m.row("SELECT owed_at FROM cdr")["owed_at"] is None
    # ... and its credit takes back what the user got alone.
    assert m.cdr("K", session, cost=-7200000, credit=True, credits="C", hold=0)["filed"] == "credit"
    assert balances(m) == {} and not m.rows("SELECT 1 FROM cdr WHERE owed_at IS NOT NULL")
    check_books(m)


# ---- credits ----


def test_a_credit_takes_back_all_that_its_original_did(m):
    session = m.active()
    m.cdr("C", session, cost=7200000, net=6050000)
    assert m.cdr("K", session, cost=-7200000, net=-6050000, credit=True, credits="C")["filed"] == "credit"
    # The user's receipt waits for the replacement, the CPO's account does not.
    assert balances(m) == {("receivable", "EUR"): 7200000, ("revenue", "EUR"): -6050000, ("vat", "EUR"): -1150000}
    assert m.row("SELECT period FROM cdr WHERE cdr_id = 'K'")["period"] is not None
    m.wait(HOLD - 60)
    assert m.cancel_due() == []
    m.wait(120)
    assert len(m.cancel_due()) == 1 and m.cancel_due() == []
    assert balances(m) == {}
    original, cancellation = m.receipts(session)
    for column in ("amount_minor", "net_minor", "vat_minor", "energy_mwh"):
        assert cancellation[column] == -original[column] != 0
    assert cancellation["cancels"] == original["id"]
    assert m.session(session)["state"] == "completed"
    check_books(m)
    check_receipts(m)


def test_a_replacement_in_time_brings_both_documents_at_once(m):
    session = m.active()
    m.cdr("C", session, cost=7200000)
    m.cdr("K", session, cost=-7200000, credit=True, credits="C")
    m.wait(3600)
    m.cdr("D", session, cost=6000000)
    rows = m.receipts(session)
    assert [(r["kind"], r["amount_minor"]) for r in rows] == [("receipt", 720), ("cancellation", -720), ("receipt", 600)]
    assert rows[1]["issued_at"] == rows[2]["issued_at"]
    m.wait(HOLD)
    assert m.cancel_due() == []
    check_books(m)


def test_a_replacement_that_comes_late_is_a_receipt_of_its_own(m):
    session = m.active()
    m.cdr("C", session, cost=7200000)
    m.cdr("K", session, cost=-7200000, credit=True, credits="C")
    m.wait(HOLD + 1)
    m.cancel_due()
    m.cdr("D", session, cost=6000000)
    assert [r["amount_minor"] for r in m.receipts(session)] == [720, -720, 600]
    assert [r["revision"] for r in m.receipts(session)] == [1, 2, 3]
    check_books(m)


def test_what_is_replaced_is_known_to_who_prices(m):
    session = m.active()
    m.cdr("C", session, cost=7200000)

    def look(name):
        return m.context(None, m.partner, m.country, m.party, name, "h", None, None, session, "E0", m.now(), m.now(),
                         "EUR", False, None)

    assert look("D")["billed"] and look("D")["replaces"] is None
    m.cdr("K", session, cost=-7200000, credit=True, credits="C")
    context = look("D")
    assert not context["billed"]
    assert (context["replaces"], context["replaced_minor"]) == (m.receipts(session)[0]["number"], 720)


def test_a_credit_of_unknown_waits_thirty_days_and_is_put_aside(m):
    assert m.cdr("K", cost=-1, credit=True, credits="nothing")["filed"] == "credit_waiting"
    assert m.cases(cdr="K") == ["unmatched_cdr"]
    for _ in range(40):
        m.wait(86400)
        m.retry()
    assert m.row("SELECT filed, retry_at FROM cdr") == {"filed": "credit_unknown", "retry_at": None}
    assert m.cases(cdr="K") == ["quarantined_cdr"]
    m.wait(86400)
    assert m.retry() == []


def test_a_credit_that_waited_is_taken_by_the_job_if_nobody_took_it(m):
    """The process that filed the original may die before it comes to the credit."""
    session = m.active()
    m.cdr("K", credit=True, credits="C", cost=-7200000)
    m.settle = lambda cdr: None
    m.cdr("C", session)
    del m.settle
    assert m.row("SELECT filed FROM cdr WHERE cdr_id = 'K'")["filed"] == "credit_waiting"
    assert [a["filed"] for a in m.retry()] == ["credit"]


def test_an_unmatched_cdr_is_looked_at_for_thirty_days(m):
    m.cdr("C", network_session="S")
    m.wait(29 * 86400)
    m.retry()
    session = m.active(name="S")
    m.wait(6 * 3600 + 1)
    m.retry()
    assert m.session(session)["state"] == "completed"
    m.cdr("D", network_session="T")
    m.wait(31 * 86400)
    m.retry()
    assert m.row("SELECT filed, retry_at FROM cdr WHERE cdr_id = 'D'") == {"filed": "unmatched", "retry_at": None}
    assert m.cases(cdr="D") == ["unmatched_cdr"]  # still a person's


def test_an_unmatched_cdr_is_looked_at_soon_and_then_less_and_less(m):
    """Its Session may come a moment later, or its transaction may have been the later one."""
    gaps = []

    def gap_after(what, *args, **more):
        m.rows("BEGIN")  # so that no time passes until it is looked at
        what(*args, **more)
        gaps.append(round(m.row("SELECT extract(epoch FROM retry_at - hub_now()) AS s FROM cdr")["s"]))
        m.rows("COMMIT")

    gap_after(m.cdr, "C", network_session="S")
    for _ in range(11):
        m.wait(gaps[-1] + 1)
        gap_after(m.retry)
    m.wait(gaps[-1] + 1)
    m.retry()
    assert gaps[0] <= 5 and sum(gaps[:3]) <= 30, gaps
    assert gaps == sorted(gaps) and all(b <= 2 * a + 20 for a, b in zip(gaps, gaps[1:])), gaps
    assert gaps[-1] in range(890, 901), gaps
    session = m.active(name="S")
    m.wait(901)
    m.retry()
    assert m.session(session)["state"] == "completed"


def test_two_processes_never_claim_the_same_cdr(m, url):
    m.cdr("C", network_session="S")
    m.wait(3600)
    other = Model(url)
    other.wait(3600)
    m.rows("BEGIN")
    assert len(m.rows("SELECT * FROM cdr_retry_claim(10)")) == 1
    assert not other.rows("SELECT * FROM cdr_retry_claim(10)")
    m.rows("COMMIT")
    assert not other.rows("SELECT * FROM cdr_retry_claim(10)")
    other.close()


# ---- what was priced is what is filed ----


def test_a_situation_that_changed_is_looked_at_again(m):
    session = m.active()
    pushes = []

    def meanwhile():
        pushes.append(m.push("S", "ACTIVE", session, kwh=4))

    assert m.cdr("C", session, race=meanwhile)["filed"] == "billed"
    assert len(pushes) == 1 and len(m.receipts(session)) == 1


def test_a_retry_waits_for_a_person_who_matches(m, url):
    """It was priced as unmatched; what the person makes of it in between stands."""
    session = m.active()
    cdr = m.cdr("C", plausible=False)["cdr"]
    c = m.row("SELECT * FROM cdr WHERE id = %s", cdr)
    assert c["filed"] == "unmatched"
    seen = m.context(cdr, c["partner_id"], c["country_code"], c["party_id"], c["cdr_id"], c["content_hash"], None, None,
                     None, c["evse_uid"], c["start_at"], c["end_at"], "EUR", False, None)
    priced = m.price(seen, 10, 7200000, 7200000, "EUR", False, False, None, HOLD)
    other = Model(url)
    answers = []
    m.rows("BEGIN")
    wrong = {**m.price(m.context(cdr, c["partner_id"], c["country_code"], c["party_id"], c["cdr_id"], c["content_hash"],
                                 None, None, None, c["evse_uid"], c["start_at"], c["end_at"], "EUR", False, None, session),
                       10, 7200000, 7200000, "EUR", False, False, None, HOLD)}
    (matched,) = m.call("cdr_settle", cdr, session, json.dumps(wrong), "finance:x", False, SERIES, columns=ANSWER,
                        types={1: "uuid", 2: "jsonb"})
    assert matched["filed"] == "quarantined"
    retry = threading.Thread(target=lambda: answers.extend(other.call(
        "cdr_settle", cdr, None, json.dumps(priced), "hub", False, SERIES, columns=ANSWER,
        types={1: "uuid", 2: "jsonb"})))
    retry.start()
    retry.join(1)
    assert retry.is_alive() and not answers  # it waits for the row
    m.rows("COMMIT")
    retry.join(10)
    assert [a["outcome"] for a in answers] == ["again"]
    c = m.row("SELECT * FROM cdr WHERE id = %s", cdr)
    assert (c["filed"], str(c["session_id"])) == ("quarantined", session)
    other.close()


def test_two_replacements_at_once_bill_once(m, url):
    session = m.active()
    other = Model(url)
    other.country, other.party = m.country, m.party

    def meanwhile():
        assert other.cdr("D", session, partner=m.partner)["filed"] == "billed"

    assert m.cdr("C", session, race=meanwhile)["filed"] == "duplicate_session"
    assert len(m.receipts(session)) == 1
    other.close()
    check_books(m)


# ---- people ----


@pytest.mark.parametrize("phase", [recovered, closed])
def test_a_person_confirms_or_declines(m, phase):
    session = phase(m)
    cdr = m.cdr("C", session)["cdr"]
    assert not m.receipts(session)
    before = m.state(session)
    assert m.decide(cdr, False)["filed"] == "declined" and not m.cases(session)
    assert m.session(session)["state"] == "failed"
    assert m.decide(cdr, True)["outcome"] == "over"
    assert not m.receipts(session) and before


def test_a_quarantined_cdr_is_billed_when_a_person_says_so(m):
    session = m.active()
    cdr = m.cdr("C", session, plausible=False)["cdr"]
    assert m.cases(session) == ["quarantined_cdr"] and balances(m) == {}
    assert m.decide(cdr, True, by="finance:anna")["filed"] == "billed"
    assert m.session(session)["state"] == "completed" and not m.cases(session)
    assert m.row("SELECT decided_by FROM cdr")["decided_by"] == "finance:anna"
    check_books(m)


@pytest.mark.parametrize("phase, filed", [(Model.active, "quarantined"), (recovered, "late_start"),
                                         (closed, "force_closed")])
def test_what_has_no_receipt_is_not_billed_whoever_says_so(m, monkeypatch, phase, filed):
    session = phase(m)
    price = m.price

    def beyond(*args):
        priced = {**price(*args), "class": "QUARANTINE", "why": "no receipt can be made"}
        priced.pop("receipt")
        return priced

    monkeypatch.setattr(m, "price", beyond)
    cdr = m.cdr("C", session)["cdr"]
    before = m.state(session), m.cases(session)
    answer = m.decide(cdr, True)
    assert (answer["outcome"], answer["filed"]) == ("settled", filed)
    assert (m.state(session), m.cases(session)) == before and not m.receipts(session) and balances(m) == {}
    assert m.row("SELECT decided_by FROM cdr")["decided_by"] is None
    assert m.decide(cdr, False)["filed"] == "declined" and not m.cases(session)


def test_the_rates_around_our_own_end_where_the_network_knows_none(m):  # R-CDR-15
    session = m.active()
    m.push("S", "COMPLETED", session, kwh=5)
    m.rows("INSERT INTO vat_rate (country, buyer, rate, valid_from, by) VALUES ('NZL', 'consumer', 19, '2020-01-01', 'x')")
    m.rows("UPDATE location SET country = 'NZL'")
    unknown = m.row("SELECT 'epoch'::timestamptz AS t")["t"]
    seen = m.context(None, m.partner, m.country, m.party, "C", "h", None, None, session, "E0", unknown, unknown, "EUR",
                     False, None)
    assert [r["rate"] for r in json.loads(seen["vat"])] == ["19.0000"]


def test_a_person_matches_an_unmatched_cdr(m):
    session = m.active()
    cdr = m.cdr("C")["cdr"]
    assert m.settle(cdr, session=session, by="finance:x")["filed"] == "billed"
    assert m.row("SELECT decided_by FROM cdr")["decided_by"] == "finance:x"
    assert not m.cases(cdr="C") and m.session(session)["state"] == "completed"


def test_a_manual_cdr_needs_two_people(m):
    session = m.active()
    m.push("S", "COMPLETED", session, kwh=5)

    def draft():
        return m.row("SELECT cdr_draft(%s, 'manual-1', '{}', 'h', 'p', hub_now() - interval '1 hour', hub_now(),"
                     " 5000000, 2000000, 1680672, 'EUR', 'finance:a', 'the network lost it') AS id", session)["id"]

    cdr = draft()
    assert draft() is None
    assert m.settle(cdr)["outcome"] == "over"  # the job leaves drafts alone
    assert m.settle(cdr, by="finance:a", confirmed=True)["outcome"] == "same_person"
    assert not m.receipts(session)
    # Not one person by two ways in, either.
    m.rows("UPDATE cdr SET calculation = calculation || '{\"drafted_by\": \"admin:token\"}'")
    assert m.settle(cdr, by="admin:socket", confirmed=True)["outcome"] == "same_person"
    m.rows("UPDATE cdr SET calculation = calculation || '{\"drafted_by\": \"finance:a\"}'")
    assert m.settle(cdr, by="finance:b", confirmed=True)["filed"] == "billed"
    c = m.row("SELECT * FROM cdr")
    assert (c["source"], c["decided_by"], c["calculation"]["drafted_by"]) == ("manual", "finance:b", "finance:a")
    assert m.session(session)["state"] == "completed" and len(m.receipts(session)) == 1
    # The network's own, later.
    assert m.cdr("C", session)["filed"] == "duplicate_session"


# ---- the chain ----


def test_the_chain_covers_content_and_amounts(m):
    for i in range(5):
        m.cdr(f"C{i}", m.active(name=f"S{i}", evse=i), evse=f"E{i}")
    whole = m.row(AUDIT, SERIES, year(m))
    assert (whole["rows"], whole["broken"]) == (5, None)
    # In pieces it is the same.
    part = m.row("SELECT * FROM receipt_verify(%s, %s, 0, '', 3)", SERIES, year(m))
    rest = m.row("SELECT * FROM receipt_verify(%s, %s, %s, %s, 3)", SERIES, year(m), part["last_seq"],
                 part["last_hash"])
    assert (part["rows"], rest["rows"], rest["last_hash"]) == (3, 2, whole["last_hash"])


@pytest.mark.parametrize("damage,why", [
    ("UPDATE receipt SET content = replace(content, 'gross', 'grass') WHERE seq = 3", "its hash"),
    ("UPDATE receipt SET net_minor = net_minor + 1, vat_minor = vat_minor - 1 WHERE seq = 3", "its hash"),
    ("UPDATE receipt SET amount_minor = 1, net_minor = 1, vat_minor = 0 WHERE seq = 3", "its hash"),
    ("DELETE FROM receipt WHERE seq = 3", "a number is missing"),
    ("DELETE FROM receipt WHERE seq = 5", "does not end"),
    ("UPDATE receipt SET previous_hash = 'x' WHERE seq = 3", "does not follow"),
])
def test_damage_is_found(m, damage, why):
    for i in range(5):
        m.cdr(f"C{i}", m.active(name=f"S{i}", evse=i), evse=f"E{i}")
    m.rows("SET session_replication_role = replica")  # what somebody with the keys could do
    m.rows(damage)
    m.rows("SET session_replication_role = origin")
    found = m.row(AUDIT, SERIES, year(m))
    assert found["broken"] and why in found["why"]


def test_receipts_of_a_release_without_content_stay_valid(m):
    """Their hash is made as it was then: of the columns that there were."""
    session = m.active()
    m.cdr("C", session)
    row = m.row("SELECT r.*, encode(sha256(convert_to(array_to_string(ARRAY[previous_hash, number, kind,"
                " revision::text, session_id::text, cdr::text, cancels::text, amount_minor::text, currency,"
                " energy_mwh::text, duration_s::text,"
                " to_char(start_at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US'),"
                " to_char(end_at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US'),"
                " to_char(issued_at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US')], '|', '-'), 'UTF8')),"
                " 'hex') AS old FROM receipt r")
    m.rows("SET session_replication_role = replica")
    m.rows("UPDATE receipt SET content = NULL, net_minor = NULL, vat_minor = NULL, hash = %s", row["old"])
    m.rows("UPDATE receipt_series SET last_hash = %s", row["old"])
    m.rows("SET session_replication_role = origin")
    other = m.active(name="T", evse=1)
    m.cdr("D", other, evse="E1")
    assert m.row(AUDIT, SERIES, year(m))["rows"] == 2
    check_receipts(m)
    # And such a one can be cancelled: nothing was posted for it, nothing is taken back.
    m.cdr("K", session, cost=-7200000, credit=True, credits="C", hold=0)
    assert m.receipts(session)[1]["net_minor"] is None
    assert m.row(AUDIT, SERIES, year(m))["broken"] is None


def test_the_date_never_runs_backwards(m):
    m.wait_until(12)
    m.cdr("C", m.active())
    m.wait(-7200)
    m.cdr("D", m.active(name="T", evse=1), evse="E1")
    first, second = m.rows("SELECT issued_at FROM receipt ORDER BY seq")
    assert second["issued_at"] >= first["issued_at"]
    assert m.row(AUDIT, SERIES, year(m))["broken"] is None


# ---- many at once ----

WRITER = """
import sys
sys.path.insert(0, {folder!r})
import psycopg2.extras, random, time
from model import Model
url, country, party, partner, seed = sys.argv[1:6]
dice = random.Random(int(seed))
m = Model(url)
m.country, m.party, m.partner = country, party, int(partner)
for line in sys.stdin:
    name, session, evse = line.split()
    m.rows("BEGIN")
    try:
        m.cdr(name, session, evse=evse)
        if dice.random() < 0.2:
            m.rows("ROLLBACK")
            continue
        m.rows("COMMIT")
    except psycopg2.Error:
        m.rows("ROLLBACK")
        continue
    print(name, flush=True)
"""


def test_numbers_have_no_gap_under_writers_that_roll_back_and_die(m, url):
    """C21. MONEY_WRITERS of them (64 by hand), each with sessions of its own and some of its neighbour's."""
    writers = int(os.environ.get("MONEY_WRITERS", "8"))
    each = 6
    sessions = [m.started(evse=i % 10, connector=str(1 + i // 10 % 2), user=f"u{i}") if i < 20 else None
                for i in range(writers * each)]
    for i in range(20, len(sessions)):  # more sessions than connectors: the earlier ones have ended
        for old in sessions[i - 20:i - 19]:
            m.push(f"N{i - 20}", "ACTIVE", old, evse=f"E{(i - 20) % 10}")
            m.push(f"N{i - 20}", "COMPLETED", old, kwh=1, evse=f"E{(i - 20) % 10}")
        sessions[i] = m.started(evse=i % 10, connector=str(1 + i // 10 % 2), user=f"u{i}")
    folder = os.path.dirname(os.path.abspath(__file__))
    dice = random.Random(7)
    running = []
    for w in range(writers):
        mine = range(w * each, (w + 1) * each)
        work = [(f"C{i}", sessions[i], f"E{i % 10}") for i in mine for _ in range(3)]
        work += [(f"C{i}", sessions[i], f"E{i % 10}") for i in range((w + 1) % writers * each,
                                                                    ((w + 1) % writers + 1) * each)]
        dice.shuffle(work)
        p = subprocess.Popen([sys.executable, "-c", WRITER.format(folder=folder), url, m.country, m.party,
                              str(m.partner), str(w)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        threading.Thread(target=lambda p=p, work=work: p.communicate(
            "".join(f"{n} {s} {e}\n" for n, s, e in work)), daemon=True).start()
        running.append(p)
    deadline = time.monotonic() + 60
    while any(p.poll() is None for p in running) and time.monotonic() < deadline:
        time.sleep(0.3)
        alive = [p for p in running if p.poll() is None]
        if alive and dice.random() < 0.5 and len(alive) > writers // 2:
            dice.choice(alive).send_signal(signal.SIGKILL)
    for p in running:
        p.kill() if p.poll() is None else None
    numbers = [r["seq"] for r in m.rows("SELECT seq FROM receipt ORDER BY seq")]
    assert numbers == list(range(1, len(numbers) + 1)) and len(numbers) > writers
    assert m.row("SELECT next FROM receipt_series")["next"] == len(numbers) + 1
    check_receipts(m)
    check_books(m)
    assert m.row(AUDIT, SERIES, year(m))["broken"] is None
