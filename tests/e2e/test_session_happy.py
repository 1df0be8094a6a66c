# SPDX-License-Identifier: Apache-2.0
"""The whole life of a session, with the exact keys and types of the published API (contract 5)."""

import re
import time
import uuid
from decimal import ROUND_HALF_UP, Decimal

import requests
from harness import User, ok, problem, rounded, wait_until

STATUS_KEYS = {"session_id", "status", "energy_kwh", "cost", "currency", "duration_minutes",
               "start_time", "substatus", "end_time", "failure_code", "last_error", "updated_at",
               "cost_estimated", "cost_detail"}
RECEIPT_KEYS = {"session_id", "network", "evse_id", "energy_kwh", "duration_minutes", "cost",
                "currency", "payment_status"}
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")


def is_number(value):
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def check_status(s):
    assert set(s) == STATUS_KEYS
    assert str(uuid.UUID(s["session_id"])) == s["session_id"]
    assert s["status"] in ("pending", "active", "stopping", "completed", "failed")
    assert is_number(s["energy_kwh"]) and s["energy_kwh"] >= 0
    assert is_number(s["cost"]) and s["cost"] >= 0
    assert re.fullmatch(r"[A-Z]{3}", s["currency"])
    assert isinstance(s["duration_minutes"], int) and s["duration_minutes"] >= 0
    for name in ("start_time", "end_time"):
        assert s[name] is None or TIME.fullmatch(s[name]), s
    assert TIME.fullmatch(s["updated_at"])
    assert isinstance(s["cost_estimated"], bool)


def test_a_session_lives_from_start_to_receipt(user, sim, evse):
    answer = user.start(evse, connector_type="CCS", battery_target_kwh=60.0)
    started = ok(answer)
    session_id = started["session_id"]
    assert started == {"session_id": session_id, "status": "pending", "evse_id": evse,
                       "network": "Virta"}
    assert str(uuid.UUID(session_id)) == session_id
    assert uuid.UUID(session_id).version in (4, 7)
    assert answer.headers["Content-Type"].split(";")[0] == "application/json"

    active = user.wait_for(session_id, lambda s: s["status"] == "active" and s["energy_kwh"] > 0)
    check_status(active)
    assert active["start_time"] and active["end_time"] is None and active["failure_code"] is None
    assert active["currency"] == "EUR"
    more = user.wait_for(session_id, lambda s: s["energy_kwh"] > active["energy_kwh"])
    assert more["cost"] >= active["cost"]
    problem(user.receipt(session_id), 409, "receipt_not_ready")

    assert ok(user.stop(session_id)) == {"session_id": session_id, "status": "stopping"}
    done = user.wait_for(session_id, "completed")
    check_status(done)
    assert done["end_time"] and done["cost_estimated"] is False

    receipt = ok(user.receipt(session_id))
    assert set(receipt) == RECEIPT_KEYS
    cdr = next(r["body"] for r in sim.sent(method="POST", path="/cdrs", contains=session_id))
    assert receipt["session_id"] == session_id and receipt["evse_id"] == evse
    assert receipt["network"] == "Virta" and receipt["currency"] == cdr["currency"]
    assert receipt["payment_status"] == "not_required"
    assert Decimal(str(receipt["energy_kwh"])) == rounded(cdr["total_energy"], 3)
    # Rounded once, half away from zero, to the currency's decimals.
    assert Decimal(str(receipt["cost"])) == Decimal(str(cdr["total_cost"]["incl_vat"])).quantize(
        Decimal("0.01"), ROUND_HALF_UP)
    assert isinstance(receipt["duration_minutes"], int)
    assert done["energy_kwh"] == receipt["energy_kwh"] and done["cost"] == receipt["cost"]
    assert len(sim.commands("START_SESSION", session_id)) == 1


def test_numbers_are_written_with_decimals(user, evse):
    """Contract 1: energy with 1 to 3 decimals, money with the currency's."""
    session_id = user.started(evse)
    for text in (user.status(session_id).text, str_of_receipt(user, session_id)):
        assert re.search(r'"energy_kwh":\s*\d+\.\d{1,3}[,}\s]', text), text
        assert re.search(r'"cost":\s*\d+\.\d\d[,}\s]', text), text


def str_of_receipt(user, session_id):
    user.finished(session_id)
    return user.receipt(session_id).text


def test_pending_shows_zeros_and_no_start(user, sim, evse):
    sim.behave("no-callback", evse)
    sim.behave("session-never", evse)
    session_id = ok(user.start(evse))["session_id"]
    status = ok(user.status(session_id))
    check_status(status)
    assert (status["status"], status["energy_kwh"], status["cost"], status["duration_minutes"],
            status["start_time"]) == ("pending", 0, 0, 0, None)
    assert status["cost_estimated"] is True


def test_the_evse_id_is_echoed_as_it_was_sent(user, world):
    """Contract 5.1: any spelling finds it, here and in every later answer."""
    spelt = world.fresh_evse().replace("*", "-").lower().replace("fi-vrt-e", "fi-VRT-E")
    session_id = ok(user.start(spelt))["session_id"]
    user.wait_for(session_id, "active")
    assert ok(user.show(session_id))["evse_id"] == spelt
    assert user.finished(session_id)["evse_id"] == spelt


def test_the_session_id_is_taken_in_any_case(user, evse):
    session_id = user.started(evse)
    assert ok(user.status(session_id.upper()))["session_id"] == session_id
    assert ok(user.stop(session_id.upper())) == {"session_id": session_id, "status": "stopping"}


def test_start_session_carries_what_ocpi_asks_for(user, sim, evse):
    """R-CMD-05, R-ASYNC-10, R-REST-02, R-TRANS-01, -02, -60."""
    session_id = user.started(evse)
    request, = sim.commands("START_SESSION", session_id)
    body = request["body"]
    assert body["authorization_reference"] == session_id
    assert set(body) >= {"response_url", "token", "location_id", "evse_uid"}
    token = body["token"]
    assert (token["country_code"], token["party_id"], token["type"]) == ("FI", "HUB", "APP_USER")
    assert token["whitelist"] == "NEVER" and token["valid"] is True and len(token["uid"]) == 20
    assert user.sub not in str(body)
    callback = body["response_url"].rsplit("/", 1)[1]
    assert "/ocpi/emsp/2.2.1/cb/" in body["response_url"] and len(body["response_url"]) <= 255
    assert re.fullmatch(r"[0-9a-f]{32}", callback)
    h = request["headers"]
    assert h["x-request-id"] and h["x-correlation-id"]
    assert (h["ocpi-from-country-code"], h["ocpi-from-party-id"]) == ("FI", "HUB")
    assert (h["ocpi-to-country-code"], h["ocpi-to-party-id"]) == ("FI", "VRT")


def test_one_user_has_one_token(user, world):
    """R-REST-02."""
    uids = set()
    for _ in range(2):
        session_id = user.started(world.fresh_evse())
        uids.add(world.sim.commands("START_SESSION", session_id)[0]["body"]["token"]["uid"])
        user.finished(session_id)
    assert len(uids) == 1


def test_a_connector_is_named_where_the_evse_demands_it(user, sim):
    """START_SESSION_CONNECTOR_REQUIRED; and the connector is the one that was asked for."""
    session_id = user.started("FI*VRT*E20001*1", connector_type="TYPE2")
    body = sim.commands("START_SESSION", session_id)[0]["body"]
    assert body["connector_id"] == "2" and body["evse_uid"] == "4001"
    user.finished(session_id)


def test_charging_stops_by_itself_at_the_target(user, world):
    """Contract 5.1: battery_target_kwh is energy of this session; overshoot one reading at most."""
    # On AC a reading is a third of a kWh more, so that there is room for a network that is slow to stop.
    session_id = ok(user.start(world.fresh_evse(ac=True), battery_target_kwh=3.5))["session_id"]
    user.wait_for(session_id, "completed", 80)
    receipt = ok(user.receipt(session_id))
    assert 3.4 <= receipt["energy_kwh"] <= 3.5 + 2


def test_the_car_is_full(user, sim, world):
    """Rule 6: the network says that it has ended; no stop is sent."""
    evse = world.fresh_evse()
    session_id = user.started(evse)
    network_id = sim.session(session_id)["id"]
    sim.advance(3 * 3600)
    user.wait_for(session_id, "completed")
    assert sim.commands("STOP_SESSION", network_id) == []


def test_the_cable_is_pulled(user, sim, evse):
    session_id = user.started(evse)
    network_id = sim.session(session_id)["id"]
    sim.post("/sim/unplug", evse=evse)
    user.wait_for(session_id, "completed")
    assert sim.commands("STOP_SESSION", network_id) == []


# ---- stop: contract 5.2 ----


def test_stop_may_be_asked_again(user, sim, evse):
    """R-REST-03: by the network's own id of the session; asking again is no second stop."""
    sim.behave("late-cdr", evse, after_s=3600)
    session_id = user.started(evse)
    network_id = sim.session(session_id)["id"]
    for _ in range(3):
        assert ok(user.stop(session_id)) == {"session_id": session_id, "status": "stopping"}
    user.wait_for(session_id, lambda s: s["substatus"] == "awaiting_cdr")
    assert ok(user.stop(session_id))["status"] == "stopping"
    assert len(sim.commands("STOP_SESSION", network_id)) == 1


def test_stop_of_a_finished_session_is_refused(user, evse):
    session_id = user.started(evse)
    user.finished(session_id)
    assert problem(user.stop(session_id), 409, "session_already_ended")["session_status"] == "completed"


def test_stop_before_the_network_confirmed_waits_for_the_session(user, sim, evse):
    """Rule 4, R-CMD-11: it is sent once the network's session is known."""
    sim.behave("slow-start", evse, after_s=120)
    session_id = ok(user.start(evse))["session_id"]
    wait_until(lambda: sim.commands("START_SESSION", session_id), what="START_SESSION")
    assert ok(user.stop(session_id))["status"] == "stopping"
    assert not sim.requests(path="/commands/STOP_SESSION", contains=session_id)
    user.wait_for(session_id, "completed", 30)
    network_id = sim.session(session_id)["id"]
    assert len(sim.commands("STOP_SESSION", network_id)) == 1
    assert len(sim.commands("START_SESSION", session_id)) == 1


# ---- status: contract 5.3 ----


def test_status_has_an_etag(user, sim, evse):
    sim.behave("session-never", evse)
    session_id = ok(user.start(evse))["session_id"]
    user.wait_for(session_id, lambda s: s["substatus"] == "command_accepted")
    time.sleep(0.5)
    etag = user.status(session_id).headers["ETag"]
    again = user.status(session_id, headers={"If-None-Match": etag})
    assert again.status_code == 304 and again.content == b""
    other = user.status(session_id, headers={"If-None-Match": '"something-else"'})
    assert other.status_code == 200


def test_long_poll_answers_at_the_change(user, sim, evse):
    sim.behave("slow-start", evse, after_s=90)  # a second and a half
    session_id = ok(user.start(evse))["session_id"]
    began = time.monotonic()
    status = ok(user.status(session_id, wait=25))
    assert status["status"] == "active" and time.monotonic() - began < 15


def test_long_poll_ends_without_a_change(user, sim, evse):
    sim.behave("session-never", evse)
    session_id = ok(user.start(evse))["session_id"]
    began = time.monotonic()
    assert ok(user.status(session_id, wait=1))["status"] == "pending"
    assert 0.9 <= time.monotonic() - began < 5


# ---- charging profile: contract 5.4, 5.5 ----

PROFILE_KEYS = {"session_id", "profile_set", "max_charge_rate_kw", "departure_time", "periods"}


def test_a_profile_takes_effect_and_is_cleared(user, sim, evse):
    session_id = user.started(evse)
    answer = ok(user.set_profile(session_id, {"max_charge_rate_kw": 7.4}))
    assert answer == {"session_id": session_id, "profile_set": True, "max_charge_rate_kw": 7.4,
                      "departure_time": None, "periods": [{"start_period": 0, "limit": 7400}]}
    sent = [r for r in sim.requests(method="PUT", path="/chargingprofiles/")
            if sim.session(session_id)["id"] in r["path"]]
    profile = sent[0]["body"]["charging_profile"]
    assert profile["charging_rate_unit"] == "W"
    assert profile["charging_profile_period"] == [{"start_period": 0, "limit": 7400}]
    assert "duration" not in profile or profile["duration"] is None
    wait_until(lambda: sim.session(session_id)["power_w"] <= 7400, what="less power")

    answer = ok(user.clear_profile(session_id))
    assert answer == {"session_id": session_id, "profile_cleared": True}
    wait_until(lambda: sim.session(session_id)["power_w"] > 7400, what="full power")
    deleted = [r for r in sim.requests(method="DELETE", path="/chargingprofiles/")
               if sim.session(session_id)["id"] in r["path"]]
    assert len(deleted) == 1 and "response_url=http%3A" in deleted[0]["path"]


def test_a_profile_with_a_departure_ends_then(user, sim, evse):
    session_id = user.started(evse)
    departure = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 7200))
    answer = ok(user.set_profile(session_id, {"max_charge_rate_kw": 11.0, "departure_time": departure}))
    assert set(answer) == PROFILE_KEYS
    assert answer["departure_time"] == departure and answer["max_charge_rate_kw"] == 11.0
    assert answer["periods"] == [{"start_period": 0, "limit": 11000}]
    sent = [r for r in sim.requests(method="PUT", path="/chargingprofiles/")
            if sim.session(session_id)["id"] in r["path"]]
    assert 7100 <= sent[0]["body"]["charging_profile"]["duration"] <= 7200


def test_a_profile_of_periods(user, sim, evse):
    session_id = user.started(evse)
    periods = [{"start_period": 0, "limit": 11000}, {"start_period": 3600, "limit": 7400.5}]
    answer = ok(user.set_profile(session_id, {"periods": periods}))
    assert answer == {"session_id": session_id, "profile_set": True, "max_charge_rate_kw": None,
                      "departure_time": None, "periods": periods}


def test_limit_zero_pauses(user, sim, evse):
    session_id = user.started(evse)
    ok(user.set_profile(session_id, {"periods": [{"start_period": 0, "limit": 0}]}))
    wait_until(lambda: sim.session(session_id)["power_w"] == 0, what="no power")
    ok(user.clear_profile(session_id))
    wait_until(lambda: sim.session(session_id)["power_w"] > 0, what="power again")


def test_clearing_where_none_was_set_is_fine(user, evse):
    session_id = user.started(evse)
    assert ok(user.clear_profile(session_id)) == {"session_id": session_id, "profile_cleared": True}


def test_no_profile_before_or_after_charging(user, sim, world):
    waiting, done = world.fresh_evse(), world.fresh_evse()
    sim.behave("session-never", waiting)
    pending = ok(user.start(waiting))["session_id"]
    problem(user.set_profile(pending, {"max_charge_rate_kw": 7.4}), 409, "session_not_active")
    finished = user.started(done)
    user.finished(finished)
    problem(user.set_profile(finished, {"max_charge_rate_kw": 7.4}), 409, "session_not_active")
    problem(user.clear_profile(finished), 409, "session_not_active")


def test_an_evse_without_profiles_is_never_asked(world, sim):
    """R-CP-09; nothing is sent."""
    user = User(world.hub)
    session_id = user.started("FI*VRT*E20001*2")
    network_id = sim.session(session_id)["id"]
    problem(user.set_profile(session_id, {"max_charge_rate_kw": 7.4}), 422, "profile_not_supported")
    problem(user.clear_profile(session_id), 422, "profile_not_supported")
    assert not [r for r in sim.requests(path="/chargingprofiles/") if network_id in r["path"]]
    user.finished(session_id)


# ---- the other endpoints: contract 5.7 ----


def test_the_list_has_own_sessions_newest_first_in_pages(world):
    user = User(world.hub)
    ids = []
    for _ in range(3):
        ids.insert(0, user.started(world.fresh_evse()))
        user.finished(ids[0])
    page = ok(user.list(limit=2))
    assert [s["session_id"] for s in page["items"]] == ids[:2] and page["next_cursor"]
    rest = ok(user.list(limit=2, cursor=page["next_cursor"]))
    assert [s["session_id"] for s in rest["items"]] == ids[2:] and rest["next_cursor"] is None
    assert STATUS_KEYS | {"evse_id", "network"} == set(page["items"][0])
    assert ok(user.list(status="active"))["items"] == []
    assert len(ok(user.list(status=["active", "completed"]))["items"]) == 3
    for bad, code in ((("limit", 0), "limit_invalid"), (("limit", 101), "limit_invalid"),
                      (("limit", "ten"), "limit_invalid"), (("cursor", "x"), "cursor_invalid"),
                      (("status", "charging"), "status_invalid"), (("from", "today"), "from_invalid")):
        errors = problem(user.list(**dict([bad])), 422, "validation_failed")["errors"]
        assert [e["code"] for e in errors] == [code]


def test_a_session_tells_its_events(user, evse):
    session_id = user.started(evse)
    user.finished(session_id)
    events = ok(user.show(session_id))["events"]
    assert all(set(e) == {"seq", "at", "from", "to", "cause", "by"} for e in events)
    states = [e["to"] for e in events]
    assert states[0] == "pending" and states[-1] == "completed"
    assert [s for i, s in enumerate(states) if i == 0 or s != states[i - 1]] == \
        ["pending", "active", "stopping", "completed"]
    assert events[0]["from"] is None
    assert all(b["seq"] > a["seq"] for a, b in zip(events, events[1:]))


def test_an_evse_shows_what_an_app_needs(user):
    evse = ok(user.evse("fi-vrt-e12345"))
    assert set(evse) == {"evse_id", "network", "status", "startable", "profiles", "location",
                         "connectors", "tariff", "updated_at"}
    assert evse["evse_id"] == "FI*VRT*E12345" and evse["network"] == "Virta"
    assert evse["startable"] is True and evse["profiles"] is True
    # 0.30 per kWh plus 24 % VAT, as the network's own tariff has it.
    assert evse["tariff"] == {"kwh_price": 0.372, "session_price": 0, "time_tariffs": [],
                              "vat": 0.24, "currency": "EUR", "max_charging_time": None}
    assert {c["standard"]: c["power_kw"] for c in evse["connectors"]} == \
        {"IEC_62196_T2_COMBO": 150.0, "CHADEMO": 50.0}
    assert set(evse["location"]) == {"name", "address", "city", "country", "time_zone", "latitude",
                                     "longitude"}
    assert is_number(evse["location"]["latitude"])
    for unstartable in ("FI*VRT*E30001", "FI*VRT*E30002"):
        assert ok(user.evse(unstartable))["startable"] is False
    problem(user.evse("FI*VRT*E77777"), 404, "evse_not_found")


# ---- one open session per connector, limits ----


def test_an_evse_is_busy_until_the_network_reports_the_end(world, sim, evse):
    first, second = User(world.hub), User(world.hub)
    sim.behave("late-cdr", evse, after_s=3600)
    session_id = first.started(evse)
    body = problem(first.start(evse), 409, "evse_busy")
    assert body["session_id"] == session_id
    body = problem(second.start(evse), 409, "evse_busy")
    assert session_id not in str(body)
    ok(first.stop(session_id))
    first.wait_for(session_id, lambda s: s["substatus"] == "awaiting_cdr")
    # Waiting for a CDR blocks nobody.
    ok(second.start(evse))


def test_a_user_has_three_open_sessions_at_most(world):
    user = User(world.hub)
    for _ in range(3):
        user.started(world.fresh_evse())
    problem(user.start(world.fresh_evse()), 409, "session_limit_reached")


# ---- health: contract 12 ----


def test_health_readiness_and_metrics(hub):
    for base in (hub.url, hub.internal_url):
        assert requests.get(base + "/healthz", timeout=5).status_code == 200
        assert requests.get(base + "/readyz", timeout=5).status_code == 200
    assert requests.get(hub.url + "/metrics", timeout=5).status_code == 404
    text = requests.get(hub.internal_url + "/metrics", timeout=5).text
    assert "hub_http_requests_total{" in text and "# TYPE hub_http_requests_total counter" in text


def test_the_published_api_lists_the_session_endpoints(hub):
    paths = ok(requests.get(hub.url + "/v1/openapi.json", timeout=5))["paths"]
    assert {"/v1/sessions/start", "/v1/sessions/stop", "/v1/sessions/{session_id}/status",
            "/v1/sessions/{session_id}/charging-profile",
            "/v1/sessions/{session_id}/receipt"} <= set(paths)
