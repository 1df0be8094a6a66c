#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
./dev run: private stores and a hub in the foreground until Ctrl-C.

var/run/hub.json says where everything is; it appears when the hub is ready and goes when it ends.
Arguments name=value are settings of the hub.
"""

import json
import os
import shutil
import signal
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "e2e"))
from harness import ROOT, World, run_directory, stores_module  # noqa: E402

RUN = ROOT / "var" / "run"


def write_atomically(path, value):
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(fd, "w", encoding="utf-8") as f:
        json.dump(value, f, indent=2)
        f.write("\n")
    os.replace(temporary, path)


def remove_if_ours(path):
    try:
        if json.loads(path.read_text(encoding="utf-8"))["pid"] == os.getpid():
            path.unlink()
    except (OSError, ValueError, KeyError):
        pass


def follow(log, world):
    """Prints the hub's log as it grows, until the hub ends."""
    with open(log, encoding="utf-8", errors="replace") as f:
        while True:
            line = f.readline()
            if line:
                print(line, end="", file=sys.stderr, flush=True)
            elif not world.hub.process.running():
                return
            else:
                time.sleep(0.1)


def main():
    def interrupted(*_):
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, interrupted)
    signal.signal(signal.SIGINT, interrupted)
    settings = {}
    for argument in sys.argv[1:]:
        name, equals, value = argument.partition("=")
        if not equals:
            sys.exit(f"run: \"{argument}\" is not name=value")
        settings[name] = value

    directory = run_directory("hub")
    world = World(directory)
    path = RUN / "hub.json"
    try:
        print("==> Starting Postgres and Redis, applying migrations, starting the hub",
              file=sys.stderr)
        world.start(sim=False, **settings)
        write_atomically(path, {
            **world.hub.info, "pid": os.getpid(), "hub_pid": world.hub.process.pid,
            "database_url": world.database_url, "redis_url": world.redis_url,
            "config": str(world.hub.config), "admin_socket": str(world.hub.settings["admin_socket"]),
            "admin_token_file": str(world.secrets.admin_token_file),
            "dev_jwt_key_file": str(world.secrets.dev_jwt_key),
        })
        print(f"==> {world.hub.url} is ready; everything else: {path.relative_to(ROOT)}; "
              "Ctrl-C ends", file=sys.stderr)
        follow(world.hub.log, world)
        return 1
    except KeyboardInterrupt:
        return 0
    except (AssertionError, RuntimeError, stores_module.StoresError) as e:
        print(f"run: {e}", file=sys.stderr)
        return 1
    finally:
        remove_if_ours(path)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        try:
            world.stop()
        finally:
            shutil.rmtree(directory, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
