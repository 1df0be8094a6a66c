# SPDX-License-Identifier: Apache-2.0
"""
The outbox: who is told of what, once, in order, and until when.
"""

import datetime
import json
import select
import threading
import time

import psycopg2
import pytest

from roaming import STATEMENTS


@pytest.fixture
def o(r):
    """A CPO, two eMSPs, a contract with the first of them; nothing waits."""
    r.abc = r.connect("ABC", "CPO", "FI")
    r.one = r.connect("ONE")
    r.two = r.connect("TWO")
    r.contract("ABC", "ONE")
    r.rows("DELETE FROM outbox")
    return r


def evses(*statuses, **more):
    return [{"uid": f"E{i}", "evse_id": f"FI*ABC*X{i}", "status": status, "connectors": [], **more}
            for i, status in enumerate(statuses)]


def kinds(o):
    return [(w["class"], w["evse_uid"]) for w in o.waiting()]


# ---------------------------------------------------------------- who

def test_a_change_goes_to_whoever_may_see_it_and_to_nobody_else(o):
    o.location(o.abc, "ABC", "L1")
    o.tariff(o.abc, "ABC", "T1")
    o.network_session(o.abc, "ABC", "S1", "ONE")
    o.foreign_cdr(o.abc, "ABC", "C1", "ONE")
    o.network_session(o.abc, "ABC", "S2", "TWO") # by the token's owner, not by contract
    o.network_session(o.abc, "ABC", "S3")
    o.foreign_cdr(o.abc, "ABC", "C3")
    assert o.told() == sorted([
        (o.one, "location", "L1"), (o.one, "tariff", "T1"), (o.one, "session", "S1"),
        (o.one, "cdr", "C1"), (o.two, "session", "S2")])
    assert o.told() == []


@pytest.mark.parametrize("version, told", [("2.1.1", True), ("2.2.1", True), ("2.3.0", True)])
def test_receivers_of_every_version_are_told(r, version, told):  # 2.1.1: endpoints without role
    cpo = r.connect("ABC", "CPO", "FI", version=version)
    emsp = r.connect("ONE", version=version)
    r.contract("ABC", "ONE")
    r.rows("DELETE FROM outbox")
    r.location(cpo, "ABC", "L1")
    assert r.told() == [(emsp, "location", "L1")]


def test_who_has_no_receiver_or_is_not_connected_is_told_nothing(r):
    cpo = r.connect("ABC", "CPO", "FI")
    r.connect("ONE", listed='[{"identifier":"locations","role":"SENDER","url":"https://x/l"},'
                            '{"identifier":"tariffs","role":"RECEIVER","url":"https://x/t"}]')
    invited, suspended = r.invite("INV"), r.connect("SUS")
    r.value("partner_suspend", suspended)
    for party in ("ONE", "INV", "SUS"):
        r.contract("ABC", party)
    r.location(cpo, "ABC", "L1")
    assert not r.waiting() and invited
    r.tariff(cpo, "ABC", "T1")
    assert len(r.waiting()) == 1


def test_an_offline_partner_is_still_told(o):
    o.rows("UPDATE partner SET state = 'offline' WHERE id = %s", o.one)
    o.location(o.abc, "ABC", "L1")
    assert o.told() == [(o.one, "location", "L1")]


def test_what_stood_before_a_contract_is_not_pushed(o):
    o.location(o.abc, "ABC", "L1")
    o.told()
    o.contract("ABC", "TWO")
    assert [k for k in kinds(o) if k[0] == "location"] == []
    o.location(o.abc, "ABC", "L1", name="new")
    assert {w["partner_id"] for w in o.waiting() if w["class"] == "location"} == {o.one, o.two}


def test_a_contract_that_ended_meanwhile_takes_the_document_away(o):
    o.location(o.abc, "ABC", "L1")
    o.tariff(o.abc, "ABC", "T1")
    o.contract("ABC", "ONE", allowed=False)
    items = o.claimed()
    assert len(items) == 2 and [i["document"] for i in items] == [None, None]


def test_a_suspended_owner_takes_the_document_away(o):
    o.location(o.abc, "ABC", "L1")
    o.network_session(o.abc, "ABC", "S1", "ONE")
    o.value("partner_suspend", o.abc)
    assert [i["document"] for i in o.claimed() if i["kind"] != "client_info"] == [None, None]


# ---------------------------------------------------------------- what

def test_many_changes_make_one_row_with_the_newest_document(o):
    for i in range(5):
        o.location(o.abc, "ABC", "L1", name=f"n{i}")
        o.network_session(o.abc, "ABC", "S1", "ONE", kwh=i)
        o.tariff(o.abc, "ABC", "T1", x=i)
    items = {i["kind"]: json.loads(i["document"]) for i in o.claimed()}
    assert items["location"]["name"] == "n4" and items["session"]["kwh"] == 4
    assert items["tariff"]["x"] == 4 and len(items) == 3


def test_a_repetition_tells_nothing(o):
    at = o.later()
    for _ in range(2):
        o.location(o.abc, "ABC", "L1", at=at)
        o.network_session(o.abc, "ABC", "S1", "ONE", at=at)
        o.foreign_cdr(o.abc, "ABC", "C1", "ONE")
        if len(o.waiting()) == 3:
            assert len(o.told()) == 3
    assert not o.waiting()


def test_a_mere_status_is_told_by_evse(o):
    o.location(o.abc, "ABC", "L1", evses=evses("AVAILABLE", "AVAILABLE"))
    o.told()
    o.location(o.abc, "ABC", "L1", evses=evses("AVAILABLE", "CHARGING"))
    (item,) = o.claimed()
    assert (item["kind"], item["evse_uid"], item["object_id"]) == ("evse", "E1", "L1")
    assert json.loads(item["document"])["evses"][1]["status"] == "CHARGING"


@pytest.mark.parametrize("change", [
    dict(name="new"),
    dict(evses=evses("AVAILABLE", "CHARGING", floor_level="2")),
    dict(evses=evses("AVAILABLE", "CHARGING", "AVAILABLE")),
    dict(evses=evses("AVAILABLE")),
    dict(evses=evses("AVAILABLE", "CHARGING"), ocpi="2.1.1"),
])
def test_what_is_more_than_a_status_is_told_by_location(o, change):
    o.location(o.abc, "ABC", "L1", evses=evses("AVAILABLE", "AVAILABLE"))
    o.told()
    o.location(o.abc, "ABC", "L1", **{"evses": evses("AVAILABLE", "AVAILABLE"), **change})
    assert kinds(o) == [("location", "")]


def test_a_location_that_waits_says_the_status_too(o):
    o.location(o.abc, "ABC", "L1", evses=evses("AVAILABLE"))
    o.location(o.abc, "ABC", "L1", evses=evses("CHARGING"))
    assert kinds(o) == [("location", "")]
    (item,) = o.claimed()
    assert json.loads(item["document"])["evses"][0]["status"] == "CHARGING"


def test_a_location_takes_over_the_statuses_that_wait(o):
    o.location(o.abc, "ABC", "L1", evses=evses("AVAILABLE", "AVAILABLE"))
    o.told()
    o.location(o.abc, "ABC", "L1", evses=evses("CHARGING", "AVAILABLE"))
    o.location(o.abc, "ABC", "L1", evses=evses("CHARGING", "CHARGING"))
    assert kinds(o) == [("location", "E0"), ("location", "E1")]
    o.location(o.abc, "ABC", "L1", name="new", evses=evses("CHARGING", "CHARGING"))
    assert kinds(o) == [("location", "")]


def test_who_cannot_say_when_a_tariff_counts_is_told_when_it_does(r):  # 2.1.1
    cpo, old, new = r.connect("ABC", "CPO", "FI"), r.connect("ONE", version="2.1.1"), r.connect("TWO")
    r.contract("ABC", "ONE")
    r.contract("ABC", "TWO")
    r.rows("DELETE FROM outbox")
    r.rows("UPDATE tariff_switch SET until_at = hub_now()")
    begin, end = (r.now() + datetime.timedelta(hours=h) for h in (1, 49))
    r.tariff(cpo, "ABC", "T1", start_date_time=begin.isoformat(), end_date_time=end.isoformat())
    assert r.told() == sorted([(old, "tariff", "T1"), (new, "tariff", "T1")])

    def look():
        r.rows("SELECT hub_job('tariffs')")
        return r.told()

    assert look() == []
    r.wait(3590)
    assert look() == []
    r.wait(11)
    assert look() == [(old, "tariff", "T1")]
    r.wait(3 * 86400)  # it was down meanwhile
    assert look() == [(old, "tariff_deleted", "T1")]
    r.wait(60)
    assert look() == []
    # Whatever becomes of it then: there it is no more.
    r.tariff(cpo, "ABC", "T1", start_date_time=begin.isoformat(), end_date_time=end.isoformat(), x=1)
    assert r.told() == sorted([(old, "tariff_deleted", "T1"), (new, "tariff", "T1")])


@pytest.mark.parametrize("same", [True, False])
def test_tariffs_that_begin_together_are_told_step_by_step(r, same):
    """A CPO's thousands at a new year's midnight: each once, none is left out."""
    cpo, old = r.connect("ABC", "CPO", "FI"), r.connect("ONE", version="2.1.1")
    r.contract("ABC", "ONE")
    r.rows("UPDATE tariff_switch SET until_at = hub_now(), last_id = 0")
    begin = r.now() + datetime.timedelta(hours=1)
    for i in range(7):
        at = begin if same else begin + datetime.timedelta(seconds=7 - i)
        r.tariff(cpo, "ABC", f"T{i}", start_date_time=at.isoformat(),
                 end_date_time=(at + datetime.timedelta(seconds=3)).isoformat())
    r.told()
    r.wait(3601 if same else 3620)
    steps, told = 0, []
    while not r.row("SELECT tariffs_switch(2) AS done")["done"]:
        steps, told = steps + 1, told + r.told()
    told += r.told()
    assert {t[2] for t in told} == {f"T{i}" for i in range(7)}
    assert [t[0] for t in told] == [old] * len(told)
    assert (steps, len(told)) == ((3, 7) if same else (7, 14))
    assert r.row("SELECT tariffs_switch(2) AS done")["done"] and r.told() == []


def test_a_deleted_tariff_is_told_as_deleted(o):
    o.tariff(o.abc, "ABC", "T1")
    o.told()
    o.statement("tariff_delete", o.abc, "FI", "ABC", "T1")
    assert o.told() == [(o.one, "tariff_deleted", "T1")]
    o.tariff(o.abc, "ABC", "T1")
    assert o.told() == [(o.one, "tariff", "T1")]


def test_sessions_and_cdrs_come_with_their_location(o):
    o.location(o.abc, "ABC", "L1", name="Harbour")
    o.told()
    o.network_session(o.abc, "ABC", "S1", "ONE", location="l1")
    o.foreign_cdr(o.abc, "ABC", "C1", "ONE", location="L1")
    for item in o.claimed():
        assert json.loads(item["location"])["name"] == "Harbour"
        assert (item["location_ocpi"], item["token_country"], item["token_party"]) == (
            "2.2.1", "NL", "ONE")


# ---------------------------------------------------------------- order and leases

def test_two_rows_of_one_object_are_never_under_way_together(o):
    o.location(o.abc, "ABC", "L1", evses=evses("AVAILABLE", "AVAILABLE"))
    o.location(o.abc, "ABC", "L2")
    o.told()
    o.location(o.abc, "ABC", "L1", evses=evses("CHARGING", "AVAILABLE"))
    o.location(o.abc, "ABC", "L1", evses=evses("CHARGING", "CHARGING"))
    o.location(o.abc, "ABC", "L2", name="other")
    first = {i["object_id"]: i for i in o.claimed()}
    assert len(first) == 2 and first["L1"]["evse_uid"] == "E0", "the older one"
    assert o.claimed() == []
    o.done(first["L1"])
    (second,) = o.claimed()
    assert second["evse_uid"] == "E1"


def test_what_changes_while_it_is_under_way_is_told_again(o):
    o.location(o.abc, "ABC", "L1", name="a", evses=evses("AVAILABLE"))
    (item,) = o.claimed()
    o.location(o.abc, "ABC", "L1", name="b", evses=evses("AVAILABLE"))
    o.location(o.abc, "ABC", "L1", name="b", evses=evses("CHARGING"))
    assert o.claimed() == []
    o.done(item)
    (again,) = o.claimed()
    assert json.loads(again["document"])["evses"][0]["status"] == "CHARGING"
    assert json.loads(again["document"])["name"] == "b" and again["attempts"] == 1
    o.done(again)
    assert not o.waiting()


def test_a_lease_that_ran_out_is_taken_over(o):
    o.foreign_cdr(o.abc, "ABC", "C1", "ONE")
    (first,) = o.claimed()
    o.wait(27)
    assert o.claimed() == []
    o.wait(4)
    (second,) = o.claimed()
    assert second["id"] == first["id"] and second["attempts"] == 2


def test_a_partner_has_so_many_under_way_and_no_more(o):
    o.contract("ABC", "TWO")
    o.told()
    for i in range(10):
        o.location(o.abc, "ABC", f"L{i}")
    items = o.claimed(per_partner=3)
    assert sorted(i["partner_id"] for i in items) == [o.one] * 3 + [o.two] * 3
    assert o.claimed(per_partner=3) == []
    o.done(items[0])
    assert [i["partner_id"] for i in o.claimed(per_partner=3)] == [items[0]["partner_id"]]
    assert len(o.claimed(limit=4)) == 4


def test_two_processes_never_claim_the_same(o, url):
    for i in range(60):
        o.location(o.abc, "ABC", f"L{i}")
    found, text = [], STATEMENTS["outbox_claim"].replace("$1", "3").replace("$2", "100")

    def work():
        with psycopg2.connect(url) as connection:
            connection.autocommit = True
            with connection.cursor() as cursor:
                while True:
                    cursor.execute(text)
                    rows = cursor.fetchall()
                    if not rows:
                        return
                    found.extend(row[0] for row in rows)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert len(found) == len(set(found)) == 60


# ---------------------------------------------------------------- failures

def test_pauses_grow_and_what_the_partner_asks_for_is_kept(o):
    o.foreign_cdr(o.abc, "ABC", "C1", "ONE")
    pauses = []
    for _ in range(12):
        (item,) = o.claimed()
        o.done(item, "retry", detail="timeout")
        (row,) = o.waiting()
        pauses.append((row["due_at"] - o.now()).total_seconds())
        o.rows("UPDATE outbox SET due_at = hub_now()")
    assert pauses[0] <= 2 and max(pauses) <= 300 and max(pauses[8:]) > 10
    (item,) = o.claimed()
    o.done(item, "retry", retry_after=86400)
    (row,) = o.waiting()
    assert 3590 <= (row["due_at"] - o.now()).total_seconds() <= 3600


def test_nothing_is_claimed_for_a_partner_that_is_away(o):
    o.contract("ABC", "TWO")
    o.told()
    for i in range(4):
        o.location(o.abc, "ABC", f"L{i}")
    mine = [i for i in o.claimed(per_partner=1) if i["partner_id"] == o.one]
    o.done_many(*[(i, "rest", 10, "away") for i in mine])
    assert {i["partner_id"] for i in o.claimed(per_partner=3)} == {o.two}
    o.wait(11)
    one, *others = [i for i in o.claimed(per_partner=4) if i["partner_id"] == o.one]
    assert len(others) == 3, "and when it is over, all of it"
    o.done_many(*[(i, "rest", 60, "away") for i in others[:2]])
    o.location(o.abc, "ABC", "L9")
    assert o.one not in {i["partner_id"] for i in o.claimed()}
    o.done(others[2], "refused", 30, "no such place") # its pause is not about being away
    o.done(one) # it has taken something: it is back, and what waited for that goes out
    assert [i["object_id"] for i in o.claimed() if i["partner_id"] == o.one] == [
        *sorted(i["object_id"] for i in others[:2]), "L9"]


def test_what_waits_for_a_partner_that_is_away_expires_all_the_same(o):
    o.location(o.abc, "ABC", "L1")
    o.location(o.abc, "ABC", "L2")
    (item,) = o.claimed(limit=1)
    o.done(item, "rest", 20, "away")
    o.wait(15 * 60 + 1)
    assert o.claimed() == [] and not o.waiting() and o.partner_row(o.one)["needs_resync"]


def test_many_ends_come_at_once_and_each_has_its_own_outcome(o):
    for i in range(5):
        o.location(o.abc, "ABC", f"L{i}")
    sent, newer, retry, refused, skipped = o.claimed()
    o.location(o.abc, "ABC", newer["object_id"], name="newer")
    gone = {**sent, "id": 10 ** 9}
    o.done_many((retry, "retry", 30, "timeout"), (sent, "sent", 0, None), (newer, "sent", 0, None),
                (refused, "refused", 0, "2001"), (gone, "sent", 0, None), (skipped, "skipped", 0, "no"))
    rows = {w["id"]: w for w in o.waiting()}
    assert set(rows) == {newer["id"], retry["id"], refused["id"]}
    assert [rows[i["id"]]["detail"] for i in (newer, retry, refused)] == [None, "timeout", "2001"]
    assert rows[refused["id"]]["refusals"] == 1 and rows[newer["id"]]["attempts"] == 0
    assert (rows[retry["id"]]["due_at"] - o.now()).total_seconds() > 25


def test_ends_and_a_new_state_of_the_same_object_do_not_wait_for_each_other(o, url):
    o.contract("ABC", "TWO")
    o.told()
    o.location(o.abc, "ABC", "L1")
    one, two = sorted(o.claimed(), key=lambda i: i["partner_id"])
    writer = psycopg2.connect(url)
    tell = "UPDATE outbox SET version = version + 1 WHERE id = %s"
    with writer.cursor() as cursor:
        cursor.execute(tell, (one["id"],)) # as a writer does: one partner after the other
        ends = threading.Thread(target=o.done_many, args=((two, "sent", 0, None), (one, "sent", 0, None)))
        ends.start()
        with psycopg2.connect(url) as watching, watching.cursor() as look:
            pid = o.connection.get_backend_pid()
            for _ in range(1000):
                look.execute("SELECT wait_event_type = 'Lock' FROM pg_stat_activity WHERE pid = %s", (pid,))
                if look.fetchone()[0]:
                    break
                watching.rollback() # what is seen of others stands still within a transaction
                time.sleep(0.01)
        cursor.execute("SET lock_timeout = '300ms'")
        cursor.execute(tell, (two["id"],))
    writer.commit()
    ends.join()
    writer.close()
    assert len(o.waiting()) == 2 and len(o.told()) == 2, "both are told what is new"


def test_a_push_is_dropped_after_a_quarter_of_an_hour_and_the_partner_has_to_pull(o):
    o.location(o.abc, "ABC", "L1")
    (item,) = o.claimed()
    o.done(item, "retry", detail="unreachable")
    assert not o.partner_row(o.one)["needs_resync"]
    o.wait(15 * 60 + 1)
    assert o.claimed() == [] and not o.waiting()
    assert o.partner_row(o.one)["needs_resync"] and not o.partner_row(o.two)["needs_resync"]
    o.statement("partner_needs_resync", o.one, False)
    assert not o.partner_row(o.one)["needs_resync"]


def test_what_ran_out_of_time_goes_in_steps_and_holds_up_no_other_partner(o, url):
    o.contract("ABC", "TWO")
    o.rows("DELETE FROM outbox")
    for partner in (o.one, o.two):
        o.rows("INSERT INTO outbox (partner_id, class, object, due_at, expires_at)"
               " SELECT %s, 'token', i, hub_now(), hub_now() + interval '15 minutes'"
               " FROM generate_series(1, 2500) i", partner)
    third = o.connect("THR")
    o.contract("ABC", "THR")
    o.wait(15 * 60 + 1)
    o.rows("DELETE FROM outbox WHERE class = 'client_info'")
    o.rows("INSERT INTO outbox_rest VALUES (%s, hub_now() + interval '1 hour')", o.one)
    o.location(o.abc, "ABC", "L1")
    listener = psycopg2.connect(url)
    listener.autocommit = True
    listener.cursor().execute("LISTEN outbox")
    left, told, claims = 5000, [], 0
    while left:
        told += [i["partner_id"] for i in o.claimed()]
        claims += 1
        gone = left - o.row("SELECT count(*) AS n FROM outbox WHERE class = 'token'")["n"]
        assert 0 < gone <= 1000, "a step that any claim has time for"
        assert told[:1] == [third]
        left -= gone
        if left:
            assert select.select([listener], [], [], 10)[0], "somebody is woken for the rest"
        listener.poll()
    listener.close()
    told += [i["partner_id"] for i in o.claimed()]
    assert claims <= 7 and sorted(told) == [o.two, third], "and then the rest has its turn"
    assert o.partner_row(o.one)["needs_resync"], "also who is away"


def test_a_cdr_is_tried_for_three_days_and_then_waits_for_a_person(o):
    o.foreign_cdr(o.abc, "ABC", "C1", "ONE")
    o.wait(71 * 3600)
    (item,) = o.claimed()
    o.done(item, "retry", detail="unreachable")
    o.wait(3600 + 1)
    assert o.claimed() == []
    (parked,) = o.statement("outbox_parked", 0, 10)
    assert (parked["object_id"], parked["detail"]) == ("C1", "unreachable")
    assert not o.partner_row(o.one)["needs_resync"]
    assert o.statement("outbox_again", parked["id"], False)[0]["found"]
    assert o.told() == [(o.one, "cdr", "C1")]
    assert not o.statement("outbox_again", parked["id"], True)[0]["found"]


def test_five_refusals_alike_wait_for_a_person(o):
    o.location(o.abc, "ABC", "L1")
    for why in ["2001 a", "2001 b", "2001 b", "2001 b", "2001 b"]:
        (item,) = o.claimed()
        o.done(item, "refused", detail=why)
        o.rows("UPDATE outbox SET due_at = hub_now() WHERE due_at IS NOT NULL")
    (item,) = o.claimed()
    o.done(item, "refused", detail="2001 b")
    assert o.claimed() == [] and len(o.statement("outbox_parked", o.one, 10)) == 1
    o.wait(3600)
    assert o.claimed() == [], "what waits for a person does not expire"
    o.location(o.abc, "ABC", "L1", name="better")
    assert o.told() == [(o.one, "location", "L1")], "but other content is tried"


def test_what_cannot_be_said_is_skipped(o):
    o.location(o.abc, "ABC", "L1")
    (item,) = o.claimed()
    o.done(item, "skipped", detail="2.1.1 has no unpublished locations")
    assert not o.waiting()


def test_an_answer_after_the_row_is_gone_does_no_harm(o):
    o.location(o.abc, "ABC", "L1")
    (item,) = o.claimed()
    o.value("partner_unregistered", o.one)
    o.done(item, "retry")
    assert not o.waiting()


# ---------------------------------------------------------------- client infos

def told_infos(o):
    items = [i for i in o.claimed() if i["kind"] == "client_info"]
    for item in items:
        o.done(item)
    return sorted((i["partner_id"], i["party_id"], i["status"]) for i in items)


def test_both_sides_hear_of_each_other_at_the_contract(o):
    o.contract("ABC", "TWO", "tariffs")
    hub_cpo = o.connect("HCP", "CPO", "FI", face="platform")
    o.contract("HCP", "TWO")
    assert told_infos(o) == [(o.two, "ABC", "CONNECTED"), (o.two, "HCP", "CONNECTED"),
                             (hub_cpo, "TWO", "CONNECTED")]
    assert told_infos(o) == []


def test_an_outage_is_announced_after_a_minute_and_its_end_at_once(o):  # R-HCI-07
    o.value("partner_probed", o.abc, False)
    o.value("partner_probed", o.abc, False)
    o.wait(57)
    assert told_infos(o) == []
    o.wait(4)
    assert told_infos(o) == [(o.one, "ABC", "OFFLINE")]
    o.value("partner_seen", o.abc)
    assert told_infos(o) == [(o.one, "ABC", "CONNECTED")]


def test_a_short_outage_is_not_announced_at_all(o):
    for _ in range(3):
        o.rows("UPDATE partner SET state = 'offline' WHERE id = %s", o.abc)
        o.wait(30)
        o.value("partner_seen", o.abc)
        assert not o.waiting()
        o.wait(120)
        assert told_infos(o) == []


def test_a_suspension_during_an_outage_is_announced_at_once(o):
    o.rows("UPDATE partner SET state = 'offline' WHERE id = %s", o.abc)
    o.value("partner_suspend", o.abc)
    assert told_infos(o) == [(o.one, "ABC", "SUSPENDED")]


def test_an_end_of_an_outage_that_is_being_announced_follows(o):
    o.rows("UPDATE partner SET state = 'offline' WHERE id = %s", o.abc)
    o.wait(61)
    (item,) = o.claimed()
    o.value("partner_seen", o.abc)
    o.done(item)
    assert told_infos(o) == [(o.one, "ABC", "CONNECTED")]


def test_2_1_1_hears_of_nobody_but_is_told_of(o):  # R-HCI-10
    old = o.connect("OLD", version="2.1.1")
    cpo = o.connect("HCP", "CPO", "FI", face="platform")
    o.contract("HCP", "OLD")
    assert told_infos(o) == [(cpo, "OLD", "CONNECTED")] and old


def test_an_invited_party_is_planned(o):  # R-HCI-05
    o.contract("NEW", "ONE")
    o.invite("NEW", "CPO", "FI")
    assert told_infos(o) == [(o.one, "NEW", "PLANNED")]


# ---------------------------------------------------------------- cost

def test_a_worker_is_woken_once_per_transaction(o, url):
    listener = psycopg2.connect(url)
    listener.autocommit = True
    with listener.cursor() as cursor:
        cursor.execute("LISTEN outbox")
        o.connection.autocommit = False
        for i in range(5):
            o.location(o.abc, "ABC", f"L{i}")
        o.connection.commit()
        o.connection.autocommit = True
        cursor.execute("SELECT 1")
    listener.poll()
    assert len(listener.notifies) == 1
    listener.close()


def test_without_receivers_nothing_is_written(r):
    cpo = r.connect("ABC", "CPO", "FI")
    r.contract("ABC", "ONE")
    r.location(cpo, "ABC", "L1")
    r.network_session(cpo, "ABC", "S1", "ONE")
    r.foreign_cdr(cpo, "ABC", "C1", "ONE")
    assert not r.waiting()
