# SPDX-License-Identifier: Apache-2.0
"""hubctl's commands that need no hub: prices and translations of documents in files."""

import copy
import datetime
import fractions
import json
import os
import pathlib
import random
import subprocess
import zoneinfo

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("HUB_BUILD_DIR", ROOT / "build" / "debug"))
HUBCTL = BUILD.resolve() / "hub" / "hubctl"
EXAMPLES = ROOT / "tests" / "ocpi" / "examples"


@pytest.fixture
def ctl(tmp_path):
    def run(*args, stdin=None):
        return subprocess.run([HUBCTL, *map(str, args)], capture_output=True, text=True,
                              check=False, timeout=60, cwd=tmp_path, input=stdin)
    return run


@pytest.fixture
def file(tmp_path):
    """A document as a file."""
    def write(document, name):
        path = tmp_path / name
        path.write_text(json.dumps(document), encoding="utf-8")
        return path
    return write


def example(version, name):
    return json.loads((EXAMPLES / version / f"{name}.json").read_text(encoding="utf-8"))


def component(kind, price, vat=None, step=1):
    ret = {"type": kind, "price": price, "step_size": step}
    return ret if vat is None else {**ret, "vat": vat}


def tariff(*elements, **members):
    """2.2.1: each element is (components, restrictions)."""
    return {"country_code": "DE", "party_id": "ABC", "id": "T1", "currency": "EUR",
            "elements": [{"price_components": c, **({"restrictions": r} if r else {})}
                         for c, r in elements],
            "last_updated": "2026-01-01T00:00:00Z", **members}


def cdr(periods, start, end, cost, tariffs, **members):
    ret = copy.deepcopy(example("2.2.1", "CDR"))
    for name in ("credit", "credit_reference_id", "signed_data", "total_fixed_cost",
                 "total_energy_cost", "total_time_cost", "total_parking_cost",
                 "total_reservation_cost", "total_parking_time"):
        ret.pop(name, None)
    ret.update(charging_periods=[{"start_date_time": at,
                                  "dimensions": [{"type": t, "volume": v} for t, v in d.items()]}
                                 for at, d in periods],
               start_date_time=start, end_date_time=end, currency="EUR", total_cost=cost,
               tariffs=tariffs, **members)
    ret["total_energy"] = sum(d.get("ENERGY", 0) for _, d in periods)
    ret["total_time"] = round(sum(d.get("TIME", 0) + d.get("PARKING_TIME", 0)
                                  for _, d in periods), 4)
    return ret


# The energy and the start fee, then parking by the quarter of an hour.
PARKING = tariff(([component("FLAT", 0.5, 20, 0), component("ENERGY", 0.25, 10),
                   component("PARKING_TIME", 2.0, 20, 900)], None),
                 tariff_alt_text=[{"language": "en", "text": "See the board"}])
PARKED = cdr([("2026-05-04T08:00:00Z", {"ENERGY": 20, "TIME": 1}),
              ("2026-05-04T09:00:00Z", {"PARKING_TIME": 0.6667})],
             "2026-05-04T08:00:00Z", "2026-05-04T09:40:00Z", {"excl_vat": 7.5}, [PARKING])


def said(done, status=0):
    assert done.returncode == status, f"{done.returncode}: {done.stdout}{done.stderr}"
    return done.stdout if status == 0 else done.stderr


def test_a_cdr_is_priced_by_the_tariff_in_it(ctl, file):
    text = said(ctl("price", "--session", file(PARKED, "cdr.json")))
    lines = [line.split() for line in text.splitlines()]
    assert ["flat", "1", "x", "1", "x", "0.50", "20", "%", "0.50", "0.60",
            "/elements/0/price_components/0"] in lines
    assert ["parking", "0:40:00", "h", "0:45:00", "h", "2.00/h", "20", "%", "1.50", "1.80",
            "/elements/0/price_components/2"] in lines
    assert ["total", "7.00", "7.90", "EUR"] in lines
    assert "Difference: 0.50 before taxes (dispute)." in text
    assert "The tariff says (en): See the board" in text
    heads = [line for line in text.splitlines() if line.startswith(("WHAT", "flat", "parking"))]
    assert len({line.index(word) for line, word in zip(heads, ("PRICE", "0.50", "2.00"))}) == 1


def test_the_same_for_programs(ctl, file):
    answer = json.loads(said(ctl("price", "--session", file(PARKED, "cdr.json"), "--json")))
    assert (answer["before_taxes"], answer["after_taxes"], answer["currency"]) == (7.0, 7.9, "EUR")
    assert answer["stated"] == {"before_taxes": 7.5, "after_taxes": None, "difference": 0.5,
                                "class": "dispute"}
    assert [(x["what"], x["used"], x["billed"]) for x in answer["lines"]] == [
        ("flat", 1, 1), ("energy", 20, 20), ("parking", 2400, 2700)]
    assert answer["notes"] == []


def test_a_credit_gives_back_what_the_session_cost(ctl, file):
    credit = {**PARKED, "credit": True, "credit_reference_id": "C-77", "id": "C-77-C",
              "total_cost": {"excl_vat": -7.0, "incl_vat": -7.9}}
    answer = json.loads(said(ctl("price", "--session", file(credit, "cdr.json"), "--json")))
    assert answer["stated"]["difference"] == 0 and answer["stated"]["class"] == "same"


EVENING = tariff(([component("ENERGY", 0.2)], {"start_time": "00:00", "end_time": "17:00"}),
                 ([component("ENERGY", 0.4)], {"start_time": "17:00", "end_time": "00:00"}))


def test_a_session_needs_a_tariff_and_a_time_zone(ctl, file):
    session = {**example("2.2.1", "Session"), "currency": "EUR", "kwh": 20,
               "start_date_time": "2026-05-04T13:45:00Z", "end_date_time": "2026-05-04T14:45:00Z",
               "status": "COMPLETED", "last_updated": "2026-05-04T14:45:00Z",
               "charging_periods": [{"start_date_time": "2026-05-04T13:45:00Z",
                                     "dimensions": [{"type": "ENERGY", "volume": 20}]}]}
    del session["total_cost"]
    session, rates = file(session, "session.json"), file(EVENING, "tariff.json")
    assert "--tariff" in said(ctl("price", "--session", session), 1)
    answer = json.loads(said(ctl("price", "--session", session, "--tariff", rates, "--json")))
    assert answer["before_taxes"] == 4.0
    assert "NO_TIME_ZONE" in [note["code"] for note in answer["notes"]]
    # 16:45 to 17:45 there: a quarter of it before the evening.
    text = said(ctl("price", "--session", session, "--tariff", rates,
                    "--time-zone", "Europe/Helsinki"))
    assert ["total", "7.00", "7.00", "EUR"] in [line.split() for line in text.splitlines()]
    assert "tells no cost: that is unknown, not free" in text and "estimated" in text
    assert "no time zone" not in text
    assert "Nowhere/Land" in said(ctl("price", "--session", session, "--tariff", rates,
                                      "--time-zone", "Nowhere/Land"), 1)


@pytest.mark.parametrize("version", ["2.1.1", "2.2.1", "2.3.0"])
@pytest.mark.parametrize("given", [True, False])
def test_documents_of_all_versions_are_priced(ctl, version, given):
    for name in ("Session", "CDR"):
        said(ctl("price", "--session", EXAMPLES / version / f"{name}.json",
                 "--tariff", EXAMPLES / version / "Tariff.json",
                 *(("--version", version) if given else ())))


def test_a_document_that_is_wrong_is_not_priced(ctl, file, tmp_path):
    wrong = {**PARKED, "total_energy": "much"}
    assert "/total_energy" in said(ctl("price", "--session", file(wrong, "cdr.json")), 1)
    assert "cannot be opened" in said(ctl("price", "--session", tmp_path / "none.json"), 1)
    (tmp_path / "text").write_text("no JSON", encoding="utf-8")
    said(ctl("price", "--session", tmp_path / "text"), 1)
    assert "--version is" in said(ctl("price", "--session", file(PARKED, "cdr.json"),
                                      "--version", "3.0"), 2)


def test_the_command_line_is_checked(ctl):
    assert "--session is required" in said(ctl("price"), 2)
    assert "price takes no --minutes" in said(ctl("price", "--session", "x", "--minutes", "5"), 2)
    assert "price takes no --socket" in said(ctl("--socket", "x", "price", "--session", "x"), 2)
    assert "FILE is required" in said(ctl("translate", "--from", "2.1.1", "--to", "2.2.1",
                                          "--object", "cdr"), 2)
    text = said(ctl("translate", "--help"))
    assert "admin socket" not in text and "--object" in text
    assert "hubctl price" in said(ctl("help")) and "hubctl translate FILE" in said(ctl("help"))


def test_a_document_is_translated_and_its_losses_are_told(ctl, file):
    in_force = {**example("2.2.1", "Tariff"), "end_date_time": "2090-01-01T00:00:00Z"}
    done = ctl("translate", "--from", "2.2.1", "--to", "2.1.1", "--object", "tariff",
               file(in_force, "tariff.json"))
    document = json.loads(said(done))
    assert "party_id" not in document and document["id"] == in_force["id"]
    assert "lost /elements/0/price_components/0/vat" in done.stderr


def test_it_reads_the_standard_input_and_any_spelling(ctl):
    text = json.dumps(example("2.1.1", "CDR"))
    for word in ("CDR", "cdr", "Cdr"):
        answer = json.loads(said(ctl("translate", "--from", "2.1.1", "--to", "2.3.0", "--object",
                                     word, "-", "--country", "NL", "--party", "WAD", "--json",
                                     stdin=text)))
        assert answer["withheld"] is None
        assert answer["document"]["country_code"] == "NL"
        assert answer["document"]["party_id"] == "WAD"
        assert answer["document"]["total_cost"]["before_taxes"] == 2.19
        assert all(set(loss) == {"field", "value", "reason"} for loss in answer["losses"])
    assert "start_session" not in said(ctl("translate", "--from", "2.1.1", "--to", "2.3.0",
                                           "--object", "receipt", "-", stdin=text), 2)
    assert "/total_cost" in said(ctl("translate", "--from", "2.2.1", "--to", "2.3.0", "--object",
                                     "cdr", "-", stdin=json.dumps({**PARKED, "total_cost": 1})), 1)


def test_what_may_not_be_passed_on_is_withheld(ctl, file):
    gross = file({**tariff(([component("ENERGY", 0.5)], None)), "tax_included": "YES"}, "t.json")
    ask = ("translate", "--from", "2.3.0", "--to", "2.2.1", "--object", "tariff", gross)
    done = ctl(*ask)
    assert done.returncode == 1 and done.stdout == "" and "may not be passed on" in done.stderr
    done = ctl(*ask, "--json")
    answer = json.loads(done.stdout)
    assert done.returncode == 1 and answer["document"] is None and answer["withheld"]


# ---- the same by another way: minute by minute, with Python's own time zones ----

DAYS = ("MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY", "SUNDAY")
# The nights of a change of the clocks are among them.
NIGHTS = (("Europe/Helsinki", "2026-03-28T20:00:00"), ("Europe/Helsinki", "2026-10-24T20:00:00"),
          ("America/New_York", "2026-11-01T02:00:00"), ("Australia/Lord_Howe", "2026-10-03T10:00:00"),
          ("Asia/Kathmandu", "2026-05-04T15:00:00"), ("America/St_Johns", "2040-03-11T01:00:00"))


def random_restrictions(dice, start):
    ret = {}
    if dice.random() < 0.7:
        ret["start_time"], ret["end_time"] = (f"{dice.randrange(24):02}:{dice.choice((0, 15, 30)):02}"
                                              for _ in range(2))
    if dice.random() < 0.3:
        ret["day_of_week"] = dice.sample(DAYS, dice.randint(1, 5))
    if dice.random() < 0.2:
        ret["start_date"] = (start + datetime.timedelta(days=dice.randint(-1, 2))).date().isoformat()
    if dice.random() < 0.2:
        ret["end_date"] = (start + datetime.timedelta(days=dice.randint(-1, 2))).date().isoformat()
    if dice.random() < 0.3:
        ret["min_duration"] = 60 * dice.randrange(600)
    if dice.random() < 0.3:
        ret["max_duration"] = 60 * dice.randrange(1200)
    return ret


def matches(r, local, elapsed):
    clock, day = local.strftime("%H:%M"), local.date().isoformat()
    begin, end = r.get("start_time", "00:00"), r.get("end_time", "24:00")
    end = "24:00" if end == "00:00" else end
    if begin < end:
        in_window = begin <= clock < end
    else:
        in_window = begin == end or clock >= begin or clock < end
    return (in_window and DAYS[local.weekday()] in r.get("day_of_week", DAYS)
            and r.get("start_date", "") <= day < r.get("end_date", "9999")
            and r.get("min_duration", 0) <= elapsed < r.get("max_duration", 10 ** 9))


def cost_minute_by_minute(elements, zone, start, minutes):
    total = fractions.Fraction(0)
    for minute in range(minutes):
        moment = start + datetime.timedelta(minutes=minute)
        for components, restrictions in elements:
            if matches(restrictions, moment.astimezone(zone), 60 * minute):
                total += fractions.Fraction(str(components[0]["price"])) / 60
                break
    return total


@pytest.mark.parametrize("seed", range(40))
def test_times_are_priced_as_if_counted_minute_by_minute(ctl, file, seed):
    dice = random.Random(seed)
    name, at = NIGHTS[seed % len(NIGHTS)]
    zone = zoneinfo.ZoneInfo(name)
    start = datetime.datetime.fromisoformat(at + "+00:00")
    minutes = dice.randint(300, 3000)
    end = start + datetime.timedelta(minutes=minutes)
    elements = [([component("TIME", dice.randrange(1, 900) / 100)],
                 random_restrictions(dice, start)) for _ in range(dice.randint(1, 6))]
    session = {**example("2.2.1", "Session"), "currency": "EUR", "status": "COMPLETED",
               "start_date_time": at + "Z", "end_date_time": end.strftime("%Y-%m-%dT%H:%M:%SZ"),
               "charging_periods": [{"start_date_time": at + "Z", "dimensions": [
                   {"type": "TIME", "volume": round(minutes / 60, 4)}]}]}
    answer = json.loads(said(ctl("price", "--session", file(session, "s.json"), "--tariff",
                                 file(tariff(*elements), "t.json"), "--time-zone", name, "--json")))
    expected = cost_minute_by_minute(elements, zone, start, minutes)
    assert abs(fractions.Fraction(str(answer["before_taxes"])) - expected) <= fractions.Fraction(1, 10 ** 6)
