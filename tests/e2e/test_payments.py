# SPDX-License-Identifier: Apache-2.0
"""
A session that is paid: the hold before the start, the capture of the receipt, refunds; and what a
payment service provider may do wrong (fault F50: timeouts, duplicates, reordering, wrong amounts,
bad signatures, a replay after a day; crash points C23 to C27).
"""

import hashlib
import hmac
import json
import os
import shutil
import signal
import time
import uuid

import pytest
import requests
from harness import User, ok, problem, rounded, wait_until
from psp import PayingWorld


@pytest.fixture(scope="module")
def paying(directory, token_keys):
    w = PayingWorld(directory / "paying")
    try:
        w.start(jwt_keys_file=token_keys.jwks_file, sim_args=("--speed", "60", "--world", "400"))
        w.wait_for_evse("FI*VRT*E90000400*2")
        yield w
    finally:
        w.stop()
        shutil.rmtree(w.directory, ignore_errors=True)


@pytest.fixture(name="psp")
def the_psp(paying):
    yield paying.psp
    paying.psp.behave("none")


@pytest.fixture(name="user")
def paying_user(paying):
    return User(paying.hub)


@pytest.fixture(name="evse")
def fresh_evse(paying):
    return paying.fresh_evse()


def minor(receipt):
    return int(rounded(receipt["cost"], 2) * 100)


def finance(hub, method, path, key=None, **body):
    headers = {"Authorization": f"Bearer {hub.secrets.admin_token}"}
    if key:
        headers["Idempotency-Key"] = key
    return requests.request(method, hub.url + "/v1/finance" + path, headers=headers, json=body, timeout=30)


def receipt_row(paying, session):
    return paying.sql("SELECT id FROM receipt WHERE session_id = %s ORDER BY revision DESC LIMIT 1",
                      session)[0][0]


def paid_session(paying, user, evse):
    """The id of a session whose receipt is paid, and the receipt."""
    session = user.started(evse)
    user.wait_for(session, lambda s: s["energy_kwh"] > 1, what="some energy")
    receipt = user.finished(session)
    wait_until(lambda: ok(user.receipt(session))["payment_status"] == "paid", 10, "the money")
    return session, ok(user.receipt(session))


def starts_of(paying, evse):
    return [r for r in paying.sim.commands("START_SESSION") if evse.split("*")[-2] in r["body"]]


# ---- the hold ----


def test_the_amount_is_held_before_the_network_is_asked(paying, psp, user, evse):
    session = ok(user.start(evse))["session_id"]
    hold, = psp.payments(user.sub)
    assert (hold["status"], hold["amount"], hold["currency"]) == ("authorised", 6000, "EUR")
    start, = wait_until(lambda: paying.sim.commands("START_SESSION", session), 10, "START_SESSION")
    authorise, = psp.calls(hold["reference"])[:1] or psp.calls(user.sub)[:1]
    assert authorise["key"].endswith("-authorise-1")
    user.wait_for(session, "active")
    user.finished(session)
    assert start


def test_the_session_is_stopped_when_the_hold_is_used_up(paying, user, evse):
    """The amount held is the session's credit limit."""
    session = ok(user.start(evse))["session_id"]
    limit = paying.sql("SELECT credit_minor, credit_currency FROM session_limit WHERE session_id = %s",
                       session)
    assert limit == [(6000, "EUR")]
    user.wait_for(session, "active")
    user.finished(session)


def test_a_declined_hold_starts_nothing(paying, psp, user, evse):
    psp.behave("decline", user.sub)
    body = problem(user.start(evse), 402, "payment_required")
    assert "card_declined" in body["detail"]
    time.sleep(1)
    assert starts_of(paying, evse) == []
    assert paying.sql("SELECT count(*) FROM session WHERE user_id = %s", user.sub)[0][0] == 0
    psp.behave("decline", user.sub, on=False)
    session, _ = paid_session(paying, user, evse)  # and with another card it goes on
    assert paying.states(session) == ["paid"]


def test_a_psp_that_does_not_answer_starts_nothing_and_gets_the_same_key_again(paying, psp, user, evse):
    psp.behave("no-events", user.sub)
    psp.behave("lost-answer", user.sub, times=1)
    answer = user.start(evse)
    problem(answer, 503, "payment_unavailable")
    assert answer.headers["Retry-After"]
    assert starts_of(paying, evse) == []
    hold, = psp.payments(user.sub)
    wait_until(lambda: psp.payments(user.sub)[0]["status"] == "voided", 20, "the hold to go back")
    keys = [c["key"] for c in psp.calls(hold["reference"]) if c["path"] == "/payments"]
    assert len(keys) == 2 and keys[0] == keys[1]
    assert len(psp.payments(user.sub)) == 1


def test_an_event_may_say_what_the_lost_answer_would_have(psp, user, evse):
    psp.behave("lost-answer", user.sub, times=1)
    assert ok(user.start(evse))["status"] == "pending"
    assert [p["status"] for p in psp.payments(user.sub)] == ["authorised"]


def test_a_psp_that_is_away_starts_nothing(paying, psp, user, evse):
    for word in ("no-answer", "http-500", "garbage"):
        psp.behave(word, user.sub)
        problem(user.start(evse), 503, "payment_unavailable")
        psp.behave(word, user.sub, on=False)
    assert starts_of(paying, evse) == []
    wait_until(lambda: all(p["status"] == "voided" for p in psp.payments(user.sub)), 30, "all to go back")
    assert ok(user.start(evse))["status"] == "pending"


def test_a_slow_psp_is_waited_for(psp, user, evse):
    psp.behave("slow", user.sub, after_ms=1000)
    assert ok(user.start(evse))["status"] == "pending"


def test_a_hold_that_is_still_pending_starts_nothing_and_goes_back(paying, psp, user, evse):
    psp.behave("pending", user.sub, after_ms=1500)
    problem(user.start(evse), 503, "payment_unavailable")
    wait_until(lambda: psp.payments(user.sub)[0]["status"] == "voided", 20, "the hold to go back")
    assert starts_of(paying, evse) == []


def test_a_hold_of_another_amount_starts_nothing(paying, psp, user, evse):
    psp.behave("wrong-amount", user.sub)
    problem(user.start(evse), 503, "payment_unavailable")
    assert paying.cases("payment_mismatch") and starts_of(paying, evse) == []


def test_a_start_that_is_repeated_with_its_key_holds_once(psp, user, evse):
    headers = {"Idempotency-Key": str(uuid.uuid4())}
    first = user.start(evse, headers=headers)
    second = user.start(evse, headers=headers)
    assert ok(first) == ok(second) and second.headers["Idempotent-Replay"] == "true"
    assert len(psp.payments(user.sub)) == 1


def test_a_start_that_is_refused_after_all_gives_the_hold_back(paying, psp, user, evse):
    other = User(paying.hub)
    session = other.started(evse)
    problem(user.start(evse), 409, "evse_busy")
    wait_until(lambda: [p["status"] for p in psp.payments(user.sub)] == ["voided"], 10, "the hold to go back")
    other.finished(session)


def test_a_start_that_the_network_refuses_gives_the_hold_back(paying, psp, user, evse):
    paying.sim.behave("reject-start", evse)
    session = ok(user.start(evse))["session_id"]
    user.wait_for(session, "failed")
    wait_until(lambda: paying.states(session) == ["voided"], 10, "the hold to go back")
    assert psp.payments(user.sub)[0]["status"] == "voided"


def test_invoice_customers_need_no_hold(paying, psp, user, evse):
    answer = paying.hub.admin("PUT", f"/payers/{user.sub}", json={"mode": "invoice"})
    assert ok(answer) == {"user_id": user.sub, "mode": "invoice", "psp_customer": user.sub}
    assert ok(paying.hub.admin("GET", f"/payers/{user.sub}"))["mode"] == "invoice"
    session = user.started(evse)
    assert user.finished(session)["payment_status"] == "not_required"
    assert psp.payments(user.sub) == []
    problem(paying.hub.admin("PUT", f"/payers/{user.sub}", json={"mode": "gold"}), 422, "validation_failed")


# ---- the capture ----


def test_exactly_the_receipt_is_taken(paying, psp, user, evse):
    session, receipt = paid_session(paying, user, evse)
    payment, = psp.payments(user.sub)
    assert payment["captured"] == minor(receipt) > 0
    assert paying.payments(session)[0][:6] == ("hold", "paid", 6000, minor(receipt), minor(receipt), 0)
    wait_until(lambda: all(e["status"] == 200 for e in psp.events(payment["id"])), 10, "the events")


def test_what_is_above_the_hold_is_a_second_payment(directory, token_keys):
    w = PayingWorld(directory / "small-hold")
    try:
        w.start(jwt_keys_file=token_keys.jwks_file, hold_amounts="0.50 EUR", workers=1)
        w.wait_for_evse("FI*VRT*E90000020*2")
        user, evse = User(w.hub), w.fresh_evse()
        session = user.started(evse)
        # Without a retail tariff there is no estimate, so the credit limit ends nothing here.
        user.wait_for(session, lambda s: s["energy_kwh"] > 3 or s["status"] != "active", what="energy")
        if ok(user.status(session))["status"] == "active":
            ok(user.stop(session))
        user.wait_for(session, "completed", 60)
        receipt = wait_until(lambda: (r := ok(user.receipt(session)))["payment_status"] == "paid" and r, 15,
                             "both payments")
        hold, rest = w.payments(session)
        assert (hold[0], hold[4], rest[0], rest[4]) == ("hold", 50, "rest", minor(receipt) - 50)
        assert sum(p["captured"] for p in w.psp.payments(user.sub)) == minor(receipt)
    finally:
        w.stop()


def test_a_lost_answer_to_a_capture_takes_the_money_once(paying, psp, user, evse):
    session = user.started(evse)
    psp.behave("no-events", user.sub)
    psp.behave("lost-answer", user.sub, times=2)
    user.wait_for(session, lambda s: s["energy_kwh"] > 1, what="some energy")
    receipt = user.finished(session)
    wait_until(lambda: paying.states(session) == ["paid"], 30, "the money")
    payment, = psp.payments(user.sub)
    assert payment["captured"] == minor(receipt)
    keys = [c["key"] for c in psp.calls(f"/payments/{payment['id']}/capture")]
    assert len(keys) >= 2 and len(set(keys)) == 1


def test_a_capture_that_is_done_later_is_told_by_its_event(paying, psp, user, evse):
    session = user.started(evse)
    psp.behave("later", user.sub, after_ms=2000)
    user.wait_for(session, lambda s: s["energy_kwh"] > 1, what="some energy")
    assert user.finished(session)["payment_status"] == "pending"
    wait_until(lambda: paying.states(session) == ["paid"], 15, "the event")


def test_a_refused_capture_is_failed_for_the_user(paying, psp, user, evse):
    session = user.started(evse)
    psp.behave("decline-capture", user.sub)
    user.wait_for(session, lambda s: s["energy_kwh"] > 1, what="some energy")
    user.finished(session)
    wait_until(lambda: ok(user.receipt(session))["payment_status"] == "failed", 10, "the refusal")


# ---- credits and refunds ----


def test_a_credit_cdr_gives_the_money_back(paying, psp, user, evse):
    session, receipt = paid_session(paying, user, evse)
    paying.sim.post("/sim/credit", cdr_id=paying.sim.session_cdr(session))
    # The replacement may follow for three days; here nobody waits so long.
    wait_until(lambda: paying.sql("SELECT 1 FROM receipt_cancellation WHERE session_id = %s", session), 10,
               "the credit")
    assert psp.payments(user.sub)[0]["refunded"] == 0
    paying.sql("UPDATE receipt_cancellation SET due_at = now() WHERE session_id = %s", session)
    wait_until(lambda: ok(user.receipt(session))["payment_status"] == "refunded", 30, "the refund")
    payment, = psp.payments(user.sub)
    assert payment["refunded"] == payment["captured"] == minor(receipt)


def test_a_replacement_gives_back_the_difference_only(paying, psp, user, evse):
    session, receipt = paid_session(paying, user, evse)
    paying.sim.post("/sim/credit", cdr_id=paying.sim.session_cdr(session), corrected=True, cost_more=-0.1)
    corrected = wait_until(lambda: (r := ok(user.receipt(session)))["cost"] != receipt["cost"] and r, 10,
                           "the replacement")
    assert paying.sql("SELECT count(*) FROM receipt WHERE session_id = %s", session)[0][0] == 3
    difference = minor(receipt) - minor(corrected)
    assert difference > 0
    wait_until(lambda: psp.payments(user.sub)[0]["refunded"] == difference, 10, "the difference")
    wait_until(lambda: paying.states(session) == ["partly_refunded"], 10, "its answer")
    assert len(psp.payments(user.sub)) == 1


def test_what_is_dearer_afterwards_is_not_collected(paying, psp, user, evse):
    session, receipt = paid_session(paying, user, evse)
    paying.sim.post("/sim/credit", cdr_id=paying.sim.session_cdr(session), corrected=True, cost_more=0.1)
    wait_until(lambda: paying.sql("SELECT count(*) FROM receipt WHERE session_id = %s", session)[0][0] == 3, 10,
               "cancellation and replacement")
    time.sleep(1.5)
    payment, = psp.payments(user.sub)
    assert (payment["captured"], payment["refunded"]) == (minor(receipt), 0)


def test_finance_refunds_a_receipt(paying, psp, user, evse):
    session, receipt = paid_session(paying, user, evse)
    row, key = receipt_row(paying, session), str(uuid.uuid4())
    path = f"/receipts/{row}/refund"
    problem(finance(paying.hub, "POST", path, amount=0.10, reason="x"), 400, "idempotency_key_required")
    answer = finance(paying.hub, "POST", path, key, amount=0.10, reason="The cable was dirty")
    assert ok(answer, 202)["status"] == "sent"
    again = finance(paying.hub, "POST", path, key, amount=0.10, reason="The cable was dirty")
    assert again.headers["Idempotent-Replay"] == "true"
    assert again.json()["refund_id"] == answer.json()["refund_id"]
    problem(finance(paying.hub, "POST", path, key, amount=0.20, reason="x"), 422, "idempotency_key_reused")
    wait_until(lambda: ok(user.receipt(session))["payment_status"] == "partially_refunded", 10, "the refund")
    assert psp.payments(user.sub)[0]["refunded"] == 10
    for amount in (0, -1, "1", None, True, 0.001, receipt["cost"], 1e9):
        problem(finance(paying.hub, "POST", path, str(uuid.uuid4()), amount=amount, reason="x"), 422,
                "validation_failed")
    for reason in ("", None, 5, "a\nb", "x" * 501):
        problem(finance(paying.hub, "POST", path, str(uuid.uuid4()), amount=0.1, reason=reason), 422,
                "validation_failed")
    problem(finance(paying.hub, "POST", "/receipts/999999999/refund", str(uuid.uuid4()), amount=1, reason="x"),
            404, "not_found")
    problem(finance(paying.hub, "POST", "/receipts/x/refund", str(uuid.uuid4()), amount=1, reason="x"), 404,
            "not_found")
    number = paying.sql("SELECT number FROM receipt WHERE id = %s", row)[0][0]
    said = paying.hub.say("finance", "refund", number, "--amount", "0.05", "--reason", "=the cable")
    (listed,) = [r for r in ok(finance(paying.hub, "GET", "/refunds?status=done"))["items"]
                 if r["refund_id"] == answer.json()["refund_id"]]
    assert listed == {**listed, "receipt_number": number, "session_id": session, "cause": "person", "amount": 0.10, "done": 0.10,
                      "reason": "The cable was dirty", "asked_by": "admin:token", "decided_by": None}
    (small,) = [r for r in ok(finance(paying.hub, "GET", "/refunds"))["items"] if r["reason"] == "=the cable"]
    assert small["refund_id"] in said and small["asked_by"] == "admin:socket"
    path_csv = paying.directory / "refunds.csv"
    paying.hub.say("finance", "refunds", "--csv", str(path_csv))
    assert f",0.05,0.0" in path_csv.read_text() and "'=the cable" in path_csv.read_text()
    rest = minor(receipt) - 15
    ok(finance(paying.hub, "POST", path, str(uuid.uuid4()), amount=rest / 100, reason="all of it"), 202)
    wait_until(lambda: ok(user.receipt(session))["payment_status"] == "refunded", 10, "the refund")
    problem(finance(paying.hub, "POST", path, str(uuid.uuid4()), amount=0.01, reason="x"), 409, "not_refundable")


def test_above_the_limit_a_second_person_confirms(directory, token_keys):
    w = PayingWorld(directory / "two-persons")
    try:
        w.start(jwt_keys_file=token_keys.jwks_file, refund_limit="0.10 EUR", workers=1)
        w.wait_for_evse("FI*VRT*E90000020*2")
        user = User(w.hub)
        session, receipt = paid_session(w, user, w.fresh_evse())
        anna, ben, eve = (ok(w.hub.admin("POST", "/tokens", json={"sub": name, "role": role}))["token"]
                          for name, role in (("anna", "finance"), ("ben", "finance"), ("eve", "auditor")))
        path = f"/receipts/{receipt_row(w, session)}/refund"

        def ask(token, path, **body):
            return requests.post(w.hub.url + "/v1/finance" + path, json=body or None, timeout=30, headers={
                "Authorization": f"Bearer {token}", "Idempotency-Key": str(uuid.uuid4())})

        problem(ask(eve, path, amount=0.11, reason="x"), 403, "forbidden")
        asked = ok(ask(anna, path, amount=0.11, reason="x"), 202)
        assert (asked["status"], asked["asked_by"], asked["confirmed_by"]) == (
            "awaiting_confirmation", "staff:anna", None)
        confirm = f"/refunds/{asked['refund_id']}/confirm"
        (waits,) = ok(finance(w.hub, "GET", "/refunds?status=awaiting_confirmation"))["items"]
        assert waits["refund_id"] == asked["refund_id"] in w.hub.say("finance", "refunds", "--state", "awaiting_confirmation")
        assert "in their own name" in w.hub.say("finance", "confirm-refund", asked["refund_id"], status=1)
        problem(ask(anna, confirm), 403, "second_person_required")
        problem(ask(eve, confirm), 403, "forbidden")
        time.sleep(1.5)
        assert w.psp.payments(user.sub)[0]["refunded"] == 0
        assert ok(ask(ben, confirm), 202)["confirmed_by"] == "staff:ben"
        wait_until(lambda: w.psp.payments(user.sub)[0]["refunded"] == 11, 10, "the refund")
        problem(ask(ben, f"/refunds/{uuid.uuid4()}/confirm"), 404, "not_found")
        assert ok(ask(anna, path, amount=0.10, reason="x"), 202)["status"] == "sent"
        assert minor(receipt) > 21

        # What the provider pays out for the day is what the ledger has: captures, refunds, fees.
        wait_until(lambda: w.psp.payments(user.sub)[0]["refunded"] == 21, 10, "the second refund")
        wait_until(lambda: w.payments(session)[0][5] == 21, 10, "its answer")
        w.sql("INSERT INTO psp_payout_day (day, due_at) VALUES ((now() AT TIME ZONE 'UTC')::date, now())")
        paid, difference = wait_until(lambda: w.sql("SELECT paid_minor, difference_minor FROM psp_payout"), 40,
                                      "the payout report")[0]
        fee = w.psp.payments(user.sub)[0]["fee"]
        assert (paid, difference) == (minor(receipt) - 21 - fee, 0) and fee > 0
        assert not w.cases("payout_difference")
    finally:
        w.stop()


def test_drivers_cannot_refund_themselves(paying, user):
    answer = user.call("POST", "/v1/finance/receipts/1/refund", json={"amount": 1, "reason": "x"},
                       headers={"Idempotency-Key": "k"})
    assert answer.status_code in (401, 403)


# ---- events ----


@pytest.mark.parametrize("word", ["duplicate-events", "reordered-events", "early-events", "no-events"])
def test_events_may_come_as_they_like(paying, psp, user, evse, word):
    psp.behave(word, user.sub)
    session, receipt = paid_session(paying, user, evse)
    row = receipt_row(paying, session)
    ok(finance(paying.hub, "POST", f"/receipts/{row}/refund", str(uuid.uuid4()), amount=0.05, reason="x"), 202)
    wait_until(lambda: paying.states(session) == ["partly_refunded"], 15, "the refund")
    payment, = psp.payments(user.sub)
    assert (payment["captured"], payment["refunded"]) == (minor(receipt), 5)
    posted = paying.sql("SELECT e.kind, count(*) FROM ledger_entry e JOIN payment p ON p.id = e.payment"
                        " WHERE p.session_id = %s AND e.kind <> 'fee' GROUP BY 1 ORDER BY 1", session)
    assert posted == [("capture", 1), ("refund", 1)]


@pytest.mark.parametrize("word", ["wrong-amount-events", "major-unit-events", "wrong-currency-events"])
def test_events_over_another_amount_change_nothing_and_are_told(paying, psp, user, evse, word):
    session = user.started(evse)
    before = len(paying.sql("SELECT 1 FROM inbox WHERE outcome = 'mismatch'"))
    psp.behave("later", user.sub, after_ms=60000)  # only the event could tell
    psp.behave(word, user.sub)
    user.wait_for(session, lambda s: s["energy_kwh"] > 1, what="some energy")
    user.finished(session)
    payment, = psp.payments(user.sub)
    body = {"id": f"evt_{uuid.uuid4().hex}", "type": "payment.captured", "payment": {
        **payment, "status": "captured", "captured": paying.payments(session)[0][3]}}
    wrong = body["payment"]
    if word == "wrong-amount-events":
        wrong["captured"] += 1
    elif word == "major-unit-events":
        wrong["captured"] //= 100
        wrong["amount"] //= 100
    else:
        wrong["currency"] = "SEK"
    psp.post("/psp/raw", body=json.dumps(body))
    wait_until(lambda: len(paying.sql("SELECT 1 FROM inbox WHERE outcome = 'mismatch'")) > before, 10,
               "the event")
    assert paying.states(session) == ["capturing"]
    assert paying.cases("payment_mismatch")


def webhook(paying, body, age=0, secret=None, header=None, stamp=None):
    secret = secret or paying.psp.webhook_secret_file.read_text(encoding="ascii").strip()
    body = body if isinstance(body, bytes) else json.dumps(body).encode()
    stamp = stamp or str(int(time.time()) - age)
    mac = hmac.new(secret.encode(), stamp.encode() + b"." + body, hashlib.sha256).hexdigest()
    headers = {"Content-Type": "application/json"}
    if header != "":
        headers["PSP-Signature"] = header or f"t={stamp},v1={mac}"
    return requests.post(paying.hub.url + "/v1/psp/webhook", data=body, headers=headers, timeout=10)


def test_an_event_that_is_not_signed_by_the_psp_is_refused(paying, psp, user, evse):
    """A28: no, old, other signature, body altered by white space, replay, unknown kind."""
    session, receipt = paid_session(paying, user, evse)
    payment, = psp.payments(user.sub)
    event = {"id": f"evt_{uuid.uuid4().hex}", "type": "payment.disputed",
             "payment": {**payment, "status": "disputed"}}
    signed = json.dumps(event).encode()
    for answer in (webhook(paying, event, header=""), webhook(paying, event, age=301),
                   webhook(paying, event, age=-310), webhook(paying, event, age=86400),
                   webhook(paying, event, secret="x" * 64), webhook(paying, event, header="t=1,v1=00")):
        problem(answer, 401, "token_invalid")
    stamp = str(int(time.time()))
    secret = psp.webhook_secret_file.read_text(encoding="ascii").strip()
    mac = hmac.new(secret.encode(), stamp.encode() + b"." + signed, hashlib.sha256).hexdigest()
    problem(webhook(paying, signed + b" ", header=f"t={stamp},v1={mac}"), 401, "token_invalid")
    assert paying.states(session) == ["paid"]
    assert webhook(paying, {"id": f"evt_{uuid.uuid4().hex}", "type": "account.updated"}).status_code == 200
    for wrong in (b"", b"{}", b"[1]", b"\xff", b'{"id":"e","type":"payment.captured"}'):
        assert webhook(paying, wrong).status_code in (400, 422)
    assert ok(webhook(paying, event)) == {"received": True}
    wait_until(lambda: paying.states(session) == ["disputed"], 10, "the dispute")
    assert ok(webhook(paying, event)) == {"received": True}
    altered = {**event, "type": "payment.dispute_lost"}
    problem(webhook(paying, altered), 422, "validation_failed")
    assert paying.states(session) == ["disputed"]
    assert receipt["payment_status"] == "paid"


def test_an_event_that_is_replayed_after_a_day_has_no_effect(paying, psp, user, evse):
    session, _ = paid_session(paying, user, evse)
    payment, = psp.payments(user.sub)
    captured = wait_until(lambda: [e for e in psp.events(payment["id"])
                                   if e["type"] == "payment.captured" and e["status"] == 200], 10, "the event")
    before = paying.payments(session)
    psp.post("/psp/raw", body=captured[0]["body"], age_s=86400)  # the bytes of yesterday
    psp.post("/psp/again", number=captured[0]["number"])  # the same event, signed anew
    wait_until(lambda: psp.events(payment["id"])[captured[0]["number"] - psp.events(payment["id"])[0]["number"]]
               ["sent"] > captured[0]["sent"], 10, "the replay")
    time.sleep(0.5)
    assert paying.payments(session) == before
    assert paying.sql("SELECT count(*) FROM ledger_entry WHERE kind = 'capture' AND payment ="
                      " (SELECT id FROM payment WHERE session_id = %s)", session)[0][0] == 1


def test_an_event_about_a_payment_that_nobody_knows_is_kept(paying):
    event = {"id": f"evt_{uuid.uuid4().hex}", "type": "payment.captured", "payment": {
        "id": "pay_of_somebody_else", "status": "captured", "amount": 100, "currency": "EUR", "captured": 100}}
    ok(webhook(paying, event))
    assert paying.sql("SELECT outcome FROM inbox WHERE event_id = %s", event["id"]) == [("unknown",)]
    assert paying.cases("payment_unknown")


def test_disputes_are_told(paying, psp, user, evse):
    session, _ = paid_session(paying, user, evse)
    payment, = psp.payments(user.sub)
    psp.post("/psp/dispute", payment=payment["id"], how="open")
    wait_until(lambda: paying.states(session) == ["disputed"], 10, "the dispute")
    assert ok(user.receipt(session))["payment_status"] == "paid"
    psp.post("/psp/dispute", payment=payment["id"], how="lost")
    wait_until(lambda: paying.states(session) == ["charged_back"], 10, "its end")
    assert ok(user.receipt(session))["payment_status"] == "refunded"
    assert paying.cases("payment_dispute")


# ---- what dies in between ----


def kill_worker_in_call(w, psp, customer, path):
    """kill -9 of every worker while a call of the PSP is under way; the supervisor replaces them."""
    wait_until(lambda: [c for c in psp.calls(customer) + psp.calls(path) if c["status"] == 0 and path in c["path"]],
               10, f"a call of {path}")
    for pid in w.hub.worker_pids():
        os.kill(pid, signal.SIGKILL)
    time.sleep(0.5)
    w.hub.wait_ready(30)


def test_kill_between_key_and_answer_uses_the_same_key_and_takes_the_money_once(directory, token_keys):
    """C06, C23, C24: the key is stored, the call may have been made, the answer is lost."""
    w = PayingWorld(directory / "killed")
    try:
        w.start(jwt_keys_file=token_keys.jwks_file, workers=1, psp_timeout="15s")
        w.wait_for_evse("FI*VRT*E90000020*2")
        psp, user, evse = w.psp, User(w.hub), w.fresh_evse()
        session = user.started(evse)
        user.wait_for(session, lambda s: s["energy_kwh"] > 1, what="some energy")
        psp.behave("no-events", user.sub)
        psp.behave("lost-answer", user.sub, times=1)
        ok(user.stop(session))
        payment, = psp.payments(user.sub)
        kill_worker_in_call(w, psp, user.sub, "/capture")
        wait_until(lambda: w.states(session) == ["paid"], 60, "the next one to go on")
        receipt = ok(user.receipt(session))
        payment, = psp.payments(user.sub)
        assert payment["captured"] == minor(receipt)
        keys = [c["key"] for c in psp.calls(f"/payments/{payment['id']}/capture")]
        assert len(keys) == 2 and len(set(keys)) == 1
        assert w.sql("SELECT count(*) FROM ledger_entry WHERE kind = 'capture'")[0][0] == 1

        # A refund: its row is there, the call was never carried out (C26).
        psp.behave("no-answer", user.sub, times=1)
        row = receipt_row(w, session)
        ok(finance(w.hub, "POST", f"/receipts/{row}/refund", "k1", amount=0.07, reason="x"), 202)
        kill_worker_in_call(w, psp, user.sub, "/refunds")
        wait_until(lambda: w.states(session) == ["partly_refunded"], 60, "the next one to go on")
        assert psp.payments(user.sub)[0]["refunded"] == 7
        keys = [c["key"] for c in psp.calls("/refunds")]
        assert len(keys) == 2 and len(set(keys)) == 1
    finally:
        w.stop()


def test_nothing_secret_and_no_card_is_in_the_log(paying, psp):
    text = paying.hub.log.read_text(encoding="utf-8", errors="replace")
    for path in (psp.key_file, psp.webhook_secret_file):
        assert path.read_text(encoding="ascii").strip() not in text
    assert "visa" not in text and "last_four" not in text


def test_payments_are_off_unless_configured(hub):
    answer = requests.post(hub.url + "/v1/psp/webhook", data=b"{}", timeout=10,
                           headers={"PSP-Signature": "t=1,v1=00"})
    problem(answer, 404, "not_found")
