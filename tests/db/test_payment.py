# SPDX-License-Identifier: Apache-2.0
"""Payments in the database: states, calls with their keys, events, refunds, the ledger."""

import datetime
import itertools
import json
import pathlib
import random
import re
import threading
import uuid

import psycopg2
import psycopg2.extras
import pytest

ROOT = pathlib.Path(__file__).parents[2]
VIEW = ("psp_id", "status", "amount_minor", "currency", "captured_minor", "refunded_minor",
        "fee_minor", "expires_at", "brand", "last_four", "code")


class Pay:
    """The hub's side and the PSP's side of payments, a statement each."""

    numbers = itertools.count(1)

    def __init__(self, model):
        self.m = model
        self.user = f"payer-{next(self.numbers)}"
        self.session = None

    # ---- the PSP ----

    def view(self, payment, status, captured=0, refunded=0, fee=0, **other):
        p = self.payment(payment)
        return {"psp_id": p["psp_id"] or f"pay_{p['id']}", "status": status,
                "amount_minor": p["amount_minor"], "currency": p["currency"],
                "captured_minor": captured, "refunded_minor": refunded, "fee_minor": fee,
                "expires_at": self.m.now() + datetime.timedelta(days=7) if not p["expires_at"]
                else p["expires_at"], "brand": "visa", "last_four": "4242", "code": None, **other}

    @staticmethod
    def values(view):
        return [view.get(name) for name in VIEW]

    def with_view(self, function, before, view, columns="*"):
        marks = ", ".join(["%s"] * len(before))
        row = ", ".join(["%s"] * len(VIEW))
        return self.m.row(f"SELECT {columns} FROM {function}({marks}, ROW({row})::psp_view) x",
                          *before, *self.values(view or {}))

    def done(self, operation, outcome, view=None, retry_after=0, detail=None):
        return self.with_view("psp_done", [operation, outcome, detail, retry_after], view)

    def event(self, payment, event, view, event_id=None, content="c", kind="payment.x"):
        reference = str(self.payment(payment)["reference"]) if payment else None
        return self.with_view("psp_event_take",
                              [event_id or f"evt_{uuid.uuid4().hex}", content, kind, event, reference],
                              view, "x AS outcome")["outcome"]

    def read(self, payment, view):
        return self.with_view("payment_read", [payment, view is not None], view,
                              "x AS outcome")["outcome"]

    # ---- the hub ----

    def payment(self, number):
        return self.m.row("SELECT * FROM payment WHERE id = %s", number)

    def payments(self, session=None):
        return self.m.rows("SELECT * FROM payment WHERE session_id = %s ORDER BY id",
                           session or self.session)

    def state(self, number):
        return self.payment(number)["state"]

    def operations(self, payment, kind=None):
        return self.m.rows("SELECT * FROM psp_operation WHERE payment = %s"
                           " AND coalesce(kind = %s, true) ORDER BY id", payment, kind)

    def hold(self, amount=6000, currency="EUR", key=None, body="b", session=None):
        return self.m.call("payment_hold", session or str(uuid.uuid4()), self.user, amount, currency,
                           f"user:{self.user}", key, body)[0]

    def claim(self, limit=10):
        return self.m.call("psp_claim", limit)

    def claim_one(self, kind):
        """What is due is this call; with a key that was there before."""
        calls = self.claim()
        assert [c["kind"] for c in calls] == [kind], calls
        assert calls[0]["key"] == self.m.row("SELECT key FROM psp_operation WHERE id = %s",
                                             calls[0]["id"])["key"]
        return calls[0]

    def held(self, amount=6000, evse=0, connector="1"):
        """A session with its hold; the payment's number."""
        h = self.hold(amount)
        assert h["outcome"] == "begun"
        answer = self.done(h["operation"], "answered", self.view(h["payment"], "authorised"))
        assert answer["state"] == "authorised"
        self.session = str(h["session_id"])
        self.start(self.session, evse, connector)
        return h["payment"]

    def start(self, session, evse=0, connector="1"):
        m = self.m
        answer = m.call("session_start", session, self.user, None, f"FI*{m.party}*E{evse}", "CPO",
                        m.partner, m.country, m.party, f"L{evse}", f"E{evse}", connector, "{}", True,
                        0, None, "EUR", 100, 120, False, "FI-HUB", None, f"user:{self.user}", "POST",
                        "/start", "b", "{}", columns="outcome")[0]
        assert answer["outcome"] == "stored", answer

    def charged(self, cost_minor, name=None, **more):
        """The CDR comes; the receipt's row."""
        name = name or f"CDR-{uuid.uuid4().hex[:8]}"
        self.name = name
        answer = self.m.cdr(name, session=self.session, cost=cost_minor * 10000, **more)
        assert answer["filed"] == "billed", answer
        return self.m.row("SELECT * FROM receipt WHERE session_id = %s ORDER BY id DESC LIMIT 1",
                          self.session)

    def capture(self, number, fee=0):
        call = self.claim_one("capture")
        self.done(call["id"], "answered",
                  self.view(number, "captured", captured=call["amount_minor"], fee=fee))
        return call

    def paid(self, cost_minor=1419, **more):
        number = self.held(**more)
        receipt = self.charged(cost_minor)
        self.capture(number)
        assert self.state(number) == "paid"
        return number, receipt

    def status(self, receipt):
        return self.m.row("SELECT receipt_payment_status(r) AS word FROM receipt r WHERE id = %s",
                          receipt["id"])["word"]

    def work(self, limit=50):
        return self.m.call("payment_work", limit)

    def cases(self, kind):
        return self.m.rows("SELECT * FROM finance_case WHERE kind = %s AND resolved_at IS NULL", kind)

    def account(self, name):
        return self.m.row(
            "SELECT coalesce(sum(amount_u6), 0)::bigint AS sum FROM ledger_line l JOIN ledger_entry e"
            " ON e.id = l.entry WHERE account = %s", name)["sum"]

    def refund(self, receipt, amount_minor, key=None, by="admin:anna", limit=10000, body="b"):
        return self.m.call("refund_ask", receipt["id"], amount_minor * 10000, "goodwill", by, limit,
                           "EUR", key or str(uuid.uuid4()), by, "POST", "/refund", body)[0]


@pytest.fixture
def pay(m):
    m.rows("SET session_replication_role = replica")
    m.rows("TRUNCATE payment, payer, psp_payout, psp_payout_day, ledger_entry, ledger_line CASCADE")
    m.rows("SET session_replication_role = origin")
    p = Pay(m)
    yield p
    unbalanced = m.rows("SELECT * FROM ledger_check()")
    assert not unbalanced
    # I6: each capture belongs to exactly one receipt.
    assert not m.rows("SELECT id FROM payment WHERE captured_minor > 0 AND receipt IS NULL")


def test_what_locks_payments_shares_its_transaction_with_nobody():
    """Whoever holds a payment takes no session; the next statement of a batch might."""
    text = (ROOT / "db/statements/payment.sql").read_text()
    found = re.findall(r"^-- name: (\w+)( alone)?$", text, re.MULTILINE)
    assert {name for name, alone in found if not alone} == {
        "refund_get", "payer_put", "payer_get", "psp_payout_claim", "psp_payout_put", "psp_payout_done"}


# ---- the table ----


def test_the_table_of_c_is_the_table_of_sql(m):
    source = (ROOT / "hub" / "finance" / "payment.c").read_text(encoding="utf-8")
    rows = re.findall(r"\{PAYMENT_([A-Z_]+),\s+PAYMENT_EVENT_([A-Z_]+),\s+PAYMENT_([A-Z_]+)\}", source)
    assert len(rows) == 17, "the table in hub/finance/payment.c has another shape now"
    ours = {tuple(word.lower() for word in row) for row in rows}
    theirs = {(r["from_state"], r["event"], r["to_state"])
              for r in m.rows("SELECT * FROM payment_transition")}
    assert ours == theirs


def test_no_state_is_written_that_the_table_does_not_have(pay):
    number = pay.held()
    for wrong in ("UPDATE payment SET state = 'refunded', version = version + 1 WHERE id = %s",
                  "UPDATE payment SET amount_minor = 1, version = version + 1 WHERE id = %s",
                  "UPDATE payment SET state = 'voided' WHERE id = %s",
                  "DELETE FROM payment WHERE id = %s"):
        with pytest.raises(psycopg2.Error):
            pay.m.rows(wrong, number)


# ---- the hold ----


def test_a_hold_has_its_key_before_the_call_and_is_authorised_by_the_answer(pay):
    h = pay.hold(6000)
    assert h["outcome"] == "begun" and h["amount_minor"] == 6000 and h["customer"] == pay.user
    operation, = pay.operations(h["payment"])
    assert operation["key"] == h["key"] == f"{h['reference']}-authorise-1"
    assert operation["state"] == "in_flight"
    assert pay.done(h["operation"], "answered", pay.view(h["payment"], "authorised"))["state"] == "authorised"
    p = pay.payment(h["payment"])
    assert (p["brand"], p["last_four"]) == ("visa", "4242")


def test_prepaid_and_invoice_customers_need_no_hold(pay):
    for mode in ("prepaid", "invoice"):
        pay.m.rows("INSERT INTO payer VALUES (%s, %s, NULL, 'x', hub_now()) ON CONFLICT (user_id)"
                   " DO UPDATE SET mode = EXCLUDED.mode", pay.user, mode)
        assert pay.hold()["outcome"] == "not_needed"
    pay.m.rows("UPDATE payer SET mode = 'card', psp_customer = 'cus_7'")
    assert pay.hold()["customer"] == "cus_7"


def test_a_declined_hold_fails_and_no_start_can_be_stored_for_it(pay):
    h = pay.hold()
    answer = pay.done(h["operation"], "declined", {"code": "card_declined"})
    assert (answer["state"], answer["failure"]) == ("failed", "card_declined")
    with pytest.raises(psycopg2.Error, match="nothing is held"):
        pay.start(str(h["session_id"]))


def test_a_start_is_not_stored_while_nobody_knows_whether_it_is_held(pay):
    h = pay.hold()
    with pytest.raises(psycopg2.Error, match="nothing is held"):
        pay.start(str(h["session_id"]))


def test_what_nobody_knows_is_asked_again_with_the_same_key_and_given_back(pay):
    h = pay.hold()
    assert pay.done(h["operation"], "retry", detail="timeout")["state"] == "pending"
    pay.m.call("payment_release", str(h["session_id"]))
    pay.m.wait(10)
    again = pay.claim_one("authorise")
    assert again["key"] == h["key"] and again["attempts"] == 2
    assert pay.done(again["id"], "answered", pay.view(h["payment"], "authorised"))["state"] == "authorised"
    void = pay.claim_one("void")
    pay.done(void["id"], "answered", pay.view(h["payment"], "voided"))
    assert pay.state(h["payment"]) == "voided"


def test_a_process_that_dies_in_a_call_leaves_it_to_the_next_with_the_same_key(pay):
    h = pay.hold()
    assert pay.claim() == []  # the lease is that of the one who began
    pay.m.wait(31)
    again = pay.claim_one("authorise")
    assert again["key"] == h["key"]


def test_a_start_that_is_repeated_with_its_key_finds_its_hold(pay):
    h = pay.hold(key="k")
    assert pay.hold(key="k")["outcome"] == "running"
    pay.done(h["operation"], "answered", pay.view(h["payment"], "authorised"))
    again = pay.hold(key="k")
    assert again["outcome"] == "held" and again["session_id"] == h["session_id"]
    assert pay.hold(key="k", body="other")["outcome"] == "key_reused"
    assert pay.hold(key="k2")["outcome"] == "begun"


def test_a_key_whose_session_exists_begins_anew(pay):
    h = pay.hold(key="k")
    pay.done(h["operation"], "answered", pay.view(h["payment"], "authorised"))
    pay.session = str(h["session_id"])
    pay.start(pay.session)
    assert pay.hold(key="k")["outcome"] == "begun"


def test_a_hold_without_a_session_goes_back_within_minutes(pay):
    h = pay.hold()
    pay.done(h["operation"], "answered", pay.view(h["payment"], "authorised"))
    pay.work()
    assert pay.claim() == []
    pay.m.wait(150)
    pay.work()
    pay.claim_one("void")


def test_a_hold_of_another_amount_than_ours_is_told_and_changes_nothing(pay):
    h = pay.hold()
    answer = pay.done(h["operation"], "answered",
                      pay.view(h["payment"], "authorised", amount_minor=6001))
    assert (answer["state"], answer["outcome"]) == ("pending", "mismatch")
    assert len(pay.cases("payment_mismatch")) == 1


# ---- capture ----


def test_exactly_the_receipt_is_captured(pay):
    number = pay.held()
    receipt = pay.charged(1419)
    assert pay.status(receipt) == "pending"
    p = pay.payment(number)
    assert (p["state"], p["capture_minor"], p["receipt"]) == ("capturing", 1419, receipt["id"])
    call = pay.capture(number, fee=44)
    assert call["amount_minor"] == 1419 and call["key"].endswith("-capture-1")
    assert pay.state(number) == "paid" and pay.status(receipt) == "paid"
    assert pay.account("psp_clearing") == 14190000 - 440000
    assert pay.account("psp_fees") == 440000
    assert pay.account("receivable") == 0


def test_above_the_hold_the_rest_is_a_second_payment(pay):
    number = pay.held(1000)
    receipt = pay.charged(1419)
    hold, rest = pay.payments()
    assert (hold["capture_minor"], rest["kind"], rest["amount_minor"]) == (1000, "rest", 419)
    calls = {c["kind"]: c for c in pay.claim()}
    assert set(calls) == {"capture", "charge"}
    pay.done(calls["capture"]["id"], "answered", pay.view(number, "captured", captured=1000))
    assert pay.status(receipt) == "pending"
    pay.done(calls["charge"]["id"], "answered", pay.view(rest["id"], "captured", captured=419))
    assert pay.status(receipt) == "paid"
    assert pay.account("receivable") == 0


def test_a_receipt_over_nothing_gives_the_hold_back(pay):
    number = pay.held()
    receipt = pay.charged(0)
    pay.claim_one("void")
    assert pay.payment(number)["capture_minor"] == 0
    assert pay.status(receipt) == "not_required"


def test_a_receipt_in_another_currency_is_charged_anew(pay):
    pay.held()
    pay.charged(1419, currency="SEK")
    kinds = sorted((c["kind"], c["currency"], c["amount_minor"]) for c in pay.claim())
    assert kinds == [("charge", "SEK", 1419), ("void", "EUR", 0)]


def test_a_session_without_payments_needs_none(pay):
    pay.session = str(pay.m.started())
    receipt = pay.charged(1419)
    assert pay.status(receipt) == "not_required" and pay.claim() == []


def test_a_failed_session_gives_its_hold_back(pay):
    pay.held()
    pay.m.call("session_apply", pay.session, "start_refused", "x", "network", "evse_occupied")
    pay.work()
    pay.claim_one("void")


def test_a_lost_answer_to_a_capture_is_asked_for_with_the_same_key(pay):
    number = pay.held()
    receipt = pay.charged(1419)
    first = pay.claim_one("capture")
    pay.done(first["id"], "retry", detail="timeout")
    assert pay.state(number) == "capturing" and pay.status(receipt) == "pending"
    pay.m.wait(10)
    second = pay.claim_one("capture")
    assert second["key"] == first["key"] and second["id"] == first["id"]
    pay.done(second["id"], "answered", pay.view(number, "captured", captured=1419))
    pay.done(second["id"], "answered", pay.view(number, "captured", captured=1419))
    assert pay.account("psp_clearing") == 14190000


def test_a_refused_capture_is_tried_three_times_within_seven_days_then_people_are_told(pay):
    number = pay.held()
    receipt = pay.charged(1419)
    keys, began = [], pay.m.now()
    for _ in range(4):
        call = pay.claim_one("capture")
        keys.append(call["key"])
        pay.done(call["id"], "declined", {"code": "do_not_honour"})
        assert pay.state(number) == "failed" and pay.status(receipt) == "failed"
        assert pay.claim() == []
        if len(keys) < 4:
            assert not pay.cases("payment_failed")
            pay.m.wait((pay.payment(number)["check_at"] - pay.m.now()).total_seconds() + 1)
            pay.m.rows("UPDATE payment SET expires_at = hub_now() + interval '1 day',"
                       " version = version + 1")
            pay.work()
    assert keys == [keys[0][:-1] + str(n) for n in (1, 2, 3, 4)]
    assert pay.m.now() - began < datetime.timedelta(days=7)
    assert len(pay.cases("payment_failed")) == 1
    pay.m.wait(30 * 86400)
    pay.work()
    assert pay.claim() == []


def test_a_hold_that_ran_out_before_its_capture_is_charged_anew(pay):
    number = pay.held()
    receipt = pay.charged(1419)
    call = pay.claim_one("capture")
    pay.done(call["id"], "answered", pay.view(number, "expired"))
    _, rest = pay.payments()
    charge = pay.claim_one("charge")
    assert charge["payment"] == rest["id"] and charge["amount_minor"] == 1419
    pay.done(charge["id"], "answered", pay.view(rest["id"], "captured", captured=1419))
    assert pay.status(receipt) == "paid" and pay.account("receivable") == 0


def test_a_hold_about_to_run_out_without_a_cdr_is_told(pay):
    number = pay.held()
    pay.m.wait(150)
    pay.work()
    assert not pay.cases("hold_expiring")
    pay.m.wait(6 * 86400)
    pay.work()
    assert len(pay.cases("hold_expiring")) == 1
    assert pay.state(number) == "authorised"  # nothing is captured from an estimate
    pay.m.wait(2 * 86400)
    read, = pay.work()
    assert read["payment"] == number
    pay.read(number, pay.view(number, "expired"))
    assert pay.state(number) == "voided"


# ---- credits and refunds ----


def test_a_credit_and_its_replacement_are_one_refund_of_the_difference(pay):
    """W11 of the worked examples: 14.19 cancelled, 13.27 charged, 0.92 goes back."""
    number, _ = pay.paid(1419)
    first = pay.name
    pay.m.cdr("CREDIT-" + first, session=pay.session, cost=-14190000, credit=True, credits=first)
    assert pay.claim() == []  # the replacement may follow
    receipt = pay.charged(1327)
    call = pay.claim_one("refund")
    assert call["amount_minor"] == 92
    pay.done(call["id"], "answered", pay.view(number, "partially_refunded", captured=1419, refunded=92))
    assert pay.state(number) == "partly_refunded"
    assert pay.status(receipt) == "partially_refunded"
    assert pay.account("receivable") == 0 and pay.account("psp_clearing") == 13270000


def test_a_credit_without_a_replacement_gives_everything_back(pay):
    number, receipt = pay.paid(1419)
    pay.m.cdr("CREDIT-" + pay.name, session=pay.session, cost=-14190000, credit=True,
              credits=pay.name, hold=0)
    pay.m.timers()
    call = pay.claim_one("refund")
    assert call["amount_minor"] == 1419
    pay.done(call["id"], "answered", pay.view(number, "refunded", captured=1419, refunded=1419))
    assert pay.status(receipt) == "refunded" and pay.state(number) == "refunded"
    assert pay.account("receivable") == 0 and pay.account("psp_clearing") == 0


def credited(pay, hold=0, **more):
    """The newest CDR's credit; with no time for a replacement it cancels at once."""
    cost = pay.m.row("SELECT amount_minor FROM receipt WHERE session_id = %s AND kind = 'receipt'"
                     " ORDER BY id DESC LIMIT 1", pay.session)["amount_minor"]
    pay.m.cdr("CREDIT-" + pay.name, session=pay.session, cost=-cost * 10000, credit=True,
              credits=pay.name, hold=hold, **more)
    if not hold:
        pay.m.timers()


def refunded(pay, number, total, status="partially_refunded"):
    """The PSP gives back what was asked for; the total is then this."""
    call = pay.claim_one("refund")
    captured = pay.payment(number)["captured_minor"]
    pay.done(call["id"], "answered", pay.view(number, status, captured=captured, refunded=total))
    assert pay.payment(number)["refunded_minor"] == total
    return call["amount_minor"]


def test_a_dearer_replacement_is_collected(pay):
    """Whether a replacement may be dearer is decided before there is a receipt over it."""
    pay.paid(1419)
    first = pay.name
    pay.m.cdr("CREDIT-" + first, session=pay.session, cost=-14190000, credit=True, credits=first)
    receipt = pay.charged(1600)
    charge = pay.claim_one("charge")
    assert charge["amount_minor"] == 181 and pay.status(receipt) == "pending"
    pay.done(charge["id"], "answered", pay.view(charge["payment"], "captured", captured=181))
    assert pay.status(receipt) == "paid" and pay.account("receivable") == 0


def test_a_replacement_in_another_currency_gives_the_first_back(pay):
    number, first = pay.paid(1419)
    pay.m.cdr("CREDIT-" + pay.name, session=pay.session, cost=-14190000, credit=True, credits=pay.name)
    second = pay.charged(15000, currency="SEK")
    calls = {c["kind"]: c for c in pay.claim()}
    assert {k: (c["amount_minor"], c["currency"]) for k, c in calls.items()} == {
        "charge": (15000, "SEK"), "refund": (1419, "EUR")}
    pay.done(calls["charge"]["id"], "answered",
             pay.view(calls["charge"]["payment"], "captured", captured=15000))
    pay.done(calls["refund"]["id"], "answered",
             pay.view(number, "refunded", captured=1419, refunded=1419))
    assert (pay.status(first), pay.status(second)) == ("refunded", "paid")
    assert pay.account("receivable") == 0
    # And back again: what was given back in one currency is not taken for that of the other.
    pay.m.cdr("CREDIT-" + pay.name, session=pay.session, cost=-150000000, currency="SEK", credit=True,
              credits=pay.name)
    pay.charged(1500)
    assert sorted((c["kind"], c["amount_minor"], c["currency"]) for c in pay.claim()) == [
        ("charge", 1500, "EUR"), ("refund", 15000, "SEK")]


def test_a_credit_after_a_persons_refund_gives_back_the_rest(pay):
    """What the hub had given away, the credit brings back: it is no loss, and nobody owes anything."""
    number, receipt = pay.paid(1419)
    pay.refund(receipt, 400)
    assert refunded(pay, number, 400) == 400
    credited(pay)
    assert refunded(pay, number, 1419, "refunded") == 1019
    assert pay.state(number) == "refunded" and not pay.cases("refund_failed")
    assert [pay.account(a) for a in ("receivable", "hub_loss", "psp_clearing")] == [0, 0, 0]
    pay.m.row("SELECT payment_settle(%s) IS NULL AS done", pay.session)
    assert pay.claim() == [] and not pay.cases("refund_failed")  # it is settled


def test_a_persons_refund_stays_beside_that_of_a_cheaper_replacement(pay):
    number, receipt = pay.paid(1419)
    pay.refund(receipt, 400)
    refunded(pay, number, 400)
    credited(pay, hold=86400)
    pay.charged(1327)
    assert refunded(pay, number, 492) == 92
    assert pay.account("hub_loss") == 4000000 and pay.account("receivable") == 0
    credited(pay)
    assert refunded(pay, number, 1419, "refunded") == 927
    assert [pay.account(a) for a in ("receivable", "hub_loss", "psp_clearing")] == [0, 0, 0]


def test_a_credit_after_a_chargeback_gives_nothing_back(pay):
    number, receipt = pay.paid(1419)
    pay.refund(receipt, 400)
    refunded(pay, number, 400)
    back = pay.view(number, "charged_back", captured=1419, refunded=400)
    assert pay.event(number, "dispute_lost", back) in ("applied", "later")
    pay.read(number, back)
    assert pay.state(number) == "charged_back"
    credited(pay)
    assert pay.claim() == [] and not pay.cases("refund_failed")
    assert [pay.account(a) for a in ("receivable", "hub_loss", "psp_clearing")] == [0, 0, 0]


def test_a_credit_before_the_capture_is_done_waits_for_it(pay):
    number = pay.held()
    pay.charged(1419)
    pay.m.cdr("CREDIT-" + pay.name, session=pay.session, cost=-14190000, credit=True,
              credits=pay.name, hold=0)
    pay.m.timers()
    pay.capture(number)  # one call of a payment at a time
    call = pay.claim_one("refund")
    pay.done(call["id"], "answered", pay.view(number, "refunded", captured=1419, refunded=1419))
    assert pay.state(number) == "refunded" and pay.account("receivable") == 0


def test_a_credit_of_what_could_not_be_taken_ends_the_attempts(pay):
    number = pay.held()
    pay.charged(1419)
    call = pay.claim_one("capture")
    pay.done(call["id"], "declined", {"code": "do_not_honour"})
    pay.m.cdr("CREDIT-" + pay.name, session=pay.session, cost=-14190000, credit=True,
              credits=pay.name, hold=0)
    pay.m.timers()
    pay.m.wait(10 * 86400)
    pay.work()
    assert pay.claim() == [] and pay.payment(number)["capture_minor"] == 0
    assert not pay.cases("refund_failed")


def corrected(pay, cost_minor):
    """A credit, and a replacement over another amount."""
    credited(pay, hold=86400)
    return pay.charged(cost_minor)


def above_the_hold(pay):
    """60 held and captured, 40 charged beside it: the payments, and the call of the 40."""
    number = pay.held(6000)
    pay.charged(10000)
    calls = {c["kind"]: c for c in pay.claim()}
    pay.done(calls["capture"]["id"], "answered", pay.view(number, "captured", captured=6000))
    _, rest = pay.payments()
    return number, rest["id"], calls["charge"]


def test_a_charge_that_a_credit_has_taken_back_is_not_tried_again(pay):
    number, rest, charge = above_the_hold(pay)
    receipt = corrected(pay, 5000)  # the 40 are not there yet: their refund waits
    assert refunded(pay, number, 1000) == 1000
    pay.done(charge["id"], "declined", {"code": "do_not_honour"})
    assert pay.claim() == [] and pay.payment(rest)["capture_minor"] == 0
    for _ in range(4):
        pay.m.wait(86400 + 1)
        pay.work()
        assert pay.claim() == []
    assert pay.account("psp_clearing") == 50000000 and pay.account("receivable") == 0
    assert pay.status(receipt) == "partially_refunded"
    assert not pay.cases("refund_failed") and not pay.cases("payment_failed")
    assert pay.m.row("SELECT state, amount_minor, done_minor FROM refund") == {
        "state": "done", "amount_minor": 1000, "done_minor": 1000}


def test_of_a_charge_that_a_credit_has_taken_back_in_part_the_rest_is_tried_again(pay):
    _, _, charge = above_the_hold(pay)
    corrected(pay, 8500)
    pay.done(charge["id"], "declined", {"code": "do_not_honour"})
    assert pay.claim() == []
    assert pay.m.row("SELECT state FROM refund")["state"] == "failed"  # of nothing, nothing is left
    pay.m.wait(86400 + 1)
    pay.work()
    again = pay.claim_one("charge")
    assert again["amount_minor"] == 2500
    pay.done(again["id"], "answered", pay.view(again["payment"], "captured", captured=2500))
    assert pay.state(again["payment"]) == "paid" and not pay.cases("payment_mismatch")
    assert pay.account("psp_clearing") == 85000000 and pay.account("receivable") == 0


def test_a_refused_charge_is_tried_again_as_another_payment(pay):
    """Of each charge the PSP makes a payment with an id of its own."""
    _, rest, charge = above_the_hold(pay)
    receipt = pay.m.row("SELECT * FROM receipt WHERE session_id = %s", pay.session)
    for days in (1, 2, 3):
        refused = pay.view(charge["payment"], "declined", psp_id=f"pay_refused_{days}",
                           code="do_not_honour")
        pay.done(charge["id"], "declined", refused)
        assert pay.status(receipt) == "failed" and not pay.cases("payment_failed")
        pay.m.wait(days * 86400 - 10)
        pay.work()
        assert pay.claim() == []
        pay.m.wait(11)
        pay.work()
        before, charge = charge, pay.claim_one("charge")
        assert charge["amount_minor"] == 4000 and pay.status(receipt) == "pending"
        # Its event comes late: it is about the charge before.
        assert pay.event(before["payment"], "auth_declined", refused) in ("known", "later")
        pay.read(before["payment"], refused)
        assert pay.status(receipt) == "pending"
    pay.done(charge["id"], "answered",
             pay.view(charge["payment"], "captured", captured=4000, psp_id="pay_taken"))
    assert pay.status(receipt) == "paid" and not pay.cases("payment_mismatch")
    assert pay.account("psp_clearing") == 100000000 and pay.account("receivable") == 0


def test_a_charge_that_is_refused_a_fourth_time_is_left_to_people(pay):
    _, _, charge = above_the_hold(pay)
    for days in (1, 2, 3, 4):
        pay.done(charge["id"], "declined", {"code": "do_not_honour"})
        pay.m.wait(days * 86400 + 1)
        pay.work()
        charge = (pay.claim() or [None])[0]
    assert charge is None and len(pay.cases("payment_failed")) == 1


def test_a_charge_that_is_read_as_unknown_takes_its_refund_along(pay):
    number, rest, charge = above_the_hold(pay)
    corrected(pay, 5000)
    assert refunded(pay, number, 1000) == 1000
    pay.m.wait(7 * 86400 + 1)
    assert pay.claim() == []  # given up
    assert pay.read(rest, None) == "applied"
    assert pay.claim() == [] and pay.payment(rest)["capture_minor"] == 0
    assert pay.account("psp_clearing") == 50000000 and pay.account("receivable") == 0


def test_what_a_refused_part_of_a_refund_left_is_asked_for_by_the_next_credit(pay):
    """The part that was given back is not asked for again."""
    number, rest, charge = above_the_hold(pay)
    pay.done(charge["id"], "answered", pay.view(rest, "captured", captured=4000))
    corrected(pay, 5000)
    parts = {c["payment"]: c for c in pay.claim()}
    assert {k: c["amount_minor"] for k, c in parts.items()} == {rest: 4000, number: 1000}
    pay.done(parts[number]["id"], "answered",
             pay.view(number, "partially_refunded", captured=6000, refunded=1000))
    pay.done(parts[rest]["id"], "declined", {"code": "refund_refused"})
    assert pay.m.row("SELECT state, done_minor FROM refund") == {"state": "failed", "done_minor": 1000}
    assert pay.m.row("SELECT finished_at FROM refund")["finished_at"] is not None
    assert len(pay.cases("refund_failed")) == 1
    corrected(pay, 3000)
    again = {c["payment"]: c["amount_minor"] for c in pay.claim()}
    assert again == {rest: 4000, number: 2000}  # 70 in all


@pytest.mark.parametrize("first", ["refused", "given back"])
def test_a_part_that_is_given_back_after_another_was_refused_counts(pay, first):
    number, rest, charge = above_the_hold(pay)
    pay.done(charge["id"], "answered", pay.view(rest, "captured", captured=4000))
    receipt = pay.m.row("SELECT * FROM receipt WHERE session_id = %s", pay.session)
    pay.refund(receipt, 5000)
    parts = {c["payment"]: c for c in pay.claim()}
    refuse = lambda: pay.done(parts[rest]["id"], "declined", {"code": "refund_refused"})  # noqa: E731
    if first == "refused":
        refuse()
    pay.done(parts[number]["id"], "answered",
             pay.view(number, "partially_refunded", captured=6000, refunded=1000))
    if first != "refused":
        refuse()
    row = pay.m.row("SELECT * FROM refund")
    assert (row["state"], row["done_minor"]) == ("failed", 1000) and row["finished_at"] is not None
    # A credit of everything: 10 are gone already, 90 go back.
    credited(pay)
    assert sorted(c["amount_minor"] for c in pay.claim()) == [4000, 5000]
    assert not pay.cases("refund_failed")[1:] and pay.account("hub_loss") == 0


def test_a_hold_that_ran_out_before_its_capture_is_charged_anew_beside_a_refund(pay):
    number = pay.held(6000)
    pay.charged(10000)
    calls = {c["kind"]: c for c in pay.claim()}
    _, rest = pay.payments()
    pay.done(calls["charge"]["id"], "answered", pay.view(rest["id"], "captured", captured=4000))
    corrected(pay, 5000)
    assert refunded(pay, rest["id"], 4000, "refunded") == 4000  # the 10 of the hold wait
    pay.done(calls["capture"]["id"], "declined", {"code": "expired"})
    assert pay.claim_one("charge")["amount_minor"] == 5000
    assert pay.payment(number)["capture_minor"] == 0


def answered(pay, call, word):
    """What the PSP makes of a call: given, refused, or the hold has run out."""
    p = pay.payment(call["payment"])
    if word != "given":
        pay.done(call["id"], "declined", {"code": word})
    elif call["kind"] == "refund":
        total = p["refunded_minor"] + call["amount_minor"]
        pay.done(call["id"], "answered", pay.view(
            p["id"], "refunded" if total == p["captured_minor"] else "partially_refunded",
            captured=p["captured_minor"], refunded=total))
    elif call["kind"] == "void":
        pay.done(call["id"], "answered", pay.view(p["id"], "voided"))
    else:
        pay.done(call["id"], "answered", pay.view(p["id"], "captured", captured=call["amount_minor"]))


@pytest.mark.parametrize("seed", range(20))
def test_whatever_is_refused_in_between_the_user_pays_what_the_last_receipt_says(pay, seed):
    dice = random.Random(seed)
    pay.held(6000)
    pay.charged(10000)
    flight, due = [], 10000
    for step in range(24):
        if step in (9, 17):
            pay.m.wait(86400 + 1)  # what is under way is claimed again
            pay.work()
            flight = []
        flight += pay.claim()
        if step % 4 == 3:
            due = dice.randrange(100, 12000, 100)
            corrected(pay, due)
        elif flight:
            call = flight.pop(dice.randrange(len(flight)))
            answered(pay, call, dice.choice(["given", "given", "do_not_honour", "do_not_honour",
                                             "expired" if call["kind"] == "capture" else "given"]))
    due = dice.randrange(100, 12000, 100)
    corrected(pay, due)  # what was refused before is asked for again
    for _ in range(5):
        flight += pay.claim()
        while flight:
            answered(pay, flight.pop(), "given")
            flight += pay.claim()
        pay.m.wait(3 * 86400 + 1)
        pay.work()
    paid = sum(p["captured_minor"] - p["refunded_minor"] for p in pay.payments())
    given_up = sum(p["capture_minor"] for p in pay.payments() if p["state"] == "failed")
    assert paid + given_up == due, pay.payments()
    assert given_up == 0 or pay.cases("payment_failed")
    assert pay.account("psp_clearing") == paid * 10000 and pay.account("receivable") == given_up * 10000
    assert not pay.cases("payment_mismatch")


def test_a_persons_refund_is_of_what_was_taken(pay):
    """Not of what is being taken: if that is refused, the person's refund would be with it."""
    number, rest, charge = above_the_hold(pay)
    receipt = pay.m.row("SELECT * FROM receipt WHERE session_id = %s", pay.session)
    assert pay.refund(receipt, 500)["outcome"] == "stored"
    assert refunded(pay, number, 500) == 500
    pay.done(charge["id"], "answered", pay.view(rest, "captured", captured=4000))
    assert pay.claim() == [] and pay.m.row("SELECT state FROM refund")["state"] == "done"


def test_a_refund_by_a_person_is_the_hubs_loss(pay):
    number, receipt = pay.paid(1419)
    answer = pay.refund(receipt, 500)
    assert (answer["outcome"], answer["state"]) == ("stored", "sent")
    call = pay.claim_one("refund")
    pay.done(call["id"], "answered", pay.view(number, "partially_refunded", captured=1419, refunded=500))
    assert pay.status(receipt) == "partially_refunded"
    assert pay.account("hub_loss") == 5000000 and pay.account("receivable") == 0
    assert pay.m.row("SELECT state FROM refund")["state"] == "done"


def test_a_refund_is_never_more_than_was_paid(pay):
    number, receipt = pay.paid(1419)
    assert pay.refund(receipt, 1420)["outcome"] == "too_much"
    assert pay.refund(receipt, 1000)["outcome"] == "stored"
    answer = pay.refund(receipt, 420)
    assert (answer["outcome"], answer["left_minor"]) == ("too_much", 419)
    assert pay.refund(receipt, 419)["outcome"] == "stored"
    assert pay.refund(receipt, 1)["outcome"] == "not_paid"
    for total in (1000, 1419):
        call = pay.claim_one("refund")
        pay.done(call["id"], "answered", pay.view(
            number, "refunded" if total == 1419 else "partially_refunded", captured=1419, refunded=total))
    assert pay.state(number) == "refunded"


def test_a_refund_has_no_more_decimals_than_its_currency(pay):
    _, receipt = pay.paid(1419)
    answer = pay.m.call("refund_ask", receipt["id"], 5001, "x", "admin:a", 10000, "EUR", "k1",
                        "admin:a", "POST", "/r", "b")[0]
    assert answer["outcome"] == "bad_amount"


def test_a_refund_with_the_same_key_is_one_refund(pay):
    _, receipt = pay.paid(1419)
    first = pay.refund(receipt, 100, key="k")
    second = pay.refund(receipt, 100, key="k")
    assert (first["outcome"], second["outcome"]) == ("stored", "replay")
    assert first["reference"] == second["reference"]
    assert pay.refund(receipt, 100, key="k", body="other")["outcome"] == "key_reused"
    assert pay.m.row("SELECT count(*) AS n FROM refund")["n"] == 1


def test_above_the_limit_somebody_else_confirms(pay):
    _, receipt = pay.paid(1419)
    asked = pay.refund(receipt, 1200, limit=1000, by="admin:anna")
    assert asked["outcome"] == "waiting" and pay.claim() == []
    confirm = lambda by: pay.m.call("refund_confirm", str(asked["reference"]), by)[0]["outcome"]  # noqa: E731
    assert confirm("admin:anna") == "same_person" and pay.claim() == []
    assert confirm("admin:ben") == "stored"
    assert confirm("admin:cleo") == "already"
    assert pay.claim_one("refund")["amount_minor"] == 1200
    with pytest.raises(psycopg2.Error):
        pay.m.rows("UPDATE refund SET confirmed_by = asked_by")


def test_the_limit_is_for_all_that_goes_back_without_a_second_person(pay):
    _, receipt = pay.paid(1419)
    assert [pay.refund(receipt, 100, limit=250)["outcome"] for _ in range(3)] == ["stored", "stored", "waiting"]
    asked = pay.refund(receipt, 60, limit=250)
    assert asked["outcome"] == "waiting"
    decline = lambda: pay.m.call("refund_decline", str(asked["reference"]), "staff:ann")[0]  # noqa: E731
    answer = decline()
    assert (answer["outcome"], answer["state"]) == ("stored", "declined")
    assert decline()["outcome"] == "already"
    confirm = pay.m.call("refund_confirm", str(asked["reference"]), "staff:ben")[0]
    assert (confirm["outcome"], confirm["state"]) == ("already", "declined")
    assert pay.m.call("refund_decline", str(uuid.uuid4()), "staff:ann")[0]["outcome"] == "not_found"
    assert pay.refund(receipt, 50, limit=250)["outcome"] == "waiting"  # the third one still waits
    waiting = pay.m.row("SELECT reference FROM refund WHERE state = 'waiting' ORDER BY id LIMIT 1")["reference"]
    assert pay.m.call("refund_confirm", str(waiting), "staff:ben")[0]["outcome"] == "stored"
    pay.m.rows("UPDATE refund SET state = 'declined' WHERE state = 'waiting'")
    assert pay.refund(receipt, 50, limit=250)["outcome"] == "stored"  # what was confirmed does not count


def test_a_confirmation_is_refused_once_the_money_is_gone(pay):
    _, receipt = pay.paid(1419)
    asked = pay.refund(receipt, 1200, limit=1000, by="admin:anna")
    assert pay.refund(receipt, 500)["outcome"] == "stored"
    assert pay.m.call("refund_confirm", str(asked["reference"]), "admin:ben")[0]["outcome"] == "too_much"


def test_a_refund_is_spread_over_both_payments(pay):
    number = pay.held(1000)
    receipt = pay.charged(1419)
    _, rest = pay.payments()
    calls = {c["kind"]: c for c in pay.claim()}
    pay.done(calls["capture"]["id"], "answered", pay.view(number, "captured", captured=1000))
    pay.done(calls["charge"]["id"], "answered", pay.view(rest["id"], "captured", captured=419))
    assert pay.refund(receipt, 500)["outcome"] == "stored"
    parts = {c["payment"]: c for c in pay.claim()}
    assert {k: c["amount_minor"] for k, c in parts.items()} == {rest["id"]: 419, number: 81}
    pay.done(parts[rest["id"]]["id"], "answered",
             pay.view(rest["id"], "refunded", captured=419, refunded=419))
    assert pay.m.row("SELECT state FROM refund")["state"] == "sent"
    pay.done(parts[number]["id"], "answered",
             pay.view(number, "partially_refunded", captured=1000, refunded=81))
    assert pay.m.row("SELECT state FROM refund")["state"] == "done"
    assert pay.status(receipt) == "partially_refunded"


def test_a_refused_refund_is_told(pay):
    number, receipt = pay.paid(1419)
    pay.refund(receipt, 500)
    call = pay.claim_one("refund")
    pay.done(call["id"], "declined", {"code": "refund_refused"})
    assert pay.state(number) == "paid" and len(pay.cases("refund_failed")) == 1
    assert pay.refund(receipt, 1419)["outcome"] == "stored"  # it can be asked for again


def test_a_refused_refund_leaves_the_next_one_alone(pay):
    number, receipt = pay.paid(1419)
    pay.refund(receipt, 500)
    pay.refund(receipt, 300)
    call = pay.claim_one("refund")
    pay.done(call["id"], "declined", {"code": "refund_refused"})
    assert refunded(pay, number, 300) == 300
    assert [r["state"] for r in pay.m.rows("SELECT state FROM refund ORDER BY id")] == ["failed", "done"]


def test_a_refund_that_was_given_up_does_not_stand_in_for_the_next(pay):
    number, receipt = pay.paid(1419)
    pay.refund(receipt, 500)
    call = pay.claim_one("refund")
    pay.done(call["id"], "retry")
    pay.m.wait(7 * 86400 + 1)
    assert pay.claim() == [] and len(pay.cases("payment_stuck")) == 1
    pay.refund(receipt, 300)
    assert refunded(pay, number, 300) == 300
    assert not pay.cases("payment_mismatch")
    assert [r["state"] for r in pay.m.rows("SELECT state FROM refund ORDER BY id")] == ["sent", "done"]
    # It had come through after all.
    later = pay.view(number, "partially_refunded", captured=1419, refunded=800)
    assert pay.event(number, "refunded_part", later) == "applied"
    assert [r["state"] for r in pay.m.rows("SELECT state FROM refund ORDER BY id")] == ["done", "done"]


# ---- events ----


def test_an_event_has_its_effect_once(pay):
    number = pay.held()
    pay.charged(1419)
    view = pay.view(number, "captured", captured=1419)
    assert pay.event(number, "captured", view, "evt_1") == "applied"
    assert pay.event(number, "captured", view, "evt_1") == "repeated"
    assert pay.event(number, "captured", view, "evt_1", content="other") == "conflict"
    assert pay.state(number) == "paid" and pay.account("psp_clearing") == 14190000
    assert pay.claim() == []  # the call is not needed any more


def test_the_same_event_by_ten_connections_at_once_has_its_effect_once(pay, url):
    number = pay.held()
    pay.charged(1419)
    view, outcomes = pay.view(number, "captured", captured=1419), []

    def tell():
        connection = psycopg2.connect(url, cursor_factory=psycopg2.extras.RealDictCursor)
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute("SELECT psp_event_take('evt_9', 'c', 'k', 'captured', NULL, ROW("
                           + ", ".join(["%s"] * len(VIEW)) + ")::psp_view) AS o", Pay.values(view))
            outcomes.append(cursor.fetchone()["o"])
        connection.close()

    threads = [threading.Thread(target=tell) for _ in range(10)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert sorted(outcomes) == ["applied"] + ["repeated"] * 9
    assert pay.account("psp_clearing") == 14190000


def test_an_event_that_its_answer_told_before_is_known(pay):
    number, _ = pay.paid()
    assert pay.event(number, "captured", pay.view(number, "captured", captured=1419)) == "known"
    assert pay.event(number, "authorised", pay.view(number, "authorised")) == "known"
    assert pay.state(number) == "paid" and pay.work() == []


def test_an_event_before_its_time_leads_to_a_look(pay):
    number = pay.held()
    receipt = pay.charged(1419)
    refunded = pay.view(number, "refunded", captured=1419, refunded=1419)
    assert pay.event(number, "refunded_all", refunded) == "later"
    assert pay.state(number) == "capturing"
    look, = pay.work()
    assert look["payment"] == number
    pay.read(number, pay.view(number, "captured", captured=1419))
    assert pay.state(number) == "paid" and pay.status(receipt) == "paid"
    assert pay.work() == []


@pytest.mark.parametrize("change", [
    {"captured_minor": 1420}, {"captured_minor": 14}, {"amount_minor": 6001}, {"amount_minor": 60},
    {"currency": "SEK"}, {"captured_minor": 0}, {"psp_id": "pay_other"}],
    ids=lambda c: "-".join(f"{k}={v}" for k, v in c.items()))
def test_an_event_over_another_amount_changes_nothing_and_is_told(pay, change):
    number = pay.held()
    pay.charged(1419)
    view = {**pay.view(number, "captured", captured=1419), **change}
    outcome = pay.event(number, "captured", view)
    assert outcome == ("unknown" if "psp_id" in change else "mismatch")
    assert pay.state(number) == "capturing" and pay.account("psp_clearing") == 0
    assert pay.cases("payment_unknown" if "psp_id" in change else "payment_mismatch")


def test_an_event_about_an_unknown_payment_is_kept_and_told(pay):
    view = {"psp_id": "pay_nobody", "status": "captured", "amount_minor": 1, "currency": "EUR"}
    assert pay.event(None, "captured", view) == "unknown"
    assert len(pay.cases("payment_unknown")) == 1
    assert pay.m.row("SELECT outcome FROM inbox")["outcome"] == "unknown"


def test_an_event_may_overtake_the_answer(pay):
    h = pay.hold()
    view = pay.view(h["payment"], "authorised")
    assert pay.event(h["payment"], "authorised", view) == "applied"
    answer = pay.done(h["operation"], "answered", view)
    assert (answer["state"], answer["outcome"]) == ("authorised", "over")


def test_a_refund_that_nobody_here_asked_for_is_told(pay):
    number, receipt = pay.paid()
    assert pay.event(number, "refunded_part", pay.view(
        number, "partially_refunded", captured=1419, refunded=100)) == "mismatch"
    assert pay.state(number) == "paid" and pay.status(receipt) == "paid"


def test_disputes(pay):
    number, receipt = pay.paid()
    disputed = pay.view(number, "disputed", captured=1419)
    assert pay.event(number, "disputed", disputed) == "applied"
    assert pay.status(receipt) == "paid" and len(pay.cases("payment_dispute")) == 1
    assert pay.event(number, "dispute_won", pay.view(number, "captured", captured=1419)) == "applied"
    assert pay.state(number) == "paid"
    assert pay.event(number, "disputed", disputed) == "applied"
    assert pay.event(number, "dispute_lost", pay.view(number, "charged_back", captured=1419)) == "applied"
    assert pay.status(receipt) == "refunded" and pay.state(number) == "charged_back"
    assert pay.account("psp_clearing") == 0 and pay.account("receivable") == 14190000


def test_disputes_after_a_refund_of_a_part(pay):
    number, receipt = pay.paid()
    pay.refund(receipt, 300)
    refunded(pay, number, 300)
    disputed = pay.view(number, "disputed", captured=1419, refunded=300)
    won = pay.view(number, "partially_refunded", captured=1419, refunded=300)
    lost = pay.view(number, "charged_back", captured=1419, refunded=300)
    assert pay.event(number, "disputed", disputed) == "applied"
    assert pay.state(number) == "disputed" and len(pay.cases("payment_dispute")) == 1
    assert pay.event(number, "dispute_won", won) == "applied"
    assert pay.state(number) == "partly_refunded" and pay.status(receipt) == "partially_refunded"
    assert pay.event(number, "disputed", disputed) == "applied"
    assert pay.event(number, "dispute_lost", lost) == "applied"
    assert pay.state(number) == "charged_back"
    assert pay.account("psp_clearing") == 0 and pay.account("receivable") == 11190000


def test_a_dispute_that_the_table_does_not_have_is_told(pay):
    number, receipt = pay.paid()
    pay.refund(receipt, 1419)
    refunded(pay, number, 1419, "refunded")
    for status, event in (("disputed", "disputed"), ("charged_back", "dispute_lost")):
        view = pay.view(number, status, captured=1419, refunded=1419)
        assert pay.event(number, event, view) == "later"
        assert [w["payment"] for w in pay.work()] == [number]
        pay.read(number, view)
        assert pay.state(number) == "refunded"
        case, = pay.cases("payment_dispute")
        assert f"{status} at the PSP" in case["detail"]


def capture_taken(pay, **view):
    """A capture that the PSP has taken and will tell the end of."""
    number = pay.held()
    pay.charged(1419)
    call = pay.claim_one("capture")
    pay.done(call["id"], "answered", pay.view(number, "authorised", **view))
    assert pay.state(number) == "capturing"
    return number


@pytest.mark.parametrize("status", ["authorised", "declined"])
def test_a_capture_that_fails_later_is_tried_again(pay, status):
    number = capture_taken(pay)
    refused = pay.view(number, status, code="do_not_honour")
    assert pay.event(number, "capture_declined", refused, "evt_1") == "applied"
    p = pay.payment(number)
    assert (p["state"], p["failure"]) == ("failed", "do_not_honour")
    assert pay.event(number, "capture_declined", refused, "evt_1") == "repeated"
    pay.m.wait(86401)
    pay.work()
    assert pay.claim_one("capture")["generation"] == 2


def test_a_capture_that_is_read_as_declined_has_failed(pay):
    number = capture_taken(pay)
    assert pay.read(number, pay.view(number, "declined", code="do_not_honour")) == "applied"
    assert pay.state(number) == "failed"


def test_the_event_of_a_refusal_may_overtake_the_answer_that_it_was_taken(pay):
    number = pay.held()
    pay.charged(1419)
    call = pay.claim_one("capture")
    view = pay.view(number, "authorised")
    assert pay.event(number, "capture_declined", view) == "later"
    assert pay.state(number) == "capturing"
    assert pay.done(call["id"], "answered", view)["state"] == "failed"


def test_the_late_event_of_an_earlier_refusal_is_no_refusal_of_the_next_capture(pay):
    number = pay.held()
    pay.charged(1419)
    call = pay.claim_one("capture")
    pay.done(call["id"], "declined", {"code": "do_not_honour"})
    pay.m.wait(86401)
    pay.work()
    call = pay.claim_one("capture")
    view = pay.view(number, "authorised")
    pay.done(call["id"], "answered", view)
    assert pay.event(number, "capture_declined", view) == "later"  # that of the first
    assert pay.state(number) == "capturing"
    assert pay.event(number, "capture_declined", view) == "applied"
    assert pay.state(number) == "failed"


def test_an_answer_that_comes_after_its_event_of_a_refusal_still_tells_what_was_taken(pay):
    number = capture_taken(pay)
    call, = pay.operations(number, "capture")
    assert pay.event(number, "capture_declined", pay.view(number, "declined")) == "applied"
    answer = pay.done(call["id"], "answered", pay.view(number, "captured", captured=1419))
    assert (answer["outcome"], answer["state"]) == ("over", "paid")


def test_what_the_psp_has_taken_and_does_not_tell_the_end_of_is_left_to_people(pay):
    number = capture_taken(pay)
    view = pay.view(number, "authorised")
    for _ in range(20):
        pay.m.wait(3600)
        pay.work()
        pay.read(number, view)
    assert not pay.cases("payment_stuck")
    pay.m.wait(5 * 3600)
    assert [w["payment"] for w in pay.work()] == [number]
    assert len(pay.cases("payment_stuck")) == 1 and pay.claim() == []
    pay.m.rows("UPDATE finance_case SET resolved_at = hub_now() WHERE kind = 'payment_stuck'")
    pay.m.wait(3600)
    pay.work()
    assert not pay.cases("payment_stuck")  # said once
    pay.read(number, pay.view(number, "captured", captured=1419))
    assert pay.state(number) == "paid" and pay.account("receivable") == 0


def test_a_refund_that_the_psp_has_taken_is_looked_at_until_its_end(pay):
    number, receipt = pay.paid()
    pay.refund(receipt, 300)
    call = pay.claim_one("refund")
    taken = pay.view(number, "captured", captured=1419)
    pay.done(call["id"], "answered", taken)
    for _ in range(3):
        pay.m.wait(600)
        assert [w["payment"] for w in pay.work()] == [number]
        pay.read(number, taken)
    pay.m.wait(7 * 86400)
    pay.work()
    assert len(pay.cases("payment_stuck")) == 1
    pay.read(number, pay.view(number, "partially_refunded", captured=1419, refunded=300))
    assert pay.state(number) == "partly_refunded"


def test_each_unknown_payment_and_each_payout_is_a_case_of_its_own(pay):
    for n in (1, 1, 2):
        view = {"psp_id": f"pay_nobody{n}", "status": "captured", "amount_minor": 1, "currency": "EUR"}
        assert pay.event(None, "captured", view) == "unknown"
    assert len(pay.cases("payment_unknown")) == 2
    day = pay.m.now().date()
    for back, currency in ((0, "EUR"), (0, "EUR"), (0, "SEK"), (1, "EUR")):
        pay.m.value("psp_payout_put", day - datetime.timedelta(days=back), currency, 100, 0, 0, 0, 0)
    assert len(pay.cases("payout_difference")) == 3


def test_two_payments_of_a_session_are_two_cases_and_one_tells_all(pay):
    number = pay.held(1000)
    pay.charged(1419)
    _, rest = pay.payments()
    for p, amount in ((number, 1), (rest["id"], 2), (rest["id"], 3)):
        assert pay.event(p, "captured", pay.view(p, "captured", amount_minor=amount)) == "mismatch"
    first, second = sorted((c["detail"] for c in pay.cases("payment_mismatch")), key=len)
    assert "amount 1 " in first
    assert "amount 2 " in second and "amount 3 " in second


def test_a_case_names_a_session_that_is_there(pay):
    with pytest.raises(psycopg2.errors.ForeignKeyViolation):
        pay.m.call("finance_case_open", "no_price", str(uuid.uuid4()), None, "x")


def test_a_case_of_a_payment_does_not_wait_for_its_session(pay, url):
    """Who files a CDR holds the session and comes for the payment; the other way round is a deadlock."""
    number = pay.held()
    wrong = pay.view(number, "captured", amount_minor=1)
    one, two = (psycopg2.connect(url) for _ in range(2))
    try:
        with one.cursor() as files, two.cursor() as events:
            files.execute("SELECT FROM session WHERE id = %s FOR UPDATE", [pay.session])
            events.execute("SET lock_timeout = '3s'")
            events.execute("SELECT psp_event_take('evt_8', 'c', 'k', 'captured', %s, ROW("
                           + ", ".join(["%s"] * len(VIEW)) + ")::psp_view)",
                           [str(pay.payment(number)["reference"]), *Pay.values(wrong)])
            assert events.fetchone() == ("mismatch",)
        two.commit()
    finally:
        one.close()
        two.close()
    assert len(pay.cases("payment_mismatch")) == 1


def test_events_in_any_order_end_where_they_should(pay):
    """All snapshots of one payment's life, shuffled, with looks in between: the end is the same."""
    seed = random.randrange(1 << 30)
    print("seed", seed)
    dice = random.Random(seed)
    for _ in range(20):
        pay.session = None
        number, receipt = pay.paid(evse=0, connector="1")
        pay.refund(receipt, 300)
        call = pay.claim_one("refund")
        pay.done(call["id"], "retry")
        last = pay.view(number, "partially_refunded", captured=1419, refunded=300)
        events = [("authorised", pay.view(number, "authorised")),
                  ("captured", pay.view(number, "captured", captured=1419)), ("refunded_part", last)] * 2
        dice.shuffle(events)
        for event, view in events:
            assert pay.event(number, event, view) in ("applied", "known", "later")
        for work in pay.work():
            assert pay.read(work["payment"], last) in ("applied", "known")
        p = pay.payment(number)
        assert (p["state"], p["captured_minor"], p["refunded_minor"]) == ("partly_refunded", 1419, 300)
        pay.m.rows("UPDATE session SET connector_held = false, version = version + 1")


# ---- the job ----


def test_a_payment_that_stays_in_between_is_read_at_the_psp(pay):
    number = pay.held()
    pay.charged(1419)
    call = pay.claim_one("capture")
    pay.done(call["id"], "answered", pay.view(number, "authorised"))  # taken, not done
    assert pay.state(number) == "capturing" and pay.work() == []
    pay.m.wait(61)
    look, = pay.work()
    assert look["psp_id"] == pay.payment(number)["psp_id"]
    assert pay.work() == []  # somebody is at it
    pay.read(number, pay.view(number, "captured", captured=1419))
    assert pay.state(number) == "paid" and pay.claim() == []


def test_a_call_is_not_tried_for_ever(pay):
    number = pay.held()
    pay.charged(1419)
    for _ in range(5):
        call = pay.claim_one("capture")
        pay.done(call["id"], "refused", detail="HTTP 422 not_authorised")
        pay.m.wait(400)
    assert pay.claim() == [] and len(pay.cases("payment_stuck")) == 1
    assert pay.work()[0]["payment"] == number  # how do things stand?


def test_after_seven_days_a_call_is_left_to_people(pay):
    pay.held()
    pay.charged(1419)
    call = pay.claim_one("capture")
    pay.done(call["id"], "retry")
    pay.m.wait(7 * 86400 + 1)
    assert pay.claim() == [] and len(pay.cases("payment_stuck")) == 1


def test_a_payment_that_the_psp_does_not_know_has_failed(pay):
    h = pay.hold()
    pay.done(h["operation"], "answered", pay.view(h["payment"], "pending"))
    pay.m.wait(61)
    look, = pay.work()
    assert pay.read(look["payment"], None) == "applied"
    assert pay.state(h["payment"]) == "failed"


def test_a_hold_that_turns_up_after_all_goes_back(pay):
    h = pay.hold()
    pay.done(h["operation"], "declined", {"code": "declined"})
    assert pay.event(h["payment"], "authorised", pay.view(h["payment"], "authorised")) in ("later", "known")
    look, = pay.work()
    pay.read(look["payment"], pay.view(h["payment"], "authorised"))
    pay.claim_one("void")


def test_what_the_psp_paid_out_is_held_against_the_ledger(pay):
    pay.m.wait_until(12)
    number = pay.held()
    pay.charged(1419)
    pay.capture(number, fee=44)
    day = pay.m.now().date()
    pay.m.wait(86400)  # a day is asked for from six in the morning of the next one
    claimed = pay.m.call("psp_payout_claim")
    assert [c["psp_payout_claim"] for c in claimed] == [day]
    put = lambda *v: pay.m.value("psp_payout_put", day, "EUR", *v)  # noqa: E731
    assert put(1375, 1419, 0, 0, 44) == 0 and not pay.cases("payout_difference")
    assert put(1374, 1419, 0, 0, 44) == -1 and len(pay.cases("payout_difference")) == 1
    pay.m.call("psp_payout_done", day, True)
    pay.m.wait(3600)
    assert pay.m.call("psp_payout_claim") == []


def test_no_report_is_asked_for_before_anything_was_taken(pay):
    pay.held()
    pay.m.wait(3 * 86400)
    assert pay.m.call("psp_payout_claim") == []
    assert pay.m.rows("SELECT * FROM psp_payout_day") == []


def test_a_report_without_our_currency_says_nothing_was_paid_out(pay):
    pay.m.wait_until(12)
    number = pay.held()
    pay.charged(1419)
    pay.capture(number)
    day = pay.m.now().date()
    pay.m.wait(86400)
    pay.m.call("psp_payout_claim")
    pay.m.call("psp_payout_done", day, True)
    assert pay.m.row("SELECT difference_minor AS d FROM psp_payout")["d"] == -1419
    assert len(pay.cases("payout_difference")) == 1


def test_a_day_is_reckoned_from_midnight_to_midnight(pay):
    pay.m.wait_until(12)
    number = pay.held()
    pay.charged(1419)
    pay.capture(number)
    start = pay.m.now().replace(hour=0, minute=0, second=0, microsecond=0)
    pay.m.rows("SET session_replication_role = replica")
    for at, amount in ((start - datetime.timedelta(microseconds=1), 1), (start, 10),
                       (start + datetime.timedelta(hours=23, minutes=59, seconds=59.999999), 100),
                       (start + datetime.timedelta(days=1), 1000)):
        pay.m.rows("WITH e AS (INSERT INTO ledger_entry (at, kind, key, currency) VALUES (%s, 'fee', %s,"
                   " 'EUR') RETURNING id) INSERT INTO ledger_line SELECT id, n, account, n * %s FROM e,"
                   " (VALUES (1, 'psp_clearing'), (-1, 'psp_fees')) x (n, account)",
                   at, f"test/{amount}", amount * 10000)
    pay.m.rows("SET session_replication_role = origin")
    assert pay.m.value("psp_payout_put", start.date(), "EUR", 1419 + 110, 1419 + 110, 0, 0, 0) == 0
    pay.m.rows("SET TimeZone = 'Pacific/Auckland'")
    assert pay.m.value("psp_payout_put", start.date(), "EUR", 1419 + 110, 1419 + 110, 0, 0, 0) == 0


def test_a_payout_reads_the_entries_of_its_day(pay):
    """However many there are: the ledger is kept for ten years."""
    pay.m.rows("SET session_replication_role = replica")
    pay.m.rows("WITH e AS (INSERT INTO ledger_entry (at, kind, key, currency)"
               " SELECT hub_now() - i * interval '10 minutes', 'capture', 'test/' || i, 'EUR'"
               "   FROM generate_series(1, 100000) i RETURNING id)"
               " INSERT INTO ledger_line SELECT id, n, account, n * 10000 FROM e,"
               " (VALUES (1, 'psp_clearing'), (-1, 'receivable')) x (n, account)")
    pay.m.rows("SET session_replication_role = origin")
    pay.m.rows("ANALYZE ledger_entry, ledger_line")
    day = pay.m.now().date() - datetime.timedelta(days=3)
    pay.m.rows("BEGIN")
    assert pay.m.value("psp_payout_put", day, "EUR", 144, 144, 0, 0, 0) == 0
    pay.m.call("psp_payout_done", day, True)
    read = pay.m.rows("SELECT relname, seq_tup_read, idx_tup_fetch FROM pg_stat_xact_user_tables"
                      " WHERE relname LIKE 'ledger%%'")
    pay.m.rows("COMMIT")
    pay.m.rows("SET session_replication_role = replica")
    pay.m.rows("TRUNCATE ledger_entry, ledger_line CASCADE")
    pay.m.rows("SET session_replication_role = origin")
    for table in read:
        assert table["seq_tup_read"] == 0 and table["idx_tup_fetch"] < 1000, read


def test_nothing_of_a_card_is_kept_but_four_digits(pay):
    h = pay.hold()
    pay.done(h["operation"], "answered",
             pay.view(h["payment"], "authorised", last_four="4242424242424242"))
    assert "4242" not in json.dumps(pay.m.rows("SELECT to_jsonb(p)::text AS t FROM payment p"))
