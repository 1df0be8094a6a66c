# SPDX-License-Identifier: Apache-2.0
"""
./dev bench pull: does fetching a large network's places hold up the drivers?

ocpi-sim offers BENCH_PULL_LOCATIONS (20000) locations of three EVSEs. While the hub fetches them for
the first time, all of them again, and those that changed, one client asks for the status of a
running session a hundred times a second; the same at rest, in the same run, is the yardstick.
"""

import http.client
import os
import statistics
import threading
import time

from harness import SLOW, User, ok, wait_until

LOCATIONS = int(os.environ.get("BENCH_PULL_LOCATIONS", "20000"))
CHANGED = LOCATIONS // 10
PUSHED = 20  # at most: the place where the session runs tells of itself meanwhile
PER_SECOND = 100
REST_SECONDS = 15


class Driver(threading.Thread):
    """Asks for one status at a steady pace, over a few connections; keeps how long each took."""

    def __init__(self, hub, token, session):
        super().__init__(daemon=True)
        self.host = hub.url.removeprefix("http://")
        self.path, self.headers = f"/v1/sessions/{session}/status", {"Authorization": f"Bearer {token}"}
        self.taken, self.over = [], threading.Event()

    def run(self):
        connections = [http.client.HTTPConnection(self.host) for _ in range(8)]  # of both workers
        begun, n = time.perf_counter(), 0
        while not self.over.is_set():
            pause = begun + n / PER_SECOND - time.perf_counter()
            if pause > 0:
                time.sleep(pause)
            c = connections[n % len(connections)]
            at = time.perf_counter()
            try:
                c.request("GET", self.path, headers=self.headers)
                response = c.getresponse()
            except http.client.RemoteDisconnected:  # a connection has served as often as it may
                c.close()
                c.request("GET", self.path, headers=self.headers)
                response = c.getresponse()
            response.read()
            assert response.status == 200, response.status
            self.taken.append((time.perf_counter() - at) * 1000)
            n += 1


def measured(name, world, user, session, work):
    """work() returns how many locations it has brought in."""
    driver, workers = Driver(world.hub, user.token, session), world.hub.worker_pids()
    driver.start()
    at = time.perf_counter()
    count = work()
    seconds = time.perf_counter() - at
    driver.over.set()
    driver.join()
    assert world.hub.worker_pids() == workers, "a worker has ended"
    ordered = sorted(driver.taken)
    return {"what": name, "seconds": seconds, "per_s": count / seconds, "requests": len(ordered),
            "p50": statistics.median(ordered), "p99": ordered[int(len(ordered) * 0.99)], "max": ordered[-1]}


def pulled(world):
    """Until the pull of the locations has ended."""
    wait_until(lambda: world.sql("SELECT count(*) FROM pull WHERE module = 'locations' AND due_at > hub_now()"
                                 " AND lease_until IS NULL AND cursor IS NULL AND failures = 0") == [(1,)],
               600, "the pull to end")


def run(world, say):
    say(f"a CPO with {LOCATIONS} locations of 3 EVSEs registers")
    world.start_sim("--locations", str(LOCATIONS), "--evses", "3", "--page", "100")
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
        time.sleep(REST_SECONDS)
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
    print(f"{'':25}{'s':>7}{'locations/s':>13}{'status requests':>17}{'p50 ms':>8}{'p99 ms':>8}{'max ms':>8}")
    for r in rows:
        print(f"{r['what']:25}{r['seconds']:>7.1f}{r['per_s']:>13.0f}{r['requests']:>17}{r['p50']:>8.2f}"
              f"{r['p99']:>8.2f}{r['max']:>8.1f}")
    print(f"{LOCATIONS} locations of 3 EVSEs; {PER_SECOND} status requests a second by one client; the CPO, "
          "the hub's two workers, Postgres and Redis share this machine")
