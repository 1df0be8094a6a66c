# SPDX-License-Identifier: Apache-2.0
"""
Pulls from partners of each version: the Tokens of eMSPs, and what a CPO of 2.1.1 lists, which says
neither whose it is nor by which reference we asked for it.
"""

import pytest
from emsp_partner import Party
from harness import User, ok, wait_until
from partner import now

numbers = iter(range(100))


def connected(world, version, role):
    p = Party("NL", f"L{next(numbers):02d}", f"Lists {role} {version}", version, role)
    p.register(world.hub)
    p.id = world.sql("SELECT partner_id FROM party WHERE party_id = %s AND country_code = 'NL'", p.party)[0][0]
    return p


def leave(world, p):
    world.sql("UPDATE partner SET enabled = false WHERE id = %s", p.id)
    world.sql("SELECT partner_changed()")
    p.close()


@pytest.fixture(params=["2.1.1", "2.2.1", "2.3.0"])
def emsp(request, shared_world):
    p = connected(shared_world, request.param, "EMSP")
    yield p
    leave(shared_world, p)


@pytest.fixture
def old_cpo(shared_world):
    p = connected(shared_world, "2.1.1", "CPO")
    yield p
    leave(shared_world, p)


def pull(world, p, module):
    wait_until(lambda: world.sql("SELECT count(*) FROM pull WHERE partner_id = %s AND module = %s"
                                 " AND good_from IS NOT NULL", p.id, module) == [(1,)], 20, "the first pull")
    world.sql("UPDATE pull SET full_at = NULL, due_at = hub_now() - interval '1 second'"
              " WHERE partner_id = %s AND module = %s", p.id, module)
    wait_until(lambda: world.sql("SELECT count(*) FROM pull WHERE partner_id = %s AND module = %s"
                                 " AND due_at > hub_now() AND lease_until IS NULL AND cursor IS NULL"
                                 " AND failures = 0", p.id, module) == [(1,)], 20, "the pull")


def lists(p, module, items):
    p.scripted[("GET", f"/{p.version}/{module}")] = lambda r: (200, p.envelope(items))


def test_tokens_of_an_emsp_are_pulled(world, emsp):
    """R-TOK, R-TRANS-49: kept as they came, with their version; only its own, and none of ours."""
    ours = world.sql("SELECT uid FROM token WHERE type = 'APP_USER' LIMIT 1")
    if not ours:
        User(world.hub).start(world.fresh_evse())
        ours = wait_until(lambda: world.sql("SELECT uid FROM token WHERE type = 'APP_USER' LIMIT 1"), 5, "a token")
    good = [emsp.own_token(), emsp.own_token(valid=False)]
    bad = {k: v for k, v in emsp.own_token().items() if k != "issuer"}
    lists(emsp, "tokens", [good[0], emsp.own_token(uid=ours[0][0]), bad, good[1]])
    pull(world, emsp, "tokens")
    kept = world.sql("SELECT uid, valid, ocpi, contract_id FROM roaming_token WHERE partner_id = %s ORDER BY id",
                     emsp.id)
    contract = "auth_id" if emsp.version == "2.1.1" else "contract_id"
    assert kept == [(t["uid"], t["valid"], emsp.version, t[contract]) for t in good]
    assert world.sql("SELECT module FROM pull WHERE partner_id = %s", emsp.id) == [("tokens",)]
    hours = world.sql("SELECT extract(epoch FROM due_at - hub_now()) / 3600 FROM pull WHERE partner_id = %s", emsp.id)
    assert 24 * 0.8 <= hours[0][0] <= 24 * 1.2


def place(p):
    number = p.party[1:]
    return {"id": f"OLD{number}", "type": "ON_STREET", "name": "Old ground", "address": "Oude weg 1", "city": "Ede",
            "postal_code": "6711AA", "country": "NLD",
            "coordinates": {"latitude": "52.0401", "longitude": "5.6601"}, "last_updated": now(-3600),
            "evses": [{"uid": f"U{number}", "evse_id": f"NL*{p.party}*E{number}1", "status": "AVAILABLE",
                       "capabilities": ["REMOTE_START_STOP_CAPABLE"], "last_updated": now(-3600),
                       "connectors": [{"id": "1", "standard": "IEC_62196_T2", "format": "SOCKET",
                                       "power_type": "AC_3_PHASE", "voltage": 230, "amperage": 32,
                                       "last_updated": now(-3600)}]}]}


def test_a_session_of_2_1_1_is_found_by_pull_and_matched_by_its_token(world, old_cpo):
    """R-REST-02, R-CMD-05: no reference, no push; auth_id alone says whose it is."""
    p = old_cpo
    where = place(p)
    lists(p, "locations", [where])
    pull(world, p, "locations")
    assert world.sql("SELECT ocpi, party_id FROM location WHERE partner_id = %s", p.id) == [("2.1.1", p.party)]
    user, evse = User(world.hub), where["evses"][0]["evse_id"]
    wait_until(lambda: user.evse(evse).status_code == 200, 5, "the EVSE")
    p.scripted[("POST", "/2.1.1/commands")] = lambda r: (200, p.envelope({"result": "ACCEPTED"}))

    session = ok(user.start(evse))["session_id"]
    body = wait_until(lambda: p.requests("POST", "/2.1.1/commands/START_SESSION"), 10, "the start")[0]["body"]
    document = {"id": "S-OLD", "start_datetime": now(-5), "kwh": 0.5, "auth_id": body["token"]["auth_id"],
                "auth_method": "AUTH_REQUEST", "location": where, "currency": "EUR", "status": "ACTIVE",
                "charging_periods": [], "last_updated": now()}
    lists(p, "sessions", [document])
    pull(world, p, "sessions")
    status = user.wait_for(session, "active", 10)
    assert status["energy_kwh"] == 0.5
    assert world.hub.inspect(session)["session"]["network_session_id"] == "S-OLD"
    dates = [r["path"] for r in p.requests("GET", "/2.1.1/sessions")]
    assert all("date_from=" in path and "." not in path.split("date_from=")[1] for path in dates)  # whole seconds
