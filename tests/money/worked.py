# SPDX-License-Identifier: Apache-2.0
"""
The worked examples, as data: tariffs and sessions in few words, with what they cost. The hub and
the oracle are both held against the printed figures.
"""

import datetime

import generator

UTC = datetime.timezone.utc
BERLIN = "Europe/Berlin"


def component(kind, price, vat=None, step=1):
    ret = {"type": kind, "price": price, "step_size": step}
    return ret if vat is None else {**ret, "vat": vat}


def tariff(*elements, **members):
    """Each element is (components, restrictions), or components alone."""
    documents = []
    for element in elements:
        components, restrictions = element if isinstance(element, tuple) else (element, {})
        document = {"price_components": components}
        if restrictions:
            document["restrictions"] = restrictions
        documents.append(document)
    return {"country_code": "DE", "party_id": "ABC", "id": "T1", "currency": "EUR",
            "elements": documents, "last_updated": generator.LAST_UPDATED, **members}


def cdr(start, *periods, **members):
    """Each period: (minutes, dimensions). A length that is not given as TIME, PARKING_TIME or
    RESERVATION_TIME by the words c, p, r is told as hours with four decimals."""
    at = datetime.datetime.fromisoformat(start).replace(tzinfo=UTC)
    begin, documents, energy, length = at, [], 0, 0
    names = {"c": "TIME", "p": "PARKING_TIME", "r": "RESERVATION_TIME"}
    for minutes, what, dimensions in periods:
        volumes = {names[what]: round(minutes / 60, 4), **dimensions}
        documents.append({"start_date_time": at.strftime("%Y-%m-%dT%H:%M:%SZ"), "dimensions": [
            {"type": kind, "volume": volume} for kind, volume in volumes.items()]})
        at += datetime.timedelta(minutes=minutes)
        energy += dimensions.get("ENERGY", 0)
        length += minutes
    return {**generator.CDR_22, "currency": "EUR", "charging_periods": documents,
            "start_date_time": begin.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "end_date_time": at.strftime("%Y-%m-%dT%H:%M:%SZ"), "total_cost": {"excl_vat": 0},
            "total_energy": round(energy, 6), "total_time": round(length / 60, 4), **members}


def kwh(energy, minutes=60, start="2026-05-04T08:00:00"):
    return cdr(start, (minutes, "c", {"ENERGY": energy}))


def wh(energy):
    return kwh(energy / 1000)


# ---- tariffs that several examples share ----

FLAT_20, ENERGY_10 = component("FLAT", 0.5, 20), component("ENERGY", 0.25, 10)
PLAIN = tariff([ENERGY_10])
WITH_FEE = tariff([FLAT_20, ENERGY_10])
CAPPED = {**WITH_FEE, "max_price": {"excl_vat": 10, "incl_vat": 11}}
AT_LEAST = {**PLAIN, "min_price": {"excl_vat": 0.5, "incl_vat": 0.55}}
PARKING = tariff([FLAT_20, ENERGY_10, component("PARKING_TIME", 2.0, 20, 900)])
EVENING = tariff(([component("ENERGY", 0.2, 19, 500)], {"end_time": "17:00"}),
                 ([component("ENERGY", 0.27, 19, 500)], {"start_time": "17:00"}))
COMPLEX = tariff(
    [component("FLAT", 2.5, 15)],
    ([component("TIME", 1.0, 20, 900)], {"max_current": 32}),
    ([component("TIME", 2.0, 20, 600)], {"min_current": 32, "day_of_week": [
        "MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY"]}),
    ([component("TIME", 1.25, 20, 600)], {"min_current": 32,
                                          "day_of_week": ["SATURDAY", "SUNDAY"]}),
    ([component("PARKING_TIME", 5.0, 10, 300)], {"start_time": "09:00", "end_time": "18:00",
                                                 "day_of_week": ["MONDAY", "TUESDAY", "WEDNESDAY",
                                                                 "THURSDAY", "FRIDAY"]}),
    ([component("PARKING_TIME", 6.0, 10, 300)], {"start_time": "10:00", "end_time": "17:00",
                                                 "day_of_week": ["SATURDAY"]}))
MONDAY = cdr("2026-05-04T07:30:00", (165, "c", {"ENERGY": 30, "MAX_CURRENT": 16}), (42, "p", {}))
SATURDAY = cdr("2026-05-09T11:30:00", (114, "c", {"ENERGY": 40, "MAX_CURRENT": 43}), (71, "p", {}))
NIGHT = tariff(([component("TIME", 1.2, 19)], {"start_time": "22:00", "end_time": "06:00"}),
               ([component("TIME", 2.4, 19)], {"start_time": "06:00", "end_time": "22:00"}))
BLOCKS = tariff(([component("ENERGY", 0.3, 19)], {"max_kwh": 10}),
                ([component("ENERGY", 0.45, 19)], {"min_kwh": 10}))


def by_power(vat):
    return tariff(([component("ENERGY", 0.2, vat)], {"max_power": 16}),
                  ([component("ENERGY", 0.35, vat)], {"max_power": 32}),
                  [component("ENERGY", 0.5, vat)])


THREE_POWERS = cdr("2026-05-04T08:00:00", (10, "c", {"ENERGY": 1, "MAX_POWER": 6}),
                   (50, "c", {"ENERGY": 40, "MAX_POWER": 48}),
                   (8, "c", {"ENERGY": 0.5, "MAX_POWER": 4}))
HALF_HOUR_FREE = tariff(([component("ENERGY", 0.0)], {"max_duration": 1800}),
                        ([component("ENERGY", 0.25)], {"max_duration": 3600}),
                        [component("ENERGY", 0.4)])
RESERVED = {"reservation": "RESERVATION"}
EXPIRED = {"reservation": "RESERVATION_EXPIRES"}


def reserved(minutes):
    return cdr("2026-05-04T08:00:00", (minutes, "r", {}), (60, "c", {"ENERGY": 20}))


def expired(minutes):
    return cdr("2026-05-04T08:00:00", (minutes, "r", {}))


def reservation(*elements):
    return tariff(*elements, [FLAT_20, ENERGY_10])


BY_FEE = reservation(([component("FLAT", 2.0, 20), component("TIME", 5.0, 20, 300)], RESERVED))
EXPIRY_FEE = reservation(([component("FLAT", 4.0, 20)], EXPIRED),
                         ([component("TIME", 2.0, 20, 600)], RESERVED))
EXPIRY_TIME = reservation(([component("TIME", 6.0, 20, 600)], EXPIRED),
                          ([component("TIME", 3.0, 20, 600)], RESERVED))
STEPS = tariff(([component("TIME", 1.2, None, 1800), component("PARKING_TIME", 1.0, None, 900)],
                {"start_time": "00:00", "end_time": "17:00"}),
               ([component("TIME", 2.4, None, 900), component("PARKING_TIME", 1.0, None, 900)],
                {"start_time": "17:00", "end_time": "20:00"}),
               ([component("TIME", 2.4, None, 900)], {"start_time": "20:00", "end_time": "00:00"}))
FIVE_SEVEN = tariff(([component("TIME", 5.0, None, 600)], {"end_time": "17:00"}),
                    ([component("TIME", 7.0, None, 600)], {"start_time": "17:00"}))


def steps_of(size):
    return tariff([component("ENERGY", 0.25, None, size)])


# (name, tariff, record, zone, net, gross); None: not told. UTC unless a zone is named.
PRICES = [
    ("W1", tariff([component("FLAT", 0.35, 19), component("ENERGY", 0.4567, 19)]), kwh(23.4567),
     None, "11.062812", "13.164746"),
    ("W2", EVENING, cdr("2026-05-04T14:00:00", (60, "c", {"ENERGY": 4.3}),
                        (30, "c", {"ENERGY": 1.1})), BERLIN, "1.184", "1.40896"),
    ("W3 Monday", COMPLEX, MONDAY, BERLIN, "9", "10.3"),
    ("W3 Saturday", COMPLEX, SATURDAY, BERLIN, "12.375", "13.975"),
    ("W4 a", NIGHT, cdr("2026-03-28T23:30:00", (270, "c", {}), (30, "c", {})), BERLIN,
     "6.6", "7.854"),
    ("W4 b", NIGHT, cdr("2026-10-24T22:30:00", (390, "c", {}), (30, "c", {})), BERLIN,
     "9", "10.71"),
    ("W5", BLOCKS, cdr("2026-05-04T08:00:00", (30, "c", {"ENERGY": 10}),
                       (20, "c", {"ENERGY": 7.383})), None, "6.32235", "7.523597"),
    ("W6 a", by_power(21), THREE_POWERS, None, "20.3", "24.563"),
    ("W6 b", HALF_HOUR_FREE, cdr("2026-05-04T08:00:00", (30, "c", {"ENERGY": 5}),
                                 (10, "c", {"ENERGY": 1.2})), None, "0.3", "0.3"),
    ("W7 50 kWh", CAPPED, kwh(50), None, "10", "11"),
    ("W7 30 kWh", CAPPED, kwh(30), None, "8", "8.85"),
    ("W7 minimum", AT_LEAST, kwh(1.2), None, "0.5", "0.55"),
    ("W8 a", BY_FEE, reserved(13), None, "8.75", "10"),
    ("W8 b", EXPIRY_FEE, expired(60), None, "6", "7.2"),
    ("W8 c", EXPIRY_FEE, reserved(22), None, "6.5", "7.3"),
    ("W11 replacement", tariff([component("FLAT", 0.35, 19), component("ENERGY", 0.4567, 19)]),
     kwh(21.9), None, "10.35173", "12.318559"),
    ("V01", PLAIN, kwh(20), None, "5", "5.5"),
    ("V02", WITH_FEE, kwh(20), None, "5.5", "6.1"),
    ("V03", AT_LEAST, kwh(1.5), None, "0.5", "0.55"),
    ("V04", PARKING, cdr("2026-05-04T08:00:00", (60, "c", {"ENERGY": 20}), (40, "p", {})), None,
     "7", "7.9"),
    ("V07", CAPPED, kwh(37.9), None, "9.975", "11"),
    ("V08", tariff([component("TIME", 2.0, 10, 60)]), kwh(10, 150), None, "5", "5.5"),
    ("V09", tariff([component("TIME", 3.0, 10, 60), component("PARKING_TIME", 5.0, 20, 300)]),
     cdr("2026-05-04T08:00:00", (150, "c", {}), (42, "p", {})), None, "11.25", "12.75"),
    ("V10", tariff([component("TIME", 1.9, 5.2, 300)]), kwh(10, 150), None, "4.75", "4.997"),
    ("V11", tariff([FLAT_20, component("ENERGY", 0.25, 10, 100)]), kwh(20.45), None,
     "5.625", "6.2375"),
    ("V14", reservation(([component("TIME", 5.0, 20, 60)], RESERVED)), reserved(15), None,
     "6.75", "7.6"),
    ("V18", EXPIRY_TIME, reserved(22), None, "7", "7.9"),
    ("V19", EXPIRY_TIME, expired(90), None, "9", "10.8"),
    ("V20", STEPS, cdr("2026-05-04T14:55:00", (5, "c", {}), (5, "c", {}), (2, "p", {})), BERLIN,
     "0.55", "0.55"),
    ("V21", STEPS, cdr("2026-05-04T14:35:00", (25, "c", {}), (10, "c", {})), BERLIN, "1.3", "1.3"),
    ("V22", STEPS, cdr("2026-05-04T17:40:00", (12, "c", {}), (8, "p", {}), (12, "p", {})), BERLIN,
     "0.73", "0.73"),
    ("V24", FIVE_SEVEN, cdr("2026-05-04T14:54:00", (6, "c", {}), (22, "c", {})), BERLIN,
     "3.3", "3.3"),
    ("V25", tariff([component("TIME", 1.0, None, 600), component("PARKING_TIME", 2.0, None, 600)]),
     cdr("2026-05-04T08:00:00", (21, "c", {}), (16, "p", {})), None, "1.016667", "1.016667"),
    ("V27 step 1", steps_of(1), wh(115.2), None, "0.029", "0.029"),
    ("V27 step 25", steps_of(25), wh(115.2), None, "0.03125", "0.03125"),
    ("V27 step 500", steps_of(500), wh(115.2), None, "0.125", "0.125"),
    ("V31", tariff([component("TIME", 2.0, 10, 300)]),
     cdr("2026-05-04T08:00:00", (118, "c", {"TIME": 1.973})), None, "4", "4.4"),
]

# The wholesale prices of 2.3.0, whose tariffs say how taxes come: (name, tariff, net, gross).
PRICES_230 = [
    ("W9 a", tariff([component("TIME", 2.0)], tax_included="NO", currency="CAD"), kwh(0, 150),
     "5", None),
    ("W9 b", tariff([component("ENERGY", 0.59, 19)], tax_included="YES"), kwh(31.274),
     "15.505597", "18.45166"),
    ("V30", tariff([component("TIME", 2.1)], tax_included="YES", currency="CAD"), kwh(0, 150),
     None, "5.25"),
    ("none", tariff([component("ENERGY", 0.5, 19)], tax_included="N/A"), kwh(10), "5", "5"),
]

# ---- documents ----


def line(kind, unit, count, price, vat):
    """`count` in units, `price` in the currency, VAT in percent."""
    return [kind, unit, round(count * 1000000), round(price * 1000000), round(vat * 10000)]


# (name, gross-priced, lines, limits, net, VAT, gross)
DOCUMENTS = [
    ("W1", False, [line("session", "piece", 1, 0.35, 19),
                   line("energy", "kwh", 23.457, 0.4567, 19)], {}, 1106, 210, 1316),
    ("W5", False, [line("energy", "kwh", 10, 0.3, 19), line("energy", "kwh", 7.383, 0.45, 19)], {},
     632, 120, 752),
    ("W6 a", False, [line("energy", "kwh", 1, 0.2, 21), line("energy", "kwh", 40, 0.5, 21),
                     line("energy", "kwh", 0.5, 0.2, 21)], {}, 2030, 426, 2456),
    ("W7 50 kWh", False, [line("session", "piece", 1, 0.5, 20),
                          line("energy", "kwh", 50, 0.25, 10)],
     {"max_net": 10000000, "max_gross": 11000000}, 996, 104, 1100),
    ("W7 30 kWh", False, [line("session", "piece", 1, 0.5, 20),
                          line("energy", "kwh", 30, 0.25, 10)],
     {"max_net": 10000000, "max_gross": 11000000}, 800, 85, 885),
    ("W7 minimum", False, [line("energy", "kwh", 1.2, 0.25, 10)],
     {"min_net": 500000, "min_gross": 550000}, 50, 5, 55),
    ("W9 b", True, [line("energy", "kwh", 31.274, 0.59, 19)], {}, 1550, 295, 1845),
    ("W12", False, [line("fee", "piece", 1, 17.8581, 19)], {}, 1786, 339, 2125),
    ("W12 hub fee", False, [line("fee", "piece", 1, 0.446453, 0)], {}, 45, 0, 45),
    ("W14", False, [line("fee", "piece", 1, 1.03, 19), line("fee", "piece", 1, 1.03, 19),
                    line("fee", "piece", 1, 0.45, 10)], {}, 251, 44, 295),
]
# 2.5: each at 1.00, as a line of its own.
ROUNDING = [("0.005", 1), ("0.015", 2), ("0.025", 3), ("1.005", 101), ("2.675", 268),
            ("-0.005", -1), ("-0.015", -2), ("0.0049999", 0), ("-0.0049999", 0),
            ("1234567.895", 123456790)]

# ---- retail ----

RT_EU_1 = {"id": "RT-EU-1", "version": 3, "currency": "EUR", "vat": 19, "price_includes_vat": True,
           "kwh_price": 0.59, "session_price": 0.35,
           "time_tariffs": [{"starting_at_minute": 0, "minute_price": 0.0},
                            {"starting_at_minute": 240, "minute_price": 0.1}],
           "max_charging_time": 720}
SECOND = {"id": "RT-2", "version": 1, "currency": "EUR", "vat": 20, "price_includes_vat": True,
          "kwh_price": 0.49, "time_tariffs": [
              {"starting_at_minute": 0, "minute_price": 0.015},
              {"starting_at_minute": 90, "minute_price": 0.08},
              {"starting_at_minute": 180, "minute_price": 0.25}], "max_charging_time": 300}


def facts(energy, seconds):
    start = 1780000000000000
    return {"start": start, "end": start + seconds * 1000000, "energy": round(energy * 1000000)}


# (name, tariff, facts, amounts of the lines that cost something, net, VAT, gross)
RETAIL = [
    ("W10 45 min", RT_EU_1, facts(11, 45 * 60), [35, 649], 575, 109, 684),
    ("W10 6 h", RT_EU_1, facts(42.318, 6 * 3600 + 12 * 60 + 25), [35, 1330, 2497],
     3245, 617, 3862),
    ("W10 13 h", RT_EU_1, facts(60, 13 * 3600), [35, 3540, 4800], 7038, 1337, 8375),
    ("W10 second", SECOND, facts(18.765, 200 * 60 + 1), [135, 525, 720, 919], 1916, 383, 2299),
    ("W11", RT_EU_1, facts(23.457, 3600), [35, 1384], 1192, 227, 1419),
    ("W11 replacement", RT_EU_1, facts(21.9, 3600), [35, 1292], 1115, 212, 1327),
    ("void", RT_EU_1, facts(0, 119), [], 0, 0, 0),
    ("not void", RT_EU_1, facts(0, 120), [35], 29, 6, 35),
    ("exact seconds", {**SECOND, "time_increment_s": 1}, facts(0, 91 * 60 + 30), [12, 135],
     122, 25, 147),
]
