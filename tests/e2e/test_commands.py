# SPDX-License-Identifier: Apache-2.0
"""
Commands in the version that the network speaks, and those that only operators give: what a network
is going to allow, reservations.
"""

import subprocess
import threading
from datetime import datetime, timedelta, timezone

import pytest
from harness import BUILD, User, ok, problem, wait_until
from partner import Partner, now

numbers = iter(range(100))


class Network(Partner):
    def __init__(self, world, version):
        super().__init__("DE", f"C{next(numbers):02d}", f"Commanded in {version}")
        self.world, self.version = world, version
        self.register(world.hub)
        self.id = world.sql("SELECT partner_id FROM party WHERE party_id = %s", self.party)[0][0]
        self.user = User(world.hub)
        self.place = self.location()
        first = self.place["evses"][0]
        first["capabilities"].append("RESERVABLE")
        for n in range(1, 3):
            self.place["evses"].append({**first, "uid": f"{first['uid']}-{n}", "evse_id": f"{first['evse_id']}*{n}",
                                        "capabilities": first["capabilities"][:1]})
        self.evse, self.second = (e["evse_id"] for e in self.place["evses"][:2])
        assert self.put(self.own("locations", self.place["id"]), self.place).json()["status_code"] == 1000
        if version != "2.2.1":
            world.sql("UPDATE partner SET version = %s, auth_encoding = 'auto' WHERE id = %s", version, self.id)
            world.sql("SELECT partner_changed()")
        wait_until(lambda: all(self.user.anew().evse(self.evse).status_code == 200 for _ in range(24)), 5,
                   "every worker to know the EVSE")
        world.hub.workers_know(self.id, version=version, state="connected",
                               **({} if version == "2.2.1" else {"auth_encoding": "auto"}))
        self.response = {"result": "ACCEPTED"} if version == "2.1.1" else {"result": "ACCEPTED", "timeout": 30}
        self.scripted[("POST", "/2.2.1/commands")] = lambda r: (200, self.envelope(self.response))

    def commands(self, name):
        return [r for r in self.requests("POST", f"/2.2.1/commands/{name}")]

    def sent(self, name):
        return wait_until(lambda: self.commands(name), 10, name)[-1]

    def call_back(self, body, command):
        """Answers the request and tells the result a moment later, as a network does."""
        def answer(request):
            url = request["body"]["response_url"]
            threading.Timer(0.1, lambda: self.results.append(self.post(url, body))).start()
            return 200, self.envelope(self.response)

        self.results = []
        self.scripted[("POST", f"/2.2.1/commands/{command}")] = answer
        # The longer path first.
        self.scripted = dict(sorted(self.scripted.items(), key=lambda i: -len(i[0][1])))

    def operation(self, session, kind="start"):
        return self.world.sql("SELECT state, outcome, failure_code FROM operation WHERE session_id = %s"
                              " AND kind = %s", session, kind)[0]


def network_of(world, version):
    n = Network(world, version)
    try:
        yield n
    finally:
        world.sql("UPDATE partner SET enabled = false WHERE id = %s", n.id)
        world.sql("SELECT partner_changed()")
        n.close()


@pytest.fixture
def old(shared_world):
    yield from network_of(shared_world, "2.1.1")


@pytest.fixture
def cpo(shared_world):
    yield from network_of(shared_world, "2.2.1")


@pytest.fixture(params=["2.2.1", "2.3.0"])
def newer(request, shared_world):
    yield from network_of(shared_world, request.param)


# ---- 2.1.1 ----


def test_a_start_in_2_1_1_has_its_own_token_and_no_newer_members(old):
    """R-BR-04, 10; R-CMD-05; section 15.7: nothing that 2.1.1 does not know."""
    session = ok(old.user.start(old.evse))["session_id"]
    request = old.sent("START_SESSION")
    body = request["body"]
    assert set(body) == {"response_url", "token", "location_id", "evse_uid"}
    assert set(body["token"]) == {"uid", "type", "auth_id", "issuer", "valid", "whitelist", "last_updated"}
    assert body["token"]["type"] == "OTHER" and body["token"]["whitelist"] == "NEVER"
    assert "." not in body["token"]["last_updated"]
    assert "/ocpi/emsp/2.1.1/cb/" in body["response_url"] and len(body["response_url"]) <= 255
    assert not [h for h in request["headers"] if h.lower().startswith("ocpi-")]
    assert request["headers"]["Authorization"] == f"Token {old.token_b}"
    assert request["headers"]["X-Request-ID"] and request["headers"]["X-Correlation-ID"]
    old.user.wait_for(session, lambda s: s["substatus"] == "command_accepted")


def test_each_start_in_2_1_1_has_a_token_of_its_own(old):
    """R-REST-02: no reference comes back, so the token says whose the session is."""
    uids = []
    for evse in (old.evse, old.second):
        ok(old.user.start(evse))
        wait_until(lambda: len(old.commands("START_SESSION")) > len(uids), 10, "the start")
        uids.append(old.sent("START_SESSION")["body"]["token"]["uid"])
    assert uids[0] != uids[1]
    kinds = old.world.sql("SELECT type FROM token WHERE uid = ANY (%s)", uids)
    assert kinds == [("AD_HOC_USER",), ("AD_HOC_USER",)]


def test_the_same_user_has_one_token_in_newer_versions(newer):
    uids = set()
    for n, evse in enumerate((newer.evse, newer.second)):
        session = ok(newer.user.start(evse))["session_id"]
        wait_until(lambda n=n: len(newer.commands("START_SESSION")) > n, 10, "the start")
        body = newer.sent("START_SESSION")["body"]
        uids.add(body["token"]["uid"])
        assert body["authorization_reference"] == session
        assert f"/ocpi/emsp/{newer.version}/cb/" in body["response_url"]
    assert len(uids) == 1


@pytest.mark.parametrize("word,expected", [
    ("REJECTED", ("failed", "rejected", "rejected_by_network")),
    ("NOT_SUPPORTED", ("failed", "not_supported", "not_supported")),
    ("UNKOWN_LOCATION", ("failed", "rejected", "evse_inoperative")),
    ("SUCCESSFUL", ("submitted", "accepted", None)),
    ("TIMEOUT", ("submitted", "unclear", None)),
])
def test_the_words_of_a_2_1_1_response(old, word, expected):
    """R-BR-44 and adapters 2.3."""
    old.response = {"result": word}
    session = ok(old.user.start(old.evse))["session_id"]
    wait_until(lambda: old.operation(session) == expected, 10, str(expected))


def test_the_result_of_2_1_1_comes_to_its_own_address(old):
    """R-ASYNC-02, R-BR-44: a CommandResponse as result; SUCCESSFUL means ACCEPTED."""
    old.call_back({"result": "SUCCESSFUL"}, "START_SESSION")
    session = ok(old.user.start(old.evse))["session_id"]
    wait_until(lambda: old.operation(session)[:2] == ("submitted", "confirmed"), 10, "the result")
    assert wait_until(lambda: old.results, 5, "the answer")[0].status_code == 200


def test_2_1_1_knows_no_charging_profiles(old):
    """R-CP-09"""
    session = ok(old.user.start(old.evse))["session_id"]
    old.sent("START_SESSION")
    old.world.sql("UPDATE session SET network_session_id = 'S', version = version + 1 WHERE id = %s", session)
    old.world.sql("SELECT session_apply(%s, 'network_started', 'test', 'test')", session)
    answer = old.user.set_profile(session, {"max_charge_rate_kw": 10})
    problem(answer, 422, "profile_not_supported")
    assert old.requests("PUT", "/2.2.1/chargingprofiles") == []


# ---- what a network is going to allow ----


def active(network):
    session = ok(network.user.start(network.evse))["session_id"]
    network.sent("START_SESSION")
    document = network.session(f"N-{session[:8]}", network.place, authorization_reference=session,
                               start_date_time=now(-5))
    network.put(network.own("sessions", document["id"]), document)
    network.user.wait_for(session, "active")
    return session, document["id"]


def ask_profile(network, session):
    return network.world.hub.admin("GET", f"/sessions/{session}/charging-profile")


def test_an_operator_sees_the_active_profile(cpo):
    """R-CP: asked with a duration; the profile comes as the result."""
    session, network_id = active(cpo)
    profile = {"start_date_time": now(), "charging_profile": {
        "charging_rate_unit": "W", "charging_profile_period": [{"start_period": 0, "limit": 11000.0}]}}

    def answer(request):
        from urllib.parse import parse_qs, urlsplit  # pylint: disable=import-outside-toplevel
        query = parse_qs(urlsplit(request["path"]).query)
        assert query["duration"] == ["3600"]
        threading.Timer(0.1, lambda: cpo.post(query["response_url"][0],
                                              {"result": "ACCEPTED", "profile": profile})).start()
        return 200, cpo.envelope({"result": "ACCEPTED", "timeout": 30})

    cpo.scripted[("GET", "/2.2.1/chargingprofiles")] = answer
    got = ok(ask_profile(cpo, session))
    assert got == {"session_id": session, "profile": profile}
    assert cpo.requests("GET", f"/2.2.1/chargingprofiles/{network_id}?")


@pytest.mark.parametrize("result,status", [("REJECTED", 502), ("NOT_SUPPORTED", 422), ("TOO_OFTEN", 429)])
def test_a_network_that_tells_no_profile(cpo, result, status):
    session, _ = active(cpo)
    cpo.scripted[("GET", "/2.2.1/chargingprofiles")] = lambda r: (
        200, cpo.envelope({"result": result, "timeout": 0}))
    assert ask_profile(cpo, session).status_code == status


@pytest.mark.slow
def test_a_profile_that_never_comes_is_a_504_that_says_so(cpo):
    session, _ = active(cpo)
    cpo.scripted[("GET", "/2.2.1/chargingprofiles")] = lambda r: (
        200, cpo.envelope({"result": "ACCEPTED", "timeout": 30}))
    answer = ask_profile(cpo, session)
    assert answer.status_code == 504 and "15 seconds" in answer.json()["detail"]


def test_only_an_active_session_has_a_profile(cpo):
    session = ok(cpo.user.start(cpo.evse))["session_id"]
    assert ask_profile(cpo, session).status_code == 409
    assert ask_profile(cpo, "00000000-0000-4000-8000-000000000000").status_code == 404


# ---- reservations ----


def reserve(network, **body):
    return network.world.hub.admin("POST", f"/evses/{network.evse}/reserve",
                                   json={"user_id": "driver-1", "minutes": 30, **body})


def state(network, reservation):
    return network.world.sql("SELECT state, why FROM reservation WHERE id = %s", reservation)[0]


def test_a_reservation_is_made_replaced_and_cancelled(newer):
    """R-CMD-07"""
    newer.call_back({"result": "ACCEPTED"}, "RESERVE_NOW")
    made = ok(reserve(newer))
    assert made["state"] == "reserved"
    body = newer.commands("RESERVE_NOW")[0]["body"]
    assert set(body) == {"response_url", "token", "expiry_date", "reservation_id", "location_id", "evse_uid"}
    assert body["reservation_id"] == made["reservation_id"] and len(body["reservation_id"]) <= 36
    assert body["token"]["type"] == "APP_USER" and body["expiry_date"] == made["expires_at"]
    until = datetime.fromisoformat(made["expires_at"].replace("Z", "+00:00"))
    assert abs(until - datetime.now(timezone.utc) - timedelta(minutes=30)) < timedelta(seconds=20)

    longer = ok(reserve(newer, reservation_id=made["reservation_id"], minutes=60))
    assert longer["reservation_id"] == made["reservation_id"] and longer["expires_at"] > made["expires_at"]
    assert newer.commands("RESERVE_NOW")[1]["body"]["reservation_id"] == made["reservation_id"]

    newer.call_back({"result": "ACCEPTED"}, "CANCEL_RESERVATION")
    gone = ok(newer.world.hub.admin("DELETE", f"/reservations/{made['reservation_id']}"))
    assert gone["state"] == "cancelled"
    body = newer.commands("CANCEL_RESERVATION")[0]["body"]
    assert set(body) == {"response_url", "reservation_id"} and body["reservation_id"] == made["reservation_id"]
    again = newer.world.hub.admin("DELETE", f"/reservations/{made['reservation_id']}")
    assert again.status_code == 404


def test_a_reservation_that_is_refused(cpo):
    cpo.call_back({"result": "EVSE_OCCUPIED"}, "RESERVE_NOW")
    answer = reserve(cpo)
    assert answer.status_code == 502, answer.text
    assert cpo.world.sql("SELECT state FROM reservation WHERE partner_id = %s", cpo.id) == [("refused",)]


def test_a_network_may_cancel_a_reservation_by_itself_until_an_hour_after_its_end(cpo):
    """R-CMD-08, R-ASYNC-13: long after the first result, at the same address."""
    cpo.call_back({"result": "ACCEPTED"}, "RESERVE_NOW")
    first, second = (ok(reserve(cpo))["reservation_id"] for _ in range(2))
    urls = [r["body"]["response_url"] for r in cpo.commands("RESERVE_NOW")]
    assert state(cpo, first)[0] == "reserved"
    assert cpo.post(urls[0], {"result": "CANCELED_RESERVATION"}).status_code == 200
    assert state(cpo, first) == ("cancelled", "CANCELED_RESERVATION")

    cpo.world.sql("UPDATE reservation SET until_at = hub_now() - interval '59 minutes' WHERE id = %s", second)
    assert cpo.post(urls[1], {"result": "ACCEPTED"}).status_code == 200  # a repetition changes nothing
    cpo.world.sql("UPDATE reservation SET until_at = hub_now() - interval '61 minutes' WHERE id = %s", second)
    assert cpo.post(urls[1], {"result": "CANCELED_RESERVATION"}).status_code == 404
    assert state(cpo, second)[0] == "reserved"


def test_2_1_1_knows_reservations_by_number_and_cannot_cancel_them(old):
    """R-CMD-07, section 15.7"""
    old.call_back({"result": "ACCEPTED"}, "RESERVE_NOW")
    made = ok(reserve(old))
    body = old.commands("RESERVE_NOW")[0]["body"]
    assert isinstance(body["reservation_id"], int) and 0 < body["reservation_id"] < 2**31
    assert body["token"]["auth_id"] and "country_code" not in body["token"]
    answer = old.world.hub.admin("DELETE", f"/reservations/{made['reservation_id']}")
    assert answer.status_code == 422 and "2.1.1" in answer.json()["detail"], answer.text
    assert old.commands("CANCEL_RESERVATION") == []


def test_hubctl_reserves_and_cancels(cpo):
    def ctl(*arguments):
        done = subprocess.run([BUILD / "hub" / "hubctl", *arguments, "--socket", cpo.world.hub.settings["admin_socket"]],
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
        return done.returncode, done.stdout

    cpo.call_back({"result": "ACCEPTED"}, "RESERVE_NOW")
    cpo.call_back({"result": "ACCEPTED"}, "CANCEL_RESERVATION")
    cpo.results = []
    status, told = ctl("evse", "reserve", cpo.evse, "--sub", "driver-2", "--minutes", "20")
    assert status == 0 and "holds until" in told, told
    reservation = told.split()[1]
    status, told = ctl("reservation", "cancel", reservation)
    assert (status, told) == (0, f"Reservation {reservation} is cancelled.\n")
    status, told = ctl("evse", "reserve", cpo.evse, "--sub", "driver-2", "--minutes", "soon")
    assert status == 1 and "minutes" in told


def test_what_a_reservation_needs(cpo):
    assert {e["field"] for e in reserve(cpo, minutes=0, user_id="").json()["errors"]} == {"minutes", "user_id"}
    assert reserve(cpo, reservation_id="UNKNOWN").status_code == 404
    missing = cpo.world.hub.admin("POST", "/evses/DE*XXX*E1/reserve", json={"user_id": "u", "minutes": 5})
    assert missing.status_code == 404
    cannot = cpo.world.hub.admin("POST", f"/evses/{cpo.second}/reserve", json={"user_id": "u", "minutes": 5})
    problem(cannot, 422, "not_supported")
    assert cpo.commands("RESERVE_NOW") == []
