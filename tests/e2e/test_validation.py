# SPDX-License-Identifier: Apache-2.0
"""One test per row of the validation tables of contract 1, 5.1, 5.2 and 5.4: HTTP status and code."""

import json
import time
import uuid

import pytest
from harness import User, ok, problem


def at(seconds):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + seconds))


def raw(user, path, body, content_type="application/json", method="POST"):
    headers = {"Content-Type": content_type} if content_type else {}
    return user.call(method, path, data=body if isinstance(body, bytes) else body.encode(), headers=headers)


START = "/v1/sessions/start"
STOP = "/v1/sessions/stop"
GOOD = "FI*VRT*E12345"
# Names of tests must be the same in every process that collects them.
SOME_ID = "770e8400-e29b-41d4-a716-446655440002"


def failures(response, *expected):
    body = problem(response, 422, "validation_failed")
    assert [(e["field"], e["code"]) for e in body["errors"]] == list(expected)
    assert all(set(e) == {"field", "code", "message"} and e["message"] for e in body["errors"])


# ---- what holds for every body ----


@pytest.mark.parametrize("path", [START, STOP])
@pytest.mark.parametrize("body,status,code", [
    ("", 400, "malformed_json"),
    ("   ", 400, "malformed_json"),
    ("{", 400, "malformed_json"),
    ("nonsense", 400, "malformed_json"),
    ('{"evse_id":"a"} x', 400, "malformed_json"),
    ('{"evse_id":"a"}{}', 400, "malformed_json"),
    ('{"evse_id":"a","evse_id":"b"}', 400, "malformed_json"),
    ('{"evse_id":"a","\\u0065vse_id":"b"}', 400, "malformed_json"),
    ("{'evse_id':'a'}", 400, "malformed_json"),
    ('{"evse_id":"a",}', 400, "malformed_json"),
    ('{"evse_id":NaN}', 400, "malformed_json"),
    ('{"evse_id":01}', 400, "malformed_json"),
    ('{"evse_id":"\x01"}', 400, "malformed_json"),
    (b'{"evse_id":"\xff"}', 400, "malformed_json"),
    (b'\xef\xbb\xbf{"evse_id":"a"}', 400, "malformed_json"),
    ('{"a":' * 100 + "1" + "}" * 100, 400, "malformed_json"),
    ("[]", 400, "invalid_body"),
    ('"text"', 400, "invalid_body"),
    ("42", 400, "invalid_body"),
    ("null", 400, "invalid_body"),
    ('{"evse_id":"' + "x" * 70000 + '"}', 413, "body_too_large"),
], ids=lambda v: repr(v)[:24])
def test_a_body_that_is_no_json_object(user, path, body, status, code):
    problem(raw(user, path, body), status, code)


@pytest.mark.parametrize("content_type", [None, "text/plain", "application/x-www-form-urlencoded",
                                          "application/jsonp", "multipart/form-data"])
def test_the_content_type_must_be_json(user, content_type):
    problem(raw(user, START, '{"evse_id":"x"}', content_type), 415, "unsupported_media_type")


@pytest.mark.parametrize("content_type", ["application/json; charset=utf-8", "Application/JSON",
                                          "application/json;charset=UTF-8"])
def test_json_may_name_its_charset(user, content_type):
    failures(raw(user, START, "{}", content_type), ("evse_id", "evse_id_required"))


@pytest.mark.parametrize("method,path", [
    ("GET", START), ("PUT", START), ("DELETE", STOP), ("POST", "/v1/sessions"),
    ("PATCH", f"/v1/sessions/{SOME_ID}/status"), ("PUT", f"/v1/sessions/{SOME_ID}/charging-profile"),
    ("POST", f"/v1/sessions/{SOME_ID}/receipt"),
])
def test_a_wrong_method(user, method, path):
    response = user.call(method, path, json={})
    problem(response, 405, "method_not_allowed")
    assert method not in response.headers["Allow"]


@pytest.mark.parametrize("path", ["/", "/v1", "/v1/session", "/v1/sessions/start/", "/V1/sessions/start",
                                  "/v2/sessions/start", "/v1/sessions/start/x", "/v1//sessions/start"])
def test_an_unknown_path(user, path):
    problem(user.call("POST", path, json={}), 404, "not_found")


@pytest.mark.parametrize("tail,method", [("status", "GET"), ("receipt", "GET"), ("charging-profile", "POST"),
                                         ("charging-profile", "DELETE"), ("", "GET")])
@pytest.mark.parametrize("bad", ["1", "not-a-uuid", "770e8400-e29b-41d4-a716-44665544000",
                                 "770e8400e29b41d4a716446655440002", "770e8400-e29b-41d4-a716-44665544000g",
                                 "%27%20OR%201%3D1--"])
def test_a_path_id_that_is_no_uuid(user, tail, method, bad):
    path = f"/v1/sessions/{bad}/{tail}".rstrip("/")
    body = {"max_charge_rate_kw": 7.4} if method == "POST" else None
    problem(user.call(method, path, json=body), 400, "invalid_session_id")


def test_unknown_fields_are_ignored_and_have_no_power(user, evse):
    """A27: nobody assigns more than the table lists."""
    answer = ok(user.start(evse, role="admin", user_id="other", price=0, status="completed",
                           session_id=str(uuid.uuid4()), __proto__={"x": 1}))
    status = ok(user.status(answer["session_id"]))
    assert answer["status"] == "pending" and status["status"] in ("pending", "active")


def test_the_request_id_is_kept(user):
    r = user.call("POST", START, json={}, headers={"X-Request-Id": "app-4711"})
    assert r.headers["X-Request-ID"] == "app-4711" and r.json()["request_id"] == "app-4711"
    for bad in ("x" * 129, "a\tb"):
        r = user.call("POST", START, json={}, headers={"X-Request-Id": bad})
        assert r.headers["X-Request-ID"] not in (bad, "")


# ---- 5.1 start ----


@pytest.mark.parametrize("body,code", [
    ({}, "evse_id_required"),
    ({"evse_id": None}, "evse_id_required"),
    ({"evse_id": 5}, "evse_id_invalid"),
    ({"evse_id": True}, "evse_id_invalid"),
    ({"evse_id": ["FI*VRT*E1"]}, "evse_id_invalid"),
    ({"evse_id": {}}, "evse_id_invalid"),
    ({"evse_id": ""}, "evse_id_invalid"),
    ({"evse_id": " "}, "evse_id_invalid"),
    ({"evse_id": "FI*VRT*E" + "1" * 41}, "evse_id_invalid"),
    ({"evse_id": "FI*VRT*E" + "1" * 31}, "evse_id_invalid"),
    ({"evse_id": "FI*VRT*E"}, "evse_id_invalid"),
    ({"evse_id": "F1*VRT*E1"}, "evse_id_invalid"),
    ({"evse_id": "FIN*VRT*E1"}, "evse_id_invalid"),
    ({"evse_id": "FI*VR*E1"}, "evse_id_invalid"),
    ({"evse_id": "FI*VR!*E1"}, "evse_id_invalid"),
    ({"evse_id": "FI*VRT*X1"}, "evse_id_invalid"),
    ({"evse_id": "FI*VRT*E1 "}, "evse_id_invalid"),
    ({"evse_id": "FI*VRT*E1\n"}, "evse_id_invalid"),
    ({"evse_id": "FI/VRT/E1"}, "evse_id_invalid"),
    ({"evse_id": "FI*VRT*E1_2"}, "evse_id_invalid"),
    ({"evse_id": "FI*VRT*E1ä"}, "evse_id_invalid"),
    ({"evse_id": "' OR 1=1--"}, "evse_id_invalid"),
    ({"evse_id": "3256"}, "evse_id_invalid"),
], ids=lambda v: str(v)[:40])
def test_start_evse_id(user, body, code):
    failures(user.call("POST", START, json=body), ("evse_id", code))


@pytest.mark.parametrize("evse_id", ["FI*VRT*E99999", "DE*XYZ*E1", "fi-vrt-e99999", "FIVRTE99999"])
def test_start_at_an_unknown_evse(user, evse_id):
    body = problem(user.start(evse_id), 404, "evse_not_found")
    assert body["errors"][0]["field"] == "evse_id" and evse_id in body["detail"]


@pytest.mark.parametrize("evse_id", ["FI*VRT*E30001", "FI*VRT*E30002", "FI*VRT*E30003"],
                         ids=["no capability", "planned", "removed"])
def test_start_at_an_evse_that_takes_no_remote_start(user, sim, evse_id):
    before = len(sim.requests(path="START_SESSION"))
    response = user.start(evse_id)
    # What was removed before we ever saw it may as well be unknown.
    if evse_id == "FI*VRT*E30003" and response.status_code == 404:
        problem(response, 404, "evse_not_found")
    else:
        problem(response, 422, "evse_not_startable")
    assert not [r for r in sim.requests(path="START_SESSION")[before:]
                if r["body"].get("evse_uid") in ("5001", "5002", "5003")]


@pytest.mark.parametrize("value", ["CSS", "", "CCS ", "IEC_62196_T9", 5, True, ["CCS"], {}])
def test_start_connector_type(user, value):
    failures(user.start(GOOD, connector_type=value), ("connector_type", "connector_type_invalid"))


@pytest.mark.parametrize("value", ["TYPE2", "type2", "NACS", "SCHUKO", "CCS1", "GBT_DC", "IEC_62196_T2",
                                   "TESLA_S", "DOMESTIC_F"])
def test_start_with_a_connector_the_evse_has_not(user, value):
    problem(user.start(GOOD, connector_type=value), 422, "connector_type_mismatch")


@pytest.mark.parametrize("value", ["CCS", "ccs", "CCS2", "IEC_62196_T2_COMBO", "iec_62196_t2_combo", None])
def test_start_with_a_connector_the_evse_has(user, world, value):
    ok(user.start(world.fresh_evse(), connector_type=value))


@pytest.mark.parametrize("value", ["60", "", True, [], {}, 0, 0.0, -1, -0.001, 1000.001, 1001, 1e20, 1.2345,
                                   0.0001, 59.99999])
def test_start_battery_target_kwh(user, value):
    failures(user.start(GOOD, battery_target_kwh=value), ("battery_target_kwh", "battery_target_kwh_invalid"))


@pytest.mark.parametrize("value", [0.001, 1, 60.0, 60.125, 999.999, 1000, None])
def test_start_battery_target_kwh_that_is_fine(user, world, value):
    ok(user.start(world.fresh_evse(), battery_target_kwh=value))


@pytest.mark.parametrize("value", ["x" * 65, "a\nb", "a\u0007", "\u007f", 5, [], {}, True])
def test_start_user_reference(user, value):
    failures(user.start(GOOD, user_reference=value), ("user_reference", "user_reference_invalid"))


@pytest.mark.parametrize("value", ["x" * 64, "ä" * 64, "\U0001f50c" * 64, "fleet 7, <b>'\"", "", None])
def test_start_user_reference_that_is_fine(user, world, value):
    """U05: characters are counted, not bytes."""
    ok(user.start(world.fresh_evse(), user_reference=value))


def test_all_wrong_fields_are_named_at_once_in_order(user):
    response = user.call("POST", START, json={"user_reference": 1, "battery_target_kwh": "x",
                                              "connector_type": "Y", "evse_id": 7})
    failures(response, ("evse_id", "evse_id_invalid"), ("connector_type", "connector_type_invalid"),
             ("battery_target_kwh", "battery_target_kwh_invalid"),
             ("user_reference", "user_reference_invalid"))


# ---- 5.2 stop ----


@pytest.mark.parametrize("body,code", [
    ({}, "session_id_required"), ({"session_id": None}, "session_id_required"),
    ({"session_id": "x"}, "session_id_invalid"), ({"session_id": ""}, "session_id_invalid"),
    ({"session_id": 7}, "session_id_invalid"), ({"session_id": []}, "session_id_invalid"),
    ({"session_id": "770e8400e29b41d4a716446655440002"}, "session_id_invalid"),
    ({"session_id": "{770e8400-e29b-41d4-a716-446655440002}"}, "session_id_invalid"),
], ids=str)
def test_stop_session_id(user, body, code):
    failures(user.call("POST", STOP, json=body), ("session_id", code))


def test_stop_of_an_unknown_session(user):
    problem(user.stop(str(uuid.uuid4())), 404, "session_not_found")


# ---- 5.4 charging profile ----


@pytest.fixture(scope="module")
def charging(shared_world):
    """A session that is active for as long as this file runs."""
    user = User(shared_world.hub)
    evse = shared_world.fresh_evse()
    session_id = user.started(evse)
    # So slowly that the car is never full.
    ok(user.set_profile(session_id, {"max_charge_rate_kw": 1}))
    yield user, session_id
    user.finished(session_id)


def period(start, limit):
    return {"start_period": start, "limit": limit}


@pytest.mark.parametrize("body,field,code", [
    ({}, None, "profile_empty"),
    ({"max_charge_rate_kw": None}, None, "profile_empty"),
    ({"something": 1}, None, "profile_empty"),
    ({"periods": [period(0, 1)], "max_charge_rate_kw": 7.4}, None, "profile_conflict"),
    ({"periods": [period(0, 1)], "departure_time": "DEPARTURE"}, None, "profile_conflict"),
    ({"departure_time": "DEPARTURE"}, "max_charge_rate_kw", "max_charge_rate_kw_required"),
    ({"max_charge_rate_kw": 0}, "max_charge_rate_kw", "max_charge_rate_kw_invalid"),
    ({"max_charge_rate_kw": -7.4}, "max_charge_rate_kw", "max_charge_rate_kw_invalid"),
    ({"max_charge_rate_kw": "7.4"}, "max_charge_rate_kw", "max_charge_rate_kw_invalid"),
    ({"max_charge_rate_kw": True}, "max_charge_rate_kw", "max_charge_rate_kw_invalid"),
    ({"max_charge_rate_kw": 1000.1}, "max_charge_rate_kw", "max_charge_rate_kw_invalid"),
    ({"max_charge_rate_kw": 7.40001}, "max_charge_rate_kw", "max_charge_rate_kw_invalid"),
    ({"max_charge_rate_kw": []}, "max_charge_rate_kw", "max_charge_rate_kw_invalid"),
    ({"max_charge_rate_kw": 7.4, "departure_time": 5}, "departure_time", "departure_time_invalid"),
    ({"max_charge_rate_kw": 7.4, "departure_time": "soon"}, "departure_time", "departure_time_invalid"),
    ({"max_charge_rate_kw": 7.4, "departure_time": "2027-02-30T08:00:00Z"}, "departure_time",
     "departure_time_invalid"),
    ({"max_charge_rate_kw": 7.4, "departure_time": "2026-12-30T08:00:00"}, "departure_time",
     "departure_time_invalid"),
    ({"max_charge_rate_kw": 7.4, "departure_time": "2020-01-01T00:00:00Z"}, "departure_time",
     "departure_time_past"),
    ({"max_charge_rate_kw": 7.4, "departure_time": "SOON"}, "departure_time", "departure_time_past"),
    ({"max_charge_rate_kw": 7.4, "departure_time": "FAR"}, "departure_time", "departure_time_too_far"),
    ({"periods": []}, "periods", "periods_invalid"),
    ({"periods": {}}, "periods", "periods_invalid"),
    ({"periods": "x"}, "periods", "periods_invalid"),
    ({"periods": [period(i, 1) for i in range(101)]}, "periods", "periods_invalid"),
    ({"periods": [period(0, 1), {"limit": 1}]}, "periods[1].start_period", "start_period_invalid"),
    ({"periods": [period(0, 1), period(1.5, 1)]}, "periods[1].start_period", "start_period_invalid"),
    ({"periods": [period(0, 1), period("60", 1)]}, "periods[1].start_period", "start_period_invalid"),
    ({"periods": [period(-1, 1)]}, "periods[0].start_period", "start_period_invalid"),
    ({"periods": [period(0, 1), period(604801, 1)]}, "periods[1].start_period", "start_period_invalid"),
    ({"periods": [period(60, 1)]}, "periods[0].start_period", "periods_must_start_at_zero"),
    ({"periods": [period(0, 1), period(0, 2)]}, "periods[1].start_period", "periods_not_ordered"),
    ({"periods": [period(0, 1), period(60, 1), period(30, 2)]}, "periods[2].start_period",
     "periods_not_ordered"),
    ({"periods": [{"start_period": 0}]}, "periods[0].limit", "limit_invalid"),
    ({"periods": [period(0, "11000")]}, "periods[0].limit", "limit_invalid"),
    ({"periods": [period(0, -1)]}, "periods[0].limit", "limit_invalid"),
    ({"periods": [period(0, 1000000.1)]}, "periods[0].limit", "limit_invalid"),
    ({"periods": [period(0, 11000.25)]}, "periods[0].limit", "limit_invalid"),
], ids=lambda v: json.dumps(v)[:50] if isinstance(v, dict) else None)
def test_charging_profile(charging, body, field, code):
    user, session_id = charging
    times = {"DEPARTURE": at(3600), "SOON": at(50), "FAR": at(7 * 86400 + 60)}
    body = {k: times.get(v, v) if isinstance(v, str) else v for k, v in body.items()}
    answer = problem(user.set_profile(session_id, body), 422, "validation_failed")
    assert code in [e["code"] for e in answer["errors"]], answer
    if field:
        assert (field, code) in [(e["field"], e["code"]) for e in answer["errors"]], answer


@pytest.mark.parametrize("body", [
    {"max_charge_rate_kw": 0.0001}, {"max_charge_rate_kw": 1000}, {"max_charge_rate_kw": 7.4123},
    {"periods": [period(0, 1000000)]}, {"periods": [period(0, 0.5)]},
    {"periods": [period(60 * i, 5000 + i) for i in range(100)]},
    {"periods": [period(0, 11000), period(604800, 7400)]},
], ids=lambda v: json.dumps(v)[:50])
def test_charging_profile_at_its_limits(user, evse, body):
    session_id = user.started(evse)
    assert ok(user.set_profile(session_id, body))["profile_set"] is True


@pytest.mark.parametrize("offset", ["+02:00", "-07:30", "Z", ".250Z"])
def test_departure_in_any_offset_comes_back_in_utc(charging, offset):
    user, session_id = charging
    hours = {"+02:00": 2, "-07:30": -7.5}.get(offset, 0)
    departure = time.time() + 7200
    text = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(departure + hours * 3600)) + offset
    answer = ok(user.set_profile(session_id, {"max_charge_rate_kw": 5, "departure_time": text}))
    assert answer["departure_time"] == time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(departure))
