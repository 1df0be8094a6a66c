# SPDX-License-Identifier: Apache-2.0
"""
What partners send us, over OCPI 2.2.1: doors, envelopes, versions, handshake, and the receiver
side of each module. The test itself plays the CPO (partner.py), so it may send anything.
"""

import copy
import itertools
import re
import string
import time
import uuid
from decimal import Decimal

import pytest
import requests
from harness import User, ok, problem, wait_until
from partner import Partner, encode, now

TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?Z")


def envelope(response, status, code):
    """R-TRANS-30: every answer, errors too, is an envelope."""
    assert response.status_code == status, f"{response.status_code} instead of {status}: {response.text}"
    assert response.headers["Content-Type"].split(";")[0] == "application/json"
    body = response.json()
    assert body["status_code"] == code, body
    assert TIME.fullmatch(body["timestamp"]) and len(body["timestamp"]) <= 25
    assert set(body) <= {"data", "status_code", "status_message", "timestamp"}
    return body.get("data")


def done(response, status=200):
    return envelope(response, status, 1000)


# ---- doors: R-TRANS-01..07 ----


def test_versions_and_details(partner):
    """R-VER-01, -02, -03, -05, -10."""
    versions = done(partner.get(partner.versions_url))
    assert "2.2.1" in {v["version"] for v in versions}
    url = next(v["url"] for v in versions if v["version"] == "2.2.1")
    details = done(partner.get(url))
    assert details["version"] == "2.2.1"
    modules = {(e["identifier"], e["role"]) for e in details["endpoints"]}
    assert {("credentials", "SENDER"), ("locations", "RECEIVER"), ("sessions", "RECEIVER"),
            ("cdrs", "RECEIVER"), ("tariffs", "RECEIVER"), ("tokens", "SENDER"),
            ("commands", "SENDER"), ("chargingprofiles", "SENDER")} <= modules
    assert sum(m == "credentials" for m, _ in modules) == 1
    assert all(e["url"].startswith(partner.hub.url + "/ocpi/emsp/2.2.1/") and len(e["url"]) <= 255
               for e in details["endpoints"])


@pytest.mark.parametrize("authorization", [
    None, "", "Token", "Token ", "Token  x", "Bearer x", "Basic x", "Token unknown",
    "Token " + encode("unknown"), "token-without-scheme",
])
def test_no_or_an_unknown_token_is_401(partner, authorization):
    """R-TRANS-06."""
    for url in (partner.versions_url, partner.own("sessions", "x"), partner.credentials_url):
        headers = {"Authorization": authorization} if authorization is not None else {}
        response = requests.get(url, headers=headers, timeout=10)
        assert response.status_code == 401
        assert 2000 <= response.json()["status_code"] < 3000


@pytest.mark.parametrize("form", [
    lambda t: t, encode, lambda t: encode(t + "\n"), lambda t: encode(t + "\r\n"),
], ids=["raw", "base64", "base64 with newline", "base64 with CRLF"])
def test_the_token_in_the_forms_that_are_met(partner, form):
    """R-TRANS-02, -03, -04."""
    done(partner.get(partner.versions_url, authorization=f"Token {form(partner.token)}"))


def test_a_token_is_compared_exactly(partner):
    for token in (partner.token[:-1], partner.token + "x", partner.token.swapcase(), partner.token + " x"):
        if token != partner.token:
            assert partner.get(partner.versions_url, token=token).status_code == 401
    twice = encode(encode(partner.token))
    assert partner.get(partner.versions_url, authorization=f"Token {twice}").status_code == 401


def test_token_a_opens_versions_and_credentials_only(hub):
    """R-TRANS-07, R-CRED-18."""
    p = Partner("DE", "TKA", "Token A Power")
    try:
        p.face(hub)
        p.token = hub.invite(p.name, p.country, p.party)["token_a"]
        details = p.discover()
        p.urls = {(e["identifier"], e["role"]): e["url"] for e in details["endpoints"]}
        assert done(p.get(p.urls[("credentials", "SENDER")]))["token"] == p.token
        for response in (p.get(p.own("locations", "x")), p.put(p.own("sessions", "x"), p.session("x")),
                         p.post(p.url("cdrs"), p.cdr()), p.get(p.url("tokens", role="SENDER"))):
            assert response.status_code == 401
    finally:
        p.close()


def test_ids_of_messages_are_echoed(partner):
    """R-TRANS-60, -62."""
    ids = {"X-Request-ID": str(uuid.uuid4()), "X-Correlation-ID": str(uuid.uuid4())}
    for url in (partner.versions_url, partner.own("sessions", "missing")):
        response = partner.get(url, headers=ids)
        assert {k: response.headers[k] for k in ids} == ids
    response = partner.get(partner.versions_url, headers={"X-Request-ID": None, "X-Correlation-ID": None})
    done(response)
    assert response.headers["X-Request-ID"]


def test_routing_headers(partner):
    """R-ROUTE-01..06, O63."""
    session = partner.session()
    url = partner.own("sessions", session["id"])
    done(partner.put(url, session), 201)
    lower = {"OCPI-from-country-code": "de", "OCPI-from-party-id": "tst", "OCPI-to-country-code": "fi",
             "OCPI-to-party-id": "hub"}
    for headers in (None, lower, {k: None for k in lower}):
        answer = partner.get(url, headers=headers)
        done(answer)
        assert answer.headers["OCPI-from-country-code"] == "FI" and answer.headers["OCPI-from-party-id"] == "HUB"
        assert answer.headers["OCPI-to-country-code"] == "DE" and answer.headers["OCPI-to-party-id"] == "TST"
    envelope(partner.get(url, headers={"OCPI-from-party-id": "VRT", "OCPI-from-country-code": "FI"}), 403, 2001)
    envelope(partner.get(url, headers={"OCPI-from-party-id": None}), 200, 2001)
    envelope(partner.get(url, headers={"OCPI-to-country-code": "FIN"}), 200, 2001)
    # R-ROUTE-02: versions and credentials are never routed.
    answer = partner.get(partner.versions_url, headers={"OCPI-from-party-id": "VRT"})
    done(answer)
    assert "OCPI-from-party-id" not in answer.headers


def test_a_slash_at_the_end_changes_nothing(partner):
    """R-VER-08."""
    done(partner.get(partner.versions_url + "/"))
    done(partner.get(partner.credentials_url + "/"))


@pytest.mark.parametrize("method,module,tail", [
    ("POST", "sessions", "DE/TST/x"), ("DELETE", "sessions", "DE/TST/x"), ("DELETE", "locations", "DE/TST/x"),
    ("POST", "locations", "DE/TST/x"), ("PATCH", "tariffs", "DE/TST/x"), ("PUT", "cdrs", ""),
    ("DELETE", "cdrs", "x"), ("PATCH", "credentials", ""),
])
def test_methods_that_are_not_available(partner, method, module, tail):
    """R-TRANS-09: 405 with the envelope."""
    base = partner.credentials_url if module == "credentials" else partner.url(module)
    response = partner.call(method, f"{base}/{tail}".rstrip("/"), {})
    assert response.status_code == 405 and 2000 <= response.json()["status_code"] < 3000


@pytest.mark.parametrize("raw,status", [
    (b"", 400), (b"{", 400), (b"not json", 400), (b'{"a":1,}', 400), (b"\xff\xfe", 400),
    (b'{"id":"x","id":"y"}', 400), (b"{} {}", 400), (b"[1,2", 400),
])
def test_a_body_that_is_no_json_is_400(partner, raw, status):
    """R-TRANS-32."""
    for method, url in (("PUT", partner.own("sessions", "x")), ("POST", partner.url("cdrs")),
                        ("PUT", partner.own("locations", "x")), ("PATCH", partner.own("sessions", "x"))):
        response = partner.call(method, url, raw=raw)
        assert response.status_code == status, response.text
        assert 2000 <= response.json()["status_code"] < 3000


@pytest.mark.parametrize("raw", [b"[]", b"42", b'"text"', b"null", b"true"])
def test_json_that_is_no_object_is_2001_with_http_200(partner, raw):
    """R-TRANS-32."""
    envelope(partner.call("PUT", partner.own("sessions", "x"), raw=raw), 200, 2001)


def test_an_unknown_ocpi_address_is_an_envelope_too(partner):
    base = partner.versions_url.rsplit("/", 1)[0]
    for path in ("/2.2.1/nothing", "/9.9", "/2.2.1/sessions/DE", "/2.2.1/sessions/DE/TST/a/b"):
        response = partner.get(base + path)
        assert response.status_code == 404 and response.json()["status_code"] >= 2000


# ---- handshake: R-CRED ----


numbers = itertools.count()


def new_party(letter):
    """A party id of that letter that no test had before."""
    base36 = string.digits + string.ascii_uppercase
    tens, ones = divmod(next(numbers), 36)
    return letter + base36[tens] + base36[ones]


@pytest.fixture
def fresh(hub):
    """A partner that holds token A and has looked around, but not registered."""
    p = Partner("SE", new_party("N"), "New Power")
    p.face(hub)
    invitation = hub.invite(p.name, p.country, p.party)
    p.token = invitation["token_a"]
    p.urls = {(e["identifier"], e["role"]): e["url"] for e in p.discover()["endpoints"]}
    p.credentials_url = p.urls[("credentials", "SENDER")]
    yield p
    p.close()


def enabled(hub, p):
    return any(r["party_id"] == p.party and i["enabled"] and i["state"] == "connected"
               for i in ok(hub.admin("GET", "/partners"))["items"] for r in i["roles"])


def test_the_whole_handshake(hub, fresh):
    """R-CRED-01, -02, -07, R-TRANS-05: A dies, C works, B is what the hub showed us."""
    token_a = fresh.token
    data = done(fresh.post(fresh.credentials_url, fresh.credentials()))
    assert set(data) == {"token", "url", "roles"}
    assert data["token"] != token_a and 1 <= len(data["token"]) <= 64
    assert re.fullmatch(r"[\x21-\x7e]+", data["token"])
    role, = data["roles"]
    assert (role["country_code"], role["party_id"]) == ("FI", "HUB") and role["role"] in ("EMSP", "HUB")
    assert role["business_details"]["name"] == "Hub"
    shown = {r["headers"]["Authorization"] for r in fresh.requests("GET", "/versions")}
    assert shown == {f"Token {encode(fresh.token_b)}"}
    assert [r["path"] for r in fresh.received[:2]] == ["/versions", "/2.2.1"]
    fresh.token = data["token"]
    done(fresh.get(fresh.versions_url))
    wait_until(lambda: fresh.get(fresh.own("sessions", "x"), token=token_a).status_code == 401, 5, "its worker to know")
    wait_until(lambda: enabled(hub, fresh), 5, "it to be connected")


def test_the_first_pull_follows(hub, fresh):
    location = fresh.location()
    fresh.locations.append(location)
    fresh.token = done(fresh.post(fresh.credentials_url, fresh.credentials()))["token"]
    user = User(hub)
    evse = wait_until(lambda: (r := user.evse(location["evses"][0]["evse_id"])).status_code == 200 and r.json(),
                      20, "the location")
    assert evse["network"] == "New Power"
    get, = fresh.requests("GET", "/2.2.1/locations")[:1]
    assert get["headers"]["OCPI-to-party-id"] == fresh.party


def failing_callback(p, **how):
    for name, value in how.items():
        setattr(p, name, value)
    return p.post(p.credentials_url, p.credentials())


def test_3001_when_our_versions_cannot_be_had(hub, fresh):
    """R-CRED-03: and nothing is stored; token A still works."""
    for script in (lambda r: (500, b"oops"), lambda r: (401, {"status_code": 2000, "timestamp": now()}),
                   lambda r: (200, b"<html>"), lambda r: (200, {"status_code": 2000, "timestamp": now()}),
                   lambda r: (302, b"", {"Location": "http://127.0.0.1:1/"})):
        fresh.scripted[("GET", "/versions")] = script
        envelope(fresh.post(fresh.credentials_url, fresh.credentials()), 200, 3001)
        assert not enabled(hub, fresh)
    fresh.scripted.clear()
    done(fresh.post(fresh.credentials_url, fresh.credentials()))


def test_3001_when_nobody_answers(fresh):
    envelope(fresh.post(fresh.credentials_url, fresh.credentials(url="http://127.0.0.1:1/versions")), 200, 3001)


def test_3002_without_a_mutual_version(fresh):
    envelope(failing_callback(fresh, versions=[{"version": "9.9", "url": fresh.base + "/9.9"}]), 200, 3002)


def test_3003_when_an_endpoint_is_missing(fresh):
    endpoints = [e for e in fresh.our_endpoints() if e["identifier"] != "commands"]
    envelope(failing_callback(fresh, endpoints=endpoints), 200, 3003)


def test_unknown_versions_and_modules_are_skipped(fresh):
    """R-VER-05, -07."""
    fresh.versions = [{"version": "5.0", "url": fresh.base + "/5"}, *fresh.our_versions()]
    fresh.endpoints = [*fresh.our_endpoints(),
                       {"identifier": "nltnm-tokens", "role": "SENDER", "url": fresh.base + "/own"}]
    done(fresh.post(fresh.credentials_url, fresh.credentials()))


@pytest.mark.parametrize("url", ["http://10.0.0.1/versions", "http://169.254.169.254/latest", "file:///etc/passwd",
                                 "gopher://127.0.0.1/", "http://[::1]/versions", "http://user@127.0.0.1/versions",
                                 "not a url", "http://0x7f.1/v", "http://2130706433/v", "", "x" * 300])
def test_urls_that_lead_elsewhere_are_refused(hub, fresh, url):
    """R-CRED-19, I14: only 127.0.0.0/8 is allowed here, and only plainly written."""
    response = fresh.post(fresh.credentials_url, {**fresh.credentials(), "url": url})
    assert response.status_code == 200 and response.json()["status_code"] in (2001, 3001), response.text
    assert not enabled(hub, fresh)


@pytest.mark.parametrize("change", [
    {"token": ""}, {"token": "x" * 65}, {"token": "with blank"}, {"token": "ümlaut"}, {"token": None}, {"token": 5},
    {"url": None}, {"roles": []}, {"roles": None}, {"roles": "x"},
    {"roles": [{"role": "CPO", "party_id": "TOOLONG", "country_code": "SE", "business_details": {"name": "x"}}]},
    {"roles": [{"role": "KING", "party_id": "NEW", "country_code": "SE", "business_details": {"name": "x"}}]},
    {"roles": [{"role": "CPO", "party_id": "NEW", "country_code": "SWE", "business_details": {"name": "x"}}]},
    {"roles": [{"role": "CPO", "party_id": "NEW", "country_code": "SE"}]},
], ids=str)
def test_credentials_that_are_wrong(hub, fresh, change):
    """O65."""
    envelope(fresh.post(fresh.credentials_url, {**fresh.credentials(), **change}), 200, 2001)
    assert not enabled(hub, fresh)


def test_405_matrix(fresh):
    """R-CRED-04, -20: by the token that is shown."""
    token_a = fresh.token
    assert fresh.put(fresh.credentials_url, fresh.credentials()).status_code == 405
    assert fresh.call("DELETE", fresh.credentials_url).status_code == 405
    fresh.token = done(fresh.post(fresh.credentials_url, fresh.credentials()))["token"]
    assert fresh.post(fresh.credentials_url, fresh.credentials()).status_code == 405
    assert fresh.post(fresh.credentials_url, fresh.credentials(), token=token_a).status_code == 405


def test_rotation_by_put(fresh):
    """R-CRED-05, -06, -07: a fresh C; the old one lives until the new one is used."""
    fresh.token = done(fresh.post(fresh.credentials_url, fresh.credentials()))["token"]
    old = fresh.token
    new_b = uuid.uuid4().hex
    before = len(fresh.asked_back())
    data = done(fresh.put(fresh.credentials_url, fresh.credentials(token=new_b)))
    assert data["token"] != old
    assert {r["headers"]["Authorization"] for r in fresh.asked_back()[before:]} == {f"Token {encode(new_b)}"}
    done(fresh.get(fresh.versions_url, token=old))  # the answer might have been lost
    done(fresh.get(fresh.versions_url, token=data["token"]))
    # The other workers hear of it in a moment.
    wait_until(lambda: fresh.get(fresh.versions_url, token=old).status_code == 401, 5,
               "the old token to be dropped")


def test_a_rotation_that_fails_changes_nothing(fresh):
    fresh.token = done(fresh.post(fresh.credentials_url, fresh.credentials()))["token"]
    fresh.scripted[("GET", "/versions")] = lambda r: (500, b"")
    envelope(fresh.put(fresh.credentials_url, fresh.credentials(token="another")), 200, 3001)
    fresh.scripted.clear()
    done(fresh.get(fresh.versions_url))


def test_unregistering(hub, fresh):
    """R-CRED-08, -09: both tokens are dead; a new start needs a new token A."""
    fresh.token = done(fresh.post(fresh.credentials_url, fresh.credentials()))["token"]
    done(fresh.call("DELETE", fresh.credentials_url))
    for url in (fresh.versions_url, fresh.own("sessions", "x")):
        wait_until(lambda u=url: fresh.get(u).status_code == 401, 5, "its worker to know")
    fresh.token = hub.invite(fresh.name, fresh.country, fresh.party)["token_a"]
    fresh.token = done(fresh.post(fresh.credentials_url, fresh.credentials()))["token"]
    done(fresh.get(fresh.versions_url))


# ---- locations: R-LOC, R-TRANS-10..17 ----


def test_a_location_is_put_and_read_back(partner):
    """R-TRANS-33: 201 when new, 200 when known; R-TRANS-31: no data in the answer to a PUT."""
    location = partner.location(extra_field={"kept": [1, 2.5]})
    url = partner.own("locations", location["id"])
    missing = partner.get(url)
    assert missing.status_code == 404 and 2000 <= missing.json()["status_code"] < 3000
    assert done(partner.put(url, location), 201) is None
    assert done(partner.get(url)) == location
    assert done(partner.put(url, {**location, "name": "Other", "last_updated": now()})) is None
    assert done(partner.get(url))["name"] == "Other"
    evse = location["evses"][0]
    assert done(partner.get(partner.own("locations", location["id"], evse["uid"]))) == evse
    assert done(partner.get(partner.own("locations", location["id"], evse["uid"], "1"))) == evse["connectors"][0]


def test_ids_compare_without_case(partner):
    """R-TYPE-01: and are kept as they came."""
    location = partner.location("MixedCase" + uuid.uuid4().hex[:6])
    done(partner.put(partner.own("locations", location["id"]), location), 201)
    for spelt in (location["id"].lower(), location["id"].upper()):
        assert done(partner.get(partner.own("locations", spelt)))["id"] == location["id"]
    url = partner.url("locations", "de", "tst", location["id"].lower())
    assert done(partner.get(url))["id"] == location["id"]
    done(partner.put(url, {**location, "last_updated": now()}))  # the same one: 200, not 201


def test_optional_fields_that_are_left_out_go(partner):
    """R-TRANS-10: PUT replaces."""
    location = partner.location()
    url = partner.own("locations", location["id"])
    done(partner.put(url, location), 201)
    without = {k: v for k, v in location.items() if k != "name"} | {"last_updated": now()}
    done(partner.put(url, without))
    assert "name" not in done(partner.get(url))


def test_patch_changes_what_it_names(partner):
    """R-TRANS-11, -13; R-LOC-01: the parents' last_updated follow."""
    location = partner.location()
    evse = location["evses"][0]
    done(partner.put(partner.own("locations", location["id"]), location), 201)
    at = now()
    done(partner.patch(partner.own("locations", location["id"], evse["uid"]),
                       {"status": "CHARGING", "last_updated": at}))
    stored = done(partner.get(partner.own("locations", location["id"])))
    assert stored["evses"][0]["status"] == "CHARGING"
    assert stored["evses"][0]["last_updated"] == at and stored["last_updated"] == at
    assert stored["name"] == location["name"] and stored["evses"][0]["connectors"] == evse["connectors"]
    done(partner.patch(partner.own("locations", location["id"]), {"name": None, "last_updated": now(1)}))
    assert done(partner.get(partner.own("locations", location["id"]))).get("name") is None


def test_patch_rules(partner):
    """R-TRANS-12, -13, -14."""
    location = partner.location()
    url = partner.own("locations", location["id"])
    missing = partner.patch(url, {"name": "x", "last_updated": now()})
    assert missing.status_code == 404
    done(partner.put(url, location), 201)
    envelope(partner.patch(url, {"name": "x"}), 200, 2001)
    envelope(partner.patch(url, {"id": "other", "last_updated": now()}), 200, 2001)
    envelope(partner.patch(url, {"party_id": "XXX", "last_updated": now()}), 200, 2001)
    envelope(partner.patch(url, {"coordinates": None, "last_updated": now()}), 200, 2001)
    envelope(partner.patch(url, {"last_updated": "yesterday"}), 200, 2001)
    assert done(partner.get(url)) == location


def test_an_evse_or_connector_below_nothing(partner):
    """R-LOC-04: 404 with 2003."""
    location = partner.location()
    evse = location["evses"][0]
    for tail, body in ((("nowhere", "1"), evse), (("nowhere", "1", "1"), evse["connectors"][0])):
        response = partner.put(partner.own("locations", *tail), body)
        assert (response.status_code, response.json()["status_code"]) == (404, 2003)
    done(partner.put(partner.own("locations", location["id"]), location), 201)
    new = {**copy.deepcopy(evse), "uid": "second", "last_updated": now()}
    done(partner.put(partner.own("locations", location["id"], "second"), new), 201)
    assert len(done(partner.get(partner.own("locations", location["id"])))["evses"]) == 2
    response = partner.put(partner.own("locations", location["id"], "third", "1"), evse["connectors"][0])
    assert (response.status_code, response.json()["status_code"]) == (404, 2003)


def test_out_of_order_pushes_keep_the_newer(partner):
    """R-TRANS-15, I10: success, and nothing changes."""
    location = partner.location(last_updated=now(-100))
    url = partner.own("locations", location["id"])
    done(partner.put(url, location), 201)
    done(partner.put(url, {**location, "name": "older", "last_updated": now(-200)}))
    assert done(partner.get(url)) == location
    done(partner.put(url, {**location, "name": "newer", "last_updated": now(-50)}))
    assert done(partner.get(url))["name"] == "newer"


@pytest.mark.parametrize("where", ["id", "party", "country"])
def test_the_url_and_the_body_agree(partner, where):
    """R-TRANS-16, -17; O05, O06."""
    location = partner.location()
    body = {**location, **{"id": {"id": "other"}, "party": {"party_id": "OTH"},
                           "country": {"country_code": "FR"}}[where]}
    envelope(partner.put(partner.own("locations", location["id"]), body), 200, 2001)
    assert partner.get(partner.own("locations", location["id"])).status_code == 404


def test_a_party_that_is_not_the_senders(partner):
    """R-TRANS-16, I12: another party's objects are neither written nor read."""
    location = {**partner.location(), "country_code": "FI", "party_id": "VRT"}
    response = partner.put(partner.url("locations", "FI", "VRT", location["id"]), location)
    assert response.status_code == 404
    assert partner.get(partner.url("locations", "FI", "VRT", "LOC1")).status_code == 404
    assert partner.patch(partner.url("locations", "FI", "VRT", "LOC1"),
                         {"name": "mine", "last_updated": now()}).status_code == 404


@pytest.mark.parametrize("change", [
    {"coordinates": None}, {"coordinates": {"latitude": "52,5", "longitude": "13.4"}}, {"country": "DE"},
    {"country_code": "DEU"}, {"publish": "true"}, {"publish": None}, {"time_zone": None}, {"address": None},
    {"last_updated": "2026-13-01T00:00:00Z"}, {"last_updated": "2026-01-01T00:00:00+02:00"}, {"last_updated": None},
    {"last_updated": 5}, {"name": 5}, {"evses": {}}, {"evses": [{}]}, {"evses": [{"uid": "x"}]}, {"city": "a\nb"},
], ids=str)
def test_a_location_that_breaks_a_type(partner, change):
    """R-TYPE-04, -05, R-TYPE-17."""
    location = partner.location()
    envelope(partner.put(partner.own("locations", location["id"]), {**location, **change}), 200, 2001)
    assert partner.get(partner.own("locations", location["id"])).status_code == 404


def test_open_words_are_open(partner):
    """R-TYPE-14, -15: a new capability or connector is no reason to refuse."""
    location = partner.location()
    location["evses"][0]["capabilities"].append("HOVERCHARGE")
    location["evses"][0]["connectors"][0]["standard"] = "FUTURE_PLUG"
    done(partner.put(partner.own("locations", location["id"]), location), 201)
    assert done(partner.get(partner.own("locations", location["id"]))) == location


def test_apps_see_a_pushed_status_at_once(partner, hub):
    location = partner.location()
    evse = location["evses"][0]
    done(partner.put(partner.own("locations", location["id"]), location), 201)
    user = User(hub)
    wait_until(lambda: ok(user.evse(evse["evse_id"]))["status"] == "AVAILABLE", 5)
    done(partner.patch(partner.own("locations", location["id"], evse["uid"]),
                       {"status": "REMOVED", "last_updated": now()}))
    wait_until(lambda: user.evse(evse["evse_id"]).status_code == 404
               or not user.evse(evse["evse_id"]).json()["startable"], 5, "the removal")
    assert user.start(evse["evse_id"]).status_code in (404, 422)


def test_unpublished_locations_are_hidden_from_apps(partner, hub):
    """R-LOC-05."""
    location = partner.location(publish=False)
    done(partner.put(partner.own("locations", location["id"]), location), 201)
    user = User(hub)
    time.sleep(0.5)
    problem(user.evse(location["evses"][0]["evse_id"]), 404, "evse_not_found")
    problem(user.start(location["evses"][0]["evse_id"]), 404, "evse_not_found")


# ---- tariffs ----


def test_a_tariff_comes_and_goes(partner):
    tariff = partner.tariff()
    url = partner.own("tariffs", tariff["id"])
    assert partner.get(url).status_code == 404
    done(partner.put(url, tariff), 201)
    assert done(partner.get(url)) == tariff
    done(partner.put(url, tariff))
    done(partner.call("DELETE", url))
    assert partner.get(url).status_code == 404
    assert partner.call("DELETE", url).status_code == 404
    envelope(partner.put(url, {**tariff, "elements": []}), 200, 2001)
    envelope(partner.put(url, {**tariff, "currency": "EURO"}), 200, 2001)


# ---- sessions: R-SESS ----


def test_a_foreign_session_is_stored_and_belongs_to_nobody(partner, world):
    """R-SESS-15."""
    session = partner.session()
    url = partner.own("sessions", session["id"])
    assert partner.get(url).status_code == 404
    assert done(partner.put(url, session), 201) is None
    assert done(partner.get(url)) == session
    done(partner.put(url, session))  # the same again: known, no effect


def test_a_patched_session(partner):
    """R-SESS-08, -09: periods are appended, the same start replaces."""
    first = {"start_date_time": now(-600), "dimensions": [{"type": "ENERGY", "volume": 1.0}]}
    session = partner.session(charging_periods=[first], last_updated=now(-500))
    url = partner.own("sessions", session["id"])
    missing = partner.patch(url, {"kwh": 2, "last_updated": now()})
    assert missing.status_code == 404  # R-TRANS-14: so that the sender falls back to PUT
    done(partner.put(url, session), 201)
    second = {"start_date_time": now(-300), "dimensions": [{"type": "ENERGY", "volume": 0.5}]}
    done(partner.patch(url, {"kwh": 2.5, "charging_periods": [second], "last_updated": now(-300)}))
    stored = done(partner.get(url))
    assert stored["charging_periods"] == [first, second] and stored["kwh"] == 2.5
    again = {**second, "dimensions": [{"type": "ENERGY", "volume": 0.75}]}
    done(partner.patch(url, {"charging_periods": [again], "last_updated": now(-200)}))
    assert done(partner.get(url))["charging_periods"] == [first, again]
    done(partner.patch(url, {"charging_periods": [], "kwh": 3, "last_updated": now(-100)}))
    assert done(partner.get(url))["charging_periods"] == [first, again]
    # R-SESS-07: a PUT without periods empties the list.
    done(partner.put(url, {k: v for k, v in session.items() if k != "charging_periods"}
                     | {"kwh": 3, "last_updated": now()}))
    assert not done(partner.get(url)).get("charging_periods")
    envelope(partner.patch(url, {"kwh": 4}), 200, 2001)
    envelope(partner.patch(url, {"id": "x", "last_updated": now(1)}), 200, 2001)


def test_older_sessions_are_ignored(partner):
    """R-TRANS-15, contract 4.3."""
    session = partner.session(kwh=5.0, last_updated=now(-10))
    url = partner.own("sessions", session["id"])
    done(partner.put(url, session), 201)
    done(partner.put(url, {**session, "kwh": 3.0, "last_updated": now(-20)}))
    assert done(partner.get(url)) == session
    # Equal time, other content: it must not lower the energy or the state.
    done(partner.put(url, {**session, "kwh": 4.0}))
    assert done(partner.get(url))["kwh"] == 5.0
    done(partner.put(url, {**session, "status": "COMPLETED", "end_date_time": now(), "last_updated": now()}))
    done(partner.put(url, {**session, "last_updated": now(5)}))
    assert done(partner.get(url))["status"] == "COMPLETED"


@pytest.mark.parametrize("change", [
    {"kwh": None}, {"kwh": "1.5"}, {"kwh": -1}, {"status": "CHARGING"}, {"status": None}, {"status": "active"},
    {"currency": "EURO"}, {"currency": None}, {"cdr_token": None}, {"cdr_token": {}}, {"auth_method": "MAGIC"},
    {"start_date_time": "today"}, {"last_updated": None}, {"last_updated": "2026-11-21T10:00:00+02:00"},
    {"location_id": None}, {"evse_uid": "x" * 37}, {"total_cost": 5}, {"total_cost": {"incl_vat": 5}},
    {"charging_periods": [{}]}, {"charging_periods": [{"start_date_time": "2026-11-20T10:00:00Z", "dimensions": []}]},
    {"authorization_reference": 5}, {"authorization_reference": "x" * 37}, {"id": "other"}, {"party_id": "OTH"},
    {"country_code": "D"},
], ids=str)
def test_a_session_that_breaks_a_type(partner, change):
    session = partner.session()
    envelope(partner.put(partner.own("sessions", session["id"]), {**session, **change}), 200, 2001)
    assert partner.get(partner.own("sessions", session["id"])).status_code == 404


@pytest.mark.parametrize("text", ["2026-11-20T10:00:00Z", "2026-11-20T10:00:00", "2026-11-20T10:00:00.1Z",
                                  "2026-11-20T10:00:00.123Z", "2026-11-20T10:00:00.123", "2026-11-20t10:00:00z",
                                  "2026-11-20T10:00:00+00:00"])
def test_times_in_the_forms_that_are_met(partner, text):
    """R-TYPE-04, -05."""
    session = partner.session(start_date_time=text, last_updated=text)
    done(partner.put(partner.own("sessions", session["id"]), session), 201)


# ---- our sessions through this partner ----


@pytest.fixture
def begun(hub, partner):
    """A session of ours at this partner whose START_SESSION we hold in hand."""
    location = partner.location()
    done(partner.put(partner.own("locations", location["id"]), location), 201)
    user = User(hub)
    wait_until(lambda: user.evse(location["evses"][0]["evse_id"]).status_code == 200, 5, "the EVSE")
    session_id = ok(user.start(location["evses"][0]["evse_id"]))["session_id"]
    command = wait_until(lambda: next((r for r in partner.requests("POST", "/2.2.1/commands/START_SESSION")
                                       if r["body"]["authorization_reference"] == session_id), None),
                         what="START_SESSION")["body"]
    token = {k: command["token"][k] for k in ("country_code", "party_id", "uid", "type", "contract_id")}
    session = partner.session(location=location, cdr_token=token, authorization_reference=session_id,
                              kwh=0.0, total_cost={"excl_vat": 0, "incl_vat": 0})
    return user, session_id, command, session


def test_a_callback_is_answered_without_data(partner, begun):
    """R-ASYNC-05, -14: and a second time too."""
    user, session_id, command, _ = begun
    for result in ("ACCEPTED", "ACCEPTED", "REJECTED"):
        assert done(partner.post(command["response_url"], {"result": result})) is None
    assert ok(user.status(session_id))["status"] == "pending"


@pytest.mark.parametrize("result,failure", [
    ("REJECTED", "rejected_by_network"), ("EVSE_OCCUPIED", "evse_occupied"), ("FAILED", "rejected_by_network"),
    ("EVSE_INOPERATIVE", "evse_inoperative"), ("TIMEOUT", "start_timeout"), ("NOT_SUPPORTED", "not_supported"),
])
def test_each_result_of_a_start(partner, begun, result, failure):
    """R-CMD."""
    user, session_id, command, _ = begun
    done(partner.post(command["response_url"], {"result": result, "message": [
        {"language": "en", "text": "because"}]}))
    assert user.wait_for(session_id, "failed")["failure_code"] == failure


@pytest.mark.parametrize("body", [{}, {"result": None}, {"result": 5}, {"result": "ACCEPTED", "message": "text"}],
                         ids=str)
def test_a_callback_that_says_nothing(partner, begun, body):
    user, session_id, command, _ = begun
    envelope(partner.post(command["response_url"], body), 200, 2001)
    assert ok(user.status(session_id))["status"] == "pending"


def test_callbacks_of_strangers_are_404(partner, begun, hub, fresh):
    """R-ASYNC-11, O54: unknown ids and other partners alike; no token: 401."""
    user, session_id, command, _ = begun
    url = command["response_url"]
    fresh.token = done(fresh.post(fresh.credentials_url, fresh.credentials()))["token"]
    foreign = fresh.post(url, {"result": "REJECTED"})
    unknown = partner.post(url[:-32] + "0" * 32, {"result": "REJECTED"})
    assert foreign.status_code == unknown.status_code == 404
    assert foreign.json()["status_code"] == unknown.json()["status_code"]
    assert requests.post(url, json={"result": "REJECTED"}, timeout=10).status_code == 401
    for tail in ("", "x", "/../credentials"):
        assert partner.post(url[:-32] + tail, {"result": "REJECTED"}).status_code in (404, 405, 400)
    assert ok(user.status(session_id))["status"] == "pending"


def test_another_partner_cannot_speak_for_our_session(partner, begun, fresh):
    """O52, I12: the reference alone proves nothing."""
    user, session_id, _, session = begun
    fresh.token = done(fresh.post(fresh.credentials_url, fresh.credentials()))["token"]
    stolen = {**session, "country_code": fresh.country, "party_id": fresh.party, "id": "stolen"}
    done(fresh.put(fresh.own("sessions", "stolen"), stolen), 201)
    cdr = fresh.cdr(stolen)
    response = fresh.post(fresh.url("cdrs"), cdr)
    assert response.status_code in (200, 201)
    time.sleep(0.5)
    assert ok(user.status(session_id))["status"] == "pending"
    problem(user.receipt(session_id), 409, "receipt_not_ready")


def test_a_whole_session_by_hand(partner, begun):
    """R-CMD-05, R-SESS-01, R-CDR-03, -04, contract 4.2."""
    user, session_id, command, session = begun
    url = partner.own("sessions", session["id"])
    done(partner.post(command["response_url"], {"result": "ACCEPTED"}))
    done(partner.put(url, session), 201)
    user.wait_for(session_id, "active")
    done(partner.patch(url, {"kwh": 15.2, "total_cost": {"excl_vat": 4.29, "incl_vat": 5.32},
                             "last_updated": now(1)}))
    status = user.wait_for(session_id, lambda s: s["energy_kwh"] == 15.2)
    assert status["cost"] == 5.32 and status["cost_estimated"] is False
    done(partner.patch(url, {"status": "COMPLETED", "end_date_time": now(2), "kwh": 20.0,
                             "last_updated": now(2)}))
    status = user.wait_for(session_id, "stopping")
    assert status["substatus"] == "awaiting_cdr"
    cdr = partner.cdr(session, total_energy=20.0, total_cost={"excl_vat": 5.81, "incl_vat": 7.20},
                      end_date_time=now(2))
    answer = partner.post(partner.url("cdrs"), cdr)
    assert answer.status_code in (200, 201) and answer.json()["status_code"] == 1000
    location = answer.headers["Location"]
    assert location.startswith(partner.hub.url) and len(location) <= 255
    assert done(partner.get(location)) == cdr
    receipt = ok(user.receipt(session_id))
    assert Decimal(str(receipt["cost"])) == Decimal("7.2") and receipt["energy_kwh"] == 20.0
    user.wait_for(session_id, "completed")
    # Again, and again with other content.
    again = partner.post(partner.url("cdrs"), cdr)
    assert (again.status_code, again.json()["status_code"], again.headers["Location"]) == (200, 1000, location)
    envelope(partner.post(partner.url("cdrs"), {**cdr, "total_cost": {"excl_vat": 9, "incl_vat": 11.16}}), 200, 2001)
    assert ok(user.receipt(session_id)) == receipt


@pytest.mark.parametrize("spelling", [str.upper, str.lower])
def test_references_compare_without_case(partner, begun, spelling):
    """R-TYPE-01, contract 1."""
    user, session_id, _, session = begun
    session["authorization_reference"] = spelling(session_id)
    session["cdr_token"]["uid"] = spelling(session["cdr_token"]["uid"])
    done(partner.put(partner.own("sessions", session["id"]), session), 201)
    user.wait_for(session_id, "active")


def test_a_session_without_reference_is_found_by_token_and_place(partner, begun):
    """Contract 4.3 rule 8."""
    user, session_id, _, session = begun
    del session["authorization_reference"]
    session["start_date_time"] = now()
    done(partner.put(partner.own("sessions", session["id"]), session), 201)
    user.wait_for(session_id, "active")


def test_sub_second_versions_are_told_apart(partner, begun):
    """R-TYPE-06."""
    user, session_id, _, session = begun
    url = partner.own("sessions", session["id"])
    stamp = now(-5)[:-1]
    done(partner.put(url, {**session, "kwh": 1.0, "last_updated": stamp + ".200Z"}), 201)
    done(partner.put(url, {**session, "kwh": 3.0, "last_updated": stamp + ".400Z"}))
    done(partner.put(url, {**session, "kwh": 2.0, "last_updated": stamp + ".300Z"}))
    assert user.wait_for(session_id, lambda s: s["energy_kwh"] > 0)["energy_kwh"] == 3.0


# ---- CDRs ----


def test_a_cdr_of_nobodys_session_is_kept(partner, world):
    cdr = partner.cdr()
    answer = partner.post(partner.url("cdrs"), cdr)
    assert answer.status_code in (200, 201) and answer.json()["status_code"] == 1000
    assert done(partner.get(answer.headers["Location"])) == cdr


def test_a_cdr_is_readable_by_its_sender_only(partner, fresh):
    """R-CDR-03, I12."""
    location = partner.post(partner.url("cdrs"), partner.cdr()).headers["Location"]
    fresh.token = done(fresh.post(fresh.credentials_url, fresh.credentials()))["token"]
    assert fresh.get(location).status_code == 404
    assert requests.get(location, timeout=10).status_code == 401


@pytest.mark.parametrize("change", [
    {"id": None}, {"id": "x" * 40}, {"currency": None}, {"total_cost": None}, {"total_cost": 7.2},
    {"total_cost": {"incl_vat": 7.2}}, {"total_energy": "20"}, {"total_energy": None}, {"total_time": None},
    {"charging_periods": []}, {"charging_periods": None}, {"end_date_time": None}, {"cdr_location": None},
    {"cdr_token": None}, {"party_id": "VRT", "country_code": "FI"}, {"auth_method": "MAGIC"}, {"last_updated": None},
    {"start_date_time": "yesterday"},
], ids=str)
def test_a_cdr_that_breaks_a_type(partner, change):
    """O45 among them: a CDR of another party."""
    envelope(partner.post(partner.url("cdrs"), {**partner.cdr(), **change}), 200, 2001)


def test_a_cdr_with_big_and_small_numbers_is_kept_to_the_digit(partner):
    """R-TYPE-08: 0.1 stays 0.1."""
    cdr = partner.cdr(total_energy=0.1, total_cost={"excl_vat": 1234567.8901, "incl_vat": 1234567.8901})
    location = partner.post(partner.url("cdrs"), cdr).headers["Location"]
    text = partner.get(location).text
    assert '"total_energy":0.1' in text.replace(" ", "") and "1234567.8901" in text


# ---- tokens: we are the sender ----


def test_tokens_are_listed_in_pages(partner, world):
    """R-TRANS-40..45, R-TOK: Link, X-Total-Count, X-Limit; nothing twice, nothing left out."""
    for _ in range(3):
        User(world.hub).started(world.fresh_evse())
    url = partner.url("tokens", role="SENDER")
    seen, pages, total = [], 0, None
    link = f"{url}?limit=2"
    while link and pages < 100:
        response = partner.get(link)
        items = done(response)
        assert len(items) <= 2 and response.headers["X-Limit"]
        total = int(response.headers["X-Total-Count"])
        seen += [(t["uid"], t["type"]) for t in items]
        pages += 1
        match = re.fullmatch(r'<([^>]+)>; rel="next"', response.headers.get("Link", ""))
        link = match and match.group(1)
        assert not link or (link.startswith(url) and "limit=2" in link and len(link) <= 255)
    assert len(seen) == len(set(seen)) >= 3 and abs(total - len(seen)) <= 5
    for token in done(partner.get(f"{url}?limit=1")):
        assert (token["country_code"], token["party_id"], token["whitelist"]) == ("FI", "HUB", "NEVER")


@pytest.mark.parametrize("query", ["offset=-1", "limit=-1", "limit=ten", "offset=x", "offset=1e3", "date_from=today",
                                   "date_from=2026-13-01T00:00:00Z", "date_to=x", "offset=99999999999999999999"])
def test_bad_paging_is_2001(partner, query):
    """R-TRANS-44, O61, O62."""
    envelope(partner.get(f"{partner.url('tokens', role='SENDER')}?{query}"), 200, 2001)


def test_paging_at_its_limits(partner):
    url = partner.url("tokens", role="SENDER")
    empty = partner.get(f"{url}?limit=0")
    assert done(empty) == [] and "Link" not in empty.headers and int(empty.headers["X-Total-Count"]) >= 0
    large = partner.get(f"{url}?limit=1000000")
    done(large)
    assert int(large.headers["X-Limit"]) <= 1000
    beyond = partner.get(f"{url}?offset=1000000")
    assert done(beyond) == [] and "Link" not in beyond.headers
    assert done(partner.get(f"{url}?date_from=2999-01-01T00:00:00Z")) == []
    assert done(partner.get(f"{url}?date_to=2000-01-01T00:00:00Z")) == []


def test_real_time_authorisation(partner, begun):
    """R-CMD-03, R-TOK: ALLOWED for the token of a live command; unknown: 404 and 2004."""
    _, _, command, _ = begun
    uid = command["token"]["uid"]
    url = partner.url("tokens", uid, "authorize", role="SENDER") + "?type=APP_USER"
    answer = done(partner.post(url))
    assert answer["allowed"] == "ALLOWED" and answer["token"]["uid"] == uid
    unknown = partner.post(partner.url("tokens", "unknown", "authorize", role="SENDER"))
    assert (unknown.status_code, unknown.json()["status_code"]) == (404, 2004)


# ---- what is logged ----


def test_the_message_log_tells_why_something_was_refused(partner, world):
    session = partner.session()
    partner.put(partner.own("sessions", session["id"]), {**session, "kwh": "much"})
    rows = wait_until(lambda: world.sql(
        "SELECT http_status, ocpi_status, error FROM message WHERE object_id = %s", session["id"]), 10,
        "the row of the message log")
    assert rows[0][0] == 200 and rows[0][1] == 2001 and "kwh" in rows[0][2]
    # I13: handshakes are in there too, their tokens are not.
    for token in (partner.token, partner.token_b, encode(partner.token), encode(partner.token_b)):
        assert not world.sql("SELECT 1 FROM message_body WHERE request_body LIKE %s OR response_body LIKE %s",
                             f"%{token}%", f"%{token}%")
