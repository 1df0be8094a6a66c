# SPDX-License-Identifier: Apache-2.0
"""ocpi-sim against ocpi-sim: a CPO and an eMSP, in each version, and what each may do wrong.

What one writes the other checks by the field tables of the version, so both must say that nothing
was wrong.
"""

import json
import subprocess
import time

import pytest
import requests

from test_sim import Hub, encoded, now, program, wait_for

VERSIONS = ["2.1.1", "2.2.1", "2.3.0"]
SINCE_22 = VERSIONS[1:]
CARD = {"country_code": "DE", "party_id": "EMS", "uid": "CARD-1", "type": "RFID",
        "contract_id": "DE-EMS-CARD-1"}


class Sim:
    def __init__(self, role, *options):
        self.process = subprocess.Popen([program(), role, *options], stdout=subprocess.PIPE,
                                        text=True)
        self.ready = json.loads(self.process.stdout.readline())
        self.control = self.ready["control_url"]

    def get(self, what, **query):
        return requests.get(self.control + "/sim/" + what, params=query, timeout=30).json()

    def ask(self, what, verb="POST", **body):
        return requests.request(verb, self.control + "/sim/" + what, json=body, timeout=120)

    def post(self, what, **body):
        answer = self.ask(what, **body)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def event(self):
        return json.loads(self.process.stdout.readline())

    def documents(self, module, **query):
        items = self.get("received", module=module, **query)["items"]
        return {item["id"]: item["document"] for item in items}

    def behave(self, name, **more):
        self.post("behave", name=name, **more)

    def close(self):
        self.process.terminate()
        status = self.process.wait(timeout=10)
        self.process.stdout.close()
        assert status == 0


class Pair:
    """A CPO and an eMSP; the eMSP registers at the CPO, or the other way round."""

    def __init__(self, version, *cpo_options, emsp_options=(), cpo_asks=False):
        self.version = version
        first, second = ("emsp", "cpo") if cpo_asks else ("cpo", "emsp")
        options = {"cpo": cpo_options, "emsp": emsp_options}
        host = Sim(first, "--version", version, "--token-a-accept", "come-in", *options[first])
        guest = Sim(second, "--version", version, "--register", host.ready["versions_url"],
                    "--token-a", "come-in", *options[second])
        self.cpo, self.emsp = (guest, host) if cpo_asks else (host, guest)
        self.events = self.cpo.event(), self.emsp.event()

    def result(self, asked):
        return wait_for(lambda: self.emsp.get("results", id=asked["id"])["results"])[0]["body"]

    def command(self, command, **more):
        asked = self.emsp.post("command", command=command, **more)
        return asked, asked["body"]["data"]["result"]

    def session(self, **more):
        return wait_for(lambda: next((d for d in self.emsp.documents("sessions").values()
                                      if all(d.get(k) == v for k, v in more.items())), None))

    def close(self, violations=True):
        found = [v for s in (self.cpo, self.emsp) for v in s.get("violations")["violations"]]
        self.cpo.close()
        self.emsp.close()
        assert not violations or found == []


@pytest.fixture
def pair():
    pairs = []

    def make(*args, violations=True, **more):
        pairs.append((Pair(*args, **more), violations))
        return pairs[-1][0]

    yield make
    for made, violations in pairs:
        made.close(violations)


@pytest.fixture
def hub():
    h = Hub()
    yield h
    h.close()


@pytest.fixture
def emsp(hub):
    """An eMSP registered at the little 2.2.1 hub."""
    sims = []

    def make(*behave):
        words = [w for b in behave for w in ("--behave", b)]
        sim = Sim("emsp", "--party", "FI*VRT", "--register", hub.url + "/ocpi/emsp/versions",
                  "--token-a", "a", *words)
        sims.append(sim)
        assert sim.event()["event"] == "registered"
        return sim

    yield make
    for sim in sims:
        sim.close()


@pytest.fixture
def cpo(hub):
    sims = []

    def make(*options):
        sim = Sim("cpo", "--register", hub.url + "/ocpi/emsp/versions", "--token-a", "a", *options)
        sims.append(sim)
        assert sim.event()["event"] == "registered"
        return sim

    yield make
    for sim in sims:
        sim.close()


def charge(pair, evse="3256", **more):
    _, answer = pair.command("START_SESSION", location_id="LOC1", evse_uid=evse,
                             connector_id="1", **more)
    assert answer == "ACCEPTED"
    session = pair.session(status="ACTIVE")
    stop, answer = pair.command("STOP_SESSION", session_id=session["id"])
    assert answer == "ACCEPTED" and pair.result(stop)["result"] == "ACCEPTED"
    return wait_for(lambda: pair.emsp.documents("cdrs"))


# --- registration ---


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("cpo_asks", [False, True])
def test_both_register_at_each_other(pair, version, cpo_asks):
    p = pair(version, cpo_asks=cpo_asks)
    assert p.events[0]["version"] == p.events[1]["version"] == version
    assert p.events[0]["hub"] == "DE-EMS" and p.events[1]["hub"] == "FI-VRT"
    cpo, emsp = p.cpo.get("partner"), p.emsp.get("partner")
    assert cpo["token_in"] == emsp["token_out"] and cpo["token_out"] == emsp["token_in"]
    assert len(cpo["token_in"]) == 4
    old = cpo["token_in"]
    p.cpo.post("rotate")
    assert p.cpo.get("partner")["token_in"] != old
    assert p.emsp.post("pull", module="tariffs")["count"] == 3
    roles = {e["role"] for e in p.cpo.get("state")["endpoints"]}
    assert (roles == {None}) == (version == "2.1.1")
    p.emsp.post("unregister")
    assert not p.cpo.get("partner")["registered"]


def test_the_highest_version_of_both_is_taken_and_can_be_changed():
    host = Sim("cpo", "--versions", "2.1.1,2.2.1,2.3.0", "--token-a-accept", "come-in")
    guest = Sim("emsp", "--versions", "2.2.1,2.1.1", "--register", host.ready["versions_url"],
                "--token-a", "come-in")
    assert guest.event()["version"] == host.event()["version"] == "2.2.1"
    guest.post("rotate", version="2.1.1")
    assert guest.event()["version"] == host.event()["version"] == "2.1.1"
    assert guest.post("pull", module="locations")["invalid"] == 0
    location = guest.get("pulled", module="locations")["objects"][0]
    assert "country_code" not in location and location["type"] == "PARKING_LOT"
    assert host.get("violations")["violations"] == guest.get("violations")["violations"] == []
    assert guest.ask("rotate", version="2.3.0").status_code == 400
    host.close()
    guest.close()


class RoutingHub(Hub):
    """Says that it is a hub (2.2.1)."""

    def our_credentials(self, token):
        credentials = super().our_credentials(token)
        credentials["roles"][0]["role"] = "HUB"
        return credentials


def test_messages_to_a_hub_name_whom_they_are_for():
    hub = RoutingHub()
    sim = Sim("cpo", "--register", hub.url + "/ocpi/emsp/versions", "--token-a", "a")
    assert sim.event()["event"] == "registered" and sim.get("partner")["routes"]
    to = lambda path: {s[2].get("OCPI-to-party-id") for s in hub.seen if path in s[1]}
    sim.post("start_session", evse="3256", token=CARD)
    sim.post("location", location="LOC1")
    wait_for(lambda: hub.sessions and to("/locations/"))
    # R-ROUTE-10, R-ROUTE-11
    assert to("/sessions/") == {"EMS"} and to("/locations/") == {"HUB"}
    sim.post("start_session", evse="3257", token=CARD, to="none", authorize=True)
    assert to("/authorize") == {None}
    sim.close()
    hub.close()


def test_tokens_stand_raw_in_2_1_1_and_encoded_later():
    for version, raw_is_wrong in (("2.1.1", False), ("2.2.1", True), ("2.3.0", True)):
        host = Sim("cpo", "--role", "emsp", "--version", version, "--token-a-accept", "come-in")
        assert host.get("state")["role"] == "EMSP"
        url = host.ready["versions_url"].replace("versions", version)
        tries = (("Token come-in", raw_is_wrong), (encoded("come-in"), not raw_is_wrong))
        for token, wrong in tries:
            ids = {} if version == "2.1.1" else {"X-Request-ID": token, "X-Correlation-ID": "1"}
            assert requests.get(url, headers={"Authorization": token, **ids}).status_code == 200
            rules = [v["rule"] for v in host.get("violations")["violations"]]
            assert rules == (["R-TRANS-02"] if wrong else []), (version, token)
            host.post("reset")
        host.close()


def test_a_cpo_can_be_told_of_clients_too():
    modules = lambda *options: {e["identifier"] for e in registers(options=options)[1]["endpoints"]}
    assert "hubclientinfo" not in modules()
    assert "hubclientinfo" in modules("--client-info")


# --- the whole exchange ---


@pytest.mark.parametrize("version", VERSIONS)
def test_everything_is_exchanged_and_valid(pair, version):
    p = pair(version, "--speed", "60", "--world", "5", "--evses", "3", "--page", "2",
             emsp_options=("--page", "2"))
    for module, count in (("locations", 5), ("tariffs", 3)):
        pulled = p.emsp.post("pull", module=module)
        assert (pulled["count"], pulled["total_count"], pulled["invalid"]) == (count, count, 0)
        assert pulled["pages"] == (count + 1) // 2
    assert len(p.emsp.get("pulled", module="locations")["objects"][4]["evses"]) == 3
    assert p.cpo.post("pull", module="tokens")["count"] == 3
    p.cpo.post("location", all=True)
    wait_for(lambda: len(p.emsp.documents("locations")) == 5)
    assert len(p.emsp.documents("tariffs")) == 3
    assert p.emsp.post("token", uid="NEW-1")["status"] == 201
    assert p.emsp.post("token", uid="NEW-1", valid=False)["status"] == 200
    token = p.cpo.documents("tokens")["NEW-1"]
    assert token["valid"] is False and ("auth_id" in token) == (version == "2.1.1")
    p.cpo.post("location", evse="3257", status="BLOCKED")
    evse = lambda: p.emsp.documents("locations")["LOC1"]["evses"][1]
    wait_for(lambda: evse()["status"] == "BLOCKED")
    cdr = next(iter(charge(p).values()))
    session = p.emsp.documents("sessions")
    assert [s["status"] for s in session.values()] == ["COMPLETED"]
    assert p.emsp.post("pull", module="cdrs")["count"] == 1
    assert p.emsp.get("pulled", module="cdrs")["objects"] == [cdr]
    assert p.emsp.post("pull", module="sessions", date_from="2020-01-01T00:00:00Z")["count"] == 1
    assert p.emsp.get("received", valid="false")["count"] == 0
    assert p.emsp.get("received", module="locations", id="LOC1")["items"][0]["owner"] == "FI-VRT"
    p.emsp.post("forget")
    assert p.emsp.get("received")["count"] == 0


@pytest.mark.parametrize("version", VERSIONS)
def test_each_version_has_its_own_form(pair, version):
    p = pair(version, "--speed", "60")
    p.cpo.post("location", all=True)
    cdr = next(iter(charge(p, authorization_reference="REF-1").values()))
    session = next(iter(p.emsp.documents("sessions").values()))
    location = p.emsp.documents("locations")["LOC1"]
    tariff = p.emsp.documents("tariffs")["T-ENERGY"]
    connector = location["evses"][0]["connectors"][0]
    component = tariff["elements"][0]["price_components"][0]
    if version == "2.1.1":
        for document in (cdr, session, location, tariff):
            assert not {"country_code", "party_id", "authorization_reference",
                        "session_id"} & set(document)
        assert connector["voltage"] == 920 and connector["tariff_id"] == "T-ENERGY"
        assert "vat" not in component
        for place in (cdr["location"], session["location"]):
            assert [e["uid"] for e in place["evses"]] == ["3256"]
            assert [c["id"] for c in place["evses"][0]["connectors"]] == ["1"]
        assert cdr["auth_id"] == session["auth_id"] == "DE-EMS-CARD-1"
        assert isinstance(cdr["total_cost"], float)
        assert {"start_date_time", "stop_date_time"} <= set(cdr)
        assert {"start_datetime", "end_datetime"} <= set(session)
        assert "." not in cdr["last_updated"]
        sent = p.cpo.get("sent", method="PATCH", path="/sessions/")["requests"]
        assert sent and all("last_updated" not in s["body"] for s in sent)
        assert not any(h.startswith(("ocpi-", "x-")) for s in p.cpo.get("sent")["requests"]
                       for h in s["headers"])
        return
    assert cdr["session_id"] == session["id"] and cdr["cdr_location"]["id"] == "LOC1"
    assert cdr["authorization_reference"] == session["authorization_reference"] == "REF-1"
    assert connector["max_voltage"] == 920 and connector["tariff_ids"] == ["T-ENERGY"]
    assert component["vat"] == 24 and location["publish"] is True
    if version == "2.2.1":
        assert set(cdr["total_cost"]) == {"excl_vat", "incl_vat"}
        assert "tax_included" not in tariff and "parking_places" not in location
    else:
        total = cdr["total_cost"]
        assert set(total) == {"before_taxes", "taxes"} and tariff["tax_included"] == "NO"
        assert total["taxes"][0]["amount"] == pytest.approx(total["before_taxes"] * 0.24, abs=1e-3)
        places = {place["id"] for place in location["parking_places"]}
        assert location["evses"][0]["parking"][0]["parking_id"] in places


@pytest.mark.parametrize("version", VERSIONS)
def test_a_driver_with_a_card_is_authorised(pair, version):
    p = pair(version, "--speed", "60")
    start = lambda evse: p.cpo.post("start_session", evse=evse, token=CARD, authorize=True)
    made = start("3256")
    assert made["allowed"] == "ALLOWED"
    session = p.session(id=made["id"])
    assert session["auth_method"] == "AUTH_REQUEST"
    if version != "2.1.1":
        given = made["answer"]["body"]["data"]["authorization_reference"]
        assert session["authorization_reference"] == given
        assert session["cdr_token"]["uid"] == "CARD-1"
    p.emsp.post("authorize", uid="CARD-1", answer="NO_CREDIT")
    assert (start("3257")["allowed"], start("3257")["id"]) == ("NO_CREDIT", None)
    p.emsp.post("authorize", uid="CARD-1", answer="UNKNOWN")
    refused = start("3257")["answer"]
    assert refused["status"] == 404
    assert refused["body"]["status_code"] == (2000 if version == "2.1.1" else 2004)
    p.emsp.post("authorize", uid="CARD-1", answer="")
    p.emsp.post("token", uid="CARD-1", valid=False, method="none")
    assert start("3257")["allowed"] == "BLOCKED"
    p.cpo.post("stop", id=made["id"])
    wait_for(lambda: made["cdr_id"] in p.emsp.documents("cdrs"))


@pytest.mark.parametrize("version", VERSIONS)
def test_an_evse_is_reserved(pair, version):
    p = pair(version)
    where = {"location_id": "LOC2", "evse_uid": "4003", "reservation_id": "77"}
    asked, answer = p.command("RESERVE_NOW", **where)
    assert answer == "ACCEPTED" and p.result(asked)["result"] == "ACCEPTED"
    status = lambda: p.cpo.get("world", evse="4003")["evses"][0]["status"]
    assert status() == "RESERVED"
    assert p.command("RESERVE_NOW", **where | {"reservation_id": "78"})[1] == "REJECTED"
    if version == "2.1.1":
        assert p.command("CANCEL_RESERVATION", reservation_id="77")[1] == "NOT_SUPPORTED"
        assert p.emsp.documents("sessions") == {}
    else:
        reserved = p.session(status="RESERVATION")
        unknown, _ = p.command("CANCEL_RESERVATION", reservation_id="79")
        assert p.result(unknown)["result"] == "UNKNOWN_RESERVATION"
        cancelled, _ = p.command("CANCEL_RESERVATION", reservation_id="77")
        assert p.result(cancelled)["result"] == "ACCEPTED"
        assert p.session(id=reserved["id"], status="COMPLETED")
        assert status() == "AVAILABLE"
        again, _ = p.command("RESERVE_NOW", **where | {"reservation_id": "80"})
        assert p.result(again)["result"] == "ACCEPTED"
        p.cpo.post("cancel_reservation", reservation_id="80")
        wait_for(lambda: [r["body"]["result"] for r in
                          p.emsp.get("results", id=again["id"])["results"]]
                 == ["ACCEPTED", "CANCELED_RESERVATION"])
        p.command("RESERVE_NOW", **where | {"reservation_id": "81"})
    start, answer = p.command("START_SESSION", location_id="LOC2", evse_uid="4003")
    assert answer == "ACCEPTED" and p.result(start)["result"] == "ACCEPTED"
    assert p.session(status="ACTIVE")


def test_a_reservation_ends_at_its_expiry(pair):
    p = pair("2.2.1")
    p.command("RESERVE_NOW", location_id="LOC2", evse_uid="4003", expires_s=1)
    assert p.session(status="RESERVATION")
    assert p.session(status="COMPLETED")
    assert p.cpo.get("world", evse="4003")["evses"][0]["status"] == "AVAILABLE"
    assert p.emsp.documents("cdrs") == {}


@pytest.mark.parametrize("version", SINCE_22)
def test_profiles_are_set_shown_and_cleared(pair, version):
    p = pair(version)
    p.command("START_SESSION", location_id="LOC1", evse_uid="3256")
    session_id = p.session(status="ACTIVE")["id"]
    for method, power in (("PUT", 7000), ("GET", 7000), ("DELETE", 120000)):
        asked = p.emsp.post("profile", session_id=session_id, method=method, limit_w=7000)
        assert asked["body"]["data"]["result"] == "ACCEPTED"
        result = p.result(asked)
        assert result["result"] == "ACCEPTED"
        if method == "GET":
            periods = result["profile"]["charging_profile"]["charging_profile_period"]
            assert periods == [{"start_period": 0, "limit": 7000}]
        assert p.cpo.get("world", evse="3256")["evses"][0]["power_w"] == power
    p.cpo.post("active_profile", id=session_id)
    pushed = wait_for(lambda: p.emsp.get("results", id=session_id)["results"])
    assert pushed[0]["kind"] == "active" and pushed[0]["valid"]


def test_2_1_1_knows_no_profiles(pair):
    p = pair("2.1.1")
    assert "chargingprofiles" not in {e["identifier"] for e in p.emsp.get("state")["endpoints"]}
    assert p.emsp.ask("profile", session_id="S").status_code == 400


@pytest.mark.parametrize("version", VERSIONS)
def test_a_cdr_is_taken_back_and_corrected(pair, version):
    p = pair(version, "--speed", "60")
    cdr_id, cdr = next(iter(charge(p).items()))
    if version == "2.1.1":
        assert p.cpo.ask("credit", cdr_id=cdr_id).status_code == 400
        return
    made = p.cpo.post("credit", cdr_id=cdr_id, corrected=True, cost_more=0.5)
    cdrs = wait_for(lambda: len(p.emsp.documents("cdrs")) == 3 and p.emsp.documents("cdrs"))
    credit, corrected = cdrs[made["credit_id"]], cdrs[made["corrected_id"]]
    net = "excl_vat" if version == "2.2.1" else "before_taxes"
    assert credit["credit"] is True and credit["credit_reference_id"] == cdr_id
    assert credit["total_cost"][net] == -cdr["total_cost"][net]
    assert credit["total_energy_cost"] == cdr["total_energy_cost"]
    assert corrected["total_cost"][net] == pytest.approx(cdr["total_cost"][net] + 0.5)
    assert "credit" not in corrected
    assert p.emsp.post("pull", module="cdrs")["count"] == 3


@pytest.mark.parametrize("version", VERSIONS)
def test_locations_and_tariffs_change_and_go(pair, version):
    p = pair(version)
    p.cpo.post("location", all=True)
    wait_for(lambda: len(p.emsp.documents("locations")) == 3)
    p.cpo.post("location", location="LOC1", name="Another name")
    wait_for(lambda: p.emsp.documents("locations")["LOC1"]["name"] == "Another name")
    p.cpo.post("location", evse="3257", remove=True)
    removed = lambda: p.emsp.documents("locations")["LOC1"]["evses"][1]
    wait_for(lambda: removed()["status"] == "REMOVED")
    location = p.emsp.documents("locations")["LOC1"]
    assert location["last_updated"] == removed()["last_updated"]
    p.cpo.post("tariff", id="T-NEW", energy=0.5, text="half a euro")
    wait_for(lambda: "T-NEW" in p.emsp.documents("tariffs"))
    p.cpo.post("tariff", id="T-FREE")
    p.cpo.ask("tariff", "DELETE", id="T-NEW")
    item = lambda: p.emsp.get("received", module="tariffs", id="T-NEW")["items"][0]
    wait_for(lambda: item()["deleted"])
    assert p.emsp.post("pull", module="tariffs")["count"] == 4
    p.cpo.post("location", location="LOC2", hidden=True)
    assert p.emsp.post("pull", module="locations")["count"] == 2


def test_thousands_of_locations_come_by_pages(pair):
    p = pair("2.2.1", "--locations", "3000", "--evses", "3", "--page", "1000")
    pulled = p.emsp.post("pull", module="locations")
    assert (pulled["count"], pulled["pages"], pulled["limit"]) == (3000, 3, 1000)
    time.sleep(1.1)
    p.cpo.post("touch", count=40)
    later = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - 1))
    assert p.emsp.post("pull", module="locations", date_from=later)["count"] == 40


# --- what goes wrong in lists ---


def pull_of(p, **more):
    return p.emsp.post("pull", module="locations", **more)


def test_links_that_lead_astray(pair):
    p = pair("2.2.1", "--world", "10", "--page", "4")
    assert pull_of(p)["pages"] == 3
    p.cpo.behave("endless-link")
    assert pull_of(p, max_pages=8)["error"] == "more pages than were asked for"
    p.cpo.behave("none")
    p.cpo.behave("link-loop")
    assert pull_of(p, max_pages=8, limit=4)["pages"] == 8
    p.cpo.behave("none")
    p.cpo.behave("link-elsewhere")
    assert pull_of(p)["error"] == "Link leads to another host"
    p.cpo.behave("none")
    p.cpo.behave("link-keeps-no-filter")
    p.cpo.post("touch", count=5)
    # Two pages by the filter; the second is asked for without it, and goes on to the end.
    assert pull_of(p, date_from=now())["count"] == 10


def test_counts_limits_and_filters_that_lie(pair):
    p = pair("2.2.1", "--world", "10", "--page", "4", violations=False)
    p.cpo.behave("shrinking-total")
    assert pull_of(p)["total_count"] == 8
    p.cpo.behave("none")
    p.cpo.behave("no-total-count")
    assert pull_of(p)["total_count"] == -1
    assert {v["rule"] for v in p.emsp.get("violations")["violations"]} == {"R-TRANS-43"}
    p.cpo.behave("none")
    assert pull_of(p, limit=2)["pages"] == 5
    p.cpo.behave("limit-ignored")
    assert pull_of(p, limit=2)["pages"] == 3
    p.cpo.behave("none")
    assert pull_of(p, date_from="2100-01-01T00:00:00Z")["count"] == 0
    p.cpo.behave("ignores-date-from")
    assert pull_of(p, date_from="2100-01-01T00:00:00Z")["count"] == 10


def test_objects_that_repeat_break_and_vanish(pair):
    p = pair("2.2.1", "--world", "10", "--page", "4", violations=False)
    ids = lambda: [o["id"] for o in p.emsp.get("pulled", module="locations")["objects"]]
    p.cpo.behave("unordered-pages")
    pull_of(p)
    assert len(ids()) > len(set(ids()))
    p.cpo.behave("none")
    p.cpo.behave("bad-object-in-page")
    assert pull_of(p)["invalid"] == 3
    assert "coordinates" in p.emsp.get("pulled", module="locations")["errors"][0]["error"]
    p.cpo.behave("none")
    p.cpo.behave("missing-last-updated")
    assert pull_of(p)["invalid"] == 10
    p.cpo.behave("none")
    p.cpo.behave("deleted-by-absence")
    assert pull_of(p)["count"] == 9 and "LOC2" not in ids()


# --- what goes wrong in versions, details and answers ---


def registers(*behave, options=()):
    """How the details look to somebody who registers at a misbehaving CPO."""
    words = [w for b in behave for w in ("--behave", b)]
    host = Sim("cpo", "--token-a-accept", "come-in", *words, *options)
    headers = {"Authorization": encoded("come-in"), "X-Request-ID": "1", "X-Correlation-ID": "1"}
    versions = requests.get(host.ready["versions_url"], headers=headers).json()["data"]
    details = requests.get(versions[0]["url"], headers=headers).json()["data"]
    host.close()
    return versions, details


def test_versions_and_details_that_lie():
    assert registers("version-2-2")[0][0]["version"] == "2.2"
    assert registers("details-wrong-version")[1]["version"] == "2.0"
    modules = {e["identifier"] for e in registers("endpoint-missing")[1]["endpoints"]}
    assert "locations" not in modules and "tariffs" in modules
    urls = {e["identifier"]: e["url"] for e in registers("private-url")[1]["endpoints"]}
    assert urls["locations"].startswith("http://10.") and "127.0.0.1" in urls["credentials"]
    assert all(e["url"].endswith("/")
               for e in registers("endpoint-trailing-slash")[1]["endpoints"])
    assert isinstance(registers("list-for-object")[1], list)


def test_any_token_opens_open_credentials(hub, cpo):
    sim = cpo()
    assert hub.ask("GET", hub.endpoint("tariffs"), token="nobody").status_code == 401
    sim.behave("open-credentials")
    assert hub.ask("GET", hub.endpoint("tariffs"), token="nobody").status_code == 200


def test_addresses_that_want_a_slash(hub, cpo):
    cpo("--behave", "trailing-slash")
    assert hub.ask("GET", hub.endpoint("tariffs")).status_code == 404
    assert hub.ask("GET", hub.endpoint("tariffs") + "/").status_code == 200


def test_envelopes_and_headers_that_are_wrong(hub, cpo):
    sim = cpo()
    ask = lambda path="": hub.ask("GET", hub.endpoint("locations") + path)
    good = ask("/LOC1")
    assert good.json()["data"]["id"] == "LOC1" and good.headers["X-Request-ID"]
    assert good.headers["OCPI-to-party-id"] == "HUB"
    for name, seen in (
            ("missing-envelope", lambda a: a.json()["id"] == "LOC1"),
            ("list-for-object", lambda a: a.json()["data"][0]["id"] == "LOC1"),
            ("no-envelope-timestamp", lambda a: "timestamp" not in a.json()),
            ("no-request-id-echo", lambda a: "X-Request-ID" not in a.headers),
            ("wrong-routing-headers", lambda a: a.headers["OCPI-to-party-id"] == "VRT")):
        sim.behave(name, times=1)
        assert seen(ask("/LOC1")), name
    assert ask("/LOC99").status_code == 404
    sim.behave("http-200-for-unknown-object")
    unknown = ask("/LOC99")
    assert unknown.status_code == 200 and unknown.json()["status_code"] == 2003


# --- what goes wrong at an eMSP ---


def tariff(**more):
    return {"country_code": "FI", "party_id": "CPO", "id": "T1", "currency": "EUR",
            "elements": [{"price_components": [{"type": "FLAT", "price": 1, "step_size": 1}]}],
            "last_updated": now()} | more


def session_document(**more):
    return {"country_code": "FI", "party_id": "CPO", "id": "S1", "start_date_time": now(),
            "kwh": 0, "cdr_token": CARD, "auth_method": "WHITELIST", "location_id": "L",
            "evse_uid": "E", "connector_id": "1", "currency": "EUR", "status": "PENDING",
            "last_updated": now()} | more


def put(hub, module, body, path=None):
    path = path or f"/FI/CPO/{body['id']}"
    return hub.ask("PUT", hub.endpoint(module) + path, body).json()["status_code"]


def test_an_emsp_refuses_what_is_wrong(hub, emsp):
    sim = emsp()
    assert put(hub, "tariffs", tariff()) == 1000
    broken = tariff(id="T2")
    del broken["currency"]
    assert put(hub, "tariffs", broken) == 2001
    assert put(hub, "tariffs", tariff(), "/FI/CPO/OTHER") == 2001
    assert put(hub, "tariffs", tariff(), "/SE/CPO/T1") == 2001
    wrong = sim.get("received", module="tariffs", valid="false")["items"]
    assert {i["id"] for i in wrong} == {"T2", "OTHER", "T1"} and "currency" in wrong[0]["error"]
    url = hub.endpoint("sessions") + "/FI/CPO/S1"
    assert hub.ask("PATCH", url, {"kwh": 1, "last_updated": now()}).status_code == 404
    assert put(hub, "sessions", session_document()) == 1000
    assert hub.ask("PATCH", url, {"kwh": 1}).json()["status_code"] == 2001
    assert hub.ask("PATCH", hub.endpoint("tariffs") + "/FI/CPO/T1",
                   {"currency": "SEK", "last_updated": now()}).status_code == 405
    assert hub.ask("DELETE", url).status_code == 405
    sim.behave("accepts-broken-object")
    assert put(hub, "tariffs", broken) == 1000


def test_an_emsp_merges_unless_it_misbehaves(hub, emsp):
    sim = emsp()
    url = hub.endpoint("sessions") + "/FI/CPO/S1"
    put(hub, "sessions", session_document())
    period = lambda at: {"start_date_time": f"2026-01-01T0{at}:00:00Z",
                         "dimensions": [{"type": "ENERGY", "volume": at}]}
    for at in (1, 2, 2):
        hub.ask("PATCH", url, {"kwh": at, "charging_periods": [period(at)],
                               "last_updated": now()})
    hub.ask("PATCH", url, {"kwh": 2, "last_updated": "2020-01-01T00:00:00Z"})
    assert sim.get("received", id="S1")["items"][0]["older"] == 1
    stored = hub.ask("GET", url).json()["data"]
    assert stored["kwh"] == 2 and len(stored["charging_periods"]) == 2
    sim.behave("patch-not-merged")
    assert hub.ask("PATCH", url, {"kwh": 9, "last_updated": now()}).json()["status_code"] == 1000
    assert hub.ask("GET", url).json()["data"]["kwh"] == 2
    sim.behave("none")
    sim.behave("patch-accepted-without-last-updated")
    assert hub.ask("PATCH", url, {"kwh": 3}).json()["status_code"] == 1000


def test_an_emsp_takes_a_cdr_once_and_says_where(hub, cpo, emsp):
    source = Pair("2.2.1", "--speed", "60")
    cdr = next(iter(charge(source).values()))
    source.close()
    sim = emsp()
    first = hub.ask("POST", hub.endpoint("cdrs"), cdr)
    assert first.status_code == 201
    assert hub.ask("GET", first.headers["Location"]).json()["data"] == cdr
    again = hub.ask("POST", hub.endpoint("cdrs"), cdr)
    assert again.status_code == 200 and again.headers["Location"] == first.headers["Location"]
    other = cdr | {"total_energy": 99}
    assert hub.ask("POST", hub.endpoint("cdrs"), other).json()["status_code"] == 2001
    sim.behave("cdr-post-no-location-header")
    assert "Location" not in hub.ask("POST", hub.endpoint("cdrs"), cdr).headers


def test_an_emsp_that_allows_strangers(hub, emsp):
    sim = emsp()
    url = hub.endpoint("tokens") + "/NOBODY/authorize"
    assert hub.ask("POST", url).json()["status_code"] == 2004
    sim.behave("authorize-unknown-token-allowed")
    assert hub.ask("POST", url).json()["data"]["allowed"] == "ALLOWED"


def test_an_emsp_is_told_of_clients(hub, emsp):
    sim = emsp()
    info = {"country_code": "FI", "party_id": "CPO", "role": "CPO", "status": "CONNECTED",
            "last_updated": now()}
    url = hub.endpoint("hubclientinfo") + "/FI/CPO"
    assert hub.ask("PUT", url, info, routed=False).json()["status_code"] == 1000
    hub.ask("PUT", url, info | {"role": "OTHER"}, routed=False)
    assert sim.get("received", module="clientinfo")["count"] == 2
    assert sim.get("violations")["count"] == 0


def test_a_cpo_is_sent_patches_without_a_time(pair):
    p = pair("2.2.1", violations=False, emsp_options=("--behave", "patch-no-last-updated"))
    p.emsp.post("token", uid="CARD-1", method="PUT")
    assert p.emsp.post("token", uid="CARD-1", valid=False)["body"]["status_code"] == 2001
