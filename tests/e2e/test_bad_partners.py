# SPDX-License-Identifier: Apache-2.0
"""
Partners that say what no partner should, or all at once: it costs them their connection at most,
never the hub.
"""

import contextlib
import copy
import json
import time
from concurrent.futures import ThreadPoolExecutor

import psycopg2
import pytest
import requests
from emsp_partner import Party
from harness import World, ok, wait_until
from partner import now
from test_versions_inbound import VERSIONS, Speaker, done

JUNK = ["x" * 60000] * 15  # of no field
HUGE = 1e200  # six bytes here, 201 digits where a database writes it out


@pytest.fixture(scope="module")
def world(directory):
    w = World(directory / "bad-partners")
    try:
        w.start(sim=False)
        yield w
    finally:
        w.stop()


def all_workers_know(hub, name):
    """The register is read every few seconds, and when it has changed."""
    time.sleep(1)
    hub.check_log()
    wait_until(lambda: all(any(p["name"] == name for p in ok(hub.admin("GET", "/partners"))["items"]) for _ in range(24)),
               5, "every worker to know it")


@pytest.mark.parametrize("version", VERSIONS)
def test_what_a_partner_adds_to_its_credentials_is_not_kept(world, version):
    pids = world.hub.worker_pids()
    party = "A" + version.replace(".", "")[1:]
    p = Speaker(version, "DE", party)
    p.invited(world.hub)
    body = json.dumps(p.credentials()).replace('"name"', f'"more": {HUGE}, "name"', 1)
    p.token = done(p.post(p.credentials_url, raw=body.encode()))["token"]
    wait_until(lambda: p.get(p.credentials_url).status_code == 200, 5, "the new token")
    all_workers_know(world.hub, p.name)
    assert world.hub.worker_pids() == pids
    assert world.sql("SELECT details::text FROM party WHERE party_id = %s", party) == \
        [(json.dumps({"name": p.name}),)]


def test_a_partner_that_cannot_be_read_keeps_nobody_else_out(world):
    pids = world.hub.worker_pids()
    bad, good = Speaker("2.2.1", "DE", "BAD"), Speaker("2.2.1", "DE", "GUD")
    bad.register(world.hub)
    good.register(world.hub)
    world.sql("UPDATE party SET details = '{\"more\": 1e200}' WHERE party_id = 'BAD'")
    world.sql("SELECT partner_changed()")
    wait_until(lambda: bad.get(bad.credentials_url).status_code == 401, 5, "the register to be read")
    all_workers_know(world.hub, good.name)
    assert good.get(good.credentials_url).status_code == 200
    assert world.hub.worker_pids() == pids
    world.sql("UPDATE party SET details = '{}' WHERE party_id = 'BAD'")
    world.sql("SELECT partner_changed()")
    wait_until(lambda: bad.get(bad.credentials_url).status_code == 200, 5, "the register to be read")


@pytest.mark.parametrize("version", VERSIONS)
def test_the_evses_of_a_location_change_at_once_and_no_change_is_lost(world, version):
    p = Speaker(version, "DE", "B" + version.replace(".", "")[1:])
    p.register(world.hub)
    location = p.location("BUSY")
    location["evses"] = [{**copy.deepcopy(location["evses"][0]), "uid": f"U{i}",
                          "evse_id": f"DE*{p.party}*EBUSY{i}"} for i in range(12)]
    done(p.put(p.own("locations", "BUSY"), location), 201)

    def patch(i):
        for status in ("CHARGING", "BLOCKED", "AVAILABLE", "CHARGING"):
            answer = p.patch(p.own("locations", "BUSY", f"U{i}"),
                             {"status": status, "last_updated": now(micros=True)})
            if answer.status_code != 200 or answer.json()["status_code"] != 1000:
                return answer.text
        return None

    with ThreadPoolExecutor(len(location["evses"])) as pool:
        assert [a for a in pool.map(patch, range(len(location["evses"]))) if a] == []
    stored = done(p.get(p.own("locations", "BUSY")))
    assert [e["status"] for e in stored["evses"]] == ["CHARGING"] * len(location["evses"])


def test_a_tariff_is_patched_at_once_by_many_and_no_change_is_lost(world):
    """R-TAR-15, R-TRANS-11: PATCH of a Tariff is one of 2.1.1."""
    p = Speaker("2.1.1", "DE", "BT1")
    p.register(world.hub)
    done(p.put(p.own("tariffs", "T"), p.tariff("T")), 201)
    with ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(lambda i: p.patch(p.own("tariffs", "T"), {f"x{i}": i}), range(12)))
    assert [a.text for a in answers if a.status_code != 200 or a.json()["status_code"] != 1000] == []
    stored = done(p.get(p.own("tariffs", "T")))
    assert {k: v for k, v in stored.items() if k.startswith("x")} == {f"x{i}": i for i in range(12)}


def waiting(world, statement):
    return world.sql("SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND position(%s IN query) > 0",
                     statement)


def hold_up(world, table, party, send):
    """Sends what takes an object as it is; another writes it, in a later second, before that is stored."""
    with contextlib.closing(psycopg2.connect(world.database_url)) as other, other.cursor() as cursor, \
            ThreadPoolExecutor(1) as pool:
        cursor.execute(f"SELECT id, document FROM {table} WHERE party_id = %s FOR UPDATE", (party,))
        ((number, document),) = cursor.fetchall()
        sent = pool.submit(send)
        wait_until(lambda: waiting(world, f"{table}_put"), 5, "the PATCH to wait")
        time.sleep(1.1)
        at = now()
        cursor.execute(f"UPDATE {table} SET version = version + 1, last_updated = %s, document = %s WHERE id = %s",
                       (at, json.dumps({**json.loads(document), "last_updated": at}), number))
        other.commit()
        return sent.result()


@pytest.mark.parametrize("module, table, party, change", [
    ("locations", "location", "BT2", {"name": "Other"}), ("tariffs", "tariff", "BT3", {"currency": "SEK"}),
    ("tokens", "roaming_token", "BT4", {"valid": False})])
def test_a_patch_that_says_no_time_is_not_older_than_what_came_between(world, module, table, party, change):
    """R-TRANS-12, R-TRANS-15: the hub, which has to try again, has given it the time of its receipt."""
    if module == "tokens":
        p = Party("DE", party, "Patcher", "2.1.1", "EMSP")
        document = p.own_token("T")
    else:
        p = Speaker("2.1.1", "DE", party)
        document = getattr(p, table)("T")
    p.register(world.hub)
    url = p.url(module, p.country, p.party, "T")
    done(p.put(url, document), 201)
    done(hold_up(world, table, party, lambda: p.patch(url, change)))
    stored = done(p.get(url))
    assert {k: stored[k] for k in change} == change


def test_a_tariff_that_is_deleted_while_it_is_patched_stays_deleted(world):
    """R-TAR-16: what was read before is not there any more."""
    p = Speaker("2.1.1", "DE", "BT5")
    p.register(world.hub)
    url = p.own("tariffs", "T")
    done(p.put(url, p.tariff("T")), 201)

    with contextlib.closing(psycopg2.connect(world.database_url)) as other, other.cursor() as cursor, \
            ThreadPoolExecutor(2) as pool:
        cursor.execute("SELECT FROM tariff WHERE party_id = 'BT5' FOR UPDATE")
        deleted = pool.submit(requests.delete, url, headers=p.headers(), timeout=30)
        wait_until(lambda: waiting(world, "UPDATE tariff "), 5, "the DELETE to wait")
        patched = pool.submit(p.patch, url, {"currency": "SEK"})
        wait_until(lambda: waiting(world, "tariff_put"), 5, "the PATCH to wait behind it")
        other.rollback()
        done(deleted.result())
        assert patched.result().status_code == 404
    assert p.get(url).status_code == 404


def the_later_one_wins(p, url, document, change):
    """Whether what comes later and says an earlier time is taken."""
    done(p.put(url, {**document, **change, "last_updated": now(-1000)}))
    stored = done(p.get(url))
    return {k: stored[k] for k in change} == change


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("module, change", [("tariffs", {"currency": "SEK"}), ("tokens", {"valid": False})])
def test_the_later_push_wins_where_the_clock_means_nothing(world, version, module, change):
    """R-TRANS-15: of Tariffs and Tokens as of the others."""
    party = f"C{version[2]}{module[1].upper()}"
    if module == "tokens":
        p = Party("DE", party, f"No clock {party}", version, "EMSP")
        document = p.own_token("T", last_updated=now(-10))
    else:
        p = Speaker(version, "DE", party)
        document = {**p.tariff("T"), "last_updated": now(-10)}
    p.register(world.hub)
    url = p.url(module, p.country, p.party, "T")
    done(p.put(url, document), 201)
    assert not the_later_one_wins(p, url, document, change)
    assert p.put(url, {**document, "last_updated": now(3 * 86400)}).json()["status_code"] == 2001
    ((number,),) = world.sql("SELECT partner_id FROM party WHERE party_id = %s", party)
    world.hub.ctl("partner", "quirk", str(number), "unreliable_clock")
    world.hub.workers_know(str(number), quirks=lambda has: has.get("unreliable_clock"))
    assert the_later_one_wins(p, url, document, change)
    done(p.put(url, {**document, **change, "last_updated": now(3 * 86400)}))
    if module == "tokens" or version == "2.1.1":  # R-TAR-15
        back = {k: document[k] for k in change}
        done(p.patch(url, {**back, "last_updated": now(-2000)}))
        assert {k: done(p.get(url))[k] for k in change} == back


def grow(change, most_bytes):
    """Changes go well until the object would have more than most_bytes: then 413, each time."""
    for i in range(most_bytes // 900_000 + 3):
        answer = change(i)
        if answer.status_code == 413:
            assert answer.json()["status_code"] == 2000
            assert "accepted" in answer.json()["status_message"]
            assert change(i).status_code == 413
            return
        assert answer.status_code in (200, 201) and answer.json()["status_code"] == 1000, answer.text
        assert i * 900_000 < most_bytes
    raise AssertionError("it grew beyond its bounds")


@pytest.mark.parametrize("version", VERSIONS)
def test_no_object_grows_part_by_part_until_nobody_can_read_it(world, version):
    pids = world.hub.worker_pids()
    p = Speaker(version, "DE", "C" + version.replace(".", "")[1:])
    p.register(world.hub)
    location = p.location("GROWS")
    evse = location["evses"][0]
    session = p.session("GROWS")
    done(p.put(p.own("locations", "GROWS"), location), 201)
    done(p.put(p.own("sessions", "GROWS"), session), 201)
    grow(lambda i: p.patch(p.own("sessions", "GROWS"), {f"more{i}": JUNK, "last_updated": now()}),
         2 * 1024 * 1024)
    grow(lambda i: p.put(p.own("locations", "GROWS", f"U{i}"),
                         {**evse, "uid": f"U{i}", "evse_id": f"DE*{p.party}*EGROWS{i}", "more": JUNK}),
         4 * 1024 * 1024)
    assert done(p.get(p.own("sessions", "GROWS")))["id"] == "GROWS"
    assert len(done(p.get(p.own("locations", "GROWS")))["evses"]) > 1
    world.hub.check_log()
    assert world.hub.worker_pids() == pids


def test_a_token_stays_small(world):
    p = Speaker("2.2.1", "NL", "TOK", role="EMSP")
    p.register(world.hub)
    url = f"{world.hub.url}/ocpi/cpo/2.2.1/tokens/NL/TOK/T1"
    token = {"country_code": "NL", "party_id": "TOK", "uid": "T1", "type": "RFID", "valid": True,
             "contract_id": "NL-TOK-T1", "issuer": "Tok", "whitelist": "ALLOWED", "last_updated": now(-60)}
    done(p.put(url, token), 201)
    assert p.patch(url, {"more": "x" * 40000, "last_updated": now()}).status_code == 413
    assert done(p.get(url))["uid"] == "T1"


def test_a_partner_with_large_answers_ends_its_test_and_no_more(world):
    p = Speaker("2.2.1", "DE", "LRG")
    p.register(world.hub)
    number = world.sql("SELECT partner_id FROM party WHERE party_id = 'LRG'")[0][0]
    wait_until(lambda: all(p.requests("GET", f"/2.2.1/{m}") for m in ("locations", "cdrs")), 10, "the pulls")
    pids = world.hub.worker_pids()
    large = json.dumps(p.envelope([{"id": str(i), "more": "x" * 60000} for i in range(130)])).encode()
    for method in ("GET", "PUT", "POST", "PATCH", "DELETE"):
        p.scripted[(method, "/2.2.1/")] = lambda _: (200, large)
    test = ok(world.hub.admin("POST", f"/partners/{number}/test", json={"full": True}), 202)["test_id"]

    def finished():
        found = ok(world.hub.admin("GET", f"/partners/{number}/tests/{test}"))
        return found if found["state"] == "finished" else None

    checks = wait_until(finished, 60, "the test to end")["checks"]
    assert [c["got"] for c in checks if c["name"] == "test.complete"] == \
        ["the partner's answers are too large to go on"]
    world.hub.check_log()
    assert world.hub.worker_pids() == pids
