# SPDX-License-Identifier: Apache-2.0
"""
Random tariffs and sessions, the same ones for the same seed. Chance alone rarely meets the second
at which a price changes, so thresholds are taken from what happens in the session, or a unit beside
it: a period begins exactly at end_time, the energy used is exactly min_kwh, the total is exactly a
multiple of the step.
"""

import datetime
import functools
import random
import zoneinfo

UTC = datetime.timezone.utc
EPOCH = datetime.datetime(1970, 1, 1, tzinfo=UTC)
DAYS = ("MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY", "SUNDAY")
ZONES = ("Europe/Berlin", "Europe/Berlin", "Europe/Helsinki", "Europe/London", "America/New_York",
         "America/St_Johns", "Asia/Kolkata", "Asia/Kathmandu", "Australia/Lord_Howe",
         "Australia/Adelaide", "Pacific/Chatham", "Pacific/Kiritimati", "America/Sao_Paulo",
         "Africa/Casablanca", "Asia/Tehran", "UTC", None)
STEPS = (0, 1, 1, 1, 25, 60, 300, 500, 600, 900, 1000, 3600)
RATES = (None, None, 0, 5, 5.5, 7, 9.975, 10, 19, 19, 20, 21, 25.5)
LAST_UPDATED = "2026-01-01T00:00:00Z"

LOCATION_211 = {"id": "L1", "type": "ON_STREET", "address": "Street 1", "city": "Town",
                "postal_code": "1000", "country": "DEU",
                "coordinates": {"latitude": "52.500000", "longitude": "13.400000"},
                "last_updated": LAST_UPDATED}
CDR_22 = {"country_code": "DE", "party_id": "ABC", "id": "C1", "session_id": "S1",
          "cdr_token": {"country_code": "FI", "party_id": "HUB", "uid": "U1", "type": "APP_USER",
                        "contract_id": "FI-HUB-C1"},
          "auth_method": "COMMAND",
          "cdr_location": {"id": "L1", "address": "Street 1", "city": "Town", "country": "DEU",
                           "coordinates": {"latitude": "52.500000", "longitude": "13.400000"},
                           "evse_uid": "E1", "evse_id": "DE*ABC*E1", "connector_id": "1",
                           "connector_standard": "IEC_62196_T2", "connector_format": "SOCKET",
                           "connector_power_type": "AC_3_PHASE"},
          "last_updated": LAST_UPDATED}
SESSION_22 = {"country_code": "DE", "party_id": "ABC", "id": "S1", "cdr_token": CDR_22["cdr_token"],
              "auth_method": "COMMAND", "location_id": "L1", "evse_uid": "E1",
              "connector_id": "1"}


def text_of(seconds):
    """2026-05-04T08:00:00Z, with fractions where there are some."""
    whole, rest = divmod(round(seconds * 1000), 1000)
    at = EPOCH + datetime.timedelta(seconds=whole)
    return at.strftime("%Y-%m-%dT%H:%M:%S") + (f".{rest:03}" if rest else "") + "Z"


def local(seconds, zone):
    at = EPOCH + datetime.timedelta(seconds=int(seconds))
    return at.astimezone(zoneinfo.ZoneInfo(zone)) if zone else at


@functools.lru_cache(None)
def clock_changes(zone):
    """The seconds at which the clocks of a zone change, 2024 to 2030."""
    ret, at = [], int(datetime.datetime(2024, 1, 1, tzinfo=UTC).timestamp())
    end = int(datetime.datetime(2031, 1, 1, tzinfo=UTC).timestamp())
    while at < end:
        after = at + 86400
        if local(at, zone).utcoffset() != local(after, zone).utcoffset():
            low, high = at, after
            while high - low > 1:
                middle = (low + high) // 2
                if local(middle, zone).utcoffset() == local(at, zone).utcoffset():
                    low = middle
                else:
                    high = middle
            ret.append(high)
        at = after
    return ret


def seconds_at(year, month, day, hour=0):
    return int(datetime.datetime(year, month, day, hour, tzinfo=UTC).timestamp())


class Session:
    """What happened: periods with their seconds, energies (in millionths) and readings."""

    def __init__(self, dice, zone, version):
        self.zone = zone
        self.start = self.begin(dice)
        self.periods = []
        # Sometimes the car takes its time before the first period begins.
        at, energy = self.start + (dice.randrange(1, 900) if dice.random() < 0.1 else 0), 0
        reserve = version != "2.1.1" and dice.random() < 0.15
        count = dice.choice((1, 1, 2, 2, 3, 4, 6))
        parked, split = False, dice.random() < 0.05  # a clock that shows thousandths
        for index in range(count):
            what = "reservation" if reserve and (index == 0 or dice.random() < 0.1) else None
            reserve = reserve and (what is not None or dice.random() < 0.2)
            if what is None:
                parked = dice.random() < 0.2 if not parked else dice.random() < 0.7
                what = ("parking" if parked else
                        dice.choice(("charging",) * 6 + ("assumed", "both", "idle")))
            seconds = self.length(dice) + (dice.randrange(1000) / 1000 if split else 0)
            used = self.energy(dice) if what in ("charging", "assumed", "both") else 0
            if what == "parking" and dice.random() < 0.05:
                used = dice.randrange(1000)
            self.periods.append({"start": at, "seconds": seconds, "what": what, "energy": used,
                                 "elapsed": at - self.start, "before": energy,
                                 "watt": dice.choice((3700, 11000, 22000, 43000, 150000)),
                                 "ampere": dice.choice((6, 16, 31.999, 32, 43))})
            at += seconds
            energy += used
        self.end = at
        self.total = energy

    def begin(self, dice):
        kind = dice.random()
        if kind < 0.3 and self.zone and clock_changes(self.zone):
            at = dice.choice(clock_changes(self.zone)) + dice.choice((-7200, -3600, 0, 1800, 3600))
            return at - dice.choice((0, 0, 60, 600, 3600 * dice.randrange(12)))
        if kind < 0.4:
            return seconds_at(2028, 2, dice.choice((28, 29)), dice.randrange(24))
        if kind < 0.5:
            return seconds_at(2026, 12, 31, dice.randrange(8, 24))
        at = seconds_at(2026, 1, 1) + dice.randrange(3 * 366) * 86400
        return at + dice.choice((dice.randrange(24) * 3600, dice.randrange(1440) * 60,
                                 dice.randrange(86400)))

    @staticmethod
    def length(dice):
        return dice.choice((dice.randrange(1, 200) * 60, dice.randrange(1, 200) * 60,
                            dice.randrange(1, 40) * 900, dice.randrange(1, 20000),
                            dice.choice((0, 1, 59, 60, 61, 899, 900, 901, 86400, 90000))))

    @staticmethod
    def energy(dice):
        return dice.choice((dice.randrange(100) * 1000000, dice.randrange(1000) * 100000,
                            dice.randrange(90000) * 1000, dice.randrange(900000) * 100,
                            dice.randrange(90000000), dice.choice((0, 1, 999, 1000, 1001))))


# ---- tariffs ----


def millionths(value):
    """A JSON number of at most six decimals; whole ones are sometimes written as such."""
    return value // 1000000 if value % 1000000 == 0 else value / 1000000


def near(dice, value, unit):
    return max(0, value + dice.choice((0, 0, 0, unit, -unit)))


def hours_and_minutes(dice, session):
    if dice.random() < 0.6:
        period = dice.choice(session.periods)
        at = local(period["start"] + dice.choice((0, 0, period["seconds"])), session.zone)
        minute = (at.hour * 60 + at.minute + dice.choice((0, 0, 0, 1, -1))) % 1440
    else:
        minute = dice.choice((0, 0, 9 * 60, 17 * 60, 2 * 60, 2 * 60 + 30, dice.randrange(1440)))
    return f"{minute // 60:02}:{minute % 60:02}"


def pair(dice, ret, name, low, high):
    """min_ and max_, either or both; in their order."""
    if low > high:
        low, high = high, low
    which = dice.random()
    if which < 0.7:
        ret["min_" + name] = low
    if which > 0.4:
        ret["max_" + name] = high


def restrictions(dice, session, version):
    ret = {}
    kinds = dice.sample(("time", "time", "date", "day", "kwh", "kwh", "duration", "duration",
                         "power", "current"), dice.choice((1, 1, 1, 2, 2, 3)))
    for kind in kinds:
        period, other = dice.choice(session.periods), dice.choice(session.periods)
        at = local(period["start"], session.zone)
        if kind == "time":
            which = dice.random()
            if which < 0.85:
                ret["start_time"] = hours_and_minutes(dice, session)
            if which > 0.1:
                ret["end_time"] = hours_and_minutes(dice, session)
            if dice.random() < 0.05:
                ret["start_time"] = ret["end_time"] = hours_and_minutes(dice, session)
        elif kind == "date":
            first = at.date() + datetime.timedelta(days=dice.randint(-1, 1))
            last = first + datetime.timedelta(days=dice.randint(0, 2))
            which = dice.random()
            if which < 0.7:
                ret["start_date"] = first.isoformat()
            if which > 0.4:
                ret["end_date"] = last.isoformat()
        elif kind == "day":
            days = dice.sample(DAYS, dice.randint(1, 5))
            ret["day_of_week"] = days + [DAYS[at.weekday()]] * (DAYS[at.weekday()] not in days
                                                                 and dice.random() < 0.5)
        elif kind == "kwh":
            low = near(dice, period["before"], 1)
            high = near(dice, other["before"] + dice.choice((0, other["energy"])), 1)
            pair(dice, ret, "kwh", millionths(min(low, high)), millionths(max(low, high)))
        elif kind == "duration":
            pair(dice, ret, "duration", near(dice, int(period["elapsed"]), 1),
                 near(dice, int(other["elapsed"] + dice.choice((0, other["seconds"]))), 1))
        elif kind == "power":
            pair(dice, ret, "power", dice.choice((3.7, 11, 22)), dice.choice((11, 22, 43, 150)))
        elif kind == "current" and version != "2.1.1":
            pair(dice, ret, "current", dice.choice((0, 6, 16)), dice.choice((16, 32, 43)))
    return ret


def price(dice):
    return dice.choice((0, dice.randrange(1, 100) / 100, dice.randrange(1, 600) / 100,
                        dice.randrange(1, 20000) / 10000, dice.randrange(1, 2000000) / 1000000,
                        dice.randrange(1, 10) / 1, dice.randrange(1, 9 * 10 ** 8) / 10 ** 9))


def components(dice, version, kinds):
    ret = []
    for kind in kinds:
        component = {"type": kind, "price": price(dice), "step_size": dice.choice(STEPS)}
        vat = dice.choice(RATES)
        if version != "2.1.1" and vat is not None:
            component["vat"] = vat
        ret.append(component)
    return ret


def elements(dice, session, version):
    ret = []
    reserved = any(p["what"] == "reservation" for p in session.periods)
    for _ in range(dice.choice((1, 1, 2, 3, 4, 6))):
        if reserved and dice.random() < 0.5:
            kinds = dice.sample(("FLAT", "TIME"), dice.randint(1, 2))
            limits = restrictions(dice, session, version) if dice.random() < 0.5 else {}
            limits["reservation"] = dice.choice(("RESERVATION", "RESERVATION",
                                                 "RESERVATION_EXPIRES"))
        else:
            kinds = dice.sample(("FLAT", "ENERGY", "TIME", "PARKING_TIME"),
                                dice.choice((1, 1, 2, 3, 4)))
            if dice.random() < 0.02:
                kinds.append(dice.choice(kinds))
            limits = restrictions(dice, session, version) if dice.random() < 0.7 else {}
        element = {"price_components": components(dice, version, kinds)}
        if limits:
            element["restrictions"] = limits
        ret.append(element)
    return ret


def limit(dice, version, low, high):
    net, gross = (("before_taxes", "after_taxes") if version == "2.3.0"
                  else ("excl_vat", "incl_vat"))
    amount = dice.randrange(low, high)
    ret = {net: amount / 100}
    if dice.random() < 0.6:
        ret[gross] = round(amount * dice.choice((100, 110, 119, 125))) / 10000
    return ret


def tariff(dice, session, version, name):
    ret = {"id": name, "currency": "EUR", "elements": elements(dice, session, version),
           "last_updated": LAST_UPDATED}
    if version == "2.1.1":
        return ret
    ret.update(country_code="DE", party_id="ABC")
    if version == "2.3.0":
        ret["tax_included"] = dice.choice(("NO", "NO", "NO", "YES", "YES", "N/A"))
    if dice.random() < 0.15:
        ret["min_price"] = limit(dice, version, 0, 1500)
    if dice.random() < 0.15:
        ret["max_price"] = limit(dice, version, 1500, 4000)
    if dice.random() < 0.1:
        ret["start_date_time"] = text_of(session.start + dice.choice((0, 1, -1, -86400)))
    if dice.random() < 0.1:
        ret["end_date_time"] = text_of(session.start + dice.choice((2, 0 if "start_date_time"
                                                                    not in ret else 3, 86400)))
    return ret


# ---- records ----


def hours(dice, seconds):
    """As networks write it: four decimals, seldom exact."""
    return round(seconds / 3600, dice.choice((4, 4, 4, 4, 6, 3)))


def dimensions(dice, version, period):
    seconds, ret = period["seconds"], []

    def put(kind, volume):
        ret.append({"type": kind, "volume": volume})

    if period["what"] in ("charging", "both", "idle"):
        part = seconds if period["what"] != "both" else dice.randrange(int(seconds) + 1)
        if dice.random() < 0.04:
            part = dice.randrange(int(seconds) + 1)
        put("TIME", hours(dice, part))
        if period["what"] == "both":
            put("PARKING_TIME", hours(dice, seconds - part))
    elif period["what"] == "parking":
        put("PARKING_TIME", hours(dice, seconds))
    elif period["what"] == "reservation":
        put("RESERVATION_TIME", hours(dice, seconds))
    if period["energy"] or dice.random() < 0.3:
        put("ENERGY", millionths(period["energy"]))
    if dice.random() < 0.01:
        ret[-1:] = [{**ret[-1], "volume": -ret[-1]["volume"]}] if ret else []
    for kind, unit, value in (("POWER", 1000, period["watt"]), ("CURRENT", 1, period["ampere"])):
        if kind == "POWER" and version == "2.1.1":
            continue
        for which in ("MAX_", "MIN_"):
            if dice.random() < 0.3:
                put(which + kind, value / unit)
    if not ret:
        put("ENERGY", 0)
    dice.shuffle(ret)
    return ret


def record(dice, session, version, tariffs, cdr):
    periods = []
    for period in session.periods:
        document = {"start_date_time": text_of(period["start"]),
                    "dimensions": dimensions(dice, version, period)}
        if version != "2.1.1" and len(tariffs) > 1:
            document["tariff_id"] = dice.choice(tariffs)["id"]
        elif version != "2.1.1" and dice.random() < 0.1:
            document["tariff_id"] = dice.choice((tariffs[0]["id"], "unknown"))
        periods.append(document)
    if dice.random() < 0.05:
        dice.shuffle(periods)
    if dice.random() < 0.02 and all(p["what"] != "reservation" for p in session.periods):
        periods = []
    energy, length = millionths(session.total), round((session.end - session.start) / 3600, 4)
    begin, end = text_of(session.start), text_of(session.end)
    zero = {"2.1.1": 0, "2.2.1": {"excl_vat": 0}, "2.3.0": {"before_taxes": 0}}[version]
    if cdr:
        ret = {"currency": "EUR", "charging_periods": periods or None, "total_cost": zero,
               "total_energy": energy, "total_time": length, "start_date_time": begin}
        if version == "2.1.1":
            ret.update(id="C1", stop_date_time=end, auth_id="A", auth_method="WHITELIST",
                       location=LOCATION_211, last_updated=LAST_UPDATED)
        else:
            ret.update(CDR_22, end_date_time=end)
        if not periods:
            ret["charging_periods"] = [{"start_date_time": begin, "dimensions": [
                {"type": "ENERGY", "volume": energy}]}]
        return ret
    ret = {"currency": "EUR", "charging_periods": periods, "kwh": energy, "status": "COMPLETED",
           "last_updated": end}
    over = dice.random() < 0.7
    if not over:
        ret["status"] = dice.choice(("ACTIVE", "PENDING") if version == "2.1.1"
                                    else ("ACTIVE", "PENDING", "RESERVATION"))
    if version == "2.1.1":
        ret.update(id="S1", start_datetime=begin, auth_id="A", auth_method="WHITELIST",
                   location=LOCATION_211, **({"end_datetime": end} if over else {}))
    else:
        ret.update(SESSION_22, start_date_time=begin, **({"end_date_time": end} if over else {}))
    return ret


def ask(seed, index, sessions=0.25):
    """A question for price-batch."""
    dice = random.Random(f"{seed}/{index}")
    version = dice.choice(("2.1.1", "2.2.1", "2.2.1", "2.3.0"))
    session = Session(dice, dice.choice(ZONES), version)
    count = 2 if version != "2.1.1" and dice.random() < 0.12 else 1
    if count > 1 and dice.random() < 0.3:
        count = 3
    tariffs = [tariff(dice, session, version, f"T{i}") for i in range(count)]
    cdr = dice.random() >= sessions
    ret = {"do": "price", "version": version,
           "record": record(dice, session, version, tariffs, cdr), "tariffs": tariffs}
    if session.zone:
        ret["zone"] = session.zone
    return ret
