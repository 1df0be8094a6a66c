# SPDX-License-Identifier: Apache-2.0
"""
Settlement: what a month came to, by two ways that must agree; statements that are closed once, with
each CDR in one of them at most.
"""

import datetime
from decimal import Decimal

import psycopg2
import pytest

from model import check_books

UTC = datetime.timezone.utc
SERIES = "FI-HUB"
TABLES = "statement, statement_vat, statement_line, statement_event, statement_series, statement_terms"


@pytest.fixture
def books(m):
    """The model on the tenth of a month, so that nothing falls over the edge of one."""
    m.rows("SET session_replication_role = replica")
    m.rows(f"TRUNCATE {TABLES}, ledger_entry, receipt_cancellation CASCADE")
    m.rows("SET session_replication_role = origin")
    now = m.now()
    tenth = (now.replace(day=1) + datetime.timedelta(days=40)).replace(day=10)
    m.wait((tenth - now).total_seconds())
    return m


def month(m, shift=0):
    first = m.now().date().replace(day=1)
    for _ in range(-shift):
        first = (first - datetime.timedelta(days=1)).replace(day=1)
    return first


def next_month(m):
    now = m.now()
    m.wait(((now.replace(day=1) + datetime.timedelta(days=40)).replace(day=10) - now).total_seconds())


def key(m, when, currency="EUR"):
    return m.value("statement_id", m.partner, currency, when)


def terms(m, treatment="domestic", rate=19, percent=0, per_cdr=0, fee_treatment="domestic", fee_rate=19,
          netting=False, since="2000-01-01", currency="EUR"):
    m.rows("INSERT INTO statement_terms VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, 'ann', hub_now())",
           m.partner, currency, since, treatment, rate, percent, per_cdr, fee_treatment, fee_rate, netting)


def close(m, when, by="staff:ann", currency="EUR"):
    return m.call("statement_close", key(m, when, currency), by, SERIES)[0]


def document(m, when, currency="EUR"):
    return m.value("statement_document", key(m, when, currency))


def reconciled(m, when=None):
    rows = m.call("finance_reconciliation", when or month(m), m.partner, types={1: "bigint"})
    return {r["currency"]: r for r in rows}


numbers = iter(range(1, 10**6))


def billed(m, net, gross=None, kwh=10, **more):
    """A session with its CDR; net in euros."""
    n = next(numbers)
    session = m.active(name=f"S{n}", evse=n % 10, connector=str(n // 10 % 2 + 1))
    u6 = int(Decimal(str(net)) * 1000000)
    answer = m.cdr(f"C{n}", session, kwh=kwh, net=u6, cost=int(Decimal(str(gross or net)) * 1000000),
                   evse=f"E{n % 10}", **more)
    assert answer["filed"] == "billed", answer
    return session, f"C{n}"


def credited(m, session, name, net, gross=None, kwh=10, hold=0):
    u6 = int(Decimal(str(net)) * 1000000)
    answer = m.cdr(f"{name}-C", session, kwh=kwh, net=-u6, cost=-int(Decimal(str(gross or net)) * 1000000),
                   credit=True, credits=name, hold=hold)
    assert answer["filed"] == "credit", answer


# ---- the month ----

def test_receipts_and_cdrs_come_to_the_same(books):
    m = books
    total = Decimal(0)
    for net, gross in (("5.00", "5.95"), ("0", "0"), ("0.0049", "0.005"), ("17.3333", "20.6266")):
        billed(m, net, gross)
        total += Decimal(gross).quantize(Decimal("0.01"), rounding="ROUND_HALF_UP")
    session, name = billed(m, "7.20", "8.57")
    credited(m, session, name, "7.20", "8.57")
    row = reconciled(m)["EUR"]
    assert row["control"] is True
    assert (row["sessions"], row["receipts"], row["cancellations"]) == (5, 5, 1)
    assert (row["cdrs"], row["credits"]) == (5, 1)
    assert row["gross"] == row["gross_by_cdrs"] == total
    assert row["net"] + row["vat"] == row["gross"]
    assert row["owed"] == row["owed_by_ledger"] == row["cdr_net"] == Decimal("22.3382")
    assert row["energy_kwh"] == row["cdr_energy_kwh"] == 40
    check_books(m)


def test_a_cancellation_that_waits_is_not_missing(books):
    """The receipt is cancelled later than its CDR is credited: both ways see it when it is issued."""
    m = books
    session, name = billed(m, "7.20", "8.57")
    credited(m, session, name, "7.20", "8.57", hold=72 * 3600)
    row = reconciled(m)["EUR"]
    assert (row["credits"], row["cancellations"], row["gross"]) == (1, 0, Decimal("8.57")) and row["control"]
    m.wait(73 * 3600)
    assert len(m.cancel_due()) == 1
    row = reconciled(m)["EUR"]
    assert (row["cancellations"], row["gross"]) == (1, 0) and row["control"]


def test_currencies_are_never_added(books):
    m = books
    billed(m, "5.00", "5.95")
    billed(m, "5000", "5950", currency="JPY")
    rows = reconciled(m)
    assert rows["EUR"]["gross"] == Decimal("5.95") and rows["JPY"]["gross"] == 5950
    assert str(rows["JPY"]["gross"]) == "5950"
    assert all(r["control"] for r in rows.values())


def test_what_is_held_is_counted_and_not_summed(books):
    m = books
    billed(m, "5.00", "5.95")
    billed(m, "9.00", "9.50", grade="DISPUTE")
    m.cdr("UNMATCHED", network_session="nobody")
    other = m.active(name="Q", evse=7, connector="2")
    m.cdr("WRONG", other, plausible=False, evse="E7")
    row = reconciled(m)["EUR"]
    assert (row["unmatched"], row["quarantined"], row["disputed"], row["differing"]) == (1, 1, 1, 1)
    # The user pays the disputed one; the network is owed nothing for it yet.
    assert row["gross"] == Decimal("15.45") and row["owed"] == Decimal("5.0000")
    assert row["control"]


@pytest.mark.parametrize("harm", [
    "UPDATE receipt SET amount_minor = amount_minor + 1, net_minor = net_minor + 1",
    "UPDATE cdr SET total_cost_excl_u6 = total_cost_excl_u6 + 1",
    "UPDATE ledger_line SET amount_u6 = amount_u6 + 10000 WHERE account = 'receivable'",
    "DELETE FROM ledger_line WHERE account LIKE 'cpo_payable%%'",
    "UPDATE receipt SET energy_mwh = energy_mwh + 1"])
def test_the_control_sees_what_differs_by_the_smallest_unit(books, harm):
    m = books
    billed(m, "5.00", "5.95")
    m.rows("SET session_replication_role = replica")
    m.rows(harm)
    m.rows("SET session_replication_role = origin")
    assert reconciled(m)["EUR"]["control"] is False


def test_receipts_of_the_release_before_are_in_both(books):
    m = books
    billed(m, "5.00", "5.95")
    m.rows("SET session_replication_role = replica")
    m.rows("UPDATE receipt SET content = NULL, net_minor = NULL, vat_minor = NULL")
    m.rows("UPDATE cdr SET calculation = NULL")
    m.rows("TRUNCATE ledger_entry CASCADE")
    m.rows("SET session_replication_role = origin")
    row = reconciled(m)["EUR"]
    assert row["control"] and row["gross"] == Decimal("5.95") and row["owed"] == 5


def credited_before_there_was_a_ledger(m):
    """A CDR of 5 and its credit, of the release that looked at the amount of a credit alone."""
    session, name = billed(m, "5.00", "5.95")
    credited(m, session, name, "5.00", "5.95")
    m.rows("SET session_replication_role = replica")
    m.rows("UPDATE cdr SET total_cost_u6 = abs(total_cost_u6), total_cost_excl_u6 = abs(total_cost_excl_u6),"
           " calculation = NULL")
    m.rows("UPDATE receipt SET content = NULL, net_minor = NULL, vat_minor = NULL")
    m.rows("TRUNCATE ledger_entry CASCADE")
    m.rows("SET session_replication_role = origin")


def test_an_old_credit_takes_back_whatever_its_sign(books):
    m = books
    terms(m)
    credited_before_there_was_a_ledger(m)
    billed(m, "1.00", "1.19")
    row = reconciled(m)["EUR"]
    assert row["owed"] == row["owed_by_ledger"] == row["cdr_net"] == 1 and row["control"]
    assert row["gross"] == row["gross_by_cdrs"] == Decimal("1.19")
    when = month(m)
    assert document(m, when)["net"] == 1.00 and document(m, when)["control"]["equal"]
    next_month(m)
    assert close(m, when)["outcome"] == "closed"
    assert document(m, when)["net"] == 1.00 and document(m, when)["control"]["equal"]
    assert not m.rows("SELECT * FROM statement_check('-infinity')")


# ---- statements ----

def worked(m):
    """The CDRs of the worked example W12."""
    session, name = billed(m, "11.0628", "13.16", kwh=23.4567)
    credited(m, session, name, "11.0628", "13.16", kwh=23.4567)
    again = m.cdr(name + "-B", session, kwh=21.9, net=10351700, cost=12320000)
    assert again["filed"] == "billed"
    billed(m, "6.3224", "7.52", kwh=17.383)
    billed(m, "1.1840", "1.41", kwh=5.5)


def test_w12_the_exact_sum_is_rounded_once(books):
    m = books
    terms(m, percent=Decimal("2.5"))
    worked(m)
    when = month(m)
    s = document(m, when)
    assert s["state"] == "OPEN" and s["number"] is None
    assert (s["cdrs"], s["credits"]) == (5, 1)
    assert str(s["net_unrounded"]) == "17.8581"
    assert (s["net"], s["vat_total"], s["gross"]) == (17.86, 3.39, 21.25)
    assert s["fee"]["net"] == 0.45
    assert s["energy_kwh"] == 44.783
    assert s["control"]["equal"] and s["netting"] is None
    next_month(m)
    assert close(m, when)["outcome"] == "closed"
    closed = document(m, when)
    for name in ("cdrs", "credits", "net_unrounded", "net", "vat", "vat_total", "gross", "fee", "energy_kwh", "control"):
        assert closed[name] == s[name], name
    assert closed["number"] == f"FI-HUB-S-{m.now().year}-00001" and closed["state"] == "CLOSED"
    check_books(m)
    assert not m.rows("SELECT * FROM statement_check('-infinity')")


def test_w12_under_reverse_charge(books):
    m = books
    terms(m, "reverse_charge", 0)
    worked(m)
    s = document(m, month(m))
    assert (s["net"], s["vat_total"], s["gross"]) == (17.86, 0, 17.86)
    assert "Reverse charge" in s["vat"][0]["note"]


def test_each_vat_key_is_rounded_by_itself(books):
    """Rates that change on a day: by the end of the supply."""
    m = books
    terms(m, rate=19)
    terms(m, rate=16, since=m.now().date())
    for kwh, net in ((1, "1.0050"), (1, "1.0000")):
        billed(m, net, start=m.now() - datetime.timedelta(days=2, minutes=30),
               end=m.now() - datetime.timedelta(days=2), kwh=kwh)
    billed(m, "2.0049", kwh=1)
    s = document(m, month(m))
    assert [(x["rate"], x["net"], x["vat"]) for x in s["vat"]] == [(16, 2.00, 0.32), (19, 2.01, 0.38)]
    assert (s["net"], s["vat_total"], s["gross"]) == (4.01, 0.70, 4.71)


def test_the_fee_has_its_own_treatment_and_is_netted_only_by_contract(books):
    m = books
    terms(m, "reverse_charge", 0, percent=1, per_cdr=100000, fee_rate=Decimal("25.5"), netting=True)
    session, name = billed(m, "50.00")
    billed(m, "33.3333")
    credited(m, session, name, "50.00")
    s = document(m, month(m))
    # 1 % of 33.3333 and 0.10 for each of two CDRs; a credit costs no fee of its own.
    assert s["fee"]["net"] == 0.53 and s["fee"]["vat"] == 0.14 and s["fee"]["gross"] == 0.67
    assert s["gross"] == 33.33
    assert s["netting"] == {"we_owe": 33.33, "they_owe": 0.67, "balance": 32.66}


def test_each_cdr_is_in_one_statement_and_a_closed_one_never_changes(books):
    m = books
    terms(m)
    billed(m, "5.00")
    session, name = billed(m, "7.00")
    first = month(m)
    next_month(m)
    assert close(m, first)["outcome"] == "closed"
    before = document(m, first)
    # What comes later belongs to the month in which it comes, marked with that of the supply.
    credited(m, session, name, "7.00")
    late = m.cdr(name + "-B", session, net=6000000, cost=6000000,
                 end=m.now() - datetime.timedelta(days=20))
    assert late["filed"] == "billed"
    billed(m, "1.00")
    assert document(m, first) == before
    second = month(m)
    assert document(m, second)["cdrs"] == 3 and document(m, second)["net"] == 0
    next_month(m)
    assert close(m, second)["outcome"] == "closed"
    assert document(m, first) == before
    assert m.row("SELECT count(*) AS n, count(DISTINCT cdr) AS d FROM statement_line") == {"n": 5, "d": 5}
    assert [s["seq"] for s in m.rows("SELECT seq FROM statement ORDER BY year, seq")] in ([1, 2], [1, 1])
    assert not m.rows("SELECT * FROM statement_check('-infinity')")
    check_books(m)


def test_what_is_disputed_is_in_none_until_it_is_released(books):
    m = books
    terms(m)
    _, name = billed(m, "9.00", grade="DISPUTE")
    billed(m, "1.00")
    first = month(m)
    assert document(m, first)["cdrs"] == 1
    next_month(m)
    assert close(m, first)["outcome"] == "closed"
    cdr = m.row("SELECT id FROM cdr WHERE cdr_id = %s", name)["id"]
    assert m.value("cdr_release", cdr, True, "staff:ann")
    assert document(m, month(m))["net"] == 9.00
    assert document(m, first)["net"] == 1.00


def test_a_month_is_closed_when_it_is_over_and_after_those_before_it(books):
    m = books
    terms(m)
    billed(m, "5.00")
    first = month(m)
    assert close(m, first)["outcome"] == "not_over"
    next_month(m)
    billed(m, "6.00")
    second = month(m)
    next_month(m)
    assert dict(close(m, second)) == {"outcome": "earlier_open", "detail": first.strftime("%Y-%m")}
    assert close(m, first)["outcome"] == "closed" and close(m, first)["outcome"] == "already"
    assert close(m, second)["outcome"] == "closed"
    assert close(m, month(m))["outcome"] == "not_found"
    for wrong in ("", "x", "2026-13-1-EUR", "2026-01-0-EUR", "2026-01-1-eur", "2026-01-99999999999999999999-EUR"):
        assert m.call("statement_close", wrong, "x", SERIES)[0]["outcome"] == "not_found"
    assert m.row("SELECT sum(next - 1) AS n FROM statement_series")["n"] == 2


def test_the_date_never_runs_backwards_where_one_closing_waits_for_another(books):
    m = books
    terms(m)
    billed(m, "5.00")
    first = month(m)
    next_month(m)
    billed(m, "6.00")
    second = month(m)
    next_month(m)
    assert close(m, first)["outcome"] == "closed"
    m.wait(-60)  # whose transaction began before
    assert close(m, second)["outcome"] == "closed"
    at = [s["closed_at"] for s in m.rows("SELECT closed_at FROM statement ORDER BY seq")]
    assert at == sorted(at) and len(at) == 2
    assert [e["at"] for e in m.rows("SELECT at FROM statement_event ORDER BY statement")] == at


def test_without_terms_nothing_is_closed(books):
    m = books
    terms(m, since=m.now().date() + datetime.timedelta(days=1))
    billed(m, "5.00")
    when, day = month(m), m.now().date()
    next_month(m)
    assert dict(close(m, when)) == {"outcome": "no_terms", "detail": str(day)}
    assert not m.rows("SELECT * FROM statement") and m.row("SELECT next FROM statement_series")["next"] == 1


def plan(m, sql, *values):
    m.rows("SET enable_seqscan = off")
    try:
        return "\n".join(line["QUERY PLAN"] for line in m.rows("EXPLAIN " + sql, *values))
    finally:
        m.rows("RESET enable_seqscan")


def test_the_months_of_others_are_not_read(books):
    """From the partner's own CDRs, by index, to a line or an entry each: however the tables were counted."""
    m = books
    billed(m, "5.00")
    due = plan(m, "SELECT * FROM statement_due(%s, 'EUR', %s)", m.partner, month(m))
    assert "cdr_to_state" in due and "Join on statement_line" not in due and "Anti Join" not in due
    control = plan(m, "SELECT * FROM statement_control(%s, 'EUR', %s)", m.partner, month(m))
    assert "cdr_to_state" in control and "ledger_entry_of_cdr" in control
    assert "ledger_entry_by_date" not in control and "Anti Join" not in control


def test_a_credit_does_not_wait_for_a_closing(books, url):
    m = books
    terms(m)
    _, name = billed(m, "5.00")
    when = month(m)
    next_month(m)
    m.rows("BEGIN")
    try:
        assert close(m, when)["outcome"] == "closed"
        with psycopg2.connect(url) as other, other.cursor() as cursor:
            cursor.execute("SELECT FROM cdr WHERE cdr_id = %s FOR UPDATE NOWAIT", (name,))
        other.close()
    finally:
        m.rows("ROLLBACK")


@pytest.mark.parametrize("harm", [
    "UPDATE cdr SET total_cost_excl_u6 = total_cost_excl_u6 + 1",
    "DELETE FROM ledger_entry WHERE kind = 'purchase'",
    "UPDATE ledger_line SET amount_u6 = amount_u6 - 1 WHERE account LIKE 'cpo_payable%%'"])
def test_sums_that_differ_close_nothing(books, harm):
    m = books
    terms(m)
    billed(m, "5.00")
    when = month(m)
    next_month(m)
    m.rows("SET session_replication_role = replica")
    m.rows(harm)
    m.rows("SET session_replication_role = origin")
    answer = close(m, when)
    assert answer["outcome"] == "differs" and "by the ledger" in answer["detail"]
    assert not m.rows("SELECT * FROM statement") and not m.rows("SELECT * FROM statement_line")


def test_nobody_changes_what_is_closed(books):
    m = books
    terms(m)
    billed(m, "5.00")
    when = month(m)
    next_month(m)
    close(m, when)
    for harm in ("UPDATE statement SET net_minor = 1", "DELETE FROM statement", "UPDATE statement SET state = 'PAID'",
                 "UPDATE statement_line SET vat_rate = 1", "DELETE FROM statement_line", "TRUNCATE statement_line",
                 "DELETE FROM statement_event", "UPDATE statement_vat SET net_minor = 1",
                 "INSERT INTO statement_vat SELECT statement, 'exempt', 0, 1, 1, 1, 0 FROM statement_vat",
                 "INSERT INTO statement_line SELECT 0, statement, 'exempt', 0 FROM statement_line"):
        with pytest.raises(psycopg2.Error):
            m.rows(harm)


def test_a_statement_goes_its_way(books):
    m = books
    terms(m)
    billed(m, "5.00")
    when = month(m)
    name = key(m, when)
    assert dict(m.call("statement_move", name, "SENT", "x")[0]) == {"outcome": "wrong_state", "detail": "OPEN"}
    next_month(m)
    close(m, when)
    assert m.call("statement_move", name, "PAID", "x")[0]["outcome"] == "wrong_state"
    for state in ("SENT", "DISPUTED", "ACKNOWLEDGED", "INVOICED", "PAID"):
        assert m.call("statement_move", name, state, "x")[0]["outcome"] == "moved"
    assert m.call("statement_move", name, "SENT", "x")[0]["outcome"] == "already"
    assert [e["to"] for e in document(m, when)["history"]] == [
        "CLOSED", "SENT", "DISPUTED", "ACKNOWLEDGED", "INVOICED", "PAID"]


def test_the_debt_of_the_ledger_becomes_that_of_the_statement(books):
    m = books
    terms(m, percent=Decimal("2.5"))
    worked(m)
    when = month(m)
    next_month(m)
    close(m, when)
    balances = {r["account"]: r["sum"] for r in m.rows(
        "SELECT l.account, sum(l.amount_u6) FROM ledger_line l JOIN ledger_entry e ON e.id = l.entry GROUP BY 1")}
    assert balances[f"cpo_payable:{m.partner}"] == 0
    assert balances[f"statement_payable:{m.partner}"] == -21250000
    assert balances["input_vat"] == 3390000 and balances["rounding"] == 1900
    assert balances[f"statement_receivable:{m.partner}"] == 540000
    assert (balances["hub_fee"], balances["fee_vat"]) == (-450000, -90000)
    # The month of the closing shows what was closed, and still agrees.
    assert reconciled(m, when)["EUR"]["control"]


# ---- the look at the books ----

@pytest.fixture
def night(books):
    """The audit is due, and was done nearly a day ago."""
    books.rows("UPDATE finance_job SET due_at = hub_now(), done_at = hub_now() - interval '23 hours 30 minutes'")
    return books


def overdue(m):
    return [(c["detail"], c["resolution"]) for c in m.rows(
        "SELECT detail, resolution FROM finance_case WHERE kind = 'audit_overdue' ORDER BY id")]


def test_an_audit_that_does_not_come_to_its_end_is_due_again(night):
    m = night
    done = m.row("SELECT done_at FROM finance_job")["done_at"]
    assert m.value("finance_job_claim", "audit") == done
    assert m.value("finance_job_claim", "audit") is None  # one process has it
    m.wait(3600)
    assert m.value("finance_job_claim", "audit") == done and not overdue(m)
    m.wait(3600)
    assert m.value("finance_job_claim", "audit") == done and not overdue(m)
    m.wait(3600)
    assert m.value("finance_job_claim", "audit") == done
    ((detail, resolution),) = overdue(m)
    assert done.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") in detail and resolution is None
    m.wait(3600)
    assert m.value("finance_job_claim", "audit") == done and len(overdue(m)) == 1
    # Whatever it finds: it has looked.
    m.call("finance_audit_keep", 7, '[{"what": "x"}]', types={1: "jsonb"})
    assert overdue(m) == [(detail, "audited")]
    job = m.row("SELECT due_at, done_at, hub_now() AS now FROM finance_job")
    assert done < job["done_at"] <= job["now"] < job["due_at"] <= job["now"] + datetime.timedelta(hours=26)
    assert job["due_at"].astimezone(UTC).hour == 2
    assert m.value("finance_job_claim", "audit") is None


@pytest.mark.parametrize("hour, minutes", [(0, 0), (1, 59), (2, 0), (23, 59)])
def test_an_audit_that_is_done_when_it_is_due_is_not_overdue(books, hour, minutes):
    m = books
    m.wait_until(hour)
    m.wait(60 * minutes)
    m.call("finance_audit_keep", 7, "[]", types={1: "jsonb"})
    due = m.row("SELECT due_at FROM finance_job")["due_at"]
    assert due.astimezone(UTC).hour == 2
    m.wait((due - m.now()).total_seconds() + 15)  # whoever asks asks every few seconds
    assert m.value("finance_job_claim", "audit") and not overdue(m)


@pytest.mark.parametrize("harm, what", [
    ("SELECT 1", None),
    ("UPDATE cdr SET owed_at = NULL", "posted_not_owed"),
    ("UPDATE cdr SET owed_at = owed_at - interval '1 month'", "posted_not_owed"),
    ("DELETE FROM ledger_entry WHERE kind = 'purchase'", "owed_not_posted")])
def test_what_is_booked_is_what_is_owed(books, harm, what):
    m = books
    session, name = billed(m, "5.00")
    credited(m, session, name, "5.00")
    m.rows("SET session_replication_role = replica")
    m.rows(harm)
    m.rows("SET session_replication_role = origin")
    assert {f["what"] for f in m.rows("SELECT * FROM finance_check('-infinity', 'infinity')")} == ({what} if what else set())
