# SPDX-License-Identifier: Apache-2.0
"""
What we put up with in one partner (R-TRANS-22): each quirk that changes how we call it or read its
answers, without and with it. The partner is played by the test.
"""

import base64
import json
import threading
import uuid

import pytest
from harness import User, ok, wait_until
from partner import Partner, now


class Network(Partner):
    """A CPO with one place: several DC EVSEs, and one of AC with three phases."""

    def __init__(self, world, number):
        super().__init__("DE", f"Q{number:02d}", f"Quirky {number}")
        self.world = world
        self.register(world.hub)
        self.id = world.sql("SELECT partner_id FROM party WHERE party_id = %s", self.party)[0][0]
        self.user = User(world.hub)
        self.place = self.location()
        first = self.place["evses"][0]
        for n in range(1, 6):
            self.place["evses"].append({**first, "uid": f"{first['uid']}-{n}", "evse_id": f"{first['evse_id']}*{n}"})
        self.unused = iter([e["evse_id"] for e in self.place["evses"][1:]])
        ac = json.loads(json.dumps(first))
        ac["uid"] += "-ac"
        ac["evse_id"] += "*AC"
        ac["connectors"][0].update(power_type="AC_3_PHASE", standard="IEC_62196_T2", max_voltage=230,
                                   max_amperage=32)
        ac["connectors"][0].pop("max_electric_power")
        self.place["evses"].append(ac)
        self.dc, self.ac = first["evse_id"], ac["evse_id"]
        self.tell(self.place)

    def tell(self, place):
        assert self.put(self.own("locations", place["id"]), place).json()["status_code"] == 1000
        for e in place["evses"]:
            wait_until(lambda e=e: self.user.evse(e["evse_id"]).status_code == 200, 5, "the EVSE")
        last = place["evses"][-1]["evse_id"]
        wait_until(lambda: all(self.user.anew().evse(last).status_code == 200 for _ in range(24)), 5,
                   "every worker to know the EVSEs")

    def quirk(self, **quirks):
        self.world.sql("UPDATE partner SET quirks = %s WHERE id = %s", json.dumps(quirks), self.id)
        self.known()

    def known(self):
        """The hub's processes read the register again as soon as they are told."""
        self.world.sql("SELECT partner_changed()")
        (quirks, encoding, version), = self.world.sql("SELECT quirks, auth_encoding, version FROM partner WHERE id = %s",
                                                      self.id)
        self.world.hub.workers_know(self.id, quirks=quirks, auth_encoding=encoding, version=version)

    def answer_commands(self, body):
        self.scripted[("POST", "/2.2.1/commands")] = lambda r: (200, body)

    def start(self, evse=None):
        """The session, once the network has answered its START_SESSION; each on an EVSE of its own."""
        session = ok(User(self.world.hub).start(evse or next(self.unused)))["session_id"]
        wait_until(lambda: self.world.sql("SELECT answered_at FROM operation WHERE session_id = %s",
                                          session)[0][0], 10, "the answer")
        return session

    def active(self, evse, network_id):
        """A session of our user that charges."""
        session = ok(self.user.start(evse))["session_id"]
        uid = next(e["uid"] for e in self.place["evses"] if e["evse_id"] == evse)
        document = self.session(network_id, self.place, authorization_reference=session, evse_uid=uid,
                                start_date_time=now(-5))
        assert self.put(self.own("sessions", network_id), document).json()["status_code"] == 1000
        self.user.wait_for(session, "active")
        return session, document

    def outcome(self, session):
        return self.world.sql("SELECT outcome FROM operation WHERE session_id = %s AND kind = 'start'", session)[0][0]

    def logged(self, text):
        return sum(text in line and f'"{self.name}"' in line
                   for line in self.world.hub.process.log.read_text(encoding="utf-8").splitlines())


numbers = iter(range(100))


@pytest.fixture
def network(shared_world):
    n = Network(shared_world, next(numbers))
    try:
        yield n
    finally:
        shared_world.sql("UPDATE partner SET enabled = false WHERE id = %s", n.id)
        shared_world.sql("SELECT partner_changed()")
        n.close()


def test_trailing_slash(network):
    network.start()
    network.quirk(trailing_slash=True)
    network.start()
    paths = [r["path"] for r in network.requests("POST", "/2.2.1/commands")]
    assert paths == ["/2.2.1/commands/START_SESSION", "/2.2.1/commands/START_SESSION/"]
    network.received.clear()
    network.world.sql("UPDATE pull SET due_at = hub_now() WHERE partner_id = %s AND module = 'locations'", network.id)
    wait_until(lambda: network.requests("GET", "/2.2.1/locations/?limit="), 10, "the page, with a slash")


def test_missing_envelope(network):
    network.answer_commands({"result": "REJECTED", "timeout": 0})
    session = network.start()
    assert network.outcome(session) == "unclear"  # R-TRANS-36: no envelope is a failure of theirs
    network.quirk(missing_envelope=True)
    assert network.outcome(network.start()) == "rejected"


def test_list_for_object(network):
    network.answer_commands(network.envelope([{"result": "REJECTED", "timeout": 0}]))
    session = network.start()
    assert network.outcome(session) == "accepted"  # a success without a word
    network.quirk(list_for_object=True)
    assert network.outcome(network.start()) == "rejected"


def test_no_timeout(network):
    """R-ASYNC-03: a missing timeout is told, once a command, unless that is how the partner is."""
    what = "timeout is missing"
    network.answer_commands(network.envelope({"result": "ACCEPTED", "timeout": 30}))
    network.start()
    assert network.logged(what) == 0
    network.answer_commands(network.envelope({"result": "ACCEPTED"}))
    network.start()
    assert network.logged(what) == 1
    network.quirk(no_timeout=True)
    network.start()
    assert network.logged(what) == 1


def profile_paths(network):
    return [r["path"] for r in network.requests("PUT", "/2.2.1/chargingprofiles")]


def answer_profiles(network):
    """Accepts and calls back at once."""
    def accept(request):
        url = request["body"]["response_url"]
        network.later(lambda: network.post(url, {"result": "ACCEPTED"}))
        return 200, network.envelope({"result": "ACCEPTED", "timeout": 30})

    network.later = lambda what: threading.Timer(0.1, what).start()
    network.scripted[("PUT", "/2.2.1/chargingprofiles")] = accept


def test_lower_case_ids(network):
    answer_profiles(network)
    session, _ = network.active(network.dc, "Session-ABC")
    ok(network.user.set_profile(session, {"max_charge_rate_kw": 10}))
    network.quirk(lower_case_ids=True)
    ok(network.user.set_profile(session, {"max_charge_rate_kw": 11}))
    assert profile_paths(network) == ["/2.2.1/chargingprofiles/Session-ABC",
                                      "/2.2.1/chargingprofiles/session-abc"]


def sent_profiles(network):
    return [(p["charging_rate_unit"], [x["limit"] for x in p["charging_profile_period"]])
            for p in (r["body"]["charging_profile"] for r in network.requests("PUT", "/2.2.1/chargingprofiles"))]


def test_prefers_amps(network):
    """Per phase of an AC connector, rounded down to a tenth; a DC connector has no phases."""
    answer_profiles(network)
    session, _ = network.active(network.ac, "AC")
    ok(network.user.set_profile(session, {"max_charge_rate_kw": 11}))
    network.quirk(prefers_amps=True)
    ok(network.user.set_profile(session, {"max_charge_rate_kw": 11}))
    direct, _ = network.active(network.dc, "DC")
    ok(network.user.set_profile(direct, {"max_charge_rate_kw": 11}))
    assert sent_profiles(network) == [("W", [11000]), ("A", [15.9]), ("W", [11000])]


def test_unreliable_clock(network):
    """R-TRANS-15: what is older is ignored, unless the partner's clock means nothing."""
    session, document = network.active(network.dc, "CLOCK")
    url = network.own("sessions", "CLOCK")
    older = {**document, "kwh": 5.0, "last_updated": now(-300)}
    ok_codes = [network.put(url, older).json()["status_code"]]
    assert ok(network.user.status(session))["energy_kwh"] == 1.5
    network.quirk(unreliable_clock=True)
    ok_codes.append(network.put(url, older).json()["status_code"])
    assert ok_codes == [1000, 1000]
    network.user.wait_for(session, lambda s: s["energy_kwh"] == 5.0)


def test_assume_remote_start(network):
    place = network.location()
    place["evses"][0]["capabilities"] = []
    network.tell(place)
    evse = place["evses"][0]["evse_id"]
    assert network.user.evse(evse).json()["startable"] is False
    assert network.user.start(evse).status_code == 422
    network.quirk(assume_remote_start=True)
    assert network.user.evse(evse).json()["startable"] is True
    assert network.outcome(network.start(evse)) == "accepted"


def test_auth_encoding(network):
    """R-TRANS-03: Base64 from 2.2 on, raw in 2.1.1, whatever is pinned otherwise."""
    encoded = base64.b64encode(network.token_b.encode()).decode()
    expected = []
    for encoding, version, value in (("auto", "2.2.1", encoded), ("raw", "2.2.1", network.token_b),
                                     ("auto", "2.1.1", network.token_b), ("base64", "2.1.1", encoded)):
        network.world.sql("UPDATE partner SET auth_encoding = %s, version = %s WHERE id = %s",
                          encoding, version, network.id)
        network.known()
        network.start()
        expected.append(f"Token {value}")
    sent = [r["headers"]["Authorization"] for r in network.requests("POST", "/2.2.1/commands")]
    assert sent == expected


def test_version_2_2(world):
    """R-VER-05: the label 2.2 is unknown, unless the partner has the quirk."""
    p = Partner("DE", "V22", "Two point two")
    p.versions = [{"version": "2.2", "url": p.base + "/2.2.1"}]
    try:
        p.face(world.hub)
        p.token = world.hub.invite(p.name, p.country, p.party)["token_a"]
        details = p.discover()
        url = next(e["url"] for e in details["endpoints"] if e["identifier"] == "credentials")
        refused = p.call("POST", url, p.credentials())
        assert refused.json()["status_code"] == 3002, refused.text
        world.sql("UPDATE partner SET quirks = '{\"version_2_2\": true}' WHERE name = %s", p.name)
        world.sql("SELECT partner_changed()")
        wait_until(lambda: p.call("POST", url, p.credentials()).json()["status_code"] == 1000, 5, "the handshake")
        assert world.sql("SELECT version FROM partner WHERE name = %s", p.name) == [("2.2.1",)]
    finally:
        world.sql("UPDATE partner SET enabled = false WHERE name = %s", p.name)
        p.close()


def test_every_quirk_is_off_for_a_new_partner(network):
    assert network.world.sql("SELECT quirks, auth_encoding FROM partner WHERE id = %s", network.id)[0][0] == {}
    assert uuid.UUID(network.start())
