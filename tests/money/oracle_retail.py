# SPDX-License-Identifier: Apache-2.0
"""
What a user pays by a retail tariff, reckoned a second time: minute by minute from the start of the
session, each at the price of its own moment.
"""

import collections
import fractions

import oracle_bill
import oracle_price
from oracle_price import MILLION, half_away, number

F = fractions.Fraction


def ceil_to(value, step):
    return -(-value // step) * step


def percent(value):
    """Percent with four decimals, whole."""
    return half_away(F(value) * 10000)


class Retail:
    """A fixed tariff, from its document (numbers exact)."""

    def __init__(self, document):
        self.document = document
        self.currency = document["currency"]
        self.gross_priced = document.get("price_includes_vat", True)
        self.vat = percent(document["vat"])
        self.energy_price = number(document.get("kwh_price", 0))
        self.session_price = number(document.get("session_price", 0))
        self.tiers = [(t["starting_at_minute"], number(t["minute_price"]))
                      for t in document.get("time_tariffs", [])]
        self.increment = document.get("time_increment_s", 60)
        self.longest = document.get("max_charging_time")
        self.grace = document.get("grace_minutes", 0) * 60
        parking = document.get("parking_minute_price")
        self.parking_price = None if parking is None else number(parking)

    def tier(self, second):
        """(where it begins, its price); None before the first one."""
        ret = None
        for start, of_minute in self.tiers:
            if start * 60 <= second:
                ret = start, of_minute
        return ret


def times(tariff, elapsed, charged):
    """{(what, tier, price): seconds}, minute by minute; none beyond what is allowed."""
    ret = collections.Counter()
    end = ceil_to(elapsed, tariff.increment)
    if tariff.longest is not None:
        end = min(end, tariff.longest * 60)
    # The increment in which charging ended was started while charging; then comes the grace.
    parked = end if charged is None else ceil_to(charged, tariff.increment)
    begin = 0
    while begin < end:
        until = min(x for x in (end, (begin // 60 + 1) * 60, parked, parked + tariff.grace)
                    if x > begin)
        if parked <= begin < parked + tariff.grace:
            pass
        elif begin >= parked and tariff.parking_price is not None:
            ret["parking", 0, tariff.parking_price] += until - begin
        elif tariff.tier(begin):
            ret["time", *tariff.tier(begin)] += until - begin
        begin = until
    return ret


def price(document, facts):
    """(void, energy, {(kind, price): quantity}, lines for oracle_bill, VAT, gross priced)."""
    tariff = Retail(document)
    energy = half_away(F(max(0, facts["energy"]), 1000)) * 1000
    elapsed = -(-max(0, facts["end"] - facts["start"]) // MILLION)
    charged = facts.get("charging_end")
    if charged is not None:
        charged = -(-max(0, charged - facts["start"]) // MILLION)
        charged = charged if charged < elapsed else None
    vat = facts.get("vat")
    vat = tariff.vat if vat is None else vat
    if facts.get("final", True) and not energy and elapsed < facts.get("void_threshold", 120):
        return True, energy, [], vat, tariff
    lines = [["session", "piece", MILLION, int(tariff.session_price * MILLION), vat],
             ["energy", "kwh", energy, int(tariff.energy_price * MILLION), vat]]
    for (kind, _, of_minute), seconds in times(tariff, elapsed, charged).items():
        lines.append([kind, "minute", half_away(F(seconds * MILLION, 60)),
                      int(of_minute * MILLION), vat])
    return False, energy, lines, vat, tariff


def total(document, facts):
    """(net, VAT, gross) in minor units, limits held; and the amounts of the lines."""
    void, _, lines, vat, tariff = price(document, facts)
    if void:
        return (0, 0, 0), []
    amounts, groups = oracle_bill.bill(tariff.currency, tariff.gross_priced, lines)
    group = groups[0]
    scale = oracle_bill.minor_units(tariff.currency)
    low, high = document.get("min_price"), document.get("max_price")
    if low is not None:
        group.priced = max(group.priced, half_away(number(low) * scale))
    if high is not None:
        group.priced = min(group.priced, half_away(number(high) * scale))
    group.finish(tariff.gross_priced)
    return (group.net, group.tax, group.gross), sorted(
        (line[0], line[3], amount) for line, amount in zip(lines, amounts) if amount)


# ---- markup: firm prices of a network's tariff ----

TWO_DAYS = 2 * 24 * 60


def active_price(wholesale, kind, zone, start, minute, watt):
    """Net price of the component that is active in that minute; None where there is none."""
    begin = start + minute * 60 * MILLION
    moment = oracle_price.Period(begin, begin)
    if watt:
        moment.told["POWER"] = F(watt, 1000)
    at = oracle_price.Situation(moment, zone, begin - start, F(0), set())
    place = oracle_price.active(wholesale, kind, at, None)
    if place is None:
        return None
    component = wholesale.elements[place[0]]["price_components"][place[1]]
    return wholesale.amounts(component, F(1))[0]


def quote(document, wholesale, version, zone_name, start, watt):
    """{kwh, session, tiers, parking}: what a user is promised before the start. Minute by minute
    through the next two days."""
    wholesale = oracle_price.Tariff(wholesale, version)
    zone = oracle_price.zoneinfo.ZoneInfo(zone_name) if zone_name else oracle_price.UTC
    markup = document["markup"]
    factor = 1 + F(markup.get("percent", 0)) / 100
    if document.get("price_includes_vat", True):
        factor *= 1 + F(document["vat"]) / 100

    def firm(net, per=1):
        return None if net is None else F(half_away(net * factor / per * 10000), 10000)

    def active(kind, minute=0):
        return active_price(wholesale, kind, zone, start, minute, watt)

    tiers, before = [], F(0)
    for minute in range(document.get("max_charging_time", TWO_DAYS)):
        price = firm(active("TIME", minute), 60) or F(0)
        if price != before:
            tiers.append((minute, price))
        before = price
    # The tiers are for charging: where parking is free there, it is free here as well.
    parking = firm(active("PARKING_TIME"), 60) or F(0)
    if not parking and not tiers:
        parking = None
    return {"kwh": (firm(active("ENERGY")) or 0) + number(markup.get("kwh_adder", 0)),
            "session": (firm(active("FLAT")) or 0) + number(markup.get("session_adder", 0)),
            "tiers": tiers, "parking": parking}
