#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
./dev bench: what the hub does per second, as ratios against a yardstick of the same minutes.

    status reads with a JWT      against  nginx serving a static JSON of the same size
    durable starts               against  pgbench inserting single rows, as many clients
    session PUTs of a CPO        against  the same

Each pair runs alternately, three times; the medians are shown. The machine's noise hits both, so
the ratio means something where the figures alone do not. Nothing passes or fails here. The CPO
that answers the commands is nginx with fixed answers, so that it costs little.
"""

import http.server
import json
import os
import pathlib
import re
import shutil
import statistics
import subprocess
import sys
import threading
import time

import requests

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "e2e"))
from harness import User, World, ok, run_directory, wait_until  # noqa: E402
import stores as stores_module  # noqa: E402

SECONDS = int(os.environ.get("BENCH_SECONDS", "5"))
REPEATS = 3
CLIENTS = 32
USERS = 500
EVSES_PER_LOCATION = 1000
LOCATIONS = int(os.environ.get("BENCH_LOCATIONS", "120"))


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
worker_processes 2; daemon off; pid {self.directory}/nginx.pid; error_log {self.directory}/error.log;
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
        self.process = subprocess.Popen(["nginx", "-c", str(config), "-p", str(self.directory)],
                                        stderr=subprocess.DEVNULL)
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


def cpu_seconds(pids):
    tick = os.sysconf("SC_CLK_TCK")
    total = 0
    for pid in pids:
        fields = pathlib.Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2]
        total += sum(int(x) for x in fields.split()[11:13])
    return total / tick


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
    bad = re.search(r"Non-2xx or 3xx responses: (\d+)", out)
    errors = re.search(r"Socket errors: (.*)", out)
    if bad or errors:
        say(f"wrk saw failures: {bad and bad[0]} {errors and errors[0]}")
    return {"per_s": float(re.search(r"Requests/sec:\s+([\d.]+)", out)[1]),
            "requests": int(re.search(r"(\d+) requests in", out)[1]),
            "p99": re.search(r"99%\s+(\S+)", out)[1]}


def pgbench(world, directory):
    script = directory / "insert.sql"
    script.write_text("INSERT INTO bench_row (body) VALUES (repeat('x', 300));\n", encoding="ascii")
    out = subprocess.run(["pgbench", "-n", "-M", "prepared", "-c", str(CLIENTS), "-j", "1", "-T", str(SECONDS),
                          "-f", str(script), world.database_url],
                         stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False)
    found = re.search(r"tps = ([\d.]+)", out.stdout)
    if not found:
        raise AssertionError(out.stdout + out.stderr)
    return {"per_s": float(found[1]), "p99": "-"}


def pair(name, ours, theirs, pids):
    """Ours and the yardstick, alternately."""
    runs, yard, cpu = [], [], []
    for n in range(REPEATS):
        say(f"{name}: round {n + 1} of {REPEATS}")
        before = cpu_seconds(pids)
        runs.append(ours(n))
        cpu.append((cpu_seconds(pids) - before) / max(runs[-1]["requests"], 1) * 1e6)
        yard.append(theirs())
    ratios = [a["per_s"] / b["per_s"] for a, b in zip(runs, yard)]
    return {
        "what": name, "hub_per_s": statistics.median(r["per_s"] for r in runs),
        "yardstick_per_s": statistics.median(y["per_s"] for y in yard),
        "ratio": statistics.median(ratios), "cpu_us": statistics.median(cpu),
        "p99": sorted(r["p99"] for r in runs)[len(runs) // 2],
    }


def run(world, directory):
    port, token = handshake(world)
    import base64  # pylint: disable=import-outside-toplevel

    authorization = {"Authorization": "Token " + base64.b64encode(token.encode()).decode()}
    push_locations(world, authorization)
    users = [User(world.hub) for _ in range(USERS)]
    (directory / "tokens").write_text("\n".join(u.token for u in users), encoding="ascii")
    env = {"BENCH_TOKENS": str(directory / "tokens"), "BENCH_AUTH": authorization["Authorization"],
           "BENCH_EVSES": str(EVSES_PER_LOCATION)}
    pids = world.hub.worker_pids()

    # One session that runs, for the reads.
    nginx = Nginx(directory / "nginx", port, "{}")
    session = ok(users[0].start("FI*BEN*E000000000"))["session_id"]
    body = users[0].status(session).text
    nginx.stop()
    shutil.rmtree(directory / "nginx")
    nginx = Nginx(directory / "nginx", port, body)
    try:
        world.sql("CREATE TABLE bench_row (id bigserial PRIMARY KEY, body text)")
        rows = [pair("status reads with a JWT", lambda n: wrk(
            f"{world.hub.url}/v1/sessions/{session}/status", "-H",
            f"Authorization: Bearer {users[0].token}"), lambda: wrk(nginx.url), pids)]
        rows.append(pair("durable starts", lambda n: wrk(
            f"{world.hub.url}/v1/sessions/start", "-s", str(HERE / "start.lua"),
            env={**env, "BENCH_FIRST": str(1 + n * (LOCATIONS // REPEATS))}),
            lambda: pgbench(world, directory), pids))
        rows.append(pair("session PUTs of a CPO", lambda n: wrk(
            world.hub.url, "-s", str(HERE / "session_put.lua"),
            env={**env, "BENCH_FIRST": str(n * 1000000)}), lambda: pgbench(world, directory), pids))
        return rows, resident_mb(pids)
    finally:
        nginx.stop()


def main():
    for program in ("wrk", "nginx", "pgbench"):
        if not shutil.which(program, path=os.environ["PATH"] + ":/usr/sbin:/usr/lib/postgresql/15/bin"):
            sys.exit(f"bench: {program} is not installed")
    os.environ["PATH"] += ":/usr/sbin:/usr/lib/postgresql/15/bin"
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
    print(f"{'':26}{'hub/s':>10}{'yardstick/s':>13}{'ratio':>8}{'CPU us/req':>12}{'p99':>10}")
    for r in rows:
        print(f"{r['what']:26}{r['hub_per_s']:>10.0f}{r['yardstick_per_s']:>13.0f}{r['ratio']:>8.2f}"
              f"{r['cpu_us']:>12.0f}{r['p99']:>10}")
    print(f"resident memory per worker: {memory:.0f} MB "
          f"(with {LOCATIONS * EVSES_PER_LOCATION} EVSEs in its index)")
    print("yardsticks: nginx static file of the same size; pgbench single-row INSERT, "
          f"{CLIENTS} clients each; medians of {REPEATS} alternating rounds of {SECONDS} s")


if __name__ == "__main__":
    main()
