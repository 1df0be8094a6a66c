# SPDX-License-Identifier: Apache-2.0
"""Random retail tariffs with sessions, and random documents; see generator.py."""

import random

import generator

CURRENCIES = ("EUR", "EUR", "EUR", "JPY", "KWD", "SEK")
RATES = (0, 190000, 70000, 200000, 100000, 255000, 99750, 55000)


def amount(dice, most):
    """Of a price: two to six decimals."""
    return dice.choice((0, dice.randrange(1, most * 100) / 100, dice.randrange(1, most * 100) / 100,
                        dice.randrange(1, most * 10000) / 10000,
                        dice.randrange(1, most * 1000000) / 1000000))


def retail_tariff(dice):
    ret = {"id": "RT-1", "version": 1, "currency": dice.choice(CURRENCIES),
           "vat": dice.choice(RATES) / 10000, "price_includes_vat": dice.random() < 0.7,
           "kwh_price": amount(dice, 1), "session_price": amount(dice, 2)}
    ret["vat"] = int(ret["vat"]) if ret["vat"] == int(ret["vat"]) else ret["vat"]
    starts = sorted(dice.sample(range(0, 600, dice.choice((1, 15, 30))), dice.choice((0, 1, 2, 4))))
    if starts and dice.random() < 0.7:
        starts[0] = 0
    if starts:
        ret["time_tariffs"] = [{"starting_at_minute": s, "minute_price": amount(dice, 1)}
                               for s in starts]
    if dice.random() < 0.4:
        ret["max_charging_time"] = dice.choice((1, 60, 120, 300, 720, dice.randrange(1, 900)))
    if dice.random() < 0.3:
        ret["time_increment_s"] = dice.choice((1, 15, 30, 60, 300, 900))
    if dice.random() < 0.3:
        ret["parking_minute_price"] = amount(dice, 1)
    if dice.random() < 0.3:
        ret["grace_minutes"] = dice.choice((0, 1, 5, 15, 60))
    if dice.random() < 0.2:
        ret["min_price"] = dice.randrange(1, 10000) / 1000
    if dice.random() < 0.2:
        ret["max_price"] = dice.randrange(10000, 40000) / 1000
    return ret


def retail(seed, index):
    dice = random.Random(f"{seed}/retail/{index}")
    tariff = retail_tariff(dice)
    minutes = [t["starting_at_minute"] for t in tariff.get("time_tariffs", [])]
    minutes += [tariff.get("max_charging_time", 720)]
    seconds = dice.choice((dice.randrange(30000), dice.randrange(500) * 60, 119, 120, 121, 0,
                           dice.choice(minutes) * 60 + dice.choice((-1, 0, 1, 60))))
    start = 1780000000 * 1000000
    end = start + max(0, seconds) * 1000000
    if dice.random() < 0.05:
        end += dice.randrange(1000000)
    facts = {"start": start, "end": end,
             "energy": dice.choice((0, 500, 499, dice.randrange(90000000),
                                    dice.randrange(90000) * 1000, dice.randrange(90) * 1000000))}
    if dice.random() < 0.4:
        facts["charging_end"] = dice.choice((start, end, start + (end - start) // 2,
                                             start + (end - start) // 120000000 * 60000000))
    if dice.random() < 0.2:
        facts["vat"] = dice.choice(RATES)
    if dice.random() < 0.1:
        facts["final"] = False
    return {"do": "retail", "tariff": tariff, "facts": facts}


def bill_lines(dice):
    ret = []
    rates = dice.sample(RATES, dice.choice((1, 1, 2, 3)))
    for _ in range(dice.choice((1, 2, 3, 5, 9))):
        kind, unit, most = dice.choice((("session", "piece", 1), ("energy", "kwh", 90),
                                        ("time", "minute", 600), ("parking", "hour", 10),
                                        ("fee", "piece", 1)))
        count = dice.randrange(most * 1000000) if most > 1 else 1000000
        if unit != "kwh" and most > 1:
            count = dice.randrange(most) * 1000000
        ret.append([kind, unit, count, dice.choice((dice.randrange(1000) * 10000,
                                                    dice.randrange(10000) * 100,
                                                    dice.randrange(1000000))), dice.choice(rates)])
    if dice.random() < 0.15:  # the same once more, of one rate or another: their rests are equal
        ret.append([*ret[0][:4], dice.choice(rates)])
    return ret


def bill(seed, index):
    dice = random.Random(f"{seed}/bill/{index}")
    ret = {"do": "bill", "currency": dice.choice(CURRENCIES), "gross_priced": dice.random() < 0.5,
           "lines": bill_lines(dice), "vat": 190000}
    if dice.random() < 0.4:
        limits = {}
        low = dice.randrange(0, 30) * 1000000 + dice.choice((0, 0, 500000, 123456))
        for name, factor in (("net", 100), ("gross", dice.choice((100, 110, 119, 125)))):
            if dice.random() < 0.3:
                limits["min_" + name] = low * factor // 100
            if dice.random() < 0.6:
                limits["max_" + name] = (low + 10000000) * factor // 100
        ret["limits"] = limits
    elif dice.random() < 0.1:
        name = "max_gross" if ret["gross_priced"] else "max_net"
        ret["limits"] = {name: dice.randrange(1, 5000) * 10000}
    if dice.random() < 0.1:
        ret["mirror"] = True
    return ret


def quote(seed, index):
    """A markup on a random tariff, at the start of the session that the tariff was made for."""
    dice = random.Random(f"{seed}/quote/{index}")
    version = dice.choice(("2.1.1", "2.2.1", "2.2.1", "2.3.0"))
    session = generator.Session(dice, dice.choice(generator.ZONES), version)
    wholesale = generator.tariff(dice, session, version, "T1")
    for name in ("min_price", "max_price"):
        wholesale.pop(name, None)
    for element in wholesale["elements"]:  # a net price has to be known
        for component in element["price_components"]:
            if version != "2.1.1":
                component.setdefault("vat", 19)
    markup = {}
    if dice.random() < 0.8:
        markup["percent"] = dice.choice((5, 10, 12.5, 33.3333))
    if dice.random() < 0.5:
        markup["kwh_adder"] = dice.randrange(100) / 1000
    if dice.random() < 0.5:
        markup["session_adder"] = dice.randrange(100) / 100
    tariff = {"id": "M", "version": 1, "currency": "EUR", "vat": dice.choice((0, 7, 19, 25.5)),
              "price_includes_vat": dice.random() < 0.5, "mode": "markup", "markup": markup}
    if dice.random() < 0.7:
        tariff["max_charging_time"] = dice.choice((60, 300, 720))
    start = int(session.start) * 1000000
    ret = {"do": "retail", "tariff": tariff, "wholesale": wholesale, "version": version,
           "facts": {"start": start, "end": start + 3600000000, "energy": 10000000}}
    if session.zone:
        ret["zone"] = session.zone
    if dice.random() < 0.6:
        ret["power"] = dice.choice((3700, 11000, 22000, 43000, 150000))
    return ret
