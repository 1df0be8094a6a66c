# SPDX-License-Identifier: Apache-2.0
"""
Third parties work with each other through the hub as if they were connected directly: commands and
charging profiles with their results, real-time authorisation, charging preferences, GETs that name
their receiver; of one version, and between versions.
"""

import json
import threading
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import parse_qs, quote, urlsplit

import pytest
import requests
from emsp_partner import Party, hangs
from harness import wait_until
from partner import now
from test_ocpi_inbound import new_party
from test_versions_inbound import Speaker, done, envelope

VERSIONS = ("2.1.1", "2.2.1", "2.3.0")


class Emsp(Party):
    """An eMSP that also has charging profiles, and an address for results."""

    def __init__(self, version, letter="R"):
        super().__init__("SE", letter + version[0] + version[2], f"Relay Mobility {letter} {version}", version=version)
        self.kept = {}
        if version != "2.1.1":
            self.endpoints = self.our_endpoints() + [
                {"identifier": "chargingprofiles", "role": "SENDER", "url": f"{self.base}/{version}/chargingprofiles"}]
        self.scripted[("POST", f"/{version}/results")] = lambda r: (200, self.envelope(None))
        self.scripted[("PUT", f"/{version}/chargingprofiles")] = lambda r: (200, self.envelope(None))
        self.scripted[("POST", f"/{version}/tokens")] = self.authorize

    def authorize(self, request):
        uid = urlsplit(request["path"]).path.split("/")[3]
        if uid not in self.kept:
            return 404, self.envelope(None, 2000 if self.old else 2004)
        info = {"allowed": "ALLOWED"}
        if not self.old:
            info.update(token=self.kept[uid], authorization_reference="ref-" + uid[:20])
        return 200, self.envelope(info)

    def new_token(self, push=True, **changes):
        token = self.own_token(**changes)
        self.kept[token["uid"]] = token
        if push:
            done(self.put(self.url("tokens", self.country, self.party, token["uid"]), token), 201)
        return token

    def result_url(self):
        return f"{self.base}/{self.version}/results/{uuid.uuid4().hex}"

    def command(self, name, body, **kw):
        kw.setdefault("to", None)
        return self.post(self.url("commands", name), body, **kw)

    def results(self, url):
        path = urlsplit(url).path
        return [r for r in self.received if r["method"] == "POST" and r["path"] == path]

    def start(self, location, url=None, token=None, **more):
        return {"response_url": url or self.result_url(), "token": token or self.own_token(),
                "location_id": location["id"], **more}


class Cpo(Speaker):
    def __init__(self, version, letter="R"):
        super().__init__(version, "DK", letter + version[0] + version[2], name=f"Relay Power {letter} {version}")
        self.listed = {}

    def commands(self, name):
        return self.requests("POST", f"/{self.version}/commands/{name}")

    def carried(self):
        """How much was carried to it; what the hub tells and reads on its own account is none of that."""
        return sum(f"/{m}/" in r["path"] for r in self.received for m in ("commands", "chargingprofiles"))

    def answers(self, module, data=None, code=1000, status=200, **headers):
        """What it says from now on to a module's messages."""
        for method in ("GET", "POST", "PUT", "DELETE"):
            self.scripted[(method, f"/{self.version}/{module}")] = \
                lambda r: (status, self.envelope(data, code), headers)

    def put_own(self, module, thing):
        answer = self.put(self.own(module, thing["id"]), thing)
        assert answer.status_code in (200, 201) and answer.json()["status_code"] == 1000, answer.text
        return thing

    def new_location(self, **changes):
        return self.put_own("locations", self.location(**changes))

    def new_session(self, emsp, token, location):
        if self.version == "2.1.1":
            return self.put_own("sessions", self.session(location=location, auth_id=token.get("auth_id", token["uid"])))
        cdr_token = {"country_code": emsp.country, "party_id": emsp.party, "uid": token["uid"], "type": "RFID",
                     "contract_id": token.get("contract_id", token.get("auth_id"))}
        return self.put_own("sessions", self.session(location=location, cdr_token=cdr_token, auth_method="WHITELIST"))

    def result(self, url, body, **kw):
        return self.post(url, body, **kw)


class Town:
    """A CPO and an eMSP of each version, all with contracts; one eMSP and one CPO without any."""

    def __init__(self, hub, letter="R"):
        self.hub = hub
        self.cpos = {v: Cpo(v, letter) for v in VERSIONS}
        self.emsps = {v: Emsp(v, letter) for v in VERSIONS}
        self.stranger = Party("SE", "NO" + letter, f"No Contract Mobility {letter}")
        self.all = [*self.cpos.values(), *self.emsps.values(), self.stranger]
        for party in self.all:
            party.register(hub)
        for cpo in self.cpos.values():
            for emsp in self.emsps.values():
                self.allow(cpo, emsp)
                self.allow(emsp, cpo)
        time.sleep(1)

    def contract(self, word, sender, receiver, *more):
        return self.hub.ctl("contract", word, "--from", f"{sender.country}*{sender.party}",
                            "--to", f"{receiver.country}*{receiver.party}", *more)

    def allow(self, sender, receiver, *more):
        return self.contract("allow", sender, receiver, *more)

    def deny(self, sender, receiver, *more):
        return self.contract("deny", sender, receiver, *more)


@pytest.fixture(scope="module")
def town(shared_world):
    t = Town(shared_world.hub)
    yield t
    for party in t.all:
        party.close()


@pytest.fixture(autouse=True)
def well_behaved(request):
    """What a test scripts is forgotten with it."""
    if "town" not in request.fixturenames:
        yield
        return
    t = request.getfixturevalue("town")
    before = {p: dict(p.scripted) for p in t.all}
    yield
    for p in t.all:
        p.scripted.clear()
        p.scripted.update(before[p])


def header(request, name):
    return next((v for k, v in request["headers"].items() if k.lower() == name.lower()), None)


def routing(request):
    return {k.lower()[5:]: v for k, v in request["headers"].items() if k.lower().startswith("ocpi-")}


def route_of(sender, receiver):
    return {"from-country-code": sender.country, "from-party-id": sender.party,
            "to-country-code": receiver.country, "to-party-id": receiver.party}


def answered_by(answer, sender, receiver):
    """The routing headers of an answer (R-ROUTE-04)."""
    found = {k.lower()[5:]: v for k, v in answer.headers.items() if k.lower().startswith("ocpi-")}
    assert found == route_of(sender, receiver)


PAIRS = [(e, c) for e in VERSIONS for c in VERSIONS]


# ---- commands ----


def test_a_command_goes_through_byte_for_byte(town):
    """R-ROUTE-20, -21, -50, -54, R-ASYNC-10, R-TRANS-60, -61: open routing by the location, only
    response_url replaced, also where the versions are the same."""
    emsp, cpo = town.emsps["2.2.1"], town.cpos["2.2.1"]
    location = cpo.new_location()
    ask = emsp.start(location, evse_uid=location["evses"][0]["uid"], something={"new": [1.50, "x"]})
    raw = json.dumps(ask, indent=3).replace("1.5", "1.50").encode()
    answer = emsp.call("POST", emsp.url("commands", "START_SESSION"), raw=raw, to=None,
                       **{"X-Correlation-ID": "corr-1", "X-Request-ID": "req-1"})
    assert done(answer) == {"result": "ACCEPTED", "timeout": 30}
    answered_by(answer, cpo, emsp)
    assert answer.headers["X-Request-ID"] == "req-1" and answer.headers["X-Correlation-ID"] == "corr-1"
    got = cpo.commands("START_SESSION")[-1]
    assert routing(got) == route_of(emsp, cpo)
    assert header(got, "X-Correlation-ID") == "corr-1" and header(got, "X-Request-ID") != "req-1"
    ours = got["body"]["response_url"]
    assert ours.startswith(f"{town.hub.url}/ocpi/emsp/2.2.1/cb/") and len(ours) <= 255
    assert got["raw"] == raw.replace(ask["response_url"].encode(), ours.encode())


@pytest.mark.parametrize("emsp_version, cpo_version", PAIRS)
def test_a_start_and_its_result_between_versions(town, emsp_version, cpo_version):
    """R-ASYNC-10, -12, R-ROUTE-10, R-BR: request, response, result and its acknowledgement."""
    emsp, cpo = town.emsps[emsp_version], town.cpos[cpo_version]
    location = cpo.new_location()
    url = emsp.result_url()
    if not emsp.old:  # named; 2.1.1 names nobody
        to = (cpo.country, cpo.party)
    answer = emsp.command("START_SESSION", emsp.start(location, url), to=None if emsp.old else to)
    data = done(answer)
    assert data["result"] == "ACCEPTED" and ("timeout" in data) == (not emsp.old)
    got = cpo.commands("START_SESSION")[-1]
    assert got["body"]["location_id"] == location["id"]
    assert ("country_code" in got["body"]["token"]) == (cpo_version != "2.1.1")
    assert ("auth_id" in got["body"]["token"]) == (cpo_version == "2.1.1")
    assert routing(got) == ({} if cpo_version == "2.1.1" else route_of(emsp, cpo))
    done(cpo.result(got["body"]["response_url"], {"result": "ACCEPTED"}))
    told = emsp.results(url)
    assert len(told) == 1 and told[0]["body"]["result"] == "ACCEPTED"
    assert routing(told[0]) == ({} if emsp.old else route_of(cpo, emsp))
    assert header(told[0], "X-Correlation-ID") == header(got, "X-Correlation-ID")
    if not emsp.old:
        answered_by(answer, cpo, emsp)


def test_stop_reserve_cancel_unlock(town):
    """R-CMD: each command by what it names; R-CMD-09, R-ASYNC-10."""
    emsp, cpo = town.emsps["2.2.1"], town.cpos["2.3.0"]
    location = cpo.new_location()
    token = emsp.new_token()
    session = cpo.new_session(emsp, token, location)
    evse = location["evses"][0]
    reservation = uuid.uuid4().hex
    place = {"location_id": location["id"], "evse_uid": evse["uid"]}
    for name, body in (("STOP_SESSION", {"session_id": session["id"]}),
                       ("RESERVE_NOW", {**place, "token": token, "expiry_date": now(600), "reservation_id": reservation}),
                       ("CANCEL_RESERVATION", {"reservation_id": reservation}),
                       ("UNLOCK_CONNECTOR", {**place, "connector_id": "1"})):
        url = emsp.result_url()
        assert done(emsp.command(name, {"response_url": url, **body}))["result"] == "ACCEPTED", name
        got = cpo.commands(name)[-1]
        assert {k: v for k, v in got["body"].items() if k not in ("response_url", "token")} == \
            {k: v for k, v in body.items() if k != "token"}
        done(cpo.result(got["body"]["response_url"], {"result": "FAILED"}))
        assert [r["body"] for r in emsp.results(url)] == [{"result": "FAILED"}]


def test_a_reservation_has_a_number_in_2_1_1(town):
    """R-BR (15.7): ids that a version lacks are mapped, always the same way."""
    emsp, cpo = town.emsps["2.2.1"], town.cpos["2.1.1"]
    location = cpo.new_location()
    token, reservation = emsp.own_token(), uuid.uuid4().hex
    seen = []
    for _ in range(2):
        body = {"response_url": emsp.result_url(), "token": token, "expiry_date": now(600),
                "reservation_id": reservation, "location_id": location["id"]}
        assert done(emsp.command("RESERVE_NOW", body))["result"] == "ACCEPTED"
        seen.append(cpo.commands("RESERVE_NOW")[-1]["body"]["reservation_id"])
    assert isinstance(seen[0], int) and seen[0] == seen[1] > 0
    body = {"response_url": emsp.result_url(), "reservation_id": reservation}
    count = cpo.carried()
    assert done(emsp.command("CANCEL_RESERVATION", body))["result"] == "NOT_SUPPORTED"
    assert cpo.carried() == count


def test_an_unknown_command_is_not_supported(town):
    """R-CMD-01."""
    emsp = town.emsps["2.2.1"]
    assert done(emsp.command("DANCE", {"response_url": emsp.result_url()}))["result"] == "NOT_SUPPORTED"


def test_the_cpos_own_error_comes_back(town):
    """R-ROUTE-40, R-CMD-10: code, message and data."""
    emsp, cpo = town.emsps["2.2.1"], town.cpos["2.2.1"]
    location = cpo.new_location()
    cpo.scripted[("POST", "/2.2.1/commands")] = lambda r: (
        200, {"status_code": 2003, "status_message": "never heard of it", "timestamp": now(),
              "data": {"result": "REJECTED", "timeout": 0}})
    answer = emsp.command("START_SESSION", emsp.start(location))
    assert envelope(answer, 200, 2003) == {"result": "REJECTED", "timeout": 0}
    assert answer.json()["status_message"] == "never heard of it"
    old = town.emsps["2.1.1"]
    assert envelope(old.command("START_SESSION", old.start(location)), 200, 2003) == {"result": "REJECTED"}


def test_a_command_with_somebody_elses_token(town):
    """R-CMD-02."""
    emsp, other, cpo = town.emsps["2.2.1"], town.emsps["2.3.0"], town.cpos["2.2.1"]
    location = cpo.new_location()
    count = cpo.carried()
    for token in (other.own_token(), emsp.own_token(country_code="FI", party_id="HUB")):
        envelope(emsp.command("START_SESSION", emsp.start(location, token=token)), 200, 2001)
    assert cpo.carried() == count


def test_a_response_url_elsewhere(town):
    """R-ASYNC-17: the hub is nobody's request forger."""
    emsp, cpo = town.emsps["2.2.1"], town.cpos["2.2.1"]
    location = cpo.new_location()
    count = cpo.carried()
    for url in (f"{cpo.base}/2.2.1/x", f"{town.hub.url}/ocpi/emsp/2.2.1/cb/1", "http://127.0.0.1:1/x"):
        envelope(emsp.command("START_SESSION", emsp.start(location, url)), 200, 2001)
    assert cpo.carried() == count


def test_a_command_for_somebody_elses_session(town):
    """R-CP-02: as unknown as one that does not exist, named or not."""
    emsp, other, cpo = town.emsps["2.2.1"], town.emsps["2.3.0"], town.cpos["2.2.1"]
    session = cpo.new_session(emsp, emsp.new_token(), cpo.new_location())
    count = cpo.carried()
    for session_id in (session["id"], "no-such"):
        body = {"response_url": other.result_url(), "session_id": session_id}
        assert done(other.command("STOP_SESSION", body, to=(cpo.country, cpo.party)))["result"] == "UNKNOWN_SESSION"
        envelope(other.command("STOP_SESSION", body), 200, 4001)
    assert cpo.carried() == count


def test_foreign_from_and_unknown_to(town):
    """R-ROUTE-06, -41, -42."""
    emsp, cpo = town.emsps["2.2.1"], town.cpos["2.2.1"]
    location = cpo.new_location()
    count = cpo.carried()
    foreign = {"OCPI-from-country-code": "SE", "OCPI-from-party-id": "R23"}
    envelope(emsp.command("START_SESSION", emsp.start(location), **foreign), 403, 2001)
    for to in (("XX", "XXX"), (town.stranger.country, town.stranger.party)):
        envelope(emsp.command("START_SESSION", emsp.start(location), to=to), 200, 4001)
    for to in (None, (cpo.country, cpo.party)):  # no contract
        stranger = town.stranger
        body = {"response_url": f"{stranger.base}/2.2.1/x", "token": stranger.own_token(), "location_id": location["id"]}
        envelope(stranger.post(stranger.url("commands", "START_SESSION"), body, to=to), 200, 4001)
    envelope(emsp.command("START_SESSION", emsp.start({"id": "nowhere"})), 200, 4001)
    assert cpo.carried() == count


def test_a_contract_can_be_ended_for_commands_alone(town):
    emsp, cpo = town.emsps["2.2.1"], town.cpos["2.3.0"]
    location = cpo.new_location()
    town.deny(emsp, cpo, "--module", "commands")
    try:
        wait_until(lambda: emsp.command("START_SESSION", emsp.start(location)).json()["status_code"] == 4001,
                   10, "the contract to end")
    finally:
        town.allow(emsp, cpo, "--module", "commands")
    wait_until(lambda: emsp.command("START_SESSION", emsp.start(location)).json()["status_code"] == 1000,
               10, "the contract to be back")


def test_2_1_1_never_hears_of_hub_codes(town):
    """R-TRANS-35."""
    old = town.emsps["2.1.1"]
    answer = old.command("START_SESSION", old.start({"id": "nowhere"}))
    assert answer.json()["status_code"] in (2000, 3000) and not answer.json().get("data")


# ---- results ----


@pytest.fixture
def asked(town):
    """A start that is waiting for its result: (eMSP, CPO, its url, ours)."""
    emsp, cpo = town.emsps["2.2.1"], town.cpos["2.2.1"]
    url = emsp.result_url()
    done(emsp.command("START_SESSION", emsp.start(cpo.new_location(), url)))
    return emsp, cpo, url, cpo.commands("START_SESSION")[-1]["body"]["response_url"]


def test_a_repeated_result_is_told_once(asked):
    """R-ASYNC-14: identical ones are acknowledged; another one is told once more."""
    emsp, cpo, url, ours = asked
    for _ in range(3):
        done(cpo.result(ours, {"result": "ACCEPTED"}))
    assert len(emsp.results(url)) == 1
    done(cpo.result(ours, {"result": "FAILED"}))
    done(cpo.result(ours, {"result": "FAILED"}))
    assert [r["body"]["result"] for r in emsp.results(url)] == ["ACCEPTED", "FAILED"]


def test_only_the_cpo_that_was_asked_is_heard(town, asked):
    """R-ASYNC-11, -14: everybody else finds nothing."""
    emsp, _, url, ours = asked
    envelope(town.cpos["2.3.0"].result(ours, {"result": "ACCEPTED"}), 404, 2000)
    envelope(asked[1].result(ours[:-4] + "0000", {"result": "ACCEPTED"}), 404, 2000)
    assert requests.post(ours, json={"result": "ACCEPTED"}, timeout=10).status_code == 401
    assert not emsp.results(url)


def test_the_requesters_answer_goes_back_to_the_cpo(asked):
    """R-ASYNC-12: its status, without data."""
    emsp, cpo, url, ours = asked
    emsp.scripted[("POST", "/2.2.1/results")] = lambda r: (200, emsp.envelope({"x": 1}, 2002))
    assert envelope(cpo.result(ours, {"result": "ACCEPTED"}), 200, 2002) is None
    assert len(emsp.results(url)) == 1


def test_a_result_that_could_not_be_told_may_come_again(asked):
    """R-ASYNC-14, R-ROUTE-43."""
    emsp, cpo, url, ours = asked
    good = emsp.scripted[("POST", "/2.2.1/results")]
    emsp.scripted[("POST", "/2.2.1/results")] = lambda r: (500, b"what?")
    envelope(cpo.result(ours, {"result": "ACCEPTED"}), 200, 3000)
    emsp.scripted[("POST", "/2.2.1/results")] = good
    done(cpo.result(ours, {"result": "ACCEPTED"}))
    assert len(emsp.results(url)) == 2


@pytest.mark.parametrize("first, calls", [((500, b"what?"), 2), (None, 1)])
def test_a_result_that_comes_again_while_it_is_being_told_waits_for_that(asked, first, calls):
    """R-ASYNC-14: who is told that it has arrived does not send it once more."""
    emsp, cpo, url, ours = asked
    good, waits, begun = emsp.scripted[("POST", "/2.2.1/results")], threading.Event(), threading.Event()

    def slow(request):
        if begun.is_set():
            return good(request)
        begun.set()
        waits.wait(10)
        return first or good(request)

    emsp.scripted[("POST", "/2.2.1/results")] = slow
    with ThreadPoolExecutor(2) as pool:
        sent = pool.submit(cpo.result, ours, {"result": "ACCEPTED"})
        assert begun.wait(5)
        again = pool.submit(cpo.result, ours, {"result": "ACCEPTED"})
        time.sleep(1)
        assert not again.done()
        waits.set()
        envelope(sent.result(), 200, 3000 if first else 1000)
        done(again.result())
    assert len(emsp.results(url)) == calls


def test_a_result_with_to_of_the_requester(asked):
    """R-ASYNC-06."""
    emsp, cpo, url, ours = asked
    done(cpo.result(ours, {"result": "ACCEPTED"}, **{"OCPI-to-country-code": emsp.country,
                                                    "OCPI-to-party-id": emsp.party}))
    assert len(emsp.results(url)) == 1


def test_no_result_is_heard_of_what_was_refused(town):
    """R-ASYNC-15."""
    emsp, cpo = town.emsps["2.2.1"], town.cpos["2.2.1"]
    cpo.answers("commands", {"result": "REJECTED", "timeout": 0})
    assert done(emsp.command("START_SESSION", emsp.start(cpo.new_location())))["result"] == "REJECTED"
    ours = cpo.commands("START_SESSION")[-1]["body"]["response_url"]
    envelope(cpo.result(ours, {"result": "ACCEPTED"}), 404, 2000)


def test_a_bad_result_is_refused(asked):
    emsp, cpo, url, ours = asked
    envelope(cpo.result(ours, {"result": "PERHAPS"}), 200, 2001)
    assert not emsp.results(url)


# ---- receivers that fail ----


def test_a_cpo_that_hangs_is_4002_and_its_late_result_counts(town):
    """R-ROUTE-41, -61, R-ASYNC-15."""
    emsp, cpo = town.emsps["2.2.1"], town.cpos["2.2.1"]
    location, url = cpo.new_location(), emsp.result_url()

    def late(request):
        return hangs(22)(request)

    cpo.scripted[("POST", "/2.2.1/commands")] = late
    began = time.time()
    envelope(emsp.command("START_SESSION", emsp.start(location, url)), 200, 4002)
    assert 14 < time.time() - began < 21
    done(cpo.result(cpo.commands("START_SESSION")[-1]["body"]["response_url"], {"result": "ACCEPTED"}))
    assert len(emsp.results(url)) == 1


def test_an_unusable_answer_is_3000(town):
    """R-ROUTE-43."""
    emsp, cpo = town.emsps["2.2.1"], town.cpos["2.2.1"]
    location = cpo.new_location()
    for status, body in ((500, b"{}"), (200, b"<html>"), (302, b"")):
        cpo.scripted[("POST", "/2.2.1/commands")] = lambda r, s=status, b=body: (s, b)
        envelope(emsp.command("START_SESSION", emsp.start(location)), 200, 3000)


@pytest.fixture
def lone_cpo(town):
    """A CPO that a test may ruin."""
    p = Speaker("2.2.1", "DK", new_party("L"), name="Lone " + uuid.uuid4().hex[:4])
    p.register(town.hub)
    town.allow(town.emsps["2.2.1"], p)
    town.allow(p, town.emsps["2.2.1"])
    time.sleep(1)
    yield p
    p.close()


def test_a_401_of_the_receiver_is_4003_and_an_alarm(town, lone_cpo):
    """R-ROUTE-43: our own credentials failed; the connection is OFFLINE until it works again."""
    emsp = town.emsps["2.2.1"]
    location = lone_cpo.location()
    done(lone_cpo.put(lone_cpo.own("locations", location["id"]), location), 201)
    lone_cpo.scripted[("POST", "/2.2.1/commands")] = lambda r: (401, lone_cpo.envelope(None, 2001))

    def offline():
        # Its own PUT, noted a moment later, shows that it is alive: then the next 401 counts.
        envelope(emsp.command("START_SESSION", emsp.start(location)), 200, 4003)
        return next(p for p in town.hub.ctl("partner", "list")["items"] if p["name"] == lone_cpo.name)["state"] == "offline"

    wait_until(offline, 10, "the alarm")
    # R-ROUTE-46: nothing is sent to it now
    wait_until(lambda: "not connected" in emsp.command("START_SESSION", emsp.start(location)).json()["status_message"],
               10, "4003 without asking")
    lone_cpo.scripted.clear()

    def back():
        # Each of the hub's processes learns in a moment that it was away: then what it says counts.
        location["last_updated"] = now()
        done(lone_cpo.put(lone_cpo.own("locations", location["id"]), location))
        return emsp.command("START_SESSION", emsp.start(location)).json()["status_code"] == 1000

    wait_until(back, 15, "the connection to be back")


def test_nobody_listening_is_4003_and_fails_fast_soon(town, lone_cpo):
    """R-ROUTE-41, -62."""
    emsp = town.emsps["2.2.1"]
    lone_cpo.vanish()
    to = (lone_cpo.country, lone_cpo.party)
    for _ in range(8):
        envelope(emsp.command("START_SESSION", emsp.start({"id": "L1"}), to=to), 200, 4003)
    began = time.time()
    envelope(emsp.command("START_SESSION", emsp.start({"id": "L1"}), to=to), 200, 4003)
    assert time.time() - began < 1
    lone_cpo.close = lambda: None


def test_a_slow_cpo_delays_nobody_else(town, lone_cpo):
    """R-ROUTE-62: its own messages wait or fail, those of others do not."""
    emsp, cpo = town.emsps["2.2.1"], town.cpos["2.2.1"]
    location = cpo.new_location()
    lone_cpo.scripted[("POST", "/2.2.1/commands")] = hangs(6)
    to, codes = (lone_cpo.country, lone_cpo.party), []

    def ask_slow():
        began = time.time()
        code = emsp.command("START_SESSION", emsp.start({"id": "L1"}), to=to).json()["status_code"]
        codes.append((code, time.time() - began))

    threads = [threading.Thread(target=ask_slow) for _ in range(150)]
    for t in threads:
        t.start()
    time.sleep(1.5)
    began = time.time()
    done(emsp.command("START_SESSION", emsp.start(location)))
    assert time.time() - began < 4
    for t in threads:
        t.join()
    refused = [seconds for code, seconds in codes if code == 4003]
    assert refused and max(refused) < 5, codes
    assert len([1 for code, _ in codes if code == 1000]) >= 40


def test_contexts_survive_a_restart(make_world):
    """R-ASYNC-18, R-ROUTE-51: the result of what was asked before, and the next page."""
    world = make_world(sim=False)
    own = Town(world.hub)
    try:
        emsp, cpo, url = own.emsps["2.2.1"], own.cpos["2.3.0"], own.emsps["2.2.1"].result_url()
        done(emsp.command("START_SESSION", emsp.start(cpo.new_location(), url)))
        Pages(cpo, "locations", [cpo.location() for _ in range(2)])
        to = (cpo.country, cpo.party)
        link = emsp.listed("locations", to=to).headers["Link"].split(">")[0][1:]
        world.hub.restart()
        done(cpo.result(cpo.commands("START_SESSION")[-1]["body"]["response_url"], {"result": "ACCEPTED"}))
        assert len(emsp.results(url)) == 1
        assert len(done(emsp.get(link, to=to))) == 1
    finally:
        for party in own.all:
            party.close()


# ---- pushes that name their receiver ----


def test_a_push_that_names_its_receiver_is_stored_and_told_on(town):
    """R-ROUTE-10, -41: the answer is ours; who has no contract is as unknown as who does not exist."""
    emsp, cpo = town.emsps["2.2.1"], town.cpos["2.2.1"]
    location = cpo.location()
    url = cpo.own("locations", location["id"])

    def named(country, party):
        return {"OCPI-to-country-code": country, "OCPI-to-party-id": party}

    answer = cpo.put(url, location, **named(emsp.country, emsp.party))
    done(answer, 201)
    answered_by(answer, emsp, cpo)
    wait_until(lambda: [r for r in emsp.pushed("locations") if location["id"] in r["path"]], 10, "the push")
    for country, party in (("XX", "XXX"), (town.stranger.country, town.stranger.party)):
        envelope(cpo.put(url, location, **named(country, party)), 200, 4001)


# ---- charging profiles ----


PROFILE = {"charging_rate_unit": "W", "charging_profile_period": [{"start_period": 0, "limit": 11000.5}]}


@pytest.mark.parametrize("emsp_version, cpo_version", [("2.2.1", "2.2.1"), ("2.2.1", "2.3.0"), ("2.3.0", "2.2.1")])
def test_charging_profiles_and_their_results(town, emsp_version, cpo_version):
    """R-CP-02, -03, R-ASYNC-10, -16: set, get, clear; and what the CPO tells of it afterwards."""
    emsp, cpo = town.emsps[emsp_version], town.cpos[cpo_version]
    session = cpo.new_session(emsp, emsp.new_token(), cpo.new_location())
    at = emsp.url("chargingprofiles", session["id"])
    active = {"start_date_time": now(), "charging_profile": PROFILE}
    url = f"{cpo.urls[('chargingprofiles', 'SENDER')]}/{session['id']}"
    envelope(cpo.put(url, active), 200, 2001)  # nobody has set one yet

    results = emsp.result_url()
    answer = emsp.put(at, {"charging_profile": PROFILE, "response_url": results}, to=None)
    assert done(answer)["result"] == "ACCEPTED"
    answered_by(answer, cpo, emsp)
    got = cpo.requests("PUT", f"/{cpo.version}/chargingprofiles")[-1]
    assert got["body"]["charging_profile"] == PROFILE and got["path"].endswith(session["id"])
    done(cpo.result(got["body"]["response_url"], {"result": "ACCEPTED"}))
    assert [r["body"] for r in emsp.results(results)] == [{"result": "ACCEPTED"}]

    done(cpo.put(url, active))
    told = emsp.requests("PUT", f"/{emsp.version}/chargingprofiles/{session['id']}")
    assert [t["body"] for t in told] == [active] and routing(told[0]) == route_of(cpo, emsp)

    results = emsp.result_url() + "?a=1&b=2"
    path = results[len(emsp.base):]
    done(emsp.get(f"{at}?duration=900&response_url={quote(results, safe='')}", to=None))
    got = cpo.requests("GET", f"/{cpo.version}/chargingprofiles")[-1]
    query = parse_qs(urlsplit(got["path"]).query)
    assert query["duration"] == ["900"] and "%3A%2F%2F" in got["path"]
    done(cpo.result(query["response_url"][0], {"result": "ACCEPTED", "profile": active}))
    assert [r["body"] for r in emsp.received if r["path"] == path] == \
        [{"result": "ACCEPTED", "profile": active}]

    results = emsp.result_url()
    done(emsp.call("DELETE", f"{at}?response_url={results}", to=None))
    got = cpo.requests("DELETE", f"/{cpo.version}/chargingprofiles")[-1]
    done(cpo.result(parse_qs(urlsplit(got["path"]).query)["response_url"][0], {"result": "ACCEPTED"}))
    assert len(emsp.results(results)) == 1
    envelope(cpo.put(url, active), 200, 2001)


def test_profiles_of_somebody_elses_session(town):
    """R-CP-02."""
    emsp, other, cpo = town.emsps["2.2.1"], town.emsps["2.3.0"], town.cpos["2.2.1"]
    session = cpo.new_session(emsp, emsp.new_token(), cpo.new_location())
    count = cpo.carried()
    body = {"charging_profile": PROFILE, "response_url": other.result_url()}
    for session_id in (session["id"], "no-such"):
        at = other.url("chargingprofiles", session_id)
        envelope(other.put(at, body, to=(cpo.country, cpo.party)), 200, 2001)
        envelope(other.put(at, body, to=None), 200, 4001)
    assert cpo.carried() == count


def test_2_1_1_has_no_profiles(town):
    """R-CP-09."""
    emsp, cpo = town.emsps["2.2.1"], town.cpos["2.1.1"]
    body = {"charging_profile": PROFILE, "response_url": emsp.result_url()}
    count = cpo.carried()
    answer = emsp.put(emsp.url("chargingprofiles", "S1"), body, to=(cpo.country, cpo.party))
    assert done(answer) == {"result": "NOT_SUPPORTED", "timeout": 0} and cpo.carried() == count


def test_charging_preferences(town):
    """R-SESS-12, R-ROUTE-10."""
    emsp, cpo = town.emsps["2.2.1"], town.cpos["2.2.1"]
    session = cpo.new_session(emsp, emsp.new_token(), cpo.new_location())
    cpo.scripted[("PUT", "/2.2.1/sessions")] = lambda r: (200, cpo.envelope("ACCEPTED"))
    preferences = {"profile_type": "GREEN", "energy_need": 20.5}
    at = emsp.url("sessions", session["id"], "charging_preferences", role="SENDER")
    answer = emsp.put(at, preferences, to=None)
    assert done(answer) == "ACCEPTED"
    got = cpo.requests("PUT", f"/2.2.1/sessions/{session['id']}/charging_preferences")
    assert [g["body"] for g in got] == [preferences]
    other = town.emsps["2.3.0"]
    envelope(other.put(other.url("sessions", session["id"], "charging_preferences", role="SENDER"), preferences,
                       to=None), 200, 4001)


# ---- real-time authorisation ----


def authorize(cpo, uid, body=None, query="", **kw):
    return cpo.post(cpo.url("tokens", uid, "authorize", role="SENDER") + query, body, **kw)


@pytest.fixture(scope="module")
def platform_cpos(town):
    """CPOs that know us as a hub, which is where other eMSPs' tokens are asked for."""
    cpos = {}
    for version in ("2.2.1", "2.3.0"):
        p = Party("NO", "P" + version[0] + version[2], f"Platform Relay {version}", version=version, role="CPO")
        p.register(town.hub)
        for emsp in town.emsps.values():
            town.allow(emsp, p)
        cpos[version] = p
    time.sleep(1)
    yield cpos
    for p in cpos.values():
        p.close()


@pytest.mark.parametrize("cpo_version, emsp_version",
                         [(c, e) for c in ("2.2.1", "2.3.0") for e in VERSIONS])
def test_a_token_is_authorised_by_its_emsp(town, platform_cpos, cpo_version, emsp_version):
    """R-ROUTE-20, -21, R-TOK-03: also where the Token was never told to us; the eMSP's word counts."""
    cpo, emsp = platform_cpos[cpo_version], town.emsps[emsp_version]
    for push in (True, False):
        token = emsp.new_token(push=push, **({"whitelist": "NEVER"} if push else {}))
        count = len(emsp.requests("POST", f"/{emsp.version}/tokens"))
        answer = authorize(cpo, token["uid"], {"location_id": "L1", "evse_uids": ["E1"]}, to=None)
        info = done(answer)
        assert info["allowed"] == "ALLOWED" and info["token"]["uid"] == token["uid"]
        if not emsp.old:
            assert info["authorization_reference"] == "ref-" + token["uid"][:20]
        answered_by(answer, emsp, cpo)
        to_hub = authorize(cpo, token["uid"])  # TO is the hub: so is FROM of the answer (R-ROUTE-04)
        assert done(to_hub)["allowed"] == "ALLOWED" and to_hub.headers["OCPI-from-party-id"] == "HUB"
        got = emsp.requests("POST", f"/{emsp.version}/tokens")[count:-1]
        assert len(got) == 1 and routing(got[0]) == ({} if emsp.old else route_of(cpo, emsp))
        assert got[0]["body"]["location_id"] == "L1"


def test_an_emsp_that_is_named_is_asked(town, platform_cpos):
    """R-ROUTE-10, -40, -41, -60: and its failures are told as they are; 8 s are the most."""
    cpo, emsp = platform_cpos["2.2.1"], town.emsps["2.2.1"]
    token = emsp.new_token()
    to = (emsp.country, emsp.party)
    assert done(authorize(cpo, token["uid"], to=to))["token"] == token
    envelope(authorize(cpo, "nobody", to=to), 404, 2004)
    envelope(authorize(cpo, token["uid"], to=("XX", "XXX")), 200, 4001)
    envelope(authorize(cpo, token["uid"], to=(town.stranger.country, town.stranger.party)), 200, 4001)
    emsp.scripted[("POST", "/2.2.1/tokens")] = lambda r: (200, emsp.envelope(None, 2002))
    envelope(authorize(cpo, token["uid"], to=to), 200, 2002)
    emsp.scripted[("POST", "/2.2.1/tokens")] = hangs(15)
    began = time.time()
    envelope(authorize(cpo, token["uid"], to=to), 200, 4002)
    assert 7.5 < time.time() - began < 13


def test_the_most_telling_failure_of_all_who_were_asked(town, platform_cpos):
    """R-ROUTE-23, R-TOK-03: 404 with 2004 where nobody knows the token, whatever else went wrong."""
    cpo = platform_cpos["2.2.1"]
    envelope(authorize(cpo, "nobody", to=None), 404, 2004)
    town.emsps["2.3.0"].scripted[("POST", "/2.3.0/tokens")] = lambda r: (500, b"")
    envelope(authorize(cpo, "nobody", to=None), 404, 2004)


def test_one_slow_emsp_delays_no_answer(town, platform_cpos):
    """R-ROUTE-23: the first success counts."""
    cpo, emsp, slow = platform_cpos["2.2.1"], town.emsps["2.2.1"], town.emsps["2.3.0"]
    token = emsp.new_token(push=False)
    slow.scripted[("POST", "/2.3.0/tokens")] = hangs(5)
    began = time.time()
    assert done(authorize(cpo, token["uid"], to=None))["allowed"] == "ALLOWED"
    assert time.time() - began < 4


def test_an_emsp_that_fails_is_spoken_for_by_what_it_told_us(town, platform_cpos):
    """R-TOK-06."""
    cpo, emsp = platform_cpos["2.2.1"], town.emsps["2.2.1"]
    emsp.scripted[("POST", "/2.2.1/tokens")] = lambda r: (500, b"")
    for changes, allowed in (({"whitelist": "ALLOWED_OFFLINE"}, "ALLOWED"), ({"whitelist": "NEVER"}, "NOT_ALLOWED"),
                             ({"valid": False}, "BLOCKED")):
        token = emsp.new_token(**changes)
        assert done(authorize(cpo, token["uid"], to=None))["allowed"] == allowed


# ---- GETs that name their receiver ----


def listing(pages):
    """A scripted list of pages: each has a Link to the next."""
    def answer(request):
        at = int(parse_qs(urlsplit(request["path"]).query).get("offset", ["0"])[0])
        headers = {"X-Total-Count": "77", "X-Limit": "13"}
        if at + 1 < len(pages.objects):
            headers["Link"] = f'<{pages.url}?offset={at + 1}&limit=1&secret=x>; rel="next"'
        return 200, pages.cpo.envelope([pages.objects[at]]), headers
    return answer


class Pages:
    def __init__(self, cpo, module, objects):
        self.cpo, self.objects = cpo, objects
        self.url = f"{cpo.base}/{cpo.version}/{module}"
        cpo.scripted[("GET", f"/{cpo.version}/{module}")] = listing(self)


@pytest.mark.parametrize("cpo_version", VERSIONS)
def test_a_list_of_one_party_page_by_page(town, cpo_version):
    """R-ROUTE-10, -51, -52, -54: Link through the hub, the counts are the party's own."""
    emsp, cpo = town.emsps["2.2.1"], town.cpos[cpo_version]
    locations = [cpo.location() for _ in range(3)]
    Pages(cpo, "locations", locations)
    to = (cpo.country, cpo.party)
    answer = emsp.listed("locations", "?date_from=2020-01-01T00:00:00Z", to=to)
    answered_by(answer, cpo, emsp)
    seen = []
    while True:
        seen += done(answer)
        assert answer.headers["X-Total-Count"] == "77" and answer.headers["X-Limit"] == "13"
        if "Link" not in answer.headers:
            break
        link = answer.headers["Link"].split(">")[0][1:]
        assert link.startswith(f"{town.hub.url}/ocpi/cpo/2.2.1/locations?cursor=") and len(link) <= 255
        assert "secret" not in link and cpo.base not in link
        answer = emsp.get(link, to=to)
    assert [o["id"] for o in seen] == [o["id"] for o in locations]
    assert {(o["country_code"], o["party_id"]) for o in seen} == {to}
    if cpo_version == "2.2.1":
        assert seen == locations
    first = [r for r in cpo.requests("GET", f"/{cpo_version}/locations") if "date_from" in r["path"]]
    assert parse_qs(urlsplit(first[-1]["path"]).query) == {"date_from": ["2020-01-01T00:00:00Z"]}


def test_a_cursor_is_for_one_reader_and_one_list(town):
    """R-ROUTE-51."""
    emsp, other, cpo = town.emsps["2.2.1"], town.emsps["2.3.0"], town.cpos["2.2.1"]
    Pages(cpo, "locations", [cpo.location() for _ in range(2)])
    to = (cpo.country, cpo.party)
    link = emsp.listed("locations", to=to).headers["Link"].split(">")[0][1:]
    envelope(other.get(link.replace("/2.2.1/", "/2.3.0/"), to=to), 200, 2001)
    envelope(emsp.get(link, to=(town.cpos["2.3.0"].country, town.cpos["2.3.0"].party)), 200, 2001)
    envelope(emsp.get(link.replace("/locations", "/tariffs"), to=to), 200, 2001)
    envelope(emsp.get(emsp.url("locations", role="SENDER") + "?cursor=abc", to=to), 200, 2001)
    done(emsp.get(link, to=to))


def test_a_page_goes_through_byte_for_byte(town):
    """R-TRANS-21."""
    emsp, cpo = town.emsps["2.2.1"], town.cpos["2.2.1"]
    raw = (json.dumps(cpo.envelope([cpo.location(extra=[1.0, 2.50])]), indent=2)).encode()
    cpo.scripted[("GET", "/2.2.1/locations")] = lambda r: (200, raw, {})
    assert emsp.listed("locations", to=(cpo.country, cpo.party)).content == raw


def test_one_location_and_its_parts(town):
    emsp, cpo = town.emsps["2.2.1"], town.cpos["2.3.0"]
    location = cpo.location()
    evse = location["evses"][0]
    parts = {"": location, "/" + evse["uid"]: evse, f"/{evse['uid']}/1": evse["connectors"][0]}
    start = f"/2.3.0/locations/{location['id']}"

    def show(request):
        part = parts.get(request["path"][len(start):])
        return (200, cpo.envelope(part)) if part else (404, cpo.envelope(None, 2003))

    cpo.scripted[("GET", start)] = show
    to = (cpo.country, cpo.party)
    for tail, part in parts.items():
        assert done(emsp.get(emsp.url("locations", location["id"], role="SENDER") + tail, to=to)) == part
    envelope(emsp.get(emsp.url("locations", location["id"], "nobody", role="SENDER"), to=to), 404, 2003)


def test_sessions_of_others_are_not_shown(town):
    """R-ROUTE-32: even where the CPO would."""
    emsp, cpo = town.emsps["2.2.1"], town.cpos["2.2.1"]

    def session(country, party):
        return cpo.session(cdr_token={"country_code": country, "party_id": party, "uid": "U", "type": "RFID",
                                      "contract_id": "C"})

    mine, others = session(emsp.country, emsp.party), session("SE", "R23")
    cpo.answers("sessions", [others, mine])
    query = "?date_from=2020-01-01T00:00:00Z"
    assert done(emsp.listed("sessions", query, to=(cpo.country, cpo.party))) == [mine]
    # 2.1.1 is told nobody's name: what it would answer is everybody's
    old = town.cpos["2.1.1"]
    done(emsp.listed("sessions", query, to=(old.country, old.party)))
    assert not [r for r in old.requests("GET", "/2.1.1/sessions") if "date_from=2020" in r["path"]]


def test_tokens_of_one_emsp(town, platform_cpos):
    cpo, emsp = platform_cpos["2.2.1"], town.emsps["2.2.1"]
    token = emsp.own_token()
    emsp.scripted[("GET", "/2.2.1/tokens")] = lambda r: (200, emsp.envelope([token]))
    assert done(cpo.listed("tokens", to=(emsp.country, emsp.party))) == [token]


def test_lists_that_name_nobody_who_may_be_asked(town):
    """R-ROUTE-41, -42."""
    emsp, cpo = town.emsps["2.2.1"], town.cpos["2.2.1"]
    for to in (("XX", "XXX"), (town.stranger.country, town.stranger.party)):
        envelope(emsp.listed("locations", to=to), 200, 4001)
    envelope(town.stranger.listed("locations", to=(cpo.country, cpo.party)), 200, 4001)
    cpo.scripted[("GET", "/2.2.1/locations")] = lambda r: (200, cpo.envelope(None, 3001), {})
    envelope(emsp.listed("locations", to=(cpo.country, cpo.party)), 200, 3001)


# --- what must not go on ---


def test_a_message_that_comes_round_is_stopped(town):
    """R-ROUTE-63: another hub sends it back under the ids that we gave it."""
    emsp, cpo = town.emsps["2.2.1"], town.cpos["2.2.1"]
    location = cpo.new_location()
    ids = {"X-Correlation-ID": "round-and-round", "X-Request-ID": "once"}
    to = (cpo.country, cpo.party)
    again = []

    def another_hub(request):
        sent_on = {h: header(request, h) for h in ids}
        again.append(emsp.command("START_SESSION", emsp.start(location), to=to, **sent_on))
        return 200, cpo.envelope({"result": "ACCEPTED", "timeout": 30})

    cpo.scripted[("POST", "/2.2.1/commands")] = another_hub
    count = len(cpo.commands("START_SESSION"))
    assert done(emsp.command("START_SESSION", emsp.start(location), to=to, **ids))["result"] == "ACCEPTED"
    assert len(again) == 1
    envelope(again[0], 200, 4000)
    assert len(cpo.commands("START_SESSION")) == count + 1
    del cpo.scripted[("POST", "/2.2.1/commands")]
    cpo.answers("commands", {"result": "ACCEPTED", "timeout": 30})
    # It is over: the same ids are new again.
    assert done(emsp.command("START_SESSION", emsp.start(location), to=to, **ids))["result"] == "ACCEPTED"


@pytest.mark.parametrize("version", ["2.2.1", "2.3.0"])
def test_a_charge_goes_to_the_owner_of_its_token_alone(town, version):
    """R-ROUTE-06: a Session or CDR sent to another eMSP would leak a charge, or forge one."""
    cpo, emsp, other = town.cpos[version], town.emsps["2.2.1"], town.emsps["2.3.0"]
    token, location = emsp.new_token(), cpo.new_location()
    cdr_token = {"country_code": emsp.country, "party_id": emsp.party, "uid": token["uid"], "type": "RFID",
                 "contract_id": token["contract_id"]}
    session = cpo.session(location=location, cdr_token=cdr_token, auth_method="WHITELIST")
    url = cpo.own("sessions", session["id"])

    def named(country, party):
        return {"OCPI-to-country-code": country, "OCPI-to-party-id": party}

    envelope(cpo.put(url, session, **named(other.country, other.party)), 403, 2001)
    assert cpo.get(url).status_code == 404
    done(cpo.put(url, session, **named(emsp.country, emsp.party)), 201)
    patch = {"kwh": 2, "last_updated": now(1)}
    envelope(cpo.patch(url, patch, **named(other.country, other.party)), 403, 2001)
    done(cpo.patch(url, patch, **named(emsp.country, emsp.party)))
    done(cpo.put(url, {**session, "last_updated": now(2)})) # to the hub
    cdr = cpo.cdr(session=session)
    envelope(cpo.post(cpo.url("cdrs"), cdr, **named(other.country, other.party)), 403, 2001)
    done(cpo.post(cpo.url("cdrs"), cdr, **named(emsp.country, emsp.party)), 201)
    strange = cpo.session(location=location, cdr_token={**cdr_token, "country_code": "XX", "party_id": "XXX"})
    envelope(cpo.put(cpo.own("sessions", strange["id"]), strange, **named(emsp.country, emsp.party)), 403, 2001)
