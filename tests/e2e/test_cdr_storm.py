# SPDX-License-Identifier: Apache-2.0
"""
Many CDRs from many connections at once, each several times, while the hub is killed again and again.

In the end each CDR that is to be billed has one receipt, the numbers have no gap, the chain holds
and the ledger adds up to nothing (C19, C20, C21, I5, I6, I8).

STORM_CDRS: how many sessions are billed (600; 10 000 by hand), STORM_CONNECTIONS: by how many.
"""

import collections
import concurrent.futures
import json
import os
import random
import threading
import time
import uuid
from datetime import datetime, timedelta, timezone

import psycopg2
import psycopg2.extras
import pytest
import requests
from test_rules_transport import Cpo

COUNT = int(os.environ.get("STORM_CDRS", "600"))
CONNECTIONS = int(os.environ.get("STORM_CONNECTIONS", "20"))
KILLS = int(os.environ.get("STORM_KILLS", str(max(3, COUNT // 1000))))
DEADLINE_S = 60 + COUNT // 10


def prepare(world, cpo, count):
    """Sessions that wait for their CDR, each at a connector and with a token of its own; as many as
    users could not start in a minute."""
    place = cpo.location()
    cpo.store("locations", place)
    with psycopg2.connect(world.database_url) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT partner_id FROM party WHERE party_id = %s", (cpo.party,))
        partner = cursor.fetchone()[0]
        ids = [str(uuid.uuid4()) for _ in range(count)]
        psycopg2.extras.execute_values(cursor, (
            "INSERT INTO session (id, state, last_event, connector_held, profiles, substatus, user_id, evse_id,"
            " network, partner_id, country_code, party_id, location_id, evse_uid, connector_id, token_uid, currency,"
            " start_grace_s, start_deadline_at, created_at, updated_at) VALUES %s"), [
                (i, "pending", "start", True, False, "command_queued", f"u{n}", f"DE*STO*E{n}", "Storm", partner,
                 cpo.country, cpo.party, place["id"], f"E{n}", "1", f"T{n}", "EUR", 120, at(3600), at(-900), at(-900))
                for n, i in enumerate(ids)], page_size=1000)
        psycopg2.extras.execute_values(cursor, (
            "INSERT INTO session_event (session_id, seq, at, to_state, substatus, event, rule, cause, by) VALUES %s"),
            [(i, 1, at(-900), "pending", "command_queued", "start", "1", "start", "user:u") for i in ids],
            page_size=1000)
    connection.close()
    return ids, place


def at(seconds):
    return (datetime.now(timezone.utc) + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")


def record(cpo, place, number, session_id, kwh=10.0, **changes):
    start, end = at(-900), at(-300)
    net = round(0.3 * kwh, 4)
    return {
        "country_code": cpo.country, "party_id": cpo.party, "id": f"C-{number}", "start_date_time": start,
        "end_date_time": end, "auth_method": "COMMAND", "authorization_reference": session_id,
        "cdr_token": {"country_code": "FI", "party_id": "HUB", "uid": f"T{number}", "type": "APP_USER",
                      "contract_id": f"FI-HUB-C{number:08d}"},
        "cdr_location": {"id": place["id"], "address": "Teststrasse 1", "city": "Berlin", "country": "DEU",
                         "coordinates": place["coordinates"], "evse_uid": f"E{number}", "evse_id": f"DE*STO*E{number}",
                         "connector_id": "1", "connector_standard": "IEC_62196_T2_COMBO", "connector_format": "CABLE",
                         "connector_power_type": "DC"},
        "currency": "EUR", "tariffs": [cpo.tariff("T-STORM", last_updated="2026-01-01T00:00:00Z")],
        "charging_periods": [{"start_date_time": start, "dimensions": [
            {"type": "ENERGY", "volume": kwh}, {"type": "TIME", "volume": 0.1667}]}],
        "total_cost": {"excl_vat": net, "incl_vat": round(net * 1.19, 4)}, "total_energy": kwh, "total_time": 0.1667,
        "last_updated": end, **changes}


class Poster:
    """A connection of the CPO that goes on until it has an answer, whatever happens to the hub."""

    def __init__(self, cpo, stop_at):
        self.cpo, self.stop_at = cpo, stop_at
        self.session = requests.Session()
        self.answers = collections.Counter()

    def post(self, cdr):
        raw = json.dumps(cdr)
        while time.monotonic() < self.stop_at:
            try:
                answer = self.session.post(self.cpo.url("cdrs"), data=raw, timeout=20, headers={
                    **self.cpo.headers(), "Content-Type": "application/json"})
            except requests.RequestException:
                self.answers["unanswered"] += 1
                time.sleep(random.uniform(0.05, 0.3))
                continue
            if answer.status_code in (200, 201) and answer.json()["status_code"] == 1000:
                self.answers[answer.status_code] += 1
                return answer
            assert answer.status_code in (429, 500, 502, 503), answer.text
            self.answers["later"] += 1
            time.sleep(random.uniform(0.05, 0.3))
        raise AssertionError(f"no answer in time for {cdr['id']}")


@pytest.mark.timeout(DEADLINE_S + 240)
def test_a_storm_of_cdrs_with_kills_in_between(make_world):
    world = make_world(sim=False, workers=2, power_tolerance=10, cancellation_hold="72h")
    cpo = Cpo("2.2.1", "DE", "STO")
    cpo.register(world.hub)
    dice = random.Random(20261121)
    try:
        ids, place = prepare(world, cpo, COUNT)
        # What becomes of each: most are billed; some are wrong; some are credited, and most of those
        # replaced. A story is told in its order, and all of it again at random.
        stories, expected = [], collections.Counter()
        for n, session_id in enumerate(ids):
            kind = dice.choices(["right", "wrong", "credited", "replaced", "unknown"], [80, 5, 4, 8, 3])[0]
            cdr = record(cpo, place, n, session_id, kwh=dice.randint(1000, 20000) / 1000)
            story = [cdr]
            expected["receipt"] += 1
            if kind == "wrong":
                cdr["total_energy"] += 1
                expected["receipt"] -= 1
                expected["quarantined"] += 1
            elif kind == "unknown":
                cdr["authorization_reference"] = str(uuid.uuid4())
                cdr["cdr_token"]["uid"] = f"X{n}"
                expected["receipt"] -= 1
                expected["unmatched"] += 1
            elif kind in ("credited", "replaced"):
                story.append({**cdr, "id": f"K-{n}", "credit": True, "credit_reference_id": cdr["id"],
                              "total_cost": {k: -v for k, v in cdr["total_cost"].items()}})
                expected["credit"] += 1
                if kind == "replaced":
                    story.append(record(cpo, place, n, session_id, kwh=cdr["total_energy"], id=f"R-{n}"))
                    expected["receipt"] += 1
                    expected["cancellation"] += 1
            stories.append(story)
        seen, lock = [], threading.Lock()
        stop_at = time.monotonic() + DEADLINE_S

        def connection(number):
            poster, mine = Poster(cpo, stop_at), random.Random(number)
            for story in stories[number::CONNECTIONS]:
                for cdr in story:
                    poster.post(cdr)
                    with lock:
                        seen.append(cdr)
                    for _ in range(mine.choice([0, 0, 1, 2])):  # again, this one or any that was sent
                        poster.post(mine.choice([cdr, mine.choice(seen)]))
            return poster.answers

        began = time.monotonic()
        with concurrent.futures.ThreadPoolExecutor(CONNECTIONS) as pool:
            posting = [pool.submit(connection, n) for n in range(CONNECTIONS)]
            # In this thread: a hub does not outlive the one that started it.
            killed = 0
            while killed < KILLS:
                pause = max(1.0, COUNT / 1200) * random.uniform(0.5, 1.5)
                if not concurrent.futures.wait(posting, pause).not_done:
                    break
                world.hub.kill()
                world.hub.start()
                killed += 1
            answers = sum((p.result() for p in posting), collections.Counter())
        took = time.monotonic() - began
        print(f"{COUNT} sessions, {sum(map(len, stories))} CDRs, {dict(answers)}, {killed} kills, {took:.1f} s")
        assert answers[200] > 0 and answers["unanswered"] + answers["later"] > 0, "nothing was repeated or killed"
        assert killed > 0

        one = lambda sql, *v: world.sql(sql, *v)[0][0]  # noqa: E731
        assert one("SELECT count(*) FROM cdr") == sum(map(len, stories))
        for filed in ("quarantined", "unmatched", "credit"):
            assert one("SELECT count(*) FROM cdr WHERE filed = %s", filed) == expected[filed], filed
        assert one("SELECT count(*) FROM cdr WHERE filed = 'billed'") == expected["receipt"]
        assert one("SELECT count(*) FROM receipt WHERE kind = 'receipt'") == expected["receipt"]
        assert one("SELECT count(*) FROM receipt WHERE kind = 'cancellation'") == expected["cancellation"]
        assert one("SELECT count(*) FROM receipt_cancellation WHERE issued_at IS NULL") == (
            expected["credit"] - expected["cancellation"])
        assert not world.sql("SELECT cdr FROM receipt GROUP BY cdr HAVING count(*) > 1")
        total = expected["receipt"] + expected["cancellation"]
        assert world.sql("SELECT min(seq), max(seq), count(DISTINCT seq) FROM receipt") == [(1, total, total)]
        (series, year), = world.sql("SELECT series, year FROM receipt_series")
        assert world.sql("SELECT rows, broken FROM receipt_verify(%s, %s, 0, '', 10000000)", series, year) == [
            (total, None)]
        assert not world.sql("SELECT * FROM ledger_check()")
        assert not world.sql("SELECT * FROM finance_check('-infinity', 'infinity')")
        # The sum of receipts is the sum of the CDRs that count, to the cent, by two ways.
        billed = one("SELECT sum(round(total_cost_u6::numeric / 10000)) FROM cdr WHERE filed = 'billed'")
        billed -= one("SELECT coalesce(sum(r.amount_minor), 0) FROM receipt_cancellation w JOIN receipt r"
                      " ON r.id = w.receipt WHERE w.issued_at IS NOT NULL")
        assert one("SELECT sum(amount_minor) FROM receipt") == billed
        assert one("SELECT sum(amount_u6) / 10000 FROM ledger_line WHERE account = 'receivable'") == billed
        assert not [o for o in world.oracles() if "I19" not in o], world.oracles()
    finally:
        cpo.close()
