# SPDX-License-Identifier: Apache-2.0
"""
Rules of OCPI that hold for every module, one by one and in each version: requests and answers, ids of
messages, who owns what, addresses, connections. A CPO and an eMSP of each version, played by the test.
"""

import base64
import concurrent.futures
import json
import time
import uuid
from urllib.parse import quote

import pytest
import requests
from emsp_partner import Party
from harness import User, ok, problem, wait_until
from partner import encode, now
from test_ocpi_inbound import done, envelope
from test_versions_inbound import Speaker, partner_id, shown

VERSIONS = ("2.1.1", "2.2.1", "2.3.0")
SINCE = "?date_from=2020-01-01T00:00:00Z"


class Cpo(Speaker):
    """A CPO with what tests of single rules need."""

    def store(self, module, thing):
        done(self.put(self.own(module, thing["id"]), thing), 201)
        return thing

    def evse(self, user, **changes):
        """A place of its own, which apps can see; the id of its EVSE."""
        place = self.location()
        place["evses"][0].update(changes)
        self.store("locations", place)
        evse_id = place["evses"][0]["evse_id"]
        wait_until(lambda: user.evse(evse_id).status_code == 200, 5, "the EVSE")
        return place, evse_id

    def commands(self, name, text=""):
        return [r for r in self.requests("POST", f"/{self.version}/commands/{name}") if text in r["raw"].decode()]

    def begin(self, user):
        """A session of ours; START_SESSION as it came, and a Session that answers it."""
        place, evse_id = self.evse(user)
        session_id = ok(user.start(evse_id))["session_id"]
        command = wait_until(lambda: self.commands("START_SESSION", place["id"]), 10, "START_SESSION")[0]["body"]
        token = command["token"]
        if self.version == "2.1.1":
            session = self.session(location=place, start_datetime=now(), auth_id=token["auth_id"], kwh=0.0)
        else:
            session = self.session(location=place, start_date_time=now(), kwh=0.0,
                                   authorization_reference=command["authorization_reference"])
            session["cdr_token"].update(uid=token["uid"], contract_id=token["contract_id"])
        return session_id, command, session


class Cast:
    """A CPO and an eMSP of each version; a contract between any two of opposite sides."""

    def __init__(self, hub, letter):
        self.hub = hub
        self.cpos = {v: Cpo(v, "LT", f"{letter}C{n}") for n, v in enumerate(VERSIONS, 1)}
        self.emsps = {v: Party("LV", f"{letter}E{n}", f"Mobility {letter}{n}", version=v)
                      for n, v in enumerate(VERSIONS, 1)}
        for party in self.all():
            party.register(hub)
        for cpo in self.cpos.values():
            for emsp in self.emsps.values():
                self.allow(cpo, emsp)
                self.allow(emsp, cpo)

    def all(self):
        return [*self.cpos.values(), *self.emsps.values()]

    def allow(self, sender, receiver):
        self.hub.ctl("contract", "allow", "--from", f"{sender.country}*{sender.party}",
                     "--to", f"{receiver.country}*{receiver.party}")

    def token(self, version, **changes):
        emsp = self.emsps[version]
        token = emsp.own_token(**changes)
        done(emsp.put(emsp.url("tokens", emsp.country, emsp.party, token["uid"]), token), 201)
        return token

    def close(self):
        for party in self.all():
            party.close()


@pytest.fixture(scope="module")
def cast(shared_world):
    c = Cast(shared_world.hub, "T")
    yield c
    c.close()


@pytest.fixture(params=VERSIONS)
def cpo(request, cast):
    return cast.cpos[request.param]


@pytest.fixture(params=VERSIONS[1:])
def newer(request, cast):
    return cast.cpos[request.param]


@pytest.fixture
def user(cast):
    return User(cast.hub)


def pushes(emsp, module, object_id):
    return [r for r in emsp.pushed(module) if object_id in r["path"] or object_id in r["raw"].decode()]


def pushed(emsp, module, object_id, seconds=10):
    return wait_until(lambda: pushes(emsp, module, object_id), seconds, f"the push to {emsp.version}")[0]


# ---- requests and answers ----


def test_bodies_are_json_and_say_so(cast, cpo, user):
    """R-TRANS-08: a charset may follow; what we send with a body says it, too."""
    for content_type in ("application/json", "application/json; charset=utf-8", "Application/JSON;charset=UTF-8"):
        tariff = cpo.tariff()
        answer = cpo.put(cpo.own("tariffs", tariff["id"]), tariff, headers={"Content-Type": content_type})
        assert answer.status_code == 201, answer.text
        assert answer.headers["Content-Type"].split(";")[0] == "application/json"
    cpo.begin(user)
    sent = [r for p in (cpo, *cast.emsps.values()) for r in p.received if r["raw"]]
    assert sent
    for r in sent:
        headers = {k.lower(): v for k, v in r["headers"].items()}
        assert headers["content-type"].split(";")[0] == "application/json" and json.loads(r["raw"]) is not None


def test_requests_carry_the_token_as_the_version_writes_it(cast, cpo, user):
    """R-TRANS-01, R-TRANS-02: the word Token, one space, the value; Base64 with padding from 2.2 on."""
    cpo.begin(user)
    for party in (cpo, cast.emsps[cpo.version]):
        wait_until(lambda p=party: p.received, 10, "a request")
        form = party.token_b if party.version == "2.1.1" else encode(party.token_b)
        assert {r["headers"]["Authorization"] for r in party.received} == {f"Token {form}"}


def test_a_token_that_looks_like_base64_is_not_decoded_twice(hub):
    """R-TRANS-04, R-TRANS-05: what matches as it stands is the token; 64 characters are taken."""
    p = Cpo("2.2.1", "LT", "TB4")
    try:
        p.register(hub)
        assert len(p.token) <= 64 and all("!" <= c <= "~" for c in p.token)
        done(p.get(p.versions_url))
        assert p.get(p.versions_url, authorization=f"Token {encode(encode(p.token))}").status_code == 401
        b = encode("b" * 48)  # 64 characters of Base64
        assert len(b) == 64 and base64.b64decode(b)
        before = len(p.asked_back())
        done(p.put(p.credentials_url, p.credentials(token=b)))
        assert {r["headers"]["Authorization"] for r in p.asked_back()[before:]} == {f"Token {encode(b)}"}
    finally:
        p.close()


def test_each_status_has_its_meaning(cast, newer):
    """R-TRANS-34, R-TRANS-33, R-TRANS-37: 1000, 2001, 2003, 2004, and 4001 with HTTP 200."""
    emsp = cast.emsps[newer.version]
    place = newer.location()
    envelope(newer.put(newer.own("locations", place["id"]), place), 201, 1000)
    envelope(newer.put(newer.own("locations", place["id"]), {**place, "last_updated": now()}), 200, 1000)
    envelope(newer.put(newer.own("locations", place["id"]), {**place, "city": None}), 200, 2001)
    envelope(newer.get(newer.own("locations", "no-such-place")), 404, 2003)
    envelope(newer.get(newer.own("sessions", "no-such-session")), 404, 2000)
    envelope(newer.post(newer.url("tokens", "nobody", "authorize", role="SENDER")), 404, 2004)
    envelope(emsp.listed("locations", to=("XX", "XXX")), 200, 4001)
    envelope(emsp.listed("sessions"), 200, 2001)


def test_unknown_members_are_kept_in_every_version(cpo):
    """R-TRANS-20: no reason to refuse, and there again when the owner reads."""
    extra = {"x_text": "ä", "x_number": 12.5, "x_list": [None, {"deep": [True]}]}
    for module, thing in (("locations", cpo.location(**extra)), ("tariffs", cpo.tariff(**extra)),
                          ("sessions", cpo.session(**extra))):
        cpo.store(module, thing)
        assert done(cpo.get(cpo.own(module, thing["id"]))) == thing


def test_a_put_takes_back_what_it_leaves_out(cpo):
    """R-TRANS-10, R-TRANS-11: a PUT is the whole object; a PATCH leaves the rest as it is."""
    place = cpo.store("locations", cpo.location(directions=[{"language": "en", "text": "Second gate"}]))
    url = cpo.own("locations", place["id"])
    done(cpo.patch(url, {"name": "Another name", "last_updated": now(-30)}))
    stored = done(cpo.get(url))
    assert stored["name"] == "Another name" and stored["directions"] == place["directions"]
    less = {**place, "last_updated": now()}
    del less["name"], less["directions"]
    done(cpo.put(url, less))
    assert done(cpo.get(url)) == less


# ---- whose objects ----


@pytest.mark.parametrize("module", ["locations", "tariffs", "sessions"])
@pytest.mark.parametrize("member,value", [("country_code", "EE"), ("party_id", "XXX"), ("id", "another")])
def test_url_and_object_name_the_same_owner_and_id(newer, module, member, value):
    """R-TRANS-16, R-TRANS-17: 2001, and nothing is stored, here or there."""
    thing = {"locations": newer.location, "tariffs": newer.tariff, "sessions": newer.session}[module]()
    answer = newer.put(newer.own(module, thing["id"]), {**thing, member: value})
    envelope(answer, 200, 2001)
    message = answer.json()["status_message"]
    assert message.startswith(f"/{member}:") and ("R-TRANS-16" if member == "id" else "R-TRANS-17") in message
    assert newer.get(newer.own(module, thing["id"])).status_code == 404
    if member == "id":
        assert newer.get(newer.own(module, value)).status_code == 404
    # In other letters it is the same owner (R-TYPE-01).
    lower = {**thing, "country_code": "lt", "party_id": thing["party_id"].lower()}
    done(newer.put(newer.own(module, thing["id"]), lower), 201)


def test_a_pulled_list_may_hold_what_is_not_its_senders(shared_world, newer):
    """R-TRANS-18, R-TRANS-19: objects of others are left out, the rest is taken."""
    p = newer
    number = partner_id(p.hub, p)
    own, foreign, role = p.location(), p.location(), p.location()
    foreign.update(country_code="FI", party_id="VRT")
    role.update(country_code="FI", party_id="HUB")
    p.locations = [foreign, own, role]
    shared_world.sql("UPDATE pull SET due_at = hub_now() - interval '1 second', full_at = NULL"
                     " WHERE partner_id = %s AND module = 'locations'", number)

    def stored():
        return {(c, q, i) for c, q, i in shared_world.sql(
            "SELECT country_code, party_id, location_id FROM location WHERE location_id IN (%s, %s, %s)",
            own["id"], foreign["id"], role["id"])}

    wait_until(stored, 20, "the pull")
    time.sleep(0.3)
    assert stored() == {(p.country, p.party, own["id"])}
    p.locations = []


@pytest.mark.parametrize("reader", VERSIONS)
def test_the_time_of_an_object_is_its_owners(cast, cpo, reader):
    """R-TRANS-65, R-BR-08, R-TYPE-05: last_updated is relayed as it came, to 2.1.1 in whole seconds."""
    at = "2026-03-04T05:06:07Z" if cpo.version == "2.1.1" else "2026-03-04T05:06:07.250Z"
    place = cpo.store("locations", cpo.location(last_updated=at))
    emsp = cast.emsps[reader]
    expected = "2026-03-04T05:06:07Z" if reader == "2.1.1" else at
    assert pushed(emsp, "locations", place["id"])["body"]["last_updated"] == expected
    answer = emsp.listed("locations", "?date_from=2026-03-04T05:06:07Z&date_to=2026-03-04T05:06:08Z")
    listed = [o for o in done(answer) if o["id"] == place["id"]]
    assert [o["last_updated"] for o in listed] == [expected]


def test_prices_and_texts_pass_between_equals_as_they_came(cast):
    """R-TRANS-21: to a reader of the same version, number by number."""
    for version in VERSIONS:
        cpo, emsp = cast.cpos[version], cast.emsps[version]
        tariff = cpo.tariff()
        tariff["elements"][0]["price_components"][0]["price"] = 0.1
        raw = json.dumps(tariff).replace('"price": 0.1', '"price": 0.10').encode()
        done(cpo.call("PUT", cpo.own("tariffs", tariff["id"]), raw=raw), 201)
        push = pushed(emsp, "tariffs", tariff["id"])
        assert push["body"] == tariff and b"0.1000" not in push["raw"]


# ---- ids of messages ----


def test_ids_of_messages_may_be_missing_and_are_made(cpo):
    """R-TRANS-60, R-TRANS-62: no reason to refuse; what came is echoed, what did not is made."""
    tariff = cpo.tariff()
    url = cpo.own("tariffs", tariff["id"])
    ids = {"X-Request-ID": str(uuid.uuid4()), "X-Correlation-ID": str(uuid.uuid4())}
    answer = cpo.put(url, tariff, headers=ids)
    done(answer, 201)
    assert {k: answer.headers[k] for k in ids} == ids
    made = set()
    for missing in (("X-Request-ID",), ("X-Correlation-ID",), tuple(ids)):
        answer = cpo.get(url, headers={**ids, **{k: None for k in missing}})
        done(answer)
        for name, value in ids.items():
            if name in missing:
                assert answer.headers[name] and answer.headers[name] != value
                made.add(answer.headers[name])
            else:
                assert answer.headers[name] == value
    assert len(made) >= 3
    odd = {"X-Request-ID": "not a uuid at all", "X-Correlation-ID": "7"}
    answer = cpo.get(url, headers=odd)
    done(answer)
    assert {k: answer.headers[k] for k in odd} == odd


def test_each_receiver_gets_a_request_of_its_own(cast, cpo):
    """R-TRANS-60, R-TRANS-62: the ids of no two requests are the same."""
    place = cpo.store("locations", cpo.location())
    sent = [pushed(emsp, "locations", place["id"])["headers"] for emsp in cast.emsps.values()]
    seen = [h["X-Request-ID"] for h in sent]
    assert len(set(seen)) == len(seen) == 3
    everything = [r["headers"]["X-Request-ID"] for e in cast.emsps.values() for r in e.received
                  if "X-Request-ID" in r["headers"]]
    assert len(set(everything)) == len(everything)
    assert all(h["X-Correlation-ID"] for h in sent)


# ---- away and back ----


def test_a_command_is_not_sent_later(hub, user):
    """R-TRANS-63: a partner that was away is not told to start a car when it is back."""
    p = Party("LT", "TAW", "Away Power", role="CPO")
    try:
        p.register(hub)
        place = p.location()
        done(p.put(f"{hub.url}/ocpi/emsp/2.2.1/locations/LT/TAW/{place['id']}", place), 201)
        evse_id = place["evses"][0]["evse_id"]
        wait_until(lambda: user.evse(evse_id).status_code == 200, 5, "the EVSE")
        p.vanish()
        session_id = ok(user.start(evse_id))["session_id"]
        assert user.wait_for(session_id, "failed", 30)["failure_code"] == "network_unreachable"
        p.come_back()
        done(p.get(p.versions_url))
        time.sleep(3)
        assert not p.requests("POST", "/2.2.1/commands")
    finally:
        p.close()


@pytest.mark.parametrize("version", VERSIONS)
def test_who_has_no_receiver_is_pushed_nothing_and_may_read(cast, version):
    """R-TRANS-64, R-ROUTE-46: pull is for everybody, push is optional."""
    p = Party("LV", f"TN{VERSIONS.index(version)}", f"Reader {version}", version=version)
    p.endpoints = [e for e in p.our_endpoints() if e["identifier"] in ("credentials", "tokens", "commands")]
    try:
        p.register(cast.hub)
        cpo = cast.cpos[version]
        cast.allow(cpo, p)
        place = cpo.store("locations", cpo.location())
        pushed(cast.emsps[version], "locations", place["id"])
        assert place["id"] in [o["id"] for o in done(p.listed("locations"))]
        time.sleep(0.5)
        assert not [r for r in p.received if r["method"] in ("PUT", "PATCH", "POST", "DELETE")]
    finally:
        p.close()


def test_lists_are_pulled_every_few_hours_not_all_at_once(shared_world, cast):
    """R-TRANS-49: each module at its own pace, each partner with a splay of its own."""
    numbers = [partner_id(cast.hub, p) for p in cast.cpos.values()]
    pace = {"locations": 6 * 3600, "tariffs": 6 * 3600, "cdrs": 3600}

    def rows():
        return shared_world.sql(
            "SELECT module, partner_id, extract(epoch FROM due_at - good_from)::float8 FROM pull"
            " WHERE partner_id = ANY (%s) AND module = ANY (%s) AND good_from IS NOT NULL"
            " AND lease_until IS NULL", numbers, list(pace))

    wait_until(lambda: len(rows()) == len(numbers) * len(pace), 20, "the first pulls")
    for module, _, seconds in rows():
        assert 0.79 * pace[module] <= seconds <= 1.21 * pace[module], (module, seconds)
    assert len({round(seconds) for _, _, seconds in rows()}) >= 7


# ---- versions and addresses ----


@pytest.mark.parametrize("version", VERSIONS)
def test_modules_that_we_do_not_know_are_no_obstacle(hub, version):
    """R-VER-06, R-VER-07: also those that only 2.3.0 has; we show those of the version, and none of our own."""
    p = Cpo(version, "LT", f"TM{VERSIONS.index(version)}")
    strange = [{"identifier": i, "url": f"{p.base}/{i}", **({} if version == "2.1.1" else {"role": "SENDER"})}
               for i in ("nltnm-tokens", "Booking", "bookings", "payments", "invoicereconciliation", "tokens2")]
    try:
        p.endpoints = [*strange, *p.our_endpoints(version)]
        p.register(hub)
        shown(hub, p, state="connected")
        ours = {e["identifier"] for e in p.look(hub)["endpoints"]}
        assert ours <= {"cdrs", "commands", "credentials", "locations", "sessions", "tariffs", "tokens",
                        "chargingprofiles", "hubclientinfo", "invoicereconciliation"}
        if version == "2.1.1":
            assert not ours & {"chargingprofiles", "hubclientinfo"}
        assert ("invoicereconciliation" in ours) == (version == "2.3.0")
    finally:
        p.close()


@pytest.mark.parametrize("slash", ["", "/"], ids=["without", "with"])
@pytest.mark.parametrize("version", VERSIONS)
def test_published_addresses_are_joined_with_one_slash(cast, user, version, slash):
    """R-VER-08: whether or not the endpoint's URL ends in one."""
    n = 2 * VERSIONS.index(version) + bool(slash)
    p = Cpo(version, "LT", f"TS{n}")
    q = Party("LV", f"TS{n}", f"Slash {n}", version=version)
    try:
        for party in (p, q):
            party.endpoints = [{**e, "url": e["url"] + slash} for e in party.our_endpoints()]
            party.register(cast.hub)
        cast.allow(p, q)
        place, evse_id = p.evse(user)
        assert pushed(q, "locations", place["id"])["path"] == f"/{version}/locations/LT/TS{n}/{place['id']}"
        ok(user.start(evse_id))
        wait_until(lambda: p.requests("POST", f"/{version}/commands"), 10, "START_SESSION")
        assert {r["path"] for r in p.requests("POST", f"/{version}/commands")} == {f"/{version}/commands/START_SESSION"}
        # Ours are served in both forms.
        url = p.own("locations", place["id"])
        assert done(p.get(url)) == done(p.get(url + "/"))
    finally:
        p.close()
        q.close()


@pytest.mark.parametrize("odd", ["A*B", "A:B", "A B", "A/B", "A%B", "A?B&c=d", "A+B", "A#B"])
def test_ids_of_any_letters_live_in_urls(cast, cpo, odd):
    """R-VER-09: encoded by us, decoded when they come to us; a slash in an id stays one."""
    emsp = cast.emsps[cpo.version]
    object_id = f"{odd}-{uuid.uuid4().hex[:8]}"
    url = cpo.own("tariffs", quote(object_id, safe=""))
    tariff = cpo.tariff(object_id)
    done(cpo.put(url, tariff), 201)
    assert done(cpo.get(url)) == tariff
    push = wait_until(lambda: [r for r in emsp.pushed("tariffs", "PUT") if r["body"]["id"] == object_id], 10,
                      "the push")[0]
    assert push["path"] == f"/{cpo.version}/tariffs/LT/{cpo.party}/{quote(object_id, safe='-._~')}", push["path"]


def test_ids_differ_in_letters_only_are_the_same(cpo):
    """R-TYPE-01, R-TYPE-03: in each version; what is kept is the sender's spelling."""
    place = cpo.store("locations", cpo.location(f"MixedCase-{uuid.uuid4().hex[:6]}"))
    for url in (cpo.own("locations", place["id"].upper()), cpo.own("locations", place["id"].lower())):
        assert done(cpo.get(url))["id"] == place["id"]
    again = {**place, "name": "The same", "last_updated": now()}
    done(cpo.put(cpo.own("locations", place["id"].lower()), again))  # 200: it was there
    assert done(cpo.get(cpo.own("locations", place["id"])))["name"] == "The same"


# ---- connections ----


@pytest.mark.parametrize("version", VERSIONS)
def test_credentials_that_come_at_once_are_taken_one_by_one(hub, version):
    """R-CRED-20, R-CRED-06: of six POSTs with one token A, one registers; the others are refused."""
    p = Cpo(version, "LT", f"TR{VERSIONS.index(version)}")
    try:
        p.invited(hub)
        body = p.credentials()
        with concurrent.futures.ThreadPoolExecutor(6) as pool:
            answers = list(pool.map(lambda _: p.post(p.credentials_url, body), range(6)))
        good = [a for a in answers if a.status_code == 200 and a.json()["status_code"] == 1000]
        assert len(good) == 1, [(a.status_code, a.text) for a in answers]
        assert all(a.status_code in (200, 401, 405, 503) for a in answers)
        token_a, p.token = p.token, good[0].json()["data"]["token"]
        done(p.get(p.versions_url))
        assert p.post(p.credentials_url, body, token=token_a).status_code == 405
    finally:
        p.close()


def test_coming_back_needs_a_new_invitation(hub):
    """R-CRED-08, R-CRED-09: after DELETE no token works, neither the last one nor token A."""
    p = Cpo("2.2.1", "LT", "TD1")
    try:
        token_a = p.invited(hub)["token_a"]
        p.token = done(p.post(p.credentials_url, p.credentials()))["token"]
        p.store("tariffs", p.tariff("KEPT"))
        number = partner_id(hub, p)
        done(p.call("DELETE", p.credentials_url))
        for token in (p.token, token_a):
            wait_until(lambda t=token: {p.get(p.own("tariffs", "KEPT"), token=t).status_code for _ in range(12)} == {401}, 5,
                       "every worker to know")
            answer = p.post(p.credentials_url, p.credentials(), token=token)
            assert answer.status_code in (401, 405), answer.text
        before = len(p.received)
        time.sleep(0.5)
        assert len(p.received) == before
        p.register(hub)
        assert done(p.get(p.own("tariffs", "KEPT")))["id"] == "KEPT" and partner_id(hub, p) == number
    finally:
        p.close()


@pytest.mark.parametrize("version", VERSIONS[1:])
def test_our_own_emsp_is_a_client_of_the_platform(hub, version):
    """R-CRED-16, R-CRED-13, R-CRED-14, R-HCI-11: ClientInfo for 2.2.1, a role for 2.3.0; no HUB in either."""
    p = Party("LT", f"TP{VERSIONS.index(version)}", f"Platform CPO {version}", version=version, role="CPO")
    try:
        credentials = p.register(hub)
        infos = {(i["country_code"], i["party_id"], i["role"]): i["status"] for i in done(p.listed("hubclientinfo"))}
        assert infos.get(("FI", "HUB", "EMSP")) == "CONNECTED" and "HUB" not in {k[2] for k in infos}
        roles = [(r["role"], r["country_code"], r["party_id"]) for r in credentials["roles"]]
        if version == "2.2.1":
            assert roles == [("HUB", "FI", "HUB")]
        else:
            assert ("EMSP", "FI", "HUB") in roles and credentials["hub_party_id"] == "FIHUB"
    finally:
        p.close()


def test_all_parties_of_a_connection_are_away_together(hub, cast):
    """R-HCI-09, R-HCI-04, R-HCI-05: one platform, two parties, one status; told to those concerned."""
    p = Party("LT", "TQ1", "Two Parties", role="CPO")
    watcher = cast.emsps["2.2.1"]
    other = "TQ2"
    details = {"business_details": {"name": p.name}, "country_code": p.country, "role": "CPO"}
    try:
        p.endpoints = p.our_endpoints()
        p.credentials_roles = [{**details, "party_id": "TQ1"}, {**details, "party_id": other}]
        p.credentials = lambda token=None, url=None, roles=None: {
            "token": token or p.token_b, "url": url or p.base + "/versions", "roles": p.credentials_roles}
        p.register(hub)
        ok(hub.admin("POST", f"/partners/{partner_id(hub, p)}/approve",
                     json={"country_code": "LT", "party_id": other, "role": "CPO"}))
        for party in ("TQ1", other):
            hub.ctl("contract", "allow", "--from", f"LT*{party}", "--to", f"LV*{watcher.party}")

        def status():
            return {i["party_id"]: i["status"] for i in done(watcher.listed("hubclientinfo"))
                    if i["party_id"] in ("TQ1", other)}

        wait_until(lambda: status() == {"TQ1": "CONNECTED", other: "CONNECTED"}, 5, "both to be connected")
        hub.ctl("partner", "suspend", p.name)
        wait_until(lambda: status() == {"TQ1": "SUSPENDED", other: "SUSPENDED"}, 5, "both to be suspended")
        for party in ("TQ1", other):
            wait_until(lambda q=party: [r for r in watcher.pushed("hubclientinfo", "PUT")
                                        if r["path"].endswith(f"/LT/{q}") and r["body"]["status"] == "SUSPENDED"],
                       10, f"{party}'s ClientInfo")
    finally:
        p.close()


def test_routing_headers_of_answers_decide_nothing(cast):
    """R-ROUTE-07, R-HCI-03: a receiver may leave them out or mix them up."""
    cpo, emsp = cast.cpos["2.2.1"], cast.emsps["2.2.1"]
    wrong = {"OCPI-from-country-code": "XX", "OCPI-from-party-id": "NOB", "OCPI-to-country-code": "LT"}

    def down(request):
        status, body, headers = Party.receive(emsp, request, *request["path"].split("?")[0].split("/")[2:])
        return status, body, {**headers, **wrong}

    emsp.down = down
    try:
        place = cpo.store("locations", cpo.location())
        pushed(emsp, "locations", place["id"])
        time.sleep(1.5)
        assert len(pushes(emsp, "locations", place["id"])) == 1  # taken for success
    finally:
        emsp.down = None


def test_nobody_is_let_in_without_a_token(cast, cpo):
    """R-TRANS-06, R-TRANS-30: 401 with an envelope, at the addresses of each module."""
    for url in (cpo.versions_url, cpo.credentials_url, cpo.own("locations", "x"), cpo.own("sessions", "x")):
        answer = requests.get(url, timeout=10)
        assert answer.status_code == 401 and 2000 <= answer.json()["status_code"] < 3000
        assert answer.json()["timestamp"]


@pytest.mark.parametrize("there", [True, False], ids=["kept there", "lost there"])
def test_a_patch_that_is_refused_is_looked_into(shared_world, cast, there):
    """R-TRANS-14: GET, and a PUT if the receiver misses the object; if it has it, the refusal stands."""
    cpo, emsp = cast.cpos["2.2.1"], cast.emsps["2.3.0"]
    place = cpo.store("locations", cpo.location())
    key = (cpo.country, cpo.party, place["id"])
    pushed(emsp, "locations", place["id"])
    shared_world.location_told(place["id"])
    start = f"/2.3.0/locations/{cpo.country}/{cpo.party}/{place['id']}"
    emsp.scripted[("PATCH", start)] = lambda r: (200, Party.envelope(None, 2000))
    emsp.scripted[("GET", start)] = lambda r: (200, Party.envelope(emsp.objects["locations"][key])) if there else (
        404, Party.envelope(None, 2003))
    try:
        done(cpo.patch(cpo.own("locations", place["id"], place["evses"][0]["uid"]),
                       {"status": "CHARGING", "last_updated": now()}))
        expected = ["PUT", "PATCH", "GET"] + ["PUT"] * (not there)
        wait_until(lambda: [r["method"] for r in pushes(emsp, "locations", place["id"])][:len(expected)] == expected,
                   10, f"{expected}")
        time.sleep(0.3)
        after = [r["method"] for r in pushes(emsp, "locations", place["id"])][len(expected):]
        assert "PUT" not in after  # the PATCH may be tried again
        gets = [r["path"] for r in pushes(emsp, "locations", place["id"]) if r["method"] == "GET"]
        assert set(gets) == {start}
    finally:
        emsp.scripted.clear()


# ---- between versions ----


def test_what_a_version_cannot_say_is_noted(shared_world, cast):
    """R-BR-02: field by field, with the reason, at the message that was sent; it is sent all the same."""
    cpo, emsp = cast.cpos["2.3.0"], cast.emsps["2.1.1"]
    place = cpo.store("locations", cpo.location(help_phone="+358401234567", state="Uusimaa"))
    assert pushed(emsp, "locations", place["id"])["body"]["id"] == place["id"]
    losses = wait_until(lambda: [r[0] for r in shared_world.sql(
        "SELECT losses FROM message WHERE object_id = %s AND outgoing AND losses IS NOT NULL", place["id"])], 10,
        "the row of the message log")
    assert any({"help_phone", "state"} <= {loss["field"].strip("/").split("/")[0] for loss in row} for row in losses)
    assert all(loss["reason"] for row in losses for loss in row)
    # Between equals nothing is lost.
    pushed(cast.emsps["2.3.0"], "locations", place["id"])
    assert len(losses) <= 2


def test_a_gross_price_is_never_told_as_a_net_one(cast):
    """R-BR-33, R-BR-03, R-BR-47, R-TAR-17: without the rate it is withheld, not guessed; the others hear of it."""
    cpo = cast.cpos["2.3.0"]
    tariff = cpo.tariff(tax_included="YES")
    del tariff["elements"][0]["price_components"][0]["vat"]
    cpo.store("tariffs", tariff)
    assert pushed(cast.emsps["2.3.0"], "tariffs", tariff["id"])["body"] == tariff
    time.sleep(1)
    for version in ("2.1.1", "2.2.1"):
        emsp = cast.emsps[version]
        assert not pushes(emsp, "tariffs", tariff["id"])
        assert tariff["id"] not in [t["id"] for t in done(emsp.listed("tariffs"))]
    with_rate = cpo.tariff(tax_included="YES")
    with_rate["elements"][0]["price_components"][0].update(price=1.19, vat=19)
    cpo.store("tariffs", with_rate)
    for version in ("2.1.1", "2.2.1"):
        told = pushed(cast.emsps[version], "tariffs", with_rate["id"])["body"]
        assert told["elements"][0]["price_components"][0]["price"] == 1.0


def test_who_has_left_is_heard_and_asked_no_more(hub, user):
    """R-CRED-08: neither the result of what was asked before, nor a request about it."""
    p = Cpo("2.2.1", "LT", "TD2")
    try:
        p.register(hub)
        session_id, command, session = p.begin(user)
        user.wait_for(session_id, lambda s: s["substatus"] == "command_accepted")
        done(p.call("DELETE", p.credentials_url))
        wait_until(lambda: {p.get(p.own("sessions", session["id"])).status_code for _ in range(12)} == {401}, 5,
                   "every worker to know")
        before = len(p.received)
        for answer in (p.post(command["response_url"], {"result": "ACCEPTED"}),
                       p.put(p.own("sessions", session["id"]), session)):
            assert answer.status_code == 401
        assert ok(user.stop(session_id))["session_id"] == session_id
        problem(user.start(ok(user.show(session_id))["evse_id"]), 503, "network_unavailable")
        time.sleep(2)
        assert len(p.received) == before
    finally:
        p.close()
