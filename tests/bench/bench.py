#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
./dev bench: what the hub does per second, as ratios against a yardstick of the same minutes.
./dev bench pull: what fetching a large network's places does to the drivers (pull.py).
./dev bench relay: what is carried from partner to partner (relay.py).
./dev bench partners: what one sick partner does to fifty others (partners.py).
./dev bench price: what it costs to price a CDR (price.py).

    status reads with a JWT      against  nginx serving a static JSON of the same size
    durable starts               against  pgbench inserting single rows, as many clients
    session PUTs of a CPO        against  the same

Each pair runs alternately, three times; the medians are shown. The machine's noise hits both, so
the ratio means something where the figures alone do not. No speed passes or fails here, but a
figure of something that did not happen would be a lie: what was answered is looked up in the
database. The CPO that answers the commands is nginx with fixed answers, so that it costs little;
the sessions it tells of are those that were started.

BENCH_SECONDS (a round), BENCH_LOCATIONS (of a thousand EVSEs each) may be set; relay and partners
have a short mode, BENCH_SHORT=1.
"""

import base64
import http.server
import json
import os
import pathlib
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time

import requests

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "e2e"))
from harness import User, World, ok, run_directory, wait_until  # noqa: E402
import partners  # noqa: E402
import price  # noqa: E402
import pull  # noqa: E402
import relay  # noqa: E402
import stores as stores_module  # noqa: E402
from cpu import cpu_seconds, postgres_cpu_seconds  # noqa: E402

SECONDS = int(os.environ.get("BENCH_SECONDS", "5"))
REPEATS = 3
CLIENTS = 32
USERS = 500
EVSES_PER_LOCATION = 1000
LOCATIONS = int(os.environ.get("BENCH_LOCATIONS", "60"))
TOLD = 1000  # sessions that a round of PUTs tells of


def say(text):
    print(f"==> {text}", file=sys.stderr, flush=True)


# ---- the CPO: a handshake in Python, then nginx with fixed answers on the same port ----


def envelope(data):
    return json.dumps({"data": data, "status_code": 1000, "timestamp": "2026-01-01T00:00:00Z"})


def answers(base):
    modules = ["locations", "tariffs", "sessions", "cdrs"]
    endpoints = [{"identifier": m, "role": "SENDER", "url": f"{base}/{m}"} for m in modules]
    endpoints += [{"identifier": m, "role": "RECEIVER", "url": f"{base}/{m}"}
                  for m in ("credentials", "commands", "tokens", "chargingprofiles")]
    role = {"role": "CPO", "country_code": "FI", "party_id": "BEN",
            "business_details": {"name": "Bench"}}
    return {
        "/versions": envelope([{"version": "2.2.1", "url": f"{base}/2.2.1"}]),
        "/2.2.1": envelope({"version": "2.2.1", "endpoints": endpoints}),
        "/credentials": envelope({"token": "bench-cpo", "url": f"{base}/versions", "roles": [role]}),
        "/commands": envelope({"result": "ACCEPTED", "timeout": 60}),
        "/": envelope([]),
    }


def handshake(world):
    """Registers the bench CPO; (its port, the token it sends to the hub)."""
    got = {}

    class Handler(http.server.BaseHTTPRequestHandler):
        def answer(self):
            length = int(self.headers.get("Content-Length") or 0)
            body = self.rfile.read(length)
            if self.path == "/credentials":
                got["token"] = json.loads(body)["token"]
            base = f"http://127.0.0.1:{self.server.server_port}"
            text = answers(base).get(self.path.split("?")[0], envelope([])).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        do_GET = do_POST = answer

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    port = server.server_port
    ok(world.hub.admin("POST", "/partners/register", json={
        "versions_url": f"http://127.0.0.1:{port}/versions", "token_a": "bench-a"}))
    time.sleep(3)  # the first pulls find nothing
    server.shutdown()
    server.server_close()
    return port, got["token"]


class Nginx:
    """The yardstick of the reads, and the CPO of the writes."""

    def __init__(self, directory, port, static):
        self.directory = pathlib.Path(directory)
        root = self.directory / "root"
        root.mkdir(parents=True)
        (root / "status.json").write_text(static, encoding="utf-8")
        base = f"http://127.0.0.1:{port}"
        places = "\n".join(
            f"location {'= ' if p != '/commands' and p != '/' else ''}{p} "
            f"{{ default_type application/json; return 200 '{text}'; }}"
            for p, text in answers(base).items())
        config = self.directory / "nginx.conf"
        config.write_text(f"""
worker_processes 2; daemon off; pid {self.directory}/nginx.pid; error_log stderr emerg;
{'user root;' if os.geteuid() == 0 else ''}
events {{ worker_connections 4096; }}
http {{
    access_log off; keepalive_requests 1000000;
    client_body_temp_path {self.directory}/b; proxy_temp_path {self.directory}/p;
    fastcgi_temp_path {self.directory}/f; uwsgi_temp_path {self.directory}/u;
    scgi_temp_path {self.directory}/s;
    types {{ application/json json; }}
    server {{ listen 127.0.0.1:{port}; root {root}; location = /status.json {{ }} {places} }}
}}
""", encoding="utf-8")
        self.url = f"{base}/status.json"
        self.process = subprocess.Popen(["nginx", "-e", "stderr", "-c", str(config),
                                         "-p", str(self.directory)])
        wait_until(lambda: requests.get(self.url, timeout=2).status_code == 200, 10, "nginx")

    def stop(self):
        self.process.terminate()
        self.process.wait(10)


# ---- the world ----


def location(n):
    """One place with a thousand EVSEs of one connector each."""
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    evses = [{
        "uid": f"{n}-{i}", "evse_id": f"FI*BEN*E{n:05d}{i:04d}", "status": "AVAILABLE",
        "capabilities": ["REMOTE_START_STOP_CAPABLE"], "last_updated": now,
        "connectors": [{"id": "1", "standard": "IEC_62196_T2_COMBO", "format": "CABLE",
                        "power_type": "DC", "max_voltage": 500, "max_amperage": 300,
                        "last_updated": now}],
    } for i in range(EVSES_PER_LOCATION)]
    return {"country_code": "FI", "party_id": "BEN", "id": f"L{n}", "publish": True,
            "address": "Bench street 1", "city": "Helsinki", "country": "FIN",
            "coordinates": {"latitude": "60.170000", "longitude": "24.930000"},
            "time_zone": "Europe/Helsinki", "evses": evses, "last_updated": now}


def push_locations(world, authorization):
    session = requests.Session()
    for n in range(LOCATIONS):
        if n % 20 == 0:
            say(f"the CPO pushes its locations: {n * EVSES_PER_LOCATION} EVSEs so far")
        answer = session.put(f"{world.hub.url}/ocpi/emsp/2.2.1/locations/FI/BEN/L{n}",
                             headers=authorization, json=location(n), timeout=60)
        assert answer.status_code in (200, 201), answer.text


def resident_mb(pids):
    sizes = []
    for pid in pids:
        text = pathlib.Path(f"/proc/{pid}/status").read_text(encoding="ascii")
        sizes.append(int(re.search(r"VmRSS:\s+(\d+)", text)[1]) / 1024)
    return max(sizes)


# ---- the runs ----


def wrk(url, *args, env=None):
    out = subprocess.run(["wrk", "-t1", f"-c{CLIENTS}", f"-d{SECONDS}s", "--latency", *args, url],
                         stdout=subprocess.PIPE, text=True, check=True,
                         env={**os.environ, **(env or {})}).stdout
    bad = re.search(r"Non-2xx or 3xx responses: .*|Socket errors: .*", out)
    if bad:
        sys.exit(f"bench: {url}: {bad[0]}")
    number, unit = re.search(r"99%\s+([\d.]+)(us|ms|s)", out).groups()
    return {"per_s": float(re.search(r"Requests/sec:\s+([\d.]+)", out)[1]),
            "requests": int(re.search(r"(\d+) requests in", out)[1]),
            "p99_ms": float(number) * {"us": 0.001, "ms": 1, "s": 1000}[unit]}


def pgbench(world, directory):
    script = directory / "insert.sql"
    script.write_text("INSERT INTO bench_row (body) VALUES (repeat('x', 300));\n", encoding="ascii")
    out = subprocess.run(["pgbench", "-n", "-M", "prepared", "-c", str(CLIENTS), "-j", "1", "-T", str(SECONDS),
                          "-f", str(script), world.database_url],
                         stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False)
    found = re.search(r"tps = ([\d.]+)", out.stdout)
    if not found:
        raise AssertionError(out.stdout + out.stderr)
    return {"per_s": float(found[1])}


def pair(world, name, ours, theirs, done=None):
    """Ours and the yardstick, alternately. done(): how many requests have had their whole effect;
    what they have set going has ended when it returns. None: they have none."""
    runs, yard, cpu, postgres = [], [], [], []
    pids = world.hub.worker_pids()
    shares = [0] * len(pids)
    for n in range(REPEATS):
        say(f"{name}: round {n + 1} of {REPEATS}")
        had = done() if done else 0
        before, pg_before = [cpu_seconds(p) for p in pids], postgres_cpu_seconds(world)
        runs.append(ours(n))
        count = runs[-1]["requests"]
        effects = done() - had if done else count
        used = [cpu_seconds(p) - b for p, b in zip(pids, before)]
        cpu.append(sum(used) / count * 1e6)
        postgres.append((postgres_cpu_seconds(world) - pg_before) / count * 1e6)
        # wrk leaves those alone that are under way when its time is over.
        if not count <= effects <= count + CLIENTS:
            sys.exit(f"bench: {name}: {count} were answered, {effects} took place")
        shares = [a + b for a, b in zip(shares, used)]
        yard.append(theirs())
    median = statistics.median
    return {
        "what": name, "hub_per_s": median(r["per_s"] for r in runs),
        "yardstick_per_s": median(y["per_s"] for y in yard),
        "ratio": median(a["per_s"] / b["per_s"] for a, b in zip(runs, yard)),
        "cpu_us": median(cpu), "postgres_us": median(postgres),
        "p99_ms": median(r["p99_ms"] for r in runs),
        "shares": "/".join(f"{100 * s / sum(shares):.0f}" for s in shares),
    }


def starts_done(world):
    """The commands go out after the answers: once all have, how many the CPO has accepted."""
    wait_until(lambda: world.sql("SELECT id FROM operation WHERE kind = 'start' AND"
                                 " (sent_at IS NULL OR answered_at IS NULL)") == [],
               60, "the CPO to have answered all starts")
    return world.sql("SELECT count(*) FROM session s JOIN operation o ON o.session_id = s.id"
                     " WHERE o.kind = 'start' AND o.outcome = 'accepted'")[0][0]


def puts_done(world):
    """Each PUT that was applied has made a version; none was odd; our session has its energy."""
    time.sleep(0.5)  # those that wrk has left alone
    odd = world.sql("SELECT count(*) FROM network_session n LEFT JOIN session s"
                    " ON s.id = n.session_id WHERE n.anomalies > 0 OR s.state <> 'active'"
                    " OR s.energy_mwh IS DISTINCT FROM n.energy_mwh")[0][0]
    if odd:
        sys.exit(f"bench: {odd} sessions are not as the CPO has told")
    return int(world.sql("SELECT coalesce(sum(version), 0) FROM network_session")[0][0])


def run(world, directory):
    port, token = handshake(world)
    authorization = {"Authorization": "Token " + base64.b64encode(token.encode()).decode()}
    push_locations(world, authorization)
    users = [User(world.hub) for _ in range(USERS)]
    (directory / "tokens").write_text("\n".join(u.token for u in users), encoding="ascii")

    # One session that runs, for the reads.
    nginx = Nginx(directory / "nginx", port, "{}")
    session = ok(users[0].start("FI*BEN*E000000000"))["session_id"]
    users[0].wait_for(session, lambda s: s["substatus"] == "command_accepted")
    body = users[0].status(session).text
    nginx.stop()
    shutil.rmtree(directory / "nginx")
    nginx = Nginx(directory / "nginx", port, body)

    def status(_):
        return wrk(f"{world.hub.url}/v1/sessions/{session}/status",
                   "-H", f"Authorization: Bearer {users[0].token}")

    def start(n):
        return wrk(f"{world.hub.url}/v1/sessions/start", "-s", str(HERE / "start.lua"), env={
            "BENCH_TOKENS": str(directory / "tokens"), "BENCH_EVSES": str(EVSES_PER_LOCATION),
            "BENCH_FIRST": str(1 + n * ((LOCATIONS - 1) // REPEATS))})

    def put(n):
        told = world.sql("SELECT id, evse_uid, location_id, token_uid FROM session"
                         " ORDER BY id LIMIT %s OFFSET %s", TOLD, 1 + n * TOLD)
        assert told, "too few sessions were started"
        (directory / "sessions").write_text("\n".join(" ".join(s) for s in told), encoding="ascii")
        return wrk(world.hub.url, "-s", str(HERE / "session_put.lua"), env={
            "BENCH_SESSIONS": str(directory / "sessions"),
            "BENCH_AUTH": authorization["Authorization"]})

    try:
        world.sql("CREATE TABLE bench_row (id bigserial PRIMARY KEY, body text)")
        return [
            pair(world, "status reads with a JWT", status, lambda: wrk(nginx.url)),
            pair(world, "durable starts", start, lambda: pgbench(world, directory),
                 lambda: starts_done(world)),
            pair(world, "session PUTs of a CPO", put, lambda: pgbench(world, directory),
                 lambda: puts_done(world)),
        ], resident_mb(world.hub.worker_pids())
    finally:
        nginx.stop()


def memory_directory(name):
    """Where the disk has no part: commits are as durable as elsewhere, but do not wait for it."""
    path = tempfile.mkdtemp(prefix=name + "-", dir="/dev/shm")
    os.chmod(path, 0o755)
    return pathlib.Path(path)


def main_part(part, place=run_directory, **settings):
    """One of the parts that are modules of their own."""
    directory = place("bench")
    world = World(directory, stores=stores_module.Stores(str(directory / "stores"), fast=False))
    world.own_stores = True
    try:
        say("starting stores (durable) and the hub")
        world.start(sim=False, workers=2, **settings)
        rows = part(world, directory)
    finally:
        world.stop()
        shutil.rmtree(directory, ignore_errors=True)
    return rows


PARTS = {
    "price": lambda: price.show(price.run()),
    "pull": lambda: pull.show(main_part(lambda world, _: pull.run(world, say), log_level="warn")),
    "relay": lambda: relay.show(main_part(lambda *at: relay.run(*at, say), log_level="error")),
    "partners": lambda: partners.show(main_part(lambda *at: partners.run(*at, say), memory_directory,
                                                    log_level="error")),
}


def main():
    for program in ("wrk", "nginx", "pgbench"):
        if not shutil.which(program, path=os.environ["PATH"] + ":/usr/sbin:/usr/lib/postgresql/15/bin"):
            sys.exit(f"bench: {program} is not installed")
    os.environ["PATH"] += ":/usr/sbin:/usr/lib/postgresql/15/bin"
    if sys.argv[1:]:
        if len(sys.argv) != 2 or sys.argv[1] not in PARTS:
            sys.exit(f"bench: the parts that can be named are: {', '.join(PARTS)}")
        PARTS[sys.argv[1]]()
        return
    directory = run_directory("bench")
    world = World(directory, stores=stores_module.Stores(str(directory / "stores"), fast=False))
    world.own_stores = True
    try:
        say("starting stores (durable) and the hub")
        world.start(sim=False, workers=2, max_open_sessions=10000, log_level="error")
        rows, memory = run(world, directory)
    finally:
        world.stop()
        shutil.rmtree(directory, ignore_errors=True)
    print(f"{'':25}{'hub/s':>9}{'yardstick/s':>13}{'ratio':>7}{'p99 ms':>8}"
          f"{'hub CPU us':>12}{'Postgres CPU us':>17}{'workers %':>11}")
    for r in rows:
        print(f"{r['what']:25}{r['hub_per_s']:>9.0f}{r['yardstick_per_s']:>13.0f}"
              f"{r['ratio']:>7.2f}{r['p99_ms']:>8.1f}{r['cpu_us']:>12.0f}{r['postgres_us']:>17.0f}"
              f"{r['shares']:>11}")
    print(f"resident memory per worker: {memory:.0f} MB "
          f"(with {LOCATIONS * EVSES_PER_LOCATION} EVSEs in its index)")
    print("yardsticks: nginx, static file of the same size; pgbench, single-row INSERT; "
          f"{CLIENTS} clients each; medians of {REPEATS} alternating rounds of {SECONDS} s; CPU "
          "per request, of a start with the command to the CPO and its answer; workers: who had "
          "how much of it")


if __name__ == "__main__":
    main()
