#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
Private Postgres and Redis on unix sockets, for tests and for ./dev.

    python3 tests/stores.py start DIR [--fast] [postgres|redis]   prints JSON: database_url, redis_url
    python3 tests/stores.py stop DIR [postgres|redis]
    python3 tests/stores.py pid DIR postgres|redis
    python3 tests/stores.py remove DIR                            stops both and deletes the data
    python3 tests/stores.py run [--fast] [DIR] -- COMMAND...      with DATABASE_URL, REDIS_URL, STORES_DIR

As a module: with stores.Stores(directory, fast=True) as s: use(s.database_url, s.redis_url).

Neither opens a TCP port. Root cannot run Postgres, so then both run as an unprivileged system user
that owns the data. --fast gives durability up: never for data somebody wants to keep. Starting what
runs already is fine. The servers outlive this program until they are stopped.
"""

import argparse
import json
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

USERS = ("postgres", "redis", "nobody")
SOCKET_PATH_MAX = 100  # sockaddr_un has 108
DATABASE = "hub"

SETTINGS = {
    "listen_addresses": "''",
    "max_connections": "200",
    "shared_buffers": "64MB",
    "timezone": "'UTC'",
    "log_timezone": "'UTC'",
    "max_wal_size": "512MB",
    "log_min_error_statement": "panic",
    "idle_in_transaction_session_timeout": "'5s'",
}
SETTINGS_FAST = {"fsync": "off", "full_page_writes": "off", "autovacuum_naptime": "'10min'"}


class StoresError(Exception):
    pass


def postgres_program(name):
    """Debian keeps the server's programs out of the path."""
    for version in ("15", "16", "17", "14"):
        path = f"/usr/lib/postgresql/{version}/bin/{name}"
        if os.access(path, os.X_OK):
            return path
    path = shutil.which(name)
    if not path:
        raise StoresError(f"{name} is not installed (Debian package postgresql-15)")
    return path


def wait_until(true, seconds, what):
    end = time.monotonic() + seconds
    while not true():
        if time.monotonic() > end:
            raise StoresError(f"gave up waiting until {what}")
        time.sleep(0.02)


def process_runs(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as stat:
            return stat.read().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


class Stores:
    def __init__(self, directory, fast=False):
        self.directory = os.path.abspath(directory)
        self.fast = fast
        self._redis = None
        self._run_as = {}
        self._owner = None
        if os.geteuid() == 0:
            for name in USERS:
                try:
                    self._owner = pwd.getpwnam(name)
                    break
                except KeyError:
                    continue
            if not self._owner:
                raise StoresError("no unprivileged user to run Postgres as")
            self._run_as = {"user": self._owner.pw_uid, "group": self._owner.pw_gid,
                            "extra_groups": []}
        self._load()

    # Where things lie: decided at the first start, kept in DIR/stores.json.

    def _load(self):
        try:
            with open(os.path.join(self.directory, "stores.json"), encoding="utf-8") as f:
                state = json.load(f)
        except FileNotFoundError:
            state = {}
        self._data, self._sockets = state.get("data"), state.get("sockets")
        self.fast = state.get("fast", self.fast)
        # A machine that was started again has emptied /tmp.
        if self._sockets and not os.path.isdir(self._sockets):
            self._sockets = None

    def _settle(self):
        os.makedirs(self.directory, exist_ok=True)
        if not self._data or not os.path.isdir(self._data):
            self._data = self._own_directory("data")
        if not self._sockets:
            self._sockets = self._own_directory("s", path_max=SOCKET_PATH_MAX)
        state = {"data": self._data, "sockets": self._sockets, "fast": self.fast,
                 "database_url": self.database_url, "redis_url": self.redis_url}
        with open(os.path.join(self.directory, "stores.json"), "w", encoding="utf-8") as f:
            json.dump(state, f, indent=1)

    def _own_directory(self, name, path_max=None):
        """Below DIR where that will do; else below /tmp: too long, or closed to the other user."""
        path = os.path.join(self.directory, name)
        if path_max and len(os.path.join(path, ".s.PGSQL.5432.lock")) >= path_max:
            return self._own(tempfile.mkdtemp(prefix="hub-", dir="/tmp"))
        os.makedirs(path, exist_ok=True)
        self._own(path)
        if self._owner and subprocess.run(["test", "-w", path], check=False,
                                          **self._run_as).returncode:
            os.rmdir(path)
            return self._own(tempfile.mkdtemp(prefix="hub-", dir="/tmp"))
        return path

    def _own(self, path):
        os.chmod(path, 0o700)
        if self._owner:
            os.chown(path, self._owner.pw_uid, self._owner.pw_gid)
        return path

    @property
    def database_url(self):
        return f"postgresql:///{DATABASE}?host={self._sockets}&user={DATABASE}"

    @property
    def redis_url(self):
        return f"unix://{self._sockets}/redis.sock?db=0"

    def urls(self):
        return {"database_url": self.database_url, "redis_url": self.redis_url}

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.stop()

    def start(self, which=None):
        self._settle()
        if which in (None, "postgres"):
            self.start_postgres()
        if which in (None, "redis"):
            self.start_redis()

    def stop(self, which=None):
        if not self._data:
            return
        if which in (None, "redis"):
            self.stop_redis()
        if which in (None, "postgres"):
            self.stop_postgres()

    def remove(self):
        self.stop()
        for path in (self._sockets, self._data):
            if path:
                shutil.rmtree(path, ignore_errors=True)
        shutil.rmtree(self.directory, ignore_errors=True)

    # ---- Postgres ----

    def _postgres(self, program, *args):
        done = subprocess.run([postgres_program(program), *args], cwd="/", check=False,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, **self._run_as)
        if done.returncode:
            log = ""
            try:
                with open(self._log, encoding="utf-8", errors="replace") as f:
                    log = "".join(f.readlines()[-10:])
            except OSError:
                pass
            raise StoresError(f"{program} failed: {done.stdout}{log}")
        return done.stdout

    @property
    def _cluster(self):
        return os.path.join(self._data, "postgres")

    @property
    def _log(self):
        return os.path.join(self._data, "postgres.log")

    def postgres_pid(self):
        try:
            with open(os.path.join(self._cluster, "postmaster.pid"), encoding="ascii") as f:
                pid = int(f.readline())
        except (OSError, ValueError):
            return None
        try:
            cwd = os.readlink(f"/proc/{pid}/cwd")
        except OSError:
            return None
        return pid if os.path.realpath(self._cluster) == cwd and process_runs(pid) else None

    def start_postgres(self):
        if self.postgres_pid():
            return
        if not os.path.exists(os.path.join(self._cluster, "PG_VERSION")):
            shutil.rmtree(self._cluster, ignore_errors=True)
            self._postgres("initdb", "-D", self._cluster, "-U", DATABASE, "-A", "trust", "-E", "UTF8",
                           "--locale=C.UTF-8", "--data-checksums", *(["-N"] if self.fast else []))
            settings = {**SETTINGS, **(SETTINGS_FAST if self.fast else {})}
            with open(os.path.join(self._cluster, "postgresql.auto.conf"), "a",
                      encoding="ascii") as f:
                f.writelines(f"{name} = {value}\n" for name, value in settings.items())
        # -c keeps the socket directory out of the configuration: it may move.
        self._postgres("pg_ctl", "-D", self._cluster, "-l", self._log, "-w", "-s", "-t", "30",
                       "-o", f"-c unix_socket_directories='{self._sockets}'", "start")
        psql = [postgres_program("psql"), "-h", self._sockets, "-U", DATABASE, "-d", "postgres",
                "-qAtc"]
        found = subprocess.run([*psql, f"SELECT 1 FROM pg_database WHERE datname = '{DATABASE}'"],
                               check=True, stdout=subprocess.PIPE, text=True)
        if not found.stdout.strip():
            subprocess.run([*psql, f"CREATE DATABASE {DATABASE}"], check=True)

    def stop_postgres(self):
        if self.postgres_pid():
            mode = "immediate" if self.fast else "fast"
            self._postgres("pg_ctl", "-D", self._cluster, "-m", mode, "-w", "-s", "-t", "30", "stop")

    # ---- Redis ----

    def _redis_says(self, command):
        path = os.path.join(self._sockets, "redis.sock")
        try:
            with socket.socket(socket.AF_UNIX) as s:
                s.settimeout(2)
                s.connect(path)
                s.sendall(command.encode() + b"\r\n")
                return s.recv(65536).decode()
        except OSError:
            return None

    def redis_pid(self):
        try:
            with open(os.path.join(self._data, "redis.pid"), encoding="ascii") as f:
                pid = int(f.read())
            with open(f"/proc/{pid}/cmdline", encoding="utf-8", errors="replace") as f:
                ours = os.path.join(self._sockets, "redis.sock") in f.read()
        except (OSError, ValueError):
            return None
        return pid if ours and process_runs(pid) else None

    def start_redis(self):
        if self._redis_says("PING") == "+PONG\r\n":
            return
        program = shutil.which("redis-server")
        if not program:
            raise StoresError("redis-server is not installed (Debian package redis-server)")
        path = os.path.join(self._sockets, "redis.sock")
        with open(os.path.join(self._data, "redis.log"), "ab") as log:
            self._redis = subprocess.Popen(
                [program, "--port", "0", "--unixsocket", path, "--unixsocketperm", "700",
                 "--save", "", "--appendonly", "no", "--dir", self._data, "--daemonize", "no",
                 "--proc-title-template", "redis-server {unixsocket}"],
                cwd="/", stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
                **self._run_as)
        with open(os.path.join(self._data, "redis.pid"), "w", encoding="ascii") as f:
            f.write(str(self._redis.pid))

        def ready():
            if self._redis.poll() is not None:
                with open(os.path.join(self._data, "redis.log"), encoding="utf-8",
                          errors="replace") as f:
                    raise StoresError("redis-server ended: " + "".join(f.readlines()[-5:]))
            return self._redis_says("PING") == "+PONG\r\n"

        wait_until(ready, 10, "redis-server answers")

    def stop_redis(self):
        pid = self.redis_pid()
        if pid:
            os.kill(pid, signal.SIGCONT)
            os.kill(pid, signal.SIGTERM)
        if self._redis:
            self._redis.wait(10)
            self._redis = None
        elif pid:
            wait_until(lambda: not process_runs(pid), 10, "redis-server has ended")


def run(directory, fast, command):
    temporary = directory is None
    if temporary:
        directory = tempfile.mkdtemp(prefix="hub-stores-", dir="/tmp")
        os.chmod(directory, 0o755)
    s = Stores(directory, fast)
    try:
        s.start()
        environment = dict(os.environ, DATABASE_URL=s.database_url, REDIS_URL=s.redis_url,
                           STORES_DIR=s.directory)
        return subprocess.run(command, env=environment, check=False).returncode
    finally:
        if temporary:
            s.remove()
        else:
            s.stop()


def main():
    arguments = sys.argv[1:]
    command = []
    if "--" in arguments:
        at = arguments.index("--")
        arguments, command = arguments[:at], arguments[at + 1:]
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("action", choices=("start", "stop", "pid", "remove", "run"))
    parser.add_argument("directory", nargs="?")
    parser.add_argument("which", nargs="?", choices=("postgres", "redis"))
    parser.add_argument("--fast", action="store_true", help="no fsync: for tests")
    a = parser.parse_args(arguments)
    if a.action == "run":
        if not command:
            parser.error("run: -- COMMAND is missing")
        code = run(a.directory, a.fast, command)
        sys.exit(code if code >= 0 else 128 - code)
    if not a.directory:
        parser.error("a directory is needed")
    s = Stores(a.directory, a.fast)
    if a.action == "start":
        s.start(a.which)
        print(json.dumps(s.urls()))
    elif a.action == "stop":
        s.stop(a.which)
    elif a.action == "remove":
        s.remove()
    else:
        pid = s.postgres_pid() if a.which == "postgres" else s.redis_pid()
        if not pid:
            sys.exit(1)
        print(pid)


if __name__ == "__main__":
    try:
        main()
    except StoresError as e:
        print(f"stores: {e}", file=sys.stderr)
        sys.exit(1)
