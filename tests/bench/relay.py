# SPDX-License-Identifier: Apache-2.0
"""
./dev bench relay: what the hub carries per second from partner to partner.

    START_SESSION   eMSP -> hub -> CPO; the CPO's answer goes back
    Session         CPO -> hub (stored, answered), told on to the eMSP

of one version and translated, over plain HTTP and over TLS. The yardstick is nginx, which passes
the same bytes on to the same partner (proxy_pass, as many workers); the partners are nginx with
fixed answers. Hub and yardstick run alternately.

per second: as many clients as bring the most out of it. Added: a few clients only, so that little
waits in line; what is between that and asking the partner itself. Whatever was answered is looked
for at the partners: each message must have come there once.
"""

import json
import os
import pathlib
import re
import statistics
import subprocess
import time

import requests
from harness import free_port, wait_until
from cpu import cpu_seconds, postgres_cpu_seconds
from sinks import Nginx, Sink, allow, server, settle

HERE = pathlib.Path(__file__).resolve().parent
SHORT = os.environ.get("BENCH_SHORT", "") not in ("", "0")
SECONDS = int(os.environ.get("BENCH_SECONDS", "2" if SHORT else "3"))
REPEATS = int(os.environ.get("BENCH_REPEATS", "1" if SHORT else "3"))
CLIENTS = 32
FEW = 4

CASES = [("start", "2.2.1", "2.2.1"), ("start", "2.2.1", "2.1.1"), ("start", "2.1.1", "2.3.0"),
         ("session", "2.2.1", "2.2.1"), ("session", "2.1.1", "2.2.1")]
if SHORT:
    CASES = [case for case in CASES if case[1] == case[2]]
NAMES = {"start": "START_SESSION", "session": "Session PUT"}


class Message:
    """One of the cases: what is sent, by whom, and who must get it."""

    def __init__(self, town, directory, kind, sender, receiver):
        self.kind, self.name = kind, f"{NAMES[kind]} {sender} -> {receiver}"
        if kind == "start":
            emsp, cpo = town.emsps[sender], town.cpos[receiver]
            self.sender, self.receiver = emsp, cpo
            self.method, self.path, body = emsp.start_of(cpo, town.tokens[emsp])
        else:
            cpo, emsp = town.cpos[sender], town.emsps[receiver]
            self.sender, self.receiver = cpo, emsp
            self.method, self.path, body = cpo.session_of(emsp, town.tokens[emsp])
        self.body = json.dumps(body)
        stem = directory / re.sub(r"\W+", "_", self.name)
        self.body_file, self.header_file = stem.with_suffix(".json"), stem.with_suffix(".headers")
        self.body_file.write_text(self.body, encoding="utf-8")
        self.header_file.write_text("".join(f"{k}: {v}\n" for k, v in self.sender.sent_headers().items()),
                                    encoding="utf-8")

    def their_path(self):
        """Where the receiver itself has it."""
        owner = f"{self.sender.country}/{self.sender.party}"
        tail = "commands/START_SESSION" if self.kind == "start" else f"sessions/{owner}/@N@"
        return f"/{self.receiver.version}/{tail}"

    def once(self, hub):
        """It does arrive."""
        answer = requests.request(self.method, hub.url + self.path.replace("@N@", "once"), timeout=30,
                                  data=self.body.replace("@N@", "once"), headers=self.sender.sent_headers())
        body = answer.json()
        assert body["status_code"] == 1000, answer.text
        assert self.kind != "start" or body["data"]["result"] == "ACCEPTED", answer.text

    runs = iter(range(1, 1000000))

    def wrk(self, base, path, clients, seconds):
        env = {**os.environ, "BENCH_HEADERS": str(self.header_file), "BENCH_BODY": str(self.body_file),
               "BENCH_METHOD": self.method, "BENCH_PATH": path, "BENCH_RUN": f"b{next(self.runs)}"}
        out = subprocess.run(["wrk", "-t1", f"-c{clients}", f"-d{seconds}s", "--timeout", "10s", "--latency",
                              "-s", str(HERE / "relay.lua"), base],
                             stdout=subprocess.PIPE, text=True, check=True, env=env).stdout
        bad = re.search(r"Non-2xx or 3xx responses: .*|Socket errors: .*", out)
        if bad:
            raise SystemExit(f"bench: {self.name} at {base}: {bad[0]}")

        def percent(n):
            number, unit = re.search(rf" {n}%\s+([\d.]+)(us|ms|s)", out).groups()
            return float(number) * {"us": 0.001, "ms": 1, "s": 1000}[unit]

        return {"per_s": float(re.search(r"Requests/sec:\s+([\d.]+)", out)[1]),
                "requests": int(re.search(r"(\d+) requests in", out)[1]),
                "p50": percent(50), "p99": percent(99)}


class Town:
    def __init__(self, world):
        self.emsps = {v: Sink("SE", "B" + v[0] + v[2], f"Bench Mobility {v}", version=v)
                      for v in ("2.1.1", "2.2.1")}
        self.cpos = {v: Sink("DK", "B" + v[0] + v[2], f"Bench Power {v}", version=v, role="CPO")
                     for v in ("2.1.1", "2.2.1", "2.3.0")}
        self.all = [*self.emsps.values(), *self.cpos.values()]
        for party in self.all:
            party.register(world.hub)
        for cpo in self.cpos.values():
            cpo.tell("locations", cpo.place())
        self.tokens = {e: e.tell("tokens", e.own_token(), key="uid") for e in self.emsps.values()}
        for cpo in self.cpos.values():
            for emsp in self.emsps.values():
                allow(world.hub, emsp, cpo)
        settle(self.all)


def certificate(directory):
    key, cert = directory / "tls.key", directory / "tls.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost",
                    "-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost", "-keyout", str(key), "-out", str(cert)],
                   check=True, stderr=subprocess.DEVNULL)
    os.chmod(key, 0o400)
    return cert, key


def proxy(directory, town, tls):
    """The yardstick: plain on one port, TLS on another; /to/{port}/... goes to that partner."""
    cert, key = tls
    port = {name: free_port() for name in ("plain", "tls")}
    upstreams = "".join(f"upstream p{p.port} {{ server 127.0.0.1:{p.port}; keepalive 64; "
                        f"keepalive_requests 100000000; }}\n" for p in town.all)
    places = "".join(f"location /to/{p.port}/ {{ proxy_pass http://p{p.port}/; proxy_http_version 1.1; "
                     f"proxy_set_header Connection \"\"; }}\n" for p in town.all)
    servers = f"""{upstreams}
    server {{ listen 127.0.0.1:{port['plain']}; {places} }}
    server {{ listen 127.0.0.1:{port['tls']} ssl; ssl_certificate {cert}; ssl_certificate_key {key}; {places} }}"""
    return Nginx(directory, servers, workers=2), {"plain": f"http://127.0.0.1:{port['plain']}",
                                                  "tls": f"https://127.0.0.1:{port['tls']}"}


def arrived(world, sinks):
    """How many messages the partners have got, once nothing waits to be told on."""
    wait_until(lambda: world.sql("SELECT count(*) FROM outbox WHERE due_at IS NOT NULL")[0][0] == 0,
               120, "all to be told on")
    time.sleep(0.2)  # those that wrk has left alone
    return sinks.requests()


def cpu(world):
    return sum(cpu_seconds(p) for p in world.hub.worker_pids()), postgres_cpu_seconds(world)


def measured(world, sinks, message, nginx, yardstick):
    """One alternation: the hub, nginx; the same with few clients, and the partner alone."""
    hub, path = world.hub.url, f"/to/{message.receiver.port}" + message.their_path()
    had, before, began = arrived(world, sinks), cpu(world), time.monotonic()
    ours = message.wrk(hub, message.path, CLIENTS, SECONDS)
    there = arrived(world, sinks) - had
    seconds, used = time.monotonic() - began, [a - b for a, b in zip(cpu(world), before)]
    count = ours["requests"]
    # wrk leaves those alone that are under way when its time is over; a pull may be among them.
    if not count <= there <= count + CLIENTS + 5:
        raise SystemExit(f"bench: {message.name}: {count} were answered, {there} have arrived")
    before = nginx.cpu()
    theirs = message.wrk(yardstick, path, CLIENTS, SECONDS)
    nginx_us = (nginx.cpu() - before) / theirs["requests"] * 1e6
    few = message.wrk(hub, message.path, FEW, SECONDS)
    arrived(world, sinks)
    alone = message.wrk(message.receiver.base, message.their_path(), FEW, SECONDS)
    passed = message.wrk(yardstick, path, FEW, SECONDS)
    return {"hub": ours["per_s"], "nginx": theirs["per_s"], "ratio": ours["per_s"] / theirs["per_s"],
            "told": count / seconds, "p50": few["p50"] - alone["p50"], "p99": few["p99"] - alone["p99"],
            "n50": passed["p50"] - alone["p50"], "n99": passed["p99"] - alone["p99"],
            "hub_us": used[0] / there * 1e6, "pg_us": used[1] / there * 1e6, "nginx_us": nginx_us}


def run(world, directory, say):
    say("the partners register")
    town = Town(world)
    cert, key = certificate(directory)
    sinks = Nginx(directory / "sinks", "".join(server(p) for p in town.all))
    nginx, yardsticks = proxy(directory / "proxy", town, (cert, key))
    messages = [Message(town, directory, *case) for case in CASES]
    rows = []
    try:
        for how in ("plain",) if SHORT else ("plain", "tls"):
            if how == "tls":
                os.environ["REQUESTS_CA_BUNDLE"] = str(cert)
                world.hub.settings.update(tls_certificate=cert, tls_key=key)
                world.hub.restart()
            for message in messages:
                message.once(world.hub)
                say(f"{message.name}, {how}")
                rounds = [measured(world, sinks, message, nginx, yardsticks[how]) for _ in range(REPEATS)]
                rows.append({"what": message.name, "how": how, "kind": message.kind, "rounds": rounds})
    finally:
        nginx.stop()
        sinks.stop()
    return rows


def show(rows):
    print(f"{'':35}{'per second':^37}{'told on':>9}{'hub adds ms':>16}{'nginx adds ms':>16}"
          f"{'CPU us a message':>27}")
    print(f"{'':35}{'hub':>7}{'nginx':>8}{'hub/nginx (from-to)':>22}{'/s':>9}{'p50':>9}{'p99':>7}{'p50':>9}{'p99':>7}"
          f"{'hub':>11}{'Postgres':>9}{'nginx':>7}")
    for r in rows:
        m = {k: statistics.median(x[k] for x in r["rounds"]) for k in r["rounds"][0]}
        ratios = [x["ratio"] for x in r["rounds"]]
        told = f"{m['told']:.0f}" if r["kind"] == "session" else "-"
        spread = f"{m['ratio']:.3f} ({min(ratios):.3f}-{max(ratios):.3f})"
        print(f"{r['what']:30}{r['how']:>5}{m['hub']:>7.0f}{m['nginx']:>8.0f}{spread:>22}{told:>9}{m['p50']:>9.2f}"
              f"{m['p99']:>7.2f}{m['n50']:>9.2f}{m['n99']:>7.2f}{m['hub_us']:>11.0f}{m['pg_us']:>9.0f}"
              f"{m['nginx_us']:>7.0f}")
    print(f"medians of {REPEATS} alternating rounds of {SECONDS} s; per second: {CLIENTS} clients, connections kept; "
          f"adds: to what the partner itself takes, {FEW} clients; told on: until the eMSP had the last; CPU of all "
          "that belongs to a message; Postgres commits durably; the hub's two workers, nginx, wrk, Postgres and the "
          "partners share this machine")
