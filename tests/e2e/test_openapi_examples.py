# SPDX-License-Identifier: Apache-2.0
"""
The examples of openapi/openapi.yaml against the running hub: what is asked there can be asked, and
the answers have the examples' keys and types, and fit the schemas.
"""

import datetime
import pathlib

import jsonschema
import pytest
import requests
import yaml

from harness import User, ok

ROOT = pathlib.Path(__file__).resolve().parents[2]
DOCUMENT = yaml.safe_load((ROOT / "openapi" / "openapi.yaml").read_text(encoding="utf-8"))


def resolved(node):
    while isinstance(node, dict) and "$ref" in node:
        target = DOCUMENT
        for step in node["$ref"].removeprefix("#/").split("/"):
            target = target[step]
        node = target
    return node


def operation_of(method, path):
    return DOCUMENT["paths"][path][method.lower()]


def request_example(method, path, name):
    content = operation_of(method, path)["requestBody"]["content"]["application/json"]
    return dict(content["examples"][name]["value"])


def answer_content(method, path, status=200, kind="application/json"):
    return resolved(operation_of(method, path)["responses"][str(status)])["content"][kind]


def kind_of(value):
    if isinstance(value, bool):
        return "bool"
    return "number" if isinstance(value, (int, float)) else type(value).__name__


def same_shape(example, answer, where=""):
    """Every key of the example is there, with a value of its type; null fits anything."""
    if example is None or answer is None:
        return
    assert kind_of(example) == kind_of(answer), f"{where}: {answer!r} instead of {example!r}"
    if isinstance(example, dict):
        assert set(example) <= set(answer), f"{where}: lacks {set(example) - set(answer)}"
        for key, value in example.items():
            same_shape(value, answer[key], f"{where}/{key}")
    elif isinstance(example, list) and example:
        assert answer, f"{where}: empty"
        for i, item in enumerate(answer):
            same_shape(example[0], item, f"{where}/{i}")


def agrees(answer, content, *names):
    """The answer fits the schema and has the shape of these examples; all of its keys are told."""
    validator = jsonschema.Draft202012Validator(
        content["schema"], resolver=jsonschema.RefResolver("", DOCUMENT))
    errors = [f"{'/'.join(map(str, e.absolute_path))}: {e.message}" for e in validator.iter_errors(answer)]
    assert not errors, errors
    told = properties(content["schema"])
    assert not told or set(answer) <= told, f"not described: {set(answer) - told}"
    for name in names:
        same_shape(content["examples"][name]["value"], answer)


def properties(schema):
    schema = resolved(schema)
    names = set(schema.get("properties", {}))
    for part in schema.get("allOf", []):
        names |= properties(part)
    return names


@pytest.fixture(scope="module")
def story(shared_world):
    """One session from start to receipt; each answer is kept."""
    user, answers = User(shared_world.hub), {}
    ask = request_example("POST", "/v1/sessions/start", "start")
    ask["evse_id"] = shared_world.fresh_evse()
    answers["start_asked"] = ask
    answers["start"] = ok(user.call("POST", "/v1/sessions/start", json=ask))
    session_id = answers["start"]["session_id"]
    answers["pending"] = ok(user.status(session_id))
    answers["active"] = user.wait_for(session_id, lambda s: s["status"] == "active" and s["energy_kwh"] > 0)
    answers["response"] = user.status(session_id)
    later = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(hours=2)
    for name in ("rate", "rate_until", "periods"):
        body = request_example("POST", "/v1/sessions/{session_id}/charging-profile", name)
        if "departure_time" in body:
            body["departure_time"] = later.strftime("%Y-%m-%dT%H:%M:%SZ")
        answers["profile_" + name] = (body, ok(user.set_profile(session_id, body)))
    answers["cleared"] = ok(user.clear_profile(session_id))
    answers["shown"] = ok(user.show(session_id))
    answers["busy"] = user.call("POST", "/v1/sessions/start", json=ask)
    stop = request_example("POST", "/v1/sessions/stop", "stop")
    stop["session_id"] = session_id
    answers["stop"] = ok(user.call("POST", "/v1/sessions/stop", json=stop))
    answers["completed"] = user.wait_for(session_id, "completed", 60)
    answers["receipt"] = ok(user.receipt(session_id))
    answers["list"] = ok(user.list())
    answers["ended"] = user.call("POST", "/v1/sessions/stop", json=stop)
    answers["inspect"] = shared_world.hub.inspect(session_id)
    return answers


def test_start(story):
    content = answer_content("POST", "/v1/sessions/start")
    agrees(story["start"], content, "start")
    assert set(story["start"]) == set(content["examples"]["start"]["value"])
    assert story["start"]["evse_id"] == story["start_asked"]["evse_id"]


@pytest.mark.parametrize("moment", ["pending", "active", "completed"])
def test_status(story, moment):
    agrees(story[moment], answer_content("GET", "/v1/sessions/{session_id}/status"), "active", "whole")


def test_status_has_an_etag(story):
    assert story["response"].headers["ETag"]


@pytest.mark.parametrize("name", ["rate", "rate_until", "periods"])
def test_profile(story, name):
    body, answer = story["profile_" + name]
    content = answer_content("POST", "/v1/sessions/{session_id}/charging-profile")
    agrees(answer, content, "rate_until")
    assert set(answer) == set(content["examples"]["rate_until"]["value"])
    assert answer["profile_set"] is True
    assert answer["max_charge_rate_kw"] == body.get("max_charge_rate_kw")
    assert answer["departure_time"] == body.get("departure_time")
    kw = body.get("max_charge_rate_kw")
    assert answer["periods"] == body.get("periods", [{"start_period": 0, "limit": kw and kw * 1000}])


def test_profile_cleared(story):
    content = answer_content("DELETE", "/v1/sessions/{session_id}/charging-profile")
    agrees(story["cleared"], content, "cleared")
    assert set(story["cleared"]) == {"session_id", "profile_cleared"}


def test_stop(story):
    content = answer_content("POST", "/v1/sessions/stop")
    agrees(story["stop"], content, "stop")
    assert set(story["stop"]) == {"session_id", "status"}


def test_receipt(story):
    content = answer_content("GET", "/v1/sessions/{session_id}/receipt")
    agrees(story["receipt"], content, "paid")
    assert set(story["receipt"]) == set(content["examples"]["paid"]["value"])


def test_list(story):
    agrees(story["list"], answer_content("GET", "/v1/sessions"), "page")


def test_one_with_events(story):
    agrees(story["shown"], answer_content("GET", "/v1/sessions/{session_id}"), "active")


def test_inspected(story):
    agrees(story["inspect"], answer_content("GET", "/v1/admin/sessions/{session_id}"))


def test_problems(story, user):
    kind = "application/problem+json"
    ended = answer_content("POST", "/v1/sessions/stop", 409, kind)
    assert story["ended"].status_code == 409
    agrees(story["ended"].json(), ended, "session_already_ended")
    assert story["busy"].status_code == 409
    agrees(story["busy"].json(), answer_content("POST", "/v1/sessions/start", 409, kind))
    assert story["busy"].json()["session_id"] == story["start"]["session_id"]
    missing = user.call("POST", "/v1/sessions/start", json={})
    assert missing.status_code == 422
    agrees(missing.json(), answer_content("POST", "/v1/sessions/start", 422, kind), "evse_id_required")
    unknown = user.start("FI*VRT*E99999999")
    assert unknown.status_code == 404
    agrees(unknown.json(), answer_content("POST", "/v1/sessions/start", 404, kind), "evse_not_found")
    stranger = requests.get(user.hub.url + "/v1/sessions", headers={"Authorization": "Bearer x.y.z"},
                            timeout=10)
    assert stranger.status_code == 401
    agrees(stranger.json(), answer_content("GET", "/v1/sessions", 401, kind), "token_invalid")


def test_evse(user):
    example = answer_content("GET", "/v1/evses/{evse_id}")
    answer = ok(user.evse(example["examples"]["evse"]["value"]["evse_id"]))
    agrees(answer, example, "evse")
    agrees(ok(user.evse("FI-VRT-E12345")), example, "evse")


def test_health(hub):
    for url in (hub.url, hub.internal_url):
        agrees(ok(requests.get(url + "/healthz", timeout=10)), answer_content("GET", "/healthz"), "ok")
        agrees(ok(requests.get(url + "/readyz", timeout=10)), answer_content("GET", "/readyz"), "ready")
    assert requests.get(hub.internal_url + "/metrics", timeout=10).headers["Content-Type"].startswith(
        "text/plain")
    assert requests.get(hub.url + "/metrics", timeout=10).status_code == 404


def test_description_is_served(hub):
    assert ok(requests.get(hub.url + "/v1/openapi.json", timeout=10)) == DOCUMENT


def test_admin(hub):
    minted = ok(hub.admin("POST", "/tokens", json=request_example("POST", "/v1/admin/tokens", "mint")))
    agrees(minted, answer_content("POST", "/v1/admin/tokens"), "mint")
    invited = hub.invite("Example Power", "DE", "XPL")
    agrees(invited, answer_content("POST", "/v1/admin/partners/invite"), "invite")
    partners = ok(hub.admin("GET", "/partners"))
    agrees(partners, answer_content("GET", "/v1/admin/partners"))
    one = ok(hub.admin("GET", "/partners/Virta"))
    agrees(one, answer_content("GET", "/v1/admin/partners/{id}"))
    assert one["id"] in [p["id"] for p in partners["items"]]


def test_unlock(hub, world):
    body = request_example("POST", "/v1/admin/evses/{evse_id}/unlock", "unlock")
    answer = hub.admin("POST", f"/evses/{world.fresh_evse()}/unlock", json=body)
    assert answer.status_code in (200, 202), answer.text
    agrees(answer.json(), answer_content("POST", "/v1/admin/evses/{evse_id}/unlock", answer.status_code))
