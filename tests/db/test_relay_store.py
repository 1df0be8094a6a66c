# SPDX-License-Identifier: Apache-2.0
"""
What carrying messages between third parties remembers: contexts of asynchronous requests, cursors,
setters of profiles, owners of ids, aliases, numbers of reservations, tokens on their way to CPOs.
"""

import concurrent.futures
import contextlib
import datetime
import hashlib
import math
import re
import select
import threading
import uuid

import psycopg2
import pytest

from roaming import STATEMENTS, Roaming

URL = "https://one.example/cb/1"


@pytest.fixture
def o(r):
    """Two CPOs and two eMSPs; the first eMSP has a contract with both."""
    r.abc = r.connect("ABC", "CPO", "FI")
    r.xyz = r.connect("XYZ", "CPO", "FI")
    r.one = r.connect("ONE")
    r.two = r.connect("TWO")
    r.contract("ABC", "ONE")
    r.contract("XYZ", "ONE")
    r.rows("DELETE FROM outbox")
    r.rows("DELETE FROM relay_start")
    r.rows("INSERT INTO timer (subject, slot, kind, due_at)"
           " VALUES ('hub', 'relay', 'relay', hub_now())")
    return r


# ---------------------------------------------------------------- contexts

def asked(o, kind="START_SESSION", expiry=None, reservation=None, cpo="ABC", emsp="ONE", **more):
    name = uuid.uuid4().hex
    insert(o, name, kind, o.one, "NL", emsp, "2.3.0", o.abc, "FI", cpo, "2.2.1", more.get("url", URL), "corr", "S1",
           "L1", "U1", reservation, expiry, None, None, None)
    return name


def insert(o, *contexts):
    """One, or several: each is a list of its columns."""
    rows = contexts if isinstance(contexts[0], list) else [contexts]
    texts = [[None if v is None else str(v) for v in row] for row in rows]
    o.statement("relay_context_insert", *[list(column) for column in zip(*texts)])


def found(o, name, partner=None):
    rows = o.statement("relay_context_find", name, partner or o.abc)
    return rows[0] if rows else None


def lasts(o, name):
    row = found(o, name)
    return math.ceil((row["deadline_at"] - o.now()).total_seconds()) if row else None


@contextlib.contextmanager
def at_once(o):
    """No time passes: what is done in one transaction is done at one moment."""
    o.rows("BEGIN")
    yield
    o.rows("COMMIT")


def answered(o, name, how, timeout=0):
    if how == "accepted":
        o.statement("relay_context_accepted", [name], [str(timeout)])
    else:
        o.statement("relay_context_ended", name, how)


def result(o, name, body="ACCEPTED"):
    (row,) = o.statement("relay_context_result", name, hashlib.sha256(body.encode()).hexdigest())
    return row["outcome"], row["seq"]


def told(o, name, seq, well=True):
    o.statement("relay_context_told", name, seq, well)


def test_a_context_is_found_whole_by_another_connection(o, url):  # R-ASYNC-10, 18
    name = asked(o)
    other = Roaming.__new__(Roaming)
    other.connection = psycopg2.connect(url, cursor_factory=psycopg2.extras.RealDictCursor)
    row = found(other, name, o.abc)
    other.close()
    assert (row["kind"], row["requester_id"], row["requester_party"], row["requester_ocpi"]) == (
        "START_SESSION", o.one, "ONE", "2.3.0")
    assert (row["receiver_country"], row["receiver_party"], row["receiver_ocpi"]) == (
        "FI", "ABC", "2.2.1")
    assert (row["response_url"], row["correlation_id"]) == (URL, "corr")
    assert (row["session_id"], row["location_id"], row["token_uid"]) == ("S1", "L1", "U1")


def test_only_the_receiver_finds_its_context(o):  # R-ASYNC-11
    name = asked(o)
    assert found(o, name, o.abc)
    for partner in (o.one, o.two, o.xyz):
        assert found(o, name, partner) is None
    assert found(o, uuid.uuid4().hex) is None


@pytest.mark.parametrize("timeout, seconds", [
    (0, 90), (-5, 90), (5, 90), (30, 90), (31, 91), (600, 660), (3540, 3600), (3541, 3600),
    (2 ** 40, 3600)])
def test_an_accepted_request_waits_as_long_as_its_answer_says(o, timeout, seconds):  # R-ASYNC-13
    with at_once(o):
        name = asked(o)
        assert lasts(o, name) == 3600
        answered(o, name, "accepted", timeout)
        assert lasts(o, name) == seconds
    o.wait(seconds - 3)
    assert found(o, name) and result(o, name)[0] == "first"
    o.wait(4)
    assert found(o, name) is None and result(o, name, "OTHER")[0] == "gone"


def test_a_reservation_can_be_cancelled_as_long_as_it_stands(o):  # R-CMD-08, R-ASYNC-13
    with at_once(o):
        name = asked(o, "RESERVE_NOW", o.now() + datetime.timedelta(hours=5), "R1")
        answered(o, name, "accepted", 30)
        assert lasts(o, name) == 6 * 3600
    assert result(o, name, "ACCEPTED") == ("first", 1)
    told(o, name, 1)
    o.wait(5.9 * 3600)
    assert result(o, name, "CANCELED_RESERVATION") == ("other", 2)


def test_a_reservation_of_the_past_is_answered_all_the_same(o):
    with at_once(o):
        name = asked(o, "RESERVE_NOW", o.now() - datetime.timedelta(days=1), "R1")
        answered(o, name, "accepted", 30)
        assert lasts(o, name) == 90


def test_what_was_refused_is_forgotten_at_once(o):  # R-ASYNC-15
    name = asked(o)
    result(o, name)
    answered(o, name, "refused")
    assert found(o, name) is None and result(o, name) == ("gone", 0)
    assert o.rows("SELECT * FROM relay_result") == []


def test_what_is_unclear_is_kept(o):  # R-ROUTE-61
    with at_once(o):
        name = asked(o)
        answered(o, name, "unclear")
        assert lasts(o, name) == 3600
    assert result(o, name)[0] == "first"


def test_many_contexts_are_stored_and_accepted_at_once(o):
    names = [uuid.uuid4().hex for _ in range(3)]
    insert(o, *[[n, kind, o.one, "NL", "ONE", "2.3.0", o.abc, "FI", "ABC", version, URL, None, None, "L1", "U1",
                 None, None, None, None, None]
                for n, kind, version in zip(names, ("START_SESSION", "STOP_SESSION", "START_SESSION"),
                                            ("2.2.1", "2.1.1", "2.1.1"))])
    assert [found(o, n)["kind"] for n in names] == ["START_SESSION", "STOP_SESSION", "START_SESSION"]
    assert [r["id"] for r in o.rows("SELECT id FROM relay_start")] == names[2:]
    unknown = uuid.uuid4().hex
    o.statement("relay_context_accepted", [names[0], unknown, names[2]], ["30", "30", "600"])
    assert [lasts(o, n) for n in names] == [90, 3600, 660]
    o.statement("relay_context_accepted", names[:1], ["3600"])
    assert lasts(o, names[0]) == 90, "the first word counts"


def test_an_acceptance_does_not_wait_for_a_result_that_is_being_told(o, url):
    name, other = asked(o), asked(o)
    with psycopg2.connect(url) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT relay_context_result(%s, 'hash')", (name,))
        o.rows("SET lock_timeout = '1s'")
        o.statement("relay_context_accepted", [name, other], ["30", "30"])
        connection.rollback()
    o.rows("RESET lock_timeout")
    assert (lasts(o, name), lasts(o, other)) == (3600, 90)


def test_a_result_is_told_once_and_another_one_once_more(o):  # R-ASYNC-14
    name = asked(o)
    assert result(o, name, "A") == ("first", 1)
    assert result(o, name, "A") == ("same", 1)  # being told
    told(o, name, 1)
    assert result(o, name, "A") == ("same", 1)
    assert result(o, name, "B") == ("other", 2)
    told(o, name, 2)
    assert result(o, name, "A") == ("same", 1) and result(o, name, "B") == ("same", 2)
    assert result(o, name, "C") == ("spent", 0)


def test_a_result_that_could_not_be_told_may_come_again(o):
    name = asked(o)
    assert result(o, name) == ("first", 1)
    told(o, name, 1, False)
    assert result(o, name) == ("first", 1)
    o.wait(31)  # the process ended before it said what came of it
    assert result(o, name) == ("first", 1)
    told(o, name, 1)
    told(o, name, 1, False)  # what was told stays told
    o.wait(31)
    assert result(o, name) == ("same", 1)


def test_the_same_result_to_two_processes_is_told_by_one(o, url):
    name = asked(o)
    text = STATEMENTS["relay_context_result"].replace("$1", "%s").replace("$2", "%s")

    def post(_):
        with psycopg2.connect(url) as connection, connection.cursor() as cursor:
            cursor.execute(text, (name, "hash"))
            return cursor.fetchone()[0]

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        outcomes = list(pool.map(post, range(16)))
    assert outcomes.count("first") == 1 and outcomes.count("same") == 15


def test_what_is_over_is_cleaned_up_by_the_timer(o):
    over, lasting = asked(o), asked(o, "RESERVE_NOW", o.now() + datetime.timedelta(days=3), "R1")
    answered(o, over, "accepted", 30)
    result(o, over)
    o.statement("relay_cursor_insert", "c" * 22, o.one, o.abc, "NL", "ONE", "FI", "ABC",
                "sessions", "https://x", 2)
    setter(o, "S1")
    o.timers()
    assert len(o.rows("SELECT * FROM relay_context")) == 2
    o.wait(91 + 600)
    o.timers()
    assert [c["id"] for c in o.rows("SELECT id FROM relay_context")] == [lasting]
    assert o.rows("SELECT * FROM relay_result") == []
    assert o.rows("SELECT * FROM relay_cursor") != []
    o.wait(40 * 86400)
    o.timers()
    for table in ("relay_context", "relay_cursor", "profile_setter"):
        assert o.rows(f"SELECT * FROM {table}") == [], table
    assert o.row("SELECT due_at > hub_now() AS later FROM timer WHERE slot = 'relay'")["later"]


# ---------------------------------------------------------------- setters of profiles

def setter(o, session, party="ONE", cpo="ABC"):
    o.statement("profile_setter_set", "FI", cpo, session, o.one if party else None,
                "NL" if party else None, party, "2.2.1" if party else None)


def set_by(o, session, cpo="ABC"):
    rows = o.statement("profile_setter_find", "fi", cpo.lower(), session)
    return rows[0]["party_id"] if rows else None


def test_the_last_setter_of_a_profile_is_known_by_owner_and_session(o):  # R-ROUTE-55
    setter(o, "S1", "ONE")
    setter(o, "S1", "TWO", cpo="XYZ")
    assert (set_by(o, "s1"), set_by(o, "S1", "XYZ"), set_by(o, "S2")) == ("ONE", "TWO", None)
    setter(o, "S1", "TWO")
    assert set_by(o, "S1") == "TWO"
    setter(o, "S1", None)
    assert (set_by(o, "S1"), set_by(o, "S1", "XYZ")) == (None, "TWO")


@pytest.mark.parametrize("end", ["COMPLETED", "INVALID"])
def test_a_session_that_is_over_has_no_setter(o, end):
    o.network_session(o.abc, "ABC", "S1", "ONE")
    o.network_session(o.xyz, "XYZ", "S1", "ONE")
    setter(o, "s1")
    setter(o, "s1", cpo="XYZ")
    o.network_session(o.abc, "ABC", "S1", "ONE", kwh=1)
    assert set_by(o, "S1") == "ONE"
    o.network_session(o.abc, "ABC", "S1", "ONE", kwh=2, status=end)
    assert (set_by(o, "S1"), set_by(o, "S1", "XYZ")) == (None, "ONE")
    setter(o, "S1")  # an answer that came late
    assert set_by(o, "S1") is None


# ---------------------------------------------------------------- cursors

def test_a_cursor_lives_two_hours_and_is_known_to_be_over_for_a_day(o):  # R-ROUTE-51
    o.statement("relay_cursor_insert", "c" * 22, o.one, o.abc, "NL", "ONE", "FI", "ABC",
                "sessions", "https://x?offset=3", 2)
    (row,) = o.statement("relay_cursor_find", "c" * 22)
    assert (row["expired"], row["next_url"], row["receiver_id"]) == (
        False, "https://x?offset=3", o.abc)
    o.wait(2 * 3600 + 1)
    assert o.statement("relay_cursor_find", "c" * 22)[0]["expired"]
    assert o.statement("relay_cursor_find", "C" * 22) == []


# ---------------------------------------------------------------- owners

def owners(o, kind, name, *more):
    return [x["party_id"] for x in o.statement(f"owners_of_{kind}", name, *more)]


def test_all_owners_of_an_id_are_found_in_any_case(o):  # R-ROUTE-55
    for partner, party in ((o.abc, "ABC"), (o.xyz, "XYZ")):
        o.location(partner, party, "Shared")
        o.network_session(partner, party, "Shared", {"ABC": "ONE", "XYZ": "TWO"}[party])
    o.location(o.abc, "ABC", "Own")
    assert owners(o, "location", "sHARED") == ["ABC", "XYZ"]
    assert owners(o, "location", "own") == ["ABC"]
    assert owners(o, "location", "none") == []
    assert owners(o, "session", "shared", None) == ["ABC", "XYZ"]
    assert owners(o, "session", "shared", "NL*two") == ["XYZ"]
    assert owners(o, "session", "shared", "nl*abc") == []


def test_a_reservation_is_of_the_cpo_it_was_made_at(o):
    end = o.now() + datetime.timedelta(hours=1)
    asked(o, "RESERVE_NOW", end, "R1")
    asked(o, "RESERVE_NOW", end, "R1")  # again, with another end
    asked(o, "RESERVE_NOW", end, "R1", cpo="XYZ", emsp="TWO")
    refused = asked(o, "RESERVE_NOW", end, "R2")
    answered(o, refused, "refused")
    asked(o, "CANCEL_RESERVATION", None, "R3")
    assert owners(o, "reservation", "r1", None) == ["ABC", "XYZ"]
    assert owners(o, "reservation", "r1", "nl*one") == ["ABC"]
    assert owners(o, "reservation", "R1", "nl*two") == ["XYZ"]
    assert owners(o, "reservation", "R2", None) == owners(o, "reservation", "R3", None) == []
    o.wait(2 * 3600 + 1)
    assert owners(o, "reservation", "r1", None) == []


def test_a_token_is_of_its_emsps_or_ours(o):
    o.token(o.one, "ONE", "AB12")
    o.token(o.two, "TWO", "AB12", type="APP_USER")
    o.rows("INSERT INTO token (uid, type, contract_id, user_id)"
           " VALUES ('0123456789ABCDEF0123', 'APP_USER', 'FI-HUB-C1', 'u')")
    def of(uid, type=None):
        return owners(o, "token", uid, type, "FI", "HUB")
    assert sorted(of("ab12")) == ["ONE", "TWO"]
    assert (of("ab12", "RFID"), of("AB12", "app_user"), of("AB12", "OTHER")) == (
        ["ONE"], ["TWO"], [])
    assert of("0123456789abcdef0123") == of("0123456789ABCDEF0123", "APP_USER") == ["HUB"]
    assert of("0123456789ABCDEF0123", "RFID") == []


# ---------------------------------------------------------------- aliases

def names(o, reader, *pairs, module="locations"):
    """What the reader calls the objects of these owners, where that is not the id: those that are
    named, or all of them."""
    sessions = [p[1] for p in pairs] if module == "sessions" else None
    ids = [p[1] for p in pairs if p[1]] if all(p[1] for p in pairs) else [
        x["id"] for x in o.rows("SELECT location_id AS id FROM location"
                                " UNION ALL SELECT tariff_id FROM tariff")]
    rows = o.statement("aliases_find", reader, ["FI"] * len(pairs), [p[0] for p in pairs], sessions,
                       ids)
    return sorted((r["party_id"], r["id"], r["alias"]) for r in rows if r["module"] == module)


def give(o, reader, party, name, module="locations"):
    return o.statement("alias_give", reader, module, "FI", party, name)[0]["alias"]


def resolve(o, reader, alias, module="locations"):
    rows = o.statement("alias_resolve", reader, module, alias, 36)
    none = not o.rows("SELECT id FROM alias WHERE reader_id = %s", reader)
    assert [x for x in rows if x["given"] is None] == [
        {"given": None, "country_code": None, "party_id": None, "id": None}][:none], "it says that there is none"
    return [(x["party_id"], x["id"]) for x in rows if x["given"] is not None]


def test_an_id_of_one_owner_is_its_own_name(o):  # R-BR-06: when, and only when
    o.location(o.abc, "ABC", "Own")
    assert give(o, o.one, "ABC", "Own") == "Own"
    assert names(o, o.one, ("ABC", "")) == []
    assert o.rows("SELECT * FROM alias") == []
    assert resolve(o, o.one, "Own") == []


def test_where_two_visible_owners_share_an_id_the_later_has_an_alias(o):  # R-BR-06
    o.location(o.abc, "ABC", "L1")
    o.location(o.xyz, "XYZ", "l1")
    o.tariff(o.abc, "ABC", "T")
    o.tariff(o.xyz, "XYZ", "T")
    assert names(o, o.one, ("XYZ", "l1")) == [("XYZ", "l1", "FI*XYZ*l1")]
    assert names(o, o.one, ("ABC", "L1"), ("XYZ", "l1")) == [("XYZ", "l1", "FI*XYZ*l1")]
    assert names(o, o.one, ("ABC", ""), ("XYZ", ""), module="tariffs") == [
        ("XYZ", "T", "FI*XYZ*T")]
    assert give(o, o.one, "ABC", "L1") == "L1"


def test_only_what_is_said_gets_a_name(o):
    for i in range(20):
        o.location(o.abc, "ABC", f"L{i}")
        o.location(o.xyz, "XYZ", f"L{i}")
        o.tariff(o.abc, "ABC", f"L{i}")
        o.tariff(o.xyz, "XYZ", f"L{i}")
    o.location(o.abc, "ABC", "own")
    say = lambda *ids: sorted((r["module"], r["alias"]) for r in o.statement(
        "aliases_find", o.one, ["FI"], ["XYZ"], None, list(ids)))
    assert say() == say("own", "unknown") == []
    assert o.rows("SELECT FROM alias") == []
    assert say("l3", "L3", "L7") == [("locations", "FI*XYZ*L3"), ("locations", "FI*XYZ*L7"),
                                     ("tariffs", "FI*XYZ*L3"), ("tariffs", "FI*XYZ*L7")]
    assert {x["id"] for x in o.rows("SELECT id FROM alias")} == {"l3", "l7"}


def test_an_alias_leads_back_in_any_case(o):  # R-BR-07
    o.location(o.abc, "ABC", "L1")
    o.location(o.xyz, "XYZ", "L1")
    names(o, o.one, ("ABC", ""))
    assert resolve(o, o.one, "fi*xyz*L1") == [("XYZ", "L1")]
    assert resolve(o, o.one, "l1") == [("ABC", "L1")]
    assert resolve(o, o.two, "FI*XYZ*L1") == []
    assert resolve(o, o.one, "FI*XYZ*L1", "tariffs") == []


def test_names_stay_whatever_becomes_of_contracts(o):  # R-BR-07
    o.contract("ABC", "TWO")
    o.location(o.abc, "ABC", "L1")
    o.location(o.xyz, "XYZ", "L1")
    assert names(o, o.two, ("ABC", "")) == []  # the only one that it may see, and it keeps its name
    o.contract("XYZ", "TWO")
    assert names(o, o.two, ("ABC", ""), ("XYZ", "")) == [("XYZ", "L1", "FI*XYZ*L1")]
    o.contract("ABC", "TWO", allowed=False)
    assert names(o, o.two, ("XYZ", "")) == [("XYZ", "L1", "FI*XYZ*L1")]
    # The other way round for the reader who could see the other one first.
    o.contract("XYZ", "SIX")
    six = o.connect("SIX")
    assert names(o, six, ("XYZ", "")) == []
    o.contract("ABC", "SIX")
    assert names(o, six, ("XYZ", ""), ("ABC", "")) == [("ABC", "L1", "FI*ABC*L1")]
    assert resolve(o, six, "L1") == [("XYZ", "L1")]


def test_one_that_was_alone_when_it_was_told_keeps_its_name(o):
    o.location(o.xyz, "XYZ", "L1")
    assert give(o, o.one, "XYZ", "L1") == "L1"
    o.location(o.abc, "ABC", "L1")
    assert names(o, o.one, ("ABC", ""), ("XYZ", "")) == [("ABC", "L1", "FI*ABC*L1")]


def test_an_alias_that_would_be_too_long_is_hashed(o):  # R-BR-06
    for module, put, length, limit in (("locations", o.location, 33, 39),
                                       ("tariffs", o.tariff, 30, 36)):
        fits, over = "x" * (limit - 7), "y" * (limit - 6)
        for name in (fits, over):
            put(o.abc, "ABC", name)
            put(o.xyz, "XYZ", name)
        aliases = {n: a for _, n, a in names(o, o.one, ("XYZ", ""), module=module)}
        assert aliases[fits] == "FI*XYZ*" + fits and len(aliases[fits]) == limit
        assert len(aliases[over]) == 36 and aliases[over].startswith("y" * 19 + "-")
        assert resolve(o, o.one, aliases[over], module)[0] == ("XYZ", over)


def test_an_alias_is_never_the_id_of_another_object(o):
    o.location(o.abc, "ABC", "L1")
    o.location(o.abc, "ABC", "FI*XYZ*L1")  # before the alias is made
    o.location(o.xyz, "XYZ", "L1")
    ((_, _, alias),) = names(o, o.one, ("XYZ", ""))
    assert alias.lower() not in ("l1", "fi*xyz*l1")
    assert resolve(o, o.one, alias) == [("XYZ", "L1")]

    o.location(o.abc, "ABC", "L2")
    o.location(o.xyz, "XYZ", "L2")
    assert ("XYZ", "L2", "FI*XYZ*L2") in names(o, o.one, ("XYZ", ""))
    o.location(o.abc, "ABC", "fi*xyz*l2")  # after it
    (of_abc,) = [n for n in names(o, o.one, ("ABC", "")) if n[1] == "fi*xyz*l2"]
    assert of_abc[2].lower() != "fi*xyz*l2"
    assert resolve(o, o.one, "FI*XYZ*L2") == [("XYZ", "L2")]
    assert resolve(o, o.one, of_abc[2]) == [("ABC", "fi*xyz*l2")]


def test_two_processes_give_the_same_names(o, url):
    parties = [f"P{i:02d}" for i in range(6)]
    for party in parties:
        partner = o.connect(party, "CPO", "FI")
        o.contract(party, "ONE")
        for name in range(5):
            o.location(partner, party, f"L{name}")
    text = STATEMENTS["alias_give"]
    for i in range(1, 6):
        text = text.replace(f"${i}", "%s")

    def give_all(turn):
        with psycopg2.connect(url) as connection:
            connection.autocommit = True
            with connection.cursor() as cursor:
                found = []
                for i in range(30):
                    party, name = parties[(i + turn) % 6], f"L{(i * 7 + turn) % 5}"
                    cursor.execute(text, (o.one, "locations", "FI", party, name))
                    found.append((party, name, cursor.fetchone()[0]))
                return found

    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        given = {g for found in pool.map(give_all, range(4)) for g in found}
    assert len({(p, n) for p, n, _ in given}) == len(given)  # one name each
    assert len({a.lower() for _, _, a in given}) == len(given)  # and no name twice


def test_ids_shared_by_a_race_are_seen(o, url):
    barrier = threading.Barrier(2)

    def put(partner, party):
        with psycopg2.connect(url) as connection, connection.cursor() as cursor:
            barrier.wait()
            cursor.execute("SELECT location_put(%s, 'FI', %s, 'R1', '{}', hub_now(), 0, false)",
                           (partner, party))

    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        for done in [pool.submit(put, o.abc, "ABC"), pool.submit(put, o.xyz, "XYZ")]:
            done.result()
    assert len(names(o, o.one, ("ABC", ""), ("XYZ", ""))) == 1


def test_sessions_share_ids_only_among_those_of_one_emsp(o):
    o.network_session(o.abc, "ABC", "7", "ONE")
    o.network_session(o.xyz, "XYZ", "7", "TWO")
    assert names(o, o.one, ("ABC", "7"), module="sessions") == []
    o.network_session(o.xyz, "XYZ", "8", "ONE")
    o.network_session(o.abc, "ABC", "8", "ONE")
    assert names(o, o.one, ("ABC", "8"), ("XYZ", "8"), module="sessions") == [
        ("ABC", "8", "FI*ABC*8")]
    assert resolve(o, o.one, "FI*ABC*8", "sessions") == [("ABC", "8")]
    assert resolve(o, o.one, "8", "sessions") == [("XYZ", "8")]


def test_one_that_is_not_stored_gets_a_name_too(o):
    o.location(o.abc, "ABC", "L1")
    assert give(o, o.one, "XYZ", "L1") == "FI*XYZ*L1"
    assert give(o, o.one, "ABC", "L1") == "L1"
    assert resolve(o, o.one, "FI*XYZ*L1") == [("XYZ", "L1")]


def test_candidates_for_a_long_id_are_those_that_begin_alike(o):
    name = "Long-Location-Id-Of-A-2.1.1-Network-039"
    assert len(name) == 39
    o.location(o.abc, "ABC", name, ocpi="2.1.1")
    o.location(o.xyz, "XYZ", "Long-Location-Id-Of", ocpi="2.1.1")
    alias = "long-location-id-of-" + "0" * 16
    assert resolve(o, o.two, alias) == [("ABC", name)]
    assert resolve(o, o.two, alias[:-1]) == resolve(o, o.two, "short") == []


# ---------------------------------------------------------------- numbers of reservations

def number(o, emsp, name, expiry=None):
    return o.statement("reservation_number_give", "NL", emsp, name, expiry or o.now())[0]["number"]


def test_a_reservation_has_one_number_and_it_leads_back(o):  # R-BR, section 15.7
    first, second = number(o, "ONE", "R-1"), number(o, "TWO", "R-1")
    assert 0 < first < 2 ** 31 and first != second
    assert number(o, "ONE", "r-1") == first
    def back(emsp, n):
        return [x["reservation_id"] for x in o.statement("reservation_number_resolve", "nl", emsp, n)]
    assert back("one", first) == ["R-1"] and back("TWO", first) == []
    own = o.row("INSERT INTO reservation (id, partner_id, country_code, party_id, location_id,"
                " evse_uid, evse_id, token_uid, user_id, until_at, operation, asked_by)"
                " VALUES ('X', 1, 'FI', 'ABC', 'L', 'E', 'E', 'T', 'u', hub_now(), 1, 'x')"
                " RETURNING number")
    assert own["number"] not in (first, second)
    o.rows("DELETE FROM reservation")


def test_a_number_is_kept_for_thirty_days_after_the_reservation(o):
    end = o.now() + datetime.timedelta(days=2)
    first = number(o, "ONE", "R-1", end)
    o.wait(31.9 * 86400)
    o.timers()
    assert o.statement("reservation_number_resolve", "NL", "ONE", first)
    o.wait(0.2 * 86400)
    o.timers()
    assert o.statement("reservation_number_resolve", "NL", "ONE", first) == []


# ---------------------------------------------------------------- contracts

def test_a_contract_that_changes_is_announced(o, url):
    listener = psycopg2.connect(url)
    listener.autocommit = True
    listener.cursor().execute("LISTEN contract")
    o.contract("ABC", "TWO", "tokens")
    select.select([listener], [], [], 5)
    listener.poll()
    assert [n.channel for n in listener.notifies] == ["contract"]
    listener.close()


# ---------------------------------------------------------------- tokens to CPOs

def may_have_tokens(o, giver, taker, module=None, allowed=True):
    o.contract(giver, taker, module, allowed, giver_country="NL", taker_country="FI")
    o.rows("DELETE FROM outbox WHERE class = 'client_info'")


def test_a_token_goes_to_the_cpos_with_a_contract_in_its_latest_state(o):
    may_have_tokens(o, "ONE", "ABC", "tokens")
    for n in (1, 2):
        o.value("roaming_token_put", o.one, "NL", "ONE", "U1", "RFID", f'{{"uid": "U1", "n": {n}}}',
                "2.2.1", "C", True, o.later(), 0)
    o.token(o.two, "TWO", "U2")
    (item,) = o.claimed()
    assert (item["partner_id"], item["kind"], item["object_id"], item["country_code"],
            item["party_id"]) == (o.abc, "token", "U1", "NL", "ONE")
    assert (item["ocpi"], item["document"]) == ("2.2.1", '{"uid": "U1", "n": 2}')
    o.done(item)
    assert o.told() == []


def test_a_token_that_did_not_change_is_not_told_again(o):
    may_have_tokens(o, "ONE", "ABC")
    at = o.later()
    o.token(o.one, "ONE", "U1", at=at)
    assert o.told() == [(o.abc, "token", "U1")]
    o.token(o.one, "ONE", "U1", at=at)  # the same
    o.token(o.one, "ONE", "U1", at=at - datetime.timedelta(hours=1))  # stale
    assert o.told() == []
    o.token(o.one, "ONE", "U1", valid=False)
    assert o.told() == [(o.abc, "token", "U1")]


def test_a_token_is_told_no_more_when_the_contract_has_ended(o):
    may_have_tokens(o, "ONE", "ABC")
    o.token(o.one, "ONE", "U1")
    may_have_tokens(o, "ONE", "ABC", "tokens", False)
    (item,) = o.claimed()
    assert item["document"] is None


@pytest.mark.parametrize("version", ["2.1.1", "2.2.1", "2.3.0"])
def test_cpos_of_every_version_are_told(r, version):
    cpo = r.connect("ABC", "CPO", "FI", version=version)
    emsp = r.connect("ONE", version=version)
    r.contract("ONE", "ABC", giver_country="NL", taker_country="FI")
    r.rows("DELETE FROM outbox")
    r.token(emsp, "ONE", "U1")
    assert r.told() == [(cpo, "token", "U1")]


def test_nobody_is_told_its_own_tokens(r):
    both = r.invite("ONE")
    r.registered(both, "ONE", listed=(
        '[{"identifier":"tokens","role":"SENDER","url":"https://x/s"},'
        '{"identifier":"tokens","role":"RECEIVER","url":"https://x/r"}]'),
        roles=[{"role": "EMSP", "country_code": "NL", "party_id": "ONE"},
               {"role": "CPO", "country_code": "NL", "party_id": "CPO"}])
    r.contract("ONE", "CPO", giver_country="NL")
    r.rows("DELETE FROM outbox")
    r.token(both, "ONE", "U1")
    assert r.told() == []  # R-ROUTE-18


def test_a_token_that_could_not_be_told_is_dropped_after_a_while(o):
    may_have_tokens(o, "ONE", "ABC")
    o.token(o.one, "ONE", "U1")
    o.wait(15 * 60 + 1)
    assert o.claimed() == [] and o.waiting() == []
    assert o.partner_row(o.abc)["needs_resync"]


# ---------------------------------------------------------------- how a charge began

def begun(o, at=0, kind="START_SESSION", evse="E1", emsp="ONE", reference="REF", version="2.1.1", expiry=None):
    name = uuid.uuid4().hex
    insert(o, name, kind, o.one, "NL", emsp, "2.3.0", o.abc, "FI", "ABC", version, URL, "corr", None, "L1", "U1",
           None, expiry, evse, "NL-ONE-1", reference)
    o.rows("UPDATE relay_start SET asked_at = asked_at + %s * interval '1 s',"
           " until_at = until_at + %s * interval '1 s' WHERE id = %s", at, at, name)
    return name


def origin(o, at=0, auth="NL-ONE-1", location="L1", evse="E1", emsp="ONE", cpo=None, cdr=False):
    (row,) = o.statement("relay_origin_find", cpo or o.abc, "NL", emsp, auth, location, evse,
                         o.now() + datetime.timedelta(seconds=at), cdr)
    return row["by_command"], row["authorization_reference"], row["session_id"]


def test_a_start_is_found_for_the_charge_it_began(o):  # R-BR (section 15.5)
    name = begun(o)
    yes, no = (True, "REF", None), (False, None, None)
    assert origin(o) == yes and origin(o, auth="nl-one-1", location="l1", evse="e1") == yes
    assert origin(o, auth="U1") == yes and origin(o, evse=None) == yes
    assert origin(o, at=-110) == yes and origin(o, at=-130) == no
    assert origin(o, at=14 * 60) == yes and origin(o, at=16 * 60) == no
    for other in ({"auth": "NL-ONE-2"}, {"location": "L2"}, {"evse": "E2"}, {"emsp": "TWO"}, {"cpo": o.xyz}):
        assert origin(o, **other) == no, other
    answered(o, name, "accepted", 30)
    o.rows("UPDATE relay_context SET deadline_at = hub_now() - interval '1 s'")
    o.rows("SELECT hub_job('relay')")
    assert not o.rows("SELECT FROM relay_context") and origin(o) == yes, "long after its context"
    o.rows("UPDATE relay_start SET asked_at = asked_at - interval '401 days'")
    o.rows("SELECT hub_job('relay')")
    assert not o.rows("SELECT FROM relay_start")


def test_what_began_at_a_place_long_ago_is_not_looked_at(o):
    begun(o)
    o.rows("INSERT INTO relay_start (id, requester, receiver_id, location_id, token_uid, asked_at, until_at)"
           " SELECT 'old' || i, 'nl*one', %s, 'L1', 'U' || i, hub_now() - i * interval '10 minutes',"
           " hub_now() - i * interval '10 minutes' + interval '5 minutes' FROM generate_series(1, 20000) i", o.abc)
    o.rows("VACUUM ANALYZE relay_start")
    text = re.sub(r"\$(\d+)", "%s", STATEMENTS["relay_origin_find"].replace("%", "%%"))
    order = [int(n) - 1 for n in re.findall(r"\$(\d+)", STATEMENTS["relay_origin_find"])]
    asked = (o.abc, "NL", "ONE", "NL-ONE-1", "L1", "E1", o.now(), False)
    assert origin(o)[0], "it is found all the same"
    plan = o.row(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {text}", *(asked[i] for i in order))["QUERY PLAN"][0]["Plan"]
    assert plan["Shared Hit Blocks"] + plan["Shared Read Blocks"] < 60, plan


def test_what_was_refused_began_nothing(o):
    answered(o, begun(o), "refused")
    assert origin(o) == (False, None, None)
    begun(o, version="2.2.1") # says it itself
    begun(o, kind="UNLOCK_CONNECTOR")
    assert origin(o) == (False, None, None)


def test_the_nearest_of_several_starts_counts(o):
    begun(o, at=-600, reference="FIRST")
    begun(o, at=-5, reference="LAST", evse=None)
    assert origin(o)[1] == "LAST" and origin(o, at=-590)[1] == "FIRST"


def test_a_reservation_begins_a_charge_until_it_ends(o):
    begun(o, kind="RESERVE_NOW", reference="R", expiry=o.now() + datetime.timedelta(hours=2))
    assert origin(o, at=7800) == (True, "R", None) and origin(o, at=8400) == (False, None, None)
