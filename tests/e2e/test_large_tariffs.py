# SPDX-License-Identifier: Apache-2.0
"""
Tariffs as large as they may come: users are quoted by them, CDRs are reckoned by them, and what is
more than the hub reckons with is said to be so. No worker dies of any.
"""

import json
import shutil

import pytest
from harness import User, World, ok, wait_until
from partner import now
from test_cdr_intake import at, filed, findings, post, receipts, record
from test_ocpi_inbound import done
from test_rules_transport import Cpo

KIB = 1024


@pytest.fixture(scope="module")
def world(directory, token_keys):
    w = World(directory / "large-tariffs")
    try:
        w.start(sim=False, jwt_keys_file=token_keys.jwks_file, max_open_sessions=100, issuer_name="Hub Oy",
                issuer_address="Testikatu 1", issuer_vat_id="FI00000000")
        yield w
    finally:
        w.stop()
        shutil.rmtree(w.directory, ignore_errors=True)


@pytest.fixture(scope="module")
def cpo(world):
    c = Cpo("2.2.1", "DE", "LRG")
    c.register(world.hub)
    yield c
    c.close()


@pytest.fixture(autouse=True)
def nobody_dies(world):
    before = world.hub.worker_pids()
    yield
    assert world.hub.worker_pids() == before


@pytest.fixture
def user(world):
    return User(world.hub)


def words(kib):
    """A text that adds to a tariff and changes nothing of its prices."""
    return [{"language": "en", "text": "x" * 512} for _ in range(kib * KIB // 544)]


def elements(count, components):
    """The first one prices everything; the others never apply."""
    priced = {"type": "ENERGY", "price": 0.30, "vat": 19, "step_size": 1}
    return [{"price_components": [priced]}] + [
        {"price_components": [priced] * components, "restrictions": {"min_kwh": 9000}} for _ in range(count - 1)]


def priced_at(world, cpo, user, tariffs):
    """An EVSE with these tariffs, once they have been looked at."""
    for tariff in tariffs:
        cpo.store("tariffs", tariff)
    looked_at(world)
    place = cpo.location()
    place["evses"][0]["connectors"][0]["tariff_ids"] = [t["id"] for t in tariffs]
    cpo.store("locations", place)
    evse_id = place["evses"][0]["evse_id"]
    wait_until(lambda: user.evse(evse_id).status_code == 200, 10, "the EVSE")
    return place, evse_id


def begun(cpo, user, place, evse_id):
    """A session there which the network has told of; its id, and the network's Session."""
    session_id = ok(user.start(evse_id))["session_id"]
    command = wait_until(lambda: cpo.commands("START_SESSION", place["id"]), 10, "START_SESSION")[0]["body"]
    done(cpo.post(command["response_url"], {"result": "ACCEPTED"}))
    session = cpo.session(location=place, start_date_time=at(-10), kwh=10.0,
                          authorization_reference=command["authorization_reference"])
    session["cdr_token"].update(uid=command["token"]["uid"], contract_id=command["token"]["contract_id"])
    done(cpo.put(cpo.own("sessions", session["id"]), session), 201)
    user.wait_for(session_id, "active")
    return session_id, session


def charged(world, cpo, user, tariffs):
    """A session that is over, begun with these tariffs; its id, and the network's Session."""
    place, evse_id = priced_at(world, cpo, user, tariffs)
    session_id, session = begun(cpo, user, place, evse_id)
    session.update(status="COMPLETED", end_date_time=at(0), last_updated=now(1))
    done(cpo.put(cpo.own("sessions", session["id"]), session))
    user.wait_for(session_id, "stopping")
    cpo.places = [place]
    return session_id, session


def looked_at(world, seconds=30):
    wait_until(lambda: not world.sql("SELECT 1 FROM tariff_version WHERE lint IS NULL"), seconds, "the tariffs to be looked at")


def test_many_of_two_megabytes_are_looked_at_at_once(world, cpo):
    """As after a change of VAT, when all are due again: each is many small objects in memory."""
    tariffs = [cpo.store("tariffs", cpo.tariff()) for _ in range(30)]
    looked_at(world)
    one = {"price_components": [{"type": "FLAT", "price": 0, "step_size": 1}], "restrictions": {}}
    document = json.dumps({**tariffs[0], "elements": [one] * 14000, "more": ["x" * 60000] * 14}, separators=(",", ":"))
    assert len(document) < 2 * KIB * KIB
    ids = [t["id"] for t in tariffs]
    world.sql("UPDATE tariff_version v SET document = %s, ocpi = '2.1.1', lint = NULL FROM tariff t"
              " WHERE t.id = v.tariff AND tariff_id = ANY(%s)", document, ids)
    looked_at(world, 60)
    assert world.sql("SELECT count(*) FROM tariff t JOIN tariff_version v ON v.tariff = t.id"
                     " WHERE tariff_id = ANY(%s) AND held AND lint -> 0 ->> 'text' LIKE '%%500 elements%%'", ids) == [(30,)]


# ---- users ----


def test_users_are_quoted_by_a_tariff_of_hundreds_of_kilobytes(world, cpo, user):
    large = cpo.tariff(tariff_alt_text=words(700))
    place, evse_id = priced_at(world, cpo, user, [large])
    assert ok(user.evse(evse_id))["tariff"]["kwh_price"] == 0.357
    session_id, _ = begun(cpo, user, place, evse_id)
    assert world.hub.inspect(session_id)["live_cost"]["wholesale"]["reckoned"] == 3


def test_a_connector_of_many_large_tariffs_is_shown(world, cpo, user):
    """More of them than a process may hold: those that fit are looked at."""
    many = [cpo.tariff(tariff_alt_text=words(900)) for _ in range(40)]
    place, evse_id = priced_at(world, cpo, user, many)
    assert ok(user.evse(evse_id))["tariff"]["kwh_price"] == 0.357
    session_id, _ = begun(cpo, user, place, evse_id)
    assert world.hub.inspect(session_id)["live_cost"]["wholesale"]["reckoned"] == 3


# ---- CDRs ----


def test_a_cdr_is_reckoned_by_a_large_tariff_of_its_start(world, cpo, user):
    session_id, session = charged(world, cpo, user, [cpo.tariff(tariff_alt_text=words(700))])
    cdr = record(cpo, session, tariffs=[])
    post(cpo, cdr)
    row = filed(world, cdr)
    assert (row["filed"], row["class"], row["recalculated_u6"], findings(row)) == ("billed", "OK", 3000000, set())
    user.wait_for(session_id, "completed")


@pytest.mark.parametrize("tariffs", [
    lambda cpo: [cpo.tariff(elements=elements(501, 1))],
    lambda cpo: [cpo.tariff(elements=elements(100, 21))],
    lambda cpo: [cpo.tariff(tariff_alt_text=words(900)) for _ in range(6)]],
    ids=["elements", "components", "bytes"])
def test_what_cannot_be_reckoned_with_is_not_the_same_as_none(world, cpo, user, tariffs):
    """A CDR without a tariff of its own, when that of the start is beyond us: for a person."""
    session_id, session = charged(world, cpo, user, tariffs(cpo))
    cdr = record(cpo, session, tariffs=[])
    post(cpo, cdr)
    row = filed(world, cdr)
    assert (row["filed"], row["class"], findings(row)) == ("quarantined", "QUARANTINE", {"tariff_unreadable"})
    assert receipts(world, session_id) == []


def test_a_tariff_beyond_reckoning_is_held(world, cpo, user):
    """It is kept and told on, and no price is made of it."""
    tariff = cpo.tariff(elements=elements(501, 1))
    _, evse_id = priced_at(world, cpo, user, [tariff])
    assert ok(user.evse(evse_id))["tariff"] is None
    (item,) = [i for i in ok(world.hub.admin("GET", "/tariffs/lint", params={"held": "true"}))["items"]
               if i["tariff_id"] == tariff["id"]]
    (finding,) = item["findings"]
    assert (finding["name"], finding["path"]) == ("unreadable", "/elements") and "500" in finding["text"]


def test_a_cdr_that_brings_one_beyond_reckoning_is_held(world, cpo, user):
    session_id, session = charged(world, cpo, user, [cpo.tariff()])
    cdr = record(cpo, session, tariff=cpo.tariff(elements=elements(501, 1)))
    post(cpo, cdr)
    row = filed(world, cdr)
    assert (row["filed"], row["class"], findings(row)) == ("quarantined", "QUARANTINE", {"tariff_unreadable"})
    assert receipts(world, session_id) == []


def test_a_large_cdr_is_looked_at_again(world, cpo):
    """Nobody's yet: it is priced anew by the megabyte of tariffs that it brings, with as much memory as at first."""
    def done_again():
        return world.hub.metric("hub_flow_seconds_count", flow="cdr_again", outcome="ok")

    cdr = cpo.cdr(tariffs=[cpo.tariff(elements=elements(20, 100)) for _ in range(7)])
    post(cpo, cdr)
    assert filed(world, cdr)["filed"] == "unmatched"
    before = done_again()
    world.sql("UPDATE cdr SET retry_at = hub_now() WHERE cdr_id = %s", cdr["id"])
    wait_until(lambda: done_again() > before, 30, "the job to look at it")
    assert filed(world, cdr)["filed"] == "unmatched"
