# SPDX-License-Identifier: Apache-2.0
"""
OCPI 2.1.1, 2.2.1 and 2.3.0 side by side: what partners find at each face, registration in every
version from both sides, and the receivers. The test itself plays the partner.
"""

import copy
import re
import uuid
from urllib.parse import urlsplit

import pytest
import requests
from harness import User, ok, wait_until
from partner import Partner, encode, hours_between, now

VERSIONS = ("2.1.1", "2.2.1", "2.3.0")
FACES = {"emsp": VERSIONS, "cpo": ("2.1.1",), "platform": ("2.2.1", "2.3.0")}


def face_url(hub, face, tail="versions"):
    return f"{hub.url}/ocpi/{tail}" if face == "platform" else f"{hub.url}/ocpi/{face}/{tail}"


def envelope(response, status, code):
    assert response.status_code == status, f"{response.status_code} instead of {status}: {response.text}"
    body = response.json()
    assert body["status_code"] == code, body
    return body.get("data")


def done(response, status=200):
    return envelope(response, status, 1000)


class Speaker(Partner):
    """A partner that speaks one version (or several), as a CPO or as something else."""

    def __init__(self, version, country, party, role="CPO", name=None):
        self.version, self.role = version, role
        self.offered = [version]
        self.roles = None
        self.hub_party = None
        super().__init__(country, party, name or f"Speaker {country}-{party}")

    # ---- what we answer ----

    def serve(self, request):
        path = urlsplit(request["path"]).path
        for version in self.offered:
            credentials = path == f"/{version}/credentials"
            if path == f"/{version}" or credentials or path.startswith(f"/{version}/"):
                for (method, start), script in list(self.scripted.items()):
                    if request["method"] == method and path.startswith(start):
                        self.received.append(request)
                        answer = script(request)
                        return (*answer, {}) if len(answer) == 2 else answer
            if path == f"/{version}":
                self.received.append(request)
                return 200, self.envelope({"version": version,
                                           "endpoints": self.endpoints or self.our_endpoints(version)}), {}
            if credentials and request["method"] in ("POST", "PUT"):
                self.received.append(request)
                self.version = version
                self.call_back(request)
                self.token = request["body"]["token"]
                self.token_b = uuid.uuid4().hex
                return 200, self.envelope(self.credentials()), {}
            if credentials and request["method"] == "DELETE":
                self.received.append(request)
                return 200, self.envelope(None), {}
            for name in ("locations", "sessions", "cdrs", "tariffs", "tokens"):
                if path.startswith(f"/{version}/{name}") and request["method"] == "GET":
                    self.received.append(request)
                    items = getattr(self, name, [])
                    return 200, self.envelope(items), {"X-Total-Count": str(len(items)), "X-Limit": "100"}
            if path.startswith(f"/{version}/"):
                self.received.append(request)
                answer = {"result": "ACCEPTED"} if version == "2.1.1" else {"result": "ACCEPTED", "timeout": 30}
                return 200, self.envelope(answer), {}
        return super().serve(request)

    def call_back(self, request):
        """As a receiver of credentials does: with the token that came (R-CRED-07)."""
        body = request["body"]
        answer = self.call("GET", body["url"], token=body["token"])
        self.called_back = done(answer)

    def our_versions(self):
        return [{"version": v, "url": f"{self.base}/{v}"} for v in self.offered]

    def our_endpoints(self, version=None):  # pylint: disable=arguments-differ
        version = version or self.version
        cpo = self.role == "CPO"
        modules = [("credentials", "SENDER")]
        modules += [(m, "SENDER" if cpo else "RECEIVER") for m in ("locations", "tariffs", "sessions", "cdrs")]
        modules += [(m, "RECEIVER" if cpo else "SENDER") for m in ("tokens", "commands")]
        if version == "2.1.1":
            return [{"identifier": m, "url": f"{self.base}/{version}/{m}"} for m, _ in modules]
        modules.append(("chargingprofiles", "RECEIVER" if cpo else "SENDER"))
        return [{"identifier": m, "role": r, "url": f"{self.base}/{version}/{m}"} for m, r in modules]

    def credentials(self, token=None, url=None, roles=None):
        base = {"token": token or self.token_b, "url": url or self.base + "/versions"}
        details = {"business_details": {"name": self.name}, "party_id": self.party, "country_code": self.country}
        if self.version == "2.1.1":
            return {**base, **details}
        hub = {"hub_party_id": self.hub_party} if self.hub_party and self.version == "2.3.0" else {}
        return {**base, **hub, "roles": roles or self.roles or [{"role": self.role, **details}]}

    # ---- what we send ----

    def headers(self, token=None, authorization=None, **more):
        token = token or self.token
        if self.version == "2.1.1":
            h = {"Authorization": authorization or f"Token {token}", **more}
            return {k: v for k, v in h.items() if v is not None}
        return super().headers(token=token, authorization=authorization, **more)

    def look(self, hub, versions_url=None):
        """Reads the versions and details of our version with the token that we hold."""
        self.hub = hub
        self.versions_url = versions_url or self.versions_url
        versions = done(self.get(self.versions_url))
        url = next(v["url"] for v in versions if v["version"] == self.version)
        details = done(self.get(url))
        assert details["version"] == self.version
        side = {"credentials": "SENDER", "tokens": "SENDER", "commands": "SENDER", "chargingprofiles": "SENDER"}
        self.urls = {(e["identifier"], e.get("role") or side.get(e["identifier"], "RECEIVER")): e["url"]
                     for e in details["endpoints"]}
        self.credentials_url = next(e["url"] for e in details["endpoints"] if e["identifier"] == "credentials")
        return details

    def invited(self, hub, **more):
        answer = ok(hub.admin("POST", "/partners/invite", json={
            "name": self.name, "country_code": self.country, "party_id": self.party, "role": self.role, **more}))
        self.token = answer["token_a"]
        url = answer["versions_url"]
        if self.version == "2.1.1" and self.role != "CPO":
            url = answer.get("versions_url_2_1_1", url)
        self.look(hub, url)
        return answer

    def register(self, hub):
        self.invited(hub)
        data = done(self.post(self.credentials_url, self.credentials()))
        self.token = data["token"]
        return data

    def switch(self, version):
        """PUT at the credentials endpoint of another version (R-CRED-05)."""
        with_token = self.token
        old, self.version = self.version, version
        self.offered = [version]
        headers = {"Authorization": f"Token {with_token if old == '2.1.1' else encode(with_token)}"}
        url = next(v["url"] for v in done(self.get(self.versions_url, headers=headers)) if v["version"] == version)
        answer = self.put(url + "/credentials", self.credentials(token=uuid.uuid4().hex), headers=headers)
        self.token = done(answer)["token"]
        self.look(self.hub)

    # ---- objects ----

    def location(self, location_id=None, **changes):
        location = super().location(location_id)
        if self.version == "2.1.1":
            for key in ("country_code", "party_id", "publish"):
                del location[key]
            location["type"] = "ON_STREET"
            for evse in location["evses"]:
                evse["capabilities"] = ["REMOTE_START_STOP_CAPABLE"]
                for c in evse["connectors"]:
                    c["voltage"], c["amperage"] = c.pop("max_voltage"), c.pop("max_amperage")
                    del c["max_electric_power"]
        return {**location, **changes}

    def price(self, net, gross):
        if self.version == "2.1.1":
            return net
        if self.version == "2.2.1":
            return {"excl_vat": net, "incl_vat": gross}
        return {"before_taxes": net, "taxes": [{"name": "VAT", "amount": round(gross - net, 4)}]}

    def session(self, session_id=None, location=None, **changes):
        if self.version == "2.1.1":
            return {"id": session_id or self.new_id("S"), "start_datetime": now(-600), "kwh": 1.5,
                    "auth_id": "nobody-we-know", "auth_method": "WHITELIST",
                    "location": self.one_evse(location or self.location("LOC")), "currency": "EUR",
                    "total_cost": 0.5, "status": "ACTIVE", "last_updated": now(), **changes}
        session = super().session(session_id, location)
        return {**session, "total_cost": self.price(0.5, 0.6), **changes}

    @staticmethod
    def one_evse(location):
        location = copy.deepcopy(location)
        location["evses"] = location["evses"][:1]
        return location

    def cdr(self, session=None, **changes):
        if self.version == "2.1.1":
            s, end = session or self.session(), now(1)
            return {"id": self.new_id("C"), "start_date_time": s["start_datetime"], "stop_date_time": end,
                    "auth_id": s["auth_id"], "auth_method": "WHITELIST", "location": s["location"],
                    "currency": "EUR", "charging_periods": [
                        {"start_date_time": s["start_datetime"],
                         "dimensions": [{"type": "ENERGY", "volume": 10.0}]}],
                    "total_cost": 3.0, "total_energy": 10.0, "total_time": hours_between(s["start_datetime"], end),
                    "last_updated": now(), **changes}
        return {**super().cdr(session, **changes), "total_cost": self.price(3.0, 3.57), **changes}

    def tariff(self, tariff_id=None, **changes):
        tariff = super().tariff(tariff_id)
        if self.version == "2.1.1":
            del tariff["country_code"], tariff["party_id"]
            del tariff["elements"][0]["price_components"][0]["vat"]
        if self.version == "2.3.0":
            tariff["tax_included"] = "NO"
        return {**tariff, **changes}


numbers = iter(range(10, 100))


@pytest.fixture
def speaker():
    """speaker(version, role) makes a partner that nobody knows yet."""
    made = []

    def make(version, role="CPO", **more):
        made.append(Speaker(version, "NO", f"V{next(numbers)}", role, **more))
        return made[-1]

    yield make
    for p in made:
        p.close()


@pytest.fixture(scope="module", params=VERSIONS)
def cpo(request, shared_world):
    """A CPO of each version, connected."""
    p = Speaker(request.param, "NL", "C" + request.param.replace(".", "")[:2], "CPO")
    try:
        p.register(shared_world.hub)
        yield p
    finally:
        p.close()


def shown(hub, p, /, **expected):
    """The partner as operators see it; each worker hears of changes in a moment."""
    def look():
        known = ok(hub.admin("GET", f"/partners/{partner_id(hub, p)}"))
        for name, value in expected.items():
            assert known[name] == value, (name, known)
        return known

    return wait_until(look, 5, f"{p.party} to be {expected}")


def partner_id(hub, p):
    def look():
        return [item["id"] for item in ok(hub.admin("GET", "/partners"))["items"]
                if any((r["country_code"], r["party_id"]) == (p.country, p.party) for r in item["roles"])]

    return wait_until(look, 5, f"{p.party} to be known")[0]


# ---- versions and details: R-VER ----


@pytest.mark.parametrize("face", FACES)
def test_what_each_face_offers(hub, cpo, face):
    """R-VER-01, -02, -03, -04, -10."""
    versions = done(cpo.get(face_url(hub, face)))
    assert tuple(v["version"] for v in versions) == FACES[face]
    for v in versions:
        assert v["url"] == face_url(hub, face, v["version"])
        details = done(cpo.get(v["url"]))
        assert details["version"] == v["version"]
        assert sum(e["identifier"] == "credentials" for e in details["endpoints"]) == 1
        for e in details["endpoints"]:
            assert ("role" in e) == (v["version"] != "2.1.1")
            assert e["url"].startswith(hub.url + "/ocpi/") and f"/{v['version']}/" in e["url"] and len(e["url"]) <= 255
        names = {e["identifier"] for e in details["endpoints"]}
        assert {"credentials", "locations", "tariffs", "sessions", "cdrs", "tokens"} <= names
        assert ("chargingprofiles" in names) == (v["version"] != "2.1.1" and face != "cpo")


@pytest.mark.parametrize("face", FACES)
def test_versions_a_face_does_not_speak(hub, cpo, face):
    """R-VER-10: 404, for the details and for credentials."""
    for version in (*VERSIONS, "2.0", "2.2", "9.9"):
        status = 200 if version in FACES[face] else 404
        url = face_url(hub, face, version)
        assert cpo.get(url).status_code == status, url
        assert cpo.get(url + "/credentials").status_code == status, url


def test_2_1_1_has_no_charging_profiles(cpo):
    url = cpo.hub.url + f"/ocpi/emsp/{cpo.version}/chargingprofiles/S1"
    profile = {"start_date_time": now(), "charging_profile": {"charging_rate_unit": "W"}}
    assert cpo.put(url, profile).status_code == 404  # with 22+ since the session is unknown
    if cpo.version == "2.1.1":
        assert cpo.put(url, {}).status_code == 404
    else:
        envelope(cpo.put(url, {}), 200, 2001)


# ---- registration: R-CRED ----


@pytest.mark.parametrize("version", VERSIONS)
def test_a_cpo_registers(hub, speaker, version):
    """R-CRED-01, -02, -07, -12, R-TRANS-02, R-VER-04."""
    p = speaker(version)
    p.invited(hub)
    token_a = p.token
    data = done(p.post(p.credentials_url, p.credentials()))
    assert data["url"] == face_url(hub, "emsp")
    if version == "2.1.1":
        assert set(data) == {"token", "url", "business_details", "party_id", "country_code"}
        ours = data
    else:
        assert set(data) == {"token", "url", "roles"}
        ours, = data["roles"]
        assert ours["role"] == "EMSP"
    assert (ours["country_code"], ours["party_id"], ours["business_details"]["name"]) == ("FI", "HUB", "Hub")
    shown_token = {r["headers"]["Authorization"] for r in p.requests("GET", "/versions")}
    assert shown_token == {f"Token {p.token_b if version == '2.1.1' else encode(p.token_b)}"}
    p.token = data["token"]
    done(p.get(p.versions_url))
    assert p.get(p.own("sessions", "x"), token=token_a).status_code == 401
    now_known = shown(hub, p, state="connected", version=version, face="emsp")
    assert [(r["role"], r["party_id"]) for r in now_known["roles"]] == [("CPO", p.party)]
    sides = {e["module"]: e["role"] for e in now_known["endpoints"]}
    assert sides["locations"] == "SENDER" and sides["commands"] == "RECEIVER"
    assert done(p.get(p.credentials_url))["token"] == p.token  # R-CRED-18


@pytest.mark.parametrize("version", VERSIONS)
def test_an_emsp_registers(hub, speaker, version):
    """R-CRED-13, -14, -16, R-VER-04."""
    p = speaker(version, "EMSP")
    invitation = p.invited(hub)
    assert invitation["versions_url"] == face_url(hub, "platform")
    assert invitation["versions_url_2_1_1"] == face_url(hub, "cpo")
    data = done(p.post(p.credentials_url, p.credentials()))
    p.token = data["token"]
    face = "cpo" if version == "2.1.1" else "platform"
    assert data["url"] == face_url(hub, face)
    if version == "2.1.1":
        assert set(data) == {"token", "url", "business_details", "party_id", "country_code"}
        assert (data["country_code"], data["party_id"]) == ("FI", "HUB")
    elif version == "2.2.1":
        assert [(r["role"], r["country_code"], r["party_id"]) for r in data["roles"]] == [("HUB", "FI", "HUB")]
        assert "hub_party_id" not in data
    else:
        assert data["hub_party_id"] == "FIHUB"
        assert ("EMSP", "FI", "HUB") in {(r["role"], r["country_code"], r["party_id"]) for r in data["roles"]}
        assert "HUB" not in {r["role"] for r in data["roles"]}
    now_known = shown(hub, p, state="connected", version=version, face=face)
    assert [(r["role"], r["party_id"]) for r in now_known["roles"]] == [("EMSP", p.party)]
    sides = {e["module"]: e["role"] for e in now_known["endpoints"]}
    assert sides["locations"] == "RECEIVER" and sides["commands"] == "SENDER"


def test_2_3_0_lists_who_can_be_reached(hub, speaker):
    """R-CRED-14, -15: with a contract, in the words of the party; suspended ones are not there."""
    cpo, emsp = speaker("2.2.1", name="Reachable Power"), speaker("2.3.0", "EMSP")
    cpo.register(hub)
    ok(hub.admin("POST", "/contracts", json={"from": f"{cpo.country}*{cpo.party}", "allow": True,
                                             "to": f"{emsp.country}*{emsp.party}"}))
    emsp.register(hub)

    def listed():
        roles = done(emsp.get(emsp.credentials_url))["roles"]
        return {r["party_id"]: r for r in roles if r["role"] == "CPO"}

    role = wait_until(lambda: listed().get(cpo.party), 5, "the CPO to be listed")
    assert role["business_details"]["name"] == "Reachable Power" and role["country_code"] == cpo.country
    assert emsp.party not in listed()
    hub.ctl("partner", "suspend", cpo.name)
    wait_until(lambda: cpo.party not in listed(), 5, "the CPO to be gone")
    hub.ctl("partner", "resume", cpo.name)
    wait_until(lambda: cpo.party in listed(), 5, "the CPO to be back")


@pytest.mark.parametrize("version", VERSIONS)
def test_405_by_the_token_that_is_shown(hub, speaker, version):
    """R-CRED-04, -20."""
    p = speaker(version)
    p.invited(hub)
    token_a = p.token
    assert p.put(p.credentials_url, p.credentials()).status_code == 405
    assert p.call("DELETE", p.credentials_url).status_code == 405
    assert p.patch(p.credentials_url, {}).status_code == 405
    p.token = done(p.post(p.credentials_url, p.credentials()))["token"]
    assert p.post(p.credentials_url, p.credentials()).status_code == 405
    assert p.post(p.credentials_url, p.credentials(), token=token_a).status_code == 405


@pytest.mark.parametrize("version", VERSIONS)
def test_what_goes_wrong_while_registering(hub, speaker, version):
    """R-CRED-03: 3001, 3002, 3003, and nothing is stored; token A still works."""
    p = speaker(version)
    p.invited(hub)
    p.scripted[("GET", f"/{version}")] = lambda r: (500, b"oops")
    envelope(p.post(p.credentials_url, p.credentials()), 200, 3001)
    p.scripted.clear()
    others = [v for v in VERSIONS if v != version]
    p.versions = [{"version": v, "url": f"{p.base}/{v}"} for v in others]
    envelope(p.post(p.credentials_url, p.credentials()), 200, 3002)
    p.versions = None
    p.endpoints = [e for e in p.our_endpoints() if e["identifier"] != "commands"]
    envelope(p.post(p.credentials_url, p.credentials()), 200, 3003)
    p.endpoints = [e for e in p.our_endpoints() if e["identifier"] != "credentials"]
    envelope(p.post(p.credentials_url, p.credentials()), 200, 3003)
    p.endpoints = None
    shown(hub, p, state="planned")
    done(p.post(p.credentials_url, p.credentials()))


def test_an_emsp_needs_no_commands(hub, speaker):
    p = speaker("2.2.1", "EMSP")
    p.endpoints = [e for e in p.our_endpoints() if e["identifier"] == "credentials"]
    p.register(hub)
    shown(hub, p, state="connected")


def test_the_emsp_face_is_for_cpos(hub, speaker):
    """R-VER-10: who finds the wrong address is told the right one."""
    p = speaker("2.2.1", "EMSP")
    p.invited(hub)
    p.look(hub, face_url(hub, "emsp"))
    answer = p.post(p.credentials_url, p.credentials())
    envelope(answer, 200, 2001)
    assert face_url(hub, "platform") in answer.json()["status_message"]


@pytest.mark.parametrize("change", [
    {"token": "with blank"}, {"token": None}, {"url": None}, {"party_id": None}, {"party_id": "TOOLONG"},
    {"country_code": "NOR"}, {"business_details": None}, {"business_details": {}},
], ids=str)
def test_wrong_credentials_of_2_1_1(hub, speaker, change):
    p = speaker("2.1.1")
    p.invited(hub)
    envelope(p.post(p.credentials_url, {**p.credentials(), **change}), 200, 2001)
    shown(hub, p, state="planned")


@pytest.mark.parametrize("hub_party", ["FI", "FIHUBS", "F1HUB", ""])
def test_a_hub_party_id_has_five_characters(hub, speaker, hub_party):
    """R-CRED-17."""
    p = speaker("2.3.0")
    p.invited(hub)
    envelope(p.post(p.credentials_url, {**p.credentials(), "hub_party_id": hub_party}), 200, 2001)


def test_a_partner_that_is_a_hub(hub, speaker):
    """R-CRED-13, -14."""
    new, old = speaker("2.3.0"), speaker("2.2.1")
    new.hub_party = "NOHBX"
    new.register(hub)
    shown(hub, new, hub=True)
    role = {"business_details": {"name": old.name}, "country_code": old.country}
    old.roles = [{**role, "role": "HUB", "party_id": "HBY"}, {**role, "role": "CPO", "party_id": old.party}]
    old.register(hub)
    assert [r["role"] for r in shown(hub, old, hub=True)["roles"]] == ["CPO"]


@pytest.mark.parametrize("version", ["2.2.1", "2.3.0"])
def test_roles_beyond_the_agreed_ones_wait(hub, speaker, version):
    """R-CRED-12: stored as pending, usable once an operator has approved them."""
    p = speaker(version)
    other = f"Z{p.party[1:]}"
    details = {"business_details": {"name": p.name}, "country_code": p.country}
    p.roles = [{**details, "role": "CPO", "party_id": p.party}, {**details, "role": "CPO", "party_id": other}]
    p.register(hub)
    known = shown(hub, p, state="connected")
    assert [r["party_id"] for r in known["roles"]] == [p.party]
    assert [(r["role"], r["party_id"]) for r in known["pending"]] == [("CPO", other)]
    location = {**p.location(), "party_id": other}
    url = p.url("locations", p.country, other, location["id"])
    assert p.put(url, location).status_code == 404
    ok(hub.admin("POST", f"/partners/{known['id']}/approve",
                 json={"country_code": p.country, "party_id": other, "role": "CPO"}))
    headers = {"OCPI-from-party-id": other}
    wait_until(lambda: p.put(url, {**location, "last_updated": now()}, headers=headers).status_code == 201,
               5, "the party to be let in")
    # R-ROUTE-06: with two parties it has to be said which.
    envelope(p.get(url, headers={"OCPI-from-party-id": None, "OCPI-from-country-code": None}), 200, 2001)
    done(p.get(url, headers=headers))


def test_a_role_that_was_agreed_may_not_be_missing(hub, speaker):
    p = speaker("2.2.1")
    p.invited(hub)
    role = {"role": "CPO", "party_id": "ZZZ", "country_code": p.country, "business_details": {"name": "x"}}
    envelope(p.post(p.credentials_url, p.credentials(roles=[role])), 200, 2001)


@pytest.mark.parametrize("version", VERSIONS)
def test_rotation_begun_by_the_partner(hub, speaker, version):
    """R-CRED-05, -06, -07: the old token lives until the new one is used, for the answer may be lost."""
    p = speaker(version)
    p.register(hub)
    old, new_b = p.token, uuid.uuid4().hex
    lost = done(p.put(p.credentials_url, p.credentials(token=new_b)))["token"]
    assert lost != old
    again = done(p.put(p.credentials_url, p.credentials(token=new_b)))["token"]  # with the old one
    assert again not in (lost, old)
    done(p.get(p.versions_url, token=again))
    wait_until(lambda: p.get(p.versions_url, token=old).status_code == 401, 5, "the old token to be dropped")
    p.token = again
    done(p.put(p.own("tariffs", "T1"), p.tariff("T1")), 201)


@pytest.mark.parametrize("before,after", [("2.1.1", "2.2.1"), ("2.2.1", "2.3.0"), ("2.3.0", "2.1.1")])
def test_a_put_elsewhere_switches_the_version(hub, speaker, before, after):
    """R-CRED-05, R-BR-01: what was stored is told, merged and kept on in the new version."""
    p = speaker(before)
    p.register(hub)
    location, tariff = p.location(), p.tariff()
    done(p.put(p.own("locations", location["id"]), location), 201)
    done(p.put(p.own("tariffs", tariff["id"]), tariff), 201)
    p.switch(after)
    shown(hub, p, version=after)
    expected = p.location(location["id"])
    stored = done(p.get(p.own("locations", location["id"])))
    assert set(stored) >= set(expected) - {"type"}, stored
    assert stored["evses"][0]["evse_id"] == location["evses"][0]["evse_id"]
    assert ("voltage" in stored["evses"][0]["connectors"][0]) == (after == "2.1.1")
    uid = location["evses"][0]["uid"]
    done(p.patch(p.own("locations", location["id"], uid), {"status": "CHARGING", "last_updated": now()}))
    stored = done(p.get(p.own("locations", location["id"])))
    assert stored["evses"][0]["status"] == "CHARGING" and stored["name"] == location["name"]
    price = done(p.get(p.own("tariffs", tariff["id"])))["elements"][0]["price_components"][0]["price"]
    assert price == pytest.approx(0.30)


@pytest.mark.parametrize("version", VERSIONS)
def test_a_new_host_waits_for_an_operator(hub, speaker, version):
    """A stolen token must not move the connection; the same PUT passes once it is approved."""
    p, elsewhere = speaker(version), speaker(version)
    p.register(hub)
    host = urlsplit(elsewhere.base).netloc
    moved = p.credentials(url=elsewhere.base + "/versions")
    before = len(elsewhere.received)
    answer = p.put(p.credentials_url, moved)
    envelope(answer, 200, 2001)
    assert host in answer.json()["status_message"] and "approv" in answer.json()["status_message"]
    assert len(elsewhere.received) == before  # nobody called there
    known = shown(hub, p, host_asked=host, versions_url=p.base + "/versions")
    hub.ctl("partner", "approve", str(known["id"]), host)
    hub.workers_know(known["id"], hosts=lambda hosts: host in hosts)
    elsewhere.token_b = p.token_b
    p.token = done(p.put(p.credentials_url, moved))["token"]
    shown(hub, p, versions_url=elsewhere.base + "/versions", host_asked=None, hosts=[host])


def test_endpoints_on_a_foreign_host(hub, speaker):
    """R-CRED-19: the token is shown to nobody there, and no endpoint there is taken."""
    p, elsewhere = speaker("2.2.1"), speaker("2.2.1")
    p.invited(hub)
    p.versions = [{"version": "2.2.1", "url": elsewhere.base + "/2.2.1"}]
    envelope(p.post(p.credentials_url, p.credentials()), 200, 2001)
    assert not elsewhere.received
    p.versions = None
    p.endpoints = [e if e["identifier"] != "commands" else {**e, "url": elsewhere.base + "/commands"}
                   for e in p.our_endpoints()]
    envelope(p.post(p.credentials_url, p.credentials()), 200, 2001)
    known = shown(hub, p, state="planned", host_asked=urlsplit(elsewhere.base).netloc)
    hub.ctl("partner", "approve", p.name, known["host_asked"])
    hub.workers_know(known["id"], hosts=lambda hosts: known["host_asked"] in hosts)
    done(p.post(p.credentials_url, p.credentials()))


@pytest.mark.parametrize("version", VERSIONS)
def test_leaving_and_coming_back(hub, speaker, version):
    """R-CRED-08, -09."""
    p = speaker(version)
    p.register(hub)
    location = p.location()
    done(p.put(p.own("locations", location["id"]), location), 201)
    done(p.call("DELETE", p.credentials_url))
    for url in (p.versions_url, p.credentials_url, p.own("locations", location["id"])):
        wait_until(lambda u=url: p.get(u).status_code == 401, 5, "the token to be forgotten")
    p.register(hub)
    assert done(p.get(p.own("locations", location["id"]))) == location


# ---- registration begun by us ----


@pytest.mark.parametrize("role", ["CPO", "EMSP"])
@pytest.mark.parametrize("version", VERSIONS)
def test_we_register(hub, speaker, version, role):
    """R-CRED-01, -02, -07, R-TRANS-02, -03."""
    p = speaker(version, role)
    p.hub = hub
    answer = hub.ctl("partner", "register", "--versions-url", p.base + "/versions", "--token-a", "token-a-of-theirs",
                     "--role", role)
    assert (answer["version"], answer["name"]) == (version, p.name)
    posted, = p.requests("POST", f"/{version}/credentials")
    form = (lambda t: t) if version == "2.1.1" else encode
    assert posted["headers"]["Authorization"] == f"Token {form('token-a-of-theirs')}"
    body = posted["body"]
    if version == "2.1.1":
        assert (body["country_code"], body["party_id"]) == ("FI", "HUB")
        assert body["url"] == face_url(hub, "emsp" if role == "CPO" else "cpo")
    else:
        assert body["url"] == face_url(hub, "emsp" if role == "CPO" else "platform")
        ours = {r["role"] for r in body["roles"]}
        assert ours == {"EMSP"} if role == "CPO" or version == "2.3.0" else {"HUB"}
        assert ("hub_party_id" in body) == (role != "CPO" and version == "2.3.0")
    assert version in {v["version"] for v in p.called_back}
    known = shown(hub, p, state="connected", version=version)
    assert [r["role"] for r in known["roles"]] == [role]
    p.look(hub, body["url"])
    done(p.get(p.credentials_url))


def test_the_highest_mutual_version_unless_told(hub, speaker):
    """R-VER-05."""
    p, q = speaker("2.3.0"), speaker("2.3.0")
    for one in (p, q):
        one.hub = hub
        one.offered = ["2.1.1", "2.2.1", "2.3.0"]
        one.versions = [{"version": "2.4", "url": one.base + "/2.4"}, *one.our_versions()]
    a = hub.ctl("partner", "register", "--versions-url", p.base + "/versions", "--token-a", "a")
    b = hub.ctl("partner", "register", "--versions-url", q.base + "/versions", "--token-a", "a", "--version", "2.2.1")
    assert (a["version"], b["version"]) == ("2.3.0", "2.2.1")


def test_who_is_not_what_we_took_them_for(hub, speaker):
    p = speaker("2.2.1", "CPO")
    p.hub = hub
    p.roles = [{"role": "NSP", "country_code": p.country, "party_id": p.party, "business_details": {"name": "x"}}]
    answer = hub.admin("POST", "/partners/register", json={"versions_url": p.base + "/versions", "token_a": "a"})
    assert answer.status_code == 502 and "CPO" in answer.json()["detail"]


def test_we_do_not_follow_them_to_another_host(hub, speaker):
    p, elsewhere = speaker("2.2.1"), speaker("2.2.1")
    p.hub = hub
    p.versions = [{"version": "2.2.1", "url": elsewhere.base + "/2.2.1"}]
    ask = {"versions_url": p.base + "/versions", "token_a": "a"}
    answer = hub.admin("POST", "/partners/register", json=ask)
    assert answer.status_code == 502 and not elsewhere.received
    host = urlsplit(elsewhere.base).netloc
    assert host in answer.json()["detail"]
    number = re.search(r"approve (\d+)", answer.json()["detail"]).group(1)
    # The partner is new: the worker that is asked may hear of it a moment later.
    wait_until(lambda: hub.ctl("partner", "approve", number, host) or True, 5, "the approval")
    hub.workers_know(number, hosts=lambda hosts: host in hosts)
    elsewhere.endpoints = p.our_endpoints()
    ok(hub.admin("POST", "/partners/register", json=ask))


@pytest.mark.parametrize("version", VERSIONS)
def test_rotation_begun_by_us(hub, speaker, version):
    """R-CRED-05, -06, -10: what they send meanwhile with the old token is not lost."""
    p = speaker(version)
    p.register(hub)
    hub.workers_know(partner_id(hub, p), state="connected")
    old, old_b = p.token, p.token_b
    while_away = []
    p.scripted[("PUT", f"/{version}/credentials")] = lambda r: rotate(p, r, while_away)
    answer = hub.ctl("partner", "rotate", str(partner_id(hub, p)))
    assert answer["version"] == version
    put, = p.requests("PUT", f"/{version}/credentials")
    form = (lambda t: t) if version == "2.1.1" else encode
    assert put["headers"]["Authorization"] == f"Token {form(old_b)}"
    assert while_away == [200, 200] and p.token != old
    done(p.get(p.versions_url, token=old))
    wait_until(lambda: done(p.get(p.versions_url)) and p.get(p.versions_url, token=old).status_code == 401,
               5, "the old token to be dropped")


def rotate(p, request, while_away):
    new = request["body"]["token"]
    while_away += [p.get(p.versions_url, token=t).status_code for t in (p.token, new)]
    p.token, p.token_b = new, uuid.uuid4().hex
    return 200, p.envelope(p.credentials())


def test_we_unregister(hub, speaker):
    """R-CRED-08."""
    p = speaker("2.3.0")
    p.register(hub)
    assert hub.ctl("partner", "unregister", str(partner_id(hub, p)))["told"] is True
    assert len(p.requests("DELETE", "/2.3.0/credentials")) == 1
    wait_until(lambda: p.get(p.versions_url).status_code == 401, 5, "its worker to know")
    q = speaker("2.2.1")
    q.register(hub)
    q.scripted[("DELETE", "/2.2.1/credentials")] = lambda r: (500, b"")
    assert hub.ctl("partner", "unregister", str(partner_id(hub, q)))["told"] is False
    wait_until(lambda: q.get(q.versions_url).status_code == 401, 5, "its worker to know")


def test_suspended_and_resumed(hub, speaker):
    """R-HCI-05."""
    p = speaker("2.2.1")
    p.register(hub)
    number = str(partner_id(hub, p))
    hub.ctl("partner", "suspend", number)
    shown(hub, p, state="suspended")
    for url in (p.versions_url, p.own("locations", "x")):
        wait_until(lambda u=url: p.get(u).status_code == 403, 5, "its worker to know")
        envelope(p.get(url), 403, 2001)
    hub.ctl("partner", "resume", number)
    shown(hub, p, state="connected")
    wait_until(lambda: p.get(p.versions_url).status_code == 200, 5, "its worker to know")


# ---- objects in each version ----


def test_a_location_on_three_levels(cpo):
    """R-LOC-01, R-TRANS-10, -11, -33: whatever the version."""
    location = cpo.location(extra_field={"kept": [1, 2.5]})
    evse = location["evses"][0]
    url = cpo.own("locations", location["id"])
    assert cpo.get(url).status_code == 404
    assert done(cpo.put(url, location), 201) is None
    assert done(cpo.get(url)) == location
    done(cpo.put(url, {**location, "name": "Other", "last_updated": now(-1800)}))
    second = {**copy.deepcopy(evse), "uid": "second", "evse_id": "NL*TST*E2", "last_updated": now(-1700)}
    done(cpo.put(cpo.own("locations", location["id"], "second"), second), 201)
    connector = {**evse["connectors"][0], "id": "2", "last_updated": now(-1600)}
    done(cpo.put(cpo.own("locations", location["id"], "second", "2"), connector), 201)
    at = now(-1500)
    done(cpo.patch(cpo.own("locations", location["id"], "second"), {"status": "CHARGING", "last_updated": at}))
    done(cpo.patch(cpo.own("locations", location["id"], "second", "2"), {"format": "SOCKET", "last_updated": at}))
    stored = done(cpo.get(url))
    assert stored["name"] == "Other" and stored["last_updated"] == at
    assert [c["id"] for c in stored["evses"][1]["connectors"]] == ["1", "2"]
    assert stored["evses"][1]["status"] == "CHARGING"
    assert done(cpo.get(cpo.own("locations", location["id"], "second", "2")))["format"] == "SOCKET"
    done(cpo.put(url, {**location, "name": "older", "last_updated": now(-7200)}))  # R-TRANS-15
    assert done(cpo.get(url)) == stored
    answer = cpo.put(cpo.own("locations", location["id"], "third", "1"), connector)
    assert (answer.status_code, answer.json()["status_code"]) == (404, 2003)
    envelope(cpo.put(url, {**location, "id": "other"}), 200, 2001)


def test_apps_see_what_came_in_any_version(cpo, hub):
    """R-BR-01: the hub's view is made of whatever came."""
    location = cpo.location()
    evse = location["evses"][0]
    done(cpo.put(cpo.own("locations", location["id"]), location), 201)
    user = User(hub)
    seen = wait_until(lambda: (r := user.evse(evse["evse_id"])).status_code == 200 and r.json(), 5, "the EVSE")
    assert seen["network"] == cpo.name and seen["status"] == "AVAILABLE"
    done(cpo.patch(cpo.own("locations", location["id"], evse["uid"]), {"status": "CHARGING", "last_updated": now()}))
    wait_until(lambda: ok(user.evse(evse["evse_id"]))["status"] == "CHARGING", 5, "the status")


def test_errors_speak_the_partners_version(cpo):
    """The pointer names the member as the partner wrote it."""
    location = cpo.location()
    name = "voltage" if cpo.version == "2.1.1" else "max_voltage"
    location["evses"][0]["connectors"][0][name] = "high"
    answer = cpo.put(cpo.own("locations", location["id"]), location)
    envelope(answer, 200, 2001)
    assert f"/evses/0/connectors/0/{name}" in answer.json()["status_message"]


def test_a_tariff_in_each_version(cpo):
    """R-TAR-15, -16."""
    tariff = cpo.tariff()
    url = cpo.own("tariffs", tariff["id"])
    done(cpo.put(url, tariff), 201)
    assert done(cpo.get(url)) == tariff
    done(cpo.put(url, {**tariff, "last_updated": now()}))
    answer = cpo.patch(url, {"currency": "SEK"})
    if cpo.version == "2.1.1":
        done(answer)
        assert done(cpo.get(url))["currency"] == "SEK"
        assert cpo.patch(cpo.own("tariffs", "missing"), {"currency": "SEK"}).status_code == 404
    else:
        assert answer.status_code == 405 and "PATCH" not in answer.headers["Allow"]
    done(cpo.call("DELETE", url))
    assert cpo.get(url).status_code == 404
    assert cpo.call("DELETE", url).status_code == 404


def test_a_session_in_each_version(cpo, world):
    """R-SESS-07, -08, -09, -15."""
    first = {"start_date_time": now(-600), "dimensions": [{"type": "ENERGY", "volume": 1.0}]}
    session = cpo.session(charging_periods=[first], last_updated=now(-500))
    url = cpo.own("sessions", session["id"])
    assert cpo.patch(url, {"kwh": 2, "last_updated": now()}).status_code == 404  # R-TRANS-14
    assert done(cpo.put(url, session), 201) is None
    assert done(cpo.get(url)) == session
    second = {"start_date_time": now(-300), "dimensions": [{"type": "ENERGY", "volume": 0.5}]}
    done(cpo.patch(url, {"kwh": 2.5, "charging_periods": [second], "last_updated": now(-300)}))
    stored = done(cpo.get(url))
    assert stored["charging_periods"] == [first, second] and stored["kwh"] == 2.5
    again = {**second, "dimensions": [{"type": "ENERGY", "volume": 0.75}]}
    done(cpo.patch(url, {"charging_periods": [again], "last_updated": now(-200)}))
    # 2.1.1 does not say that a PATCH adds: what does not follow the last period replaces them.
    expected = [again] if cpo.version == "2.1.1" else [first, again]
    assert done(cpo.get(url))["charging_periods"] == expected
    done(cpo.patch(url, {"status": "COMPLETED", "last_updated": now(-100)}))
    row, = world.sql("SELECT status, token_owner, ocpi FROM network_session WHERE network_session_id = %s",
                     session["id"])
    # The token of 22+ says that it is ours; that of 2.1.1 is nobody's.
    assert row[0] == "COMPLETED" and row[2] == cpo.version
    assert (row[1] is None) == (cpo.version == "2.1.1")


def test_a_token_of_nobody_we_know(cpo, world):
    """R-SESS-15: kept, told to nobody."""
    stranger = {"country_code": "ZZ", "party_id": "ZZZ", "uid": "u1", "type": "RFID", "contract_id": "ZZ-ZZZ-C1"}
    change = {} if cpo.version == "2.1.1" else {"cdr_token": stranger}
    session = cpo.session(**change)
    done(cpo.put(cpo.own("sessions", session["id"]), session), 201)
    cdr = cpo.cdr(session)
    answer = cpo.post(cpo.url("cdrs"), cdr)
    done(answer, 201)
    assert world.sql("SELECT token_owner FROM network_session WHERE network_session_id = %s",
                     session["id"]) == [(None,)]
    assert world.sql("SELECT token_owner FROM cdr WHERE cdr_id = %s", cdr["id"]) == [(None,)]
    assert done(cpo.get(answer.headers["Location"])) == cdr
    done(cpo.put(cpo.own("sessions", session["id"]), session))
    told = [line for line in world.hub.log.read_text(encoding="utf-8").splitlines() if "R-SESS-15" in line]
    assert sum(session["id"] in line for line in told) == 1 and sum(cdr["id"] in line for line in told) == 1


def test_patches_of_2_1_1_need_no_time(hub, speaker):
    """R-TRANS-12, R-BR-08: stamped with the time of receipt, never older than what is stored."""
    p = speaker("2.1.1")
    p.register(hub)
    ahead = now(600)
    location = p.location(last_updated=ahead)
    location["evses"][0]["last_updated"] = now(-3600)
    evse = location["evses"][0]
    done(p.put(p.own("locations", location["id"]), location), 201)
    before = now()
    done(p.patch(p.own("locations", location["id"], evse["uid"]), {"status": "BLOCKED"}))
    stored = done(p.get(p.own("locations", location["id"])))
    assert stored["evses"][0]["status"] == "BLOCKED"
    assert before <= stored["evses"][0]["last_updated"] <= now(1) and stored["last_updated"] == ahead
    done(p.patch(p.own("locations", location["id"]), {"name": "Renamed"}))
    stored = done(p.get(p.own("locations", location["id"])))
    assert (stored["name"], stored["last_updated"]) == ("Renamed", ahead)
    session = p.session(last_updated=now(-60))
    done(p.put(p.own("sessions", session["id"]), session), 201)
    done(p.patch(p.own("sessions", session["id"]), {"kwh": 7.5}))
    stored = done(p.get(p.own("sessions", session["id"])))
    assert stored["kwh"] == 7.5 and stored["last_updated"] >= before
    q = speaker("2.2.1")
    q.register(hub)
    session = q.session()
    done(q.put(q.own("sessions", session["id"]), session), 201)
    envelope(q.patch(q.own("sessions", session["id"]), {"kwh": 7.5}), 200, 2001)


def test_a_cdr_in_each_version(cpo):
    """R-CDR-03, -04, R-TRANS-31."""
    cdr = cpo.cdr()
    answer = cpo.post(cpo.url("cdrs"), cdr)
    assert done(answer, 201) is None
    where = answer.headers["Location"]
    assert where.startswith(f"{cpo.hub.url}/ocpi/emsp/{cpo.version}/cdrs/")
    assert done(cpo.get(where)) == cdr
    again = cpo.post(cpo.url("cdrs"), cdr)
    done(again)
    assert again.headers["Location"] == where
    envelope(cpo.post(cpo.url("cdrs"), {**cdr, "total_energy": 11.0}), 200, 2001)
    envelope(cpo.post(cpo.url("cdrs"), {k: v for k, v in cpo.cdr().items() if k != "total_cost"}), 200, 2001)


def test_routing_headers_are_of_22_and_later(cpo):
    """R-ROUTE-01, R-BR-04, -10."""
    answer = cpo.get(cpo.own("sessions", "missing"))
    assert ("OCPI-from-party-id" in answer.headers) == (cpo.version != "2.1.1")
    foreign = {"OCPI-from-country-code": "FI", "OCPI-from-party-id": "VRT"}
    answer = cpo.get(cpo.own("sessions", "missing"), headers=foreign)
    assert answer.status_code == (404 if cpo.version == "2.1.1" else 403)
    answer = cpo.get(cpo.own("sessions", "missing"), headers={"OCPI-to-country-code": "ZZ", "OCPI-to-party-id": "ZZZ"})
    if cpo.version == "2.1.1":
        assert answer.status_code == 404
    else:
        envelope(answer, 200, 4001)


def test_the_side_of_a_module_is_the_partners(hub, cpo, speaker):
    """R-ROUTE-06: a CPO does not read what is for eMSPs, an eMSP does not push what is a CPO's."""
    answer = cpo.get(f"{hub.url}/ocpi/cpo/{cpo.version}/locations")
    envelope(answer, 403, 2001)
    emsp = speaker(cpo.version, "EMSP")
    emsp.register(hub)
    for module in ("locations", "tariffs", "sessions"):
        url = f"{hub.url}/ocpi/emsp/{cpo.version}/{module}/{emsp.country}/{emsp.party}/X1"
        envelope(emsp.put(url, {}), 403, 2001)
    envelope(emsp.post(f"{hub.url}/ocpi/emsp/{cpo.version}/cdrs", {}), 403, 2001)


def start_at(cpo, hub, user):
    location = cpo.location()
    evse = location["evses"][0]["evse_id"]
    done(cpo.put(cpo.own("locations", location["id"]), location), 201)
    wait_until(lambda: user.evse(evse).status_code == 200, 5, "the EVSE")
    session_id = ok(user.start(evse))["session_id"]
    command = wait_until(lambda: [r for r in cpo.requests("POST", f"/{cpo.version}/commands/START_SESSION")
                                  if location["id"] in r["raw"].decode()], 10, "the command")
    return location, session_id, command[0]["body"]


def test_a_result_in_each_version(cpo, hub):
    """R-ASYNC-01, -05, -11, R-BR-44: the body is a CommandResponse in 2.1.1."""
    user = User(hub)
    _, session_id, command = start_at(cpo, hub, user)
    url = command["response_url"]
    assert f"/ocpi/emsp/{cpo.version}/cb/" in url
    envelope(cpo.post(url, {}), 200, 2001)
    word = "UNKOWN_LOCATION" if cpo.version == "2.1.1" else "EVSE_OCCUPIED"
    assert done(cpo.post(url, {"result": word})) is None
    wait_until(lambda: ok(user.status(session_id))["status"] == "failed", 5, "the session to fail")
    assert cpo.post(url.rsplit("/", 1)[0] + "/" + "0" * 32, {"result": "ACCEPTED"}).status_code == 404


def test_a_charge_in_each_version(cpo, hub):
    """R-CMD-05: where no reference comes back, token, EVSE and time tell which session it is."""
    user = User(hub)
    location, session_id, command = start_at(cpo, hub, user)
    done(cpo.post(command["response_url"], {"result": "ACCEPTED"}))
    token = command["token"]
    session = cpo.session(location=location, start_datetime=now()) if cpo.version == "2.1.1" else cpo.session(
        location=location, start_date_time=now(), authorization_reference=command["authorization_reference"])
    if cpo.version == "2.1.1":
        session["auth_id"] = token["auth_id"]
    else:
        session["cdr_token"].update(uid=token["uid"], contract_id=token["contract_id"])
    url = cpo.own("sessions", session["id"])
    done(cpo.put(url, session), 201)
    wait_until(lambda: ok(user.status(session_id))["status"] == "active", 5, "the session to be active")
    done(cpo.patch(url, {"kwh": 10.0, "last_updated": now()}))
    end = "end_datetime" if cpo.version == "2.1.1" else "end_date_time"
    done(cpo.patch(url, {"status": "COMPLETED", end: now(), "last_updated": now(1)}))
    done(cpo.post(cpo.url("cdrs"), cpo.cdr(session)), 201)
    user.wait_for(session_id, "completed")
    assert ok(user.receipt(session_id))["energy_kwh"]


# ---- quirks: R-TRANS-22 ----


@pytest.fixture
def quirky(hub, speaker):
    p = speaker("2.2.1")
    p.register(hub)

    def has(*quirks):
        number = str(partner_id(hub, p))
        for quirk in quirks:
            hub.ctl("partner", "quirk", number, quirk)
        # Each process hears of it and reads the register again.
        wanted = {name: value != "off" for name, _, value in (q.partition("=") for q in quirks)}
        hub.workers_know(number, quirks=lambda has: all(has.get(name, False) == value for name, value in wanted.items()))
        return p

    p.has = has
    return p


def test_list_for_object(quirky):
    tariff = quirky.tariff()
    url = quirky.own("tariffs", tariff["id"])
    envelope(quirky.put(url, [tariff]), 200, 2001)
    quirky.has("list_for_object")
    done(quirky.put(url, [tariff]), 201)
    assert done(quirky.get(url)) == tariff
    envelope(quirky.put(url, [tariff, tariff]), 200, 2001)
    cdr = quirky.cdr()
    answer = quirky.post(quirky.url("cdrs"), [cdr])
    done(answer, 201)
    assert done(quirky.get(answer.headers["Location"])) == cdr
    quirky.has("list_for_object=off")
    envelope(quirky.put(url, [tariff]), 200, 2001)


def test_lenient_routing(quirky):
    url = quirky.own("sessions", "missing")
    wrong = {"OCPI-from-party-id": "XXX", "OCPI-to-party-id": "ZZZ"}
    half = {"OCPI-from-party-id": None}
    assert quirky.get(url, headers=wrong).status_code == 403
    envelope(quirky.get(url, headers=half), 200, 2001)
    quirky.has("lenient_routing")
    for headers in (wrong, half):
        answer = quirky.get(url, headers=headers)
        assert answer.status_code == 404 and answer.headers["OCPI-to-party-id"] == quirky.party


def test_unreliable_clock(quirky):
    location = quirky.location(last_updated=now(-10))
    url = quirky.own("locations", location["id"])
    done(quirky.put(url, location), 201)
    older = {**location, "name": "came later", "last_updated": now(-1000)}
    done(quirky.put(url, older))
    assert done(quirky.get(url)) == location
    quirky.has("unreliable_clock")

    def taken():
        done(quirky.put(url, older))
        return done(quirky.get(url)) == older

    wait_until(taken, 5, "the quirk to be known everywhere")


@pytest.mark.parametrize("quirk,change", [
    ("numbers_as_text", {"kwh": "2.5"}), ("offset_times", {"start_date_time": "2026-11-20T10:00:00+02:00"}),
    ("long_text", {"meter_id": "m" * 300}), ("unknown_words", {"auth_method": "TELEPATHY"}),
])
def test_quirks_of_reading(quirky, quirk, change):
    session = quirky.session(**change)
    url = quirky.own("sessions", session["id"])
    envelope(quirky.put(url, session), 200, 2001)
    quirky.has(quirk)
    done(quirky.put(url, session), 201)
    assert done(quirky.get(url)) == session


def test_version_2_2(quirky):
    """The label 2.2 counts as 2.2.1."""
    quirky.versions = [{"version": "2.2", "url": quirky.base + "/2.2.1"}]
    envelope(quirky.put(quirky.credentials_url, quirky.credentials()), 200, 3002)
    quirky.has("version_2_2")
    done(quirky.put(quirky.credentials_url, quirky.credentials()))


def test_quirks_that_do_not_exist(hub, quirky):
    number = partner_id(hub, quirky)
    for body in ({"magic": True}, {"long_text": "yes"}, {"auth_encoding": "rot13"}, {}):
        answer = hub.admin("PUT", f"/partners/{number}/quirks", json=body)
        assert answer.status_code == 422, answer.text
    answer = ok(hub.admin("PUT", f"/partners/{number}/quirks", json={"long_text": True, "auth_encoding": "raw"}))
    assert answer["quirks"]["long_text"] is True and answer["auth_encoding"] == "raw"


def test_partners_are_found_by_their_faces(hub):
    """R-VER-10: without a token every face is closed."""
    for face in FACES:
        assert requests.get(face_url(hub, face), timeout=10).status_code == 401
