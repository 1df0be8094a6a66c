# SPDX-License-Identifier: Apache-2.0
"""
./dev bench pull: does fetching a large network's places hold up the drivers?

ocpi-sim offers BENCH_PULL_LOCATIONS (20000) locations of three EVSEs. While the hub fetches them for
the first time, all of them again, and those that changed, one client asks for the status of a
running session a hundred times a second; the same at rest, in the same run, is the yardstick. Both
share the machine with the hub: the CPO is another company's, so it runs at the lowest priority, and
what each of them used is shown.
"""

import http.client
import json
import os
import pathlib
import statistics
import subprocess
import sys
import threading
import time


LOCATIONS = int(os.environ.get("BENCH_PULL_LOCATIONS", "20000"))
CHANGED = LOCATIONS // 10
PUSHED = 20  # at most: the place where the session runs tells of itself meanwhile
PER_SECOND = 100
REST_SECONDS = 15
LOOK_SECONDS = 0.5


class Driver:
    """Asks for one status at a steady pace, over a few connections; keeps how long each took. A
    process of its own, so that nothing else that this program does is counted."""

    def __init__(self, hub, token, session):
        what = {"host": hub.url.removeprefix("http://"), "path": f"/v1/sessions/{session}/status",
                "headers": {"Authorization": f"Bearer {token}"}}
        self.process = subprocess.Popen([sys.executable, __file__], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True)
        self.process.stdin.write(json.dumps(what) + "\n")
        self.process.stdin.flush()

    def end(self):
        out, _ = self.process.communicate("\n")
        assert self.process.returncode == 0, "the driver has failed"
        return json.loads(out)


def drive():
    what, taken = json.loads(sys.stdin.readline()), []
    over = threading.Event()
    threading.Thread(target=lambda: (sys.stdin.readline(), over.set()), daemon=True).start()
    connections = [http.client.HTTPConnection(what["host"]) for _ in range(8)]  # of both workers
    begun, n = time.perf_counter(), 0
    while not over.is_set():
        pause = begun + n / PER_SECOND - time.perf_counter()
        if pause > 0:
            time.sleep(pause)
        c = connections[n % len(connections)]
        at = time.perf_counter()
        try:
            c.request("GET", what["path"], headers=what["headers"])
            response = c.getresponse()
        except http.client.RemoteDisconnected:  # a connection has served as often as it may
            c.close()
            c.request("GET", what["path"], headers=what["headers"])
            response = c.getresponse()
        response.read()
        assert response.status == 200, response.status
        taken.append((time.perf_counter() - at) * 1000)
        n += 1
    print(json.dumps(taken))


def cpu_seconds(pids):
    """Of the processes, and of those children that they have waited for."""
    total = 0
    for pid in pids:
        try:
            fields = pathlib.Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2]
        except FileNotFoundError:  # it has just ended; its parent has its time
            continue
        total += sum(int(x) for x in fields.split()[11:15]) / os.sysconf("SC_CLK_TCK")
    return total


def used(world, driver):
    postgres = world.stores.postgres_pid()
    children = pathlib.Path(f"/proc/{postgres}/task/{postgres}/children").read_text(encoding="ascii")
    return {"hub": cpu_seconds(world.hub.worker_pids()),
            "Postgres": cpu_seconds([postgres, *children.split()]),
            "Redis": cpu_seconds([world.stores.redis_pid()]),
            "CPO": cpu_seconds([world.sim.process.pid]),
            "driver": cpu_seconds([driver.process.pid]),
            "all": machine_seconds()}


def machine_seconds():
    """All that anybody used."""
    fields = [int(x) for x in pathlib.Path("/proc/stat").read_text(encoding="ascii").split("\n", 1)[0].split()[1:]]
    return (sum(fields[:8]) - fields[3] - fields[4]) / os.sysconf("SC_CLK_TCK")


def measured(name, world, user, session, work):
    """work() returns how many locations it has brought in."""
    driver, workers = Driver(world.hub, user.token, session), world.hub.worker_pids()
    time.sleep(0.5)
    at, before = time.perf_counter(), used(world, driver)
    count = work()
    seconds = time.perf_counter() - at
    cpu = {k: v - before[k] for k, v in used(world, driver).items()}
    cpu["others"] = cpu["all"] - sum(v for k, v in cpu.items() if k != "all")
    ordered = sorted(driver.end())
    assert world.hub.worker_pids() == workers, "a worker has ended"
    return {"what": name, "seconds": seconds, "per_s": count / seconds, "requests": len(ordered),
            "p50": statistics.median(ordered), "p99": ordered[int(len(ordered) * 0.99)], "max": ordered[-1],
            "cpu": {k: 100 * v / seconds for k, v in cpu.items() if k != "all"}}


def pull_has_ended(world):
    return world.sql("SELECT count(*) FROM pull WHERE module = 'locations' AND due_at > hub_now()"
                     " AND lease_until IS NULL AND cursor IS NULL AND failures = 0") == [(1,)]


def pulled(world):
    """Until the pull of the locations has ended."""
    end = time.monotonic() + 600
    while not pull_has_ended(world):
        assert time.monotonic() < end, "the pull does not end"
        time.sleep(LOOK_SECONDS)


def run(world, say):
    from harness import SLOW, User, ok, wait_until  # pylint: disable=import-outside-toplevel

    say(f"a CPO with {LOCATIONS} locations of 3 EVSEs registers")
    world.start_sim("--locations", str(LOCATIONS), "--evses", "3", "--page", "100")
    os.setpriority(os.PRIO_PROCESS, world.sim.process.pid, min(19, os.nice(0) + 19))
    wait_until(lambda: world.sql("SELECT count(*) > 0 FROM location")[0][0], 60 * SLOW, "the first page")
    user = User(world.hub)
    world.wait_for_evse("FI*VRT*E12345", 60)
    session = ok(user.start("FI*VRT*E12345"))["session_id"]
    user.wait_for(session, "active", 60)
    rows = []

    def first():
        had = world.sql("SELECT count(*) FROM location")[0][0]
        pulled(world)
        count = world.sql("SELECT count(*) FROM location")[0][0]
        assert count == LOCATIONS, f"{count} locations were stored"
        return count - had

    def again(**changes):
        what = ", ".join(f"{k} = {v}" for k, v in changes.items())
        world.sql(f"UPDATE pull SET due_at = hub_now(){', ' + what if what else ''} WHERE module = 'locations'")
        pulled(world)

    def full():
        version = world.sql("SELECT sum(version) FROM location")[0][0]
        again(full_at="NULL")
        written = world.sql("SELECT sum(version) FROM location")[0][0] - version
        assert written <= PUSHED, f"{written} locations were written that had not changed"
        return LOCATIONS

    def delta():
        version = world.sql("SELECT sum(version) FROM location")[0][0]
        again()
        changed = world.sql("SELECT sum(version) FROM location")[0][0] - version
        assert CHANGED <= changed <= CHANGED + PUSHED, f"{changed} locations were written"
        return CHANGED

    def rest():
        end = time.monotonic() + REST_SECONDS
        while time.monotonic() < end:  # looking is not free
            pull_has_ended(world)
            time.sleep(LOOK_SECONDS)
        return 0

    say("the first pull: all of them are new")
    rows.append(measured("first pull, all new", world, user, session, first))
    time.sleep(20)  # what follows from that has been read by everybody
    say("at rest")
    rows.append(measured("at rest", world, user, session, rest))
    say("a full pull: nothing has changed")
    rows.append(measured("full pull, unchanged", world, user, session, full))
    world.sim.post("/sim/touch", count=CHANGED)
    say(f"a delta: {CHANGED} have changed")
    rows.append(measured("delta", world, user, session, delta))
    say("at rest again")
    rows.append(measured("at rest", world, user, session, rest))
    return rows


def show(rows):
    print(f"{'':23}{'s':>7}{'locations/s':>13}{'status requests':>17}{'p50 ms':>8}{'p99 ms':>8}{'max ms':>8}"
          f"   % of a core: {', '.join(rows[0]['cpu'])}")
    for r in rows:
        print(f"{r['what']:23}{r['seconds']:>7.1f}{r['per_s']:>13.0f}{r['requests']:>17}{r['p50']:>8.2f}"
              f"{r['p99']:>8.2f}{r['max']:>8.1f}   {' '.join(f'{v:.0f}' for v in r['cpu'].values())}")
    print(f"{LOCATIONS} locations of 3 EVSEs; {PER_SECOND} status requests a second by one client; the CPO "
          "(nice 19), the client, the hub's two workers, Postgres and Redis share this machine")


if __name__ == "__main__":
    drive()
