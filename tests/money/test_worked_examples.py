# SPDX-License-Identifier: Apache-2.0
"""The worked examples: the hub and the oracle both come to the printed figures."""

import decimal
import json

import pytest

import compare
import oracle_bill
import oracle_price
import oracle_retail
import worked


@pytest.fixture(scope="module")
def hub():
    with compare.Hub() as ret:
        yield ret


def ids(rows):
    return [row[0] for row in rows]


def millionths(text):
    return None if text is None else int(decimal.Decimal(text) * 1000000)


def check_price(hub, tariff, record, version, tariff_version, zone, net, gross):
    question = {"do": "price", "version": version, "tariff_version": tariff_version,
                "record": record, "tariffs": [tariff]}
    if zone:
        question["zone"] = zone
    line = json.dumps(question)
    told = hub.ask_line(line)
    exact = compare.exact(line)
    oracle = oracle_price.price(exact["record"], version, exact["tariffs"], zone, tariff_version)
    wanted = (millionths(net), millionths(gross))
    assert (oracle["excl"], oracle["incl"]) == wanted
    assert (told["excl"], told["incl"]) == wanted


@pytest.mark.parametrize("name, tariff, record, zone, net, gross", worked.PRICES,
                         ids=ids(worked.PRICES))
def test_a_session_costs_what_the_example_says(hub, name, tariff, record, zone, net, gross):
    check_price(hub, tariff, record, "2.2.1", "2.2.1", zone, net, gross)


@pytest.mark.parametrize("name, tariff, record, net, gross", worked.PRICES_230,
                         ids=ids(worked.PRICES_230))
def test_prices_of_2_3_0_say_how_taxes_come(hub, name, tariff, record, net, gross):
    check_price(hub, tariff, record, "2.2.1", "2.3.0", None, net, gross)


def test_only_the_last_time_is_rounded_up(hub):
    # V26: 21 minutes of charging stay, 7 of parking become 10.
    tariff = worked.tariff([worked.component("TIME", 1.0, None, 300),
                            worked.component("PARKING_TIME", 1.0, None, 300)])
    record = worked.cdr("2026-05-04T08:00:00", (21, "c", {}), (7, "p", {}))
    told = hub.ask({"do": "price", "version": "2.2.1", "record": record, "tariffs": [tariff]})
    assert told["totals"]["time"][:2] == [21 * 60, 21 * 60]
    assert told["totals"]["parking"][:2] == [7 * 60, 10 * 60]


@pytest.mark.parametrize("hours, seconds", [(0.3333, 1200), (1.9736, 7105), (0.0167, 60),
                                            (2.0564, 7403)])
def test_hours_are_the_nearest_whole_seconds(hub, hours, seconds):
    # Far from the length of the period, so that this does not help.
    record = worked.cdr("2026-05-04T08:00:00", (600, "c", {"TIME": hours}))
    tariff = worked.tariff([worked.component("TIME", 1.0, None)])
    told = hub.ask({"do": "price", "version": "2.2.1", "record": record, "tariffs": [tariff]})
    assert told["totals"]["time"][0] == seconds
    assert oracle_price.seconds_of(decimal.Decimal(str(hours)), 36000) == seconds


@pytest.mark.parametrize("name, gross_priced, lines, limits, net, vat, gross", worked.DOCUMENTS,
                         ids=ids(worked.DOCUMENTS))
def test_a_document_adds_up_to_what_the_example_says(hub, name, gross_priced, lines, limits, net,
                                                     vat, gross):
    told = hub.ask({"do": "bill", "currency": "EUR", "gross_priced": gross_priced, "lines": lines,
                    "limits": limits, "vat": 190000})["bill"]
    assert (told["net"], told["vat"], told["gross"]) == (net, vat, gross)
    if not any(x[0] in ("limit", "minimum") for x in told["lines"]):
        _, groups = oracle_bill.bill("EUR", gross_priced, lines)
        assert oracle_bill.totals(groups) == (net, vat, gross)


def test_limits_are_spread_over_the_rates_as_the_example_says(hub):
    name, gross_priced, lines, limits, *_ = worked.DOCUMENTS[3]
    told = hub.ask({"do": "bill", "currency": "EUR", "gross_priced": gross_priced, "lines": lines,
                    "limits": limits})["bill"]
    assert name == "W7 50 kWh"
    assert told["groups"] == [[200000, 38, 8, 46], [100000, 958, 96, 1054]]
    _, groups = oracle_bill.bill("EUR", gross_priced, lines)
    exact = oracle_bill.limited_exact(groups, gross_priced, {"max_net": 1000, "max_gross": 1100})
    assert [round(float(pair[1]) / 100, 6) for pair in exact] == [0.459930, 10.540070]


def test_of_equal_remainders_the_group_listed_first_gets_the_cent(hub):
    lines = [worked.line("fee", "piece", 1, 1, 7), worked.line("fee", "piece", 1, 1, 19)]
    for gross_priced, name, column in ((True, "max_gross", 3), (False, "max_net", 1)):
        told = hub.ask({"do": "bill", "currency": "EUR", "gross_priced": gross_priced,
                        "lines": lines, "limits": {name: 1010000}})["bill"]
        assert [(g[0], g[column]) for g in told["groups"]] == [(70000, 51), (190000, 50)]
    assert oracle_bill.allocate(101, [100, 100]) == [51, 50]


@pytest.mark.parametrize("value, cents", worked.ROUNDING)
def test_halves_are_rounded_away_from_zero(hub, value, cents):
    exact = decimal.Decimal(value)
    assert oracle_bill.half_away(oracle_bill.F(exact) * 100) == cents
    # Prices have six decimals; 0.0049999 is told by its quantity.
    quantity, price = 1000000, exact
    if exact != round(exact, 6):
        quantity, price = 499990, exact / decimal.Decimal("0.49999")
    line = ["fee", "piece", quantity, int(price * 1000000), 0]
    told = hub.ask({"do": "bill", "currency": "EUR", "gross_priced": True, "lines": [line]})
    assert told["bill"]["lines"][0][5] == cents
    assert told["bill"]["gross"] == cents


@pytest.mark.parametrize("name, tariff, facts, amounts, net, vat, gross", worked.RETAIL,
                         ids=ids(worked.RETAIL))
def test_a_user_pays_what_the_example_says(hub, name, tariff, facts, amounts, net, vat, gross):
    line = json.dumps({"do": "retail", "tariff": tariff, "facts": facts})
    told = hub.ask_line(line)["bill"]
    assert sorted(x[5] for x in told["lines"] if x[5]) == amounts
    assert (told["net"], told["vat"], told["gross"]) == (net, vat, gross)
    exact = compare.exact(line)
    totals, lines = oracle_retail.total(exact["tariff"], exact["facts"])
    assert totals == (net, vat, gross)
    assert sorted(x[2] for x in lines) == amounts


def test_a_cancellation_is_the_exact_mirror(hub):
    # W11: 14.19, VAT 2.27, net 11.92.
    lines = [worked.line("session", "piece", 1, 0.35, 19),
             worked.line("energy", "kwh", 23.457, 0.59, 19)]
    ask = {"do": "bill", "currency": "EUR", "gross_priced": True, "lines": lines}
    first, second = hub.ask(ask)["bill"], hub.ask({**ask, "mirror": True})["bill"]
    assert (second["net"], second["vat"], second["gross"]) == (-1192, -227, -1419)
    for name in ("net", "vat", "gross"):
        assert first[name] + second[name] == 0
    for a, b in zip(first["lines"], second["lines"]):
        assert a[5] + b[5] == 0 and a[6] + b[6] == 0
