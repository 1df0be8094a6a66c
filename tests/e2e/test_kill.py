# SPDX-License-Identifier: Apache-2.0
"""
kill -9 of the hub's whole process group while starts are in flight, again and again.

Whatever was answered must be found afterwards (I1), no EVSE may have been told twice (I2), and
each CDR that was answered with success is there once, with one receipt unless a person has to
decide (I5, I6).
"""

import collections
import concurrent.futures
import random
import time

import pytest
import requests

from harness import SLOW, User, ok, wait_until

ROUNDS, STARTS, THREADS = 10, 200, 40
GRACE_S = 5  # start_grace: with the 75 s of an unanswered command an unclear start ends in 80 s


def start_until_killed(user, evse_id, answered):
    try:
        response = user.start(evse_id, connector_type="CCS")
    except requests.RequestException:
        return  # the hub died under it: nothing was promised
    if response.status_code == 200:
        answered.append((response.json()["session_id"], user))
    else:
        assert response.status_code in (409, 503), response.text


def one_round(world, users, rng):
    """Starts 200 sessions, kills the hub somewhere among them; those that were answered."""
    answered = []
    with concurrent.futures.ThreadPoolExecutor(THREADS) as pool:
        jobs = [pool.submit(start_until_killed, rng.choice(users), world.fresh_evse(), answered)
                for _ in range(STARTS)]
        time.sleep(rng.uniform(0.02, 1.2) * SLOW)
        world.hub.kill()
        for job in jobs:
            job.result()
    world.hub.start()
    return answered


def pull_now(world, module):
    """The safety net, without the hour's wait: what a CPO could not deliver is fetched."""
    world.sql("UPDATE pull SET due_at = now(), lease_until = NULL WHERE module = %s", module)


def is_settled(world, session_id):
    state, substatus = world.sql(
        "SELECT state::text, substatus FROM session WHERE id = %s", session_id)[0]
    return state in ("active", "completed", "failed") or (state, substatus) == ("stopping", "recovered")


@pytest.mark.timeout(900)
def test_nothing_answered_is_lost_and_nothing_is_started_twice(make_world):
    rng = random.Random(20260330)
    world = make_world(max_open_sessions=10000, start_grace=f"{GRACE_S}s",
                       sim_args=("--speed", "20", "--world", str(ROUNDS * STARTS + 10)))
    world.wait_for_evse(f"FI*VRT*E9{ROUNDS * STARTS + 5:07d}*1", 120)
    users = [User(world.hub) for _ in range(50)]
    answered = []
    for _ in range(ROUNDS):
        answered += one_round(world, users, rng)
    assert len(answered) > ROUNDS, "the kills came before anything was answered"

    # A process that died between claim and answer leaves its lease (30 s), then facts decide.
    time.sleep(31)
    pull_now(world, "sessions")
    pending = {session_id for session_id, _ in answered}

    def all_settled():
        for session_id in list(pending):
            if is_settled(world, session_id):
                pending.discard(session_id)
        return not pending

    wait_until(all_settled, 75 + GRACE_S + 60, "every answered start to end or to run")

    # I1: known to its owner; I2: at most one START_SESSION each, none for what was never stored.
    for session_id, user in answered:
        assert user.status(session_id).status_code == 200
    sent = collections.Counter(
        r["body"]["authorization_reference"] for r in world.sim.commands("START_SESSION"))
    assert sent and max(sent.values()) == 1
    stored = {row[0] for row in world.sql("SELECT id::text FROM session")}
    assert {i for i, _ in answered} <= stored and set(sent) <= stored

    # The state is the CPO's.
    for session_id, _ in answered:
        theirs = world.sim.session(session_id)
        state = world.sql("SELECT state::text FROM session WHERE id = %s", session_id)[0][0]
        running = bool(theirs) and theirs["status"] == "ACTIVE"
        assert (state == "active") == running or state == "stopping", (session_id, state, theirs)

    # Everything that runs is stopped, while the hub is killed twice more.
    running = [i for i, in world.sql("SELECT id::text FROM session WHERE state = 'active'")]
    owner = dict(world.sql("SELECT id::text, user_id FROM session"))
    by_sub = {u.sub: u for u in users}
    for n, session_id in enumerate(running):
        ok(by_sub[owner[session_id]].stop(session_id))
        if n in (len(running) // 3, 2 * len(running) // 3):
            world.hub.kill()
            world.hub.start()

    def all_ended():
        pull_now(world, "sessions")
        pull_now(world, "cdrs")
        time.sleep(2)
        return not world.sql("SELECT 1 FROM session WHERE state IN ('pending', 'active', 'stopping')"
                             " AND substatus IS DISTINCT FROM 'recovered' LIMIT 1")

    wait_until(all_ended, 120, "every session to end")

    # I5, I6: each CDR once; one receipt each, unless it waits for a person.
    accepted = {r["body"]["id"] for r in world.sim.sent(method="POST", path="/cdrs")
                if r["status"] in (200, 201)}
    rows = world.sql("SELECT cdr_id, count(*) FROM cdr GROUP BY cdr_id")
    assert all(n == 1 for _, n in rows) and accepted <= {i for i, _ in rows}
    without = world.sql(
        "SELECT c.cdr_id FROM cdr c LEFT JOIN receipt r ON r.cdr = c.id WHERE r.id IS NULL"
        " AND NOT EXISTS (SELECT FROM finance_case f WHERE f.resolved_at IS NULL"
        " AND (f.cdr = c.id OR f.session_id = c.session_id))")
    assert without == []
    assert world.sql("SELECT count(*) FROM receipt GROUP BY cdr HAVING count(*) > 1") == []
    # I8: numbers without gaps.
    assert all(row[0] for row in world.sql(
        "SELECT max(seq) - min(seq) + 1 = count(*) FROM receipt GROUP BY series, year"))
