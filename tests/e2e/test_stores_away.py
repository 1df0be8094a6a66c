# SPDX-License-Identifier: Apache-2.0
"""
Stores that are away, come back, or come back empty, and hubs that die.
Each test has a world of its own.
"""

import concurrent.futures
import os
import signal
import time

import pytest
import requests
from harness import Hub, User, ok, wait_until


def unavailable(response):
    assert response.status_code == 503, f"{response.status_code} {response.text}"
    assert response.json()["code"] in ("store_unavailable", "starting_up", "overloaded")
    assert 1 <= int(response.headers["Retry-After"]) <= 10


def not_ready(w):
    """Whichever worker is asked."""
    wait_until(lambda: all(requests.get(w.hub.internal_url + "/readyz", timeout=5).status_code == 503 for _ in range(6)),
               what="all workers to notice")


# ---- Redis: losing it costs speed, never facts (I16) ----


def test_redis_is_flushed_while_sessions_run(make_world):
    w = make_world()
    user, evse = User(w.hub), w.fresh_evse()
    session_id = user.started(evse)
    before = ok(user.status(session_id))
    w.redis().flushall()
    after = ok(user.status(session_id))
    assert after["status"] == "active" and after["energy_kwh"] >= before["energy_kwh"]
    w.redis().flushall()
    receipt = user.finished(session_id)
    w.redis().flushall()
    assert ok(user.receipt(session_id)) == receipt
    assert ok(user.status(session_id))["status"] == "completed"


def test_redis_is_stopped_and_started_while_sessions_run(make_world):
    w = make_world()
    user, evse = User(w.hub), w.fresh_evse()
    first = user.started(evse)
    w.stores.stop("redis")
    assert ok(user.status(first))["status"] == "active"
    # A whole life without Redis: nothing is refused because of it.
    second = user.started(w.fresh_evse())
    began = time.monotonic()
    assert ok(user.status(second, wait=2))["status"] in ("active", "completed")
    assert time.monotonic() - began < 10
    ok(user.set_profile(second, {"max_charge_rate_kw": 7.4}))
    user.finished(second)
    assert requests.get(w.hub.internal_url + "/readyz", timeout=5).status_code == 200
    w.stores.start("redis")
    user.finished(first)
    third = user.started(w.fresh_evse())
    user.finished(third)
    assert all(len(w.sim.commands("START_SESSION", s)) == 1 for s in (first, second, third))


def test_redis_that_does_not_answer_is_like_none(make_world):
    w = make_world()
    user = User(w.hub)
    session_id = user.started(w.fresh_evse())
    pid = w.stores.redis_pid()
    os.kill(pid, signal.SIGSTOP)
    try:
        began = time.monotonic()
        for _ in range(10):
            assert ok(user.status(session_id))["status"] == "active"
        assert time.monotonic() - began < 5
    finally:
        os.kill(pid, signal.SIGCONT)
    user.finished(session_id)


def test_an_old_value_in_redis_never_wins(make_world):
    w = make_world()
    user = User(w.hub)
    session_id = user.started(w.fresh_evse())
    redis = w.redis()
    kept = {k: (redis.type(k), redis.dump(k)) for k in redis.keys("*")}
    user.finished(session_id)
    for key, (_, value) in kept.items():
        if value:
            redis.restore(key, 0, value, replace=True)
    # The old value may be seen until it is no longer sure (half a minute), never by the receipt.
    assert ok(user.receipt(session_id))["session_id"] == session_id
    assert ok(user.show(session_id))["status"] == "completed"
    redis.hset(f"hub:live:{session_id}", "t", int((time.time() - 31) * 1e6))
    assert ok(user.status(session_id))["status"] == "completed"
    # With Postgres away it is better than nothing.
    redis.hset(f"hub:live:{session_id}", "t", 0)
    w.stores.stop("postgres")
    not_ready(w)
    wait_until(lambda: user.status(session_id).status_code == 200, what="the last known status")
    w.stores.start("postgres")
    w.hub.wait_ready(30)


# ---- Postgres: nothing is promised that is not written ----


def test_postgres_is_stopped_and_started(make_world):
    w = make_world()
    user = User(w.hub)
    running, fresh = w.fresh_evse(), w.fresh_evse()
    session_id = user.started(running)
    w.stores.stop("postgres")
    starts = len(w.sim.commands("START_SESSION"))

    wait_until(lambda: user.start(fresh).status_code == 503, what="503")
    unavailable(user.start(fresh))
    unavailable(user.stop(session_id))
    unavailable(user.start(fresh, headers={"Idempotency-Key": "while-away"}))
    time.sleep(1)
    assert len(w.sim.commands("START_SESSION")) == starts, "a start went out without its row"
    # The live view still answers from Redis.
    assert ok(user.status(session_id))["status"] == "active"
    assert requests.get(w.hub.url + "/healthz", timeout=5).status_code == 200
    not_ready(w)

    w.stores.start("postgres")
    w.hub.wait_ready(30)
    again = user.start(fresh, headers={"Idempotency-Key": "while-away"})  # 503 was not stored
    assert ok(again)["status"] == "pending" and "Idempotent-Replay" not in again.headers
    user.wait_for(again.json()["session_id"], "active", 30)
    user.finished(session_id)
    user.finished(again.json()["session_id"])


def test_pushes_are_refused_while_postgres_is_away(make_world):
    """503, so that the CPO or our own pull repairs it; the session ends all the same."""
    w = make_world()
    user = User(w.hub)
    session_id = user.started(w.fresh_evse())
    w.stores.stop("postgres")
    seen = len(w.sim.sent(path="/sessions/"))
    refused = wait_until(lambda: [r for r in w.sim.sent(path="/sessions/")[seen:] if r["status"] is not None],
                         what="a push")
    assert {r["status"] for r in refused} == {503}
    w.stores.start("postgres")
    w.hub.wait_ready(30)
    user.finished(session_id)


def test_both_stores_are_away(make_world):
    w = make_world()
    user = User(w.hub)
    session_id = user.started(w.fresh_evse())
    w.stores.stop()
    wait_until(lambda: user.status(session_id).status_code == 503, what="503")
    unavailable(user.status(session_id))
    unavailable(user.start(w.fresh_evse()))
    assert requests.get(w.hub.url + "/healthz", timeout=5).status_code == 200
    not_ready(w)
    w.stores.start()
    w.hub.wait_ready(30)
    user.finished(session_id)


def test_the_hub_starts_before_its_stores(make_world):
    w = make_world()
    user = User(w.hub)
    w.hub.stop()
    w.stores.stop()
    w.hub.start(ready=False)
    unavailable(user.start(w.fresh_evse()))
    not_ready(w)
    w.stores.start()
    w.hub.wait_ready(30)
    user.finished(user.started(w.fresh_evse()))


def test_serve_never_migrates(make_world):
    """Without a schema the hub is not ready and says what to do."""
    w = make_world(sim=False)
    w.hub.stop()
    w.sql("DROP SCHEMA public CASCADE")
    w.sql("CREATE SCHEMA public")
    w.hub.start(ready=False)
    def told():
        answer = requests.get(w.hub.internal_url + "/readyz", timeout=5)
        assert answer.status_code == 503
        return "migrate" in answer.text
    wait_until(told, 10, "what to do")
    w.hub.migrate()
    w.hub.wait_ready(30)


def test_migrate_can_be_repeated(make_world):
    w = make_world(sim=False)

    def columns():  # those of partitions come and go with the days
        return w.sql("SELECT c.relname, a.attname, a.atttypid::regtype::text FROM pg_class c"
                     " JOIN pg_attribute a ON a.attrelid = c.oid"
                     " WHERE c.relnamespace = 'public'::regnamespace AND NOT c.relispartition"
                     " AND c.relkind IN ('r', 'p') AND a.attnum > 0 ORDER BY 1, 2")

    before = columns()
    w.hub.migrate()
    w.hub.migrate()
    assert before == columns()


# ---- the hub dies ----


def test_a_killed_worker_is_replaced(make_world):
    w = make_world(workers=2)
    user = User(w.hub)
    session_id = user.started(w.fresh_evse())
    workers = set(w.hub.worker_pids())
    assert len(workers) == 2
    for pid in workers:
        os.kill(pid, signal.SIGKILL)
    wait_until(lambda: len(set(w.hub.worker_pids()) - workers) == 2, what="new workers")
    w.hub.wait_ready()
    wait_until(lambda: user.status(session_id).status_code == 200, what="an answer")
    user.finished(session_id)


@pytest.mark.slow
def test_no_acknowledged_start_is_lost_or_doubled_by_kill_9(make_world):
    """I1, I2: starts while the whole hub is killed; then a new one finishes what was promised."""
    w = make_world(sim_args=("--speed", "60", "--world", "80"))
    w.wait_for_evse("FI*VRT*E90000080*2")
    evses = [w.fresh_evse() for _ in range(40)]
    users = [User(w.hub) for _ in evses]
    acknowledged = []

    def start(pair):
        user, evse = pair
        try:
            answer = user.start(evse)
            if answer.status_code == 200:
                acknowledged.append((user, answer.json()["session_id"]))
        except requests.RequestException:
            pass

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        futures = [pool.submit(start, pair) for pair in zip(users, evses)]
        wait_until(lambda: len(acknowledged) >= 10, what="the first starts")
        w.hub.kill()
        concurrent.futures.wait(futures)
    w.hub.start()
    assert len(acknowledged) >= 10
    for user, session_id in acknowledged:
        status = user.wait_for(session_id, lambda s: s["status"] != "pending"
                               or s["substatus"] == "command_unclear", 30)
        # A car that is full ends the session by itself.
        assert status["status"] != "stopping" or status["substatus"] == "awaiting_cdr", status
        assert status["status"] != "failed" or status["failure_code"]
    references = [r["body"]["authorization_reference"] for r in w.sim.commands("START_SESSION")]
    assert len(references) == len(set(references)), "a start went out twice"
    # Everything the network began is known here.
    for s in w.sim.get("/sim/sessions")["sessions"]:
        assert w.sql("SELECT 1 FROM session WHERE id = %s", s["authorization_reference"])


def test_a_stop_survives_kill_9(make_world):
    """I4: promised before, carried out after."""
    w = make_world()
    user, evse = User(w.hub), w.fresh_evse()
    session_id = user.started(evse)
    w.sim.behave("hang", evse)
    ok(user.stop(session_id))
    w.hub.kill()
    w.sim.behave_well("hang", evse)
    w.hub.start()
    user.wait_for(session_id, "completed", 45)


def test_an_orderly_restart_loses_nobody(make_world):
    w = make_world()
    user = User(w.hub)
    session_id = user.started(w.fresh_evse())
    w.hub.restart()
    assert ok(user.status(session_id))["status"] == "active"
    user.finished(session_id)


def test_a_reload_serves_on(make_world):
    """SIGHUP: new workers take over, no request fails."""
    w = make_world()
    user = User(w.hub)
    session_id = user.started(w.fresh_evse())
    before = set(w.hub.worker_pids())
    w.hub.settings["name"] = "Hub 2"
    w.hub.write_config()
    w.hub.reload()
    end = time.monotonic() + 3
    while time.monotonic() < end:
        assert requests.get(w.hub.url + f"/v1/sessions/{session_id}/status", timeout=10,
                            headers={"Authorization": f"Bearer {user.token}"}).status_code == 200
    wait_until(lambda: not before & set(w.hub.worker_pids()), 35, "the old workers to leave")
    user.finished(session_id)


def test_a_reload_with_a_broken_configuration_changes_nothing(make_world):
    w = make_world(sim=False)
    before = set(w.hub.worker_pids())
    good = w.hub.config.read_text(encoding="utf-8")
    w.hub.config.write_text(good.replace("workers = 2", "workers = many"), encoding="utf-8")
    w.hub.reload()
    time.sleep(1)
    assert set(w.hub.worker_pids()) == before
    assert requests.get(w.hub.url + "/healthz", timeout=5).status_code == 200


def test_a_reload_whose_workers_cannot_start_keeps_the_old_ones(make_world):
    """The configuration reads well, but a worker cannot work by it."""
    w = make_world(sim=False)
    before = set(w.hub.worker_pids())
    w.hub.settings["allow_private_urls"] = "nonsense"
    w.hub.write_config()
    w.hub.reload()
    wait_until(lambda: "the old configuration stays" in w.hub.log.read_text(encoding="utf-8"), 15,
               "the reload to be given up")
    wait_until(lambda: set(w.hub.worker_pids()) == before, 15, "the new workers to be gone")
    assert requests.get(w.hub.url + "/healthz", timeout=5).status_code == 200


def test_two_hubs_on_the_same_stores_are_one(make_world):
    """More machines: a session started here is seen, shaped and stopped there."""
    w = make_world()
    # Behind a balancer both have one public URL; here we go to the second one's own port.
    other = Hub(w.directory / "second", w.database_url, w.redis_url, w.secrets,
                public_url=w.hub.url, jwt_keys_file=w.hub.settings["jwt_keys_file"])
    other.start()
    try:
        here = User(w.hub)
        there = User(other, here.sub, here.token)
        session_id = here.started(w.fresh_evse())
        assert ok(there.status(session_id))["status"] == "active"
        ok(there.stop(session_id))
        here.wait_for(session_id, "completed")
        assert len(w.sim.commands("START_SESSION", session_id)) == 1
    finally:
        other.remove()
