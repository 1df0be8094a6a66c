# SPDX-License-Identifier: Apache-2.0
"""
Random tariffs and sessions: the hub and an independent reckoning agree on every digit.

PRICE_PAIRS (5000) says how many pairs, PRICE_SEED which; pairs.py does the same with the time that
both take.
"""

import collections
import copy
import os
import re

import pytest

import compare
import generator
import generator_bill
import pairs

PAIRS = int(os.environ.get("PRICE_PAIRS", "5000"))
SEED = int(os.environ.get("PRICE_SEED", "2026"))
PARTS = 5
# Generous: 100 000 pairs on a machine that has other things to do.
SECONDS = 120 + PAIRS // 20


def check(what, count, part):
    begin, end = count * part // PARTS, count * (part + 1) // PARTS
    refused, different, *_ = pairs.run(what, SEED, begin, end)
    assert not different, f"{len(different)} of {end - begin}:\n" + "\n".join(different[:5])
    assert refused == 0


@pytest.mark.timeout(SECONDS)
@pytest.mark.parametrize("part", range(PARTS))
def test_tariffs_and_sessions_cost_the_same_by_another_reckoning(part):
    check("price", PAIRS, part)


@pytest.mark.timeout(SECONDS)
@pytest.mark.parametrize("part", range(PARTS))
def test_retail_tariffs_cost_the_same_by_another_reckoning(part):
    check("retail", PAIRS, part)


@pytest.mark.timeout(SECONDS)
@pytest.mark.parametrize("part", range(PARTS))
def test_quotes_promise_the_same_by_another_reckoning(part):
    check("quote", PAIRS // 100, part)  # each of them is two days, minute by minute


@pytest.mark.timeout(SECONDS)
@pytest.mark.parametrize("part", range(PARTS))
def test_documents_add_up_to_the_same_by_another_reckoning(part):
    check("bill", PAIRS, part)


@pytest.fixture(scope="module")
def hub():
    with compare.Hub() as ret:
        yield ret


AMOUNTS = ("excl", "incl", "unlimited_excl", "unlimited_incl", "totals")


def amounts(answer):
    return [answer[k] for k in AMOUNTS]


def test_the_order_of_the_components_of_an_element_does_not_matter(hub):
    for index in range(200):
        question = generator.ask(SEED, index)
        turned = copy.deepcopy(question)
        for element in (e for t in turned["tariffs"] for e in t["elements"]):
            kinds = [c["type"] for c in element["price_components"]]
            if len(set(kinds)) == len(kinds):
                element["price_components"].reverse()
        assert amounts(hub.ask(turned)) == amounts(hub.ask(question))


def test_a_period_in_two_halves_costs_the_same(hub):
    """Where no restriction looks at what happened before."""
    for index in range(200):
        question = generator.ask(SEED, index, sessions=0)
        for element in (e for t in question["tariffs"] for e in t["elements"]):
            element.pop("restrictions", None)
        begin = pairs.oracle_price.moment(question["record"]["start_date_time"]) // 1000000
        period = {"start_date_time": generator.text_of(begin), "dimensions": [
            {"type": "TIME", "volume": 2}, {"type": "ENERGY", "volume": 20}]}
        end = "stop_date_time" if question["version"] == "2.1.1" else "end_date_time"
        question["record"].update({"charging_periods": [period], "total_energy": 20,
                                   "total_time": 2, end: generator.text_of(begin + 7200)})
        halves = copy.deepcopy(question)
        half = {"dimensions": [{"type": "TIME", "volume": 1}, {"type": "ENERGY", "volume": 10}]}
        halves["record"]["charging_periods"] = [
            {**half, "start_date_time": generator.text_of(begin)},
            {**half, "start_date_time": generator.text_of(begin + 3600)}]
        assert amounts(hub.ask(halves)) == amounts(hub.ask(question))


def test_the_same_seed_gives_the_same_pairs():
    assert generator.ask(1, 7) == generator.ask(1, 7)
    assert generator.ask(1, 7) != generator.ask(2, 7)
    assert generator_bill.retail(1, 7) == generator_bill.retail(1, 7)


def features(question):
    """What of interest is in a pair."""
    answer = pairs.price_oracle(question)
    for note in answer["notes"]:
        yield note
    for kind, total in answer["totals"].items():
        if total["used"]:
            yield kind
        if total["billed"] > total["used"]:
            yield "step of " + kind
    if len({x["element"] for x in answer["lines"]}) > 1:
        yield "several elements"
    if len({x["tariff"] for x in answer["lines"]}) > 1:
        yield "several tariffs"
    if answer["unlimited_excl"] and not all(x["excl"] for x in answer["lines"]):
        yield "something free"
    text = str(question)
    if re.search(r"'step_size': 0\b", text):
        yield "step 0"
    if "RESERVATION_EXPIRES" in text and answer["totals"]["reservation flat"]["used"] > 1:
        yield "expired with a fee"
    for name in ("02-29T", "start_date'", "day_of_week", "max_current", "min_power", "min_kwh",
                 "max_duration"):
        if name in text:
            yield name
    yield question.get("zone", "no zone")


def boundaries(question):
    """Thresholds that a period meets exactly."""
    start = pairs.oracle_price.moment(question["record"].get("start_date_time")
                                      or question["record"]["start_datetime"])
    begins = [pairs.oracle_price.moment(p["start_date_time"])
              for p in question["record"].get("charging_periods") or []]
    zone = pairs.oracle_price.UTC
    if question.get("zone"):
        zone = pairs.oracle_price.zoneinfo.ZoneInfo(question["zone"])
    clocks = {pairs.oracle_price.local(x, zone).strftime("%H:%M:%S") for x in begins}
    elapsed = {(x - start) / 1000000 for x in begins}
    for tariff in question["tariffs"]:
        for element in tariff["elements"]:
            r = element.get("restrictions", {})
            for name in ("start_time", "end_time"):
                if r.get(name, "") + ":00" in clocks:
                    yield name
            for name in ("min_duration", "max_duration"):
                if r.get(name) in elapsed:
                    yield name + " met"
            if "start_time" in r and r["start_time"] == r.get("end_time"):
                yield "all day"


def test_the_pairs_meet_what_is_easily_wrong():
    """Otherwise agreement would say little: a generator that never reaches a case passes it."""
    seen = collections.Counter()
    for index in range(1500):
        question = generator.ask(SEED, index)
        seen.update(set(features(question)) | set(boundaries(question)))
    wanted = {"flat", "energy", "time", "parking", "reservation time", "reservation flat",
              "step of energy", "step of time", "step of parking", "step of reservation time",
              "several elements", "several tariffs", "something free", "step 0", "MIN_PRICE",
              "MAX_PRICE", "ASSUMED_CHARGING", "NEGATIVE", "UNKNOWN_TARIFF", "NET_UNKNOWN",
              "TAXES_UNKNOWN", "NOT_VALID", "DERIVED_POWER", "NO_CURRENT", "NO_PERIODS", "02-29T",
              "start_date'", "day_of_week", "max_current", "min_power", "min_kwh", "max_duration",
              "start_time", "end_time", "min_duration met", "max_duration met", "all day",
              "PRECISION_REDUCED", "no zone", *filter(None, generator.ZONES)}
    rare = {name: seen[name] for name in wanted if seen[name] < 3}
    assert not rare, f"{rare} of {dict(seen)}"


def test_a_difference_is_found_and_made_small(monkeypatch):
    """An oracle that is wrong on purpose: energy is free."""
    right = pairs.oracle_price.Tariff.amounts
    monkeypatch.setattr(pairs.oracle_price.Tariff, "amounts",
                        lambda self, component, quantity: (right(self, component, quantity)
                                                           if component["type"] != "ENERGY"
                                                           else (pairs.F(0), pairs.F(0))))
    _, different, *_ = pairs.run("price", SEED, 0, 60)
    assert len(different) > 3
    assert different[0].count('"price_components"') == 1
    assert "hub" in different[0] and "oracle" in different[0]
