# SPDX-License-Identifier: Apache-2.0
"""
./dev bench price: what it costs to price one CDR, in microseconds of one processor.

The tariff is the published complex one (a start fee, time by current and weekday, parking by the
hour of the day); the CDR holds it, as networks send it, with two periods and with one for each
quarter of an hour. Reading the documents and reckoning are told apart. The yardsticks are two
things every machine can do with the same bytes: their SHA-256, and jansson reading them; the
figures are medians of five rounds that take turns.
"""

import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path.insert(0, str(HERE.parent / "money"))
import worked  # noqa: E402

GOAL_US = 50
STEPS = (("json", "reading the JSON"), ("read", "checking and reading the fields"),
         ("reckon", "reckoning"), ("price", "all three"), ("estimate", "an estimate, periods cut"),
         ("check", "the check of a CDR that comes in"), ("retail", "what the user pays"))


def with_tariff(cdr):
    return {**cdr, "tariffs": [worked.COMPLEX]}


def long_stay():
    """From Monday morning on, a period for each quarter of an hour: 24 of charging, 24 parked."""
    quarters = [(15, "c", {"ENERGY": 1.25, "MAX_CURRENT": 16 if i % 3 else 32})
                for i in range(24)]
    return worked.cdr("2026-05-04T07:30:00", *quarters, *[(15, "p", {})] * 24)


def run():
    build = pathlib.Path(os.environ.get("HUB_BUILD_DIR", ROOT / "build" / "release"))
    ret = []
    with tempfile.TemporaryDirectory() as directory:
        retail = pathlib.Path(directory) / "retail.json"
        retail.write_text(json.dumps(worked.RT_EU_1), encoding="utf-8")
        for what, cdr in (("2 periods", worked.MONDAY), ("48 periods", long_stay())):
            path = pathlib.Path(directory) / "cdr.json"
            path.write_text(json.dumps(with_tariff(cdr)), encoding="utf-8")
            done = subprocess.run([build / "tests" / "price_bench", path, worked.BERLIN, retail],
                                  stdout=subprocess.PIPE, text=True, check=True)
            figures = {name: statistics.median(map(float, rounds)) for name, *rounds in
                       (line.split() for line in done.stdout.splitlines())}
            ret.append((what, path.stat().st_size, figures))
    return ret


def show(results):
    print(f"{'CPU us per CDR':36}" + "".join(f"{what:>14}{'x jansson':>11}"
                                             for what, *_ in results))
    rows = [("sha256", "yardstick: SHA-256 of its bytes"),
            ("jansson", "yardstick: jansson reads it"), *STEPS]
    for name, text in rows:
        print(f"{text:36}" + "".join(f"{figures[name]:>14.2f}"
                                     f"{figures[name] / figures['jansson']:>11.2f}"
                                     for _, _, figures in results))
    print("the CDR with its tariff: " + ", ".join(f"{size} bytes ({what})"
                                                  for what, size, _ in results))
    figures = results[0][2]
    pricing = figures["read"] + figures["reckon"]
    print(f"goal: pricing (fields and reckoning) below {GOAL_US} us for the complex tariff: "
          f"{'kept' if pricing < GOAL_US else 'MISSED'}, {pricing:.1f} us; from the text on "
          f"{figures['price']:.1f} us, most of it jansson's")
