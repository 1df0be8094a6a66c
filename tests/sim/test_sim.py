# SPDX-License-Identifier: Apache-2.0
"""ocpi-sim against a hub of a hundred lines: does the simulator tell the truth about itself?

The program is that of $HUB_BUILD_DIR, else build/debug.
"""

import base64
import json
import os
import socket
import subprocess
import threading
import time
import uuid
from datetime import datetime, timezone
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import requests

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
TOKEN_A = "token-a-of-the-hub"


def program():
    build = os.environ.get("HUB_BUILD_DIR", os.path.join(ROOT, "build", "debug"))
    return os.path.join(build, "tests", "ocpi-sim")


def now():
    return datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def encoded(token):
    return "Token " + base64.b64encode(token.encode()).decode()


class Hub:
    """Versions, credentials, receivers; keeps everything that comes."""

    def __init__(self):
        self.seen = []  # (method, path, headers, body), in order of arrival
        self.sessions = {}
        self.cdrs = []
        self.lock = threading.Lock()
        self.token_in = self.token_out = None
        self.details = None
        self.forget_sessions = False
        self.refuse_cdrs = []  # answers instead of taking CDRs: (HTTP status, status_code)
        hub = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *args):
                pass

            def answer(self, status=200, data=None, code=1000, **headers):
                body = {"status_code": code, "timestamp": now()}
                if data is not None:
                    body["data"] = data
                text = json.dumps(body).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(text)))
                for name in ("X-Request-ID", "X-Correlation-ID"):
                    if self.headers.get(name):
                        self.send_header(name, self.headers[name])
                for end, other in (("from", "to"), ("to", "from")):
                    for part in ("country-code", "party-id"):
                        value = self.headers.get(f"OCPI-{end}-{part}")
                        if value:
                            self.send_header(f"OCPI-{other}-{part}", value)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(text)

            def handle_any(self):
                length = int(self.headers.get("Content-Length") or 0)
                raw = self.rfile.read(length)
                body = json.loads(raw, parse_float=Decimal) if raw else None
                with hub.lock:
                    hub.seen.append((self.command, self.path, dict(self.headers), body))
                hub.serve(self, body)

            do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = handle_any

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()

    def serve(self, h, body):
        path = h.path.split("?")[0]
        if path == "/ocpi/emsp/versions":
            return h.answer(data=[{"version": "2.2.1", "url": self.url + "/ocpi/emsp/2.2.1"}])
        if path == "/ocpi/emsp/2.2.1":
            modules = [("credentials", "SENDER"), ("tokens", "SENDER"), ("commands", "SENDER"),
                       ("chargingprofiles", "SENDER"), ("locations", "RECEIVER"),
                       ("tariffs", "RECEIVER"), ("sessions", "RECEIVER"), ("cdrs", "RECEIVER")]
            return h.answer(data={"version": "2.2.1", "endpoints": [
                {"identifier": m, "role": r, "url": f"{self.url}/ocpi/emsp/2.2.1/{m}"}
                for m, r in modules]})
        if path == "/ocpi/emsp/2.2.1/credentials":
            return self.credentials(h, body)
        if "/sessions/" in path:
            return self.session(h, path.rsplit("/", 1)[1], body)
        if path.endswith("/cdrs") and self.refuse_cdrs:
            status, code = self.refuse_cdrs.pop(0)
            return h.answer(status, code=code)
        if path.endswith("/cdrs"):
            self.cdrs.append(body)
            return h.answer(201, Location=f"{self.url}/cdr/{len(self.cdrs)}")
        if path.endswith("/authorize"):
            return h.answer(404, code=2004)
        return h.answer()

    def session(self, h, session_id, body):
        if h.command == "PATCH" and (session_id not in self.sessions or self.forget_sessions):
            self.forget_sessions = False
            return h.answer(404, code=2001)
        new = session_id not in self.sessions
        if h.command == "PUT":
            self.sessions[session_id] = dict(body)
        else:
            stored = self.sessions[session_id]
            periods = stored.get("charging_periods", []) + body.get("charging_periods", [])
            stored.update(body)
            if periods:
                stored["charging_periods"] = periods
        h.answer(201 if new else 200)

    def credentials(self, h, body):
        if h.command == "DELETE":
            return h.answer()
        sim = {"Authorization": encoded(body["token"]), "X-Request-ID": str(uuid.uuid4()),
               "X-Correlation-ID": str(uuid.uuid4())}
        versions = requests.get(body["url"], headers=sim).json()["data"]
        sim["X-Request-ID"] = str(uuid.uuid4())
        self.details = requests.get(versions[0]["url"], headers=sim).json()["data"]
        self.token_out = body["token"]
        self.token_in = str(uuid.uuid4())
        h.answer(data=self.our_credentials(self.token_in))

    def our_credentials(self, token):
        return {"token": token, "url": self.url + "/ocpi/emsp/versions",
                "roles": [{"role": "EMSP", "country_code": "FI", "party_id": "HUB",
                           "business_details": {"name": "Hub"}}]}

    # what a hub asks a CPO

    def endpoint(self, module):
        return next(e["url"] for e in self.details["endpoints"] if e["identifier"] == module)

    def ask(self, method, url, body=None, routed=True, token=None, **more):
        headers = {"Authorization": encoded(token or self.token_out),
                   "X-Request-ID": str(uuid.uuid4()), "X-Correlation-ID": str(uuid.uuid4())}
        if routed:
            headers |= {"OCPI-from-country-code": "FI", "OCPI-from-party-id": "HUB",
                        "OCPI-to-country-code": "FI", "OCPI-to-party-id": "VRT"}
        return requests.request(method, url, json=body, headers=headers, timeout=10, **more)

    def callback(self):
        return f"{self.url}/ocpi/emsp/2.2.1/cb/{uuid.uuid4()}"

    def start(self, location="LOC1", evse="3256", connector="1", **more):
        body = {"response_url": self.callback(), "location_id": location, "evse_uid": evse,
                "connector_id": connector, "authorization_reference": str(uuid.uuid4()),
                "token": {"country_code": "FI", "party_id": "HUB", "uid": "U-1",
                          "type": "APP_USER", "contract_id": "FI-HUB-C1", "issuer": "Hub",
                          "valid": True, "whitelist": "NEVER", "last_updated": now()}}
        answer = self.ask("POST", self.endpoint("commands") + "/START_SESSION", body, **more)
        return answer, body

    def stop(self, session_id):
        body = {"response_url": self.callback(), "session_id": session_id}
        return self.ask("POST", self.endpoint("commands") + "/STOP_SESSION", body), body

    def results(self, body):
        path = body["response_url"].split(self.url)[1]
        with self.lock:
            return [s[3]["result"] for s in self.seen if s[1].rstrip("/") == path]

    def pushes(self, method, part):
        with self.lock:
            return [s for s in self.seen if s[0] == method and part in s[1]]


class Sim:
    def __init__(self, *options):
        self.process = subprocess.Popen([program(), "cpo", *options], stdout=subprocess.PIPE,
                                        text=True)
        self.ready = json.loads(self.process.stdout.readline())
        self.control = self.ready["control_url"]

    def get(self, what, **query):
        return requests.get(self.control + "/sim/" + what, params=query, timeout=10).json()

    def post(self, what, **body):
        answer = requests.post(self.control + "/sim/" + what, json=body, timeout=15)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def event(self):
        return json.loads(self.process.stdout.readline())

    def close(self):
        self.process.terminate()
        status = self.process.wait(timeout=10)
        self.process.stdout.close()
        assert status == 0


def wait_for(what, seconds=10):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = what()
        if found:
            return found
        time.sleep(0.02)
    raise AssertionError("this did not happen in time")


@pytest.fixture
def hub():
    h = Hub()
    yield h
    h.close()


@pytest.fixture
def registered(hub):
    sims = []

    def make(*options):
        sim = Sim("--register", hub.url + "/ocpi/emsp/versions", "--token-a", TOKEN_A, *options)
        sims.append(sim)
        assert sim.event()["event"] == "registered"
        return sim

    yield make
    for sim in sims:
        assert sim.get("violations")["violations"] == []
        sim.close()


def run_session(hub, seconds=0.3, **start):
    answer, body = hub.start(**start)
    assert answer.json()["data"] == {"result": "ACCEPTED", "timeout": 30}
    session = wait_for(lambda: next((s for s in list(hub.sessions.values())
                                     if s["status"] == "ACTIVE"), None))
    time.sleep(seconds)
    stopped, stop_body = hub.stop(session["id"])
    assert stopped.json()["data"]["result"] == "ACCEPTED"
    wait_for(lambda: session["id"] in hub.sessions
             and hub.sessions[session["id"]]["status"] == "COMPLETED")
    return hub.sessions[session["id"]], body, stop_body


def test_a_session_from_start_to_cdr(hub, registered):
    registered("--speed", "60")
    session, start, stop = run_session(hub, 1.0)
    assert hub.results(start) == ["ACCEPTED"] and hub.results(stop) == ["ACCEPTED"]
    cdr = wait_for(lambda: hub.cdrs and hub.cdrs[0])
    assert cdr["authorization_reference"] == start["authorization_reference"]
    assert session["authorization_reference"] == start["authorization_reference"]
    assert cdr["session_id"] == session["id"] and cdr["total_energy"] == session["kwh"] > 0
    assert cdr["start_date_time"] == session["start_date_time"]
    energy = time_h = Decimal(0)
    for period in cdr["charging_periods"]:
        volumes = {d["type"]: d["volume"] for d in period["dimensions"]}
        energy += volumes["ENERGY"]
        time_h += volumes["TIME"]
    assert energy == cdr["total_energy"] and time_h == cdr["total_time"]
    cent = Decimal("0.0001")
    net = (cdr["total_energy"] * Decimal("0.30")).quantize(cent)
    assert abs(cdr["total_cost"]["excl_vat"] - net) <= cent
    gross = cdr["total_energy"] * Decimal("0.30") * Decimal("1.24")
    assert abs(cdr["total_cost"]["incl_vat"] - gross) <= cent


def test_the_hub_may_register_at_the_simulator(hub):
    sim = Sim("--token-a-accept", "come-in-1")
    a = {"Authorization": encoded("come-in-1"), "X-Request-ID": "1", "X-Correlation-ID": "1"}
    versions = requests.get(sim.ready["versions_url"], headers=a).json()["data"]
    a["X-Request-ID"] = "2"
    hub.details = requests.get(versions[0]["url"], headers=a).json()["data"]
    answer = hub.ask("POST", hub.endpoint("credentials"), hub.our_credentials("b"), routed=False,
                     token="come-in-1").json()
    assert answer["status_code"] == 1000
    hub.token_out = answer["data"]["token"]
    assert answer["data"]["roles"][0]["role"] == "CPO"
    assert sim.event() == {"event": "registered", "hub": "FI-HUB", "version": "2.2.1",
                           "hub_versions_url": hub.url + "/ocpi/emsp/versions"}
    # R-CRED-04: token A is used up, C is not for POST.
    assert hub.ask("GET", hub.endpoint("credentials"), routed=False,
                   token="come-in-1").status_code == 401
    assert hub.ask("POST", hub.endpoint("credentials"), hub.our_credentials("x"),
                   routed=False).status_code == 405
    renewed = hub.ask("PUT", hub.endpoint("credentials"), hub.our_credentials("b2"), routed=False)
    old, hub.token_out = hub.token_out, renewed.json()["data"]["token"]
    assert hub.ask("GET", hub.endpoint("locations")).status_code == 200
    assert hub.ask("GET", hub.endpoint("locations"), token=old).status_code == 401
    assert hub.ask("DELETE", hub.endpoint("credentials"), routed=False).status_code == 200
    assert hub.ask("GET", hub.endpoint("locations")).status_code == 401
    sim.close()


def test_a_wrong_versions_url_ends_the_program_with_1():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
    done = subprocess.run([program(), "cpo", "--register", f"http://127.0.0.1:{port}/versions",
                           "--token-a", "a"], capture_output=True, text=True, timeout=20)
    assert done.returncode == 1 and "registration at" in done.stderr


def test_lists_are_paged_and_filtered(hub, registered):
    registered("--world", "120")
    url, ids = hub.endpoint("locations") + "?limit=50", []
    while url:
        answer = hub.ask("GET", url)
        ids += [location["id"] for location in answer.json()["data"]]
        assert answer.headers["X-Total-Count"] == "120" and answer.headers["X-Limit"] == "50"
        url = answer.links.get("next", {}).get("url")
    assert len(ids) == len(set(ids)) == 120
    later = hub.ask("GET", hub.endpoint("locations") + "?date_from=2100-01-01T00:00:00Z")
    assert later.json()["data"] == [] and later.headers["X-Total-Count"] == "0"
    evse = hub.ask("GET", hub.endpoint("locations") + "/LOC1/3256").json()["data"]
    assert evse["evse_id"] == "FI*VRT*E12345" and len(evse["connectors"]) == 2
    assert len(hub.ask("GET", hub.endpoint("tariffs")).json()["data"]) == 3
    assert hub.ask("GET", hub.endpoint("cdrs")).json()["data"] == []


def test_a_big_world_is_cheap():
    began = time.monotonic()
    sim = Sim("--world", "20000")
    assert time.monotonic() - began < 5
    assert sim.get("world", limit=1)["locations"] == 20000
    sim.close()


def test_a_profile_changes_the_power(hub, registered):
    sim = registered("--speed", "60")
    hub.start()
    session = wait_for(lambda: next((s for s in list(hub.sessions.values())
                                     if s["status"] == "ACTIVE"), None))
    power = lambda: sim.get("world", evse="3256")["evses"][0]["power_w"]
    assert power() == 120000
    body = {"response_url": hub.callback(), "charging_profile": {
        "charging_rate_unit": "W", "charging_profile_period": [{"start_period": 0,
                                                                "limit": 11000}]}}
    url = hub.endpoint("chargingprofiles") + "/" + session["id"]
    assert hub.ask("PUT", url, body).json()["data"]["result"] == "ACCEPTED"
    wait_for(lambda: hub.results(body) == ["ACCEPTED"])
    assert power() == 11000
    clear = {"response_url": hub.callback()}
    hub.ask("DELETE", url, params=clear)
    wait_for(lambda: hub.results(clear) == ["ACCEPTED"])
    assert power() == 120000
    hub.stop(session["id"])
    cdr = wait_for(lambda: hub.cdrs and hub.cdrs[0])
    assert len(cdr["charging_periods"]) == 3


def test_a_full_car_ends_by_itself_when_the_clock_is_advanced(hub, registered):
    sim = registered()
    sim.post("plug", evse="FI-VRT-E12345", battery_kwh=10, start_percent=50)
    hub.start()
    wait_for(lambda: any(s["status"] == "ACTIVE" for s in list(hub.sessions.values())))
    sim.post("clock", advance_s=3600)
    cdr = wait_for(lambda: hub.cdrs and hub.cdrs[0])
    assert cdr["total_energy"] == 5


def test_a_car_that_comes_later_starts_the_session(hub, registered):
    sim = registered()
    sim.post("unplug", evse="3256")
    _, body = hub.start()
    wait_for(lambda: hub.results(body) == ["ACCEPTED"])
    time.sleep(0.8)
    assert hub.sessions == {}
    sim.post("plug", evse="3256")
    wait_for(lambda: hub.sessions)


@pytest.mark.parametrize("word, result", [
    ("occupied", "EVSE_OCCUPIED"), ("inoperative", "EVSE_INOPERATIVE"),
    ("failed-result", "FAILED"), ("timeout-result", "TIMEOUT")])
def test_bad_results(hub, registered, word, result):
    sim = registered("--speed", "20")
    sim.post("behave", name=word, evse="FI*VRT*E12345", times=1)
    _, body = hub.start()
    wait_for(lambda: hub.results(body) == [result])
    assert sim.get("state")["behave"] == [] and hub.sessions == {}


def test_misbehaviour_at_one_evse_leaves_the_others_alone(hub, registered):
    sim = registered("--speed", "20", "--behave", "reject-start@3257")
    assert hub.start(evse="3257")[0].json()["data"]["result"] == "REJECTED"
    assert hub.start()[0].json()["data"]["result"] == "ACCEPTED"
    wait_for(lambda: hub.sessions)
    assert sim.get("sessions")["count"] == 1


def test_callbacks_never_twice_early_and_with_a_slash(hub, registered):
    sim = registered("--speed", "20")
    sim.post("behave", name="double-callback", times=1)
    sim.post("behave", name="callback-trailing-slash", times=1)
    sim.post("behave", name="early-callback", times=1)
    _, body = hub.start()
    assert hub.results(body) == ["ACCEPTED"] * 2
    sim.post("behave", name="no-callback")
    _, body = hub.start(evse="3257")
    wait_for(lambda: len(hub.sessions) == 2)
    assert hub.results(body) == []


def test_answers_that_break(hub, registered):
    sim = registered()
    for name, status in (("http-500", 500), ("http-429", 429), ("http-401", 401)):
        sim.post("behave", name=name, times=1)
        assert hub.start()[0].status_code == status
    sim.post("behave", name="html-body", times=1)
    assert hub.start(evse="3257")[0].headers["Content-Type"] == "text/html"
    sim.post("behave", name="close-after-request", times=1)
    with pytest.raises(requests.ConnectionError):
        hub.start()
    assert sim.get("sessions")["count"] == 1
    sim.post("behave", name="lost-answer", times=1)
    with pytest.raises(requests.ConnectionError):
        hub.start()
    assert sim.get("sessions")["count"] == 2
    sim.post("behave", name="hang")
    with pytest.raises(requests.Timeout):
        requests.get(hub.endpoint("tariffs"), timeout=0.3, headers={
            "Authorization": encoded(hub.token_out), "X-Request-ID": "h", "X-Correlation-ID": "h",
            "OCPI-from-country-code": "FI", "OCPI-from-party-id": "HUB",
            "OCPI-to-country-code": "FI", "OCPI-to-party-id": "VRT"})
    started = sim.get("requests", path="START_SESSION", method="POST")
    assert started["count"] == 6
    assert started["requests"][0]["headers"]["authorization"] == "Token ***"


def test_cdr_misbehaviour(hub, registered):
    sim = registered("--speed", "60", "--behave", "cdr-altered", "--behave", "cdr-no-reference",
                     "--behave", "cdr-before-session")
    run_session(hub)
    wait_for(lambda: len(hub.cdrs) == 2)
    assert hub.cdrs[0]["id"] == hub.cdrs[1]["id"]
    assert hub.cdrs[0]["total_cost"] != hub.cdrs[1]["total_cost"]
    assert "authorization_reference" not in hub.cdrs[0]
    order = [s for s in hub.seen if s[1].endswith("/cdrs")
             or (s[3] or {}).get("status") == "COMPLETED"]
    assert order[0][1].endswith("/cdrs")
    assert sim.get("cdrs")["count"] == 1


def test_a_cdr_is_repeated_until_it_is_taken(hub, registered):
    registered("--speed", "60")
    hub.refuse_cdrs = [(503, 3000), (200, 3000)]
    run_session(hub)
    wait_for(lambda: hub.cdrs)
    time.sleep(0.3)
    assert len(hub.cdrs) == 1 and len(hub.pushes("POST", "/cdrs")) == 3


def test_a_cdr_that_the_hub_calls_wrong_is_not_repeated(hub, registered):
    registered("--speed", "60")
    hub.refuse_cdrs = [(200, 2001)]
    run_session(hub)
    wait_for(lambda: hub.pushes("POST", "/cdrs"))
    time.sleep(0.5)
    assert hub.cdrs == [] and len(hub.pushes("POST", "/cdrs")) == 1


def test_only_a_cdr(hub, registered):
    registered("--speed", "60", "--behave", "no-session-only-cdr:60")
    hub.start()
    cdr = wait_for(lambda: hub.cdrs and hub.cdrs[0])
    assert hub.sessions == {} and "session_id" not in cdr


def test_session_pushes_twice_and_out_of_order(hub, registered):
    sim = registered("--speed", "60", "--behave", "duplicate-pushes")
    run_session(hub)
    pushes = [s[3] for s in hub.pushes("PUT", "/sessions/")]
    assert pushes[0] == pushes[1]
    sim.post("behave", name="none")
    sim.post("behave", name="reordered-pushes", times=1, evse="3257")
    hub.sessions.clear()
    run_session(hub, evse="3257")
    session_id = next(iter(hub.sessions))
    assert [s[0] for s in hub.seen if s[1].endswith(session_id)][:2] == ["PATCH", "PUT"]


def test_a_patch_that_finds_nothing_is_followed_by_a_put(hub, registered):
    registered("--speed", "60")
    hub.start()
    wait_for(lambda: any(s["status"] == "ACTIVE" for s in list(hub.sessions.values())))
    before = len(hub.pushes("PUT", "/sessions/"))
    hub.forget_sessions = True
    wait_for(lambda: len(hub.pushes("PUT", "/sessions/")) > before)


def test_spelling_of_messages(hub, registered):
    registered("--speed", "60", "--behave", "lower-case-ids", "--behave", "offset-times",
               "--behave", "numbers-as-text", "--behave", "extra-fields", "--behave",
               "no-cost", "--behave", "plain-token")
    run_session(hub)
    put = next(s for s in hub.seen if s[0] == "PUT" and "/sessions/" in s[1])
    assert "/fi/vrt/s-" in put[1] and put[3]["country_code"] == "fi"
    assert put[3]["start_date_time"].endswith("+02:00") and isinstance(put[3]["kwh"], str)
    assert "x_vendor" in put[3] and "total_cost" not in put[3]
    assert put[2]["Authorization"] == "Token " + hub.token_in


def test_stop_refused_ignored_unknown(hub, registered):
    sim = registered("--speed", "20")
    hub.start()
    session = wait_for(lambda: next((s for s in list(hub.sessions.values())
                                     if s["status"] == "ACTIVE"), None))
    sim.post("behave", name="refuse-stop-sync", times=1)
    assert hub.stop(session["id"])[0].json()["data"]["result"] == "REJECTED"
    sim.post("behave", name="refuse-stop", times=1)
    _, body = hub.stop(session["id"])
    wait_for(lambda: hub.results(body) == ["REJECTED"])
    sim.post("behave", name="stop-ignored", times=1)
    _, body = hub.stop(session["id"])
    wait_for(lambda: hub.results(body) == ["ACCEPTED"])
    time.sleep(0.2)
    assert sim.get("sessions")["sessions"][0]["state"] == "ACTIVE"
    sim.post("behave", name="unknown-session-on-stop", times=1)
    assert hub.stop(session["id"])[0].json()["data"]["result"] == "UNKNOWN_SESSION"
    wait_for(lambda: hub.cdrs)


def test_control_pushes_authorises_rotates_and_goes_offline(hub, registered):
    sim = registered()
    answer = sim.post("push", method="PUT", module="sessions", path="FI/VRT/X1",
                      body={"id": "X1"}, headers={"X-Own": "1", "OCPI-to-party-id": None})
    assert answer["status"] == 201 and answer["body"]["status_code"] == 1000
    assert "OCPI-to-party-id" not in hub.pushes("PUT", "X1")[0][2]
    answer = sim.post("authorize", uid="U-1", type="APP_USER", location_id="LOC1")
    assert answer["status"] == 404 and answer["body"]["status_code"] == 2004
    assert hub.pushes("POST", "/tokens/U-1/authorize?type=APP_USER")
    old = hub.token_out
    sim.post("rotate")
    assert hub.token_out != old
    assert hub.ask("GET", hub.endpoint("tariffs")).status_code == 200
    sim.post("offline", on=True)
    with pytest.raises(requests.ConnectionError):
        hub.ask("GET", hub.endpoint("tariffs"))
    sim.post("offline", on=False)
    assert hub.ask("GET", hub.endpoint("tariffs")).status_code == 200
    sim.post("unregister")
    assert hub.ask("GET", hub.endpoint("tariffs")).status_code == 401


def test_what_the_hub_does_wrong_is_a_violation(hub):
    sim = Sim("--register", hub.url + "/ocpi/emsp/versions", "--token-a", TOKEN_A)
    assert sim.event()["event"] == "registered"
    assert sim.get("violations")["count"] == 0
    hub.start(location="LOC2", evse="4001", connector=None)
    hub.ask("GET", hub.endpoint("locations"), routed=False)
    hub.ask("GET", hub.endpoint("sessions"))
    hub.ask("POST", hub.endpoint("tariffs"), {})
    requests.get(hub.endpoint("tariffs"), headers={"Authorization": "Token " + hub.token_out})
    rules = {v["rule"] for v in sim.get("violations")["violations"]}
    assert {"R-TRANS-02", "R-TRANS-60", "R-TRANS-40", "R-TRANS-09", "R-ROUTE-01",
            "R-REST-02"} <= rules
    sim.post("reset")
    assert sim.get("violations")["count"] == 0
    sim.close()


def test_a_hook_is_asked_before_a_command_is_answered(hub, registered):
    sim = registered()
    sim.post("hook", url=hub.url + "/hook")
    _, body = hub.start()
    assert hub.pushes("POST", "/hook")[0][3]["response_url"] == body["response_url"]


def test_sessions_of_others(hub, registered):
    sim = registered("--speed", "60")
    made = sim.post("session", evse="3257", uid="CARD-9", party_id="EMP")
    wait_for(lambda: hub.sessions.get(made["id"], {}).get("status") == "ACTIVE")
    assert hub.sessions[made["id"]]["cdr_token"]["uid"] == "CARD-9"
    sim.post("stop", id=made["id"])
    assert wait_for(lambda: hub.cdrs and hub.cdrs[0])["auth_method"] == "WHITELIST"
