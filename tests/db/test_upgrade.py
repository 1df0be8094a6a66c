# SPDX-License-Identifier: Apache-2.0
"""
A database of an older release, with data in it, becomes one of this release.
"""

import json

import psycopg2
import psycopg2.extras
import pytest

from model import MIGRATIONS

LAST = 9 # the last migration of the release before OCPI in several versions


@pytest.fixture
def old(url):
    """A database of that release on the same server."""
    admin = psycopg2.connect(url)
    admin.autocommit = True
    with admin.cursor() as cursor:
        cursor.execute("DROP DATABASE IF EXISTS upgrade WITH (FORCE)")
        cursor.execute("CREATE DATABASE upgrade")
    connection = psycopg2.connect(url, dbname="upgrade",
                                  cursor_factory=psycopg2.extras.RealDictCursor)
    connection.autocommit = True
    apply(connection, 1, LAST)
    yield connection
    connection.close()
    with admin.cursor() as cursor:
        cursor.execute("DROP DATABASE upgrade WITH (FORCE)")
    admin.close()


def apply(connection, first, last):
    for path in sorted(MIGRATIONS.glob("*.sql")):
        if first <= int(path.name[:3]) <= last:
            rows(connection, path.read_text(encoding="utf-8"))


def rows(connection, sql, *values):
    with connection.cursor() as cursor:
        cursor.execute(sql, values or None)
        return cursor.fetchall() if cursor.description else []


def test_a_database_with_data_is_upgraded(old):
    (partner,) = rows(old, "SELECT partner_invite('CPO', 'FI', 'ABC', 'CPO', 'h', 'FI', 'HUB') AS id")
    partner = partner["id"]
    endpoints = json.dumps([{"identifier": m, "role": "SENDER", "url": f"https://x/{m}"}
                            for m in ("locations", "sessions")])
    rows(old, "SELECT partner_registered(%s, NULL, 'CPO', '2.2.1', 'https://x/v', 'sealed', 'h2',"
              " 'raw', %s, %s, 'FI', 'HUB', true)", partner, endpoints,
         json.dumps([{"role": "CPO", "country_code": "FI", "party_id": "ABC",
                      "business_details": {"name": "Virta"}}]))
    place = {"id": "L", "publish": True, "evses": [
        {"uid": "E", "evse_id": "FI*ABC*E", "status": "AVAILABLE", "connectors": [{"id": "1"}]}]}
    put = ("SELECT location_put(%s, 'FI', 'ABC', 'L', %s, '2026-01-01T00:00:00Z', 0, true)"
           " AS outcome")
    rows(old, put, partner, json.dumps(place))
    rows(old, "SELECT tariff_put(%s, 'FI', 'ABC', 'T', %s, '2026-01-01T00:00:00Z')", partner,
         '{"id":"T","end_date_time":"2026-03-01T00:00:00Z"}')
    rows(old, "SELECT network_session_put(%s, 'FI', 'ABC', 'S', '{}', 'h', 0, now(), 'ACTIVE', now(),"
              " NULL, 1, NULL, 'EUR', 'T', NULL, 'L', 'E', '1', false, false)", partner)
    rows(old, "SELECT cdr_put(%s, 'FI', 'ABC', 'C', '{}', 'h', 'p', NULL, 'T', NULL, 'E', 'L',"
              " now(), now(), 1, 1, 1, true, 'EUR', false, NULL, now(), true, NULL, 'FI-HUB')",
         partner)

    apply(old, LAST + 1, 999)

    for table in ("location", "tariff", "tariff_version", "network_session", "cdr"):
        assert [r["ocpi"] for r in rows(old, f"SELECT ocpi FROM {table}")] == ["2.2.1"], table
    assert rows(old, "SELECT owner FROM location")[0]["owner"] == "fi*abc"
    assert rows(old, "SELECT end_at FROM tariff")[0]["end_at"].month == 3
    row = rows(old, "SELECT * FROM partner")[0]
    assert (row["state"], row["face"], row["hub"], row["needs_resync"]) == (
        "connected", "emsp", False, False)
    assert row["state_since"] == row["registered_at"]
    assert rows(old, "SELECT owner, name FROM party") == [{"owner": "fi*abc", "name": "Virta"}]
    assert rows(old, "SELECT * FROM push_target") == []
    # And it works on: the same is the same, what differs is written.
    assert rows(old, put, partner, json.dumps(place))[0]["outcome"] == "same"
    place["evses"][0]["status"] = "CHARGING"
    assert rows(old, put, partner, json.dumps(place))[0]["outcome"] == "replaced"
    assert rows(old, "SELECT status FROM evse")[0]["status"] == "CHARGING"


def test_partners_that_receive_are_told_after_the_upgrade(old):
    rows(old, "INSERT INTO partner (name, state, version, token_out, endpoints) VALUES"
              " ('P', 'connected', '2.2.1', 'sealed',"
              " '[{\"identifier\":\"tariffs\",\"role\":\"RECEIVER\",\"url\":\"https://x\"}]')")
    apply(old, LAST + 1, 999)
    assert [r["module"] for r in rows(old, "SELECT module FROM push_target")] == ["tariffs"]


def test_an_old_credit_takes_back_what_its_original_had_whatever_its_sign(old):
    apply(old, LAST + 1, 19)
    (partner,) = rows(old, "SELECT partner_invite('CPO', 'FI', 'ABC', 'CPO', 'h', 'FI', 'HUB') AS id")
    for name, total, credits in (("A", 7200000, None), ("A-C", 7200000, "A"),
                                 ("B", 5950000, None), ("B-C", -5950000, "B")):
        rows(old, "SELECT cdr_put(%s, 'FI', 'ABC', %s, '{}', %s, %s, NULL, 'T', NULL, 'E', 'L',"
                  " now(), now(), 1, %s, %s, true, 'EUR', %s, %s, now(), true, NULL, 'FI-HUB')",
             partner["id"], name, name, name, total, total // 2, credits is not None, credits)
    place = {"id": "L", "publish": True, "evses": [
        {"uid": "E", "evse_id": "FI*ABC*E", "status": "AVAILABLE", "connectors": [{"id": "1"}]}]}
    rows(old, "SELECT location_put(%s, 'FI', 'ABC', 'L', %s, now(), 0, true)", partner["id"],
         json.dumps(place))
    session = "11111111-1111-1111-1111-111111111111"
    rows(old, "SELECT session_start(%s, 'u', NULL, 'FI*ABC*E', 'CPO', %s, 'FI', 'ABC', 'L', 'E', '1',"
              " '{}', true, 0, NULL, 'EUR', 9, 120, false, 'FI-HUB', NULL, 'user:u', 'POST', '/', 'b',"
              " '{}')", session, partner["id"])
    rows(old, "UPDATE cdr c SET session_id = %s, accepted_at = now(),"
              " filed = CASE WHEN credit THEN 'credit' ELSE 'billed' END,"
              " credited_by = (SELECT id FROM cdr x WHERE x.credit_reference_id = c.cdr_id)", session)

    apply(old, 20, 999)

    assert rows(old, "SELECT cdr_id, cdr_net(c) AS net, cdr_gross(c) AS gross FROM cdr c"
                     " WHERE owed_at IS NOT NULL ORDER BY cdr_id") == [
        {"cdr_id": "A", "net": 3600000, "gross": 7200000},
        {"cdr_id": "A-C", "net": -3600000, "gross": -7200000},
        {"cdr_id": "B", "net": 2975000, "gross": 5950000},
        {"cdr_id": "B-C", "net": -2975000, "gross": -5950000}]
