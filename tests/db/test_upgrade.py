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
