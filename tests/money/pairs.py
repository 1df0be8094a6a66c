#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
Random pairs of a tariff and a session, reckoned by the hub and by the oracle, to the last digit.

    pairs.py [--pairs 100000] [--seed 2026] [--jobs 2] [--what price|retail|quote|bill]

prints what differs, each made as small as it can be, and how long both took.
"""

import argparse
import collections
import json
import multiprocessing
import resource
import subprocess
import sys
import time

import compare
import generator
import generator_bill
import oracle_bill
import oracle_price
import oracle_retail

F = oracle_bill.F
# The other notes are remarks about a record, not about the reckoning.
NOTES = {"NOT_VALID", "VAT_IGNORED", "NO_TIME_ZONE", "NO_CURRENT", "DERIVED_POWER", "NO_PERIODS",
         "ASSUMED_CHARGING", "NEGATIVE", "UNKNOWN_TARIFF", "NET_UNKNOWN", "TAXES_UNKNOWN",
         "PRECISION_REDUCED", "MIN_PRICE", "MAX_PRICE"}


def told(**members):
    """{what: (the hub's, the oracle's)} of those that are not the same."""
    return {name: two for name, two in members.items() if two[0] != two[1]}


# ---- wholesale ----


def price_oracle(question):
    return oracle_price.price(question["record"], question["version"], question["tariffs"],
                              question.get("zone"), question.get("tariff_version"))


def price_differences(question, hub):
    oracle = price_oracle(question)
    lines = [[x[k] for k in ("kind", "tariff", "element", "component", "used", "billed", "excl",
                             "incl")] for x in oracle["lines"]]
    totals = {k: [t["used"], t["billed"], t["excl"], t["incl"]]
              for k, t in oracle["totals"].items()}
    ret = told(**{k: (hub[k], oracle[k]) for k in ("currency", "unlimited_excl", "unlimited_incl",
                                                   "excl", "incl")},
               totals=(hub["totals"], totals), lines=(sorted(hub["lines"]), sorted(lines)),
               notes=(sorted(NOTES & set(hub["notes"])), sorted(NOTES & oracle["notes"])))
    if "bill" in hub:
        ret.update(price_bill_differences(question, oracle, hub["bill"]))
    return ret


def price_bill_differences(question, oracle, hub):
    """The document made of a price: each line rounded once, VAT once per rate."""
    gross_priced = question["tariffs"][0].get("tax_included") == "YES"
    groups, amounts = {}, collections.Counter()
    for line in oracle["lines"]:
        component = question["tariffs"][line["tariff"]]["elements"][line["element"]][
            "price_components"][line["component"]]
        vat = oracle_retail.percent(component.get("vat", F(question["bill"], 10000)))
        amount = oracle_bill.half_away(line["exact"][gross_priced] * 100)
        group = groups.setdefault(vat, oracle_bill.Group(vat))
        group.priced += amount
        amounts[vat, amount] += 1
    for group in groups.values():
        group.finish(gross_priced)
    figures = {(g.vat, g.net, g.tax, g.gross) for g in groups.values() if g.priced}
    return told(document=(sorted(tuple(x) for x in hub["groups"] if any(x[1:])), sorted(figures)))


# ---- retail ----


def retail_differences(question, hub):
    totals, lines = oracle_retail.total(question["tariff"], question["facts"])
    bill = hub["bill"]
    of_hub = [(x[0], x[3], x[5]) for x in bill["lines"]
              if x[5] and x[0] not in ("minimum", "limit")]
    return told(totals=((bill["net"], bill["vat"], bill["gross"]), tuple(totals)),
                lines=(sorted(of_hub), sorted(lines)))


def quote_differences(question, hub):
    wanted = oracle_retail.quote(question["tariff"], question["wholesale"], question["version"],
                                 question.get("zone"), question["facts"]["start"],
                                 question.get("power"))
    quote = hub["quote"]
    tiers = [(t["starting_at_minute"], F(str(t["minute_price"])))
             for t in quote.get("time_tariffs", [])]
    parking = quote.get("parking_minute_price")
    return told(kwh=(F(str(quote["kwh_price"])), wanted["kwh"]),
                session=(F(str(quote["session_price"])), wanted["session"]),
                tiers=(tiers, wanted["tiers"]),
                parking=(None if parking is None else F(str(parking)), wanted["parking"]))


# ---- documents ----


def bill_differences(question, hub):
    hub = hub["bill"]
    sign = -1 if question.get("mirror") else 1
    gross_priced = question["gross_priced"]
    amounts, groups = oracle_bill.bill(question["currency"], gross_priced, question["lines"])
    of_hub = [tuple(sign * x for x in line[5:7]) for line in hub["lines"]]
    ret = told(amounts=([x[0] for x in of_hub[:len(amounts)]], amounts))
    for index, (vat, net, tax, gross) in enumerate(hub["groups"]):
        lines = [x for x in hub["lines"] if x[4] == vat]
        ret.update(told(**{
            f"lines of group {index}": (sum(x[5] for x in lines), gross if gross_priced else net),
            f"shares of group {index}": (sum(x[6] for x in lines), net),
            f"taxes of group {index}": (net + tax, gross)}))
    sums = [sum(g[i] for g in hub["groups"]) for i in (1, 2, 3)]
    ret.update(told(sums=([hub[k] for k in ("net", "vat", "gross")], sums)))
    limits = {k: oracle_bill.half_away(F(v * oracle_bill.minor_units(question["currency"]),
                                         oracle_price.MILLION))
              for k, v in question.get("limits", {}).items()}
    pairs = [[sign * x for x in g[1:]] for g in hub["groups"]]
    if limits:
        ret.update(limit_differences(groups, gross_priced, limits, pairs))
    else:
        ret.update(told(groups=(pairs, [[g.net, g.tax, g.gross] for g in groups]),
                        shares=(sorted(hub_shares(hub, sign)),
                                sorted(net_shares(question["lines"], amounts, groups,
                                                  gross_priced)))))
    return ret


def hub_shares(hub, sign):
    return [(x[4], index, sign * x[6]) for index, x in enumerate(hub["lines"])]


def net_shares(lines, amounts, groups, gross_priced):
    """What each line has of the net of its rate."""
    for group in groups:
        of_group = [i for i, line in enumerate(lines) if line[4] == group.vat]
        taxes = 1 + oracle_bill.rate(group.vat) if gross_priced else 1
        parts = oracle_bill.round_to(group.net, [amounts[i] / F(taxes) for i in of_group])
        yield from ((group.vat, i, part) for i, part in zip(of_group, parts))


def limit_differences(groups, gross_priced, limits, hub):
    """Where whole cents allow several answers, each has to be one of them."""
    totals = {"net": sum(g[0] for g in hub), "gross": sum(g[2] for g in hub)}
    ret = {}
    for name, total in totals.items():
        if total > limits.get("max_" + name, total):
            ret["above max " + name] = (total, limits["max_" + name])
        if total < limits.get("min_" + name, total) and not any(k.startswith("max")
                                                                for k in limits):
            ret["below min " + name] = (total, limits["min_" + name])
    if not sum(g.priced for g in groups):
        return ret  # where it goes is another rule; the totals are as they should be
    exact = oracle_bill.limited_exact(groups, gross_priced, limits)
    for index, name in ((0, "net"), (1, "gross")):
        wanted = sum(x[index] for x in exact)
        if abs(totals[name] - wanted) > len(groups):
            ret[name] = (totals[name], float(wanted))
    for group, (net, tax, gross), (of_net, of_gross) in zip(groups, hub, exact):
        if abs(tax - net * oracle_bill.rate(group.vat)) > 1:
            ret["VAT"] = (tax, float(net * oracle_bill.rate(group.vat)))
        if abs(net - of_net) > 2 or abs(gross - of_gross) > 2:
            ret["share"] = ((net, gross), (float(of_net), float(of_gross)))
    ret.update(exact_limit(groups, gross_priced, limits, hub))
    return ret


def exact_limit(groups, gross_priced, limits, hub):
    """One limit, of what the document is priced in: there is one answer."""
    name = "gross" if gross_priced else "net"
    if set(limits) != {"max_" + name}:
        return {}
    weights = [g.priced for g in groups]
    if sum(weights) > limits["max_" + name]:
        weights = oracle_bill.allocate(limits["max_" + name], weights)
    return told(parts=([g[2] if gross_priced else g[0] for g in hub], weights))


# ---- all of them ----


def ask_price(seed, index):
    question = generator.ask(seed, index)
    plain = (len(question["tariffs"]) == 1 and not question["tariffs"][0].keys()
             & {"min_price", "max_price"})
    vat_known = question["version"] != "2.3.0" or question["tariffs"][0]["tax_included"] != "N/A"
    if plain and vat_known and index % 2:
        question["bill"] = 190000
    return question


KINDS = {"price": (ask_price, price_differences),
         "retail": (generator_bill.retail, retail_differences),
         "quote": (generator_bill.quote, quote_differences),
         "bill": (generator_bill.bill, bill_differences)}


def differ(hub, what, question):
    """{} where the hub refuses the question or the oracle cannot read it."""
    line = json.dumps(question)
    answer = hub.ask_line(line)
    if "error" in answer:
        return {}
    try:
        return KINDS[what][1](compare.exact(line), answer)
    except (KeyError, IndexError, TypeError, ValueError, AttributeError, ZeroDivisionError,
            AssertionError):
        return {}


def explain(what, question):
    """The difference, as small as it can be shown."""
    with compare.Hub() as hub:
        small = compare.shrink(lambda q: differ(hub, what, q), question)
        found = differ(hub, what, small)
    if "record" in small:
        small["record"] = {k: v for k, v in small["record"].items()
                           if "period" in k or "time" in k or k in ("kwh", "total_energy")}
    return "\n".join([json.dumps(small)] + [f"    {name}: hub {a}, oracle {b}"
                                            for name, (a, b) in found.items()])


def run(what, seed, begin, end):
    """(how many were refused, [explanations], seconds of the hub, of the oracle)."""
    ask, differences = KINDS[what]
    questions = [ask(seed, index) for index in range(begin, end)]
    lines = [json.dumps(q) for q in questions]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run([compare.PRICE_BATCH], input="\n".join(lines) + "\n", text=True,
                          stdout=subprocess.PIPE, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    answers = done.stdout.splitlines()
    assert len(answers) == len(lines)
    began, refused, explained = time.process_time(), 0, []
    for question, line, answer in zip(questions, lines, map(json.loads, answers)):
        if "error" in answer:
            refused += 1
        elif differences(compare.exact(line), answer):
            explained.append(explain(what, question) if len(explained) < 3 else "and another one")
    return (refused, explained, after.ru_utime + after.ru_stime - before.ru_utime
            - before.ru_stime, time.process_time() - began)


def run_part(arguments):
    return run(*arguments)


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=100000)
    parser.add_argument("--seed", type=int, default=2026)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--what", choices=KINDS, default="price")
    given = parser.parse_args()
    parts = [(given.what, given.seed, begin, min(begin + 1000, given.pairs))
             for begin in range(0, given.pairs, 1000)]
    began, refused, different, hub, oracle = time.monotonic(), 0, [], 0, 0
    with multiprocessing.Pool(given.jobs) as pool:
        for of_part in pool.imap_unordered(run_part, parts):
            refused += of_part[0]
            different += of_part[1]
            hub += of_part[2]
            oracle += of_part[3]
    print("\n".join(different[:10]))
    print(f"{given.pairs} pairs ({given.what}, seed {given.seed}): {len(different)} differences, "
          f"{refused} refused; processor time: hub {hub:.1f} s, oracle {oracle:.1f} s; "
          f"{time.monotonic() - began:.0f} s in all")
    return 1 if different else 0


if __name__ == "__main__":
    sys.exit(main())
