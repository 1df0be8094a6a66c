# SPDX-License-Identifier: Apache-2.0
"""
Tariffs as large as they may come: users are quoted by them, CDRs are reckoned by them, and what is
more than the hub reckons with is said to be so. No worker dies of any.
"""

import shutil

import pytest
from harness import User, World, ok, wait_until
from partner import now
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


def reckoned(world, cpo, user, place, evse_id):
    """A session under way is priced for operations, too."""
    session_id = ok(user.start(evse_id))["session_id"]
    command = wait_until(lambda: cpo.commands("START_SESSION", place["id"]), 10, "START_SESSION")[0]["body"]
    session = cpo.session(location=place, start_date_time=now(-600), kwh=10.0,
                          authorization_reference=command["authorization_reference"])
    session["cdr_token"].update(uid=command["token"]["uid"], contract_id=command["token"]["contract_id"])
    done(cpo.put(cpo.own("sessions", session["id"]), session), 201)
    assert world.hub.inspect(session_id)["live_cost"]["wholesale"]["reckoned"] == 3


def looked_at(world, seconds=20):
    wait_until(lambda: not world.sql("SELECT 1 FROM tariff_version WHERE lint IS NULL"), seconds, "the tariffs to be looked at")


# ---- users ----


def test_users_are_quoted_by_a_tariff_of_hundreds_of_kilobytes(world, cpo, user):
    large = cpo.tariff(tariff_alt_text=words(700))
    place, evse_id = priced_at(world, cpo, user, [large])
    assert ok(user.evse(evse_id))["tariff"]["kwh_price"] == 0.357
    reckoned(world, cpo, user, place, evse_id)


def test_a_connector_of_many_large_tariffs_is_shown(world, cpo, user):
    """More of them than a process may hold: those that fit are looked at."""
    many = [cpo.tariff(tariff_alt_text=words(900)) for _ in range(40)]
    place, evse_id = priced_at(world, cpo, user, many)
    assert ok(user.evse(evse_id))["tariff"]["kwh_price"] == 0.357
    reckoned(world, cpo, user, place, evse_id)
