# SPDX-License-Identifier: Apache-2.0
"""
A whole charge at a simulated CPO of each version, from start to receipt; then everything that the
receipt says is reckoned a second time, with exact fractions, from the bytes of the CDR, the tariff
in it and the quote of the session (tests/money has the second calculator).
"""

import json
import pathlib
import shutil
import sys
from decimal import Decimal
from fractions import Fraction

import pytest
from harness import User, ok, wait_until
from test_six_partners import CPOS, VERSIONS, House, free_evse

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "money"))
import oracle_price  # noqa: E402
import oracle_retail  # noqa: E402

RETAIL = {"id": "RT-FI", "version": 1, "currency": "EUR", "vat": 25.5, "price_includes_vat": True,
          "kwh_price": 0.5937, "session_price": 0.35, "max_charging_time": 720,
          "time_tariffs": [{"starting_at_minute": 0, "minute_price": 0.0175}]}
MICRO = 1000000


class Three(House):
    """A hub with a CPO of each version."""

    def start_all(self):
        self.start(sim=False, workers=2, cancellation_hold="72h")
        self.partners = {}
        for version in VERSIONS:
            self.connect("CPO", version, CPOS[version])
        return self


@pytest.fixture(scope="module")
def three(directory, token_keys):
    h = Three(directory / "three")
    try:
        yield h.start_all()
    finally:
        h.stop()
        shutil.rmtree(h.directory, ignore_errors=True)


@pytest.fixture(scope="module")
def retail(three):
    """From here on users pay our price."""
    ok(three.hub.admin("PUT", "/vat/FI", json={"rate": 25.5, "valid_from": "2020-01-01", "vat_id": "FI12345678",
                                               "currency": "EUR"}))
    ok(three.hub.admin("POST", "/retail-tariffs", json={**RETAIL, "selector": {"country": ["FIN"]}}))
    user, evse = User(three.hub), free_evse(three.cpo("2.2.1"))
    wait_until(lambda: all((ok(user.anew().evse(evse))["tariff"] or {}).get("kwh_price") == RETAIL["kwh_price"]
                           for _ in range(24)), 20, "all workers to know the tariff")
    return json.loads(json.dumps(RETAIL), parse_float=Decimal)


class Charge:
    """A session that was started, charged and was stopped: its CDR and its receipt."""

    def __init__(self, house, version):
        user, evse = User(house.hub), free_evse(house.cpo(version))
        wait_until(lambda: user.evse(evse).status_code == 200, 30, "the locations")
        self.id = user.started(evse)
        user.wait_for(self.id, lambda s: s["energy_kwh"] > 2, 40)
        user.finished(self.id)
        answer = user.receipt(self.id, detail="full")
        self.receipt = json.loads(answer.text, parse_float=Decimal)
        (body, self.ocpi, self.filed, self.grade, self.recalculated, self.difference, self.zone, self.findings), = (
            house.sql("SELECT convert_from(body, 'UTF8'), ocpi, filed, class, recalculated_u6, difference_u6,"
                      " calculation ->> 'time_zone', findings FROM cdr WHERE session_id = %s", self.id))
        self.cdr = json.loads(body, parse_float=Decimal)
        self.posted = dict(house.sql(
            "SELECT split_part(account, ':', 1), sum(amount_u6)::bigint FROM ledger_line l JOIN ledger_entry e"
            " ON e.id = l.entry WHERE e.receipt IN (SELECT id FROM receipt WHERE session_id = %s)"
            " OR e.cdr IN (SELECT id FROM cdr WHERE session_id = %s) GROUP BY 1", self.id, self.id))
        self.price = oracle_price.price(self.cdr, self.ocpi, self.cdr["tariffs"], self.zone)


def cents(amount):
    assert amount * 100 == int(amount * 100)
    return int(amount * 100)


def millionths(amount):
    return int(amount * MICRO)


def stated(charge):
    """What the CDR says: net and gross, None where it says none."""
    cost = charge.cdr["total_cost"]
    if charge.ocpi == "2.1.1":
        return Fraction(cost), None
    if charge.ocpi == "2.2.1":
        return Fraction(cost["excl_vat"]), Fraction(cost["incl_vat"])
    return Fraction(cost["before_taxes"]), Fraction(cost["before_taxes"]) + sum(
        (Fraction(t["amount"]) for t in cost["taxes"]), Fraction(0))


def wholesale_agrees(charge):
    """The hub's recalculation is the second calculator's to a millionth; the CDR's own figure is
    within the cent that makes it OK (the simulator does not round energy up to the step)."""
    assert (charge.filed, charge.grade) == ("billed", "OK"), charge.findings
    assert charge.ocpi == charge.cdr_version
    assert charge.recalculated == charge.price["excl"] > 0
    net, _ = stated(charge)
    assert abs(net * MICRO - charge.price["excl"]) <= 10000
    assert charge.difference == oracle_price.half_away((net * MICRO - charge.recalculated) / 100) * 100
    assert charge.posted["cpo_payable"] == -net * MICRO == -(charge.posted["purchase"] + charge.posted.get("hub_loss", 0))
    assert sum(charge.posted.values()) == 0


def explains_itself(receipt, told=None):
    """Each line is its quantity at its price (or what the network tells of it, which tells no price),
    lines make the total, VAT follows from it per rate."""
    by_rate = {}
    for line in receipt["line_items"]:
        exact = told if told is not None else Fraction(line["quantity"]) * Fraction(line["unit_price"])
        assert (line["unit_price"] is None) == (told is not None)
        assert cents(line["amount"]) == oracle_price.half_away(exact * 100), line
        by_rate[line["vat_rate"]] = by_rate.get(line["vat_rate"], 0) + cents(line["amount"])
    assert set(by_rate) == {group["rate"] for group in receipt["vat"]}
    for group in receipt["vat"]:
        priced, rate = by_rate[group["rate"]], Fraction(group["rate"]) / 100
        net, tax = cents(group["net"]), cents(group["amount"])
        if receipt["vat_included"]:
            assert (net + tax, tax) == (priced, oracle_price.half_away(priced * rate / (1 + rate)))
        else:
            assert (net, tax) == (priced, oracle_price.half_away(priced * rate))
    for total, part in (("cost_excl_vat", "net"), ("vat_amount", "amount")):
        assert cents(receipt[total]) == sum(cents(group[part]) for group in receipt["vat"])
    assert cents(receipt["cost_excl_vat"]) + cents(receipt["vat_amount"]) == cents(receipt["cost"])


@pytest.mark.parametrize("version", VERSIONS)
def test_a_receipt_without_a_quote_is_the_recomputed_cdr(three, version):
    charge = Charge(three, version)
    charge.cdr_version = version
    wholesale_agrees(charge)
    net, gross = stated(charge)
    receipt = charge.receipt
    paid = net if gross is None else gross
    explains_itself(receipt, told=paid)
    (line,) = receipt["line_items"]
    assert cents(receipt["cost"]) == oracle_price.half_away(paid * 100)
    if gross is None:  # 2.1.1: one sum, without VAT
        assert (line["kind"], receipt["vat_amount"]) == ("charging", 0)
    else:
        assert abs(gross * MICRO - charge.price["incl"]) <= 12400
        assert (line["kind"], line["unit"], line["vat_rate"]) == ("energy", "kwh", 24)
        assert line["quantity"] == charge.cdr["total_energy"]
    assert millionths(receipt["energy_kwh"]) == oracle_price.half_away(Fraction(charge.cdr["total_energy"]) * 1000) * 1000
    assert receipt["cdr_id"] == charge.cdr["id"] and receipt["session_id"] == charge.id
    assert charge.posted["receivable"] == cents(receipt["cost"]) * 10000


@pytest.mark.parametrize("version", VERSIONS)
def test_a_receipt_by_a_quote_is_the_recomputed_tariff(three, version, retail):
    charge = Charge(three, version)
    charge.cdr_version = version
    wholesale_agrees(charge)
    receipt = charge.receipt
    explains_itself(receipt)
    end = charge.cdr["stop_date_time" if version == "2.1.1" else "end_date_time"]
    facts = {"energy": millionths(charge.cdr["total_energy"]), "start": oracle_price.moment(charge.cdr["start_date_time"]),
             "end": oracle_price.moment(end), "vat": 255000}
    (net, tax, gross), lines = oracle_retail.total(retail, facts)
    assert (cents(receipt["cost_excl_vat"]), cents(receipt["vat_amount"]), cents(receipt["cost"])) == (net, tax, gross)
    assert sorted((line["kind"], millionths(line["unit_price"]), cents(line["amount"]))
                  for line in receipt["line_items"] if line["amount"]) == lines
    assert {kind for kind, _, _ in lines} == {"session", "energy", "time"}
    assert charge.posted["receivable"] == gross * 10000
    assert charge.posted["revenue"] == -net * 10000 and charge.posted["vat"] == -tax * 10000
