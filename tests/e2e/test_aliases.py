# SPDX-License-Identifier: Apache-2.0
"""
Ids that several owners share, as an eMSP of OCPI 2.1.1 knows them (R-BR-06, 07); ids that are too
long for a version; tokens of eMSPs that are told to CPOs of every version.
"""

from urllib.parse import quote

import pytest
from emsp_partner import Party
from harness import ok, wait_until
from partner import now
from test_ocpi_inbound import done, envelope


class Square:
    """Two CPOs that use the same ids, and an eMSP of 2.1.1 and one of 2.2.1."""

    def __init__(self, hub):
        self.hub = hub
        self.first = Party("NL", "SQA", "Square A", role="CPO")
        self.second = Party("BE", "SQB", "Square B", role="CPO")
        self.old_cpo = Party("DK", "SQC", "Square C", role="CPO", version="2.1.1")
        self.new_cpo = Party("SE", "SQD", "Square D", role="CPO", version="2.3.0")
        self.old = Party("AT", "SQE", "Square E", version="2.1.1")
        self.emsp = Party("DE", "SQF", "Square F")
        self.cpos = (self.first, self.second, self.old_cpo, self.new_cpo)
        self.all = (*self.cpos, self.old, self.emsp)
        for party in self.all:
            party.register(hub)
        for cpo in self.cpos:
            for emsp in (self.old, self.emsp):
                self.allow(cpo, emsp)
                self.allow(emsp, cpo)

    def allow(self, sender, receiver):
        self.hub.ctl("contract", "allow", "--from", f"{sender.country}*{sender.party}",
                     "--to", f"{receiver.country}*{receiver.party}")

    def close(self):
        for party in self.all:
            party.close()


@pytest.fixture(scope="module")
def square(shared_world):
    s = Square(shared_world.hub)
    yield s
    s.close()


def put(cpo, module, thing):
    answer = cpo.put(cpo.own(module, thing["id"]), thing)
    assert answer.status_code in (200, 201) and answer.json()["status_code"] == 1000, answer.text
    return thing


def in_path(*key):
    """As the segments stand in a URL (R-VER-09)."""
    return tuple(quote(segment, safe="") for segment in key)


def kept(party, module, *key):
    return wait_until(lambda: party.objects[module].get(in_path(*key)), 20,
                      f"{key} at {party.name}")


def tariff_of(location):
    return location["evses"][0]["connectors"][0]["tariff_id"]


def shared(square):
    """A Location and a Tariff of each CPO, under the same ids."""
    name, price = square.first.new_id("X"), square.first.new_id("P")
    for cpo in (square.first, square.second):
        put(cpo, "tariffs", cpo.tariff(price))
        location = cpo.location(name)
        location["evses"][0]["connectors"][0]["tariff_ids"] = [price]
        put(cpo, "locations", location)
        kept(square.emsp, "locations", cpo.country, cpo.party, name)
    return name, price, f"BE*SQB*{name}", f"BE*SQB*{price}"


def test_the_later_of_two_owners_is_pushed_under_an_alias(square):
    name, price, alias, price_alias = shared(square)
    ours = kept(square.old, "locations", "NL", "SQA", name)
    theirs = kept(square.old, "locations", "BE", "SQB", alias)
    assert (ours["id"], tariff_of(ours)) == (name, price)
    assert (theirs["id"], tariff_of(theirs)) == (alias, price_alias)
    assert kept(square.old, "tariffs", "BE", "SQB", price_alias)["id"] == price_alias
    assert kept(square.old, "tariffs", "NL", "SQA", price)["id"] == price
    # With an owner in the object no alias is needed.
    assert kept(square.emsp, "locations", "BE", "SQB", name)["id"] == name
    assert ("BE", "SQB", name) not in square.old.objects["locations"]


def test_a_status_and_a_deletion_go_to_the_alias(square):
    name, price, alias, price_alias = shared(square)
    kept(square.old, "locations", "BE", "SQB", alias)
    kept(square.old, "tariffs", "BE", "SQB", price_alias)
    answer = square.second.patch(
        square.second.own("locations", name, f"{name}-1"),
        {"status": "CHARGING", "last_updated": now()})
    assert answer.status_code == 200, answer.text
    def status(key):
        return square.old.objects["locations"][in_path(*key)]["evses"][0]["status"]
    wait_until(lambda: status(("BE", "SQB", alias)) == "CHARGING", 20, "the status at the alias")
    assert status(("NL", "SQA", name)) == "AVAILABLE"
    done(square.second.call("DELETE", square.second.own("tariffs", price)))
    wait_until(lambda: in_path("BE", "SQB", price_alias) not in square.old.objects["tariffs"], 20,
               "the deletion at the alias")
    assert ("NL", "SQA", price) in square.old.objects["tariffs"]


def test_lists_and_objects_of_2_1_1_have_the_same_names_as_pushes(square):
    name, price, alias, price_alias = shared(square)
    listed = {o["id"]: o for o in done(square.old.listed("locations", "?limit=1000"))}
    assert tariff_of(listed[name]) == price and tariff_of(listed[alias]) == price_alias
    assert {price, price_alias} <= {o["id"] for o in done(square.old.listed("tariffs",
                                                                           "?limit=1000"))}
    for wanted, numbered in ((name, "NL"), (alias, "BE"), (alias.lower(), "BE")):
        found = done(square.old.get(square.old.url("locations", wanted)))
        assert found["evses"][0]["evse_id"].startswith(numbered)
        assert found["id"] == (name if numbered == "NL" else alias)
    evse = done(square.old.get(square.old.url("locations", alias, f"{name}-1")))
    assert evse["evse_id"].startswith("BE")
    envelope(square.old.get(square.old.url("locations", f"NL*SQA*{name}")), 404, 2003)


def test_an_id_that_is_too_long_has_a_short_form_that_leads_back(square):
    name = "x" * 39
    document = square.first.location(name)
    for member in ("country_code", "party_id", "publish", "time_zone"):
        del document[member]
    document["type"] = "ON_STREET"
    document["evses"][0]["uid"] = uid = "u" * 39
    connector = document["evses"][0]["connectors"][0]
    for member in ("max_voltage", "max_amperage", "max_electric_power", "tariff_ids"):
        connector.pop(member, None)
    connector.update(voltage=400, amperage=32)
    cpo = square.old_cpo
    url = cpo.url("locations", cpo.country, cpo.party, name)
    answer = cpo.put(url, document)
    assert answer.status_code == 201, answer.text
    pushed = wait_until(lambda: [o for (c, p, _), o in square.emsp.objects["locations"].items()
                                 if (c, p) == ("DK", "SQC")], 20, "the Location")[0]
    short = pushed["id"]
    assert len(short) == 36 and ("DK", "SQC", short) in square.emsp.objects["locations"]
    found = done(square.emsp.get(square.emsp.url("locations", short, role="SENDER")))
    assert found["id"] == short and len(found["evses"][0]["uid"]) == 36
    assert kept(square.old, "locations", "DK", "SQC", name)["evses"][0]["uid"] == uid
    # A status finds its EVSE under the short form.
    answer = cpo.patch(f"{url}/{uid}", {"status": "CHARGING"})
    assert answer.status_code == 200, answer.text
    wait_until(lambda: square.emsp.objects["locations"][("DK", "SQC", short)]["evses"][0]["status"]
               == "CHARGING", 20, "the status")


@pytest.mark.parametrize("of", ["old", "emsp"])
def test_tokens_are_told_to_cpos_in_their_versions(square, of):
    emsp = getattr(square, of)
    token = emsp.own_token()
    url = emsp.url("tokens", emsp.country, emsp.party, token["uid"])
    done(emsp.put(url, token), 201)
    for cpo in square.cpos:
        got = kept(cpo, "tokens", emsp.country, emsp.party, token["uid"])
        assert (got["uid"], got["valid"], got["last_updated"]) == (
            token["uid"], True, token["last_updated"])
        if cpo.old:
            assert got["auth_id"] == token.get("auth_id", token.get("contract_id"))
            assert "country_code" not in got
        else:
            assert (got["country_code"], got["party_id"]) == (emsp.country, emsp.party)
            assert got["contract_id"] == token.get("auth_id", token.get("contract_id"))
        (request,) = [r for r in cpo.pushed("tokens", "PUT") if token["uid"] in r["path"]]
        assert request["path"].endswith("?type=RFID")
    blocked = {**token, "valid": False, "last_updated": token["last_updated"].replace("Z", ".5Z")}
    done(emsp.put(url, blocked))
    for cpo in square.cpos:
        wait_until(lambda c=cpo: not c.objects["tokens"][(emsp.country, emsp.party, token["uid"])]
                   ["valid"], 20, f"the block at {cpo.name}")


def test_our_own_users_tokens_are_told_to_nobody(square, user, evse):
    ok(user.start(evse))
    tokens = done(square.first.get(square.first.url("tokens", role="SENDER")))
    ours = {t["uid"] for t in tokens if t["party_id"] == "HUB"}
    assert ours
    told = {key[-1] for cpo in square.cpos for key in cpo.objects["tokens"]}
    assert not ours & told
