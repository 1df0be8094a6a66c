# SPDX-License-Identifier: Apache-2.0
"""
What a document of lines adds up to, reckoned a second time with exact fractions: each line is
rounded once, VAT once per rate, and all parts of a whole are whole cents that add up to it.
"""

import fractions

from oracle_price import MILLION, half_away

F = fractions.Fraction
EXPONENTS = {"JPY": 0, "ISK": 0, "KWD": 3}  # all others here have two decimals
SECONDS = {"minute": 60, "hour": 3600}


def minor_units(currency):
    return 10 ** EXPONENTS.get(currency, 2)


def quantity(unit, millionths):
    """Times are whole seconds: 0.016667 minutes are one."""
    if unit in SECONDS:
        return F(half_away(F(millionths * SECONDS[unit], MILLION)), SECONDS[unit])
    return F(millionths, MILLION)


def line_amount(line, currency):
    _, unit, amount, price, _ = line
    return half_away(quantity(unit, amount) * F(price, MILLION) * minor_units(currency))


def rate(vat):
    return F(vat, 1000000)


def round_to(whole, exact):
    """Whole numbers that add up to `whole`: rounded down, and what is left goes to the largest
    remainders, of equal ones to the first."""
    parts = [x // 1 for x in exact]
    order = sorted(range(len(exact)), key=lambda i: (parts[i] - exact[i], i))
    for i in order[:int(whole - sum(parts))]:
        parts[i] += 1
    assert sum(parts) == whole
    return [int(x) for x in parts]


def allocate(whole, weights):
    """In proportion to the weights."""
    total = sum(weights)
    if not total:
        return [whole] + [0] * (len(weights) - 1)
    return round_to(whole, [F(whole) * w / total for w in weights])


def vat_of_net(net, vat):
    return half_away(net * rate(vat))


def vat_of_gross(gross, vat):
    return half_away(gross * rate(vat) / (1 + rate(vat)))


class Group:
    """All of one rate; `priced` is what its lines add up to."""

    def __init__(self, vat, priced=0):
        self.vat, self.priced = vat, priced

    def finish(self, gross_priced):
        if gross_priced:
            self.gross = self.priced
            self.tax = vat_of_gross(self.gross, self.vat)
            self.net = self.gross - self.tax
        else:
            self.net = self.priced
            self.tax = vat_of_net(self.net, self.vat)
            self.gross = self.net + self.tax

    def exact(self, gross_priced):
        """(net, gross), unrounded."""
        if gross_priced:
            return F(self.priced) / (1 + rate(self.vat)), F(self.priced)
        return F(self.priced), self.priced * (1 + rate(self.vat))


def bill(currency, gross_priced, lines):
    """Without limits: (amounts of the lines, groups in their order)."""
    groups, amounts = {}, []
    for line in lines:
        amounts.append(line_amount(line, currency))
        group = groups.setdefault(line[4], Group(line[4]))
        group.priced += amounts[-1]
    for group in groups.values():
        group.finish(gross_priced)
    return amounts, list(groups.values())


def totals(groups):
    return tuple(sum(getattr(g, name) for g in groups) for name in ("net", "tax", "gross"))


def limited_exact(groups, gross_priced, limits):
    """What the groups cost within the limits, unrounded: [(net, gross)] in minor units. First one
    total is brought to its limit, then the other; whoever is within both is left alone."""
    pairs = [g.exact(gross_priced) for g in groups]

    def scale_to(index, wanted):
        total = sum(p[index] for p in pairs)
        return [(p[0] * wanted / total, p[1] * wanted / total) for p in pairs]

    for which, beyond in (("min", lambda a, b: a < b), ("max", lambda a, b: a > b)):
        for index, name in ((0, "net"), (1, "gross")):
            wanted = limits.get(f"{which}_{name}")
            total = sum(p[index] for p in pairs)
            if wanted is not None and total and beyond(total, wanted):
                pairs = scale_to(index, wanted)
    return pairs
