# SPDX-License-Identifier: Apache-2.0
"""
What finance people decide, and what they settle: cases, unmatched CDRs, manual CDRs by two persons,
the month's reconciliation, statements; over the API and by hubctl.
"""

import csv
import io
import json
import shutil
import subprocess
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone
from decimal import Decimal

import psycopg2
import pytest
import requests
from harness import BUILD, User, World, ok, problem, wait_until
from partner import now
from test_cdr_intake import (all_cancelled, at, books_agree, cases, charged, credit_of, filed, post, receipts, record,
                             remember_places, rows, slow)  # noqa: F401
from test_finance_lists import get, table
from test_ocpi_inbound import done
from test_openapi_examples import agrees, answer_content
from test_rules_transport import Cpo


@pytest.fixture(scope="module")
def world(directory, token_keys):
    w = World(directory / "finance")
    try:
        w.start(sim=False, jwt_keys_file=token_keys.jwks_file, power_tolerance=10, max_open_sessions=100,
                cancellation_hold="1s", issuer_name="Hub Oy", issuer_address="Testikatu 1, 00100 Helsinki",
                issuer_vat_id="FI00000000", issuer_contact="help@hub.example")
        yield w
        books_agree(w)
        assert not rows(w, "SELECT * FROM statement_check('-infinity')")
    finally:
        w.stop()
        shutil.rmtree(w.directory, ignore_errors=True)


@pytest.fixture(scope="module")
def cpos(world):
    made = {"2.2.1": Cpo("2.2.1", "DE", "F1N")}
    for cpo in made.values():
        cpo.register(world.hub)
    yield made
    for cpo in made.values():
        cpo.close()


@pytest.fixture
def cpo(cpos):
    return cpos["2.2.1"]


@pytest.fixture
def user(world):
    return User(world.hub)


class Person:
    """Somebody of finance, with a token of their own."""

    def __init__(self, hub, token_keys, name, role="finance"):
        self.hub, self.name = hub, name
        self.token = token_keys.token(name, aud="ocpi-hub-staff", roles=[role], amr=["pwd", "mfa"])

    def get(self, path, accept=None, **params):
        return get(self.hub, path, self.token, accept, **params)

    def post(self, path, body=None, key="new", method="POST"):
        headers = {"Authorization": f"Bearer {self.token}"}
        if key:
            headers["Idempotency-Key"] = str(uuid.uuid4()) if key == "new" else key
        return requests.request(method, self.hub.url + "/v1/finance" + path, json=body, headers=headers, timeout=60)


@pytest.fixture(scope="module")
def ann(world, token_keys):
    return Person(world.hub, token_keys, "ann")


@pytest.fixture(scope="module")
def ben(world, token_keys):
    return Person(world.hub, token_keys, "ben")


def case_of(person, kind, cdr=None, session=None):
    found = [c for c in ok(person.get("/cases", kind=kind))["items"]
             if (cdr is None or c["cdr_id"] == cdr["id"]) and (session is None or c["session_id"] == session)]
    assert len(found) == 1, found
    return found[0]["id"]


def unmatched(cpo, user, **changes):
    """A session that waits for its CDR, and a CDR that nobody can match to it."""
    session_id, session = charged(cpo, user)
    cdr = record(cpo, session, session_id=cpo.new_id("X"), authorization_reference=None, **changes)
    del cdr["authorization_reference"]
    cdr["cdr_token"] = {**cdr["cdr_token"], "uid": "somebody-else"}
    post(cpo, cdr)
    return session_id, cdr


# ---- who may ----


def test_auditors_look_and_change_nothing(world, token_keys):
    eve = Person(world.hub, token_keys, "eve", "auditor")
    month = datetime.now(timezone.utc).strftime("%Y-%m")
    for path in (f"/reconciliation?month={month}", f"/statements?month={month}", "/terms", "/check"):
        ok(eve.get(path))
    for path, body in (("/cdrs/1/match", {"session_id": str(uuid.uuid4())}), ("/cases/1/resolve", {"resolution": "done"}),
                       (f"/sessions/{uuid.uuid4()}/manual-cdr", {}), ("/manual-cdrs/1/confirm", None),
                       ("/manual-cdrs/1/decline", None), ("/statements/2026-01-1-EUR/close", None),
                       ("/statements/2026-01-1-EUR/send", None), ("/statements/2026-01-1-EUR/state", {"state": "paid"})):
        problem(eve.post(path, body), 403, "forbidden")
    problem(eve.post("/terms/1", {}, method="PUT"), 403, "forbidden")


# ---- matching ----


def test_a_person_matches_a_cdr(world, cpo, user, ann):
    session_id, cdr = unmatched(cpo, user)
    row = filed(world, cdr)
    assert row["filed"] == "unmatched"
    key = str(uuid.uuid4())
    answer = ok(ann.post(f"/cdrs/{row['id']}/match", {"session_id": session_id}, key))
    assert (answer["filed"], answer["class"], answer["session_status"]) == ("billed", "OK", "completed")
    assert answer["receipt_number"] == receipts(world, session_id)[0]["number"]
    assert ok(user.receipt(session_id))["cost"] == 3.57
    user.wait_for(session_id, "completed")
    assert filed(world, cdr)["decided_by"] == "staff:ann" and not cases(world, cdr)
    again = ann.post(f"/cdrs/{row['id']}/match", {"session_id": session_id}, key)
    assert again.headers["Idempotent-Replay"] == "true" and again.json() == answer
    assert ok(ann.post(f"/cdrs/{row['id']}/match", {"session_id": session_id}))["filed"] == "billed"
    assert len(receipts(world, session_id)) == 1


def test_what_cannot_be_matched(world, cpo, user, ann):
    session_id, cdr = unmatched(cpo, user)
    row = filed(world, cdr)
    path = f"/cdrs/{row['id']}/match"
    problem(ann.post(path, {"session_id": session_id}, key=None), 400, "idempotency_key_required")
    problem(ann.post(path, {"session_id": session_id}, key="ü".encode("latin-1")), 400, "idempotency_key_invalid")
    for body, code in (({}, "session_id_required"), ({"session_id": "x"}, "session_id_invalid")):
        assert problem(ann.post(path, body), 422, "validation_failed")["errors"][0]["code"] == code
    key = str(uuid.uuid4())
    problem(ann.post(path, {"session_id": str(uuid.uuid4())}, key), 404, "session_not_found")
    # What failed gives its key back.
    ok(ann.post(path, {"session_id": session_id}, key))
    problem(ann.post(path, {"session_id": str(uuid.uuid4())}, key), 422, "idempotency_key_reused")
    other, _ = charged(cpo, user)
    problem(ann.post(path, {"session_id": other}), 409, "already_decided")
    for wrong in ("0", "x", "99999999"):
        problem(ann.post(f"/cdrs/{wrong}/match", {"session_id": other}), 404, "not_found")
    assert ok(user.status(other))["status"] == "stopping"


def test_a_match_is_judged_like_any_cdr(world, cpo, user, ann):
    """A person says whose it is, not that it is right."""
    session_id, cdr = unmatched(cpo, user, total_energy=500.0)
    answer = ok(ann.post(f"/cdrs/{filed(world, cdr)['id']}/match", {"session_id": session_id}))
    assert (answer["filed"], answer["class"], answer["receipt_number"]) == ("quarantined", "QUARANTINE", None)
    assert cases(world, cdr) == ["quarantined_cdr"]


def test_ten_persons_match_at_once_and_one_receipt_is_made(world, cpo, user, ann, ben):
    from concurrent.futures import ThreadPoolExecutor

    session_id, cdr = unmatched(cpo, user)
    path = f"/cdrs/{filed(world, cdr)['id']}/match"
    with ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(lambda i: (ann, ben)[i % 2].post(path, {"session_id": session_id}), range(10)))
    assert {a.status_code for a in answers} <= {200, 409} and any(a.status_code == 200 for a in answers)
    assert len(receipts(world, session_id)) == 1


# ---- cases ----


def test_a_disputed_sum_is_accepted_or_refused(world, cpo, user, ann):
    for word, owed in (("accept", True), ("refuse", False)):
        session_id, session = charged(cpo, user)
        cdr = record(cpo, session, net=9.0, gross=10.71)
        post(cpo, cdr)
        row = filed(world, cdr)
        assert row["class"] == "DISPUTE" and row["owed_at"] is None
        case = case_of(ann, "cost_mismatch", cdr)
        body = problem(ann.post(f"/cases/{case}/resolve", {"resolution": "done"}), 422, "validation_failed")
        assert "accept or refuse" in body["detail"]
        answer = ok(ann.post(f"/cases/{case}/resolve", {"resolution": word, "note": "They said so by mail."}))
        assert answer["kind"] == "cost_mismatch" and answer["by"] == "staff:ann"
        assert (filed(world, cdr)["owed_at"] is not None) == owed
        (stored,) = rows(world, "SELECT * FROM finance_case WHERE id = %s", case)
        assert stored["by"] == "staff:ann" and "by mail" in stored["detail"] and stored["resolved_at"]
        problem(ann.post(f"/cases/{case}/resolve", {"resolution": word}), 409, "already_decided")
        assert len(receipts(world, session_id)) == 1


def test_a_quarantined_cdr_is_billed_or_declined(world, cpo, user, ann):
    for word in ("bill", "decline"):
        session_id, session = charged(cpo, user)
        cdr = record(cpo, session, total_energy=500.0)
        post(cpo, cdr)
        assert filed(world, cdr)["filed"] == "quarantined"
        answer = ok(ann.post(f"/cases/{case_of(ann, 'quarantined_cdr', cdr)}/resolve", {"resolution": word}))
        row = filed(world, cdr)
        assert row["decided_by"] == "staff:ann" and not cases(world, cdr)
        if word == "bill":
            assert row["filed"] == "billed" and answer["receipt_number"] == receipts(world, session_id)[0]["number"]
            user.wait_for(session_id, "completed")
        else:
            assert row["filed"] == answer["filed"] == "declined" and not receipts(world, session_id)
            assert ok(user.status(session_id))["status"] == "stopping"


HUGE = {"excl_vat": 99999999999.0, "incl_vat": 118999999998.81}


@pytest.mark.parametrize("change", [{"total_cost": HUGE, "total_time": 2.5}, {"total_energy": 123456789012.0}],
                         ids=["cost", "energy"])
def test_what_no_receipt_can_be_made_of_is_not_billed(world, cpo, user, ann, change):
    """A person's word does not change that; declining it does."""
    session_id, session = charged(cpo, user)
    cdr = record(cpo, session, **change)
    post(cpo, cdr)
    assert filed(world, cdr)["filed"] == "quarantined"
    case = case_of(ann, "quarantined_cdr", cdr)
    body = problem(ann.post(f"/cases/{case}/resolve", {"resolution": "bill"}), 409, "cdr_unbillable")
    assert "cannot be billed: " in body["detail"]
    row = filed(world, cdr)
    assert (row["filed"], row["accepted_at"], row["decided_by"]) == ("quarantined", None, None)
    assert cases(world, cdr) == ["quarantined_cdr"] and not receipts(world, session_id)
    assert ok(ann.post(f"/cases/{case}/resolve", {"resolution": "decline"}))["filed"] == "declined"
    post(cpo, record(cpo, session))
    assert [r["amount_minor"] for r in receipts(world, session_id)] == [357]


def test_a_persons_word_makes_no_second_bill(world, cpo, user, ann):
    session_id, session = charged(cpo, user)
    first = record(cpo, session)
    post(cpo, first)
    second = record(cpo, session)
    post(cpo, second)
    case = case_of(ann, "quarantined_cdr", second)
    body = problem(ann.post(f"/cases/{case}/resolve", {"resolution": "bill"}), 409, "already_decided")
    assert "duplicate_session" in body["detail"]
    credit = credit_of(cpo, first, total_cost={"excl_vat": -2.0, "incl_vat": -2.38})
    post(cpo, credit)
    body = problem(ann.post(f"/cases/{case_of(ann, 'quarantined_cdr', credit)}/resolve", {"resolution": "bill"}), 409,
                   "already_decided")
    assert "credit_amount" in body["detail"]
    assert len(receipts(world, session_id)) == 1
    ok(ann.post(f"/cases/{case}/resolve", {"resolution": "decline"}))
    assert filed(world, second)["filed"] == "declined"


def late_start(cpo, user):
    """Rule 12b: a start that was reported failed, and a car that charges all the same."""
    session_id, command, session = cpo.begin(user)
    done(cpo.post(command["response_url"], {"result": "FAILED"}))
    user.wait_for(session_id, "failed")
    session = {**session, "start_date_time": at(-10)}
    done(cpo.put(cpo.own("sessions", session["id"]), session), 201)
    user.wait_for(session_id, "stopping")
    return session_id, session


@pytest.mark.parametrize("word", ["confirm", "decline"])
def test_the_cdr_of_a_late_start(world, cpo, user, ann, word):
    session_id, session = late_start(cpo, user)
    case = case_of(ann, "late_start", session=session_id)
    body = problem(ann.post(f"/cases/{case}/resolve", {"resolution": "confirm"}), 422, "validation_failed")
    assert "not come yet" in body["detail"]
    session = {**session, "status": "COMPLETED", "kwh": 10.0, "end_date_time": at(0), "last_updated": now(1)}
    done(cpo.put(cpo.own("sessions", session["id"]), session))
    cdr = record(cpo, session)
    post(cpo, cdr)
    assert filed(world, cdr)["filed"] == "late_start" and ok(user.status(session_id))["status"] == "stopping"
    answer = ok(ann.post(f"/cases/{case}/resolve", {"resolution": word, "note": "Seen by the driver."}))
    assert answer["filed"] == ("billed" if word == "confirm" else "declined")
    user.wait_for(session_id, "completed" if word == "confirm" else "failed")
    assert len(receipts(world, session_id)) == (word == "confirm")
    assert not rows(world, "SELECT 1 FROM finance_case WHERE session_id = %s AND resolved_at IS NULL", session_id)


def test_a_late_start_may_be_declined_before_its_cdr_comes(world, cpo, user, ann):
    session_id, session = late_start(cpo, user)
    answer = ok(ann.post(f"/cases/{case_of(ann, 'late_start', session=session_id)}/resolve", {"resolution": "decline"}))
    assert answer["filed"] is None and answer["receipt_number"] is None
    user.wait_for(session_id, "failed")
    # Its CDR comes all the same: it is not billed, and a person hears of it.
    session = {**session, "status": "COMPLETED", "kwh": 10.0, "end_date_time": at(0), "last_updated": now(1)}
    done(cpo.put(cpo.own("sessions", session["id"]), session))
    cdr = record(cpo, session)
    post(cpo, cdr)
    assert filed(world, cdr)["filed"] == "late_start" and receipts(world, session_id) == []
    assert ok(user.status(session_id))["status"] == "failed"
    ok(ann.post(f"/cases/{case_of(ann, 'late_start', cdr)}/resolve", {"resolution": "decline"}))
    assert filed(world, cdr)["filed"] == "declined"
    assert not rows(world, "SELECT 1 FROM finance_case WHERE session_id = %s AND resolved_at IS NULL", session_id)


def test_other_cases_are_done_elsewhere(world, cpo, user, ann):
    session_id, session = charged(cpo, user)
    cdr = record(cpo, session)
    post(cpo, cdr)
    assert cpo.post(cpo.url("cdrs"), {**cdr, "remark": "other content"}).json()["status_code"] == 2001
    case = case_of(ann, "cdr_conflict", cdr)
    for body, field in (({}, "resolution"), ({"resolution": "done", "note": ""}, "note"),
                        ({"resolution": "done", "note": "x" * 1001}, "note"), ({"resolution": "done", "note": 5}, "note"),
                        ({"resolution": "perhaps"}, "resolution")):
        assert problem(ann.post(f"/cases/{case}/resolve", body), 422, "validation_failed")["errors"][0]["field"] == field
    ok(ann.post(f"/cases/{case}/resolve", {"resolution": "done"}))
    problem(ann.post("/cases/99999999/resolve", {"resolution": "done"}), 404, "not_found")
    assert len(receipts(world, session_id)) == 1


# ---- manual CDRs ----


def manual(**changes):
    return {"energy_kwh": 12.345, "start_time": at(-30), "end_time": at(-1), "cost": 4.20, "cost_incl_vat": 5.0,
            "reason": "The network has gone out of business.", **changes}


def test_a_manual_cdr_takes_two_persons(world, cpo, user, ann, ben):
    session_id, _ = charged(cpo, user)
    answer = ann.post(f"/sessions/{session_id}/manual-cdr", manual())
    draft = ok(answer, 201)
    assert draft["filed"] == "draft" and draft["drafted_by"] == "staff:ann" and draft["currency"] == "EUR"
    assert ok(user.status(session_id))["status"] == "stopping" and not receipts(world, session_id)
    path = f"/manual-cdrs/{draft['id']}/confirm"
    body = problem(ann.post(path), 403, "second_person_required")
    assert "cannot confirm" in body["detail"]
    # Who comes with the admin token, or over the socket, may be anybody, ann too.
    answer = requests.post(f"{world.hub.url}/v1/finance{path}", timeout=30,
                           headers={"Authorization": f"Bearer {world.hub.secrets.admin_token}"})
    assert "admin:token" in problem(answer, 403, "second_person_required")["detail"]
    assert "admin:socket" in ctl(world, "finance", "confirm", str(draft["id"]), status=1)
    assert not receipts(world, session_id)
    told = ok(ben.post(path))
    assert told["filed"] == "billed" and told["session_status"] == "completed"
    receipt = ok(user.receipt(session_id, detail="full"))
    assert (receipt["cost"], receipt["energy_kwh"], receipt["duration_minutes"]) == (5.0, 12.345, 29)
    assert receipt["location"]["address"] == "Teststrasse 1" and receipt["location"]["country"] == "DEU"
    (row,) = rows(world, "SELECT * FROM cdr WHERE id = %s", draft["id"])
    assert row["source"] == "manual" and row["decided_by"] == "staff:ben" and row["total_cost_excl_u6"] == 4200000
    assert row["calculation"]["drafted_by"] == "staff:ann" and "business" in row["calculation"]["reason"]
    assert ok(ben.post(path))["filed"] == "billed"  # told again
    assert len(receipts(world, session_id)) == 1
    problem(ben.post(f"/manual-cdrs/{draft['id']}/decline"), 409, "already_decided")
    problem(ann.post(f"/sessions/{session_id}/manual-cdr", manual()), 409, "cdr_exists")
    listed = ok(ann.get("/cdrs", source="manual"))["items"]
    assert draft["cdr_id"] in {c["cdr_id"] for c in listed}


def test_a_wrong_draft_goes_and_the_networks_cdr_wins(world, cpo, user, ann, ben):
    session_id, session = charged(cpo, user)
    draft = ok(ann.post(f"/sessions/{session_id}/manual-cdr", manual()), 201)
    assert ok(ann.post(f"/manual-cdrs/{draft['id']}/decline"))["filed"] == "declined"
    problem(ben.post(f"/manual-cdrs/{draft['id']}/confirm"), 409, "already_decided")
    second = ok(ann.post(f"/sessions/{session_id}/manual-cdr", manual()), 201)
    post(cpo, record(cpo, session))
    problem(ben.post(f"/manual-cdrs/{second['id']}/confirm"), 409, "cdr_exists")
    assert [r["amount_minor"] for r in receipts(world, session_id)] == [357]


def test_a_wrong_manual_cdr_is_credited_and_the_networks_billed(world, cpo, user, ann, ben):
    """As a network credits its own: as a whole, by two persons; the user has all documents of it."""
    session_id, session = charged(cpo, user)
    wrong = ok(ann.post(f"/sessions/{session_id}/manual-cdr", manual()), 201)
    problem(ann.post(f"/manual-cdrs/{wrong['id']}/credit", {"reason": "Too early."}), 409, "already_decided")
    ok(ben.post(f"/manual-cdrs/{wrong['id']}/confirm"))
    cdr = record(cpo, session)
    post(cpo, cdr)
    assert filed(world, cdr)["filed"] == "duplicate_session"
    path = f"/manual-cdrs/{wrong['id']}/credit"
    assert problem(ann.post(path, {"reason": "a\nb"}), 422, "validation_failed")["errors"][0]["field"] == "reason"
    problem(ann.post(path, {"reason": "x"}, key=None), 400, "idempotency_key_required")
    problem(ann.post(f"/manual-cdrs/{filed(world, cdr)['id']}/credit", {"reason": "Not manual."}), 404, "not_found")
    key = str(uuid.uuid4())
    draft = ok(ann.post(path, {"reason": "The network has sent its own."}, key=key), 201)
    assert ok(ann.post(path, {"reason": "The network has sent its own."}, key=key), 201) == draft
    agrees(draft, answer_content("POST", "/v1/finance/manual-cdrs/{id}/credit", 201), "draft")
    assert (draft["filed"], draft["cost"], draft["cost_incl_vat"], draft["drafted_by"]) == ("draft", -4.2, -5.0, "staff:ann")
    problem(ben.post(path, {"reason": "Once more."}), 409, "already_decided")  # there is a draft
    confirm = f"/manual-cdrs/{draft['id']}/confirm"
    problem(ann.post(confirm), 403, "second_person_required")
    assert len(receipts(world, session_id)) == 1
    assert ok(ben.post(confirm))["filed"] == ok(ben.post(confirm))["filed"] == "credit"
    problem(ann.post(path, {"reason": "Twice."}), 409, "already_decided")
    answer = ok(ann.post(f"/cases/{case_of(ann, 'quarantined_cdr', cdr)}/resolve", {"resolution": "bill"}))
    assert answer["filed"] == "billed" and not cases(world, cdr)
    assert [r["amount_minor"] for r in receipts(world, session_id)] == [500, -500, 357]
    (row,) = rows(world, "SELECT * FROM cdr WHERE id = %s", draft["id"])
    assert (row["source"], row["class"], row["decided_by"]) == ("manual", "OK", "staff:ben")
    assert row["calculation"]["drafted_by"] == "staff:ann" and "its own" in row["calculation"]["reason"]
    assert ok(user.receipt(session_id))["cost"] == 3.57
    user.wait_for(session_id, "completed")


def test_a_drafted_credit_that_is_declined_changes_nothing(world, cpo, user, ann, ben):
    session_id, _ = charged(cpo, user)
    right = ok(ann.post(f"/sessions/{session_id}/manual-cdr", manual()), 201)
    ok(ben.post(f"/manual-cdrs/{right['id']}/confirm"))
    draft = json.loads(ctl(world, "finance", "credit-manual", str(right["id"]), "--reason", "wrong", "--json", person=ann))
    assert ok(ann.post(f"/manual-cdrs/{draft['id']}/decline"))["filed"] == "declined"
    problem(ben.post(f"/manual-cdrs/{draft['id']}/confirm"), 409, "already_decided")
    assert [r["amount_minor"] for r in receipts(world, session_id)] == [500]


def test_manual_cdrs_are_checked(world, cpo, user, ann):
    session_id, _ = charged(cpo, user)
    path = f"/sessions/{session_id}/manual-cdr"
    for change, field in (({"energy_kwh": "5"}, "energy_kwh"), ({"energy_kwh": -1}, "energy_kwh"),
                          ({"energy_kwh": 1.0000001}, "energy_kwh"), ({"cost": None}, "cost"), ({"cost": 1.00001}, "cost"),
                          ({"cost_incl_vat": 4.19}, "cost_incl_vat"), ({"currency": "EUX"}, "currency"),
                          ({"start_time": "now"}, "start_time"), ({"end_time": at(-31)}, "end_time"),
                          ({"end_time": at(60)}, "end_time"), ({"start_time": at(-8 * 24 * 60)}, "end_time"),
                          ({"reason": ""}, "reason"), ({"reason": "a\nb"}, "reason")):
        errors = problem(ann.post(path, manual(**change)), 422, "validation_failed")["errors"]
        assert [e["field"] for e in errors] == [field], (change, errors)
    problem(ann.post(path, manual(), key=None), 400, "idempotency_key_required")
    problem(ann.post("/sessions/x/manual-cdr", manual()), 400, "invalid_session_id")
    problem(ann.post(f"/sessions/{uuid.uuid4()}/manual-cdr", manual()), 404, "session_not_found")
    going, command, session = cpo.begin(user)
    problem(ann.post(f"/sessions/{going}/manual-cdr", manual()), 409, "session_not_ended")
    for wrong in ("0", "x", "99999999"):
        problem(ann.post(f"/manual-cdrs/{wrong}/confirm"), 404, "not_found")
    # Only manual ones are confirmed here.
    cdr = record(cpo, charged(cpo, user)[1])
    post(cpo, cdr)
    problem(ann.post(f"/manual-cdrs/{filed(world, cdr)['id']}/confirm"), 404, "not_found")


# ---- the month ----


def this_month():
    return datetime.now(timezone.utc).strftime("%Y-%m")


def test_the_month_comes_to_the_same_by_both_ways(world, cpo, user, ann):
    for net, gross in ((3.0, 3.57), (3.0, 3.565)):
        _, session = charged(cpo, user)
        cdr = record(cpo, session, net=net, gross=gross)
        post(cpo, cdr)
    post(cpo, credit_of(cpo, cdr))
    all_cancelled(world)
    answer = ok(ann.get("/reconciliation", month=this_month()))
    (row,) = [r for r in answer["items"] if r["currency"] == "EUR"]
    assert row["control"] is True and row["month"] == this_month()
    (sums,) = rows(world, "SELECT sum(amount_minor) AS gross, sum(net_minor) AS net FROM receipt"
                          " WHERE issued_at >= date_trunc('month', now(), 'UTC')")  # others may be of the last one
    assert Decimal(str(row["gross"])) == Decimal(str(row["gross_by_cdrs"])) == Decimal(sums["gross"]) / 100
    assert Decimal(str(row["net"])) == Decimal(sums["net"]) / 100
    assert answer["control_sum"] == row["gross"] and row["credits"] >= 1
    lines, last = table(ann.get("/reconciliation", "text/csv", month=this_month(), network=cpo.name))
    assert lines[0]["gross"] == f"{row['gross']:.2f}" and lines[0]["control"] == "true" and last[1] == "1"
    listed = ok(ann.get("/receipts", **{"from": f"{this_month()}-01"}))
    assert Decimal(str(listed["control_sum"])) == Decimal(str(row["gross"]))


def test_questions_about_months(ann):
    for params, code in (({}, "month_required"), ({"month": "2026"}, "month_invalid"), ({"month": "2026-13"}, "month_invalid"),
                         ({"month": "2026-1"}, "month_invalid"), ({"month": "2026-01", "network": "x"}, "network_invalid"),
                         ({"month": "2026-01", "netwrok": "x"}, "unknown_parameter")):
        for path in ("/reconciliation", "/statements"):
            assert problem(ann.get(path, **params), 422, "validation_failed")["errors"][0]["code"] == code
    assert ok(ann.get("/reconciliation", month="2001-01"))["items"] == []


def test_the_books_are_checked_by_hand(world, ann):
    all_cancelled(world)
    answer = ok(ann.get("/check"))
    assert answer["faults"] == [] and answer["receipts"] == rows(world, "SELECT count(*) AS n FROM receipt")[0]["n"]
    with slow(world, "ledger_check()"):
        assert ok(ann.get("/check")) == answer


# ---- statements ----


def into_last_month(world):
    """What is owed so far was owed a month ago."""
    connection = psycopg2.connect(world.database_url)
    try:
        with connection, connection.cursor() as cursor:
            cursor.execute("SET session_replication_role = replica")
            cursor.execute("UPDATE cdr SET owed_at = date_trunc('month', now()) - interval '10 days'"
                           " WHERE owed_at IS NOT NULL AND id NOT IN (SELECT cdr FROM statement_line)")
            cursor.execute("UPDATE ledger_entry SET at = date_trunc('month', now()) - interval '10 days'"
                           " WHERE kind IN ('purchase', 'credit') AND cdr NOT IN (SELECT cdr FROM statement_line)")
    finally:
        connection.close()
    first = datetime.now(timezone.utc).replace(day=1)
    return (first - timedelta(days=1)).strftime("%Y-%m")


def test_a_statement_from_open_to_sent(world, cpo, user, ann, ben):
    _, session = charged(cpo, user)
    post(cpo, record(cpo, session))
    month = into_last_month(world)
    (row,) = ok(ann.get("/statements", month=month, network=cpo.name))["items"]
    assert row["state"] == "OPEN" and row["number"] is None
    path = f"/statements/{row['id']}"
    problem(ann.post(path + "/send"), 409, "statement_state")
    assert "no terms" in problem(ann.post(path + "/close"), 409, "statement_state")["detail"]
    terms = {"currency": "EUR", "vat_treatment": "domestic", "vat_rate": 19, "fee_percent": 2.5,
             "fee_per_cdr": "0.05", "fee_vat_rate": 25.5, "netting": True}
    for change, field in (({"currency": "euro"}, "currency"), ({"vat_treatment": "none"}, "vat_treatment"),
                          ({"vat_treatment": "exempt"}, "vat_rate"), ({"vat_rate": 101}, "vat_rate"),
                          ({"vat_rate": "x"}, "vat_rate"), ({"vat_rate": None}, "vat_rate"),
                          ({"fee_vat_treatment": "exempt"}, "fee_vat_rate"), ({"fee_vat_treatment": 5}, "fee_vat_treatment"), ({"fee_percent": -1}, "fee_percent"),
                          ({"fee_percent": 1.00001}, "fee_percent"), ({"netting": "yes"}, "netting"),
                          ({"valid_from": "soon"}, "valid_from")):
        answer = ann.post(f"/terms/{cpo.name}", {**terms, **change}, method="PUT")
        assert problem(answer, 422, "validation_failed")["errors"][0]["field"] == field
    # Nobody means no VAT by silence.
    for silent in ("vat_rate", "fee_vat_rate"):
        answer = ann.post(f"/terms/{cpo.name}", {k: v for k, v in terms.items() if k != silent}, method="PUT")
        errors = problem(answer, 422, "validation_failed")["errors"]
        assert [(e["field"], e["code"]) for e in errors] == [(silent, f"{silent}_required")]
    assert ok(ann.get("/terms"))["items"] == []
    problem(ann.post("/terms/nobody", terms, method="PUT"), 404, "not_found")
    (kept,) = ok(ann.post(f"/terms/{cpo.name}", terms, method="PUT"))["items"]
    assert kept["vat_rate"] == 19 and kept["fee_per_cdr"] == 0.05 and kept["valid_from"] == "2000-01-01"

    open_one = ok(ann.get(path))
    lines, last = table(ann.get(path, "text/csv"))
    assert Decimal(last[2]) == sum(Decimal(x["net"]) for x in lines) == Decimal(str(open_one["net_unrounded"]))
    assert open_one["control"]["equal"] and len(lines) == open_one["cdrs"]
    assert not any("user" in name for name in lines[0])

    closed = ok(ann.post(path + "/close"))
    assert closed["state"] == "CLOSED" and closed["closed_by"] == "staff:ann" and closed["number"].startswith("FI-HUB-S-")
    for name in ("cdrs", "credits", "net", "vat", "gross", "fee", "netting", "control"):
        assert closed[name] == open_one[name], name
    assert closed["netting"]["balance"] == pytest.approx(closed["gross"] - closed["fee"]["gross"])
    assert ok(ben.post(path + "/close")) == closed
    sent = ok(ann.post(path + "/send"))
    assert sent["state"] == "SENT" and [h["to"] for h in sent["history"]] == ["CLOSED", "SENT"]
    assert ok(ann.post(path + "/send")) == sent
    agrees(sent, answer_content("GET", "/v1/finance/statements/{id}"), "closed")
    for body, code in (({}, "state_required"), ({"state": "CLOSED"}, "state_invalid"), ({"state": 1}, "state_invalid")):
        answer = problem(ann.post(path + "/state", body), 422, "validation_failed")
        assert [(e["field"], e["code"]) for e in answer["errors"]] == [("state", code)]
    assert "SENT" in problem(ann.post(path + "/state", {"state": "paid"}), 409, "statement_state")["detail"]
    assert ok(ann.get(path)) == sent

    # What comes later is in none of it.
    _, session = charged(cpo, user)
    late = record(cpo, session)
    post(cpo, late)
    assert ok(ann.get(path)) == sent
    assert late["id"] not in {x["cdr_id"] for x in ok(ann.get(path + "/lines"))["items"]}
    assert late["id"] in {x["cdr_id"] for x in ok(ann.get(
        f"/statements/{this_month()}-{row['partner_id']}-EUR/lines"))["items"]}
    assert "not over" in problem(ann.post(f"/statements/{this_month()}-{row['partner_id']}-EUR/close"), 409,
                                 "statement_state")["detail"]
    for wrong in ("x", "2026-01-999999-EUR", "2026-13-1-EUR", "y" * 100):
        for ask in (ann.get(f"/statements/{wrong}"), ann.get(f"/statements/{wrong}/lines"),
                    ann.post(f"/statements/{wrong}/close"), ann.post(f"/statements/{wrong}/send"),
                    ann.post(f"/statements/{wrong}/state", {"state": "paid"})):
            problem(ask, 404, "not_found")
    for word in ("disputed", "acknowledged", "invoiced", "paid"):
        moved = ok(ann.post(path + "/state", {"state": word}))
        assert moved["state"] == word.upper() and moved["history"][-1]["by"] == "staff:ann"
    assert {k: v for k, v in moved.items() if k not in ("state", "history")} == {
        k: v for k, v in sent.items() if k not in ("state", "history")}


def test_two_workers_close_one_statement_once(world, cpo, user, ann):
    partner = rows(world, "SELECT id FROM partner WHERE name = %s", cpo.name)[0]["id"]
    ok(ann.post(f"/terms/{cpo.name}", {"currency": "SEK", "vat_treatment": "reverse_charge"}, method="PUT"))
    _, session = charged(cpo, user)
    post(cpo, record(cpo, session, currency="SEK", tariff={**cpo.tariff(), "currency": "SEK"}))
    month = into_last_month(world)
    path = f"/statements/{month}-{partner}-SEK/close"
    before = rows(world, "SELECT sum(next - 1) AS n FROM statement_series")[0]["n"] or 0
    with ThreadPoolExecutor(8) as pool:
        answers = [ok(a) for a in pool.map(lambda _: ann.post(path), range(8))]
    assert len({json.dumps(a, sort_keys=True) for a in answers}) == 1
    assert rows(world, "SELECT sum(next - 1) AS n FROM statement_series")[0]["n"] == before + 1


def owed_last_month(world, cpo, user, ann, currency):
    """The path of an open statement of one CDR."""
    partner = rows(world, "SELECT id FROM partner WHERE name = %s", cpo.name)[0]["id"]
    ok(ann.post(f"/terms/{cpo.name}", {"currency": currency, "vat_treatment": "reverse_charge"}, method="PUT"))
    _, session = charged(cpo, user)
    post(cpo, record(cpo, session, currency=currency, tariff={**cpo.tariff(), "currency": currency}))
    return f"/statements/{into_last_month(world)}-{partner}-{currency}"


def test_a_month_that_takes_long_is_shown_and_closed(world, cpo, user, ann):
    """Longer than any other statement may take, and without taking the others' place."""
    path = owed_last_month(world, cpo, user, ann, "NOK")
    with slow(world, "statement_reckon(bigint,text,date)"), ThreadPoolExecutor(12) as pool:
        shown = [pool.submit(ann.get, path) for _ in range(12)]
        terms = {"currency": "CHF", "vat_treatment": "exempt"}
        while not all(s.done() for s in shown):
            ok(ann.post(f"/terms/{cpo.name}", terms, method="PUT"))
        assert {ok(s.result())["state"] for s in shown} == {"OPEN"}
        assert ok(ann.post(path + "/close"))["state"] == "CLOSED"


def test_a_closing_waits_for_the_one_before_it(world, cpo, user, ann):
    path = owed_last_month(world, cpo, user, ann, "DKK")
    connection = psycopg2.connect(world.database_url)
    try:
        with connection.cursor() as cursor:
            cursor.execute("INSERT INTO statement_series (series, year) VALUES ('FI-HUB', extract(year FROM now()))"
                           " ON CONFLICT (series, year) DO UPDATE SET next = statement_series.next")
        with ThreadPoolExecutor(1) as pool:
            closed = pool.submit(ann.post, path + "/close")
            wait_until(lambda: rows(world, "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND"
                                    " query LIKE '%%statement_close%%' AND query_start < now() - interval '3 s'"),
                       what="the closing to wait")
            connection.commit()
            assert ok(closed.result())["state"] == "CLOSED"
    finally:
        connection.close()


# ---- hubctl ----


def ctl(world, *args, person=None, status=0):
    where = None
    if person:
        path = world.directory / f"{person.name}.token"
        path.write_text(person.token + "\n", encoding="ascii")
        path.chmod(0o600)
        where = ["--url", world.hub.url, "--token-file", path]
    return world.hub.say(*args, where=where, status=status)


def test_finance_by_hubctl(world, cpo, user, ann, ben):
    session_id, cdr = unmatched(cpo, user)
    row = filed(world, cdr)
    assert cdr["id"] in ctl(world, "finance", "cdrs", "--partner", cpo.name)
    assert "unmatched_cdr" in ctl(world, "finance", "cases")
    assert "billed" in ctl(world, "finance", "match", str(row["id"]), session_id)
    number = receipts(world, session_id)[0]["number"]
    assert number in ctl(world, "finance", "receipts")
    assert "receivable" in ctl(world, "finance", "ledger")
    out = ctl(world, "finance", "reconcile", this_month())
    assert cpo.name in out and "agree" in out
    assert cpo.name in ctl(world, "finance", "statements", this_month())
    assert "agree" in ctl(world, "finance", "check")
    assert "EUR" in ctl(world, "statement", "terms", cpo.name, "--currency", "EUR", "--vat-treatment", "domestic",
                        "--rate", "19", "--fee-percent", "2.5", "--fee-vat-rate", "19")

    (listed,) = [t for t in json.loads(ctl(world, "finance", "terms", "--json"))["items"] if t["currency"] == "EUR"]
    assert listed["partner"] == cpo.name and listed["fee_percent"] == 2.5
    assert number in ctl(world, "finance", "receipt", number) and cdr["id"] in ctl(world, "finance", "cdr", str(row["id"]))
    path = world.directory / "receipts.csv"
    ctl(world, "finance", "receipts", "--csv", str(path))
    lines = list(csv.reader(io.StringIO(path.read_bytes().decode(), newline="")))
    assert lines[0][0] == "receipt_number" and lines[-1][0] == "#total" and any(number in x for x in lines)

    other, session = charged(cpo, user)
    draft = json.loads(ctl(world, "finance", "manual-cdr", other, "--energy", "10", "--start", at(-20), "--end", at(-1),
                           "--cost", "3", "--reason", "no record", "--json", person=ann))
    assert "cannot confirm" in ctl(world, "finance", "confirm", str(draft["id"]), person=ann, status=1)
    assert "billed" in ctl(world, "finance", "confirm", str(draft["id"]), person=ben)


def test_hubctl_says_what_is_wrong(world, cpo, ann):
    """Each in a line that names the field; the status is 1, and a file that was asked for is not there."""
    path = world.directory / "none.csv"
    for args, words in (
            (["finance", "reconcile", "2026-13"], "month: must be a month like 2026-01"),
            (["finance", "reconcile", "november"], "month: must be a month"),
            (["finance", "reconcile", this_month(), "--partner", "nobody"], "network: no partner"),
            (["finance", "statements", "2026"], "month: must be a month"),
            (["finance", "statements", this_month(), "--partner", ""], "network: is empty"),
            (["finance", "receipts", "--since", "2026-03-01", "--until", "2026-02-01"], "to: must not be before from"),
            (["finance", "cdrs", "--since", "yesterday"], "from: must be a date"),
            (["finance", "ledger", "--until", "2026-02-30"], "to: must be a date"),
            (["finance", "cases", "--kind", "odd"], "kind: must be cdr_overdue"),
            (["finance", "receipts", "--partner", "nobody", "--csv", str(path)], "network: no partner"),
            (["finance", "receipt", "FI-HUB-1999-0000001"], "hubctl finance receipts"),
            (["finance", "cdr", "99999999"], "hubctl finance cdrs"),
            (["finance", "match", "99999999", str(uuid.uuid4())], "hubctl finance cdrs"),
            (["finance", "match", "1", "x"], "session_id: must be a UUID"),
            (["finance", "resolve", "99999999", "done"], "hubctl finance cases"),
            (["finance", "statement", "2026-01-1-XXX"], "hubctl finance statements"),
            (["finance", "close", "x"], "hubctl finance statements"), (["finance", "send", "x"], "hubctl finance statements"),
            (["finance", "mark", "x", "paid"], "hubctl finance statements"),
            (["finance", "mark", "2026-01-1-EUR", "lost"], "state: must be acknowledged"),
            (["finance", "confirm", "0"], "hubctl finance manual-cdr"), (["finance", "discard", "0"], "hubctl finance manual-cdr"),
            (["finance", "refund", "FI-HUB-1999-0000001", "--amount", "1", "--reason", "x"], "hubctl finance receipts"),
            (["finance", "refund", "1", "--amount", "much", "--reason", "x"], "amount: must be a number above 0"),
            (["finance", "refund", "1", "--amount", "-1", "--reason", "x"], "amount: must be a number above 0"),
            (["finance", "refunds", "--state", "odd"], "status: must be awaiting_confirmation"),
            (["finance", "confirm-refund", str(uuid.uuid4())], "hubctl finance refunds"),
            (["finance", "decline-refund", "x"], "hubctl finance refunds"),
            (["finance", "invoices", "--state", "odd"], "state: must be open"),
            (["finance", "invoice", "99999999"], "hubctl finance invoices"),
            (["finance", "invoice-cdrs", "x"], "hubctl finance invoices"),
            (["finance", "invoice-total", "99999999", "--currency", "EUR", "--net", "1"], "hubctl finance invoices"),
            (["finance", "invoice-total", "99999999", "--currency", "EUR"], "net"),
            (["finance", "invoice-gaps", "--kind", "odd"], "kind: must be not_invoiced"),
            (["finance", "manual-cdr", str(uuid.uuid4()), "--energy", "much", "--start", at(-20), "--end", at(-1), "--cost", "3",
              "--reason", "none"], "energy_kwh"),
            (["finance", "manual-cdr", str(uuid.uuid4()), "--energy", "1", "--start", at(-1), "--end", at(-20), "--cost", "3",
              "--reason", "none"], "end_time"),
            (["finance", "manual-cdr", str(uuid.uuid4()), "--energy", "1", "--start", at(-20), "--end", at(-1), "--cost", "3",
              "--currency", "EUX", "--reason", "none"], "currency"),
            (["statement", "terms", "nobody", "--currency", "EUR", "--vat-treatment", "exempt"], "hubctl partner list"),
            (["statement", "terms", cpo.name, "--currency", "EUX", "--vat-treatment", "exempt"], "currency: must be"),
            (["statement", "terms", cpo.name, "--currency", "EUR", "--vat-treatment", "domestic"], "vat_rate: is required"),
            (["statement", "terms", cpo.name, "--currency", "EUR", "--vat-treatment", "domestic", "--rate", "101"], "vat_rate:")):
        said = ctl(world, *args, status=1)
        assert words in said and said.startswith("hubctl: "), (args, said)
    assert not path.exists() and not list(world.directory.glob("none.csv*"))
    for args, words in ((["finance"], "finance"), (["finance", "reconcile"], "MONTH is required"),
                        (["finance", "mark", "x"], "STATE is required"), (["finance", "frobnicate"], "finance"),
                        (["finance", "refund", "1", "--amount", "1"], "--reason is required"),
                        (["finance", "manual-cdr", "x"], "required")):
        assert words in ctl(world, *args, status=2)
    # Each has a help of its own.
    verbs = [line.split()[2] for line in subprocess.run([BUILD / "hub" / "hubctl", "--help"], stdout=subprocess.PIPE, text=True,
                                                        check=True).stdout.splitlines()
             if line.startswith("  hubctl finance ")]
    assert {"receipts", "receipt", "cdrs", "cdr", "cases", "ledger", "match", "resolve", "manual-cdr", "confirm", "discard", "mark",
            "reconcile", "statements", "statement", "close", "send", "check", "terms", "refund", "refunds", "confirm-refund",
            "decline-refund", "invoices", "invoice", "invoice-cdrs", "invoice-total", "invoice-gaps"} <= set(verbs)
    for verb in verbs:
        run = subprocess.run([BUILD / "hub" / "hubctl", "finance", verb, "--help"], stdout=subprocess.PIPE, text=True, check=True)
        assert f"hubctl finance {verb}" in run.stdout


# ---- one receipt ----


def test_a_receipt_in_each_form_by_its_number_and_its_row(world, cpo, user, ann):
    session_id, session = charged(cpo, user)
    post(cpo, record(cpo, session))
    (row,) = receipts(world, session_id)
    whole = ok(ann.get(f"/receipts/{row['number']}"))
    assert ok(ann.get(f"/receipts/{row['id']}")) == whole
    drivers = ok(user.receipt(session_id, detail="full"))
    assert {k: v for k, v in whole.items() if k in drivers} == drivers
    assert whole["hash"] == row["hash"] and whole["kind"] == "receipt" and whole["user_id"] == user.sub
    first = ann.get(f"/receipts/{row['number']}", "application/pdf")
    assert first.status_code == 200 and first.content.startswith(b"%PDF-")
    assert ann.get(f"/receipts/{row['id']}", "application/pdf").content == first.content
    page = ann.get(f"/receipts/{row['number']}", "text/html")
    assert page.headers["Content-Type"].startswith("text/html") and row["number"] in page.text
    lines, last = table(ann.get(f"/receipts/{row['number']}", "text/csv"))
    assert Decimal(last[2]) == Decimal("3.57") and lines[0]["currency"] == "EUR"
    problem(ann.get(f"/receipts/{row['number']}", "image/png"), 406, "not_acceptable")
    for wrong in ("999999999", "FI-HUB-2026-9999999", "%00", "x"):
        assert ann.get(f"/receipts/{wrong}").status_code in (400, 404)
