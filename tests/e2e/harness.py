# SPDX-License-Identifier: Apache-2.0
"""
The real programs, started and talked to: stores, hub, simulated CPO.

Used by the end-to-end tests, by ./dev demo and by ./dev run, so beyond the standard library it
needs only requests; what only tests need is imported where it is used. Every process started here
ends when the one that started it does, however that happens.
"""

import contextlib
import ctypes
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import uuid
from decimal import ROUND_HALF_UP, Decimal
from urllib.parse import quote

import requests

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("HUB_BUILD_DIR", ROOT / "build" / "debug"))
SLOW = 4 if "asan" in BUILD.name else 1
ISSUER = "https://id.hub.example"
AUDIENCE = "ocpi-hub"
FACE = "/ocpi/emsp/2.2.1"

sys.path.insert(0, str(ROOT / "tests"))
import stores as stores_module  # noqa: E402

_libc = ctypes.CDLL(None, use_errno=True)


def _die_with_parent():
    PR_SET_PDEATHSIG = 1
    _libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def wait_until(look, seconds=10, what="it"):
    """What look() returns once that is true; an exception inside counts as not yet."""
    end = time.monotonic() + seconds * SLOW
    last = None
    pause = 0.01
    while True:
        try:
            last = look()
            if last:
                return last
        except (requests.RequestException, AssertionError, KeyError, OSError) as e:
            last = e
        if time.monotonic() > end:
            raise AssertionError(f"gave up after {seconds * SLOW:g} s waiting for {what}; last: {last!r}")
        time.sleep(pause)
        pause = min(pause * 1.5, 0.2)


def free_port():
    """For what must know its port beforehand; everything else listens on port 0."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


ports_given = set()


def kept_port():
    """A socket that holds a port of 127.0.0.1 for who comes and goes there, with SO_REUSEADDR as servers
    have it: while it is bound and nobody listens, the system gives the port to nobody else. Nor is it
    given a second time here: a hub knows partners by their addresses, also those that are gone."""
    while True:
        s = socket.socket()
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
        if port not in ports_given:
            ports_given.add(port)
            return s
        s.close()


def run_directory(name):
    """A fresh directory below the run's own (./dev makes and removes that one)."""
    base = os.environ.get("HUB_RUN_DIR")
    if base:
        os.makedirs(base, exist_ok=True)
        path = tempfile.mkdtemp(prefix=name + "-", dir=base)
    else:
        (ROOT / "var").mkdir(exist_ok=True)
        path = tempfile.mkdtemp(prefix=f"run-{os.getpid()}-{name}-", dir=ROOT / "var")
    # Postgres runs as another user where we are root; secrets have a closed directory of their own.
    os.chmod(path, 0o755)
    return pathlib.Path(path)


# ---- secrets ----


def _openssl(*args, stdin=None):
    return subprocess.run(["openssl", *args], check=True, input=stdin, stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL).stdout


def _write_secret(path, content):
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o400)
    with os.fdopen(fd, "wb") as f:
        f.write(content)


class Secrets:
    """Keys of one hub, made by openssl, readable by their owner only."""

    def __init__(self, directory):
        d = self.directory = pathlib.Path(directory)
        d.mkdir(parents=True, exist_ok=True)
        os.chmod(d, 0o700)
        self.data_key, self.hash_key = d / "data.key", d / "hash.key"
        self.admin_token_file, self.dev_jwt_key = d / "admin.token", d / "dev-jwt.pem"
        for path in (self.data_key, self.hash_key, self.admin_token_file):
            if not path.exists():
                _write_secret(path, _openssl("rand", "-hex", "32"))
        if not self.dev_jwt_key.exists():
            _write_secret(self.dev_jwt_key,
                          _openssl("genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"))

    @property
    def admin_token(self):
        return self.admin_token_file.read_text(encoding="ascii").strip()

    def settings(self):
        return {"data_key_file": self.data_key, "hash_key_file": self.hash_key,
                "admin_token_file": self.admin_token_file, "dev_jwt_key_file": self.dev_jwt_key}


# ---- processes ----


class Process:
    """A program of ours in a process group of its own, its output in a log."""

    def __init__(self, command, log, env=None, stdout=None):
        if not os.access(command[0], os.X_OK):
            raise RuntimeError(f"{command[0]} is not built: run ./dev build")
        self.log = pathlib.Path(log)
        self.name = os.path.basename(str(command[0]))
        self._log_file = open(self.log, "ab")  # pylint: disable=consider-using-with
        self.popen = subprocess.Popen(  # pylint: disable=consider-using-with
            [str(c) for c in command], stdin=subprocess.DEVNULL, stdout=stdout or self._log_file,
            stderr=self._log_file, env={**os.environ, **(env or {})}, start_new_session=True,
            preexec_fn=_die_with_parent)

    @property
    def pid(self):
        return self.popen.pid

    def running(self):
        return self.popen.poll() is None

    def tail(self, lines=30):
        text = self.log.read_text(encoding="utf-8", errors="replace")
        return "\n".join(text.splitlines()[-lines:])

    def signal_group(self, number):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.popen.pid, number)

    def _group_runs(self):
        """Whether a process of the group still holds its files; a zombie does not."""
        for stat in pathlib.Path("/proc").glob("[0-9]*/stat"):
            with contextlib.suppress(OSError):
                state, _, group = stat.read_text(encoding="utf-8").rsplit(")", 1)[1].split()[:3]
                if state != "Z" and int(group) == self.popen.pid:
                    return True
        return False

    def stop(self, seconds=35):
        """SIGTERM to the program, which ends its own children; the exit status."""
        if self.running():
            self.popen.terminate()
            try:
                self.popen.wait(seconds)
            except subprocess.TimeoutExpired:
                self.signal_group(signal.SIGKILL)
                self.popen.wait(5)
                raise AssertionError(f"{self.name} did not end after SIGTERM:\n{self.tail()}") from None
            finally:
                self.signal_group(signal.SIGKILL)
        self._log_file.close()
        return self.popen.returncode

    def kill(self):
        """kill -9 of the whole group: nothing gets a chance to tidy up. Its ports are free then."""
        self.signal_group(signal.SIGKILL)
        self.popen.wait(5)
        wait_until(lambda: not self._group_runs(), 10, f"{self.name}'s children to be gone")
        self._log_file.close()


SETTING_SECTIONS = {
    "database_url": "stores", "redis_url": "stores", "writers": "stores", "readers": "stores",
    "statement_timeout": "stores", "country_code": "ocpi", "party_id": "ocpi", "name": "ocpi",
    "website": "ocpi", "page_limit": "ocpi", "handshake_timeout": "ocpi", "data_key_file": "secrets",
    "hash_key_file": "secrets", "admin_token_file": "secrets", "jwt_issuer": "auth",
    "jwt_audience": "auth", "jwt_keys_file": "auth", "jwks_url": "auth", "dev_jwt_key_file": "auth",
    "issuer_name": "finance", "issuer_address": "finance", "issuer_vat_id": "finance",
    "issuer_contact": "finance", "receipt_series": "finance", "receipt_language": "finance",
    "receipt_pdf": "finance", "cancellation_hold": "finance", "collect_increase": "finance",
    "power_tolerance": "finance",
    "psp_url": "payments", "psp_key_file": "payments", "psp_webhook_secret_file": "payments",
    "psp_timeout": "payments", "hold_amounts": "payments", "refund_limit": "payments",
    "probe_silence": "ocpi", "probe_every": "ocpi", "pull_share": "ocpi",
}


class Hub:
    """One hub: configuration, schema, processes, and people's ways to talk to it."""

    def __init__(self, directory, database_url, redis_url, secrets, **settings):
        self.directory = pathlib.Path(directory)
        self.directory.mkdir(parents=True, exist_ok=True)
        self.secrets = secrets
        self.config = self.directory / "hub.ini"
        self.run_file = self.directory / "hub.run"
        self.log = self.directory / "hub.log"
        self.process = None
        self.info = {}
        self._socket_dir = None
        admin_socket = self.directory / "admin.sock"
        if len(str(admin_socket)) > 100:
            self._socket_dir = tempfile.mkdtemp(prefix="hub-", dir="/tmp")
            admin_socket = pathlib.Path(self._socket_dir) / "admin.sock"
        self.settings = {
            "workers": 2, "public_listen": "127.0.0.1:0", "internal_listen": "127.0.0.1:0",
            "admin_socket": admin_socket, "run_file": self.run_file, "allow_private_urls": "127.0.0.0/8",
            "drain_notice": "0s", "database_url": database_url, "redis_url": redis_url,
            "country_code": "FI", "party_id": "HUB", "name": "Hub", "jwt_issuer": ISSUER,
            "jwt_audience": AUDIENCE,
            # The simulated network charges for a minute each second, or for hours in an instant.
            "power_tolerance": 10 * 1000 * 1000,
            **secrets.settings(), **settings,
        }
        # After a restart partners and apps must find it where it was.
        self.ports = []
        for name in ("public_listen", "internal_listen"):
            if self.settings[name] == "127.0.0.1:0":
                self.ports.append(kept_port())
                self.settings[name] = f"127.0.0.1:{self.ports[-1].getsockname()[1]}"

    def write_config(self):
        sections = {}
        for name, value in self.settings.items():
            if value is not None:
                sections.setdefault(SETTING_SECTIONS.get(name, "hub"), []).append(f"{name} = {value}")
        text = "\n".join(f"[{s}]\n" + "\n".join(lines) + "\n" for s, lines in sections.items())
        self.config.write_text(text, encoding="utf-8")

    def migrate(self):
        self.write_config()
        if not os.access(BUILD / "hub" / "ocpi-hub", os.X_OK):
            raise RuntimeError(f"{BUILD / 'hub' / 'ocpi-hub'} is not built: run ./dev build")
        done = subprocess.run([BUILD / "hub" / "ocpi-hub", "migrate", "--config", self.config],
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
        if done.returncode:
            raise AssertionError(f"ocpi-hub migrate failed:\n{done.stdout}")
        return done.stdout

    def start(self, ready=True):
        self.write_config()
        self.run_file.unlink(missing_ok=True)
        self.process = Process([BUILD / "hub" / "ocpi-hub", "serve", "--config", self.config], self.log)

        def listening():
            if not self.process.running():
                raise RuntimeError(f"the hub ended at once:\n{self.process.tail()}")
            return self.run_file.exists() and json.loads(self.run_file.read_text(encoding="utf-8"))

        self.info = wait_until(listening, 15, "the hub to listen")
        if ready:
            self.wait_ready()
        return self

    def wait_ready(self, seconds=15):
        """Every worker has its database: one alone answers /readyz, another the next request."""
        def ready():
            answer = requests.get(self.internal_url + "/readyz", timeout=5)
            return answer.status_code == 200 and self.metric(
                "hub_store_up", store="postgres") >= int(self.settings["workers"])

        wait_until(ready, seconds, "the hub to be ready")

    def stop(self):
        if self.process:
            process, self.process = self.process, None
            status = process.stop()
            self.check_log()
            if status != 0:
                raise AssertionError(f"the hub ended with status {status}:\n{process.tail()}")

    def kill(self):
        self.process.kill()
        self.process = None
        self.check_log()

    def restart(self):
        self.stop()
        self.start()

    def reload(self):
        os.kill(self.process.pid, signal.SIGHUP)

    def remove(self):
        try:
            self.stop()
        finally:
            for port in self.ports:
                port.close()
            if self._socket_dir:
                shutil.rmtree(self._socket_dir, ignore_errors=True)

    def check_log(self):
        """What must never stand there: a sanitizer's report, an assertion, a crashed worker."""
        text = self.log.read_text(encoding="utf-8", errors="replace")
        for word in ("Sanitizer", "runtime error:", "Assertion `", "assertion failed"):
            if word in text:
                at = text.index(word)
                raise AssertionError(f"the hub's log says:\n{text[max(0, at - 500):at + 4000]}")

    @property
    def url(self):
        """Where this hub listens, whatever it tells partners."""
        if self.settings.get("public_url"):
            return f"http://{self.settings['public_listen']}"
        return self.info["hub_url"]

    @property
    def internal_url(self):
        return self.info["internal_url"]

    @property
    def versions_url(self):
        return self.info["versions_url"]

    def worker_pids(self):
        children = pathlib.Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        return [int(p) for p in children.read_text(encoding="ascii").split()]

    def ctl(self, *args):
        """hubctl --json; its answer."""
        done = subprocess.run([BUILD / "hub" / "hubctl", "--socket", self.settings["admin_socket"],
                               "--json", *args], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              text=True, check=False, timeout=60)
        if done.returncode:
            raise AssertionError(f"hubctl {' '.join(args)}: status {done.returncode}: {done.stdout}{done.stderr}")
        return json.loads(done.stdout)

    def say(self, *args, where=None, status=0):
        """hubctl as people call it, over the admin socket unless told; what it says."""
        where = where or ["--socket", self.settings["admin_socket"]]
        run = subprocess.run([BUILD / "hub" / "hubctl", *args, *where], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                             text=True, check=False, timeout=60)
        assert run.returncode == status, f"{args}: {run.returncode} {run.stdout} {run.stderr}"
        return run.stdout + run.stderr

    def admin(self, method, path, **kw):
        kw.setdefault("timeout", 30)
        headers = {"Authorization": f"Bearer {self.secrets.admin_token}", **kw.pop("headers", {})}
        return requests.request(method, f"{self.url}/v1/admin{path}", headers=headers, **kw)

    def invite(self, name, country="FI", party="VRT", role="CPO"):
        answer = self.admin("POST", "/partners/invite", json={
            "name": name, "country_code": country, "party_id": party, "role": role})
        return ok(answer)

    def workers_know(self, partner, **expected):
        """Waits until every worker has this (or what it is true of) of a partner: each question comes on a
        connection of its own."""
        def look():
            for _ in range(24):
                known = ok(self.admin("GET", f"/partners/{partner}"))
                for name, value in expected.items():
                    assert value(known[name]) if callable(value) else known[name] == value, (name, known)
            return True

        wait_until(look, 5, f"every worker to know {', '.join(expected)} of partner {partner}")

    def inspect(self, session_id):
        return ok(self.admin("GET", f"/sessions/{session_id}"))

    def metric(self, name, **labels):
        """The sum of a metric's samples that carry these labels."""
        total = 0.0
        for line in requests.get(self.internal_url + "/metrics", timeout=5).text.splitlines():
            sample, _, value = line.rpartition(" ")
            if sample.split("{")[0] == name and all(f'{k}="{v}"' in sample for k, v in labels.items()):
                total += float(value)
        return total


def ok(response, status=200):
    """The answer's JSON, provided that it has this status."""
    if response.status_code != status:
        raise AssertionError(f"{response.request.method} {response.request.url}: "
                             f"{response.status_code} {response.text}")
    return response.json()


def rounded(value, places):
    """As money and energy are rounded here: half away from zero."""
    return Decimal(str(value)).quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)


def problem(response, status, code):
    """The answer is this problem, in the shape of contract 3."""
    assert response.status_code == status, f"{response.status_code} instead of {status}: {response.text}"
    assert response.headers["Content-Type"].split(";")[0] == "application/problem+json"
    body = response.json()
    assert body["code"] == code, body
    assert body["status"] == status and body["title"] and body["type"].endswith("/" + code)
    assert body["request_id"] == response.headers["X-Request-ID"]
    return body


class User:
    """A driver's app. Without a token of its own it asks the hub's admin API for one."""

    def __init__(self, hub, sub=None, token=None):
        self.hub = hub
        self.sub = sub or f"user-{uuid.uuid4().hex[:12]}"
        self.token = token or ok(hub.admin("POST", "/tokens", json={"sub": self.sub}))["token"]
        self.http = requests.Session()
        self.http.headers["Authorization"] = f"Bearer {self.token}"

    def anew(self):
        """The next request comes on another connection, so that any worker may be the one to take it."""
        self.http.close()
        return self

    def call(self, method, path, **kw):
        kw.setdefault("timeout", 40)
        response = self.http.request(method, self.hub.url + path, **kw)
        if response.status_code == 429 and response.json().get("code") == "rate_limited":
            time.sleep(float(response.headers["Retry-After"]))
            response = self.http.request(method, self.hub.url + path, **kw)
        return response

    def start(self, evse_id, headers=None, **more):
        return self.call("POST", "/v1/sessions/start", json={"evse_id": evse_id, **more},
                         headers=headers)

    def stop(self, session_id, headers=None):
        return self.call("POST", "/v1/sessions/stop", json={"session_id": session_id},
                         headers=headers)

    def status(self, session_id, wait=None, headers=None):
        return self.call("GET", f"/v1/sessions/{session_id}/status",
                         params={"wait": wait} if wait else None, headers=headers)

    def receipt(self, session_id, **params):
        return self.call("GET", f"/v1/sessions/{session_id}/receipt", params=params)

    def set_profile(self, session_id, body):
        return self.call("POST", f"/v1/sessions/{session_id}/charging-profile", json=body)

    def clear_profile(self, session_id):
        return self.call("DELETE", f"/v1/sessions/{session_id}/charging-profile")

    def show(self, session_id):
        return self.call("GET", f"/v1/sessions/{session_id}")

    def list(self, **params):
        return self.call("GET", "/v1/sessions", params=params)

    def evse(self, evse_id):
        return self.call("GET", f"/v1/evses/{quote(evse_id, safe='')}")

    def wait_for(self, session_id, test, seconds=20, what="the session's status"):
        """The status object once test(it) holds; test may be a status."""
        wanted = test if callable(test) else lambda s: s["status"] == test

        def look():
            status = ok(self.status(session_id))
            return status if wanted(status) else None

        try:
            return wait_until(look, seconds, f"{what} ({test})")
        except AssertionError as e:
            raise AssertionError(f"{e}\nnow: {self.status(session_id).text}") from None

    def started(self, evse_id, **more):
        """The id of a session that is active."""
        session_id = ok(self.start(evse_id, **more))["session_id"]
        self.wait_for(session_id, "active")
        return session_id

    def finished(self, session_id):
        """Stops it and waits for the CDR; the receipt."""
        ok(self.stop(session_id))
        self.wait_for(session_id, "completed")
        return ok(self.receipt(session_id))


class Sim:
    """ocpi-sim as a CPO or an eMSP, and its control API."""

    def __init__(self, directory, *args, role="cpo"):
        self.directory = pathlib.Path(directory)
        self.directory.mkdir(parents=True, exist_ok=True)
        self.output = self.directory / "sim.out"
        with open(self.output, "wb") as stdout:
            self.process = Process([BUILD / "tests" / "ocpi-sim", role, *args],
                                   self.directory / "sim.log", stdout=stdout)
        self.info = wait_until(self._ready, 30, "ocpi-sim to be ready")
        self.control_url = self.info["control_url"]

    def _ready(self):
        if not self.process.running():
            raise RuntimeError(f"ocpi-sim ended: {self.process.tail()}{self.output.read_text()}")
        for line in self.output.read_text(encoding="utf-8").splitlines():
            with contextlib.suppress(ValueError):
                event = json.loads(line)
                if "control_url" in event:
                    return event
        return None

    def get(self, path, /, **params):
        return ok(requests.get(self.control_url + path, params=params, timeout=10))

    def post(self, path, /, **body):
        response = requests.post(self.control_url + path, json=body, timeout=30)
        if response.status_code // 100 != 2:
            raise AssertionError(f"POST {path} {body}: {response.status_code} {response.text}")
        return response.json() if response.content else None

    def behave(self, name, evse=None, times=None, after_s=None, on=True):
        body = {"name": name, "evse": evse, "times": times, "after_s": after_s, "on": on}
        return self.post("/sim/behave", **{k: v for k, v in body.items() if v is not None})

    def behave_well(self, name, evse=None):
        return self.behave(name, evse, on=False)

    def advance(self, seconds):
        return self.post("/sim/clock", advance_s=seconds)

    def violations(self):
        return self.get("/sim/violations")["violations"]

    def requests(self, **like):
        """What the hub sent, oldest first: method="POST", path="START_SESSION", contains=text."""
        return self.get("/sim/requests", **{k: v for k, v in like.items() if v})["requests"]

    def sent(self, **like):
        """What the simulator sent to the hub, with "status" and the hub's "answer"."""
        return self.get("/sim/sent", **{k: v for k, v in like.items() if v})["requests"]

    def commands(self, command, session_id=None):
        """Requests of one command; START_SESSION carries the session's id as its reference."""
        return self.requests(method="POST", path=f"/commands/{command}", contains=session_id)

    def session(self, authorization_reference):
        """The simulator's own view of the session that we started under this id, or None."""
        for s in self.get("/sim/sessions")["sessions"]:
            if s.get("authorization_reference") == authorization_reference:
                return s
        return None

    def session_cdr(self, authorization_reference):
        return self.session(authorization_reference)["cdr_id"]

    def stop(self):
        status = self.process.stop(10)
        log = self.process.log.read_text(encoding="utf-8", errors="replace")
        if "Sanitizer" in log or "runtime error:" in log:
            raise AssertionError(f"ocpi-sim: {log[-4000:]}")
        return status


class World:
    """Stores, a hub on them, and a CPO connected to it by a real handshake.

    A world beside another can share its servers: then it has a database of its own there.
    """

    def __init__(self, directory, stores=None, database=None, redis_db=0):
        self.directory = pathlib.Path(directory)
        self.directory.mkdir(parents=True, exist_ok=True)
        self.own_stores = stores is None
        self.stores = stores or stores_module.Stores(str(self.directory / "stores"), fast=True)
        self.database, self.redis_db = database, redis_db
        self.secrets = None
        self.hub = self.sim = None
        self.more = []  # simulators beside the CPO
        self._evse = 0

    def start(self, sim_args=("--speed", "60", "--world", "400"), sim=True, **settings):
        self.start_stores()
        self.start_hub(**settings)
        if sim:
            self.start_sim(*sim_args)
        return self

    def start_stores(self):
        if self.own_stores:
            self.stores.start()
        if self.database:
            self.sql_at(self.stores.database_url, f"CREATE DATABASE {self.database}")

    @property
    def database_url(self):
        url = self.stores.database_url
        return url.replace("/hub?", f"/{self.database}?") if self.database else url

    @property
    def redis_url(self):
        return self.stores.redis_url.replace("db=0", f"db={self.redis_db}")

    def start_hub(self, **settings):
        self.secrets = Secrets(self.directory / "secrets")
        self.hub = Hub(self.directory / "hub", self.database_url, self.redis_url, self.secrets,
                       **settings)
        self.hub.migrate()
        self.hub.start()

    def start_sim(self, *args, name="Virta", country="FI", party="VRT"):
        invitation = self.hub.invite(name, country, party)
        self.sim = Sim(self.directory / "sim", "--register", invitation["versions_url"],
                       "--token-a", invitation["token_a"], *args)
        return self.sim

    def wait_for_evse(self, evse_id, seconds=30):
        user = User(self.hub)
        wait_until(lambda: user.evse(evse_id).status_code == 200, seconds,
                   f"the locations of the CPO ({evse_id})")

    def fresh_evse(self, ac=False):
        """An EVSE nobody has used: CCS 150 kW, or Type 2 22 kW; both take profiles."""
        self._evse += 1
        return f"FI*VRT*E9{self._evse + 3:07d}*{2 if ac else 1}"

    @staticmethod
    def sql_at(url, statement, *args):
        import psycopg2  # pylint: disable=import-outside-toplevel

        with contextlib.closing(psycopg2.connect(url)) as connection:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute(statement, args or None)
                return cursor.fetchall() if cursor.description else None

    def sql(self, statement, *args):
        return self.sql_at(self.database_url, statement, *args)

    def location_told(self, location_id):
        """Waits until its pushes are noted as done: while one is under way, what is new goes into it."""
        wait_until(lambda: not self.sql(
            "SELECT 1 FROM outbox o JOIN location l ON l.id = o.object AND o.class = 'location'"
            " WHERE l.location_id = %s AND o.due_at IS NOT NULL", location_id), 15, f"all to be told of {location_id}")

    def redis(self):
        import redis  # pylint: disable=import-outside-toplevel

        path = self.stores.redis_url.split("//", 1)[1].split("?")[0]
        return redis.Redis(unix_socket_path=path, db=self.redis_db)

    def oracles(self):
        """What must hold in the database whatever has happened."""
        checks = {
            "completed without a receipt (I6)":
                "SELECT id FROM session s WHERE state = 'completed'"
                " AND NOT EXISTS (SELECT FROM receipt r WHERE r.session_id = s.id)",
            "a series of receipts with a gap (I8)":
                "SELECT series, year FROM receipt GROUP BY series, year"
                " HAVING max(seq) - min(seq) + 1 <> count(*)",
            "more than one start (I2)":
                "SELECT session_id FROM operation WHERE kind = 'start' GROUP BY session_id"
                " HAVING count(*) > 1",
            "a state that its last event does not explain (I19)":
                "SELECT s.id FROM session s WHERE s.state <> (SELECT e.to_state FROM session_event e"
                " WHERE e.session_id = s.id ORDER BY e.seq DESC LIMIT 1)",
            "failed without a reason":
                "SELECT id FROM session WHERE state = 'failed' AND failure_code IS NULL",
        }
        return [f"{what}: {rows}" for what, sql in checks.items() if (rows := self.sql(sql))]

    def stop(self):
        errors = []
        if self.hub and self.hub.process and self.stores.postgres_pid():
            try:
                errors += self.oracles()
            except Exception as e:  # pylint: disable=broad-except
                errors.append(f"the oracles could not be asked: {e}")
        for end in (*(sim.stop for sim in self.more), self.sim and self.sim.stop, self.hub and self.hub.remove,
                    self.stores.remove if self.own_stores else None):
            try:
                if end:
                    end()
            except Exception as e:  # pylint: disable=broad-except
                errors.append(str(e))
        self.sim = self.hub = None
        self.more = []
        if errors:
            raise AssertionError("\n".join(errors))
