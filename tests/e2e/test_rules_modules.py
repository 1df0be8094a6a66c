# SPDX-License-Identifier: Apache-2.0
"""
Rules of OCPI's modules, one by one and in each version: places, Sessions, CDRs, Tariffs, Tokens,
commands and charging profiles. A CPO and an eMSP of each version, played by the test.
"""

import copy
import json
import threading
import time
import uuid
from datetime import datetime, timedelta, timezone

import pytest
from harness import User, ok, problem, wait_until
from partner import now
from test_ocpi_inbound import done, envelope
from test_rules_transport import SINCE, VERSIONS, Cast, Cpo, pushed, pushes


@pytest.fixture(scope="module")
def cast(shared_world):
    c = Cast(shared_world.hub, "M")
    yield c
    c.close()


@pytest.fixture(params=VERSIONS)
def cpo(request, cast):
    return cast.cpos[request.param]


@pytest.fixture(params=VERSIONS[1:])
def newer(request, cast):
    return cast.cpos[request.param]


@pytest.fixture
def user(cast):
    return User(cast.hub)


def names(p):
    """What 2.1.1 calls otherwise: start and end of a Session."""
    return ("start_datetime", "end_datetime") if p.version == "2.1.1" else ("start_date_time", "end_date_time")


def drivers(cast, p, **changes):
    """A Session at `p` with a card of the eMSP of the same version."""
    token = cast.token(p.version, whitelist="ALWAYS")
    emsp = cast.emsps[p.version]
    if p.version == "2.1.1":
        return p.session(auth_id=token["auth_id"], **changes)
    session = p.session(auth_method="WHITELIST", **changes)
    session["cdr_token"] = {"country_code": emsp.country, "party_id": emsp.party, "uid": token["uid"],
                            "type": "RFID", "contract_id": token["contract_id"]}
    return session


def active(p, user):
    """A session of ours that charges, and its Session as the CPO knows it."""
    session_id, command, session = p.begin(user)
    done(p.post(command["response_url"], {"result": "ACCEPTED"}))
    done(p.put(p.own("sessions", session["id"]), session), 201)
    user.wait_for(session_id, "active")
    return session_id, session


def ended(p, user, session_id, session, **changes):
    """... and has ended; the Session as it is then."""
    last = {**session, "status": "COMPLETED", "kwh": 10.0, names(p)[1]: now(), "last_updated": now(1), **changes}
    done(p.put(p.own("sessions", session["id"]), last))
    user.wait_for(session_id, "stopping")
    return last


# ---- Locations ----


def test_removed_and_reused(cpo, user):
    """R-LOC-02, R-LOC-03: nothing is deleted; uid is the key, and the evse_id of a removed EVSE may be used again."""
    place, evse_id = cpo.evse(user)
    url = cpo.own("locations", place["id"])
    first = place["evses"][0]["uid"]
    done(cpo.patch(f"{url}/{first}", {"status": "REMOVED", "last_updated": now()}))
    wait_until(lambda: not (r := user.evse(evse_id)).ok or not r.json()["startable"], 5, "the EVSE to be gone")
    stored = done(cpo.get(url))
    assert [(e["uid"], e["status"]) for e in stored["evses"]] == [(first, "REMOVED")]
    second = {**place["evses"][0], "uid": f"{first}-new", "last_updated": now(1)}
    done(cpo.put(f"{url}/{second['uid']}", second), 201)
    assert wait_until(lambda: (r := user.evse(evse_id)).ok and r.json()["startable"], 5, "the new EVSE")
    assert cpo.call("DELETE", url).status_code == 405
    assert {e["uid"] for e in done(cpo.get(url))["evses"]} == {first, second["uid"]}


def test_parts_make_their_parents_newer_and_never_older(cpo):
    """R-LOC-01: each part has its own time; the parents' never moves back."""
    place = cpo.store("locations", cpo.location(last_updated=now(-100)))
    url = cpo.own("locations", place["id"])
    uid = place["evses"][0]["uid"]
    connector = {**place["evses"][0]["connectors"][0], "last_updated": now(-50)}
    done(cpo.put(f"{url}/{uid}/1", connector))
    stored = done(cpo.get(url))
    evse = stored["evses"][0]
    assert evse["connectors"][0]["last_updated"] == connector["last_updated"]
    assert evse["last_updated"] == stored["last_updated"] == connector["last_updated"]
    done(cpo.patch(f"{url}/{uid}", {"status": "CHARGING", "last_updated": now(-20)}))
    newest = done(cpo.get(url))["last_updated"]
    another = {**connector, "id": "2", "last_updated": now(-80)}
    done(cpo.put(f"{url}/{uid}/2", another), 201)
    stored = done(cpo.get(url))
    assert stored["last_updated"] == newest and stored["evses"][0]["last_updated"] == newest


def test_only_published_places_are_shown_to_apps(newer, user):
    """R-LOC-05, R-REST-08: not to an app; the CPO finds it as before, and the Session there is taken."""
    place, evse_id = newer.evse(user)
    done(newer.patch(newer.own("locations", place["id"]), {"publish": False, "last_updated": now()}))
    wait_until(lambda: user.evse(evse_id).status_code == 404, 5, "the place to be hidden")
    problem(user.start(evse_id), 404, "evse_not_found")
    assert done(newer.get(newer.own("locations", place["id"])))["publish"] is False
    newer.store("sessions", newer.session(location=place))
    open_to_some = {**newer.location(), "publish_allowed_to": [{"group_id": "G1"}]}
    envelope(newer.put(newer.own("locations", open_to_some["id"]), open_to_some), 200, 2001)
    done(newer.put(newer.own("locations", open_to_some["id"]), {**open_to_some, "publish": False}), 201)


def test_a_schedule_of_status_says_nothing_of_now(cpo, user):
    """R-LOC-08: status alone counts."""
    schedule = [{"period_begin": "2020-01-01T00:00:00Z", "status": "OUTOFORDER"}]
    _, evse_id = cpo.evse(user, status_schedule=schedule)
    shown = ok(user.evse(evse_id))
    assert shown["status"] == "AVAILABLE" and shown["startable"] is True


def test_hours_and_status_refuse_nobody(cpo, user):
    """R-LOC-13, R-LOC-09, R-TOK-05: what we have of a place may be old: the token alone decides."""
    session_id, command, session = cpo.begin(user)
    place = session["location"] if cpo.version == "2.1.1" else {"id": session["location_id"]}
    stored = done(cpo.get(cpo.own("locations", place["id"])))
    closed = {"regular_hours": [{"weekday": 1, "period_begin": "00:00", "period_end": "00:01"}]}
    stored.update(opening_times=closed if cpo.version == "2.1.1" else {**closed, "twentyfourseven": False},
                  last_updated=now())
    stored["evses"][0].update(status="OUTOFORDER", last_updated=now())
    done(cpo.put(cpo.own("locations", place["id"]), stored))
    uid = command["token"]["uid"]
    kind = command["token"]["type"]
    url = cpo.url("tokens", uid, "authorize", role="SENDER") + f"?type={kind}"
    for location_id in (place["id"], "a-place-nobody-told-us-of"):
        references = {"location_id": location_id, "evse_uids": [stored["evses"][0]["uid"]]}
        answer = done(cpo.post(url, references))
        assert answer["allowed"] == "ALLOWED" and answer["location"] == references
    assert ok(user.status(session_id))["status"] == "pending"


@pytest.mark.parametrize("hours", [
    {"twentyfourseven": False}, {"regular_hours": [{"weekday": 8, "period_begin": "08:00", "period_end": "20:00"}]},
    {"regular_hours": [{"weekday": 0, "period_begin": "08:00", "period_end": "20:00"}]},
    {"regular_hours": [{"weekday": 1, "period_begin": "8:00", "period_end": "20:00"}]},
    {"regular_hours": [{"weekday": 1, "period_begin": "08:00", "period_end": "25:00"}]}], ids=str)
def test_hours_have_a_form(newer, hours):
    """R-LOC-09: weekdays are 1 to 7, times of day HH:MM; twentyfourseven is there from 2.2 on."""
    if hours == {"twentyfourseven": False}:
        hours = {"regular_hours": []}
        right = {"twentyfourseven": True}
    else:
        hours = {"twentyfourseven": False, **hours}
        right = {"twentyfourseven": False,
                 "regular_hours": [{"weekday": 7, "period_begin": "08:00", "period_end": "20:00"}]}
    place = newer.location()
    envelope(newer.put(newer.own("locations", place["id"]), {**place, "opening_times": hours}), 200, 2001)
    newer.store("locations", {**place, "opening_times": right})


@pytest.mark.parametrize("latitude,longitude,taken", [
    ("52.5200", "13.4049", True), ("52.5200080000", "13.4049540000", True), ("52.520008", "-13.404954", True),
    ("52.520", "13.404", False), ("52.52000800001", "13.404954", False), ("91.000000", "13.404954", False),
    ("52,520008", "13.404954", False), (52.520008, 13.404954, False)])
def test_coordinates_are_texts_of_degrees(cpo, latitude, longitude, taken):
    """R-LOC-10."""
    place = cpo.location(coordinates={"latitude": latitude, "longitude": longitude})
    answer = cpo.put(cpo.own("locations", place["id"]), place)
    envelope(answer, 201 if taken else 200, 1000 if taken else 2001)


# ---- Sessions ----


def test_a_start_that_moves_is_the_same_session(cpo, user):
    """R-SESS-02, R-SESS-03: PENDING begins when it was made, ACTIVE when it became that."""
    session_id, command, session = cpo.begin(user)
    done(cpo.post(command["response_url"], {"result": "ACCEPTED"}))
    start = names(cpo)[0]
    url = cpo.own("sessions", session["id"])
    done(cpo.put(url, {**session, "status": "PENDING", start: now(-40), "last_updated": now(-4)}), 201)
    assert user.wait_for(session_id, lambda s: True)["status"] == "pending"
    moved = {**session, "status": "ACTIVE", start: now(), "last_updated": now(-2)}
    done(cpo.put(url, moved))
    user.wait_for(session_id, "active")
    assert done(cpo.get(url))[start] == moved[start]
    done(cpo.put(url, {**moved, "status": "PENDING", "last_updated": now(-1)}))  # tolerated
    assert [s["session_id"] for s in ok(user.list())["items"]] == [session_id]


def test_a_session_that_has_ended_stays_ended(cpo, user):
    """R-SESS-01, R-SESS-03: later corrections are taken, the state does not go back."""
    session_id, session = active(cpo, user)
    last = ended(cpo, user, session_id, session)
    url = cpo.own("sessions", session["id"])
    done(cpo.put(url, {**last, "status": "ACTIVE", "last_updated": now(2)}))
    assert done(cpo.get(url))["status"] == "COMPLETED"
    assert ok(user.status(session_id))["status"] == "stopping"
    assert cpo.call("DELETE", url).status_code == 405


@pytest.mark.parametrize("cost,known", [(None, False), (0, True), (2.5, True)])
def test_no_cost_is_not_a_cost_of_nothing(cpo, user, cost, known):
    """R-SESS-06, R-REST-04: missing means unknown, 0 means free."""
    session_id, _, session = cpo.begin(user)
    del session["total_cost"]
    if cost is not None:
        session["total_cost"] = cpo.price(cost, cost)
    done(cpo.put(cpo.own("sessions", session["id"]), {**session, "kwh": 3.0}), 201)
    status = user.wait_for(session_id, lambda s: s["energy_kwh"] == 3.0)
    assert status["cost_estimated"] is not known
    assert status["cost"] == (cost or 0)


def period(minutes, volume):
    begin = datetime.now(timezone.utc).replace(microsecond=0) - timedelta(minutes=minutes)
    return {"start_date_time": begin.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "dimensions": [{"type": "ENERGY", "volume": volume}]}


def test_periods_are_added_replaced_and_emptied(newer):
    """R-SESS-07, R-SESS-08, R-SESS-09: a PATCH appends, one with the same start replaces, a PUT is all there is."""
    one, two, three = period(30, 1.5), period(20, 2.5), period(10, 3.5)
    session = newer.store("sessions", newer.session(charging_periods=[one], last_updated=now(-50)))
    url = newer.own("sessions", session["id"])

    def periods():
        return done(newer.get(url)).get("charging_periods") or []

    done(newer.patch(url, {"charging_periods": [three], "last_updated": now(-40)}))
    assert periods() == [one, three]
    done(newer.patch(url, {"charging_periods": [two], "last_updated": now(-35)}))
    assert periods() == [one, two, three]
    better = {**three, "dimensions": [{"type": "ENERGY", "volume": 4.0}]}
    done(newer.patch(url, {"charging_periods": [better], "last_updated": now(-30)}))
    assert periods() == [one, two, better]
    for nothing in ({"charging_periods": []}, {"charging_periods": None}, {"kwh": 9.0}):
        done(newer.patch(url, {**nothing, "last_updated": now(-25)}))
        assert periods() == [one, two, better]
    assert newer.patch(f"{url}/charging_periods", {"last_updated": now()}).status_code == 404
    less = {k: v for k, v in session.items() if k != "charging_periods"}
    done(newer.put(url, {**less, "last_updated": now(-20)}))
    assert periods() == []


def test_a_reservation_is_a_session_without_a_place_at_first(cast, newer):
    """R-SESS-04, R-SESS-05, R-CMD-09, R-TYPE-13: RESERVATION (or RESERVED) at #NA, told on as it is."""
    emsp = cast.emsps[newer.version]
    session = drivers(cast, newer, status="RESERVATION", evse_uid="#NA", connector_id="#NA", kwh=0)
    newer.store("sessions", session)
    told = pushed(emsp, "sessions", session["id"])["body"]
    assert (told["status"], told["evse_uid"], told["connector_id"]) == ("RESERVATION", "#NA", "#NA")
    assert done(newer.get(newer.own("sessions", session["id"]))) == session
    # To 2.1.1, which has no such status, it is PENDING; RESERVED is the same.
    old = cast.emsps["2.1.1"]
    token = cast.token("2.1.1")
    session = newer.session(status="RESERVED", kwh=0)
    session["cdr_token"] = {"country_code": old.country, "party_id": old.party, "uid": token["uid"], "type": "RFID",
                            "contract_id": token["auth_id"]}
    newer.store("sessions", session)
    assert pushed(old, "sessions", session["id"])["body"]["status"] == "PENDING"
    done(newer.patch(newer.own("sessions", session["id"]),
                     {"status": "COMPLETED", "end_date_time": now(), "last_updated": now(1)}))


# ---- CDRs ----


def test_a_reservation_that_never_charged_has_a_cdr(cast, newer):
    """R-CDR-14, R-CDR-15, R-CDR-08, R-CMD-09: #NA where there was no EVSE; no session_id, no known start."""
    emsp = cast.emsps[newer.version]
    cdr = newer.cdr(drivers(cast, newer), start_date_time="1970-1-1T00:00:00Z")
    del cdr["session_id"]
    cdr["cdr_location"].update(evse_uid="#NA", evse_id="#NA", connector_id="#NA")
    answer = newer.post(newer.url("cdrs"), cdr)
    done(answer, 201)
    assert done(newer.get(answer.headers["Location"])) == cdr
    told = pushed(emsp, "cdrs", cdr["id"])["body"]
    assert {told["cdr_location"][k] for k in ("evse_uid", "evse_id", "connector_id")} == {"#NA"}


def test_a_cdr_is_final(cast, cpo, user):
    """R-CDR-01, R-CDR-04, R-CDR-03, R-AMB-19: nobody changes it, not even a little; the same again changes nothing."""
    session_id, session = active(cpo, user)
    last = ended(cpo, user, session_id, session)
    cdr = cpo.cdr(last)
    answer = cpo.post(cpo.url("cdrs"), cdr)
    done(answer, 201)
    where = answer.headers["Location"]
    assert where.startswith(cast.hub.url) and len(where) <= 255
    user.wait_for(session_id, "completed")
    receipt = ok(user.receipt(session_id))
    again = cpo.post(cpo.url("cdrs"), cdr)
    done(again, 200)
    assert again.headers["Location"] == where
    for change in ({"total_energy": 10.001}, {"remark": "another"}, {"last_updated": now(60)}):
        envelope(cpo.post(cpo.url("cdrs"), {**cdr, **change}), 200, 2001)
    for method in ("PUT", "PATCH", "DELETE"):
        assert cpo.call(method, where, {}).status_code == 405
    assert done(cpo.get(where)) == cdr and ok(user.receipt(session_id)) == receipt


def test_a_cdr_tells_of_the_place_as_it_was(cast, cpo):
    """R-CDR-09, R-CDR-02: what changes afterwards does not change it; only the driver's eMSP hears of it."""
    place = cpo.store("locations", cpo.location())
    session = drivers(cast, cpo, location=place)
    cpo.store("sessions", session)
    cdr = cpo.cdr(session)
    where = "location" if cpo.version == "2.1.1" else "cdr_location"
    done(cpo.post(cpo.url("cdrs"), cdr), 201)
    emsp = cast.emsps[cpo.version]
    pushed(emsp, "cdrs", cdr["id"])
    done(cpo.put(cpo.own("locations", place["id"]), {**place, "address": "Elsewhere 5", "last_updated": now(1)}))
    listed = [c for c in done(emsp.listed("cdrs", SINCE)) if c["id"] == cdr["id"]]
    assert [c[where]["address"] for c in listed] == [cdr[where]["address"]] and "Elsewhere" not in json.dumps(listed)
    assert not any(pushes(e, "cdrs", cdr["id"]) for e in cast.emsps.values() if e is not emsp)


def test_signed_data_passes_to_the_byte(cast, newer):
    """R-CDR-17, R-TRANS-21: blanks, line breaks, numbers as they were written, in pushes, lists and for the owner."""
    emsp = cast.emsps[newer.version]
    plain = "OCMF|{\"FV\" : \"1.0\"}|\r\n\tline two  \u00e4" + "x" * 4900
    cdr = newer.cdr(drivers(cast, newer), signed_data={
        "encoding_method": "OCMF", "signed_values": [
            {"nature": "Start", "plain_data": plain, "signed_data": "QUJD\nREVG=="}]})
    raw = json.dumps(cdr, indent=1).replace('"total_energy": 10.0', '"total_energy": 10.000').encode()
    answer = newer.call("POST", newer.url("cdrs"), raw=raw)
    done(answer, 201)
    for text in (newer.get(answer.headers["Location"]).text, pushed(emsp, "cdrs", cdr["id"])["raw"].decode(),
                 emsp.listed("cdrs", SINCE).text):
        assert json.dumps(plain)[1:-1] in text and "QUJD\\nREVG==" in text
    assert pushed(emsp, "cdrs", cdr["id"])["raw"] == raw
    too_long = copy.deepcopy(cdr)
    too_long["id"] = newer.new_id("C")
    too_long["signed_data"]["signed_values"][0]["plain_data"] = "x" * 5001
    envelope(newer.post(newer.url("cdrs"), too_long), 200, 2001)


def test_the_place_of_a_cdr_may_be_as_long_as_that_of_a_location(cast, newer):
    """R-AMB-14, R-TYPE-17: longer than the class once said; to 2.1.1 it is cut."""
    cdr = newer.cdr(drivers(cast, newer))
    cdr["cdr_location"].update(address="A" * 255, state="S" * 45)
    done(newer.post(newer.url("cdrs"), cdr), 201)
    assert pushed(cast.emsps[newer.version], "cdrs", cdr["id"])["body"]["cdr_location"] == cdr["cdr_location"]
    cdr = {**cdr, "id": newer.new_id("C"), "cdr_location": {**cdr["cdr_location"], "address": "A" * 256}}
    envelope(newer.post(newer.url("cdrs"), cdr), 200, 2001)


def test_a_cdr_finds_its_session_without_naming_it(newer, user):
    """R-CDR-08, R-CMD-05: by the reference that we gave."""
    session_id, session = active(newer, user)
    last = ended(newer, user, session_id, session)
    cdr = newer.cdr(last)
    del cdr["session_id"]
    done(newer.post(newer.url("cdrs"), cdr), 201)
    user.wait_for(session_id, "completed")
    assert ok(user.receipt(session_id))["energy_kwh"] == 10


def test_there_is_no_receipt_before_the_cdr(cpo, user):
    """R-CDR-20, R-REST-06: 409 until then, whatever the Session says."""
    session_id, session = active(cpo, user)
    problem(user.receipt(session_id), 409, "receipt_not_ready")
    last = ended(cpo, user, session_id, session)
    problem(user.receipt(session_id), 409, "receipt_not_ready")
    done(cpo.post(cpo.url("cdrs"), cpo.cdr(last)), 201)
    user.wait_for(session_id, "completed")
    assert ok(user.receipt(session_id))["cost"] == (3.0 if cpo.version == "2.1.1" else 3.57)


def test_a_credit_cancels_and_another_cdr_follows(shared_world, newer, user):
    """R-CDR-05, R-CDR-06, R-CDR-07, R-CDR-20: the total alone is negated; twice or of another sum is for a person."""
    session_id, session = active(newer, user)
    last = ended(newer, user, session_id, session)
    cdr = newer.cdr(last)
    done(newer.post(newer.url("cdrs"), cdr), 201)
    user.wait_for(session_id, "completed")

    def minus(price):
        if "excl_vat" in price:
            return {k: -v for k, v in price.items()}
        return {"before_taxes": -price["before_taxes"],
                "taxes": [{**t, "amount": -t["amount"]} for t in price["taxes"]]}

    def credit(name, total):
        return {**cdr, "id": name, "credit": True, "credit_reference_id": cdr["id"], "total_cost": total}

    def filed(cdr_id):
        return shared_world.sql("SELECT filed FROM cdr WHERE cdr_id = %s", cdr_id)[0][0]

    long = f"{cdr['id']}-{uuid.uuid4().hex}"[:37] + "-C"
    assert len(long) == 39
    envelope(newer.post(newer.url("cdrs"), {**cdr, "id": long}), 200, 2001)  # 39 are for credits
    done(newer.post(newer.url("cdrs"), credit(cdr["id"] + "-X", minus(newer.price(2.0, 2.38)))), 201)
    assert filed(cdr["id"] + "-X") == "credit_amount"
    done(newer.post(newer.url("cdrs"), credit(long, minus(cdr["total_cost"]))), 201)
    assert filed(long) == "credit"
    done(newer.post(newer.url("cdrs"), credit(cdr["id"] + "-C", minus(cdr["total_cost"]))), 201)
    assert filed(cdr["id"] + "-C") == "credit_twice"
    right = {**cdr, "id": newer.new_id("C"), "total_cost": newer.price(2.0, 2.38)}
    done(newer.post(newer.url("cdrs"), right), 201)
    kinds = shared_world.sql("SELECT kind, amount_minor FROM receipt WHERE session_id = %s ORDER BY revision",
                             session_id)
    assert kinds == [("receipt", 357), ("cancellation", -357), ("receipt", 238)]
    assert ok(user.receipt(session_id))["cost"] == 2.38
    envelope(newer.post(newer.url("cdrs"), {**credit("NO-REF", minus(cdr["total_cost"])), "credit_reference_id": None}),
             200, 2001)


def test_compensation_for_charging_at_home_is_no_charge(shared_world, newer, user):
    """R-CDR-16: stored and told; the driver is billed nothing, a person decides."""
    session_id, session = active(newer, user)
    last = ended(newer, user, session_id, session)
    cdr = newer.cdr(last, home_charging_compensation=True)
    done(newer.post(newer.url("cdrs"), cdr), 201)
    time.sleep(0.5)
    problem(user.receipt(session_id), 409, "receipt_not_ready")
    assert shared_world.sql("SELECT filed FROM cdr WHERE cdr_id = %s", cdr["id"]) == [("quarantined",)]
    assert not shared_world.sql("SELECT 1 FROM receipt WHERE session_id = %s", session_id)


# ---- Tariffs ----


@pytest.mark.parametrize("reader", VERSIONS)
def test_a_tariff_without_a_charge_is_told_as_it_is(cast, cpo, reader):
    """R-TAR-10: one FLAT of 0 with a step of 0 is free of charge, not wrong."""
    price = {"type": "FLAT", "price": 0.0, "step_size": 0}
    tariff = cpo.store("tariffs", cpo.tariff(elements=[{"price_components": [price]}]))
    told = pushed(cast.emsps[reader], "tariffs", tariff["id"])["body"]
    component, = told["elements"][0]["price_components"]
    assert (component["type"], component["price"], component["step_size"]) == ("FLAT", 0, 0)


def test_no_vat_is_not_a_vat_of_nothing(cast, newer):
    """R-TAR-18: the member stays away, or stays 0."""
    components = [{"type": "ENERGY", "price": 0.3, "step_size": 1},
                  {"type": "TIME", "price": 1.0, "vat": 0.0, "step_size": 60}]
    tariff = newer.store("tariffs", newer.tariff(elements=[{"price_components": components}]))
    for version in VERSIONS[1:]:
        told = pushed(cast.emsps[version], "tariffs", tariff["id"])["body"]["elements"][0]["price_components"]
        assert "vat" not in told[0] and told[1]["vat"] == 0


def test_a_tariff_is_patched_in_2_1_1_alone(cast, cpo):
    """R-TAR-15, R-TAR-16: to newer readers the whole goes by PUT; DELETE of an unknown one is 404."""
    tariff = cpo.store("tariffs", cpo.tariff(last_updated=now(-50)))
    url = cpo.own("tariffs", tariff["id"])
    answer = cpo.patch(url, {"currency": "SEK", "last_updated": now()})
    if cpo.version == "2.1.1":
        done(answer)
        for version in VERSIONS:
            emsp = cast.emsps[version]
            wait_until(lambda e=emsp, t=tariff: [r for r in pushes(e, "tariffs", t["id"])
                                                 if (r["body"] or {}).get("currency") == "SEK"], 10, "the change")
            assert {r["method"] for r in pushes(emsp, "tariffs", tariff["id"])} == {"PUT"}
    else:
        assert answer.status_code == 405
    done(cpo.call("DELETE", url))
    for url in (url, cpo.own("tariffs", "no-such-tariff")):
        assert cpo.call("DELETE", url).status_code == 404


# ---- Tokens ----


def test_our_users_tokens_are_never_to_be_trusted_offline(cpo, user):
    """R-TOK-07, R-TOK-06, R-CMD-04, R-CMD-02: ours, whitelist NEVER, never pushed beforehand."""
    _, command, _ = cpo.begin(user)
    token = command["token"]
    assert token["whitelist"] == "NEVER" and token["valid"] is True
    if cpo.version == "2.1.1":
        assert token["type"] == "OTHER" and token["auth_id"].startswith("FI-HUB-")
    else:
        assert (token["type"], token["country_code"], token["party_id"]) == ("APP_USER", "FI", "HUB")
        sent = cpo.commands("START_SESSION", token["uid"])[0]["headers"]
        assert (sent["OCPI-from-country-code"], sent["OCPI-from-party-id"]) == ("FI", "HUB")
    told = [r for r in cpo.received if r["method"] in ("PUT", "PATCH") and "/tokens" in r["path"]]
    assert not [r for r in told if "/FI/HUB/" in r["path"] or token["uid"] in r["path"]]  # others' may be
    listed = done(cpo.get(cpo.url("tokens", role="SENDER") + f"?limit=100&date_from={now(-60)}"))
    mine = [t for t in listed if t["uid"] == token["uid"]]
    # One that is made for a single start is in no list.
    assert bool(mine) == (cpo.version != "2.1.1") and all(t["whitelist"] == "NEVER" for t in mine)


def test_authorising_asks_nobody(cast, cpo, user):
    """R-TOK-08, R-TOK-09, R-TOK-03, R-CMD-03: at once, with the reference by which the Session is found."""
    session_id, command, session = cpo.begin(user)
    uid, kind = command["token"]["uid"], command["token"]["type"]

    def asked():  # the hub may read their lists meanwhile
        return [len([r for r in p.received if r["method"] == "POST"]) for p in cast.all()]

    before = asked()
    answer = done(cpo.post(cpo.url("tokens", uid, "authorize", role="SENDER") + f"?type={kind}"))
    assert asked() == before
    assert answer["allowed"] == "ALLOWED"
    if cpo.version != "2.1.1":
        assert answer["authorization_reference"] == session_id == session["authorization_reference"]
        assert answer["token"]["uid"] == uid
    unknown = cpo.post(cpo.url("tokens", "nobody", "authorize", role="SENDER"))
    envelope(unknown, 404, 2000 if cpo.version == "2.1.1" else 2004)
    assert "data" not in unknown.json()


def test_without_a_command_our_tokens_open_nothing(cpo, user):
    """R-CMD-03, R-TOK-03: known, and yet not allowed: an answer, not an error."""
    session_id, session = active(cpo, user)
    last = ended(cpo, user, session_id, session)
    done(cpo.post(cpo.url("cdrs"), cpo.cdr(last)), 201)
    user.wait_for(session_id, "completed")
    token = cpo.commands("START_SESSION")[-1]["body"]["token"]
    answer = done(cpo.post(cpo.url("tokens", token["uid"], "authorize", role="SENDER") + f"?type={token['type']}"))
    assert answer["allowed"] == "NOT_ALLOWED"


def test_tokens_are_not_deleted(cast):
    """R-TOK-02: DELETE is not there; valid becomes false."""
    for version, emsp in cast.emsps.items():
        token = cast.token(version)
        url = emsp.url("tokens", emsp.country, emsp.party, token["uid"])
        assert emsp.call("DELETE", url).status_code == 405
        done(emsp.patch(url, {"valid": False, "last_updated": now()}))
        assert done(emsp.get(url))["valid"] is False


# ---- commands and results ----


def test_each_request_has_its_own_address_for_the_result(cpo, user):
    """R-ASYNC-02, R-ASYNC-10, R-TYPE-10: unguessable, in the version, never twice."""
    urls = set()
    for _ in range(2):
        _, command, _ = cpo.begin(user)
        url = command["response_url"]
        assert f"/ocpi/emsp/{cpo.version}/cb/" in url and len(url) <= 255 and url not in urls
        assert len(url.rsplit("/", 1)[1]) >= 32
        urls.add(url)


def test_a_result_is_known_by_its_address_alone(newer, user):
    """R-ASYNC-06, R-ASYNC-05: whatever correlation id it has; the answer has no data and the headers turned round."""
    session_id, command, _ = newer.begin(user)
    sent = newer.commands("START_SESSION", session_id)[0]["headers"]
    ids = {"X-Request-ID": str(uuid.uuid4()), "X-Correlation-ID": str(uuid.uuid4())}
    assert ids["X-Correlation-ID"] != sent["X-Correlation-ID"]
    answer = newer.post(command["response_url"], {"result": "ACCEPTED"}, headers=ids)
    assert done(answer) is None and "data" not in answer.json()
    assert {k: answer.headers[k] for k in ids} == ids
    assert (answer.headers["OCPI-from-party-id"], answer.headers["OCPI-to-party-id"]) == ("HUB", newer.party)
    user.wait_for(session_id, lambda s: s["substatus"] == "command_accepted", 5)


def test_no_result_follows_a_refusal(cpo, user):
    """R-ASYNC-01, R-ASYNC-14: what comes all the same changes nothing."""
    cpo.scripted[("POST", f"/{cpo.version}/commands")] = lambda r: (200, cpo.envelope(
        {"result": "REJECTED"} if cpo.version == "2.1.1" else {"result": "REJECTED", "timeout": 0}))
    try:
        session_id, command, _ = cpo.begin(user)
        user.wait_for(session_id, "failed")
    finally:
        cpo.scripted.clear()
    answer = cpo.post(command["response_url"], {"result": "ACCEPTED"})
    assert answer.status_code in (200, 404) and ok(user.status(session_id))["status"] == "failed"


def test_unlocking_is_for_operators(hub, cpo, user):
    """R-CMD-06, R-REST-07, R-CMD-14: a driver cannot, at any address; nothing is sent."""
    place, evse_id = cpo.evse(user)
    for path in (f"/v1/admin/evses/{evse_id}/unlock", f"/v1/evses/{evse_id}/unlock", "/v1/sessions/unlock"):
        assert user.call("POST", path, json={}).status_code in (401, 403, 404, 405)
    assert not cpo.commands("UNLOCK_CONNECTOR", place["id"])
    answer = hub.admin("POST", f"/evses/{evse_id}/unlock", json={})
    assert answer.status_code in (200, 202), answer.text
    sent, = cpo.commands("UNLOCK_CONNECTOR", place["id"])
    body = sent["body"]
    assert (body["location_id"], body["evse_uid"], body["connector_id"]) == (place["id"], place["evses"][0]["uid"], "1")
    assert set(body) == {"response_url", "location_id", "evse_uid", "connector_id"}


def test_a_reference_is_what_a_session_is_found_by(newer, user):
    """R-CMD-05, R-SESS-10, R-REST-01: ours in the command, the CPO's in the Session; pending until ACTIVE."""
    session_id, command, session = newer.begin(user)
    assert command["authorization_reference"] == session_id
    done(newer.post(command["response_url"], {"result": "ACCEPTED"}))
    assert ok(user.status(session_id))["status"] == "pending"
    url = newer.own("sessions", session["id"])
    done(newer.put(url, {**session, "authorization_reference": str(uuid.uuid4()), "status": "PENDING",
                         "cdr_token": {**session["cdr_token"], "uid": "another"}, "last_updated": now(-3)}), 201)
    time.sleep(0.3)
    assert ok(user.status(session_id))["status"] == "pending"
    done(newer.patch(url, {"authorization_reference": session_id, "cdr_token": session["cdr_token"],
                           "status": "ACTIVE", "last_updated": now()}))
    user.wait_for(session_id, "active")


def test_a_result_survives_a_restart(make_world):
    """R-ASYNC-18: any process takes it, also one that began after the request."""
    world = make_world(sim=False)
    p = Cpo("2.2.1", "LT", "RST")
    try:
        p.register(world.hub)
        driver = User(world.hub)
        session_id, command, session = p.begin(driver)
        before = world.hub.worker_pids()
        world.hub.restart()
        assert not set(before) & set(world.hub.worker_pids())
        done(p.post(command["response_url"], {"result": "ACCEPTED"}))
        done(p.put(p.own("sessions", session["id"]), session), 201)
        driver.wait_for(session_id, "active")
    finally:
        p.close()


# ---- charging profiles ----


def answer_profiles(p, sync="ACCEPTED", result="ACCEPTED"):
    """The CPO answers at once and tells the result a moment later."""
    def answer(request):
        body = request["body"] or {}
        url = body.get("response_url")
        if url and sync == "ACCEPTED":
            threading.Timer(0.1, lambda: p.post(url, {"result": result})).start()
        return 200, p.envelope({"result": sync, "timeout": 30})

    p.scripted[("PUT", f"/{p.version}/chargingprofiles")] = answer


def test_a_limit_is_the_total_power(newer, user):
    """R-CP-01, R-CP-06: W is the whole EVSE's; the first period begins at 0; a PUT replaces."""
    session_id, session = active(newer, user)
    answer_profiles(newer)
    try:
        for limit in (7.4, 11):
            assert ok(user.set_profile(session_id, {"max_charge_rate_kw": limit}))["profile_set"] is True
            sent = [r for r in newer.requests("PUT", f"/{newer.version}/chargingprofiles")
                    if session["id"] in r["path"]]
            profile = sent[-1]["body"]["charging_profile"]
            assert profile["charging_rate_unit"] == "W"
            assert profile["charging_profile_period"] == [{"start_period": 0, "limit": limit * 1000}]
        assert len(sent) == 2
        for starts in ((60,), (0, 0), (0, 60, 30)):
            periods = [{"start_period": start, "limit": 1000} for start in starts]
            assert user.set_profile(session_id, {"periods": periods}).status_code == 422
    finally:
        newer.scripted.clear()


def test_profiles_are_set_by_the_driver_of_the_session_alone(cast, newer, user):
    """R-CP-02: another one's session is none; nothing is sent."""
    session_id, session = active(newer, user)
    stranger = User(cast.hub)
    problem(stranger.set_profile(session_id, {"max_charge_rate_kw": 7}), 404, "session_not_found")
    problem(stranger.clear_profile(session_id), 404, "session_not_found")
    assert not [r for r in newer.received if "/chargingprofiles/" in r["path"] and session["id"] in r["path"]]


def test_too_often_means_later(newer, user):
    """R-CP-05: 429, and the next one goes through."""
    session_id, _ = active(newer, user)
    answer_profiles(newer, sync="TOO_OFTEN")
    try:
        problem(user.set_profile(session_id, {"max_charge_rate_kw": 7}), 429, "profile_too_often")
        answer_profiles(newer)
        assert ok(user.set_profile(session_id, {"max_charge_rate_kw": 7}))["profile_set"] is True
    finally:
        newer.scripted.clear()


def test_active_profiles_follow_one_that_was_set(newer, user):
    """R-CP-03, R-CP-04: before that they are refused; open-ended ones, at full power, are taken as well."""
    session_id, session = active(newer, user)
    url = newer.url("chargingprofiles", session["id"], role="SENDER")
    plan = {"start_date_time": now(), "charging_profile": {
        "charging_rate_unit": "W", "charging_profile_period": [{"start_period": 0, "limit": 150000.0}]}}
    envelope(newer.put(url, plan), 200, 2001)
    envelope(newer.put(newer.url("chargingprofiles", "nobody", role="SENDER"), plan), 404, 2000)
    answer_profiles(newer)
    try:
        ok(user.set_profile(session_id, {"max_charge_rate_kw": 7}))
    finally:
        newer.scripted.clear()
    answer = newer.put(url, plan)
    assert done(answer) is None
    done(newer.put(url, {**plan, "charging_profile": {**plan["charging_profile"], "duration": 3600}}))


def test_only_capable_evses_are_asked(newer, user):
    """R-CP-09, R-REST-05, R-REST-02: no profile and no start where the EVSE does not take one."""
    place, evse_id = newer.evse(user, capabilities=["REMOTE_START_STOP_CAPABLE"])
    session_id = ok(user.start(evse_id))["session_id"]
    command = wait_until(lambda: newer.commands("START_SESSION", place["id"]), 10, "START_SESSION")[0]["body"]
    session = newer.session(location=place, start_date_time=now(), authorization_reference=session_id)
    session["cdr_token"].update(uid=command["token"]["uid"], contract_id=command["token"]["contract_id"])
    done(newer.put(newer.own("sessions", session["id"]), session), 201)
    user.wait_for(session_id, "active")
    problem(user.set_profile(session_id, {"max_charge_rate_kw": 7}), 422, "profile_not_supported")
    assert not [r for r in newer.received if "/chargingprofiles/" in r["path"] and session["id"] in r["path"]]
    place, evse_id = newer.evse(user, capabilities=["RFID_READER"])
    assert user.start(evse_id).status_code in (409, 422)
    assert not newer.commands("START_SESSION", place["id"])


# ---- texts for people ----


@pytest.mark.parametrize("direction,taken", [
    ({"language": "en", "text": "Behind the gate"}, True), ({"language": "eng", "text": "x"}, False),
    ({"language": "en"}, False), ({"text": "x"}, False), ({"language": "en", "text": "x" * 513}, False),
    ({"language": "en", "text": "x" * 512}, True), ("Behind the gate", False)], ids=lambda v: str(v)[:30])
def test_a_display_text_has_a_language_and_a_text(cpo, direction, taken):
    """R-TYPE-11."""
    place = cpo.location(directions=[direction])
    envelope(cpo.put(cpo.own("locations", place["id"]), place), 201 if taken else 200, 1000 if taken else 2001)
