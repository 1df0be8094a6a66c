# SPDX-License-Identifier: Apache-2.0
"""
What a session costs by a tariff, reckoned a second time and on purpose in another way: exact
fractions, Python's own calendar and time zones, every restriction asked of every period anew. It
shares nothing with ocpi/price.c but the rules (R-TAR); slow, and meant to be read.

Documents are what json gives with parse_float=Decimal: no number passes through a binary float.
"""

import datetime
import fractions
import re
import zoneinfo

F = fractions.Fraction
UTC = datetime.timezone.utc
EPOCH = datetime.datetime(1970, 1, 1, tzinfo=UTC)
DAYS = ("MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY", "SUNDAY")
KINDS = ("flat", "energy", "time", "parking", "reservation time", "reservation flat")
MILLION = 10 ** 6


def half_away(value):
    """The nearest whole number; of two that are as near the one further from zero."""
    whole = (abs(value) * 2 + 1) // 2
    return int(-whole if value < 0 else whole)


def six(value):
    """With six decimals, as a whole number of millionths; None stays None."""
    return None if value is None else half_away(value * MILLION)


def number(value):
    """As documents are read: exact, rounded to six decimals."""
    return F(half_away(F(value) * MILLION), MILLION)


def moment(text):
    """Microseconds since 1970 in UTC. None where the text says "unknown"."""
    found = re.fullmatch(r"(\d{4})-(\d+)-(\d+)[Tt](\d\d):(\d\d):(\d\d)(?:\.(\d+))?Z?", text)
    year, month, day, hour, minute, second = (int(x) for x in found.groups()[:6])
    at = datetime.datetime(year, month, day, hour, minute, second, tzinfo=UTC)
    us = (at - EPOCH) // datetime.timedelta(microseconds=1)
    us += int((found[7] or "").ljust(6, "0")[:6])
    return None if us == 0 else us


def local(us, zone):
    return (EPOCH + datetime.timedelta(microseconds=us)).astimezone(zone)


# ---- documents ----


class Tariff:
    """Of any version: what its prices mean."""

    def __init__(self, document, version):
        self.id = document["id"]
        self.currency = document["currency"]
        self.elements = document["elements"]
        self.type = document.get("type")
        self.start = moment(document["start_date_time"]) if "start_date_time" in document else None
        self.end = moment(document["end_date_time"]) if "end_date_time" in document else None
        self.taxes = {"2.1.1": "unknown", "2.2.1": "NO"}.get(version) or document["tax_included"]
        if version == "2.3.0" and self.taxes == "NO" and not self.has_vat():
            self.taxes = "unknown"  # as in North America: they are added, their rates not told
        net, gross = (("before_taxes", "after_taxes") if version == "2.3.0"
                      else ("excl_vat", "incl_vat"))
        self.limits = {}
        for which in ("min_price", "max_price"):
            for key, name in (("net", net), ("gross", gross)):
                value = document.get(which, {}).get(name)
                self.limits[which, key] = None if value is None else number(value)

    def valid_at(self, us):
        return ((self.start is None or self.start <= us) and (self.end is None or us < self.end))

    def has_vat(self):
        return any("vat" in c for e in self.elements for c in e["price_components"])

    def too_precise(self):
        prices = (F(c["price"]) for e in self.elements for c in e["price_components"])
        return any(x != number(x) for x in prices)

    def asks_for_local_time(self):
        return any(not always(r) or r.keys() & {"start_date", "end_date"} or r.get("day_of_week")
                   for r in (e.get("restrictions") or {} for e in self.elements))

    def amounts(self, component, quantity):
        """(net, gross) of so many hours, kilowatt-hours or times; None: not known."""
        amount = number(component["price"]) * quantity
        if not amount:
            return F(0), F(0)  # no tax of any rate makes nothing more or less
        vat = component.get("vat")
        rate = 1 + number(vat) / 100 if vat is not None else None
        if self.taxes == "unknown":
            return amount, None
        if self.taxes == "N/A":
            return amount, amount
        if self.taxes == "YES":
            return (amount / rate if rate else None), amount
        return amount, amount * (rate or 1)


class Period:
    """From when to when, what was used and what was told of it."""

    def __init__(self, start, end):
        self.start, self.end = start, end
        self.energy = F(0)
        self.charging = self.parking = self.reserved = 0
        self.reservation = self.assumed = False
        self.told = {}
        self.tariff = 0
        self.whole = self

    @property
    def seconds(self):
        return half_away(F(self.end - self.start, MILLION))


def seconds_of(hours, distance):
    """Four decimals of an hour are not seconds: a length that is known is the better one."""
    told = half_away(number(hours) * 3600)
    return distance if hours and distance and abs(told - distance) <= 1 else told


def end_of(record):
    """Of a session that goes on: what is known of it ends with its last update."""
    for name in ("end_date_time", "stop_date_time", "end_datetime", "last_updated"):
        if name in record:
            return moment(record[name])
    return None


def is_cdr(record):
    return "total_energy" in record


def is_over(record):
    return is_cdr(record) or record["status"] in ("COMPLETED", "INVALID")


def periods_of(record, tariffs, notes):
    """The record's periods, in order, each until the next one."""
    start, end = moment(record.get("start_date_time") or record["start_datetime"]), end_of(record)
    given = sorted(record.get("charging_periods") or [],
                   key=lambda p: moment(p["start_date_time"]))
    if not given:
        notes.add("NO_PERIODS")
        period = Period(start, end)
        period.energy = number(record["total_energy" if is_cdr(record) else "kwh"])
        period.charging, period.assumed = period.seconds, True
        return [period]

    ret = []
    for index, document in enumerate(given):
        begin = moment(document["start_date_time"])
        until = moment(given[index + 1]["start_date_time"]) if index + 1 < len(given) else end
        period = Period(begin, max(begin, until))
        volumes = {}
        for dimension in document["dimensions"]:
            kind, volume = dimension["type"], number(dimension["volume"])
            if kind in ("ENERGY", "TIME", "PARKING_TIME", "RESERVATION_TIME"):
                if volume < 0:
                    notes.add("NEGATIVE")
                    volume = F(0)
                volumes[kind] = volumes.get(kind, 0) + volume
            else:
                period.told[kind] = volume
        period.energy = volumes.get("ENERGY", F(0))
        distance = period.seconds
        if "TIME" in volumes:
            period.charging = seconds_of(volumes["TIME"], distance)
        if "PARKING_TIME" in volumes:
            period.parking = seconds_of(volumes["PARKING_TIME"], distance)
        if "RESERVATION_TIME" in volumes:
            period.reserved = seconds_of(volumes["RESERVATION_TIME"], distance)
            period.reservation = period.reserved > 0
        if not volumes.keys() & {"TIME", "PARKING_TIME", "RESERVATION_TIME"}:
            period.assumed = True
            period.charging = distance
        if "tariff_id" in document:
            ids = [t.id.lower() for t in tariffs]
            if document["tariff_id"].lower() in ids:
                period.tariff = ids.index(document["tariff_id"].lower())
            else:
                notes.add("UNKNOWN_TARIFF")
        ret.append(period)
    return ret


# ---- restrictions ----


def clock(text):
    return int(text[:2]) * 60 + int(text[3:5])


class Situation:
    """All that restrictions ask about, at the start of a piece of a period."""

    def __init__(self, piece, zone, elapsed_us, energy, notes):
        period = piece.whole
        self.notes = notes
        self.local = local(piece.start, zone)
        self.elapsed = F(elapsed_us, MILLION)
        self.energy = energy
        self.period = period

    def told(self, what):
        for name in ("MAX_" + what, "MIN_" + what, what):
            if name in self.period.told:
                return self.period.told[name]
        return None

    def power(self):
        """The average is taken over the time that was charged; nobody draws power before."""
        seconds = self.period.charging or F(self.period.end - self.period.start, MILLION)
        known = seconds and not self.period.reservation
        derived = self.period.energy * 3600 / seconds if known else None
        return derived if self.told("POWER") is None else self.told("POWER")

    def note_what_is_asked(self, tariff):
        """What the tariff asks of this period and nobody told, whether it came to that or not."""
        asked = {name for element in tariff.elements for name in element.get("restrictions") or {}}
        if asked & {"min_power", "max_power"} and self.told("POWER") is None:
            self.notes.add("DERIVED_POWER")
        if asked & {"min_current", "max_current"} and self.told("CURRENT") is None:
            self.notes.add("NO_CURRENT")


def within(value, low, high):
    """Unknown values are within nothing."""
    if value is None:
        return False
    return (low is None or number(low) <= value) and (high is None or value < number(high))


def window(restrictions):
    """From which minute of the day to which; until 24 * 60 where nothing else is said."""
    return (clock(restrictions.get("start_time", "00:00")),
            clock(restrictions.get("end_time", "00:00")) or 24 * 60)


def always(restrictions):
    """The whole day: nothing said, or from a time to the same time."""
    begin, end = window(restrictions)
    return (begin - end) % (24 * 60) == 0


def matches(restrictions, at):
    """Everything but `reservation`."""
    r = restrictions
    minute = at.local.hour * 60 + at.local.minute
    begin, end = window(r)
    if always(r):
        pass
    elif begin < end:
        if not begin <= minute < end:
            return False
    elif end <= minute < begin:
        return False
    day = at.local.date().isoformat()
    if day < r.get("start_date", "0000") or day >= r.get("end_date", "9999"):
        return False
    if r.get("day_of_week") and DAYS[at.local.weekday()] not in r["day_of_week"]:
        return False
    if not within(at.energy, r.get("min_kwh"), r.get("max_kwh")):
        return False
    if not within(at.elapsed, r.get("min_duration"), r.get("max_duration")):
        return False
    if ("min_power" in r or "max_power" in r) and not within(at.power(), r.get("min_power"),
                                                             r.get("max_power")):
        return False
    if ("min_current" in r or "max_current" in r) and not within(
            at.told("CURRENT"), r.get("min_current"), r.get("max_current")):
        return False
    return True


def active(tariff, kind, at, reservation):
    """(element, component) of the first that has the dimension and applies; None: it is free."""
    for e, element in enumerate(tariff.elements):
        r = element.get("restrictions") or {}
        if r.get("reservation") != reservation:
            continue
        found = [c for c, x in enumerate(element["price_components"]) if x["type"] == kind]
        if found and matches(r, at):
            return e, found[0]
    return None


# ---- estimates: periods are cut wherever a restriction may begin or end ----


def clock_edges(period, tariff, zone):
    """Each midnight, each start and end of a window, each change of the clocks."""
    times = {0}
    for element in tariff.elements:
        r = element.get("restrictions") or {}
        times |= {clock(r[name]) for name in ("start_time", "end_time") if name in r}
    day = local(period.start, zone).date() - datetime.timedelta(days=1)
    while day <= local(period.end, zone).date() + datetime.timedelta(days=1):
        for minute in times:
            for fold in (0, 1):
                at = datetime.datetime(day.year, day.month, day.day, minute // 60, minute % 60,
                                       tzinfo=zone, fold=fold)
                yield (at - EPOCH) // datetime.timedelta(microseconds=1)
        yield from changes_of_clock(day, zone)
        day += datetime.timedelta(days=1)


def changes_of_clock(day, zone):
    """To the minute: none has ever been between two minutes since there are computers."""
    low = datetime.datetime(day.year, day.month, day.day, tzinfo=UTC)
    high = low + datetime.timedelta(days=1)
    if low.astimezone(zone).utcoffset() == high.astimezone(zone).utcoffset():
        return
    before = low.astimezone(zone).utcoffset()
    while high - low > datetime.timedelta(minutes=1):
        middle = low + (high - low) / 2
        middle = middle.replace(second=0, microsecond=0)
        if middle.astimezone(zone).utcoffset() == before:
            low = middle
        else:
            high = middle
    yield (high - EPOCH) // datetime.timedelta(microseconds=1)


def spread(volume, period, until):
    """What of a volume lies before a moment of its period: spread evenly, in whole units."""
    if until >= period.end:
        return volume
    return volume * (until - period.start) // (period.end - period.start)


def reached(volume, period, wanted):
    """The first moment at which so much of the volume is used."""
    ret = period.start + -(-wanted * (period.end - period.start) // volume)
    assert spread(volume, period, ret) >= wanted > spread(volume, period, ret - 1)
    return ret


def pieces_of(period, tariff, zone, started, energy_before):
    """The period, cut; the last piece has what rounding down left over."""
    thresholds = [element.get("restrictions") or {} for element in tariff.elements]
    cuts = set(clock_edges(period, tariff, zone))
    energy = int(period.energy * MILLION)
    for r in thresholds:
        for name in ("min_duration", "max_duration"):
            if name in r:
                cuts.add(started + int(r[name]) * MILLION)
        for name in ("min_kwh", "max_kwh"):
            wanted = int((number(r[name]) - energy_before) * MILLION) if name in r else 0
            if 0 < wanted <= energy and not period.reservation:
                cuts.add(reached(energy, period, wanted))
    edges = [period.start, *sorted(x for x in cuts if period.start < x < period.end), period.end]
    for begin, end in zip(edges, edges[1:]):
        piece = Period(begin, end)
        piece.whole, piece.tariff, piece.told = period, period.tariff, period.told
        piece.reservation, piece.assumed = period.reservation, period.assumed
        piece.energy = F(spread(energy, period, end) - spread(energy, period, begin), MILLION)
        for name in ("charging", "parking", "reserved"):
            volume = getattr(period, name)
            setattr(piece, name, spread(volume, period, end) - spread(volume, period, begin))
        yield piece


# ---- the price ----


class Lines:
    """What each component priced."""

    def __init__(self, tariffs):
        self.tariffs = tariffs
        self.lines = {}

    def add(self, kind, tariff, place, used):
        key = (kind, tariff, *place)
        line = self.lines.setdefault(key, {"used": F(0), "added": F(0)})
        line["used"] += used
        return key

    def component(self, key):
        _, tariff, element, component = key
        return self.tariffs[tariff].elements[element]["price_components"][component]

    def round_up(self, key, step):
        """The sum of all lines of this kind, to a multiple of the step; the rest to this line."""
        kind = key[0]
        total = sum(x["used"] for k, x in self.lines.items() if k[0] == kind)
        self.lines[key]["added"] = -(-total // step) * step - total


class Reckoning:
    """Goes through the periods."""

    def __init__(self, tariffs, expired, notes):
        self.tariffs, self.notes = tariffs, notes
        self.lines = Lines(tariffs)
        self.energy = F(0)
        self.last = {}  # the line that takes what the step adds
        self.flats = set()
        self.expired = expired
        self.expiry = None

    def flat(self, kind, name, tariff, at, reservation):
        place = active(self.tariffs[tariff], "FLAT", at, reservation)
        if place and kind not in self.flats:
            self.flats.add(kind)
            self.lines.add(name, tariff, place, F(1))

    def reservation(self, piece, at):
        self.flat("RESERVATION", "reservation flat", piece.tariff, at, "RESERVATION")
        self.expiry = piece.tariff, at
        for kind in ("RESERVATION_EXPIRES", "RESERVATION") if self.expired else ("RESERVATION",):
            place = active(self.tariffs[piece.tariff], "TIME", at, kind)
            if place and piece.reserved:
                self.last["reservation"] = self.lines.add("reservation time", piece.tariff, place,
                                                          F(piece.reserved))
                break

    def charging(self, piece, at):
        tariff = self.tariffs[piece.tariff]
        at.note_what_is_asked(tariff)
        self.flat("charging", "flat", piece.tariff, at, None)
        place = active(tariff, "ENERGY", at, None)
        if place and piece.energy:
            self.last["energy"] = self.lines.add("energy", piece.tariff, place, piece.energy)
        for kind, name, volume in (("TIME", "time", piece.charging),
                                   ("PARKING_TIME", "parking", piece.parking)):
            place = active(tariff, kind, at, None)
            if place and volume:
                self.last["time"] = self.lines.add(name, piece.tariff, place, F(volume))
                if piece.assumed:
                    self.notes.add("ASSUMED_CHARGING")  # and it matters

    def finish(self):
        if self.expired:  # what that costs is told by the moment at which it happened
            self.flat("RESERVATION_EXPIRES", "reservation flat", *self.expiry,
                      "RESERVATION_EXPIRES")
        for what, key in self.last.items():
            step = int(self.lines.component(key)["step_size"]) or 1
            self.lines.round_up(key, F(step, 1000) if what == "energy" else F(step))
        return self.lines


def reckon(tariffs, periods, zone, notes, session_start, cut, over):
    """`cut`: periods may be; `over`: a reservation that nothing followed was not used."""
    all_of_it = Reckoning(tariffs, over and all(p.reservation for p in periods), notes)
    begin = {}  # of the reservation, and of the charging that follows it
    for period in periods:
        started = begin.setdefault(period.reservation,
                                   period.start if begin else min(period.start, session_start))
        pieces = [period]
        if cut and period.end > period.start:
            pieces = list(pieces_of(period, tariffs[period.tariff], zone, started,
                                    all_of_it.energy))
        for piece in pieces:
            energy = F(0) if period.reservation else all_of_it.energy
            at = Situation(piece, zone, piece.start - started, energy, notes)
            (all_of_it.reservation if period.reservation else all_of_it.charging)(piece, at)
            all_of_it.energy += piece.energy
    return all_of_it.finish()


def clamp(value, low, high, notes):
    if value is None:
        return None
    if low is not None and value < low:
        value = low
        notes.add("MIN_PRICE")
    if high is not None and value > high:
        value = high
        notes.add("MAX_PRICE")
    return value


def add_up(lines, tariffs, first, notes):
    """All amounts, rounded once where they are told. The tariff that the session began with sets
    the limits."""
    ret = {"lines": [], "totals": {k: {"used": F(0), "billed": F(0), "net": F(0), "gross": F(0)}
                                   for k in KINDS}}
    totals = {"net": F(0), "gross": F(0)}
    for key, line in lines.lines.items():
        kind, tariff, element, component = key
        billed = line["used"] + line["added"]
        hours = 3600 if kind in ("time", "parking", "reservation time") else 1
        net, gross = tariffs[tariff].amounts(lines.component(key), billed / hours)
        if net is None:
            notes.add("NET_UNKNOWN")
        if gross is None:
            notes.add("TAXES_UNKNOWN")
        ret["lines"].append({"kind": kind, "tariff": tariff, "element": element,
                             "component": component, "used": scaled(kind, line["used"]),
                             "billed": scaled(kind, billed), "excl": six(net), "incl": six(gross),
                             "exact": (net, gross)})
        of_kind = ret["totals"][kind]
        of_kind["used"] += line["used"]
        of_kind["billed"] += billed
        for name, amount in (("net", net), ("gross", gross)):
            for sums in (of_kind, totals):
                sums[name] = None if amount is None or sums[name] is None else sums[name] + amount
    for kind, sums in ret["totals"].items():
        ret["totals"][kind] = {"used": scaled(kind, sums["used"]),
                               "billed": scaled(kind, sums["billed"]),
                               "excl": six(sums["net"]), "incl": six(sums["gross"])}
    limits = tariffs[first].limits
    net, gross = (clamp(totals[k], limits["min_price", k], limits["max_price", k], notes)
                  for k in ("net", "gross"))
    ret.update(unlimited_excl=six(totals["net"]), unlimited_incl=six(totals["gross"]),
               excl=six(net), incl=six(gross), currency=tariffs[first].currency)
    ret["exact"] = (net, gross)
    return ret


def scaled(kind, quantity):
    """Energy in millionths of a kilowatt-hour, the rest whole."""
    value = quantity * MILLION if kind == "energy" else quantity
    assert value.denominator == 1, (kind, quantity)
    return int(value)


def price(record, version, documents, zone_name, tariff_version=None):
    """The price of a Session or CDR by the tariffs given."""
    notes = set()
    tariffs = [Tariff(d, tariff_version or version) for d in documents]
    if not zone_name and any(t.asks_for_local_time() for t in tariffs):
        notes.add("NO_TIME_ZONE")
    zone = zoneinfo.ZoneInfo(zone_name) if zone_name else UTC
    start = moment(record.get("start_date_time") or record["start_datetime"])
    periods = periods_of(record, tariffs, notes)
    first = tariffs[periods[0].tariff]
    if not first.valid_at(min(start, periods[0].start)):
        notes.add("NOT_VALID")
    if first.taxes == "N/A" and first.has_vat():
        notes.add("VAT_IGNORED")
    if first.too_precise():
        notes.add("PRECISION_REDUCED")
    lines = reckon(tariffs, periods, zone, notes, start, cut=not is_cdr(record),
                   over=is_over(record))
    ret = add_up(lines, tariffs, periods[0].tariff, notes)
    ret["notes"] = notes
    return ret
