# SPDX-License-Identifier: Apache-2.0
"""
Wrong CDRs of ten kinds: energy, time, price, VAT, currency, duplicate, other content under the same
id, credit of unknown, future, another party's. Of each: where it is filed, its class and findings,
and what users and books had before and have after it. By CPOs of every version that can say it.
"""

import json
import uuid

import pytest
import requests
from harness import ok, problem
from partner import now
from test_cdr_intake import (at, cases, charged, cpo, cpos, credit_of, filed, findings, names, newer, post, posted,
                             receipts, record, remember_places, rows, user, world)  # noqa: F401
from test_ocpi_inbound import done, envelope
from test_rules_transport import VERSIONS


@pytest.fixture(params=VERSIONS)
def any_cpo(request, cpos):  # noqa: F811
    return cpos[request.param]


def state(world, user, session_id):
    """All that a user and the books have of a session."""
    return (receipts(world, session_id), posted(world, session_id), ok(user.status(session_id)),
            rows(world, "SELECT id, filed, credited_by FROM cdr WHERE session_id = %s AND accepted_at IS NOT NULL",
                 session_id))


def billed(world, cpo, user):
    """A session that is over and paid; its id, its CDR, and what there is of it."""
    session_id, session = charged(cpo, user)
    cdr = record(cpo, session)
    post(cpo, cdr)
    user.wait_for(session_id, "completed")  # the live view follows what is stored, in a moment
    before = state(world, user, session_id)
    assert len(before[0]) == len(before[3]) == 1 and before[2]["status"] == "completed"
    return session_id, session, cdr, before


# ---- 1 to 4: what was measured ----


def energy(cpo, session):
    """The sum of the periods is another one."""
    return record(cpo, session, total_energy=12.0), {"energy_mismatch"}


def time(cpo, session):
    """Neither the periods nor start and end come to that."""
    return record(cpo, session, total_time=2.5), {"time_mismatch", "duration_mismatch"}


def currency(cpo, session):
    """Its tariff is in euros."""
    return record(cpo, session, currency="CHF"), {"currency_mismatch"}


def future(cpo, session):
    """Right in itself, and not over yet."""
    return record(cpo, {**session, names(cpo)[1]: at(60)}), {"in_the_future"}


@pytest.mark.parametrize("kind", [energy, time, currency, future], ids=lambda kind: kind.__name__)
def test_a_wrong_measured_value_is_quarantined_and_nobody_billed(world, any_cpo, user, kind):
    """R-CDR-11, -12: QUARANTINE. The session waits, and the right one, under its own id, bills it."""
    session_id, session = charged(any_cpo, user)
    cdr, expected = kind(any_cpo, session)
    assert receipts(world, session_id) == [] and posted(world, session_id) == {}
    assert post(any_cpo, cdr).status_code == 201
    row = filed(world, cdr)
    assert (row["filed"], row["class"]) == ("quarantined", "QUARANTINE"), row["findings"]
    assert findings(row) == expected
    assert (row["accepted_at"], row["owed_at"], str(row["session_id"])) == (None, None, session_id)
    assert cases(world, cdr) == ["quarantined_cdr"]
    assert receipts(world, session_id) == [] and posted(world, session_id) == {}
    status = ok(user.status(session_id))
    assert (status["status"], status["substatus"]) == ("stopping", "awaiting_cdr")
    problem(user.receipt(session_id), 409, "receipt_not_ready")
    right = record(any_cpo, session)
    post(any_cpo, right)
    (receipt,) = receipts(world, session_id)
    assert filed(world, right)["class"] == "OK" and receipt["cdr"] == filed(world, right)["id"]
    assert filed(world, cdr)["filed"] == "quarantined"  # still a person's


@pytest.mark.parametrize("moment, zone, finding", [
    ("0001-01-01T00:00:00Z", "America/New_York", "long_ago"),
    ("9999-12-31T23:30:00Z", "Asia/Tokyo", "in_the_future")])
def test_an_end_in_no_year_of_the_place_is_quarantined(world, cpo, user, moment, zone, finding):  # noqa: F811
    """By the clocks there it is before the first year, or after the last one that has four digits."""
    session_id, session = charged(cpo, user)
    place = next(p for p in cpo.places if p["id"] == session["location_id"])
    done(cpo.put(cpo.own("locations", place["id"]), {**place, "time_zone": zone, "last_updated": now(1)}))
    cdr = record(cpo, session, start_date_time=moment, end_date_time=moment)
    assert post(cpo, cdr).status_code == 201
    (row,) = rows(world, "SELECT filed, class, supply_day, findings FROM cdr WHERE cdr_id = %s", cdr["id"])
    assert (row["filed"], row["class"], row["supply_day"]) == ("quarantined", "QUARANTINE", None)
    assert finding in findings(row)
    assert receipts(world, session_id) == []


# ---- 5 and 6: amounts ----


def test_a_wrong_price_is_disputed_the_user_billed_and_the_cpo_not_owed(world, any_cpo, user):
    """More than 0.50 or 2 %: DISPUTE. Without a quote the user pays what the tariff comes to."""
    session_id, session = charged(any_cpo, user)
    assert receipts(world, session_id) == []
    cdr = record(any_cpo, session, net=5000.0, gross=5950.0)
    post(any_cpo, cdr)
    row = filed(world, cdr)
    assert (row["filed"], row["class"], row["difference_u6"]) == ("billed", "DISPUTE", 4997000000)
    assert findings(row) == {"cost_differs"} | ({"gross_differs"} if any_cpo.version != "2.1.1" else set())
    assert row["accepted_at"] and row["owed_at"] is None and cases(world, cdr) == ["cost_mismatch"]
    (receipt,) = receipts(world, session_id)
    assert receipt["amount_minor"] == (300 if any_cpo.version == "2.1.1" else 357)
    assert said(receipt) == {"by_tariff"}
    account = posted(world, session_id)
    assert "cpo_payable" not in account and "purchase" not in account
    assert account["receivable"] == receipt["amount_minor"] * 10000 and sum(account.values()) == 0
    user.wait_for(session_id, "completed")


def said(receipt):
    """What it says of a disputed sum."""
    return set(json.loads(receipt["content"])["notes"]) & {"by_tariff", "as_stated"}


def test_a_price_below_the_tariff_is_billed_as_it_is(world, any_cpo, user):
    """Disputed as well, to the user's advantage."""
    session_id, session = charged(any_cpo, user)
    cdr = record(any_cpo, session, net=1.0, gross=1.19)
    post(any_cpo, cdr)
    assert (filed(world, cdr)["filed"], filed(world, cdr)["class"]) == ("billed", "DISPUTE")
    (receipt,) = receipts(world, session_id)
    assert receipt["amount_minor"] == (100 if any_cpo.version == "2.1.1" else 119) and said(receipt) == {"as_stated"}


def test_a_dearer_tariff_than_at_the_start_is_not_billed(world, cpos, user, monkeypatch):  # noqa: F811
    """The CDR is right by its own tariff, which the user was never shown."""
    cpo, evse = cpos["2.2.1"], cpos["2.2.1"].evse  # noqa: F811
    shown = cpo.tariff()
    cpo.store("tariffs", shown)
    connector = {**cpo.location()["evses"][0]["connectors"][0], "tariff_ids": [shown["id"]]}
    monkeypatch.setattr(cpo, "evse", lambda user: evse(user, connectors=[connector]))
    session_id, session = charged(cpo, user)
    dearer = {**shown, "elements": [{"price_components": [
        {**shown["elements"][0]["price_components"][0], "price": 500.0}]}]}
    cdr = record(cpo, session, net=5000.0, gross=5950.0, tariff=dearer)
    post(cpo, cdr)
    row = filed(world, cdr)
    assert (row["filed"], row["class"], row["difference_u6"]) == ("billed", "DISPUTE", 0), row["findings"]
    assert findings(row) == {"tariff_changed"}
    (receipt,) = receipts(world, session_id)
    assert receipt["amount_minor"] == 357 and said(receipt) == {"by_tariff"}


def test_a_disputed_sum_without_a_price_to_hold_it_against_bills_nobody(world, cpos, user):  # noqa: F811
    """The tariff does not say what it costs with taxes: no receipt until a person decides."""
    cpo = cpos["2.3.0"]  # noqa: F811
    session_id, session = charged(cpo, user)
    tariff = cpo.tariff(tax_included="NO")
    del tariff["elements"][0]["price_components"][0]["vat"]
    cdr = record(cpo, session, net=5000.0, gross=5950.0, tariff=tariff)
    post(cpo, cdr)
    row = filed(world, cdr)
    assert (row["filed"], row["class"]) == ("quarantined", "QUARANTINE"), row["findings"]
    assert "no tariff gives one" in row["implausible_why"] and cases(world, cdr) == ["quarantined_cdr"]
    assert receipts(world, session_id) == [] and posted(world, session_id) == {}
    assert ok(user.status(session_id))["status"] == "stopping"
    (case,) = rows(world, "SELECT id FROM finance_case WHERE cdr = %s", row["id"])
    answer = ok(requests.post(f"{world.hub.url}/v1/finance/cases/{case['id']}/resolve", json={"resolution": "bill"}, headers={
        "Authorization": f"Bearer {world.hub.secrets.admin_token}", "Idempotency-Key": str(uuid.uuid4())}, timeout=30))
    (receipt,) = receipts(world, session_id)
    assert (answer["receipt_number"], receipt["amount_minor"]) == (receipt["number"], 595000)


def test_a_wrong_vat_is_disputed_and_the_receipt_adds_up(world, newer, user):
    """The net is right, the gross is not; 2.1.1 cannot tell."""
    session_id, session = charged(newer, user)
    assert receipts(world, session_id) == []
    cdr = record(newer, session, gross=4.5)
    if newer.version == "2.3.0":
        cdr["total_cost"]["taxes"][0]["percentage"] = 19
    post(newer, cdr)
    row = filed(world, cdr)
    assert (row["filed"], row["class"], row["difference_u6"]) == ("billed", "DISPUTE", 0)
    assert findings(row) == {"gross_differs"} | ({"tax_mismatch"} if newer.version == "2.3.0" else set())
    assert row["owed_at"] is None and cases(world, cdr) == ["cost_mismatch"]
    (receipt,) = receipts(world, session_id)
    assert (receipt["amount_minor"], receipt["net_minor"] + receipt["vat_minor"]) == (357, 357)
    assert said(receipt) == {"by_tariff"}
    assert "cpo_payable" not in posted(world, session_id)


# ---- 7 to 10: whose it is, and whether it is new ----


def test_a_duplicate_changes_nothing(world, any_cpo, user):
    """The same record under another id: QUARANTINE; the same under its own: as the first time."""
    session_id, session, cdr, before = billed(world, any_cpo, user)
    twin = {**cdr, "id": any_cpo.new_id("C")}
    assert post(any_cpo, twin).status_code == 201
    row = filed(world, twin)
    assert (row["filed"], row["class"], row["accepted_at"]) == ("duplicate_session", "QUARANTINE", None)
    assert findings(row) == set() and cases(world, twin) == ["quarantined_cdr"]
    assert post(any_cpo, cdr).status_code == 200 and post(any_cpo, twin).status_code == 200
    assert state(world, user, session_id) == before
    assert rows(world, "SELECT count(*) AS n FROM cdr WHERE session_id = %s", session_id) == [{"n": 2}]


def test_other_content_under_the_same_id_is_refused(world, any_cpo, user):
    """R-CDR-01, R-CDR-04: 2001, kept beside the first for a person, who is told."""
    session_id, session, cdr, before = billed(world, any_cpo, user)
    first = filed(world, cdr)
    other = {**cdr, "total_cost": any_cpo.price(2.0, 2.38)}
    for _ in range(2):
        envelope(any_cpo.post(any_cpo.url("cdrs"), other), 200, 2001)
    assert filed(world, cdr) == first and first["class"] == "OK" and findings(first) == set()
    assert state(world, user, session_id) == before
    assert cases(world, cdr) == ["cdr_conflict"]
    kept = rows(world, "SELECT convert_from(body, 'UTF8') AS body FROM cdr_refused WHERE cdr = %s", first["id"])
    assert [json.loads(k["body"]) for k in kept] == [other]


def test_a_credit_of_unknown_changes_nothing(world, newer, user):
    """R-CDR-05: it waits for what it names, even where the session is one that was billed."""
    session_id, session, cdr, before = billed(world, newer, user)
    credit = credit_of(newer, {**cdr, "id": "never-seen"})
    assert post(newer, credit).status_code == 201
    row = filed(world, credit)
    assert (row["filed"], row["class"]) == ("credit_waiting", "QUARANTINE")
    assert (row["accepted_at"], row["session_id"], findings(row)) == (None, None, set())
    assert cases(world, credit) == ["unmatched_cdr"]
    assert state(world, user, session_id) == before


def test_another_partys_is_refused(world, newer, user):
    """R-TRANS-18: 2001, nothing of it is kept; in 2.1.1 whoever sends it is the party."""
    session_id, session, cdr, before = billed(world, newer, user)
    theirs = {**cdr, "id": newer.new_id("C"), "party_id": "OTH"}
    envelope(newer.post(newer.url("cdrs"), theirs), 200, 2001)
    assert not rows(world, "SELECT 1 FROM cdr WHERE cdr_id = %s", theirs["id"])
    assert state(world, user, session_id) == before


@pytest.mark.parametrize("thief", VERSIONS)
def test_another_partys_session_is_not_billed(world, cpos, user, thief):
    """Whoever knows reference, token and id of a session at another CPO is no better off."""
    owner, thief = cpos["2.2.1" if thief != "2.2.1" else "2.3.0"], cpos[thief]
    session_id, session = charged(owner, user)
    before = state(world, user, session_id)
    place = thief.location()
    start, end = names(thief)
    if thief.version == "2.1.1":
        own = thief.session(location=place, auth_id=session["cdr_token"]["contract_id"])
    else:
        own = {**session, "location_id": place["id"]}
    cdr = record(thief, {**own, start: session["start_date_time"], end: session["end_date_time"]})
    post(thief, cdr)
    row = filed(world, cdr)
    assert (row["filed"], row["class"], row["session_id"]) == ("unmatched", "QUARANTINE", None)
    assert row["accepted_at"] is None and cases(world, cdr) == ["unmatched_cdr"]
    assert state(world, user, session_id) == before and before[0] == []
    post(owner, record(owner, session))
    assert len(receipts(world, session_id)) == 1
