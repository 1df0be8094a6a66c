# SPDX-License-Identifier: Apache-2.0
"""
What users pay: retail tariffs published by the hub's people, the VAT they must agree with, the offer
at an EVSE, the quote that a session begins with, and the limits that stop it.
"""

import hashlib
import itertools
import json
import shutil
import subprocess
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from zoneinfo import ZoneInfo

import psycopg2
import pytest

from harness import BUILD, User, World, ok, problem, wait_until
from partner import Partner

FIXED = {"currency": "EUR", "vat": 24, "kwh_price": 0.59, "session_price": 0.35,
         "time_tariffs": [{"starting_at_minute": 0, "minute_price": 0},
                          {"starting_at_minute": 240, "minute_price": 0.10}],
         "max_charging_time": 720, "selector": {"country": ["FIN"]}}
ids = (f"RT-{n}" for n in itertools.count(1))


@pytest.fixture(scope="module")
def world(directory, token_keys):
    """A world of this module's own: what is published here would count everywhere."""
    w = World(directory / "retail")
    try:
        w.start(jwt_keys_file=token_keys.jwks_file)
        w.wait_for_evse("FI*VRT*E90000400*2")
        ok(w.hub.admin("PUT", "/vat/FI", json={"rate": 24, "valid_from": "2020-01-01",
                                               "vat_id": "FI12345678", "currency": "EUR"}))
        ok(w.hub.admin("PUT", "/vat/FI", json={"rate": 25.5, "valid_from": "2080-01-01"}))
        yield w
    finally:
        w.stop()
        shutil.rmtree(w.directory, ignore_errors=True)


@pytest.fixture(autouse=True)
def clean(world):
    """Nothing is published when a test begins, and every worker knows."""
    for item in ok(world.hub.admin("GET", "/retail-tariffs"))["items"]:
        if item["state"] == "published":
            world.hub.admin("POST", f"/retail-tariffs/{item['id']}/withdraw")
    evse = world.fresh_evse()
    user = User(world.hub)
    wait_until(lambda: all(ok(user.anew().evse(evse))["tariff"]["kwh_price"] not in (0.59, 0.11)
                           for _ in range(24)), 10, "everything to be withdrawn")


def publish(world, seen=True, **document):
    """Publishes a tariff and waits until every worker has it; as it was published."""
    document = {"id": next(ids), "version": 1, **FIXED, **document}
    document = {k: v for k, v in document.items() if v is not None}
    answer = ok(world.hub.admin("POST", "/retail-tariffs", json=document))
    if seen:
        evse, user = world.fresh_evse(), User(world.hub)
        price = document.get("kwh_price")
        wait_until(lambda: all(ok(user.anew().evse(evse))["tariff"]["kwh_price"] == price
                               for _ in range(24)), 10, "all workers to know it")
    return answer["document"]


def quote_of(world, session_id):
    rows = world.sql("SELECT document, hash, language, mode, retail_tariff, retail_version, country,"
                     " tariff IS NOT NULL FROM quote WHERE session_id = %s", session_id)
    return rows[0] if rows else None


# ---- publication ----


def refused(world, field, **document):
    body = problem(world.hub.admin("POST", "/retail-tariffs",
                                   json={"id": next(ids), "version": 1, **FIXED, **document}),
                   422, "validation_failed")
    assert [e["field"] for e in body["errors"]] == [field], body
    return body["errors"][0]["message"]


def test_a_vat_that_is_not_the_countrys_is_refused(world):
    message = refused(world, "vat", vat=19)
    assert "19" in message and "24" in message and "FIN" in message


def test_a_country_without_a_profile_is_refused(world):
    assert "SWE" in refused(world, "selector.country", selector={"country": ["FIN", "SWE"]})


def test_a_country_without_a_rate_is_refused(world):
    ok(world.hub.admin("PUT", "/vat/EST", json={"vat_id": "EE1"}))
    assert "EST" in refused(world, "selector.country", selector={"country": ["EST"]})


def test_a_tariff_for_all_countries_needs_one_that_has_its_rate(world):
    refused(world, "vat", vat=23, selector={"cpo": ["FI*VRT"]})


def test_a_future_tariff_is_held_against_the_future_rate(world):
    ok(world.hub.admin("PUT", "/vat/LVA", json={"rate": "21", "valid_from": "2020-01-01",
                                                "vat_id": "LV1"}))
    ok(world.hub.admin("PUT", "/vat/LVA", json={"rate": "22", "valid_from": "2090-01-01"}))
    for_latvia = {"selector": {"country": ["LVA"]}}
    publish(world, seen=False, vat=21, **for_latvia)
    refused(world, "vat", vat=22, **for_latvia)
    publish(world, seen=False, vat=22, valid_from="2090-01-01T00:00:00Z", **for_latvia)
    refused(world, "vat", vat=21, valid_from="2090-01-01T00:00:00Z", **for_latvia)


@pytest.mark.parametrize("country, new, before, after", [
    ("BGR", 8, "2089-12-31T23:59:59+02:00", "2090-01-01T00:00:00+02:00"),
    ("PER", 6, "2089-12-31T23:59:59-05:00", "2090-01-01T00:00:00-05:00"),
    ("USA", 4, "2089-12-31T23:59:59Z", "2090-01-01T00:00:00Z")])  # many clocks: by UTC
def test_the_rate_changes_at_the_countrys_midnight(world, country, new, before, after):
    ok(world.hub.admin("PUT", f"/vat/{country}", json={"rate": 9, "valid_from": "2020-01-01", "vat_id": "X1"}))
    ok(world.hub.admin("PUT", f"/vat/{country}", json={"rate": new, "valid_from": "2090-01-01"}))
    there = {"selector": {"country": [country]}}
    publish(world, seen=False, vat=9, valid_from=before, **there)
    assert "2089-12-31" in refused(world, "vat", vat=new, valid_from=before, **there)
    publish(world, seen=False, vat=new, valid_from=after, **there)
    assert "2090-01-01" in refused(world, "vat", vat=9, valid_from=after, **there)
    for_all = {"selector": {"cpo": ["FI*VRT"]}}
    publish(world, seen=False, vat=new, valid_from=after, **for_all)
    refused(world, "vat", vat=new, valid_from=before, **for_all)


@pytest.mark.parametrize("country, zone", [("WSM", "Pacific/Apia"), ("NIU", "Pacific/Niue")])
def test_a_rate_begins_on_the_countrys_own_day(world, country, zone):
    """One of the two has another date than UTC at any time."""
    today = lambda: str(datetime.now(ZoneInfo(zone)).date())  # noqa: E731
    before = today()
    ok(world.hub.admin("PUT", f"/vat/{country}", json={"rate": 15}))
    (rate,) = ok(world.hub.admin("GET", "/vat", params={"country": country}))["items"]
    assert rate["valid_from"] in (before, today())


def test_what_is_wrong_is_named(world):
    tiers = [{"starting_at_minute": 0, "minute_price": 0}, {"starting_at_minute": 9,
                                                            "minute_price": -1}]
    refused(world, "time_tariffs[1].minute_price", time_tariffs=tiers)
    refused(world, "kwh_prise", kwh_prise=1)


def test_a_version_never_changes(world):
    t = publish(world)
    again = ok(world.hub.admin("POST", "/retail-tariffs", json=t))
    assert again["published_now"] is False
    for change, field in (({"kwh_price": 0.60}, "version"), ({"version": 0}, "version")):
        body = problem(world.hub.admin("POST", "/retail-tariffs", json={**t, **change}), 422,
                       "validation_failed")
        assert body["errors"][0]["field"] == field
    for statement in ("UPDATE retail_tariff SET document = '{}' WHERE id = %s",
                      "UPDATE retail_tariff SET version = 9 WHERE id = %s",
                      "DELETE FROM retail_tariff WHERE id = %s"):
        with pytest.raises(psycopg2.Error):
            world.sql(statement, t["id"])


def test_vat_that_was_in_use_stays(world):
    past = world.hub.admin("PUT", "/vat/FI", json={"rate": 25.5, "valid_from": "2024-01-01"})
    assert problem(past, 422, "validation_failed")["errors"][0]["field"] == "valid_from"
    listed = ok(world.hub.admin("PUT", "/vat/fin", json={"rate": 25.5, "valid_from": "2080-01-01"}))
    assert [(i["rate"], i["valid_from"], i["valid_until"]) for i in listed["items"]] == [
        (24, "2020-01-01", "2080-01-01"), (25.5, "2080-01-01", None)]
    assert listed["profiles"] == [{"country": "FIN", "vat_id": "FI12345678", "currency": "EUR"}]


def test_what_vat_set_refuses(world):
    for body, field in (({"rate": 101}, "rate"), ({"rate": "x"}, "rate"), ({}, "rate"),
                        ({"rate": 1, "valid_from": "2026-02-30"}, "valid_from"),
                        ({"rate": 1, "valid_from": "2090-01-02", "valid_until": "2090-01-01"},
                         "valid_until"),
                        ({"rate": 1, "buyer": "both"}, "buyer"), ({"currency": "EUR"}, "vat_id")):
        answer = problem(world.hub.admin("PUT", "/vat/LTU", json=body), 422, "validation_failed")
        assert field in [e["field"] for e in answer["errors"]], (body, answer)
    problem(world.hub.admin("PUT", "/vat/ZZ", json={"rate": 1}), 422, "validation_failed")


def test_hubctl_publishes_lists_and_withdraws(world, tmp_path):
    def ctl(*args, status=0):
        done = subprocess.run([BUILD / "hub" / "hubctl", "--socket",
                               world.hub.settings["admin_socket"], *args], capture_output=True,
                              text=True, check=False, timeout=60)
        assert done.returncode == status, done.stdout + done.stderr
        return done.stdout if status == 0 else done.stderr

    file = tmp_path / "tariff.json"
    file.write_text(json.dumps({"id": "RT-CTL", "version": 1, **FIXED}), encoding="utf-8")
    assert "RT-CTL, version 1, is published." in ctl("retail", "publish", str(file))
    assert "already" in ctl("retail", "publish", str(file))
    row = next(line for line in ctl("retail", "list").splitlines() if "RT-CTL" in line)
    assert row.split()[:7] == ["RT-CTL", "1", "fixed", "published", "EUR", "24", "0.59"]
    assert "0.35" in ctl("retail", "show", "RT-CTL", "--version", "1")
    assert "withdrawn" in ctl("retail", "withdraw", "RT-CTL")
    ctl("retail", "withdraw", "RT-CTL", status=1)
    ctl("retail", "show", "RT-NONE", status=1)
    ctl("retail", "publish", str(tmp_path / "none.json"), status=1)
    ctl("vat", "set", "NO", "--rate", "25", "--since", "2020-01-01", "--vat-id", "NO1")
    assert "NOR" in ctl("vat", "list") and "FIN" not in ctl("vat", "list", "--country", "NO")


# ---- offers ----


def test_without_a_retail_tariff_the_networks_price_is_shown(world):
    user, evse = User(world.hub), world.fresh_evse()
    shown = ok(user.evse(evse))["tariff"]
    assert set(shown) == {"kwh_price", "session_price", "time_tariffs", "vat", "currency",
                          "max_charging_time"}
    assert (shown["kwh_price"], shown["session_price"], shown["vat"], shown["currency"]) in (
        (0.372, 0, 0.24, "EUR"), (0.558, 1.24, 0.24, "EUR"))
    session_id = user.started(evse)
    assert quote_of(world, session_id) is None
    # ... and yet the network's tariff as it stood is remembered.
    assert world.sql("SELECT count(*) FROM session_tariff WHERE session_id = %s",
                     session_id)[0][0] == 1


def test_an_offer_has_the_rate_of_the_day_at_the_place(world):
    """One of the two has another date than UTC at any time, and no midnight soon."""
    now = datetime.now(timezone.utc)
    zone = "Pacific/Kiritimati" if (now.hour, now.minute) >= (10, 30) else "Pacific/Niue"
    today = now.astimezone(ZoneInfo(zone)).date()
    tomorrow = today + timedelta(days=1)
    assert today != now.date()
    for rate, start, until in ((7, "2020-01-01", today), (14, today, tomorrow), (21, tomorrow, None)):
        ok(world.hub.admin("PUT", "/vat/SWE", json={
            "rate": rate, "valid_from": str(start), "valid_until": until and str(until), "vat_id": "SE1"}))
    for country, rate in (("CYP", 7), ("MLT", 14), ("IRL", 21)):  # somewhere it is any day's rate
        ok(world.hub.admin("PUT", f"/vat/{country}", json={"rate": rate, "valid_from": "2020-01-01",
                                                           "vat_id": "X1"}))
    cpo = Partner("SE", "DAY", "Day Power")
    try:
        cpo.register(world.hub)
        place = cpo.location(country="SWE", time_zone=zone)
        assert cpo.put(cpo.own("locations", place["id"]), place).json()["status_code"] == 1000
        evse, user = place["evses"][0]["evse_id"], User(world.hub)
        world.wait_for_evse(evse)
        for rate in (7, 14, 21):
            publish(world, seen=False, vat=rate, kwh_price=rate / 100, selector={"cpo": ["SE*DAY"]})
        wait_until(lambda: all((ok(user.anew().evse(evse))["tariff"] or {}).get("vat") == 0.14 for _ in range(24)),
                   10, "the offer by today's rate")
        assert ok(user.evse(evse))["tariff"]["kwh_price"] == 0.14
    finally:
        cpo.close()


def test_what_was_shown_is_what_counts(world):
    t = publish(world)
    user, evse = User(world.hub), world.fresh_evse()
    shown = ok(user.evse(evse))["tariff"]
    assert shown == {"kwh_price": 0.59, "session_price": 0.35, "vat": 0.24, "currency": "EUR",
                     "time_tariffs": [{"starting_at_minute": 0, "minute_price": 0},
                                      {"starting_at_minute": 240, "minute_price": 0.1}],
                     "max_charging_time": 720}
    session_id = ok(user.start(evse, headers={"Accept-Language": "de-AT, en;q=0.5"}))["session_id"]
    document, digest, language, mode, tariff, version, country, by_network = quote_of(world, session_id)
    assert hashlib.sha256(document.encode()).hexdigest() == digest
    assert (language, mode, tariff, version, country, by_network) == (
        "de", "fixed", t["id"], 1, "FIN", False)
    quote = json.loads(document, parse_float=Decimal)
    assert (quote["kwh_price"], quote["session_price"]) == (Decimal("0.59"), Decimal("0.35"))
    assert world.hub.inspect(session_id)["quote"]["document"]["id"] == t["id"]

    publish(world, id=t["id"], version=2, kwh_price=0.11)
    assert quote_of(world, session_id)[0] == document
    with pytest.raises(psycopg2.Error):
        world.sql("UPDATE quote SET document = '{}' WHERE session_id = %s", session_id)
    assert quote_of(world, ok(User(world.hub).start(world.fresh_evse()))["session_id"])[5] == 2


def test_a_repeated_start_has_one_quote(world):
    publish(world)
    user, evse = User(world.hub), world.fresh_evse()
    key = {"Idempotency-Key": "once"}
    first, second = (ok(user.start(evse, headers=key)) for _ in range(2))
    assert first == second
    assert world.sql("SELECT count(*) FROM quote WHERE session_id = %s",
                     first["session_id"])[0][0] == 1


def test_the_most_specific_tariff_is_chosen(world):
    evse, ac = world.fresh_evse(), world.fresh_evse(ac=True)
    member, other = User(world.hub), User(world.hub)
    ok(world.hub.admin("PUT", "/user-groups/staff", json={}))
    ok(world.hub.admin("POST", "/user-groups/staff/members", json={"user_id": member.sub}))
    publish(world, kwh_price=0.59)
    publish(world, seen=False, kwh_price=0.31, selector={"country": ["FIN"], "cpo": ["FI*VRT"],
                                                         "power_class": "AC"})
    publish(world, seen=False, kwh_price=0.21, selector={"country": ["FIN"],
                                                         "user_group": ["staff"]})
    publish(world, seen=False, kwh_price=0.01, selector={"country": ["FIN"], "cpo": ["FI*XYZ"]})

    def prices(user):
        return [ok(user.anew().evse(e))["tariff"]["kwh_price"] for e in (evse, ac)]

    wait_until(lambda: all(prices(member) == [0.21, 0.21] for _ in range(24)), 10, "the group's price")
    wait_until(lambda: all(prices(other) == [0.59, 0.31] for _ in range(24)), 10, "the others' price")
    gone = world.hub.admin("DELETE", "/user-groups/staff/members", params={"user_id": member.sub})
    assert ok(gone)["member"] is False
    assert prices(member) == [0.59, 0.31]


def test_another_countrys_tariff_does_not_count(world):
    ok(world.hub.admin("PUT", "/vat/DE", json={"rate": 19, "valid_from": "2021-01-01",
                                               "vat_id": "DE1"}))
    publish(world, seen=False, vat=19, kwh_price=0.02, selector={"country": ["DEU"]})
    publish(world, seen=False, vat=19, kwh_price=0.03, selector=None)
    publish(world, selector=None)  # of all countries, but its VAT is that of Finland
    assert ok(User(world.hub).evse(world.fresh_evse()))["tariff"]["kwh_price"] == 0.59


def test_a_version_of_tomorrow_waits(world):
    t = publish(world)
    publish(world, seen=False, id=t["id"], version=2, kwh_price=0.99,
            valid_from="2090-01-01T00:00:00Z", vat=25.5)
    evse, user = world.fresh_evse(), User(world.hub)
    assert all(ok(user.anew().evse(evse))["tariff"]["kwh_price"] == 0.59 for _ in range(24))


def test_a_markup_is_a_firm_price(world):
    evse, user = world.fresh_evse(), User(world.hub)
    passed = ok(user.evse(evse))["tariff"]
    publish(world, seen=False, mode="markup", kwh_price=None, session_price=None, time_tariffs=None,
            max_charging_time=60, markup={"percent": 10, "kwh_adder": 0.01})
    price = (Decimal(str(passed["kwh_price"])) * Decimal("1.1")).quantize(
        Decimal("0.0001")) + Decimal("0.01")
    wait_until(lambda: all(Decimal(str(ok(user.anew().evse(evse))["tariff"]["kwh_price"])) == price
                           for _ in range(24)), 10, f"the price {price}")
    session_id = user.started(evse)
    document, _, _, mode, _, _, _, by_network = quote_of(world, session_id)
    assert (mode, by_network) == ("markup", True)
    assert json.loads(document, parse_float=Decimal)["kwh_price"] == price
    user.stop(session_id)


# ---- limits ----


def stopped_for(world, user, session_id, cause):
    events = wait_until(lambda: [e for e in ok(user.show(session_id))["events"]
                                 if e["to"] == "stopping"], 20, f"a stop for {cause}")
    assert (events[0]["cause"], events[0]["by"]) == (cause, "hub"), events
    network_id = world.sql("SELECT network_session_id FROM session WHERE id = %s", session_id)[0][0]
    wait_until(lambda: [c for c in world.sim.commands("STOP_SESSION")
                        if c["body"]["session_id"] == network_id], 20, "STOP_SESSION")


def test_max_charging_time_stops(world):
    publish(world)
    user = User(world.hub)
    session_id = user.started(world.fresh_evse())
    assert world.sql("SELECT max_minutes FROM session_limit WHERE session_id = %s",
                     session_id) == [(720,)]
    wait_until(lambda: world.sql(
        "SELECT 1 FROM session_limit l JOIN session s ON s.id = l.session_id WHERE session_id = %s"
        " AND due_at - start_at BETWEEN interval '719 minutes' AND interval '721 minutes'",
        session_id), 10, "a planned look")
    world.sql("UPDATE session SET start_at = start_at - interval '12 hours', version = version + 1,"
              " created_at = created_at - interval '12 hours' WHERE id = %s", session_id)
    stopped_for(world, user, session_id, "max_charging_time")


def test_the_credit_limit_of_a_group_stops(world):
    publish(world, kwh_price=0.59)
    user = User(world.hub)
    ok(world.hub.admin("PUT", "/user-groups/poor", json={"credit_limit": 1.50, "currency": "EUR"}))
    ok(world.hub.admin("POST", "/user-groups/poor/members", json={"user_id": user.sub}))
    session_id = user.started(world.fresh_evse())
    assert world.sql("SELECT credit_minor, credit_currency FROM session_limit WHERE session_id = %s",
                     session_id) == [(150, "EUR")]
    stopped_for(world, user, session_id, "credit_limit")
    status = ok(user.status(session_id))
    assert Decimal(str(status["cost"])) >= Decimal("1.50")


def test_a_limit_is_reached_by_time_alone(world):
    """No update comes any more: the look at the right moment was planned at the last one."""
    publish(world, kwh_price=0, session_price=0,
            time_tariffs=[{"starting_at_minute": 0, "minute_price": 1.00}], max_charging_time=None)
    user = User(world.hub)
    ok(world.hub.admin("PUT", "/user-groups/timed", json={"credit_limit": 10, "currency": "EUR"}))
    ok(world.hub.admin("POST", "/user-groups/timed/members", json={"user_id": user.sub}))
    session_id = user.started(world.fresh_evse())
    due = wait_until(lambda: world.sql(
        "SELECT extract(epoch FROM due_at - start_at) FROM session_limit l JOIN session s"
        " ON s.id = l.session_id WHERE session_id = %s AND due_at > now() + interval '5 minutes'",
        session_id), 10, "a planned look")
    assert float(due[0][0]) == pytest.approx(9 * 60 + 1, abs=2)  # the tenth minute has begun
    world.sql("UPDATE session SET start_at = start_at - interval '10 minutes',"
              " version = version + 1 WHERE id = %s", session_id)
    stopped_for(world, user, session_id, "credit_limit")


# ---- the networks' tariffs ----


def test_a_slip_of_the_pen_is_held_until_somebody_approves(world):
    world.sim.post("/sim/tariff", id="T-SLIP", energy=30.0, text="too much")

    def found():
        return [i for i in ok(world.hub.admin("GET", "/tariffs/lint", params={"held": "true"}))["items"]
                if i["tariff_id"] == "T-SLIP"]

    item, = wait_until(found, 20, "the look at the tariff")
    assert item["held"] and item["owner"] == "FI*VRT"
    assert any(f["severity"] == "hold" for f in item["findings"]), item
    problem(world.hub.admin("POST", f"/tariffs/{item['tariff']}/approve", json={}), 422,
            "validation_failed")
    ok(world.hub.admin("POST", f"/tariffs/{item['tariff']}/approve",
                       json={"version": item["version"]}))
    assert not found()
    again = world.hub.admin("POST", f"/tariffs/{item['tariff']}/approve",
                            json={"version": item["version"]})
    problem(again, 404, "not_found")
