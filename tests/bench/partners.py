# SPDX-License-Identifier: Apache-2.0
"""
./dev bench partners: what one sick partner does to forty-nine others.

Fifty pairs of an eMSP and a CPO, nginx with fixed answers; to each pair the same steady load:
START_SESSION of the eMSP, Sessions of the CPO that are told on. One round: all are well, then the
two partners of one pair hang, or answer 500, or close each connection; what is shown is what the
other forty-nine pairs see. A pair that was sick is not used again, so no round has to wait for
another's circuit breakers; its place is taken by a spare one.

"nothing" is a round in which that pair stays well: as far as its two halves differ, the other figures
say nothing. On a disk the slowest hundredth of a half is made by a few of its stalls, so single rounds
differ by tens of percent with or without a sick partner: the stores are in memory here. The percentiles
are of all rounds together, and the draws (a bootstrap over rounds) tell how far they can be trusted. Of
a partner that hangs the commands end only at the hub's time limit, so a half that is shorter than that
shows no more than its beginning.

BENCH_SHORT=1: one round of each, of short halves. BENCH_SECONDS (a half), BENCH_REPEATS and BENCH_MODES
(some of the modes, with commas) may be set.
"""

import json
import os
import pathlib
import random
import socket
import subprocess
import sys
import time
from urllib.parse import urlsplit

from harness import wait_until
from sinks import Nginx, Sink, allow, server, settle

HERE = pathlib.Path(__file__).resolve().parent
SHORT = os.environ.get("BENCH_SHORT", "") not in ("", "0")
PAIRS = 50
SECONDS = int(os.environ.get("BENCH_SECONDS", "8" if SHORT else "20"))
REPEATS = int(os.environ.get("BENCH_REPEATS", "1" if SHORT else "3"))
STARTS, SESSIONS = 2, 1  # a second, per pair
MODES = tuple(os.environ.get("BENCH_MODES", "nothing,hangs,500,closes").split(","))
COLUMNS = ("start", "session", "told on")


class Pair:
    def __init__(self, hub, n):
        self.n = n
        self.emsp = Sink("SE", f"P{n:02d}", f"Bench Mobility {n}")
        self.cpo = Sink("DK", f"P{n:02d}", f"Bench Power {n}", role="CPO")
        self.parties = (self.emsp, self.cpo)
        for party in self.parties:
            party.register(hub)
        self.cpo.tell("locations", self.cpo.place())
        self.token = self.emsp.tell("tokens", self.emsp.own_token(), key="uid")
        allow(hub, *self.parties)

    def streams(self):
        for kind, per_s, sender, message in (
                ("start", STARTS, self.emsp, self.emsp.start_of(self.cpo, self.token)),
                ("session", SESSIONS, self.cpo, self.cpo.session_of(self.emsp, self.token))):
            method, path, body = message
            head = "".join(f"{k}: {v}\r\n" for k, v in sender.sent_headers().items())
            yield {"name": f"{kind} {self.n}", "per_s": per_s, "head": head, "path": path, "method": method,
                   "body": json.dumps(body)}


def sick(party, mode, hole):
    """A server that does not do its work; of one that hangs, what it asks itself hangs."""
    if mode == "nothing":
        return server(party)
    places = {"hangs": f"location / {{ proxy_pass http://127.0.0.1:{hole}; proxy_read_timeout 900s; }}",
              "500": "location / { return 500; }", "closes": "location / { return 444; }"}
    return server(party, places[mode])


class Healthy:
    """The pairs that are always well; they write down what they are told, and when."""

    def __init__(self, directory, pairs):
        self.log = directory / "told.log"
        directory.mkdir()
        self.log.touch()
        places = f"access_log {self.log} told if=$told;"
        http = "log_format told '$msec $request_uri';\n" \
               "map $request_method:$request_uri $told { default 0; \"~^PUT:.*/sessions/\" 1; }"
        servers = "".join(server(p, log=places) for pair in pairs for p in pair.parties)
        self.nginx = Nginx(directory, servers, http=http)

    def told(self):
        """When each Session came, by its id."""
        lines = self.log.read_text(encoding="ascii").splitlines()
        found = (line.split() for line in lines)
        return {urlsplit(uri).path.rsplit("/", 1)[1]: float(at) for at, uri in found}


def percentile(values, n):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * n / 100))]


def window(world, directory, pairs, run):
    """A while of steady load on these pairs; what came of each request."""
    host = urlsplit(world.hub.url)
    plan = directory / "plan.json"
    plan.write_text(json.dumps({"host": host.hostname, "port": host.port, "run": run,
                                "streams": [s for p in pairs for s in p.streams()]}), encoding="utf-8")
    out = subprocess.run([sys.executable, HERE / "pace.py", plan, str(SECONDS)], stdout=subprocess.PIPE,
                         check=True)
    time.sleep(1)  # all that the others were to be told is there
    return json.loads(out.stdout)


def times(answers, healthy, left_out):
    """Milliseconds of the pairs that are well: of answers, and until Sessions were told on."""
    told = healthy.told()
    found = {c: [] for c in COLUMNS}
    for name, number, due, seconds, status, code in answers:
        kind, n = name.split()
        if int(n) == left_out:
            continue
        if seconds is None or status not in (200, 201) or code != 1000:
            raise SystemExit(f"bench: {name}: {status} {code} instead of an answer ({number})")
        found[kind].append(seconds * 1000)
        if kind == "session":
            if number not in told:
                raise SystemExit(f"bench: {name}: {number} was not told on")
            found["told on"].append((told[number] - due) * 1000)
    return found


def seen_by_sick(answers, n):
    """What the sick partner's commands ended with: how many with which OCPI status."""
    codes = {}
    for name, _, _, seconds, _, code in answers:
        if name == f"start {n}":
            key = str(code) if seconds is not None else "none"
            codes[key] = codes.get(key, 0) + 1
    return codes


def hole():
    """Takes connections and is silent."""
    s = socket.socket()
    s.bind(("127.0.0.1", 0))
    s.listen(4096)
    return s


def run(world, directory, say):
    spare = REPEATS * len(MODES)
    say(f"{PAIRS - 1 + spare} pairs of partners register")
    pairs = [Pair(world.hub, n) for n in range(PAIRS - 1 + spare)]
    settle([p for pair in pairs for p in pair.parties])
    well, candidates = pairs[:PAIRS - 1], pairs[PAIRS - 1:]
    healthy = Healthy(directory / "well", well)
    changing = {p.n: Nginx(directory / f"pair{p.n}", "".join(server(x) for x in p.parties))
                for p in candidates}
    black = hole()
    rows = {mode: [] for mode in MODES}
    try:
        wait_until(lambda: world.sql("SELECT count(*) FROM outbox WHERE due_at IS NOT NULL")[0][0] == 0, 60,
                   "all to be told of each other")
        window(world, directory, well, "warm")
        for n in range(REPEATS):
            for at, mode in enumerate(MODES):
                pair = candidates[n * len(MODES) + at]
                say(f"round {n + 1} of {REPEATS}: all are well, then of one: {mode}")
                now = [*well, pair]
                before = times(window(world, directory, now, f"a{pair.n}"), healthy, pair.n)
                changing[pair.n].stop()
                changing[pair.n] = Nginx(directory / f"sick{pair.n}",
                                         "".join(sick(p, mode, black.getsockname()[1]) for p in pair.parties))
                answers = window(world, directory, now, f"b{pair.n}")
                rows[mode].append({"before": before, "with": times(answers, healthy, pair.n),
                                   "sick": seen_by_sick(answers, pair.n)})
    finally:
        black.close()
        for nginx in (healthy.nginx, *changing.values()):
            nginx.stop()
    return rows


def change(wells, withs, n):
    """How much the percentile of all rounds together changed, in %."""
    well, sick = (percentile([v for half in halves for v in half], n) for halves in (wells, withs))
    return 100 * (sick / well - 1)


def spread(wells, withs, n):
    """Between what that change lies in nine of ten draws of as many rounds from these."""
    rng = random.Random(1)
    draws = []
    for _ in range(500):
        drawn = rng.choices(range(len(wells)), k=len(wells))
        draws.append(change([wells[i] for i in drawn], [withs[i] for i in drawn], n))
    return percentile(draws, 5), percentile(draws, 95)


def show(rows):
    print(f"{'one of 50':12}{'what':10}{'p50 ms well':>13}{'with it':>9}{'p99 ms well':>13}{'with it':>9}"
          f"{'p99 change %':>14}{'in 9 of 10 draws':>19}  of each round")
    for mode, rounds in rows.items():
        for column in COLUMNS:
            wells, withs = ([r[side][column] for r in rounds] for side in ("before", "with"))
            p50, p99 = ([percentile([v for half in halves for v in half], n) for halves in (wells, withs)]
                        for n in (50, 99))
            low, high = spread(wells, withs, 99)
            each = [change([well], [sick], 99) for well, sick in zip(wells, withs)]
            print(f"{mode:12}{column:10}{p50[0]:>13.2f}{p50[1]:>9.2f}{p99[0]:>13.2f}{p99[1]:>9.2f}"
                  f"{change(wells, withs, 99):>+14.1f}{f'{low:+.0f} .. {high:+.0f}':>19}  "
                  + " ".join(f"{e:+.0f}" for e in each))
        codes = {}
        for r in rounds:
            for code, count in r["sick"].items():
                codes[code] = codes.get(code, 0) + count
        print(f"{'':12}commands to that one ended with: " +
              ", ".join(f"{k} {v} times" for k, v in sorted(codes.items())))
    print(f"of the 49 pairs that are well: {STARTS} START_SESSION and {SESSIONS} Session PUT a second each; "
          f"percentiles over all {REPEATS} rounds together, each of two halves of {SECONDS} s; "
          "told on: from when the PUT was due until the eMSP had it; hub, partners, load and Postgres share this "
          "machine, and Postgres is in its memory")
