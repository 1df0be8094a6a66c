# SPDX-License-Identifier: Apache-2.0
"""
Payments of sessions whose CDRs are told by hand: replacements that are dearer or in another currency,
credits after refunds, refunds by two persons, disputes, captures that fail later.
"""

import json
import shutil
import threading
import time
import uuid

import pytest
import requests
from harness import User, ok, problem, wait_until
from psp import PayingWorld
from test_cdr_intake import charged, credit_of, post, record, remember_places  # noqa: F401
from test_payments import receipt_row, webhook
from test_rules_transport import Cpo


@pytest.fixture(scope="module", name="dealing")
def a_world_with_a_speaker(directory, token_keys):
    w = PayingWorld(directory / "dealing")
    try:
        w.start(sim=False, jwt_keys_file=token_keys.jwks_file, power_tolerance=10, max_open_sessions=100,
                cancellation_hold="1s", collect_increase="yes", refund_limit="1.00 EUR",
                hold_amounts="60.00 EUR, 700.00 SEK")
        yield w
    finally:
        w.stop()
        shutil.rmtree(w.directory, ignore_errors=True)


@pytest.fixture(scope="module")
def cpos(dealing):
    made = {"2.2.1": Cpo("2.2.1", "DE", "PAY")}
    for cpo in made.values():
        cpo.register(dealing.hub)
    yield made
    for cpo in made.values():
        cpo.close()


@pytest.fixture
def cpo(cpos):
    return cpos["2.2.1"]


@pytest.fixture(name="driver")
def a_driver(dealing):
    return User(dealing.hub)


@pytest.fixture(name="person")
def persons(dealing, token_keys):
    """A request by a member of staff; "admin" comes with the admin token."""
    def ask(name, method, path, **body):
        token = dealing.hub.secrets.admin_token if name == "admin" else token_keys.token(
            name, aud="ocpi-hub-staff", roles=["finance"], amr=["mfa"])
        return requests.request(method, dealing.hub.url + "/v1/finance" + path, json=body or None, timeout=30,
                                headers={"Authorization": f"Bearer {token}",
                                         "Idempotency-Key": str(uuid.uuid4())})
    return ask


def dealt(dealing, cpo, driver):
    """A session of 3.57 EUR whose receipt is paid, and its CDR."""
    session, data = charged(cpo, driver)
    cdr = record(cpo, data)
    post(cpo, cdr)
    wait_until(lambda: ok(driver.receipt(session))["payment_status"] == "paid", 15, "the money")
    return session, data, cdr


def net_paid(dealing, session):
    """What is taken and not given back, by currency."""
    return dict(dealing.sql("SELECT currency, sum(captured_minor - refunded_minor)::int FROM payment"
                            " WHERE session_id = %s GROUP BY 1", session))


def accounts(dealing, session):
    return dict(dealing.sql("SELECT account, sum(amount_u6)::bigint FROM ledger_line l JOIN ledger_entry e"
                            " ON e.id = l.entry WHERE account IN ('receivable', 'hub_loss') AND (e.receipt IN"
                            " (SELECT id FROM receipt WHERE session_id = %s) OR e.payment IN"
                            " (SELECT id FROM payment WHERE session_id = %s)) GROUP BY 1", session, session))


def priced_at(cdr, price, currency="EUR"):
    tariff, = cdr["tariffs"]
    tariff["currency"] = currency
    tariff["elements"][0]["price_components"][0]["price"] = price
    return cdr


def test_a_replacement_in_another_currency_is_paid_once(dealing, cpo, driver):
    session, data, cdr = dealt(dealing, cpo, driver)
    post(cpo, credit_of(cpo, cdr))
    post(cpo, priced_at(record(cpo, data, net=30.0, gross=35.7, currency="SEK"), 3.0, "SEK"))
    wait_until(lambda: net_paid(dealing, session) == {"EUR": 0, "SEK": 3570}, 15, "one payment of the two")
    wait_until(lambda: ok(driver.receipt(session))["payment_status"] == "paid", 10, "its word")
    assert accounts(dealing, session)["receivable"] == 0


def test_a_dearer_replacement_is_collected_where_that_is_wanted(dealing, cpo, driver):
    session, data, cdr = dealt(dealing, cpo, driver)
    post(cpo, credit_of(cpo, cdr))
    post(cpo, priced_at(record(cpo, data, net=4.5, gross=5.355), 0.45))
    wait_until(lambda: ok(driver.receipt(session))["cost"] == 5.36, 10, "the replacement")
    wait_until(lambda: net_paid(dealing, session) == {"EUR": 536}, 15, "what it costs more")
    assert ok(driver.receipt(session))["payment_status"] == "paid"
    assert accounts(dealing, session)["receivable"] == 0


def test_small_refunds_by_one_person_are_one_large_one(dealing, cpo, driver, person):
    session, _, _ = dealt(dealing, cpo, driver)
    path = f"/receipts/{receipt_row(dealing, session)}/refund"
    states = [ok(person("ann", "POST", path, amount=amount, reason="x"), 202)["status"]
              for amount in (0.6, 0.4, 0.01)]
    assert states == ["sent", "sent", "awaiting_confirmation"]
    wait_until(lambda: net_paid(dealing, session) == {"EUR": 257}, 10, "two refunds")


def test_who_confirms_a_refund_is_another_member_of_staff(dealing, cpo, driver, person):
    session, _, _ = dealt(dealing, cpo, driver)
    path = f"/receipts/{receipt_row(dealing, session)}/refund"

    def confirm(name, refund):
        return person(name, "POST", f"/refunds/{refund['refund_id']}/confirm")

    asked = ok(person("ann", "POST", path, amount=1.5, reason="x"), 202)
    for name in ("ann", "admin"):
        body = problem(confirm(name, asked), 403, "second_person_required")
        assert "staff:ann" in body["detail"]
    by_admin = ok(person("admin", "POST", path, amount=1.25, reason="x"), 202)
    assert by_admin["status"] == "awaiting_confirmation"
    problem(confirm("admin", by_admin), 403, "second_person_required")
    assert ok(confirm("ben", by_admin), 202)["confirmed_by"] == "staff:ben"
    declined = ok(person("ann", "POST", f"/refunds/{asked['refund_id']}/decline"), 202)
    assert declined["status"] == "declined" and declined["confirmed_by"] is None
    assert ok(confirm("ben", asked), 202)["status"] == "declined"
    problem(person("ann", "POST", f"/refunds/{uuid.uuid4()}/decline"), 404, "not_found")
    wait_until(lambda: net_paid(dealing, session) == {"EUR": 232}, 10, "the one that was confirmed")


def test_a_credit_after_a_persons_refund_leaves_no_debt(dealing, cpo, driver, person):
    session, _, cdr = dealt(dealing, cpo, driver)
    path = f"/receipts/{receipt_row(dealing, session)}/refund"
    ok(person("ann", "POST", path, amount=1, reason="x"), 202)
    wait_until(lambda: dealing.states(session) == ["partly_refunded"], 10, "the refund")
    post(cpo, credit_of(cpo, cdr))
    wait_until(lambda: net_paid(dealing, session) == {"EUR": 0}, 20, "the rest")
    assert accounts(dealing, session) == {"receivable": 0, "hub_loss": 0}
    assert ok(driver.receipt(session))["payment_status"] == "refunded" and not dealing.cases("refund_failed")


def test_what_is_left_after_a_refund_may_be_charged_back(dealing, cpo, driver, person):
    session, _, _ = dealt(dealing, cpo, driver)
    ok(person("ann", "POST", f"/receipts/{receipt_row(dealing, session)}/refund", amount=1, reason="x"), 202)
    wait_until(lambda: dealing.states(session) == ["partly_refunded"], 10, "the refund")
    payment, = dealing.psp.payments(driver.sub)
    dealing.psp.post("/psp/dispute", payment=payment["id"], how="open")
    wait_until(lambda: dealing.states(session) == ["disputed"], 10, "the dispute")
    dealing.psp.post("/psp/dispute", payment=payment["id"], how="lost")
    wait_until(lambda: dealing.states(session) == ["charged_back"], 10, "its end")
    assert accounts(dealing, session) == {"receivable": 2570000, "hub_loss": 1000000}
    listed = ok(person("ann", "GET", "/cases?kind=payment_dispute"))["items"]
    assert [c["session_id"] for c in listed if c["session_id"] == session] == [session]


def test_a_capture_that_fails_later_is_told_by_its_event(dealing, cpo, driver):
    session, data = charged(cpo, driver)
    dealing.psp.behave("later", driver.sub, after_ms=600000)
    post(cpo, record(cpo, data))
    wait_until(lambda: dealing.sql("SELECT 1 FROM psp_operation o JOIN payment p ON p.id = o.payment WHERE"
                                   " p.session_id = %s AND o.state = 'accepted'", session), 10, "the capture")
    dealing.psp.behave("later", driver.sub, on=False)
    payment, = dealing.psp.payments(driver.sub)
    dealing.psp.post("/psp/raw", body=json.dumps({
        "id": f"evt_{uuid.uuid4().hex}", "type": "payment.capture_failed", "payment": payment}))
    wait_until(lambda: dealing.states(session) == ["failed"], 10, "its failure")
    assert ok(driver.receipt(session))["payment_status"] == "failed"


def test_events_of_a_payment_and_its_cdr_do_not_wait_for_each_other(dealing, cpo):
    """Cases of a payment that is held, and a CDR whose session is: none is a victim of the other."""
    def deadlocks():
        return dealing.sql("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")[0][0]

    time.sleep(1.5)  # the counter comes late
    before = deadlocks()
    for _ in range(4):
        driver = User(dealing.hub)
        session, data = charged(cpo, driver)
        payment, = dealing.psp.payments(driver.sub)
        wrong = {**payment, "amount": payment["amount"] + 1}
        over = threading.Event()

        def storm(wrong=wrong, over=over, session=session):
            while not over.is_set():
                webhook(dealing, {"id": f"evt_{uuid.uuid4().hex}", "type": "payment.captured", "payment": wrong})
                dealing.sql("UPDATE finance_case SET resolved_at = now() WHERE kind = 'payment_mismatch'"
                            " AND session_id = %s AND resolved_at IS NULL", session)

        threads = [threading.Thread(target=storm) for _ in range(4)]
        for t in threads:
            t.start()
        post(cpo, record(cpo, data))
        over.set()
        for t in threads:
            t.join()
        wait_until(lambda s=session: dealing.states(s) == ["paid"], 20, "the money")
    time.sleep(1.5)
    assert deadlocks() == before
