# SPDX-License-Identifier: Apache-2.0
"""What a session costs its driver so far: by the quote, from the last reading, and by time alone."""

import shutil
from decimal import ROUND_HALF_UP, Decimal

import pytest

from harness import User, World, ok, wait_until

DETAIL = {"amount", "currency", "vat_included", "as_of", "measured", "extrapolated", "stale", "final"}
TARIFF = {"id": "RT-LIVE", "version": 1, "currency": "EUR", "vat": 24, "kwh_price": 0.59,
          "session_price": 0.35, "time_tariffs": [{"starting_at_minute": 240, "minute_price": 0.10}],
          "max_charging_time": 720, "selector": {"country": ["FIN"]}}


@pytest.fixture(scope="module")
def world(directory, token_keys):
    w = World(directory / "live-cost")
    try:
        w.start(jwt_keys_file=token_keys.jwks_file)
        w.wait_for_evse("FI*VRT*E90000400*2")
        ok(w.hub.admin("PUT", "/vat/FIN", json={"rate": 24, "valid_from": "2020-01-01",
                                                "vat_id": "FI1"}))
        ok(w.hub.admin("POST", "/retail-tariffs", json=TARIFF))
        user, evse = User(w.hub), w.fresh_evse()
        wait_until(lambda: all(ok(user.anew().evse(evse))["tariff"]["kwh_price"] == 0.59
                               for _ in range(24)), 10, "all workers to know the tariff")
        yield w
    finally:
        w.stop()
        shutil.rmtree(w.directory, ignore_errors=True)


def cents(value):
    return Decimal(str(value)).quantize(Decimal("0.01"), ROUND_HALF_UP)


def energy_and_session(kwh):
    """Lines are rounded one by one."""
    wh = Decimal(str(kwh)).quantize(Decimal("0.001"), ROUND_HALF_UP)
    return cents(wh * Decimal("0.59")) + Decimal("0.35")


def paused(world):
    """A session of which nothing more is heard: a user, its id, its status."""
    user, evse = User(world.hub), world.fresh_evse()

    def started():
        answer = user.start(evse)
        return answer.status_code == 200 and answer.json()["session_id"]

    session_id = wait_until(started, 15, "every worker to know that the network is back")
    user.wait_for(session_id, lambda s: s["energy_kwh"] > 1)
    network_id = world.sim.session(session_id)["id"]
    world.sql("UPDATE partner SET state = 'suspended' WHERE state = 'connected'; NOTIFY partner")

    def refused():
        told = [r["status"] for r in world.sim.sent(path=f"/{network_id}") if r["status"] is not None]
        return told[-2:] == [403, 403]

    wait_until(refused, 20, "every worker to know that the network is silenced")
    return user, session_id


@pytest.fixture
def silence(world):
    """The network may be silenced: what is heard no more changes no more."""
    yield lambda: paused(world)
    world.sql("UPDATE partner SET state = 'connected' WHERE state = 'suspended'; NOTIFY partner")


def shifted(world, session_id, **columns):
    """The session's clock as if time had passed; the live view has not heard of it."""
    sets = ", ".join(f"{name} = {name} - interval '{by}'" for name, by in columns.items())
    world.sql(f"UPDATE session SET {sets}, version = version + 1 WHERE id = %s", session_id)
    world.redis().flushdb()


def test_the_driver_pays_by_the_quote_and_never_sees_the_wholesale_cost(world):
    user = User(world.hub)
    session_id = user.started(world.fresh_evse())
    for more in (1, 3):
        s = user.wait_for(session_id, lambda s, more=more: s["energy_kwh"] > more)
        assert cents(s["cost"]) == energy_and_session(s["energy_kwh"]), s
        assert s["currency"] == "EUR" and s["cost_estimated"] is True
        detail = s["cost_detail"]
        assert set(detail) == DETAIL
        assert detail["amount"] == s["cost"] and detail["currency"] == "EUR"
        assert cents(detail["measured"]) + cents(detail["extrapolated"]) == cents(detail["amount"])
        assert detail["vat_included"] is True and detail["final"] is False
        assert detail["stale"] is False and detail["as_of"].endswith("Z")
    wholesale = world.sql("SELECT cost_u6 FROM session WHERE id = %s", session_id)[0][0]
    assert wholesale > 0 and cents(Decimal(wholesale) / 1000000) != cents(s["cost"])
    item = next(i for i in ok(user.list())["items"] if i["session_id"] == session_id)
    assert set(item["cost_detail"]) == DETAIL
    user.stop(session_id)


def test_the_receipt_makes_it_final(world):
    user = User(world.hub)
    session_id = user.started(world.fresh_evse())
    user.wait_for(session_id, lambda s: s["energy_kwh"] > 2)
    receipt = user.finished(session_id)
    done = ok(user.status(session_id))
    assert (done["cost_estimated"], done["cost_detail"]) == (False, None)
    assert cents(done["cost"]) == cents(receipt["cost"]) == energy_and_session(receipt["energy_kwh"])


def test_pending_costs_nothing(world):
    user, evse = User(world.hub), world.fresh_evse()
    world.sim.behave("session-never", evse)
    s = ok(user.status(ok(user.start(evse))["session_id"]))
    assert (s["status"], s["cost"], s["currency"], s["cost_detail"], s["cost_estimated"]) == (
        "pending", 0, "EUR", None, True)


def test_time_goes_on_by_itself_but_energy_does_not(world, silence):
    user, session_id = silence()
    before = ok(user.status(session_id))
    assert cents(before["cost_detail"]["extrapolated"]) == 0
    # Heard of five minutes ago, when four hours were over: five more minutes at 0.10 have begun.
    shifted(world, session_id, start_at="4 hours 5 minutes", created_at="4 hours 5 minutes",
            seen_at="5 minutes")
    s = ok(user.status(session_id))
    detail = s["cost_detail"]
    energy = energy_and_session(before["energy_kwh"])
    assert s["energy_kwh"] == before["energy_kwh"] and detail["stale"] is False
    started = int((cents(s["cost"]) - energy) / Decimal("0.10"))
    assert cents(s["cost"]) == energy + started * Decimal("0.10") and started in (5, 6, 7)
    assert cents(detail["measured"]) + cents(detail["extrapolated"]) == cents(s["cost"])
    assert cents(detail["extrapolated"]) in (Decimal("0.50"), Decimal("0.60"))


def test_after_a_quarter_of_an_hour_without_news_it_is_stale(world, silence):
    user, session_id = silence()
    shifted(world, session_id, start_at="20 minutes", created_at="20 minutes", seen_at="14 minutes")
    assert ok(user.status(session_id))["cost_detail"]["stale"] is False
    shifted(world, session_id, seen_at="2 minutes")
    assert ok(user.status(session_id))["cost_detail"]["stale"] is True


def test_the_etag_changes_with_the_cost(world, silence):
    user, session_id = silence()
    first = user.status(session_id)
    etag = first.headers["ETag"]
    assert user.status(session_id, headers={"If-None-Match": etag}).status_code in (200, 304)
    shifted(world, session_id, start_at="5 hours", created_at="5 hours")
    answer = user.status(session_id, headers={"If-None-Match": etag})
    assert answer.status_code == 200 and answer.json()["cost"] > first.json()["cost"]


def test_billed_time_ends_at_max_charging_time(world, silence):
    user, session_id = silence()
    kwh = ok(user.status(session_id))["energy_kwh"]
    world.sql("UPDATE session_limit SET due_at = NULL WHERE session_id = %s", session_id)
    shifted(world, session_id, start_at="30 hours")
    cost = cents(ok(user.status(session_id))["cost"])
    assert cost == energy_and_session(kwh) + 480 * Decimal("0.10")


def test_without_redis_the_answer_is_the_same(world, silence):
    user, session_id = silence()
    live = ok(user.status(session_id))
    world.redis().flushdb()
    assert ok(user.status(session_id))["cost"] == live["cost"]


def test_without_a_quote_there_is_no_detail(world):
    user, evse = User(world.hub), world.fresh_evse()
    ok(world.hub.admin("PUT", "/user-groups/guests", json={}))
    ok(world.hub.admin("POST", "/user-groups/guests/members", json={"user_id": user.sub}))
    ok(world.hub.admin("POST", "/retail-tariffs", json={
        "id": "RT-GUESTS", "version": 1, "currency": "EUR", "vat": 24, "mode": "pass_through",
        "selector": {"country": ["FIN"], "user_group": ["guests"]}}))
    wait_until(lambda: all(ok(user.anew().evse(evse))["tariff"]["kwh_price"] != 0.59 for _ in range(24)), 10,
               "the guests' tariff")
    session_id = user.started(evse)
    s = user.wait_for(session_id, lambda s: s["cost"] > 0)
    assert s["cost_detail"] is None and s["cost_estimated"] is False
    wholesale = world.sql("SELECT cost_u6 FROM session WHERE id = %s", session_id)[0][0]
    assert cents(s["cost"]) <= cents(Decimal(wholesale) / 1000000)
    user.stop(session_id)


def test_operations_see_both_prices_and_the_gap(world, silence):
    user, session_id = silence()
    live = world.hub.inspect(session_id)["live_cost"]
    assert cents(live["retail"]["amount"]) == cents(ok(user.status(session_id))["cost"])
    wholesale = live["wholesale"]
    assert wholesale["currency"] == "EUR" and wholesale["reckoned"] > 0
    assert abs(Decimal(str(wholesale["difference"]))) <= Decimal("0.01") and not wholesale["flagged"]
    # The network asks for two euros more than its tariff gives.
    world.sql("UPDATE network_session SET document = jsonb_set(document::jsonb,"
              " '{total_cost,excl_vat}', to_jsonb((document::jsonb #>> '{total_cost,excl_vat}')::numeric"
              " + 2))::text WHERE session_id = %s", session_id)
    wholesale = world.hub.inspect(session_id)["live_cost"]["wholesale"]
    assert wholesale["flagged"] and wholesale["difference"] == pytest.approx(2, abs=0.01)
