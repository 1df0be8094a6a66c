# SPDX-License-Identifier: Apache-2.0
"""
Locations: outcomes, and that only what changed is written and read again.
"""

import json
import time

import pytest


@pytest.fixture
def c(r):
    r.abc = r.connect("ABC", "CPO", "FI")
    return r


def evse(i, status="AVAILABLE", **more):
    return {"uid": f"E{i}", "evse_id": f"FI*ABC*X{i}", "status": status,
            "last_updated": "2026-01-01T00:00:00Z", "capabilities": ["RFID_READER"],
            "connectors": [{"id": "1", "max_electric_power": 22000}], **more}


def rows(c):
    """By uid: where the row lies (another place: it was written) and when it changed."""
    return {x["uid"]: (x["ctid"], x["updated_at"]) for x in c.rows(
        "SELECT uid, e.ctid::text, e.updated_at FROM evse e JOIN location l ON l.id = e.location"
        " WHERE l.location_id = 'L'")}


def written(before, after):
    return sorted(uid for uid in after if before.get(uid) != after[uid])


def column(c, uid, name):
    return c.row(f"SELECT e.{name} AS x FROM evse e JOIN location l ON l.id = e.location"
                 " WHERE l.location_id = 'L' AND uid = %s", uid)["x"]


def test_a_status_of_one_evse_of_a_thousand_writes_one_row(c):
    many = [evse(i) for i in range(1000)]
    assert c.location(c.abc, "ABC", "L", evses=many) == "created"
    before = rows(c)
    many[7] = evse(7, "CHARGING", last_updated="2026-01-01T00:01:00Z")
    begin = time.monotonic()
    assert c.location(c.abc, "ABC", "L", evses=many) == "replaced"
    took = [time.monotonic() - begin]
    after = rows(c)
    assert written(before, after) == ["E7"] and after["E7"][1] > before["E7"][1]
    assert column(c, "E7", "status") == "CHARGING"
    assert column(c, "E7", "last_updated").minute == 1
    for i in (8, 9):
        many[i] = evse(i, "CHARGING", last_updated="2026-01-01T00:01:00Z")
        begin = time.monotonic()
        assert c.location(c.abc, "ABC", "L", evses=many) == "replaced"
        took.append(time.monotonic() - begin)
    assert min(took) < 1, took


def test_the_index_feed_has_the_changed_evse_and_no_other(c):
    many = [evse(i) for i in range(5)]
    c.location(c.abc, "ABC", "L", evses=many)
    since = c.row("SELECT max(updated_at) AS at FROM evse")["at"]
    many[3] = evse(3, "BLOCKED")
    c.location(c.abc, "ABC", "L", evses=many)
    found = c.statement("evse_changes", since, 1 << 60, "", 100)
    assert [f["uid"] for f in found] == ["E3"]
    assert json.loads(found[0]["document"])["status"] == "BLOCKED"


@pytest.mark.parametrize("change", [dict(name="new"), dict(publish=False),
                                    dict(coordinates={"latitude": "1.0", "longitude": "2.0"})])
def test_what_all_evses_show_of_their_location_moves_all(c, change):
    c.location(c.abc, "ABC", "L", evses=[evse(0), evse(1)])
    before = rows(c)
    c.location(c.abc, "ABC", "L", evses=[evse(0), evse(1)], **change)
    assert written(before, rows(c)) == ["E0", "E1"]


def test_what_no_evse_shows_moves_none(c):
    c.location(c.abc, "ABC", "L", evses=[evse(0)])
    before = rows(c)
    assert c.location(c.abc, "ABC", "L", evses=[evse(0)], operator={"name": "x"}) == "replaced"
    assert written(before, rows(c)) == []


@pytest.mark.parametrize("change", [
    dict(capabilities=[]), dict(connectors=[{"id": "2"}]), dict(evse_id="FI*ABC*Y"),
    dict(last_updated="2026-02-01T00:00:00Z"), dict(floor_level="3")])
def test_any_change_of_an_evse_writes_that_one(c, change):
    c.location(c.abc, "ABC", "L", evses=[evse(0), evse(1)])
    before = rows(c)
    c.location(c.abc, "ABC", "L", evses=[evse(0, **change), evse(1)])
    assert written(before, rows(c)) == ["E0"]


def test_a_missing_evse_is_removed_once_and_may_come_back(c):  # R-LOC-02
    c.location(c.abc, "ABC", "L", evses=[evse(0), evse(1)])
    c.location(c.abc, "ABC", "L", evses=[evse(0)])
    assert column(c, "E1", "status") == "REMOVED"
    before = rows(c)
    c.location(c.abc, "ABC", "L", evses=[evse(0)], x=1)
    assert written(before, rows(c)) == []
    c.location(c.abc, "ABC", "L", evses=[evse(0), {**evse(1), "uid": "e1"}])
    assert column(c, "e1", "status") == "AVAILABLE"


def test_outcomes(c):  # R-TRANS-15
    early, late = c.later(), c.later()
    put = lambda at, version=0, older=True, body='{"id":"L"}', ocpi="2.2.1": c.value(
        "location_put", c.abc, "fi", "abc", "l", body, at, version, older, ocpi)
    assert put(early, 3) == "conflict"
    assert put(late) == "created"
    assert put(late) == "same"
    assert put(early) == "stale"
    assert put(late, ocpi="2.1.1") == "replaced"
    assert put(late, 9) == "conflict"
    assert put(late, 2, body='{"id":"L","name":"x"}') == "replaced"
    assert put(early, 0, False) == "replaced"


def test_columns_are_the_views_and_the_document_is_the_partners(c):
    c.location(c.abc, "ABC", "L", ocpi="2.1.1", evses=[{"uid": "E0", "status": "AVAILABLE"}],
               view={"publish": False, "name": "view", "evses": [evse(0, "CHARGING")]})
    (stored,) = c.statement("location_get", c.abc, "fi", "abc", "l")
    assert stored["ocpi"] == "2.1.1" and '"view"' not in stored["document"]
    assert c.row("SELECT name, published FROM location WHERE location_id = 'L'") == {
        "name": "view", "published": False}
    assert column(c, "E0", "status") == "CHARGING"


def test_a_new_connector_is_notified_and_a_status_is_not(c):
    with c.connection.cursor() as cursor:
        cursor.execute("LISTEN location")
    c.location(c.abc, "ABC", "L", evses=[evse(0)])
    c.location(c.abc, "ABC", "L", evses=[evse(0, "CHARGING")])
    c.location(c.abc, "ABC", "L", evses=[evse(0, connectors=[])])
    c.connection.poll()
    assert len(c.connection.notifies) == 2
    with c.connection.cursor() as cursor:
        cursor.execute("UNLISTEN location")


def test_a_page_of_a_pull_is_one_statement(c):
    count = c.statement("location_put_many", [c.abc] * 2, ["FI"] * 2, ["ABC"] * 2, ["P1", "P2"],
                        ['{"id":"P1"}', '{"id":"P2"}'], [c.now()] * 2, ["2.1.1", None],
                        ['{"id":"P1","name":"view"}', None])
    assert count[0]["stored"] == 2
    assert c.rows("SELECT location_id, ocpi, name FROM location WHERE location_id LIKE 'P_'"
                  " ORDER BY 1") == [
        {"location_id": "P1", "ocpi": "2.1.1", "name": "view"},
        {"location_id": "P2", "ocpi": "2.2.1", "name": None}]


# ---------------------------------------------------------------- tariffs

def test_every_version_of_a_tariff_stays_with_its_ocpi_version(c):
    c.tariff(c.abc, "ABC", "T", ocpi="2.1.1", price=1)
    c.tariff(c.abc, "ABC", "T", price=2, start_date_time="2026-05-01T00:00:00",
             end_date_time="not a time")
    kept = c.rows("SELECT version, ocpi FROM tariff_version ORDER BY version")
    assert [(k["version"], k["ocpi"]) for k in kept] == [(1, "2.1.1"), (2, "2.2.1")]
    row = c.row("SELECT * FROM tariff")
    assert (row["ocpi"], row["start_at"].isoformat(), row["end_at"]) == (
        "2.2.1", "2026-05-01T00:00:00+00:00", None)


@pytest.mark.parametrize("text, valid", [
    ("2026-01-02T03:04:05Z", True), ("2026-01-02T03:04:05.123Z", True),
    ("2026-01-02T03:04:05", True), ("2026-01-02T03:04:05+02:00", True),
    ("2026-13-45T00:00:00Z", False), ("2026-01-02", False), ("", False), ("infinity", False),
    ("2026-02-30T00:00:00Z", False), ("2026-01-02T99:00:00Z", False)])
def test_a_text_that_is_no_time_is_nothing(c, text, valid):
    assert (c.value("time_or_null", text) is not None) == valid
