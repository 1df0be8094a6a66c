# SPDX-License-Identifier: Apache-2.0
"""
Retail in the database: VAT by day, tariffs that never change, what a start keeps, and when somebody
has to look at a limit.
"""

import datetime
import json
import random
import uuid

import psycopg2
import pytest

QUOTE = json.dumps({"id": "RT", "version": 1, "currency": "EUR", "vat": 24, "kwh_price": 0.59})


@pytest.fixture
def vat(m):
    m.rows("DELETE FROM vat_rate")

    def rate(value, start, until=None, buyer="consumer", country="FIN"):
        return m.value("vat_rate_set", country, buyer, value, start, until, "t",
                       types={2: "numeric", 3: "date", 4: "date"})

    return rate


def rates(m, country="FIN"):
    return [(str(r["valid_from"]), r["valid_until"] and str(r["valid_until"]), int(r["rate"]))
            for r in m.rows("SELECT * FROM vat_rate WHERE country = %s ORDER BY buyer, valid_from",
                            country)]


def at(m, day, buyer="consumer"):
    return m.rows("SELECT vat_rate_at('FIN', %s, %s::date) AS rate", buyer, day)[0]["rate"]


# ---------------------------------------------------------------- VAT

def test_a_rate_closes_the_one_before(m, vat):
    assert vat(24, "2013-01-01") == "set"
    assert vat(25, "2090-09-01") == "set"
    assert rates(m) == [("2013-01-01", "2090-09-01", 24), ("2090-09-01", None, 25)]
    assert [at(m, d) for d in ("2012-12-31", "2013-01-01", "2090-08-31", "2090-09-01")] == [
        None, 24, 24, 25]


def test_a_passing_rate_stands_between_two_of_the_usual(m, vat):
    vat(24, "2013-01-01")
    assert vat(10, "2090-01-01", "2090-05-01") == "set"
    assert rates(m) == [("2013-01-01", "2090-01-01", 24), ("2090-01-01", "2090-05-01", 10),
                        ("2090-05-01", None, 24)]


def test_days_that_have_begun_keep_their_rate(m, vat):
    vat(24, "2013-01-01")
    assert vat(25, "2014-01-01") == "past"
    assert vat(24, "2014-01-01") == "set" and at(m, "2013-06-01") == 24
    assert vat(20, "2000-01-01", "2013-01-01") == "set"
    assert at(m, "2012-12-31") == 20 and at(m, "2013-01-01") == 24


@pytest.mark.parametrize("country, outcome", [("FIN", "past"), ("SWE", "set")])
def test_a_day_that_has_begun_at_the_place_keeps_its_rate(m, vat, country, outcome):
    """In Helsinki it is tomorrow two hours before UTC has it, and there may be receipts."""
    vat(24, "2013-01-01")
    m.wait_until(23)
    tomorrow = m.now().date() + datetime.timedelta(days=1)
    session = m.active()
    m.cdr("C", session)
    m.rows("UPDATE cdr SET supply_day = %s, country = %s", tomorrow, country)
    assert vat(25, tomorrow) == outcome
    assert vat(26, tomorrow + datetime.timedelta(days=1)) == "set"


def test_kinds_of_buyers_have_rates_of_their_own(m, vat):
    vat(24, "2013-01-01")
    vat(0, "2013-01-01", buyer="business")
    assert (at(m, "2020-01-01"), at(m, "2020-01-01", "business")) == (24, 0)


def test_a_passing_rate_cuts_off_the_beginning_of_a_later_one(m, vat):
    vat(24, "2090-07-01")
    assert vat(10, "2090-06-01", "2090-12-01") == "set"
    assert rates(m) == [("2090-06-01", "2090-12-01", 10), ("2090-12-01", None, 24)]


def test_a_shorter_rate_from_the_same_day_on(m, vat):
    vat(24, "2090-01-01", "2090-05-01")
    assert vat(10, "2090-01-01", "2090-03-01") == "set"
    assert rates(m) == [("2090-01-01", "2090-03-01", 10), ("2090-03-01", "2090-05-01", 24)]
    assert vat(12, "2090-01-01", "2090-03-01") == "set"  # the same days once more
    assert vat(13, "2090-02-01", "2090-04-01") == "set"  # across two
    assert rates(m) == [("2090-01-01", "2090-02-01", 12), ("2090-02-01", "2090-04-01", 13),
                        ("2090-04-01", "2090-05-01", 24)]
    assert vat(14, "2089-01-01") == "set"  # over all of them
    assert rates(m) == [("2089-01-01", None, 14)]


@pytest.mark.parametrize("seed", range(5))
def test_each_day_has_the_rate_that_was_set_last(m, vat, seed):
    dice = random.Random(seed)
    first = datetime.date(2090, 1, 1)
    known = {}
    for _ in range(40):
        start = dice.randrange(30)
        until = dice.choice([None, start + 1 + dice.randrange(10)])
        rate = dice.randrange(30)
        assert vat(rate, str(first + datetime.timedelta(start)),
                   until and str(first + datetime.timedelta(until))) == "set"
        known.update(dict.fromkeys(range(start, until or 45), rate))
        assert not m.rows("SELECT FROM vat_rate a JOIN vat_rate b USING (country, buyer)"
                          " WHERE a.valid_from < b.valid_from"
                          " AND daterange(a.valid_from, a.valid_until)"
                          "  && daterange(b.valid_from, b.valid_until)")
        found = {(d["day"] - first).days: int(d["rate"]) for d in m.rows(
            "SELECT d::date AS day, vat_rate_at('FIN', 'consumer', d::date) AS rate"
            "  FROM generate_series(%s::date, %s::date + 44, interval '1 day') d", first, first)
            if d["rate"] is not None}
        assert found == known


# ---------------------------------------------------------------- tariffs

def publish(m, name, version, document, mode="fixed"):
    return m.value("retail_tariff_publish", name, version, document, mode, "t")


def test_a_version_is_published_once(m):
    name = f"RT-{uuid.uuid4().hex[:8]}"
    assert publish(m, name, 2, '{"a": 1}') == "published"
    assert publish(m, name, 2, '{ "a":1 }') == "same"
    assert publish(m, name, 2, '{"a": 2}') == "other"
    assert publish(m, name, 1, '{"a": 2}') == "older"
    assert publish(m, name, 3, '{"a": 2}') == "published"
    m.rows("UPDATE retail_tariff SET withdrawn_at = now(), withdrawn_by = 't' WHERE id = %s", name)
    assert publish(m, name, 3, '{"a": 2}') == "other"
    for statement in ("UPDATE retail_tariff SET withdrawn_at = NULL WHERE id = %s",
                      "UPDATE retail_tariff SET document = '{}' WHERE id = %s",
                      "DELETE FROM retail_tariff WHERE id = %s"):
        with pytest.raises(psycopg2.Error):
            m.rows(statement, name)


# ---------------------------------------------------------------- what a start keeps

def quoted(m, max_minutes=None, credit=None, parks=False):
    """A pending session with a quote, and the limits."""
    publish(m, "RT-DB", 1, QUOTE)
    session = str(uuid.uuid4())
    row = m.rows(
        "SELECT * FROM session_start(%s, 'u-' || %s, NULL, 'FI*E', 'CPO', %s, %s, %s, 'L0', 'E0', '1',"
        " '{}', false, 0, NULL, 'EUR', 3, 120, false, 'FI-HUB', NULL, 'user:u', NULL, NULL, NULL, '{}',"
        " ARRAY['T1', 'T2'], 'RT-DB', 1, 'fixed', %s, 'hash', 'en', 'FIN', NULL, NULL, %s, %s, %s, %s)",
        session, session, m.partner, m.country, m.party, QUOTE, max_minutes, parks, credit,
        credit and "EUR")[0]
    assert row["outcome"] == "stored", row
    return session


def limit(m, session):
    found = m.rows("SELECT *, due_at <= hub_now() AS due FROM session_limit WHERE session_id = %s",
                   session)
    return found[0] if found else None


def put_tariff(m, name, last_updated="2026-01-01T00:00:00Z"):
    m.rows("SELECT tariff_put(%s, %s, %s, %s, %s, %s)", m.partner, m.country, m.party, name,
           json.dumps({"id": name, "at": last_updated}), last_updated)


def test_a_quote_and_the_networks_tariffs_are_kept_as_they_stood(m):
    put_tariff(m, "t1")
    session = quoted(m)
    put_tariff(m, "t1", "2026-02-01T00:00:00Z")
    assert [r["version"] for r in m.rows("SELECT version FROM session_tariff WHERE session_id = %s",
                                         session)] == [1]
    row = m.rows("SELECT r.* FROM session s, session_as_row(s, false, false) r WHERE s.id = %s",
                 session)[0]
    assert row["s_quote"] == QUOTE
    for statement in ("UPDATE quote SET hash = 'x' WHERE session_id = %s",
                      "DELETE FROM quote WHERE session_id = %s"):
        with pytest.raises(psycopg2.Error):
            m.rows(statement, session)


def test_a_new_version_is_held_until_it_has_been_looked_at(m):
    """... and what has been released stays so while it is looked at once more."""
    name = f"T-{uuid.uuid4().hex[:8]}"
    put_tariff(m, name)
    tariff = m.row("SELECT id FROM tariff WHERE tariff_id = %s", name)["id"]

    def held():
        return m.row("SELECT held FROM tariff_version WHERE tariff = %s", tariff)["held"]

    def due():
        return tariff in [r["tariff"] for r in m.rows("SELECT tariff FROM tariff_lint_due(100)")]

    def looked_at(findings, hold):
        m.rows("SELECT tariff_lint_put(%s, 1, %s, %s)", tariff, findings, hold)

    def approved():
        return m.row("SELECT tariff_approve(%s, 1, 'anna') AS done", tariff)["done"]

    assert held() and due() and not approved()
    looked_at("[]", False)
    assert not held() and not due()
    m.rows("UPDATE vat_rate SET by = 'somebody else'")
    assert due() and not held()
    looked_at("[{}]", True)
    assert held() and approved() and not held()


def test_without_limits_nobody_looks(m):
    assert limit(m, quoted(m)) is None


# ---------------------------------------------------------------- limits

def test_a_session_that_begins_is_looked_at(m):
    session = quoted(m, max_minutes=60)
    assert limit(m, session)["due_at"] is None
    m.push("S", "ACTIVE", session, kwh=1)
    assert limit(m, session)["due"]
    work, = m.rows("SELECT max_minutes, (session).s_id, (session).s_version FROM limit_claim(10)")
    assert (str(work["s_id"]), work["max_minutes"]) == (session, 60)
    assert not m.rows("SELECT * FROM limit_claim(10)"), "it is claimed for a minute"
    m.wait(61)
    assert m.rows("SELECT * FROM limit_claim(10)"), "whoever claimed it has died"


def test_energy_matters_to_a_credit_limit_only(m):
    timed, limited = quoted(m, max_minutes=60), None
    m.push("S", "ACTIVE", timed, kwh=1)
    m.rows("UPDATE session_limit SET due_at = NULL")
    m.push("S", "ACTIVE", timed, kwh=2)
    assert limit(m, timed)["due_at"] is None
    m.stop(timed, user=None)
    m.push("S", "COMPLETED", timed, kwh=2)
    limited = quoted(m, credit=500)
    m.push("S2", "ACTIVE", limited, kwh=1)
    m.rows("UPDATE session_limit SET due_at = NULL")
    m.push("S2", "ACTIVE", limited, kwh=2)
    assert limit(m, limited)["due"]


def done(m, session, cause=None, next_at=None, version=None):
    version = version or m.session(session)["version"]
    return m.rows("SELECT r.* FROM limit_done(%s, %s, %s, %s::timestamptz) r", session, version, cause,
                  next_at)[0]


def test_a_stop_has_its_cause(m):
    session = quoted(m, credit=500)
    m.push("S", "ACTIVE", session, kwh=1)
    row = done(m, session, "credit_limit")
    assert (row["s_state"], row["s_changed"]) == ("stopping", True)
    assert m.operation(session, "stop")["cause"] == "credit_limit"
    assert limit(m, session)["due_at"] is None


def test_a_judgement_of_another_version_is_made_again(m):
    session = quoted(m, credit=500)
    m.push("S", "ACTIVE", session, kwh=1)
    version = m.session(session)["version"]
    m.push("S", "ACTIVE", session, kwh=0.995)
    m.push("S", "ACTIVE", session, kwh=3)
    assert done(m, session, "credit_limit", version=version)["s_id"] is None
    assert m.session(session)["state"] == "active" and limit(m, session)["due"]


def test_the_next_look_is_planned(m):
    session = quoted(m, max_minutes=60)
    m.push("S", "ACTIVE", session, kwh=1)
    done(m, session, next_at="2090-01-01T00:00:00Z")
    assert limit(m, session)["due_at"].year == 2090
    m.push("S", "COMPLETED", session, kwh=1)
    assert limit(m, session)["due_at"] is None


def test_a_held_amount_is_a_limit(m):
    session = quoted(m)
    m.rows("SELECT session_credit_set(%s, 6000, 'EUR')", session)
    m.push("S", "ACTIVE", session, kwh=1)
    assert (limit(m, session)["credit_minor"], limit(m, session)["due"]) == (6000, True)


# ---------------------------------------------------------------- the end of charging

@pytest.mark.parametrize("periods, end", [
    ([], None),
    ([("00", "ENERGY", 1)], None),
    ([("00", "ENERGY", 1), ("10", "PARKING_TIME", 0.1)], "10"),
    ([("00", "ENERGY", 1), ("10", "PARKING_TIME", 0.1), ("20", "PARKING_TIME", 0.1)], "10"),
    ([("00", "ENERGY", 1), ("10", "PARKING_TIME", 0.1), ("20", "TIME", 0.1)], None),
    ([("00", "PARKING_TIME", 1)], "00"),
])
def test_charging_ends_where_only_parking_follows(m, periods, end):
    document = {"charging_periods": [
        {"start_date_time": f"2026-01-01T08:{minute}:00Z", "dimensions": [{"type": kind, "volume": v}]}
        for minute, kind, v in periods]}
    found = m.rows("SELECT charging_end_of(%s::jsonb) AS at", json.dumps(document))[0]["at"]
    assert (found and f"{found:%M}") == end


def test_the_end_of_charging_is_kept_where_the_quote_minds(m):
    text = json.dumps({"charging_periods": [
        {"start_date_time": "2026-01-01T08:00:00Z",
         "dimensions": [{"type": "PARKING_TIME", "volume": 1}]}]})
    for parks in (False, True):
        session = quoted(m, parks=parks)
        m.push(f"S{parks}", "ACTIVE", session, kwh=1, text=text)
        assert (m.session(session)["charging_end_at"] is not None) == parks
        m.push(f"S{parks}", "COMPLETED", session, kwh=1, text="{}")


# ---------------------------------------------------------------- connectors

def test_connectors_know_their_tariffs_in_all_versions(m):
    rows = m.rows("SELECT connectors_of(%s::jsonb) AS c", json.dumps(
        [{"id": "1", "tariff_ids": ["A", "B"]}, {"id": "2", "tariff_id": "C"}, {"id": "3"}]))
    assert [c["tariff_ids"] for c in rows[0]["c"]] == [["A", "B"], ["C"], []]
