# SPDX-License-Identifier: Apache-2.0
"""
The hub serves eMSPs: lists of others' objects and pushes of what changes, in each partner's version,
to exactly those who may see them; tokens of eMSPs on their way to CPOs; client infos; contracts.
"""

import re
import subprocess
import time

import pytest
from emsp_partner import Party, answers, hangs
from harness import BUILD, User, ok, problem, wait_until
from partner import Partner, now
from test_ocpi_inbound import done, envelope



class Market:
    """A CPO, two eMSPs of its version, one of each other version; a contract with all but `other`."""

    def __init__(self, hub):
        self.hub = hub
        self.cpo = Partner("NL", "CPA", "Canal Power")
        self.emsp = Party("DE", "MSA", "Alpha Mobility")
        self.other = Party("DE", "MSB", "Beta Mobility")
        self.old = Party("AT", "MSC", "Gamma Mobility", version="2.1.1")
        self.new = Party("FR", "MSD", "Delta Mobility", version="2.3.0")
        self.all = (self.cpo, self.emsp, self.other, self.old, self.new)
        for party in self.all:
            party.register(hub)
        for party in (self.emsp, self.old, self.new):
            self.allow(self.cpo, party)
            self.allow(party, self.cpo)

    def contract(self, word, sender, receiver, *more):
        return self.hub.ctl("contract", word, "--from", f"{sender.country}*{sender.party}",
                            "--to", f"{receiver.country}*{receiver.party}", *more)

    def allow(self, sender, receiver, *more):
        return self.contract("allow", sender, receiver, *more)

    def deny(self, sender, receiver, *more):
        return self.contract("deny", sender, receiver, *more)

    def put(self, module, thing):
        answer = self.cpo.put(self.cpo.own(module, thing["id"]), thing)
        assert answer.status_code in (200, 201) and answer.json()["status_code"] == 1000, answer.text
        return thing

    def location(self, **changes):
        return self.put("locations", self.cpo.location(**changes))

    def token(self, party, **changes):
        token = party.own_token(**changes)
        url = party.url("tokens", party.country, party.party, token["uid"])
        done(party.put(url, token), 201)
        return token

    def session(self, party, location, token, **changes):
        """A session of that eMSP's driver."""
        cdr_token = {"country_code": party.country, "party_id": party.party, "uid": token["uid"],
                     "type": "RFID", "contract_id": token.get("contract_id", token.get("auth_id"))}
        return self.put("sessions", self.cpo.session(location=location, cdr_token=cdr_token,
                                                     auth_method="WHITELIST", **changes))


@pytest.fixture(scope="module")
def market(shared_world):
    m = Market(shared_world.hub)
    yield m
    for party in m.all:
        party.close()


def ids(answer):
    return [o["id"] for o in done(answer)]


def eventually(look, what, seconds=10):
    return wait_until(look, seconds, what)


def found(party, module, object_id):
    """What was pushed of the object, by whatever method."""
    return [r for r in party.pushed(module) if object_id in r["path"]
            or (isinstance(r["body"], dict) and r["body"].get("id") == object_id)]


# ---- lists ----


def test_a_list_has_exactly_what_a_contract_allows(market):
    """R-ROUTE-30, -31, R-TRANS-43."""
    mine = [market.location()["id"] for _ in range(3)]
    answer = market.emsp.listed("locations")
    assert [i for i in ids(answer) if i in mine] == mine
    assert {(o["country_code"], o["party_id"]) for o in done(answer)} == {("NL", "CPA")}
    assert answer.headers["OCPI-from-party-id"] == "HUB" and answer.headers["OCPI-to-party-id"] == "MSA"
    closed = market.other.listed("locations")
    assert done(closed) == [] and closed.headers["X-Total-Count"] == "0" and "Link" not in closed.headers


def test_an_object_without_a_contract_is_a_missing_one(market):
    """R-TRANS-33, R-BR-47: the same words as for one that does not exist."""
    location = market.location()
    evse = location["evses"][0]
    hidden = market.other.get(market.other.url("locations", location["id"], role="SENDER"))
    missing = market.other.get(market.other.url("locations", "no-such", role="SENDER"))
    envelope(hidden, 404, 2003)
    envelope(missing, 404, 2003)
    assert hidden.json()["status_message"] == missing.json()["status_message"]
    url = market.emsp.url("locations", location["id"], role="SENDER")
    assert done(market.emsp.get(url)) == location
    assert done(market.emsp.get(url.lower().replace("/ocpi/cpo", "/ocpi/cpo"))) == location
    assert done(market.emsp.get(f"{url}/{evse['uid']}")) == evse
    assert done(market.emsp.get(f"{url}/{evse['uid']}/1")) == evse["connectors"][0]
    envelope(market.emsp.get(f"{url}/nobody"), 404, 2003)
    envelope(market.emsp.get(f"{url}/{evse['uid']}/9"), 404, 2003)


def test_a_contract_can_be_had_for_one_module_and_ended(market):
    market.put("tariffs", market.cpo.tariff())
    location = market.location()
    market.allow(market.cpo, market.other, "--module", "tariffs")
    try:
        assert done(market.other.listed("tariffs")) and done(market.other.listed("locations")) == []
        market.allow(market.cpo, market.other)
        market.deny(market.cpo, market.other, "--module", "tariffs")
        assert location["id"] in ids(market.other.listed("locations"))
        assert done(market.other.listed("tariffs")) == []
    finally:
        market.deny(market.cpo, market.other)
        market.deny(market.cpo, market.other, "--module", "tariffs")
    assert done(market.other.listed("locations")) == []


def test_pages_by_link_have_each_object_once(market):
    """R-TRANS-40, -41, -43, -44, -45."""
    for _ in range(5):
        market.location()
    everything = ids(market.emsp.listed("locations"))
    answer = market.emsp.listed("locations", "?limit=2&date_from=2020-01-01T00:00:00Z")
    pages, count = [], 0
    while True:
        pages += ids(answer)
        count += 1
        assert answer.headers["X-Total-Count"] == str(len(everything))
        assert answer.headers["X-Limit"] == "100"
        if "Link" not in answer.headers:
            break
        link = re.fullmatch(r'<([^>]+)>; rel="next"', answer.headers["Link"]).group(1)
        assert "limit=2" in link and "date_from=2020-01-01T00:00:00Z" in link and len(link) <= 255
        assert link.startswith(market.hub.url + "/ocpi/cpo/2.2.1/locations?")
        answer = market.emsp.get(link)
    assert pages == everything and count == (len(everything) + 1) // 2


@pytest.mark.parametrize("query", ["offset=-1", "limit=x", "limit=-1", "date_from=yesterday",
                                   "date_from=2026-01-02T00:00:00Z&date_to=2026-01-01T00:00:00Z"])
def test_a_bad_page_is_2001(market, query):
    """R-TRANS-44."""
    envelope(market.emsp.listed("locations", "?" + query), 200, 2001)


def test_a_limit_of_zero_counts_and_a_large_one_is_reduced(market):
    """R-TRANS-44."""
    market.location()
    total = market.emsp.listed("locations").headers["X-Total-Count"]
    answer = market.emsp.listed("locations", "?limit=0")
    assert done(answer) == [] and answer.headers["X-Total-Count"] == total
    assert "Link" not in answer.headers
    assert market.emsp.listed("locations", "?limit=5000").headers["X-Limit"] == "100"


def test_dates_are_half_open(market):
    """R-TRANS-41."""
    location = market.location(last_updated="2024-05-05T12:00:00Z")

    def there(date_from, date_to):
        return location["id"] in ids(market.emsp.listed(
            "locations", f"?date_from=2024-05-05T{date_from}Z&date_to=2024-05-05T{date_to}Z"))

    assert there("12:00:00", "12:00:01")
    assert not there("11:00:00", "12:00:00") and not there("12:00:01", "13:00:00")


def test_sessions_need_date_from(market):
    """R-TRANS-42, in every version."""
    for party in (market.emsp, market.old, market.new):
        envelope(party.listed("sessions"), 200, 2001)
        done(party.listed("sessions", "?date_from=2020-01-01T00:00:00Z"))


def test_a_list_that_names_nobody_is_2001(market):
    """R-ROUTE-22; 2.1.1 names nobody ever (R-BR-04)."""
    envelope(market.emsp.listed("locations", to=None), 200, 2001)
    done(market.old.listed("locations"))


def test_a_list_of_one_owner(market):
    """R-ROUTE-10, -41, -42: by TO; who has no contract is as unknown as who does not exist."""
    location = market.location()
    market.cpo.locations = [location]
    answer = market.emsp.listed("locations", to=("NL", "CPA"))
    assert ids(answer) == [location["id"]] and answer.headers["OCPI-from-party-id"] == "CPA"
    for party in (("FI", "VRT"), ("XX", "XXX")):
        envelope(market.emsp.listed("locations", to=party), 200, 4001)


def test_a_cpo_has_nothing_to_ask_at_the_address_for_emsps(market):
    """R-ROUTE-06."""
    url = market.hub.url + "/ocpi/cpo/2.2.1/locations"
    envelope(market.cpo.get(url), 403, 2001)


# ---- versions ----


def test_each_version_has_its_own_words(market):
    """R-TRANS-21, R-BR-04, R-BR-48, 15.3."""
    location = market.location(x_unknown={"kept": [1, 2.5]}, parking_type="PARKING_LOT")

    def of(party):
        return next(o for o in done(party.listed("locations")) if o["id"] == location["id"])

    assert of(market.emsp) == location
    newest = of(market.new)
    assert newest["x_unknown"] == {"kept": [1, 2.5]} and newest["country_code"] == "NL"
    old = of(market.old)
    assert old["type"] == "PARKING_LOT"
    assert not {"country_code", "party_id", "publish", "x_unknown", "parking_type"} & set(old)
    connector = old["evses"][0]["connectors"][0]
    assert (connector["voltage"], connector["amperage"]) == (920, 200)
    one = done(market.old.get(market.old.url("locations", location["id"])))
    assert one == old
    assert not [h for h in market.old.listed("locations").headers if h.lower().startswith("ocpi-")]


def test_what_a_version_may_not_have_is_not_there(market):
    """R-BR-46, R-BR-47, R-LOC-05: unpublished Locations are not for 2.1.1."""
    before = int(market.old.listed("locations", "?limit=0").headers["X-Total-Count"])
    hidden = market.location(publish=False)
    assert hidden["id"] in ids(market.emsp.listed("locations"))
    answer = market.old.listed("locations")
    assert hidden["id"] not in ids(answer) and answer.headers["X-Total-Count"] == str(before)
    envelope(market.old.get(market.old.url("locations", hidden["id"])), 404, 2003)


# ---- tokens: from eMSPs ----


def token_url(party, uid, *, owner=None, query=""):
    country, name = owner or (party.country, party.party)
    return party.url("tokens", country, name, uid) + query


@pytest.mark.parametrize("who", ["emsp", "old", "new"])
def test_a_token_is_stored_and_shown_as_it_came(market, who):
    """R-TRANS-33, R-TOK-02, R-BR-01, R-TYPE-01."""
    party = getattr(market, who)
    token = party.own_token(visual_number="V-1", x_unknown=1)
    url = token_url(party, token["uid"])
    envelope(party.get(url), 404, 2000 if party.old else 2004)
    done(party.put(url, token), 201)
    assert done(party.get(url)) == token
    assert done(party.get(token_url(party, token["uid"].lower()))) == token
    newer = {**token, "valid": False, "last_updated": now()}
    done(party.put(url, newer))
    assert done(party.get(url))["valid"] is False
    done(party.put(url, token))  # R-TRANS-15: older: success, nothing changes
    assert done(party.get(url)) == newer


def test_a_patch_changes_what_it_says(market):
    """R-TRANS-11, -12, -14."""
    party = market.emsp
    token = market.token(party)
    url = token_url(party, token["uid"])
    envelope(party.patch(url, {"valid": False}), 200, 2001)
    at = now()
    done(party.patch(url, {"valid": False, "last_updated": at}))
    assert done(party.get(url)) == {**token, "valid": False, "last_updated": at}
    envelope(party.patch(token_url(party, "nobody"), {"valid": False, "last_updated": at}), 404, 2004)
    envelope(party.patch(url, {"uid": "another", "last_updated": at}), 200, 2001)


def test_a_patch_of_2_1_1_is_stamped(market):
    """R-TRANS-12, R-BR-08."""
    party = market.old
    token = market.token(party, last_updated=now(-3600))
    url = token_url(party, token["uid"])
    done(party.patch(url, {"valid": False}))
    stored = done(party.get(url))
    assert stored["valid"] is False and stored["last_updated"] > token["last_updated"]
    envelope(party.patch(token_url(party, "nobody"), {"valid": False}), 404, 2000)


def test_the_type_is_part_of_the_key(market):
    """R-TOK-01: RFID where the URL has none."""
    party = market.emsp
    card = market.token(party)
    app = {**card, "type": "APP_USER", "valid": False}
    envelope(party.put(token_url(party, card["uid"]), app), 200, 2001)
    done(party.put(token_url(party, card["uid"], query="?type=APP_USER"), app), 201)
    assert done(party.get(token_url(party, card["uid"])))["type"] == "RFID"
    assert done(party.get(token_url(party, card["uid"], query="?type=APP_USER"))) == app
    envelope(party.get(token_url(party, card["uid"], query="?type=OTHER")), 404, 2004)


def test_the_type_of_2_1_1_stands_in_the_body(market):
    """R-TOK-01."""
    token = market.token(market.old, type="OTHER")
    url = token_url(market.old, token["uid"])
    assert done(market.old.get(url)) == token
    done(market.old.patch(url, {"valid": False}))
    assert done(market.old.get(url))["valid"] is False


def test_a_token_belongs_to_a_party_of_its_sender(market):
    """R-TRANS-16, -17, R-ROUTE-06."""
    token = market.emsp.own_token()
    envelope(market.emsp.put(token_url(market.emsp, token["uid"], owner=("DE", "MSB")), token), 404, 2000)
    envelope(market.emsp.put(token_url(market.emsp, "another"), token), 200, 2001)
    envelope(market.emsp.put(token_url(market.emsp, token["uid"]), {**token, "party_id": "MSB"}), 200, 2001)
    envelope(market.cpo.put(f"{market.hub.url}/ocpi/cpo/2.2.1/tokens/NL/CPA/x",
                            {**token, "country_code": "NL", "party_id": "CPA", "uid": "x"}), 403, 2001)


def test_nobody_else_can_have_our_users_tokens(market, shared_world):
    """Who owned them could charge at the cost of our users."""
    evse = shared_world.fresh_evse()
    user = User(market.hub)
    user.finished(user.started(evse))
    uid, contract = shared_world.sql(
        "SELECT uid, contract_id FROM token WHERE user_id = %s AND type = 'APP_USER'", user.sub)[0]
    for changes in ({"uid": uid}, {"contract_id": contract}):
        token = market.emsp.own_token(**changes)
        envelope(market.emsp.put(token_url(market.emsp, token["uid"]), token), 200, 2001)


@pytest.mark.parametrize("broken", [{"valid": None}, {"whitelist": "SOMETIMES"}, {"issuer": 5}])
def test_a_token_is_checked(market, broken):
    token = market.emsp.own_token(**broken)
    envelope(market.emsp.put(token_url(market.emsp, token["uid"]), token), 200, 2001)


# ---- tokens: to CPOs ----


@pytest.fixture(scope="module")
def platform_cpo(market):
    """A CPO that is connected to the platform; one eMSP has a contract with it."""
    p = Party("BE", "CPP", "Platform Power", role="CPO")
    p.register(market.hub)
    market.allow(market.emsp, p)
    yield p
    p.close()


def test_tokens_of_emsps_go_to_cpos_with_a_contract(market, platform_cpo):
    """R-TOK-10: on the platform; at the address of our own eMSP are only our own."""
    seen, hidden = market.token(market.emsp), market.token(market.other)

    def listed(cpo, url):
        tokens, answer = [], cpo.get(url)
        while True:
            tokens += [(t["uid"], t["type"]) for t in done(answer)]
            if "Link" not in answer.headers:
                assert len(set(tokens)) == len(tokens) == int(answer.headers["X-Total-Count"])
                return [uid for uid, _ in tokens]
            answer = cpo.get(re.match("<([^>]+)>", answer.headers["Link"]).group(1))

    uids = listed(platform_cpo, platform_cpo.url("tokens", role="SENDER") + "?limit=3")
    assert seen["uid"] in uids and hidden["uid"] not in uids
    own = listed(market.cpo, market.cpo.url("tokens", role="SENDER"))
    assert seen["uid"] not in own and hidden["uid"] not in own


@pytest.fixture
def mute_emsp(market, platform_cpo):
    """The eMSP that has contracts answers no question about its tokens."""
    for _ in range(2):  # in between it does answer: it is not to be left in peace
        platform_cpo.post(platform_cpo.url("tokens", "nobody", "authorize", role="SENDER"))
    market.emsp.scripted[("POST", "/2.2.1/tokens")] = lambda request: (500, b"")
    yield market.emsp
    del market.emsp.scripted[("POST", "/2.2.1/tokens")]


@pytest.mark.parametrize("changes, allowed", [
    ({"whitelist": "ALWAYS"}, "ALLOWED"), ({"whitelist": "ALLOWED"}, "ALLOWED"),
    ({"whitelist": "ALLOWED_OFFLINE"}, "ALLOWED"), ({"whitelist": "NEVER"}, "NOT_ALLOWED"),
    ({"valid": False}, "BLOCKED"), ({"valid": False, "whitelist": "NEVER"}, "NOT_ALLOWED"),
])
def test_a_token_of_an_emsp_is_judged_by_what_it_told_us(market, mute_emsp, platform_cpo, changes, allowed):
    """R-TOK-03, -05, -06: where it cannot be asked."""
    token = market.token(mute_emsp, **changes)
    url = platform_cpo.url("tokens", token["uid"], "authorize", role="SENDER")
    places = {"location_id": "L1", "evse_uids": ["E1", "E2"]}
    info = done(platform_cpo.post(url, places))
    assert info["allowed"] == allowed and info["token"] == token and info["location"] == places
    assert ("info" in info) == (allowed != "ALLOWED") and "authorization_reference" not in info


def test_an_unknown_token_and_one_without_a_contract_are_the_same(market, platform_cpo):
    """R-TOK-03, R-TOK-10."""
    token = market.token(market.other)
    for uid in (token["uid"], "nobody"):
        envelope(platform_cpo.post(platform_cpo.url("tokens", uid, "authorize", role="SENDER")), 404, 2004)
    own = market.token(market.emsp)
    envelope(platform_cpo.post(platform_cpo.url("tokens", own["uid"], "authorize", role="SENDER")
                               + "?type=APP_USER"), 404, 2004)


@pytest.fixture(scope="module")
def old_cpo(market):
    """A CPO of 2.1.1; the eMSP of 2.2.1 has contracts with it."""
    p = Party("LU", "CPO", "Little Power", version="2.1.1", role="CPO")
    p.register(market.hub)
    market.allow(market.emsp, p)
    market.allow(p, market.emsp)
    yield p
    p.close()


def test_authorisation_for_2_1_1(market, mute_emsp, old_cpo):
    """R-TOK-03, R-TRANS-35: neither token nor reference nor code 2004."""
    token = market.token(mute_emsp)
    places = {"location_id": "L1", "evse_uids": ["E1"], "connector_ids": ["1"]}
    info = done(old_cpo.post(old_cpo.url("tokens", token["uid"], "authorize"), places))
    assert info == {"allowed": "ALLOWED", "location": places}
    mute_emsp.scripted[("POST", "/2.2.1/tokens")] = lambda request: (404, Party.envelope(None, 2004))
    envelope(old_cpo.post(old_cpo.url("tokens", "nobody", "authorize")), 404, 2000)


# ---- pushes ----


def test_a_change_reaches_those_who_may_see_it(market):
    """R-ROUTE-13, R-BR-10, R-TRANS-60: owner in URL and body, FROM the hub, TO the receiver."""
    location = market.location()
    for party in (market.emsp, market.old, market.new):
        push = eventually(lambda p=party: found(p, "locations", location["id"]), "the push")[0]
        assert push["method"] == "PUT"
        assert push["path"] == f"/{party.version}/locations/NL/CPA/{location['id']}"
        routing = {k.lower(): v for k, v in push["headers"].items() if k.lower().startswith("ocpi-")}
        assert routing == ({} if party.old else {
            "ocpi-from-country-code": "FI", "ocpi-from-party-id": "HUB",
            "ocpi-to-country-code": party.country, "ocpi-to-party-id": party.party})
        assert {"x-request-id", "x-correlation-id"} <= {k.lower() for k in push["headers"]}
    assert market.emsp.objects["locations"][("NL", "CPA", location["id"])] == location
    assert "publish" not in market.old.objects["locations"][("NL", "CPA", location["id"])]
    time.sleep(1)
    assert not found(market.other, "locations", location["id"])
    assert len(found(market.emsp, "locations", location["id"])) == 1


def patch_status(market, location, status):
    evse = location["evses"][0]["uid"]
    at = now(micros=True)
    done(market.cpo.patch(market.cpo.own("locations", location["id"], evse),
                          {"status": status, "last_updated": at}))
    return at


def test_a_status_is_a_patch(shared_world, market):
    """R-TRANS-11, -12: last_updated is always there."""
    location = market.location()
    parties = (market.emsp, market.old, market.new)
    for party in parties:
        eventually(lambda p=party: found(p, "locations", location["id"]), "the Location")
    shared_world.location_told(location["id"])
    patch_status(market, location, "CHARGING")
    for party in parties:
        def patches(p=party):
            return [r for r in found(p, "locations", location["id"]) if r["method"] == "PATCH"]
        push = eventually(patches, "the PATCH")[0]
        assert push["path"].endswith(f"/NL/CPA/{location['id']}/{location['evses'][0]['uid']}")
        assert push["body"]["status"] == "CHARGING" and set(push["body"]) == {"status", "last_updated"}
    time.sleep(0.5)
    assert [len(found(p, "locations", location["id"])) for p in parties] == [2, 2, 2]


def test_a_receiver_that_misses_the_location_gets_it(shared_world, market):
    """R-TRANS-14: PATCH, 404, PUT."""
    location = market.location()
    key = ("NL", "CPA", location["id"])
    eventually(lambda: key in market.emsp.objects["locations"], "the Location")
    shared_world.location_told(location["id"])
    with market.emsp.lock:
        del market.emsp.objects["locations"][key]
    patch_status(market, location, "BLOCKED")
    kept = eventually(lambda: market.emsp.objects["locations"].get(key), "the Location again")
    assert kept["evses"][0]["status"] == "BLOCKED"
    assert [r["method"] for r in found(market.emsp, "locations", location["id"])] == ["PUT", "PATCH", "PUT"]


def test_what_waits_goes_out_once_with_the_latest_state_and_delays_nobody(shared_world, market):
    """An eMSP that is down is told the last state when it is back; the others at once."""
    location = market.location()
    key = ("NL", "CPA", location["id"])
    for party in (market.emsp, market.new):
        eventually(lambda p=party: key in p.objects["locations"], "the Location")
    shared_world.location_told(location["id"])
    market.emsp.down = answers(503, 3000, **{"Retry-After": "2"})
    before = len(market.emsp.taken)
    try:
        for status in ("CHARGING", "BLOCKED", "OUTOFORDER", "INOPERATIVE", "AVAILABLE", "CHARGING"):
            patch_status(market, location, status)
            time.sleep(0.05)
        eventually(lambda: market.new.objects["locations"][key]["evses"][0]["status"] == "CHARGING"
                   and [r for r in found(market.new, "locations", location["id"])
                        if r["method"] == "PATCH"], "the other one to hear of it")
        assert market.emsp.objects["locations"][key]["evses"][0]["status"] == "AVAILABLE"
    finally:
        market.emsp.down = None
    eventually(lambda: market.emsp.objects["locations"][key]["evses"][0]["status"] == "CHARGING",
               "the latest state", 20)
    time.sleep(1.5)
    after = [r["body"] for r in market.emsp.taken[before:] if location["id"] in r["path"]]
    assert [b["evses"][0]["status"] if "evses" in b else b["status"] for b in after] == ["CHARGING"]


def test_a_slow_partner_holds_up_nobody(market):
    market.emsp.down = hangs(8)  # as long as a push may take, but for a little
    try:
        locations = [market.location() for _ in range(12)]
        began = time.monotonic()
        for location in locations:
            eventually(lambda i=location["id"]: found(market.new, "locations", i), "the other's push")
        assert time.monotonic() - began < 7
    finally:
        market.emsp.down = None
    for location in locations:
        eventually(lambda i=location["id"]: found(market.emsp, "locations", i), "the slow one's push", 40)
    assert 1 < market.emsp.busiest <= 8


def test_a_partner_that_was_gone_is_told_what_it_missed(market):
    """R-ROUTE-46, -62: nothing is sent while it is away; soon after it is back, all of it."""
    party = Party("IT", "MSG", "Epsilon Mobility")
    try:
        party.register(market.hub)
        market.allow(market.cpo, party)
        key = ("NL", "CPA", market.location()["id"])
        eventually(lambda: key in party.objects["locations"], "the first Location")
        party.vanish()
        missed = [market.location()["id"] for _ in range(8)]
        eventually(lambda: market.hub.metric("hub_pushes_total", partner="Epsilon Mobility",
                                             outcome="retry") >= 8, "the failures", 45)
        party.come_back()
        done(party.get(party.versions_url))  # a sign of life: it is connected again
        eventually(lambda: all(("NL", "CPA", i) in party.objects["locations"] for i in missed),
                   "what it missed", 60)
    finally:
        party.close()


def test_a_tariff_comes_and_goes(market):
    """R-TAR-16, R-ROUTE-19."""
    tariff = market.put("tariffs", market.cpo.tariff())
    key = ("NL", "CPA", tariff["id"])
    eventually(lambda: market.emsp.objects["tariffs"].get(key) == tariff, "the Tariff")
    eventually(lambda: market.old.objects["tariffs"].get(key), "the Tariff of 2.1.1")
    done(market.cpo.call("DELETE", market.cpo.own("tariffs", tariff["id"])))
    eventually(lambda: [r for r in found(market.emsp, "tariffs", tariff["id"])
                        if r["method"] == "DELETE"], "the DELETE")
    assert key not in market.emsp.objects["tariffs"]
    assert tariff["id"] not in ids(market.emsp.listed("tariffs"))


@pytest.mark.parametrize("who", ["emsp", "old", "new"])
def test_sessions_and_cdrs_go_to_the_owner_of_the_token(market, who):
    """R-ROUTE-15, -32, R-BR 15.5, 15.6: to nobody else, in lists and pushes."""
    party = getattr(market, who)
    location, token = market.location(), market.token(party)
    session = market.session(party, location, token)
    push = eventually(lambda: found(party, "sessions", session["id"]), "the Session")[0]
    assert push["method"] == "PUT" and push["path"].endswith(f"/sessions/NL/CPA/{session['id']}")
    cdr = market.cpo.cdr(session)
    done(market.cpo.post(market.cpo.url("cdrs"), cdr), 201)
    bill = eventually(lambda: found(party, "cdrs", cdr["id"]), "the CDR")[0]
    assert bill["method"] == "POST" and bill["path"].rstrip("/") == f"/{party.version}/cdrs"
    if party.old:
        assert push["body"]["auth_id"] == token["auth_id"] and push["body"]["location"]["id"] == location["id"]
        assert push["body"]["location"]["city"] == "Berlin"  # the whole Location, out of our store
        assert bill["body"]["stop_date_time"] and bill["body"]["total_cost"] == 3.0
    elif party is market.emsp:
        assert push["body"] == session and bill["body"] == cdr
    else:
        assert bill["body"]["total_cost"]["before_taxes"] == 3.0
    since = "?date_from=2020-01-01T00:00:00Z"
    for reader in (market.emsp, market.other, market.old, market.new):
        expected = reader is party
        assert (session["id"] in ids(reader.listed("sessions", since))) == expected
        assert (cdr["id"] in ids(reader.listed("cdrs", since))) == expected
        assert bool(found(reader, "sessions", session["id"])) == expected
        assert len(found(reader, "cdrs", cdr["id"])) == int(expected)


def test_a_session_of_2_1_1_names_the_token_that_was_used(market, old_cpo):
    """R-BR 15.5: auth_id is the contract id; the eMSP is told uid and type as it knows them."""
    token = market.token(market.emsp)
    connector = {"id": "1", "standard": "IEC_62196_T2", "format": "SOCKET", "power_type": "AC_3_PHASE",
                 "voltage": 230, "amperage": 32, "last_updated": now(-60)}
    session = {
        "id": old_cpo.new_id("S"), "start_datetime": now(-600), "kwh": 1.5, "currency": "EUR",
        "auth_id": token["contract_id"], "auth_method": "WHITELIST", "status": "ACTIVE",
        "location": {"id": "L1", "type": "ON_STREET", "address": "Rue 1", "city": "Luxembourg",
                     "postal_code": "1111", "country": "LUX", "last_updated": now(-60),
                     "coordinates": {"latitude": "49.611622", "longitude": "6.131935"},
                     "evses": [{"uid": "E1", "status": "CHARGING", "connectors": [connector],
                                "last_updated": now(-60)}]},
        "last_updated": now()}
    done(old_cpo.put(old_cpo.url("sessions", "LU", "CPO", session["id"]), session), 201)
    push = eventually(lambda: found(market.emsp, "sessions", session["id"]), "the Session")[0]["body"]
    listed = next(s for s in done(market.emsp.listed("sessions", "?date_from=2020-01-01T00:00:00Z"))
                  if s["id"] == session["id"])
    for told in (push, listed):
        assert told["cdr_token"] == {"country_code": "DE", "party_id": "MSA", "uid": token["uid"],
                                     "type": "RFID", "contract_id": token["contract_id"]}
        assert (told["location_id"], told["evse_uid"], told["connector_id"]) == ("L1", "E1", "1")


def test_what_a_partner_refuses_is_tried_again(market):
    """R-ROUTE-16: it is tried again, less and less often, and counted."""
    market.emsp.scripted[("POST", "/2.2.1/cdrs")] = lambda r: (200, Party.envelope(None, 2001))
    try:
        location, token = market.location(), market.token(market.emsp)
        session = market.session(market.emsp, location, token)
        cdr = market.cpo.cdr(session)
        done(market.cpo.post(market.cpo.url("cdrs"), cdr), 201)
        eventually(lambda: len(found(market.emsp, "cdrs", cdr["id"])) >= 2, "a second try", 20)
        eventually(lambda: market.hub.metric("hub_pushes_total", partner="Alpha Mobility",
                                             outcome="refused") >= 2, "both to be counted")
    finally:
        market.emsp.scripted.clear()


# ---- client infos ----


def test_client_infos(market):
    """R-HCI-02, -03, -06, -10, -11: those one could work with, never oneself, never the hub."""
    answer = market.emsp.listed("hubclientinfo")
    infos = {(i["country_code"], i["party_id"], i["role"]): i for i in done(answer)}
    assert infos[("NL", "CPA", "CPO")]["status"] == "CONNECTED"
    assert not [k for k in infos if k[2] in ("HUB", "EMSP")] and ("FI", "VRT", "CPO") not in infos
    assert not [h for h in answer.headers if h.lower().startswith("ocpi-")]
    assert int(answer.headers["X-Total-Count"]) == len(infos) and answer.headers["X-Limit"] == "100"
    assert done(market.other.listed("hubclientinfo")) == []
    assert market.old.get(market.hub.url + "/ocpi/cpo/2.1.1/hubclientinfo").status_code == 404
    envelope(market.emsp.put(market.hub.url + "/ocpi/2.2.1/hubclientinfo/NL/CPA",
                             {**infos[("NL", "CPA", "CPO")]}), 403, 2001)


def test_a_new_client_is_told(market):
    """R-HCI-01, -05."""
    cpo = Partner("SE", "CPS", "Sound Power")
    try:
        market.hub.ctl("contract", "allow", "--from", "SE*CPS", "--to", "DE*MSA")
        cpo.register(market.hub)
        push = eventually(lambda: [r for r in market.emsp.pushed("hubclientinfo", "PUT")
                                   if r["path"].endswith("/SE/CPS")
                                   and r["body"]["status"] == "CONNECTED"], "the ClientInfo")[-1]
        assert push["body"]["role"] == "CPO"
        assert not [h for h in push["headers"] if h.lower().startswith("ocpi-")]
        assert not [r for r in market.other.pushed("hubclientinfo") if r["path"].endswith("/SE/CPS")]
    finally:
        cpo.close()


def test_a_hub_tells_of_its_clients(market):
    """R-HCI-04, -12: two roles at one path; last_updated may be missing."""
    other_hub = Party("CH", "HUX", "Another Hub", role="HUB")
    try:
        other_hub.register(market.hub)
        url = market.hub.url + "/ocpi/2.2.1/hubclientinfo/CH/CPX"
        info = {"country_code": "CH", "party_id": "CPX", "role": "CPO", "status": "CONNECTED"}
        done(other_hub.put(url, info), 201)
        done(other_hub.put(url, {**info, "role": "EMSP", "last_updated": now(5)}), 201)
        done(other_hub.put(url, {**info, "status": "OFFLINE", "last_updated": now(10)}))
        stored = done(other_hub.get(url))
        assert (stored["role"], stored["status"]) == ("CPO", "OFFLINE")
        envelope(other_hub.put(url, {**info, "party_id": "CPY"}), 200, 2001)
        envelope(other_hub.get(url.replace("CPX", "CPY")), 404, 2000)
    finally:
        other_hub.close()


# ---- contracts ----


def test_contracts_are_listed_and_checked(market):
    items = market.hub.ctl("contract", "list", "--from", "nl-cpa", "--to", "DE*MSA")["items"]
    assert [(c["from"], c["to"], c["module"], c["allowed"]) for c in items] == \
        [("NL-CPA", "DE-MSA", None, True)]
    everything = market.hub.ctl("contract", "list")["items"]
    assert len(everything) > len(items)

    def post(**body):
        return market.hub.admin("POST", "/contracts", json=body)

    good = {"from": "NL*CPA", "to": "XX*YYY", "allow": True}
    for broken in ({"from": "x"}, {"to": 5}, {"to": "NL*CPA"}, {"module": "credentials"}, {"module": 1},
                   {"allow": "yes"}, {"allow": None}):
        problem(post(**{**good, **broken}), 422, "validation_failed")
    assert ok(post(**good, module="tokens"))["module"] == "tokens"
    problem(market.hub.admin("GET", "/contracts?from=nobody"), 422, "validation_failed")


def test_contracts_for_people(market):
    def words(*args):
        done_ = subprocess.run([BUILD / "hub" / "hubctl", "--socket", market.hub.settings["admin_socket"],
                                "contract", *args], capture_output=True, text=True, check=True, timeout=60)
        return done_.stdout

    pair = ("--from", "NL*CPA", "--to", "ES*NEW")
    assert "There is no such contract" in words("list", *pair)
    assert words("allow", *pair) == "NL-CPA to ES-NEW, all modules: allowed.\n"
    assert words("deny", *pair, "--module", "cdrs") == "NL-CPA to ES-NEW, cdrs: denied.\n"
    rows = [line.split() for line in words("list", *pair).splitlines()]
    assert rows[0] == ["FROM", "TO", "MODULE", "ALLOWED", "SINCE"]
    assert rows[1][:5] == ["NL-CPA", "ES-NEW", "all", "modules", "yes"]
    assert rows[2][:4] == ["NL-CPA", "ES-NEW", "cdrs", "no"]
