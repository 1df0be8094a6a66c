# SPDX-License-Identifier: Apache-2.0
"""
What a partner may read: nobody sees what is not for it, and pages hold still.
"""

import datetime
import json
import time

import pytest

from roaming import OLD


@pytest.fixture
def two(r):
    """Two CPOs and two eMSPs; each CPO has an object of each kind for each eMSP."""
    r.abc = r.connect("ABC", "CPO", "FI")
    r.xyz = r.connect("XYZ", "CPO", "FI")
    r.one = r.connect("ONE")
    r.two = r.connect("TWO")
    for partner, party in ((r.abc, "ABC"), (r.xyz, "XYZ")):
        r.location(partner, party, f"L-{party}")
        r.tariff(partner, party, f"T-{party}")
        for owner in ("ONE", "TWO", None):
            r.network_session(partner, party, f"S-{party}-{owner}", owner)
            r.foreign_cdr(partner, party, f"C-{party}-{owner}", owner)
    r.token(r.one, "ONE", "A1")
    r.token(r.two, "TWO", "B2")
    return r


OPEN = [("locations", "L"), ("tariffs", "T")]
OWNED = [("sessions", "S"), ("cdrs", "C")]


@pytest.mark.parametrize("kind, letter", OPEN)
def test_without_a_contract_there_is_nothing(two, kind, letter):
    assert two.shared(kind, two.one) == (0, [])
    assert two.shared_one(kind[:-1], two.one, f"{letter}-ABC") == []


@pytest.mark.parametrize("kind, letter", OPEN)
def test_a_contract_opens_one_party_to_one_party(two, kind, letter):
    two.contract("ABC", "ONE")
    assert two.shared(kind, two.one) == (1, [f"{letter}-ABC"])
    assert two.shared(kind, two.two) == (0, [])
    assert two.shared(kind, two.xyz) == (0, []) and two.shared(kind, two.abc) == (0, [])
    assert len(two.shared_one(kind[:-1], two.one, f"{letter.lower()}-abc")) == 1
    assert two.shared_one(kind[:-1], two.one, f"{letter}-XYZ") == []
    assert two.shared_one(kind[:-1], two.two, f"{letter}-ABC") == []


@pytest.mark.parametrize("kind, letter", OPEN)
def test_a_contract_the_other_way_round_opens_nothing(two, kind, letter):
    two.contract("ONE", "ABC", giver_country="NL", taker_country="FI")
    assert two.shared(kind, two.one) == (0, [])


def test_a_module_may_be_excepted_and_a_contract_may_be_of_one_module(two):
    two.contract("ABC", "ONE")
    two.contract("ABC", "ONE", "tariffs", allowed=False)
    two.contract("XYZ", "ONE", "tariffs")
    assert two.shared("locations", two.one) == (1, ["L-ABC"])
    assert two.shared("tariffs", two.one) == (1, ["T-XYZ"])
    two.contract("ABC", "ONE", allowed=False)
    assert two.shared("locations", two.one) == (0, [])


@pytest.mark.parametrize("kind, letter", OWNED)
def test_sessions_and_cdrs_are_the_token_owners(two, kind, letter):  # R-ROUTE-32
    two.contract("ABC", "ONE")
    two.contract("XYZ", "ONE")
    assert two.shared(kind, two.one) == (2, [f"{letter}-ABC-ONE", f"{letter}-XYZ-ONE"])
    assert two.shared(kind, two.two) == (2, [f"{letter}-ABC-TWO", f"{letter}-XYZ-TWO"])
    assert two.shared(kind, two.abc) == (0, [])
    assert two.shared(kind, two.one, owner="xyz") == (1, [f"{letter}-XYZ-ONE"])
    assert len(two.shared_one(kind[:-1], two.one, f"{letter}-abc-one")) == 1
    assert two.shared_one(kind[:-1], two.one, f"{letter}-ABC-TWO") == []
    assert two.shared_one(kind[:-1], two.one, f"{letter}-ABC-None") == []


def test_tokens_go_to_cpos_under_a_contract(two):  # R-TOK-10
    assert two.shared("tokens", two.abc) == (0, [])
    two.contract("ONE", "ABC", "tokens", giver_country="NL", taker_country="FI")
    assert two.shared("tokens", two.abc) == (1, ["A1"])
    assert two.shared("tokens", two.xyz) == (0, []) and two.shared("tokens", two.two) == (0, [])
    assert two.shared_one("token", two.abc, "b2") == []
    assert two.shared_one("token", two.abc, "a1")[0]["party_id"] == "ONE"


def test_the_reader_may_be_one_of_its_parties_and_no_other(two):
    two.contract("ABC", "ONE")
    assert two.shared("locations", two.one, reader_party="one") == (1, ["L-ABC"])
    assert two.shared("locations", two.two, reader_party="ONE") == (0, [])
    assert two.shared("sessions", two.two, reader_party="ONE") == (0, [])


def test_the_owner_may_be_named(two):
    two.contract("ABC", "ONE")
    two.contract("XYZ", "ONE")
    assert two.shared("locations", two.one) == (2, ["L-ABC", "L-XYZ"])
    assert two.shared("locations", two.one, owner="xyz") == (1, ["L-XYZ"])


@pytest.mark.parametrize("kind, letter", OPEN + OWNED)
def test_objects_of_suspended_partners_are_left_out(two, kind, letter):  # R-ROUTE-31
    two.contract("ABC", "ONE")
    full = two.shared(kind, two.one)
    assert full[0] == 1 + (letter in "SC")
    two.value("partner_suspend", two.abc)
    assert [i for i in two.shared(kind, two.one)[1] if "ABC" in i] == []
    assert two.shared_one(kind[:-1], two.one, full[1][0]) == []
    two.value("partner_resume", two.abc)
    two.rows("UPDATE partner SET state = 'offline' WHERE id = %s", two.abc)
    assert two.shared(kind, two.one) == full


def test_a_pending_party_reads_nothing(two):
    two.contract("ABC", "NEW")
    assert two.registered(two.one, "ONE", expected="connected", roles=[
        {"role": "EMSP", "country_code": "NL", "party_id": p, "business_details": {"name": p}}
        for p in ("ONE", "NEW")]) == "registered"
    assert two.shared("locations", two.one) == (0, [])
    assert two.shared("locations", two.one, reader_party="NEW") == (0, [])
    assert two.value("partner_party_approve", two.one, "nl", "new", "EMSP") == "approved"
    assert two.shared("locations", two.one) == (1, ["L-ABC"])


def test_equal_ids_of_several_owners_are_all_found(two):
    for partner, party in ((two.abc, "ABC"), (two.xyz, "XYZ")):
        two.contract(party, "ONE")
        two.location(partner, party, "SAME")
    assert [(o["country_code"], o["party_id"]) for o in two.shared_one("location", two.one, "same")
            ] == [("FI", "ABC"), ("FI", "XYZ")]


# ---------------------------------------------------------------- what comes out

def test_documents_come_out_as_they_came_in_with_their_version(two):
    two.contract("ABC", "ONE")
    body = '{"id": "K",  "name":"old", "x_unknown" : [1.50]}'
    two.rows("SELECT location_put(%s, 'FI', 'ABC', 'K', %s, %s, 0, false, '2.1.1',"
             " '{\"id\":\"K\",\"publish\":true,\"name\":\"old\"}')", two.abc, body, two.later())
    (found,) = two.shared_one("location", two.one, "k")
    assert (found["document"], found["ocpi"]) == (body, "2.1.1")
    assert two.row("SELECT name FROM location WHERE location_id = 'K'")["name"] == "old"


def test_sessions_and_cdrs_bring_their_location(two):
    two.network_session(two.abc, "ABC", "S1", "ONE", location="l-abc")
    two.foreign_cdr(two.abc, "ABC", "C1", "ONE", location="L-ABC")
    two.network_session(two.abc, "ABC", "S2", "ONE", location="L-XYZ") # another CPO's
    for kind, name in (("session", "S1"), ("cdr", "C1")):
        (found,) = two.shared_one(kind, two.one, name)
        assert json.loads(found["location"])["id"] == "L-ABC"
        assert (found["location_ocpi"], found["token_party"]) == ("2.2.1", "ONE")
    assert two.shared_one("session", two.one, "S2")[0]["location"] is None


def test_what_2_1_1_may_not_have_is_left_out(two):
    two.contract("ABC", "ONE")
    day = datetime.timedelta(days=1)
    two.location(two.abc, "ABC", "HIDDEN", publish=False)
    for name, start, end in (("EARLY", day, None), ("LATE", None, -day), ("NOW", -day, day)):
        more = {key: (two.now() + shift).strftime("%Y-%m-%dT%H:%M:%SZ")
                for key, shift in (("start_date_time", start), ("end_date_time", end)) if shift}
        two.tariff(two.abc, "ABC", name, **more)
    assert two.shared("locations", two.one)[0] == 2
    assert two.shared("locations", two.one, old=True) == (1, ["L-ABC"])
    assert two.shared("tariffs", two.one)[0] == 4
    assert two.shared("tariffs", two.one, old=True) == (2, ["T-ABC", "NOW"])
    assert two.shared_one("tariff", two.one, "LATE", old=True) == []
    assert two.shared_one("location", two.one, "HIDDEN", old=True) == []


def test_a_tariff_that_has_come_into_force_is_news_to_2_1_1(two):
    """Who asks for what is new since yesterday has not been told of it before."""
    two.contract("ABC", "ONE")
    times = [two.now() + datetime.timedelta(hours=h) for h in (-48, -1, 24)]
    for name, start in zip(("OLD", "NEW", "EARLY"), times):
        two.tariff(two.abc, "ABC", name, at=OLD, start_date_time=start.isoformat())
    since = two.now() - datetime.timedelta(days=1)
    known = two.shared("tariffs", two.one, since=since)[1]
    assert "NEW" not in known and two.shared("tariffs", two.one, since=since, old=True)[1] == [*known, "NEW"]


def test_a_deleted_tariff_is_gone(two):
    two.contract("ABC", "ONE")
    two.statement("tariff_delete", two.abc, "fi", "abc", "t-abc")
    assert two.shared("tariffs", two.one) == (0, [])
    assert two.shared_one("tariff", two.one, "T-ABC") == []


# ---------------------------------------------------------------- pages

def test_dates_are_from_inclusive_to_exclusive(two):  # R-TRANS-41
    two.contract("ABC", "ONE")
    second = datetime.timedelta(seconds=1)
    for i in range(4):
        two.location(two.abc, "ABC", f"D{i}", at=OLD + i * second)
        two.foreign_cdr(two.abc, "ABC", f"D{i}", "ONE")
        two.rows("UPDATE cdr SET last_updated = %s WHERE cdr_id = %s", OLD + i * second, f"D{i}")
    for kind in ("locations", "cdrs"):
        assert two.shared(kind, two.one, since=OLD + second, until=OLD + 3 * second) == (
            2, ["D1", "D2"])


def test_pages_hold_still_while_objects_come_and_change(two):  # R-TRANS-45
    two.contract("ABC", "ONE")
    two.contract("XYZ", "ONE")
    for i in range(20):
        two.location(*((two.abc, "ABC") if i % 3 else (two.xyz, "XYZ")), f"P{i}")
    before = two.shared("locations", two.one)[1]
    seen, offset = [], 0
    while True:
        total, ids = two.shared("locations", two.one, offset=offset, limit=5)
        if not ids:
            break
        assert total == len(before) + offset // 5
        seen += ids
        offset += 5
        two.location(two.abc, "ABC", f"NEW{offset}")
        two.location(two.abc, "ABC", "P1", name=f"changed {offset}")
        two.location(two.xyz, "XYZ", "P0", name=f"changed {offset}")
        if offset > 40:
            break
    assert seen[:len(before)] == before and len(set(seen)) == len(seen)


def test_a_page_past_the_end_still_tells_the_total(two):
    two.contract("ABC", "ONE")
    assert two.shared("locations", two.one, offset=100, limit=10) == (1, [])
    assert two.shared("locations", two.one, limit=0) == (1, [])


@pytest.mark.slow
def test_the_first_page_of_many_is_fast(two):
    two.contract("ABC", "ONE")
    two.rows("DELETE FROM push_target") # nobody is to be told
    two.rows("""INSERT INTO location (partner_id, country_code, party_id, location_id, document,
                                      last_updated, published, updated_at)
                SELECT %s, 'FI', 'ABC', 'M' || i, repeat('x', 1500), now(), true, now()
                  FROM generate_series(1, 60000) i""", two.abc)
    two.rows("VACUUM ANALYZE location")
    took = []
    for _ in range(4):
        begin = time.monotonic()
        total, ids = two.shared("locations", two.one, limit=50)
        took.append(time.monotonic() - begin)
        assert (total, len(ids)) == (60001, 50)
    assert min(took) < 0.5, took


# ---------------------------------------------------------------- whose token?

def owner_of(r, cpo, uid):
    rows = r.statement("token_owner_find", cpo, uid, "FI", "HUB")
    return (rows[0]["party_id"], rows[0]["ours"]) if rows else None


def test_a_token_belongs_to_an_emsp_that_the_cpo_may_know(two):
    assert owner_of(two, two.abc, "A1") is None
    two.contract("ONE", "ABC", "tokens", giver_country="NL", taker_country="FI")
    assert owner_of(two, two.abc, "a1") == ("ONE", False)
    assert owner_of(two, two.abc, "c-a1") == ("ONE", False) # auth_id of 2.1.1
    assert owner_of(two, two.abc, "B2") is None and owner_of(two, two.xyz, "A1") is None
    assert owner_of(two, two.abc, None) is None
    two.value("partner_suspend", two.one)
    assert owner_of(two, two.abc, "A1") is None


def test_what_a_contract_says_of_tokens_counts_before_what_it_says_of_all(two):
    between = dict(giver_country="NL", taker_country="FI")
    two.contract("ONE", "ABC", **between)
    assert owner_of(two, two.abc, "A1") == ("ONE", False)
    two.contract("ONE", "ABC", "tokens", allowed=False, **between)
    assert owner_of(two, two.abc, "A1") is None
    two.contract("ONE", "ABC", allowed=False, **between)
    two.contract("ONE", "ABC", "tokens", **between)
    assert owner_of(two, two.abc, "A1") == ("ONE", False)


def test_of_several_tokens_of_one_owner_the_uid_counts_first_then_the_newest(two):
    two.contract("ONE", "ABC", giver_country="NL", taker_country="FI")
    uid_of = lambda name: two.statement("token_owner_find", two.abc, name, "FI", "HUB")[0]["uid"]
    two.token(two.one, "ONE", "OLD", contract="SHARED")
    two.token(two.one, "ONE", "NEW", contract="SHARED")
    two.token(two.one, "ONE", "WORN", contract="SHARED", valid=False)
    assert uid_of("shared") == "NEW"
    two.token(two.one, "ONE", "SHARED", contract="OTHER", at=two.now() - datetime.timedelta(days=1))
    assert uid_of("shared") == "SHARED"
    two.token(two.one, "ONE", "SHARED", contract="OTHER", valid=False)
    assert uid_of("shared") == "NEW"


def test_our_own_tokens_need_no_contract(two):
    two.rows("INSERT INTO token (uid, type, contract_id, user_id)"
             " VALUES ('0011AABB', 'APP_USER', 'FI-HUB-C1', 'u')")
    assert owner_of(two, two.xyz, "0011aabb") == ("HUB", True)
    assert owner_of(two, two.xyz, "FI-HUB-C1") == ("HUB", True)


def test_a_token_that_two_claim_is_the_valid_ones_or_nobodys(two):
    for party in ("ONE", "TWO"):
        two.contract(party, "ABC", giver_country="NL", taker_country="FI")
    two.token(two.two, "TWO", "A1")
    assert owner_of(two, two.abc, "A1") is None
    two.token(two.two, "TWO", "A1", valid=False)
    assert owner_of(two, two.abc, "A1") == ("ONE", False)


def test_tokens_are_ordered_by_last_updated_and_never_deleted(r):  # R-TRANS-15, R-TOK-02
    one = r.connect("ONE")
    early, late = r.later(), r.later()
    assert r.token(one, "ONE", "A1", at=late) == "created"
    assert r.token(one, "one", "a1", at=early, valid=False) == "stale"
    assert r.token(one, "ONE", "A1", at=late) == "same"
    assert r.token(one, "ONE", "A1", valid=False) == "replaced"
    assert r.token(one, "ONE", "A1", type="APP_USER") == "created" # R-TOK-01
    found = r.statement("roaming_token_get", one, "nl", "one", "a1", "rfid")
    assert len(found) == 1 and found[0]["version"] == 2


# ---------------------------------------------------------------- client infos

def infos(r, reader, **how):
    rows = r.statement("client_info_list", reader, how.get("since"), how.get("until"), 0, 100, "FI",
                       how.get("ours"))
    found = [(i["party_id"], i["role"], i["status"]) for i in rows if i["party_id"]]
    assert rows[0]["total"] == len(found)
    return sorted(found)


def test_a_party_hears_of_those_it_could_work_with(two):  # R-HCI-06
    assert infos(two, two.one) == []
    two.contract("ABC", "ONE", "locations")
    assert infos(two, two.one) == [("ABC", "CPO", "CONNECTED")]
    assert infos(two, two.abc) == [("ONE", "EMSP", "CONNECTED")] # either direction
    assert infos(two, two.two) == [] and infos(two, two.xyz) == []
    two.contract("TWO", "ONE", giver_country="NL") # the same side
    assert infos(two, two.one) == [("ABC", "CPO", "CONNECTED")]
    assert infos(two, two.abc, ours="HUB") == [("HUB", "EMSP", "CONNECTED"),
                                               ("ONE", "EMSP", "CONNECTED")]
    two.value("partner_suspend", two.abc)
    assert infos(two, two.one) == [("ABC", "CPO", "SUSPENDED")]
    assert infos(two, two.one, until=OLD) == []


def test_what_another_hub_tells_is_kept_by_party_and_role(r):  # R-HCI-04
    hub = r.connect("HHH", "HUB", hub=True)
    late, early = r.later() + datetime.timedelta(hours=1), r.later()
    put = lambda role, status, at: r.statement(
        "client_info_put", hub, "DE", "QQQ", role, status, at)[0]["created"]
    assert put("CPO", "CONNECTED", late) and put("EMSP", "PLANNED", None)
    assert not put("CPO", "OFFLINE", early)
    found = r.statement("client_info_get", hub, "de", "qqq")
    assert [(i["role"], i["status"]) for i in found] == [("CPO", "CONNECTED"), ("EMSP", "PLANNED")]
    assert not put("CPO", "OFFLINE", late)
    assert r.statement("client_info_get", hub, "de", "qqq")[0]["status"] == "OFFLINE"
