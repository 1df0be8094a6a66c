# SPDX-License-Identifier: Apache-2.0
"""
What the hub does not carry, and why: the answer, the log and hubctl say it in the same words. And what
it does when one of the two ends goes away in the middle.
"""

import json
import socket
import subprocess
import time
import uuid
from urllib.parse import quote, urlsplit

import pytest
from emsp_partner import Party, hangs, hangs_up
from harness import BUILD, User, ok, wait_until
from partner import now
from test_relay import PROFILE, Pages, Town, answered_by
from test_versions_inbound import VERSIONS, done, envelope


@pytest.fixture(scope="module")
def town(shared_world):
    t = Town(shared_world.hub, "Q")
    yield t
    for party in t.all:
        party.close()


@pytest.fixture(autouse=True)
def well_behaved(town):
    """What a test scripts is forgotten with it."""
    before = {p: dict(p.scripted) for p in town.all}
    yield
    for p in town.all:
        p.scripted.clear()
        p.scripted.update(before[p])


# ---- refused, and why ----


def hubctl(hub, *args):
    finished = subprocess.run([BUILD / "hub" / "hubctl", "--socket", str(hub.settings["admin_socket"]), *args],
                              capture_output=True, text=True, check=False, timeout=60)
    assert finished.returncode == 0, finished.stderr
    return finished.stdout


class Wrong:
    """Messages that are refused: each (who sends it, method, url, body, headers), as `call` wants it."""

    def __init__(self, town, version):
        self.town, self.version = town, version
        self.emsp, self.other = town.emsps[version], town.emsps["2.3.0" if version == "2.2.1" else "2.2.1"]
        self.cpo = town.cpos[version]
        self.location = self.cpo.new_location()

    def start(self, sender=None, to=None, url=None, token=None, **headers):
        sender = sender or self.emsp
        body = {"response_url": url or f"{sender.base}/{self.version}/results/1", "token": token or sender.own_token(),
                "location_id": self.location["id"]}
        return sender, "POST", sender.url("commands", "START_SESSION"), body, {"to": to, **headers}

    def of_others(self):
        """A Session of another eMSP at the same CPO."""
        token = self.other.new_token()
        return self.cpo.new_session(self.other, token, self.location)["id"]

    # -- each kind

    def no_contract(self):
        stranger = self.town.stranger
        body = {"response_url": f"{stranger.base}/2.2.1/results/1", "token": stranger.own_token(),
                "location_id": self.location["id"]}
        return stranger, "POST", stranger.url("commands", "START_SESSION"), body, {"to": (self.cpo.country, self.cpo.party)}

    def no_contract_of_who_is_named(self):
        return self.start(to=(self.town.stranger.country, self.town.stranger.party))

    def foreign_from(self):
        return self.start(**{"OCPI-from-country-code": self.other.country, "OCPI-from-party-id": self.other.party})

    def half_a_from(self):
        return self.start(**{"OCPI-from-party-id": None})

    def token_of_another(self):
        return self.start(token=self.other.own_token())

    def session_of_another_in_the_body(self):
        body = {"response_url": f"{self.emsp.base}/{self.version}/results/1", "session_id": self.of_others()}
        return self.emsp, "POST", self.emsp.url("commands", "STOP_SESSION"), body, {"to": None}

    def session_of_another_in_the_url(self):
        body = {"response_url": f"{self.emsp.base}/{self.version}/results/1", "charging_profile": PROFILE}
        return (self.emsp, "PUT", self.emsp.url("chargingprofiles", self.of_others()), body,
                {"to": (self.cpo.country, self.cpo.party)})

    def location_of_another_in_the_url(self):
        url = self.cpo.urls[("locations", "RECEIVER")]
        other = self.town.cpos["2.3.0" if self.version == "2.2.1" else "2.2.1"]
        return self.cpo, "PUT", f"{url}/{other.country}/{other.party}/L1", self.cpo.location("L1"), {}

    def location_of_another_in_the_body(self):
        other = self.town.cpos["2.3.0" if self.version == "2.2.1" else "2.2.1"]
        location = self.cpo.location(party_id=other.party)
        return self.cpo, "PUT", self.cpo.own("locations", location["id"]), location, {}

    def result_elsewhere(self):
        return self.start(url="https://results.example/r/1")

    def result_at_a_private_address(self):
        return self.start(url="http://10.1.2.3/r/1")

    def result_at_another_port_of_its_host(self):
        return self.start(url=f"http://127.0.0.2:{urlsplit(self.emsp.base).port}/r/1")

    def result_in_the_query_elsewhere(self):
        session = self.cpo.new_session(self.emsp, self.emsp.new_token(), self.location)["id"]
        query = "?duration=9&response_url=" + quote("http://169.254.169.254/latest", safe="")
        return self.emsp, "GET", self.emsp.url("chargingprofiles", session) + query, None, {"to": None}


REFUSED = [  # name of the message, HTTP status, OCPI status, rules, pointer
    ("no_contract", 200, 4001, {"R-ROUTE-41", "R-ROUTE-42"}, None),
    ("no_contract_of_who_is_named", 200, 4001, {"R-ROUTE-41", "R-ROUTE-42"}, None),
    ("foreign_from", 403, 2001, {"R-ROUTE-06"}, None),
    ("half_a_from", 200, 2001, {"R-ROUTE-05"}, None),
    ("token_of_another", 200, 2001, {"R-CMD-02"}, "/token"),
    ("session_of_another_in_the_body", 200, 4001, {"R-ROUTE-24"}, None),
    ("session_of_another_in_the_url", 200, 2001, {"R-CP-02"}, None),
    ("location_of_another_in_the_url", 404, 2000, {"R-TRANS-16", "R-TRANS-33"}, None),
    ("location_of_another_in_the_body", 200, 2001, {"R-TRANS-17"}, "/party_id"),
    ("result_elsewhere", 200, 2001, {"R-ASYNC-17"}, "/response_url"),
    ("result_at_a_private_address", 200, 2001, {"R-ASYNC-17"}, "/response_url"),
    ("result_at_another_port_of_its_host", 200, 2001, {"R-ASYNC-17"}, "/response_url"),
    ("result_in_the_query_elsewhere", 200, 2001, {"R-ASYNC-17"}, "/response_url"),
]


@pytest.mark.parametrize("version", VERSIONS[1:])
@pytest.mark.parametrize("name, http, code, rules, pointer", REFUSED, ids=[r[0] for r in REFUSED])
def test_a_refusal_says_why(town, version, name, http, code, rules, pointer):
    """R-ROUTE-05, -06, -24, -41, -42, R-CMD-02, R-CP-02, R-TRANS-16, -17, R-ASYNC-17: nobody is asked; the
    answer names the rule, and so does `hubctl message explain`."""
    wrong = Wrong(town, version)
    sender, method, url, body, headers = getattr(wrong, name)()
    correlation = uuid.uuid4().hex
    raw = json.dumps(body).encode() if body else None
    answer = sender.call(method, url, raw=raw, **{**headers, "X-Correlation-ID": correlation})
    envelope(answer, http, code)
    said = answer.json()["status_message"]
    assert any(rule in said for rule in rules), said
    assert not [r for p in town.cpos.values() for r in p.received if r["headers"].get("X-Correlation-ID") == correlation]
    row = wait_until(lambda: json.loads(hubctl(town.hub, "message", "list", "--refused", "--partner", sender.name,
                                               "--correlation", correlation, "--json"))["items"], 10, "the log")
    assert len(row) == 1
    row = row[0]
    assert row["rule"] in rules and row["ocpi_status"] == code and row["http_status"] == http, row
    assert pointer is None or row["pointer"] == pointer
    explained = hubctl(town.hub, "message", "explain", row["id"])
    assert row["rule"] in explained and row["error"] in explained, explained
    assert row["error"] in said


# ---- one end goes away ----


def test_what_may_have_been_done_is_not_sent_twice(town):
    """R-ROUTE-44, R-ROUTE-41: the connection ended without an answer: 4002, whatever was asked."""
    emsp, cpo = town.emsps["2.2.1"], town.cpos["2.2.1"]
    location = cpo.new_location()
    to = (cpo.country, cpo.party)
    cpo.scripted[("POST", "/2.2.1/commands")] = hangs_up
    cpo.scripted[("GET", "/2.2.1/locations")] = hangs_up
    cpo.server.handle_error = lambda *_: None
    before = len(cpo.received)
    envelope(emsp.command("START_SESSION", emsp.start(location)), 200, 4002)
    assert [r["path"] for r in cpo.received[before:] if r["method"] == "POST"] == ["/2.2.1/commands/START_SESSION"]
    # A question changes nothing: where kept connections end under it, it is asked again on the next.
    envelope(emsp.listed("locations", to=to), 200, 4002)


def test_who_asked_and_left_has_asked_all_the_same(town):
    """R-ROUTE-45: the CPO's answer is noted, and the result still goes where it belongs."""
    emsp, cpo = town.emsps["2.2.1"], town.cpos["2.2.1"]
    location, url = cpo.new_location(), emsp.result_url()
    cpo.scripted[("POST", "/2.2.1/commands")] = lambda r: (
        time.sleep(1), (200, cpo.envelope({"result": "ACCEPTED", "timeout": 90})))[1]
    body = json.dumps(emsp.start(location, url)).encode()
    at = urlsplit(emsp.url("commands", "START_SESSION"))
    headers = {**emsp.headers(to=None), "Host": at.netloc, "Content-Type": "application/json",
               "Content-Length": str(len(body))}
    count = len(cpo.commands("START_SESSION"))
    with socket.create_connection((at.hostname, at.port)) as s:
        s.sendall(f"POST {at.path} HTTP/1.1\r\n".encode() + "".join(f"{k}: {v}\r\n" for k, v in headers.items()).encode()
                  + b"\r\n" + body)
        wait_until(lambda: len(cpo.commands("START_SESSION")) > count, 5, "the command")
    ours = cpo.commands("START_SESSION")[-1]["body"]["response_url"]

    def outcome():
        rows = town.hub.ctl("message", "list", "--partner", cpo.name, "--module", "commands",
                            "--correlation", headers["X-Correlation-ID"])["items"]
        return [r for r in rows if r["direction"] == "out"]
    sent = wait_until(outcome, 10, "the exchange in the log")
    assert len(sent) == 1 and sent[0]["ocpi_status"] == 1000
    done(cpo.result(ours, {"result": "ACCEPTED"}))
    assert len(emsp.results(url)) == 1


# ---- URLs of ours ----


@pytest.mark.parametrize("version", VERSIONS)
def test_the_location_of_a_cdr_is_the_hubs_own(town, version):
    """R-ROUTE-53, -50, R-CDR-03: its CPO finds the CDR there, nobody else does, and the URL at the eMSP
    stays between the hub and the eMSP."""
    emsp, cpo = town.emsps["2.2.1"], town.cpos[version]
    token = emsp.new_token()
    cdr = cpo.cdr(cpo.new_session(emsp, token, cpo.new_location()))
    answer = cpo.post(cpo.urls[("cdrs", "RECEIVER")], cdr)
    done(answer, 201)
    wait_until(lambda: cdr["id"] in emsp.objects["cdrs"], 15, "the CDR at the eMSP")
    url = answer.headers["Location"]
    assert url.startswith(f"{town.hub.url}/ocpi/emsp/{version}/cdrs/") and emsp.base not in url
    assert done(cpo.get(url)) == cdr
    for other in (*town.cpos.values(), *town.emsps.values()):
        if other is not cpo:
            assert other.get(url).status_code in (403, 404)


def test_a_page_leads_on_through_the_hub_alone(town):
    """R-ROUTE-51, -52, -54."""
    emsp, cpo = town.emsps["2.3.0"], town.cpos["2.2.1"]
    Pages(cpo, "tariffs", [cpo.tariff() for _ in range(2)])
    to = (cpo.country, cpo.party)
    answer = emsp.listed("tariffs", "?limit=1&date_from=2020-01-01T00:00:00Z", to=to)
    answered_by(answer, cpo, emsp)
    link = answer.headers["Link"]
    assert link.endswith('; rel="next"') and link.startswith(f"<{town.hub.url}/ocpi/cpo/2.3.0/tariffs?")
    assert cpo.base not in link and answer.headers["X-Total-Count"] == "77"
    last = emsp.get(link.split(">")[0][1:], to=to)
    assert len(done(last)) == 1 and "Link" not in last.headers


# ---- profiles and preferences ----


def test_what_an_evse_cannot_do_is_said_by_its_cpo(town):
    """R-SESS-13, R-ROUTE-43: 404 with 2001 goes back as it is."""
    emsp, cpo = town.emsps["2.2.1"], town.cpos["2.3.0"]
    session = cpo.new_session(emsp, emsp.new_token(), cpo.new_location())
    cpo.scripted[("PUT", "/2.3.0/sessions")] = lambda r: (404, cpo.envelope(None, 2001))
    at = emsp.url("sessions", session["id"], "charging_preferences", role="SENDER")
    envelope(emsp.put(at, {"profile_type": "FAST"}, to=None), 404, 2001)


def test_head_clears_no_profile(town):
    """R-TRANS-09: who asks with HEAD is told how long the answer to GET would be."""
    emsp, cpo = town.emsps["2.2.1"], town.cpos["2.2.1"]
    session = cpo.new_session(emsp, emsp.new_token(), cpo.new_location())
    results = emsp.result_url()
    at = emsp.url("chargingprofiles", session["id"]) + "?response_url=" + quote(results, safe="")
    assert emsp.call("HEAD", at, to=None).status_code == 200  # and has failed: a duration is required
    assert not [r for r in cpo.received if "/chargingprofiles/" + session["id"] in r["path"]]
    assert emsp.call("HEAD", at + "&duration=60", to=None).status_code == 200
    asked = [r for r in cpo.received if "/chargingprofiles/" + session["id"] in r["path"]]
    assert [r["method"] for r in asked] == ["GET"] and "duration=60" in asked[0]["path"]


class Smart(Party):
    """An SCSP: it sets profiles for sessions of eMSPs (here: of ours) by its contract with the CPO."""

    def __init__(self):
        super().__init__("SE", "SCQ", "Smart Charging Q", role="SCSP")
        self.endpoints = [{"identifier": m, "role": r, "url": f"{self.base}/2.2.1/{m}"} for m, r in (
            ("credentials", "SENDER"), ("sessions", "RECEIVER"), ("chargingprofiles", "SENDER"))]
        self.scripted[("POST", "/2.2.1/results")] = lambda r: (200, self.envelope(None))


def running_session(town, cpo):
    """A session of a user of ours at the CPO: (user, its id, the CPO's)."""
    location = cpo.new_location()
    user, evse = User(town.hub), location["evses"][0]["evse_id"]
    wait_until(lambda: user.evse(evse).status_code == 200, 10, "the EVSE")
    count = len(cpo.commands("START_SESSION"))
    session_id = ok(user.start(evse))["session_id"]
    wait_until(lambda: len(cpo.commands("START_SESSION")) > count, 10, "the command")
    command = cpo.commands("START_SESSION")[-1]["body"]
    token = {k: command["token"][k] for k in ("country_code", "party_id", "uid", "type", "contract_id")}
    session = cpo.put_own("sessions", cpo.session(
        location=location, cdr_token=token, start_date_time=now(), auth_method="COMMAND",
        authorization_reference=command["authorization_reference"]))
    user.wait_for(session_id, "active")
    return user, session_id, session["id"]


def test_a_session_has_one_source_of_profiles(town):
    """R-CP-07, R-CP-02: while an SCSP's profile stands, apps set none."""
    cpo, scsp = town.cpos["2.2.1"], Smart()
    try:
        scsp.register(town.hub)
        town.allow(scsp, cpo)
        user, ours, theirs = running_session(town, cpo)
        results = f"{scsp.base}/2.2.1/results/1"
        at = f"{town.hub.url}/ocpi/cpo/2.2.1/chargingprofiles/{theirs}"
        to = (cpo.country, cpo.party)
        body = {"response_url": results, "charging_profile": PROFILE}
        wait_until(lambda: scsp.put(at, body, to=to).json()["status_code"] == 1000, 10, "the contract")
        before = len(cpo.requests("PUT", "/2.2.1/chargingprofiles"))
        answer = user.call("POST", f"/v1/sessions/{ours}/charging-profile", json={"max_charge_rate_kw": 11})
        assert (answer.status_code, answer.json()["type"].rsplit("/", 1)[-1]) == (409, "profile_rejected"), answer.text
        assert len(cpo.requests("PUT", "/2.2.1/chargingprofiles")) == before
        done(scsp.call("DELETE", at + "?response_url=" + quote(results, safe=""), to=to))
        cleared = cpo.requests("DELETE", "/2.2.1/chargingprofiles")[-1]
        done(cpo.result(cleared["path"].split("response_url=")[1].replace("%3A", ":").replace("%2F", "/"),
                        {"result": "ACCEPTED"}))
        cpo.scripted[("PUT", "/2.2.1/chargingprofiles")] = hangs(0)
        user.call("POST", f"/v1/sessions/{ours}/charging-profile", json={"max_charge_rate_kw": 11})
        assert len(cpo.requests("PUT", "/2.2.1/chargingprofiles")) == before + 1
    finally:
        scsp.close()
