# SPDX-License-Identifier: Apache-2.0
"""
The life of a partner: registration in any version, the states of R-HCI-05, and operators.
"""

import json

import psycopg2
import pytest

from roaming import endpoints


def pulls(r, partner):
    return sorted(p["module"] for p in r.rows("SELECT module FROM pull WHERE partner_id = %s",
                                              partner))


def targets(r, partner):
    return sorted(p["module"] for p in r.rows(
        "SELECT module FROM push_target WHERE partner_id = %s", partner))


def parties(r, partner, table="party"):
    return sorted((p["party_id"], p["role"]) for p in r.rows(
        f"SELECT party_id, role FROM {table} WHERE partner_id = %s", partner))


def role(party, word, country="NL"):
    return {"role": word, "country_code": country, "party_id": party,
            "business_details": {"name": party}}


def probes(r, silence=300):
    return [p["id"] for p in r.statement("partner_probe_due", 10, silence)]


# ---------------------------------------------------------------- registration

ALL = ["cdrs", "locations", "sessions", "tariffs"]


@pytest.mark.parametrize("kind, version, face, sends, receives", [
    ("CPO", "2.1.1", "emsp", ALL, ["tokens"]),
    ("CPO", "2.2.1", "emsp", ALL, ["tokens"]),
    ("CPO", "2.2.1", "platform", ALL, ["hubclientinfo", "tokens"]),
    ("CPO", "2.3.0", "platform", ALL, ["hubclientinfo", "tokens"]),
    ("EMSP", "2.1.1", "cpo", ["tokens"], ALL), # endpoints without role (R-VER-04)
    ("EMSP", "2.2.1", "platform", ["tokens"], sorted(ALL + ["hubclientinfo"])),
    ("EMSP", "2.3.0", "platform", ["tokens"], sorted(ALL + ["hubclientinfo"])),
])
def test_the_side_of_an_endpoint_follows_its_role_or_the_face(r, kind, version, face, sends,
                                                              receives):
    partner = r.connect("PPP", kind, version=version, face=face)
    row = r.partner_row(partner)
    assert (row["state"], row["version"], row["face"]) == ("connected", version, face)
    assert pulls(r, partner) == sends
    assert targets(r, partner) == receives


def test_the_first_registration_of_ours_makes_all_roles_active(r):
    partner = r.value("partner_reserve", "P", "https://p.example/versions", "[]")
    assert r.registered(partner, "AAA", expected=None,
                        roles=[role("AAA", "CPO"), role("AAA", "EMSP"), role("BBB", "CPO")],
                        ) == "registered"
    assert parties(r, partner) == [("AAA", "CPO"), ("AAA", "EMSP"), ("BBB", "CPO")]


def test_roles_beyond_the_agreed_ones_wait_for_an_operator(r):
    partner = r.invite("ONE")
    listed = [role("one", "EMSP"), role("ONE", "CPO"), role("EXT", "EMSP")]
    assert r.registered(partner, "ONE", roles=listed) == "registered"
    assert parties(r, partner) == [("one", "EMSP")]
    assert parties(r, partner, "party_pending") == [("EXT", "EMSP"), ("ONE", "CPO")]
    assert r.value("partner_party_approve", partner, "NL", "ZZZ", "EMSP") == "unknown"
    assert r.value("partner_party_approve", partner, "NL", "EXT", "CPO") == "unknown"
    assert r.value("partner_party_approve", partner, "NL", "ONE", "CPO") == "approved"
    assert parties(r, partner) == [("ONE", "CPO"), ("one", "EMSP")]
    # An agreed role keeps its place at the next registration; one that is no more listed goes.
    first = {p["role"]: p["id"] for p in r.rows(
        "SELECT * FROM party WHERE partner_id = %s", partner)}
    assert r.registered(partner, "ONE", expected="connected",
                        roles=[role("ONE", "EMSP"), role("EXT", "EMSP")]) == "registered"
    assert parties(r, partner) == [("ONE", "EMSP")]
    assert parties(r, partner, "party_pending") == [("EXT", "EMSP")]
    assert r.row("SELECT id FROM party WHERE partner_id = %s", partner)["id"] == first["EMSP"]


def test_a_party_of_another_partner_cannot_be_taken(r):
    owner = r.connect("ONE")
    thief = r.value("partner_reserve", "T", "https://t.example/versions", "[]")
    assert r.registered(thief, "TTT", roles=[role("TTT", "EMSP"), role("one", "CPO")]) == "taken"
    assert r.state_of(thief) == "planned" and not parties(r, thief)
    # As a wish beside an agreed role it is in nobody's way, and is never granted.
    other = r.invite("OTH")
    assert r.registered(other, "OTH", roles=[role("OTH", "EMSP"), role("ONE", "EMSP")]
                        ) == "registered"
    assert parties(r, other) == [("OTH", "EMSP")] and parties(r, owner) == [("ONE", "EMSP")]
    assert r.value("partner_party_approve", other, "NL", "ONE", "EMSP") == "taken"


def test_a_put_needs_a_connection_and_a_token_a_is_good_once(r):
    partner = r.invite("ONE")
    assert r.registered(partner, "ONE", expected="connected") == "conflict"
    assert r.registered(partner, "ONE", spend=True) == "registered"
    assert r.registered(partner, "ONE", spend=True) == "conflict" # R-CRED-20
    assert r.registered(partner, "ONE", expected="connected", version="2.3.0") == "registered"
    assert r.partner_row(partner)["version"] == "2.3.0"


def test_modules_that_are_no_more_offered_are_no_more_pulled_or_pushed(r):
    partner = r.connect("ONE")
    fewer = json.dumps([e for e in json.loads(endpoints("EMSP", "2.2.1"))
                        if e["identifier"] in ("locations", "hubclientinfo")])
    assert r.registered(partner, "ONE", expected="connected", listed=fewer) == "registered"
    assert pulls(r, partner) == [] and targets(r, partner) == ["hubclientinfo", "locations"]


def test_after_their_delete_nothing_works_until_a_new_invitation(r):  # R-CRED-08, 09, R-HCI-05
    cpo, partner = r.connect("ABC", "CPO", "FI"), r.connect("ONE")
    r.contract("ABC", "ONE")
    r.location(cpo, "ABC", "L1")
    assert r.waiting()
    r.value("partner_unregistered", partner)
    row = r.partner_row(partner)
    assert (row["state"], row["token_out"], row["endpoints"]) == ("offline", None, [])
    assert not r.waiting() and not pulls(r, partner) and not targets(r, partner)
    assert not r.rows("SELECT * FROM partner_token WHERE partner_id = %s", partner)
    r.location(cpo, "ABC", "L2")
    assert not r.waiting()
    # A request that was under way, or a probe, does not bring it back.
    r.value("partner_seen", partner)
    r.value("partner_probed", partner, True)
    assert r.state_of(partner) == "offline"
    r.wait(3600)
    assert partner not in probes(r)
    assert r.registered(partner, "ONE", spend=True) == "conflict"
    assert r.invite("ONE") == partner and r.state_of(partner) == "planned"
    assert r.registered(partner, "ONE", spend=True) == "registered"
    assert r.shared("locations", partner)[0] == 2


# ---------------------------------------------------------------- alive?

def test_two_failed_probes_make_it_offline_and_a_good_one_brings_it_back(r):  # R-HCI-08
    partner = r.connect("ONE")
    assert probes(r) == []
    r.wait(301)
    assert probes(r) == [partner]
    assert probes(r) == [], "claimed"
    r.value("partner_probed", partner, False)
    assert r.state_of(partner) == "connected"
    r.wait(31)
    assert probes(r) == [partner]
    since = r.partner_row(partner)["state_since"]
    r.value("partner_probed", partner, False)
    row = r.partner_row(partner)
    assert row["state"] == "offline" and row["state_since"] > since
    assert r.row("SELECT status_at FROM party WHERE partner_id = %s", partner)["status_at"] == row[
        "state_since"]
    r.wait(61)
    assert probes(r) == [partner]
    r.rows("UPDATE pull SET due_at = hub_now() + interval '1 day'")
    r.value("partner_probed", partner, True)
    assert r.state_of(partner) == "connected" and r.partner_row(partner)["failures"] == 0
    assert r.rows("SELECT * FROM pull WHERE due_at <= hub_now()"), "what was missed is fetched"


def test_a_success_between_two_failures_counts(r):
    partner = r.connect("ONE")
    r.value("partner_probed", partner, False)
    r.value("partner_seen", partner)
    r.value("partner_probed", partner, False)
    assert r.state_of(partner) == "connected"


def test_an_offline_partner_is_asked_less_and_less_often(r):
    partner = r.connect("ONE")
    r.wait(301)
    asked = 0
    for _ in range(3600 // 30):
        for found in probes(r):
            asked += 1
            r.value("partner_probed", found, False)
        r.wait(30)
    assert 12 <= asked <= 25


def test_a_request_brings_an_offline_partner_back(r):
    partner = r.connect("ONE")
    r.rows("UPDATE partner SET state = 'offline'")
    r.value("partner_seen", partner)
    assert r.state_of(partner) == "connected"


def test_planned_and_suspended_partners_are_not_probed_or_woken(r):
    planned, partner = r.invite("PLN"), r.connect("ONE")
    assert r.value("partner_suspend", partner) and not r.value("partner_suspend", partner)
    r.wait(3600)
    assert probes(r) == []
    for p in (planned, partner):
        r.value("partner_seen", p)
        r.value("partner_probed", p, False)
        r.value("partner_probed", p, False)
    assert (r.state_of(planned), r.state_of(partner)) == ("planned", "suspended")


# ---------------------------------------------------------------- operators

def test_suspend_stops_everything_and_resume_goes_on(r):
    cpo, partner = r.connect("ABC", "CPO", "FI"), r.connect("ONE")
    r.contract("ABC", "ONE")
    r.location(cpo, "ABC", "L1")
    assert r.value("partner_suspend", partner)
    assert not r.waiting() and not targets(r, partner)
    r.wait(10)
    assert partner not in [p["partner_id"] for p in r.call("pull_claim", 10)]
    assert r.registered(partner, "ONE", expected="connected") == "conflict"
    assert r.value("partner_resume", partner) and r.state_of(partner) == "connected"
    assert "locations" in targets(r, partner)
    assert not r.value("partner_resume", partner)


def test_resume_of_one_that_never_registered_or_has_left(r):
    planned, gone = r.invite("PLN"), r.connect("ONE")
    for p in (planned, gone):
        assert r.value("partner_suspend", p)
    r.value("partner_unregistered", gone)
    assert r.state_of(gone) == "suspended"
    for p in (planned, gone):
        assert r.value("partner_resume", p)
    assert (r.state_of(planned), r.state_of(gone)) == ("planned", "offline")


def test_a_host_is_good_after_an_operator_approved_that_very_host(r):
    partner = r.connect("ONE")
    assert not r.value("partner_host_approve", partner, "evil.example")
    assert r.value("partner_host_ask", partner, "New.example")
    assert r.partner_row(partner)["hosts"] == []
    assert not r.value("partner_host_approve", partner, "evil.example")
    assert r.value("partner_host_approve", partner, "new.example")
    row = r.partner_row(partner)
    assert (row["hosts"], row["host_asked"]) == (["new.example"], None)
    assert not r.value("partner_host_approve", partner, "new.example")
    assert not r.value("partner_host_ask", 0, "x")


def test_quirks_are_set_and_taken_away(r):
    partner = r.connect("ONE")
    assert r.value("partner_quirk_set", partner, "trailing_slash", "true")
    assert r.value("partner_quirk_set", partner, "auth_encoding", '"raw"')
    row = r.partner_row(partner)
    assert (row["quirks"], row["auth_encoding"]) == ({"trailing_slash": True}, "raw")
    assert r.value("partner_quirk_set", partner, "trailing_slash", None)
    assert r.value("partner_quirk_set", partner, "auth_encoding", None)
    row = r.partner_row(partner)
    assert (row["quirks"], row["auth_encoding"]) == ({}, "auto")
    assert not r.value("partner_quirk_set", 0, "trailing_slash", "true")


@pytest.mark.parametrize("change", [
    lambda r, p: r.value("partner_suspend", p),
    lambda r, p: r.value("partner_unregistered", p),
    lambda r, p: r.rows("UPDATE partner SET state = 'offline'"),
    lambda r, p: r.value("partner_host_ask", p, "x.example"),
    lambda r, p: r.value("partner_quirk_set", p, "trailing_slash", "true"),
    lambda r, p: r.statement("partner_needs_resync", p, True),
])
def test_each_change_is_notified(r, url, change):
    partner = r.connect("ONE")
    listener = psycopg2.connect(url)
    listener.autocommit = True
    with listener.cursor() as cursor:
        cursor.execute("LISTEN partner")
        change(r, partner)
        cursor.execute("SELECT 1")
    listener.poll()
    assert [n.channel for n in listener.notifies] == ["partner"]
    listener.close()
