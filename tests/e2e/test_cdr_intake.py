# SPDX-License-Identifier: Apache-2.0
"""
From a CDR to a receipt: what is recalculated, what a user pays, and where a CDR that cannot be right
ends up. CPOs of each version played by the test; the hub believes no more of them than it must.
"""

import copy
import contextlib
import json
import shutil
from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import psycopg2
import psycopg2.extras
import pytest
from harness import User, World, ok, problem, wait_until
from partner import now
from test_ocpi_inbound import done, envelope
from test_rules_transport import VERSIONS, Cpo

HOLD_S = 3
RETAIL = {"id": "RT-EU-1", "version": 3, "currency": "EUR", "vat": 19, "price_includes_vat": True,
          "kwh_price": 0.59, "session_price": 0.35,
          "time_tariffs": [{"starting_at_minute": 0, "minute_price": 0.00},
                           {"starting_at_minute": 240, "minute_price": 0.10}],
          "max_charging_time": 720}


@pytest.fixture(scope="module")
def world(directory, token_keys):
    w = World(directory / "intake")
    try:
        w.start(sim=False, jwt_keys_file=token_keys.jwks_file, power_tolerance=10, max_open_sessions=100,
                cancellation_hold=f"{HOLD_S}s", issuer_name="Hub Oy", issuer_address="Testikatu 1, 00100 Helsinki",
                issuer_vat_id="FI00000000", issuer_contact="help@hub.example")
        yield w
        books_agree(w)
    finally:
        w.stop()
        shutil.rmtree(w.directory, ignore_errors=True)


@pytest.fixture(scope="module")
def cpos(world):
    made = {v: Cpo(v, "DE", f"I{n}X") for n, v in enumerate(VERSIONS, 1)}
    for cpo in made.values():
        cpo.register(world.hub)
    yield made
    for cpo in made.values():
        cpo.close()


@pytest.fixture(params=VERSIONS)
def any_cpo(request, cpos):
    return cpos[request.param]


@pytest.fixture(params=VERSIONS[1:])
def newer(request, cpos):
    return cpos[request.param]


@pytest.fixture
def cpo(cpos):
    return cpos["2.2.1"]


@pytest.fixture
def user(world):
    return User(world.hub)


# ---- looking ----


def rows(world, sql, *values):
    connection = psycopg2.connect(world.database_url, cursor_factory=psycopg2.extras.RealDictCursor)
    try:
        with connection, connection.cursor() as cursor:
            cursor.execute(sql, values)
            return [dict(r) for r in cursor.fetchall()] if cursor.description else []
    finally:
        connection.close()


@contextlib.contextmanager
def slow(world, function, seconds=3):
    """As where there are many millions of rows: this function takes longer than a statement may."""
    (whole,) = rows(world, "SELECT pg_get_functiondef(%s::regprocedure) AS text", function)
    begin, do = ("\nBEGIN\n", "PERFORM") if "LANGUAGE plpgsql" in whole["text"] else ("AS $function$", "SELECT")
    assert begin in whole["text"]
    world.sql(whole["text"].replace(begin, f"{begin}    {do} pg_sleep({seconds});\n", 1))
    try:
        yield
    finally:
        world.sql(whole["text"])


def filed(world, cdr):
    (row,) = rows(world, "SELECT * FROM cdr WHERE cdr_id = %s", cdr["id"])
    return row


def findings(row):
    return {f["name"] for f in row["findings"]}


def receipts(world, session_id):
    return rows(world, "SELECT * FROM receipt WHERE session_id = %s ORDER BY revision", session_id)


def cases(world, cdr):
    return [r["kind"] for r in rows(world, "SELECT f.kind FROM finance_case f JOIN cdr c ON c.id = f.cdr"
                                    " WHERE c.cdr_id = %s AND resolved_at IS NULL ORDER BY f.id", cdr["id"])]


def posted(world, *session_ids):
    """What the ledger has of these sessions' receipts and CDRs, by account."""
    found = rows(world, "SELECT account, sum(amount_u6)::bigint AS sum FROM ledger_line l JOIN ledger_entry e"
                 " ON e.id = l.entry WHERE e.receipt IN (SELECT id FROM receipt WHERE session_id = ANY(%s::uuid[]))"
                 " OR e.cdr IN (SELECT id FROM cdr WHERE session_id = ANY(%s::uuid[])) GROUP BY account",
                 list(session_ids), list(session_ids))
    return {r["account"].split(":")[0] if "payable" in r["account"] else r["account"]: r["sum"] for r in found if r["sum"]}


def all_cancelled(world):
    """Receipts that wait to be cancelled are, a while after the credit: no test's own doing any more."""
    wait_until(lambda: not rows(world, "SELECT 1 FROM receipt_cancellation WHERE issued_at IS NULL"), HOLD_S + 20,
               "all cancellations")


def books_agree(world):
    assert not rows(world, "SELECT * FROM ledger_check()")
    assert not rows(world, "SELECT * FROM finance_check('-infinity', 'infinity')")
    for s in rows(world, "SELECT * FROM receipt_series"):
        chain = rows(world, "SELECT * FROM receipt_verify(%s, %s, 0, '', 1000000)", s["series"], s["year"])[0]
        assert chain["broken"] is None and chain["rows"] == s["next"] - 1


# ---- charging ----


def at(minutes):
    return (datetime.now(timezone.utc) + timedelta(minutes=minutes)).strftime("%Y-%m-%dT%H:%M:%SZ")


def shift(text, minutes):
    t = datetime.fromisoformat(text.replace("Z", "+00:00")) + timedelta(minutes=minutes)
    return t.strftime("%Y-%m-%dT%H:%M:%SZ")


def names(cpo):
    return ("start_datetime", "end_datetime") if cpo.version == "2.1.1" else ("start_date_time", "end_date_time")


def charged(cpo, user, kwh=10.0, minutes=10, exactly=False):
    """A session that began, charged and has ended, just now or exactly after those minutes; its id, and
    the network's Session."""
    session_id, command, session = cpo.begin(user)
    done(cpo.post(command["response_url"], {"result": "ACCEPTED"}))
    start, end = names(cpo)
    session = {**session, start: at(-minutes)}
    done(cpo.put(cpo.own("sessions", session["id"]), session), 201)
    user.wait_for(session_id, "active")
    over = shift(session[start], minutes) if exactly else at(0)
    last = {**session, "status": "COMPLETED", "kwh": kwh, end: over, "last_updated": now(1)}
    done(cpo.put(cpo.own("sessions", session["id"]), last))
    user.wait_for(session_id, "stopping")
    return session_id, last


def record(cpo, session, kwh=10.0, net=3.0, gross=3.57, tariff=None, **changes):
    """A CDR that is right: 0.30 per kWh, its periods and times as they should be."""
    cdr = cpo.cdr(session)
    start, end = names(cpo)
    hours = round((datetime.fromisoformat(session[end].replace("Z", "+00:00"))
                   - datetime.fromisoformat(session[start].replace("Z", "+00:00"))).total_seconds() / 3600, 4)
    cdr.update({"start_date_time": session[start],
                "stop_date_time" if cpo.version == "2.1.1" else "end_date_time": session[end],
                "total_energy": kwh, "total_time": hours, "total_cost": cpo.price(net, gross),
                "tariffs": [tariff or cpo.tariff()],
                "charging_periods": [{"start_date_time": session[start], "dimensions": [
                    {"type": "ENERGY", "volume": kwh}, {"type": "TIME", "volume": hours}]}]})
    if "cdr_location" in cdr:
        place = next(p for p in cpo.places if p["id"] == session["location_id"])
        cdr["cdr_location"].update(evse_id=place["evses"][0]["evse_id"], postal_code="10115")
    cdr.update(changes)
    return cdr


@pytest.fixture(autouse=True)
def remember_places(cpos):
    for cpo in cpos.values():
        if not hasattr(cpo, "places"):
            cpo.places, make = [], cpo.location

            def location(*args, make=make, cpo=cpo, **changes):
                cpo.places.append(make(*args, **changes))
                return copy.deepcopy(cpo.places[-1])

            cpo.location = location


def post(cpo, cdr):
    answer = cpo.post(cpo.url("cdrs"), cdr)
    assert answer.json()["status_code"] == 1000, answer.text
    return answer


def credit_of(cpo, cdr, **changes):
    negative = cpo.price(*(-v for v in amounts(cpo, cdr)))
    return {**cdr, "id": cpo.new_id("K"), "credit": True, "credit_reference_id": cdr["id"], "total_cost": negative,
            **changes}


def amounts(cpo, cdr):
    cost = cdr["total_cost"]
    if cpo.version == "2.1.1":
        return cost, cost
    if cpo.version == "2.2.1":
        return cost["excl_vat"], cost["incl_vat"]
    return cost["before_taxes"], round(cost["before_taxes"] + sum(t["amount"] for t in cost["taxes"]), 4)


# ---- a right one ----


def test_a_right_cdr_is_recalculated_and_billed(world, any_cpo, user):
    """R-CDR-20: the receipt repeats the CDR's figures where no price was quoted."""
    session_id, session = charged(any_cpo, user, exactly=True)
    cdr = record(any_cpo, session)
    assert post(any_cpo, cdr).status_code == 201
    # The live view follows what is stored, in a moment.
    wait_until(lambda: ok(user.status(session_id))["status"] == "completed", 5, "the end to be seen")
    row = filed(world, cdr)
    assert (row["filed"], row["class"], row["source"], row["ocpi"]) == ("billed", "OK", "push", any_cpo.version), row
    assert (row["recalculated_u6"], row["difference_u6"]) == (3000000, 0)
    assert row["engine"] and row["tz_version"] and row["calculation"]["check"]
    assert row["period"].isoformat() == datetime.now(timezone.utc).strftime("%Y-%m-01")
    assert row["duration_s"] == 600 and abs(row["charging_s"] - row["duration_s"]) <= 1 and row["parking_s"] == 0
    (receipt,) = receipts(world, session_id)
    content = json.loads(receipt["content"])
    gross = 300 if any_cpo.version == "2.1.1" else 357
    assert (receipt["amount_minor"], receipt["net_minor"] + receipt["vat_minor"]) == (gross, gross)
    assert content["issuer"]["name"] == "Hub Oy" and content["issuer"]["address"] == ["Testikatu 1", "00100 Helsinki"]
    assert content["cdr_id"] == cdr["id"] and content["session_id"] == session_id
    assert content["tariff"]["mode"] == "pass_through" and content["location"]["country"] == "DEU"
    assert content["location"]["time_zone"] == "Europe/Berlin" and content["location"]["postal_code"] == "10115"
    assert ok(user.receipt(session_id))["cost"] == gross / 100
    account = posted(world, session_id)
    assert account["receivable"] == gross * 10000 and account["purchase"] == 3000000
    assert account["cpo_payable"] == -3000000 and sum(account.values()) == 0
    assert ok(world.hub.admin("GET", f"/sessions/{session_id}"))["receipts"]


def test_a_charge_within_a_second_is_billed(world, any_cpo, user):
    """Times of whole seconds do not make it a charge of no time at all."""
    session_id, session = charged(any_cpo, user, kwh=0.01, minutes=0)
    start, end = names(any_cpo)
    cdr = record(any_cpo, {**session, end: session[start]}, kwh=0.01, net=0.003, gross=0.0036)
    post(any_cpo, cdr)
    row = filed(world, cdr)
    assert (row["filed"], row["class"], row["duration_s"]) == ("billed", "OK", 0), row["findings"]
    assert [r["amount_minor"] for r in receipts(world, session_id)] == [0]


def test_a_small_deviation_is_told_and_accepted(world, cpo, user):
    session_id, session = charged(cpo, user)
    cdr = record(cpo, session, net=3.04, gross=3.62)
    post(cpo, cdr)
    row = filed(world, cdr)
    assert (row["class"], row["filed"], row["difference_u6"]) == ("WARN", "billed", 40000)
    assert row["owed_at"] and not cases(world, cdr)


def test_limits_may_be_set_for_a_partner(world, cpo, user):
    partner = rows(world, "SELECT partner_id AS id FROM party WHERE party_id = %s", cpo.party)[0]["id"]
    rows(world, "INSERT INTO cdr_limit VALUES (%s, 'EUR', 1000000, 0, 2000000, 1000000)", partner)
    try:
        for net, grade in ((3.8, "OK"), (4.5, "WARN"), (6.0, "DISPUTE")):
            _, session = charged(cpo, user)
            cdr = record(cpo, session, net=net, gross=round(net * 1.19, 4))
            post(cpo, cdr)
            assert filed(world, cdr)["class"] == grade
    finally:
        rows(world, "DELETE FROM cdr_limit")


@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Pacific/Niue"])
def test_the_day_of_a_supply_is_that_of_the_place(world, cpo, user, zone, monkeypatch):
    """One of the two has another date than UTC at any time."""
    location = cpo.location
    monkeypatch.setattr(cpo, "location", lambda *args, **changes: location(*args, **{**changes, "time_zone": zone}))
    _, session = charged(cpo, user)
    cdr = record(cpo, session)
    post(cpo, cdr)
    day = datetime.fromisoformat(session["end_date_time"].replace("Z", "+00:00")).astimezone(ZoneInfo(zone)).date()
    (row,) = rows(world, "SELECT supply_day, cdr_supply_day(c) AS taxed FROM cdr c WHERE cdr_id = %s", cdr["id"])
    assert (row["supply_day"], row["taxed"]) == (day, day)
    credit = credit_of(cpo, cdr)
    post(cpo, credit)
    assert rows(world, "SELECT cdr_supply_day(c) AS taxed FROM cdr c WHERE cdr_id = %s", credit["id"]) == [{"taxed": day}]


# ---- wrong ones, ten kinds ----


WRONG = {
    "energy": (lambda c: {"total_energy": 12.0}, "energy_mismatch"),
    "more energy than the connector has": (lambda c: {
        "total_energy": 60.0, "total_cost": {"excl_vat": 18.0, "incl_vat": 21.42}, "charging_periods": [
            {**c["charging_periods"][0], "dimensions": [{"type": "ENERGY", "volume": 60.0}]}]}, "energy_above_power"),
    "less energy than was reported": (lambda c: {
        "total_energy": 9.0, "total_cost": {"excl_vat": 2.7, "incl_vat": 3.213}, "charging_periods": [
            {**c["charging_periods"][0], "dimensions": [{"type": "ENERGY", "volume": 9.0}]}]}, "energy_fell"),
    "time": (lambda c: {"total_time": 2.5}, "duration_mismatch"),
    "periods outside": (lambda c: {"charging_periods": [
        {**c["charging_periods"][0], "start_date_time": shift(c["start_date_time"], -60)}]}, "periods_outside"),
    "currency": (lambda c: {"currency": "CHF"}, "currency_mismatch"),
    "future": (lambda c: {"end_date_time": at(60)}, "in_the_future"),
    "negative total": (lambda c: {"total_cost": {"excl_vat": -3.0, "incl_vat": -3.57}}, "negative_total"),
}


@pytest.mark.parametrize("kind", WRONG)
def test_wrong_measured_values_are_held(world, cpo, user, kind):
    """R-CDR-11, -12: QUARANTINE; nobody is billed until a person decides."""
    change, finding = WRONG[kind]
    session_id, session = charged(cpo, user)
    cdr = record(cpo, session)
    cdr.update(change(cdr))
    post(cpo, cdr)
    row = filed(world, cdr)
    assert (row["filed"], row["class"], row["accepted_at"], row["owed_at"]) == ("quarantined", "QUARANTINE", None, None)
    assert finding in findings(row), row["findings"]
    assert cases(world, cdr) == ["quarantined_cdr"] and not receipts(world, session_id)
    status = ok(user.status(session_id))
    assert (status["status"], status["substatus"]) == ("stopping", "awaiting_cdr")
    problem(user.receipt(session_id), 409, "receipt_not_ready")
    assert posted(world, session_id) == {}
    # The right one, under an id of its own, is billed as if nothing had been.
    right = record(cpo, session)
    post(cpo, right)
    assert filed(world, right)["filed"] == "billed" and len(receipts(world, session_id)) == 1


def test_a_wrong_price_is_disputed_and_the_user_billed(world, cpo, user):
    """More than 0.50 or 2 %: the CPO's sum waits for a person, the user does not."""
    session_id, session = charged(cpo, user)
    cdr = record(cpo, session, net=5.0, gross=5.95)
    post(cpo, cdr)
    row = filed(world, cdr)
    assert (row["filed"], row["class"], row["difference_u6"]) == ("billed", "DISPUTE", 2000000)
    assert "cost_differs" in findings(row) and cases(world, cdr) == ["cost_mismatch"]
    assert row["owed_at"] is None and "cpo_payable" not in posted(world, session_id)
    assert ok(user.receipt(session_id))["cost"] == 3.57  # what the tariff comes to


def test_a_wrong_vat_is_found(world, newer, user):
    """By more than the net may differ: disputed as well; the user's receipt adds up all the same."""
    session_id, session = charged(newer, user)
    cdr = record(newer, session, gross=3.90)
    if newer.version == "2.3.0":
        cdr["total_cost"]["taxes"][0]["percentage"] = 19
    post(newer, cdr)
    row = filed(world, cdr)
    assert (row["filed"], row["class"], row["difference_u6"]) == ("billed", "DISPUTE", 0)
    assert findings(row) >= ({"gross_differs", "tax_mismatch"} if newer.version == "2.3.0" else {"gross_differs"})
    (receipt,) = receipts(world, session_id)
    assert (receipt["amount_minor"], receipt["net_minor"] + receipt["vat_minor"]) == (357, 357)


def test_the_same_again_changes_nothing(world, any_cpo, user):
    """R-CDR-04: the same Location, no second receipt."""
    session_id, session = charged(any_cpo, user)
    cdr = record(any_cpo, session)
    first = post(any_cpo, cdr)
    before = filed(world, cdr), receipts(world, session_id)
    for _ in range(3):
        again = post(any_cpo, cdr)
        assert (again.status_code, again.headers["Location"]) == (200, first.headers["Location"])
    assert (filed(world, cdr), receipts(world, session_id)) == before


def test_a_second_cdr_of_a_billed_session_is_held(world, any_cpo, user):
    session_id, session = charged(any_cpo, user)
    post(any_cpo, record(any_cpo, session))
    before = receipts(world, session_id)
    cdr = record(any_cpo, session)
    post(any_cpo, cdr)
    row = filed(world, cdr)
    assert (row["filed"], row["class"]) == ("duplicate_session", "QUARANTINE")
    assert cases(world, cdr) == ["quarantined_cdr"] and receipts(world, session_id) == before


def test_other_content_under_the_same_id_is_refused_and_kept(world, any_cpo, user):
    """R-CDR-04, R-CDR-01."""
    session_id, session = charged(any_cpo, user)
    cdr = record(any_cpo, session)
    post(any_cpo, cdr)
    before = filed(world, cdr), receipts(world, session_id)
    other = {**cdr, "total_cost": any_cpo.price(2.0, 2.38)}
    for _ in range(2):
        envelope(any_cpo.post(any_cpo.url("cdrs"), other), 200, 2001)
    assert (filed(world, cdr), receipts(world, session_id)) == before
    assert cases(world, cdr) == ["cdr_conflict"]
    kept = rows(world, "SELECT convert_from(r.body, 'UTF8') AS body FROM cdr_refused r JOIN cdr c ON c.id = r.cdr"
                " WHERE c.cdr_id = %s", cdr["id"])
    assert [json.loads(k["body"]) for k in kept] == [other]


def test_a_credit_of_unknown_waits(world, newer, user):
    """R-CDR-05: for its original, thirty days."""
    session_id, session = charged(newer, user)
    cdr = record(newer, session)
    credit = credit_of(newer, {**cdr, "id": "never-seen"})
    post(newer, credit)
    row = filed(world, credit)
    assert (row["filed"], row["class"], row["accepted_at"]) == ("credit_waiting", "QUARANTINE", None)
    assert cases(world, credit) == ["unmatched_cdr"] and not receipts(world, session_id)


def test_a_cdr_of_another_party_is_refused(world, any_cpo, user):
    """R-TRANS-18: nothing of it is kept among the CDRs."""
    session_id, session = charged(any_cpo, user)
    cdr = record(any_cpo, session)
    if any_cpo.version == "2.1.1":  # it names no party: whoever sends it is the party
        return
    envelope(any_cpo.post(any_cpo.url("cdrs"), {**cdr, "party_id": "OTH"}), 200, 2001)
    assert not rows(world, "SELECT 1 FROM cdr WHERE cdr_id = %s", cdr["id"]) and not receipts(world, session_id)


def test_another_partys_cpo_cannot_bill_our_session(world, cpos, user):
    """Whoever knows the reference of a session at another CPO is no better off."""
    session_id, session = charged(cpos["2.2.1"], user)
    thief = cpos["2.3.0"]
    place = thief.location()
    cdr = record(thief, {**session, "location_id": place["id"]})
    post(thief, cdr)
    assert filed(world, cdr)["filed"] == "unmatched" and not receipts(world, session_id)


def test_another_sessions_times_at_the_same_evse_are_held(world, cpo, user):
    session_id, session = charged(cpo, user)
    post(cpo, record(cpo, session))
    again = ok(user.start(next(p for p in cpo.places if p["id"] == session["location_id"])["evses"][0]["evse_id"]))["session_id"]
    second = {**session, "id": cpo.new_id("S"), "authorization_reference": again}
    cdr = record(cpo, second)
    post(cpo, cdr)
    row = filed(world, cdr)
    assert (row["filed"], findings(row) & {"evse_overlap"}) == ("quarantined", {"evse_overlap"}), row["findings"]
    assert str(row["session_id"]) == again != session_id


def signed(first, last):
    def value(nature, kind, reading):
        text = "OCMF|" + json.dumps({"FV": "1.0", "RD": [{"TM": "x", "TX": kind, "RV": reading, "RU": "kWh"}]}) + "|{}"
        return {"nature": nature, "plain_data": text, "signed_data": text}
    return {"encoding_method": "OCMF", "url": "https://meter.example/1",
            "signed_values": [value("Start", "B", first), value("End", "E", last)]}


def test_signed_readings_must_be_the_energy(world, newer, user):
    """The calibrated meter's word counts more than the CPO's."""
    session_id, session = charged(newer, user)
    wrong = record(newer, session, signed_data=signed(100.5, 109.5))
    post(newer, wrong)
    assert filed(world, wrong)["filed"] == "quarantined" and "signed_mismatch" in findings(filed(world, wrong))
    right = record(newer, session, signed_data=signed(100.5, 110.5))
    post(newer, right)
    assert filed(world, right)["class"] == "OK"
    meter = json.loads(receipts(world, session_id)[0]["content"])["meter"]
    assert meter["signed_url"] == "https://meter.example/1" and len(meter["signed_sha256"]) == 64
    assert (meter["start_kwh"], meter["end_kwh"]) == (100.5, 110.5)


# ---- found by and by ----


def test_a_cdr_before_its_session_meets_it(world, cpo, user):
    """In seconds: both are on their way at once where a network is in a hurry."""
    session_id, command, session = cpo.begin(user)
    done(cpo.post(command["response_url"], {"result": "ACCEPTED"}))
    session = {**session, "start_date_time": at(-10), "end_date_time": at(0)}
    cdr = record(cpo, session)
    del cdr["authorization_reference"]
    cdr["cdr_token"]["uid"] = "some-other-token"
    post(cpo, cdr)
    assert filed(world, cdr)["filed"] == "unmatched" and cases(world, cdr) == ["unmatched_cdr"]
    done(cpo.put(cpo.own("sessions", session["id"]), {**session, "status": "COMPLETED", "kwh": 10.0}), 201)
    user.wait_for(session_id, "stopping")
    user.wait_for(session_id, "completed", seconds=30)
    assert filed(world, cdr)["class"] == "OK" and not cases(world, cdr)
    assert ok(user.receipt(session_id))["cost"] == 3.57


def test_a_credit_before_its_original_meets_it_at_once(world, newer, user):
    """R-CDR-06."""
    session_id, session = charged(newer, user)
    cdr = record(newer, session)
    credit = credit_of(newer, cdr)
    post(newer, credit)
    post(newer, cdr)
    assert filed(world, credit)["filed"] == "credit" and not cases(world, credit)
    wait_until(lambda: [r["amount_minor"] for r in receipts(world, session_id)] == [357, -357], 30, "the cancellation")
    assert posted(world, session_id) == {}
    user.wait_for(session_id, "completed")


def test_a_credit_is_the_mirror_of_its_original(world, newer, user):
    """R-CDR-05, -06: in amounts, lines, VAT; once the hold is over."""
    session_id, session = charged(newer, user)
    cdr = record(newer, session)
    post(newer, cdr)
    credit = credit_of(newer, cdr)
    post(newer, credit)
    assert (filed(world, credit)["filed"], filed(world, credit)["class"]) == ("credit", "OK")
    assert len(receipts(world, session_id)) == 1  # it waits for a replacement
    assert "cpo_payable" not in posted(world, session_id)
    wait_until(lambda: len(receipts(world, session_id)) == 2, 30, "the cancellation")
    original, cancellation = receipts(world, session_id)
    first, second = json.loads(original["content"]), json.loads(cancellation["content"])
    assert (second["cancels"], first["cancels"]) == (original["number"], None)
    for a, b in zip(first["lines"], second["lines"], strict=True):
        assert (float(a["amount"]), float(a["quantity"])) == (-float(b["amount"]), -float(b["quantity"]))
    for a, b in zip(first["vat"], second["vat"], strict=True):
        assert all(float(a[k]) == -float(b[k]) for k in ("net", "amount", "gross"))
    assert posted(world, session_id) == {}
    # A second credit, and one of another sum, are for a person.
    for wrong, why in ((credit_of(newer, cdr), "credit_twice"),):
        post(newer, wrong)
        assert filed(world, wrong)["filed"] == why and cases(world, wrong) == ["quarantined_cdr"]


def test_a_credit_of_another_sum_is_held(world, newer, user):
    _, session = charged(newer, user)
    cdr = record(newer, session)
    post(newer, cdr)
    wrong = credit_of(newer, cdr, total_cost=newer.price(-2.0, -2.38))
    post(newer, wrong)
    assert filed(world, wrong)["filed"] == "credit_amount" and cases(world, wrong) == ["quarantined_cdr"]


def test_a_higher_replacement_is_not_collected(world, newer, user):
    """The user saw 3.57 first; what is more stays with the hub, and the receipt says so."""
    session_id, session = charged(newer, user)
    cdr = record(newer, session)
    post(newer, cdr)
    post(newer, credit_of(newer, cdr))
    dearer = record(newer, session, kwh=12.0, net=3.6, gross=4.284)
    post(newer, dearer)
    documents = receipts(world, session_id)
    assert [r["amount_minor"] for r in documents] == [357, -357, 357]
    content = json.loads(documents[2]["content"])
    assert content["replaces"] == documents[0]["number"] and "not_collected" in content["notes"]
    assert {line["kind"] for line in content["lines"]} >= {"limit"}
    account = posted(world, session_id)
    assert account["receivable"] == 3570000 and account["cpo_payable"] == -3600000


# ---- what users pay by a quote ----


@pytest.fixture(scope="module")
def retail(world, cpos):
    """RT-EU-1 for all of Germany, from here on."""
    ok(world.hub.admin("PUT", "/vat/DE", json={"rate": 19, "valid_from": "2020-01-01", "vat_id": "DE123456789",
                                               "currency": "EUR"}))
    ok(world.hub.admin("POST", "/retail-tariffs", json={**RETAIL, "selector": {"country": ["DEU"]}}))
    user = User(world.hub)
    _, evse = cpos["2.2.1"].evse(user)
    wait_until(lambda: all((ok(user.anew().evse(evse))["tariff"] or {}).get("kwh_price") == 0.59 for _ in range(24)), 20,
               "all workers to know the tariff")
    return RETAIL


def odd_tariff(cpo):
    tariff = cpo.tariff()
    component = tariff["elements"][0]["price_components"][0]
    energy, flat = {**component, "type": "ENERGY", "price": 0.4567}, {**component, "type": "FLAT", "price": 0.35}
    tariff["elements"] = [{"price_components": [flat, energy]}]
    return tariff


def test_the_users_price_does_not_depend_on_the_cpos_sum(world, newer, user, retail):
    session_id, session = charged(newer, user)
    cdr = record(newer, session, net=50.0, gross=59.5)
    post(newer, cdr)
    assert filed(world, cdr)["class"] == "DISPUTE"
    assert ok(user.receipt(session_id))["cost"] == 6.25  # 0.35 + 10 x 0.59
    content = json.loads(receipts(world, session_id)[0]["content"])
    assert content["tariff"] == {"name": "RT-EU-1", "version": 3, "mode": "fixed"}
    assert content["issuer"]["vat_id"] == "DE123456789"
    assert [(line["kind"], float(line["amount"])) for line in content["lines"]][:2] == [("session", 0.35), ("energy", 5.9)]


def test_the_vat_of_a_session_whose_end_the_network_does_not_know(world, cpo, user, retail):
    """R-CDR-15: 1970 stands for unknown, and our own end decides the rate."""
    session_id, session = charged(cpo, user)
    cdr = record(cpo, session, start_date_time="1970-01-01T00:00:00Z", end_date_time="1970-01-01T00:00:00Z")
    post(cpo, cdr)
    row = filed(world, cdr)
    assert row["filed"] == "billed" and "unknown_time" in findings(row), row["findings"]
    assert row["calculation"]["vat_u4"] == 190000
    (receipt,) = receipts(world, session_id)
    assert [group["rate"] for group in json.loads(receipt["content"])["vat"]] == [19]
    assert "vat:DEU:19" in posted(world, session_id)
    assert abs((row["supply_day"] - datetime.now(timezone.utc).date()).days) <= 1


def test_credit_and_replacement_come_out_to_the_cent(world, newer, user, retail):
    """The worked example: wholesale 11.0628, receipt 14.19; replaced by 10.3517 and 13.27."""
    tariff = odd_tariff(newer)
    session_id, session = charged(newer, user, kwh=23.4567, minutes=12)
    cdr = record(newer, session, kwh=23.4567, net=11.0628, gross=13.1647, tariff=tariff)
    post(newer, cdr)
    assert (filed(world, cdr)["class"], filed(world, cdr)["recalculated_u6"]) == ("OK", 11062812)
    post(newer, credit_of(newer, cdr))
    right = record(newer, session, kwh=21.9, net=10.3517, gross=12.3186, tariff=tariff)
    post(newer, right)
    documents = receipts(world, session_id)
    assert [(r["amount_minor"], r["vat_minor"], r["net_minor"]) for r in documents] == [
        (1419, 227, 1192), (-1419, -227, -1192), (1327, 212, 1115)]
    account = posted(world, session_id)
    assert account == {"receivable": 13270000, "revenue:DEU:19": -11150000, "vat:DEU:19": -2120000,
                       "purchase": 10351700, "cpo_payable": -10351700}
    margin = -account["revenue:DEU:19"] - account["purchase"]
    assert margin == 798300


def test_time_beyond_the_limit_is_the_hubs_loss(world, cpo, user, retail):
    """A quote with a limit of 5 minutes, a CPO that stopped after 10."""
    ok(world.hub.admin("POST", "/retail-tariffs", json={
        **RETAIL, "id": "RT-SHORT", "version": 1, "max_charging_time": 5, "session_price": 0,
        "time_tariffs": [{"starting_at_minute": 0, "minute_price": 0.10}],
        "selector": {"country": ["DEU"], "cpo": [f"{cpo.country}*{cpo.party}"]}}))
    try:
        fresh = User(world.hub)
        _, evse = cpo.evse(fresh)
        wait_until(lambda: all(ok(fresh.anew().evse(evse))["tariff"]["max_charging_time"] == 5 for _ in range(24)), 20,
                   "all workers to know the tariff")
        session_id, session = charged(cpo, fresh)
        cdr = record(cpo, session)
        post(cpo, cdr)
        content = json.loads(receipts(world, session_id)[0]["content"])
        assert float(content["gross"]) == 6.40 and "max_charging_time" in content["notes"]  # 5.90 + 5 x 0.10
        account = posted(world, session_id)
        assert account["cpo_payable"] == -3000000 and account["purchase"] + account["hub_loss"] == 3000000
        assert abs(account["hub_loss"] - 1500000) <= 10000
    finally:
        ok(world.hub.admin("POST", "/retail-tariffs/RT-SHORT/withdraw"))


def test_an_audit_that_was_missed_is_a_case_until_the_next_one(world):
    """However long that takes."""
    before = len(rows(world, "SELECT 1 FROM finance_audit"))
    with slow(world, "ledger_check()"):
        rows(world, "UPDATE finance_job SET due_at = now(), done_at = now() - interval '27 hours'")
        (case,) = wait_until(lambda: rows(world, "SELECT * FROM finance_case WHERE kind = 'audit_overdue'"), 20, "the case")
        # It is not tomorrow's before it has come to its end.
        assert case["resolved_at"] or rows(world, "SELECT 1 FROM finance_job WHERE due_at <= now() + interval '1 hour'")
        wait_until(lambda: len(rows(world, "SELECT 1 FROM finance_audit")) > before, 30, "the audit")
    (case,) = rows(world, "SELECT * FROM finance_case WHERE kind = 'audit_overdue'")
    assert case["resolution"] == "audited" and case["resolved_at"]


def test_the_audit_finds_nothing_and_then_what_is_wrong(world, cpo, user):
    """Nightly; here by hand, by making it due."""
    _, session = charged(cpo, user)
    post(cpo, record(cpo, session))
    all_cancelled(world)
    before = len(rows(world, "SELECT 1 FROM finance_audit"))
    rows(world, "UPDATE finance_job SET due_at = now()")
    wait_until(lambda: len(rows(world, "SELECT 1 FROM finance_audit")) > before, 30, "the audit")
    audit = rows(world, "SELECT * FROM finance_audit ORDER BY at DESC LIMIT 1")[0]
    assert audit["faults"] == [] and audit["receipts"] == rows(world, "SELECT count(*) AS n FROM receipt")[0]["n"] > 0
    rows(world, "SET session_replication_role = replica; UPDATE receipt SET amount_minor = amount_minor + 1,"
         " net_minor = net_minor + 1 WHERE content IS NOT NULL AND seq = 1")
    try:
        rows(world, "UPDATE finance_job SET due_at = now()")
        wait_until(lambda: len(rows(world, "SELECT 1 FROM finance_audit")) > before + 1, 30, "the audit")
        audit = rows(world, "SELECT * FROM finance_audit ORDER BY at DESC LIMIT 1")[0]
        assert {f["what"] for f in audit["faults"]} >= {"receipt_chain", "receipt_posted_otherwise"}
    finally:
        rows(world, "SET session_replication_role = replica; UPDATE receipt SET amount_minor = amount_minor - 1,"
             " net_minor = net_minor - 1 WHERE content IS NOT NULL AND seq = 1")
    books_agree(world)
