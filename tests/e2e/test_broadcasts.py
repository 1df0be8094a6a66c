# SPDX-License-Identifier: Apache-2.0
"""
Who hears of what: a push that is meant for everybody reaches the opposite side, each party that has a
contract and listens, and nobody else; in every role, and whoever fails.
"""

import time

import pytest
from emsp_partner import Party, answers
from harness import ok, wait_until
from partner import now
from test_versions_inbound import done, envelope

COUNTRY = "LU"
PLACES = ("locations", "tariffs")
ALL = ("locations", "tariffs", "sessions", "cdrs", "tokens")


class Hearer(Party):
    """A party in some role that says which modules it receives; what its role may not hear, too."""

    def __init__(self, party, role, receives=ALL, version="2.2.1", also=None):
        super().__init__(COUNTRY, party, f"Hears {role} {party}", version=version, role=role)
        self.also = also  # (role, party id) of another party of the same connection
        if not self.old:
            sends = ("tokens",) if role == "EMSP" else ("locations", "tariffs", "sessions", "cdrs") if role == "CPO" else ()
            self.endpoints = [{"identifier": "credentials", "role": "SENDER", "url": f"{self.base}/{version}/credentials"}]
            self.endpoints += [{"identifier": m, "role": side, "url": f"{self.base}/{version}/{side.lower()}/{m}"}
                               for side, modules in (("SENDER", sends), ("RECEIVER", (*receives, "commands"))) for m in modules]

    def serve(self, request):
        for side in ("sender", "receiver"):  # addresses of their own, so that it is seen which is meant
            request["path"] = request["path"].replace(f"/{self.version}/{side}/", f"/{self.version}/")
        return super().serve(request)

    def credentials(self, token=None, url=None, roles=None):
        own = [(self.role, self.party), *([self.also] if self.also else [])]
        return super().credentials(token, url, roles or [
            {"role": r, "party_id": p, "country_code": COUNTRY, "business_details": {"name": self.name}} for r, p in own])

    def heard(self, module, object_id):
        return [r for r in self.pushed(module) if r["method"] != "GET" and object_id in r["path"]]


class Crowd:
    """A CPO whose platform holds an eMSP as well, and one of each kind of those who might hear it."""

    def __init__(self, world):
        self.world, self.hub = world, world.hub
        self.cpo = Hearer("BCP", "CPO", also=("EMSP", "BCE"))
        self.old, self.emsp, self.new = (Hearer(f"BE{v[2]}", "EMSP", version=v) for v in ("2.1.1", "2.2.1", "2.3.0"))
        self.nsp, self.nap = Hearer("BNS", "NSP"), Hearer("BNA", "NAP", version="2.3.0")
        self.other, self.scsp = Hearer("BOT", "OTHER"), Hearer("BSC", "SCSP")
        self.second = Hearer("BC2", "CPO")
        self.deaf = Hearer("BDE", "EMSP", receives=("sessions",))
        self.failing, self.held = Hearer("BFA", "EMSP"), Hearer("BHE", "EMSP")
        self.stranger = Hearer("BST", "EMSP")
        self.all = [p for p in vars(self).values() if isinstance(p, Hearer)]
        for p in self.all:
            p.register(self.hub)
            if p not in (self.stranger, self.cpo):
                self.contract("allow", self.cpo.party, p.party)
                self.contract("allow", p.party, self.cpo.party)
        ok(self.hub.admin("POST", f"/partners/{self.id_of(self.cpo)}/approve",
                          json={"country_code": COUNTRY, "party_id": "BCE", "role": "EMSP"}))
        for emsp in (self.emsp, self.old):
            for p in self.all:
                if p not in (self.stranger, emsp):
                    self.contract("allow", emsp.party, p.party)
        self.contract("allow", self.cpo.party, "BCE")
        self.contract("allow", self.second.party, "BCE")
        ok(self.hub.admin("POST", f"/partners/{self.id_of(self.held)}/suspend"))
        self.failing.down = answers(500, 3000)
        self.able = [self.old, self.emsp, self.new, self.nsp, self.nap, self.other]
        self.hears = [*self.able, self.failing]

    def id_of(self, p):
        return next(i["id"] for i in ok(self.hub.admin("GET", "/partners"))["items"] if i["name"] == p.name)

    def contract(self, word, sender, receiver):
        self.hub.ctl("contract", word, "--from", f"{COUNTRY}*{sender}", "--to", f"{COUNTRY}*{receiver}")

    def told(self, module, object_id, method, expected):
        """{party: its push}, once all who should have it do; and then nobody else has. Who fails has
        had an attempt of something, now or later."""
        def look():
            found = {p.party: [r for r in p.heard(module, object_id) if r["method"] == method] for p in self.all}
            return {p: pushes for p, pushes in found.items() if pushes}
        sure = {p.party for p in expected}
        wait_until(lambda: set(look()) >= sure, 40, f"all to hear of {object_id}")
        time.sleep(1)
        assert set(look()) - sure <= ({self.failing.party} if method in ("PATCH", "DELETE") else set())
        return {party: pushes[0] for party, pushes in look().items()}


@pytest.fixture(scope="module")
def crowd(shared_world):
    c = Crowd(shared_world)
    yield c
    for p in c.all:
        p.close()


def own(p, module, object_id):
    return p.url(module, p.country, p.party, object_id)


def header(push, name):
    return next((v for k, v in push["headers"].items() if k.lower() == name.lower()), None)


def by_the_hub(crowd, told):
    """R-ROUTE-11: FROM is the hub and TO the receiver; R-ROUTE-13: the owner stands in the URL."""
    ids = {header(push, "X-Request-ID") for push in told.values()}
    assert len(ids) == len(told)
    for p in crowd.all:
        if p.party not in told:
            continue
        push = told[p.party]
        route = [header(push, f"OCPI-{way}-{part}") for way in ("from", "to") for part in ("country-code", "party-id")]
        assert route == ([None] * 4 if p.old else ["FI", "HUB", COUNTRY, p.party])


def test_a_location_for_everybody_reaches_the_opposite_side(crowd):
    """R-ROUTE-11, -12, -13, -16, -17, -18, R-TRANS-62, -64, -65: PUT and PATCH with TO = the hub; the
    answer is the hub's, at once, whoever fails."""
    location = crowd.cpo.location()
    began = time.time()
    answer = crowd.cpo.put(own(crowd.cpo, "locations", location["id"]), location)
    done(answer, 201)
    assert time.time() - began < 4
    assert (answer.headers["OCPI-from-party-id"], answer.headers["OCPI-to-party-id"]) == ("HUB", "BCP")
    told = crowd.told("locations", location["id"], "PUT", crowd.hears)
    by_the_hub(crowd, told)
    for party, push in told.items():
        assert f"/{COUNTRY}/BCP/{location['id']}" in push["path"], party
        assert push["body"]["last_updated"][:19] == location["last_updated"][:19]
    assert told["BE2"]["body"] == location
    evse = location["evses"][0]["uid"]
    patch = {"status": "CHARGING", "last_updated": now(1)}
    done(crowd.cpo.patch(own(crowd.cpo, "locations", f"{location['id']}/{evse}"), patch))
    by_the_hub(crowd, crowd.told("locations", location["id"], "PATCH", crowd.able))


def test_a_tariff_for_everybody_comes_and_goes(crowd):
    """R-ROUTE-12, -15, -19: DELETE is told like a push."""
    tariff = crowd.cpo.tariff()
    url = own(crowd.cpo, "tariffs", tariff["id"])
    done(crowd.cpo.put(url, tariff), 201)
    by_the_hub(crowd, crowd.told("tariffs", tariff["id"], "PUT", crowd.hears))
    done(crowd.cpo.call("DELETE", url))
    by_the_hub(crowd, crowd.told("tariffs", tariff["id"], "DELETE", crowd.able))


def test_a_tariff_is_told_to_2_1_1_while_it_is_in_force(crowd):
    """It cannot say when that is; the others are told once, and know."""
    tariff = crowd.cpo.tariff(start_date_time=now(3600), end_date_time=now(7200))

    def heard():  # the hub looks each minute
        crowd.world.sql("UPDATE timer SET due_at = now() WHERE slot = 'tariffs'")
        return [r["method"] for r in crowd.old.heard("tariffs", tariff["id"])]

    def comes(column, member, seconds):
        """That moment comes earlier than it was told."""
        at = now(seconds)
        crowd.world.sql(f"SET session_replication_role = replica; UPDATE tariff SET {column} = %s,"
                        " document = replace(document, %s, %s) WHERE tariff_id = %s;"
                        "UPDATE tariff_switch SET until_at = least(until_at, %s::timestamptz - interval '1 second')",
                        at, tariff[member], at, tariff["id"], at)

    done(crowd.cpo.put(own(crowd.cpo, "tariffs", tariff["id"]), tariff), 201)
    newer = [p for p in crowd.hears if p is not crowd.old]
    assert crowd.old.party not in crowd.told("tariffs", tariff["id"], "PUT", newer)
    comes("start_at", "start_date_time", -2)
    wait_until(lambda: heard() == ["PUT"], 20, "the tariff to begin")
    assert "end_date_time" not in crowd.old.heard("tariffs", tariff["id"])[0]["body"]
    comes("end_at", "end_date_time", -1)
    wait_until(lambda: heard() == ["PUT", "DELETE"], 20, "the tariff to end")
    crowd.told("tariffs", tariff["id"], "DELETE", [crowd.old])


def test_a_token_for_everybody_reaches_cpos_alone(crowd):
    """R-ROUTE-12, -15: never from an eMSP to OTHER, or to another eMSP."""
    for emsp in (crowd.emsp, crowd.old):
        token = emsp.own_token()
        done(emsp.put(own(emsp, "tokens", token["uid"]), token), 201)
        told = crowd.told("tokens", token["uid"], "PUT", [crowd.cpo, crowd.second])
        by_the_hub(crowd, told)
        for push in told.values():
            assert f"/{COUNTRY}/{emsp.party}/{token['uid']}" in push["path"]


def test_nobody_is_told_what_its_own_platform_said(crowd):
    """R-ROUTE-18, R-ROUTE-63: a driver of the platform's eMSP at the platform's CPO; and at another."""
    def session(cpo):
        return cpo.session(location=cpo.location(), auth_method="WHITELIST", cdr_token={
            "country_code": COUNTRY, "party_id": "BCE", "uid": "AT-HOME", "type": "RFID", "contract_id": "LU-BCE-1"})

    home, away = session(crowd.cpo), session(crowd.second)
    done(crowd.cpo.put(own(crowd.cpo, "sessions", home["id"]), home), 201)
    done(crowd.second.put(own(crowd.second, "sessions", away["id"]), away), 201)
    told = crowd.told("sessions", away["id"], "PUT", [crowd.cpo])
    assert header(told["BCP"], "OCPI-to-party-id") == "BCE"
    crowd.told("sessions", home["id"], "PUT", [])


def test_who_listens_to_nobody_still_can_ask(crowd):
    """R-TRANS-64, R-ROUTE-33: the list has it; a party that never said anything has no objects."""
    location = crowd.cpo.location()
    done(crowd.cpo.put(own(crowd.cpo, "locations", location["id"]), location), 201)
    assert [o for o in done(crowd.deaf.listed("locations")) if o["id"] == location["id"]] == [location]
    assert not crowd.deaf.heard("locations", location["id"])
    assert done(crowd.stranger.listed("locations")) == []
    crowd.contract("allow", crowd.second.party, crowd.stranger.party)  # which has no place anywhere
    try:
        answer = crowd.stranger.listed("locations")
        assert done(answer) == [] and answer.headers["X-Total-Count"] == "0"
    finally:
        crowd.contract("deny", crowd.second.party, crowd.stranger.party)


def test_a_broadcast_is_not_read_and_no_charge_is_one(crowd):
    """R-ROUTE-14, -15: a GET names whom it asks; Sessions go to the owner of their token."""
    session = crowd.cpo.session(location=crowd.cpo.location(), auth_method="WHITELIST", cdr_token={
        "country_code": COUNTRY, "party_id": crowd.emsp.party, "uid": "T", "type": "RFID", "contract_id": "LU-1"})
    done(crowd.cpo.put(own(crowd.cpo, "sessions", session["id"]), session), 201)
    crowd.told("sessions", session["id"], "PUT", [crowd.emsp])
    body = {"response_url": f"{crowd.emsp.base}/2.2.1/x", "session_id": session["id"]}
    for method, path, sent in (("POST", "commands/STOP_SESSION", body),
                               ("PUT", f"sessions/{session['id']}/charging_preferences", {"profile_type": "FAST"})):
        answer = crowd.emsp.call(method, f"{crowd.hub.url}/ocpi/cpo/2.2.1/{path}", sent)
        envelope(answer, 200, 2001)
        assert "R-ROUTE-15" in answer.json()["status_message"]
    answer = crowd.emsp.get(f"{crowd.hub.url}/ocpi/cpo/2.2.1/chargingprofiles/{session['id']}?duration=9&response_url="
                            + body["response_url"])
    envelope(answer, 200, 2001)
    assert "R-ROUTE-14" in answer.json()["status_message"]
