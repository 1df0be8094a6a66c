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
SPEED = 2
GRACE_S = 30  # start_grace: with the 75 s of an unanswered command an unclear start ends in 105 s
PULL_S = 8

# What no longer waits for the network, nor for a timer: a late start waits for a person.
SETTLED = "(state IN ('active', 'completed', 'failed') OR state = 'stopping' AND recovered_from IS NOT NULL)"


def start_until_killed(user, evse_id, outcomes):
    try:
        response = user.start(evse_id, connector_type="CCS")
    except requests.RequestException:
        outcomes.append(("unanswered", None, user))  # the hub died under it: nothing was promised
        return
    assert response.status_code in (200, 409, 503), response.text
    session_id = response.json()["session_id"] if response.status_code == 200 else None
    outcomes.append((str(response.status_code), session_id, user))


def one_round(world, users, rng, number):
    """Starts 200 sessions, kills the hub somewhere among them; what became of each. In every second
    round the CPO answers a second after it has carried the command out: the kill falls between. In
    the others some answers are lost, which makes the start unclear while the hub lives."""
    outcomes = []
    if number % 2:
        world.sim.behave("slow-answer", after_s=SPEED)
    else:
        world.sim.behave("lost-answer", times=3)
    with concurrent.futures.ThreadPoolExecutor(THREADS) as pool:
        jobs = [pool.submit(start_until_killed, rng.choice(users), world.fresh_evse(), outcomes)
                for _ in range(STARTS)]
        time.sleep(rng.uniform(0.02, 1.2) * SLOW)
        world.hub.kill()
        for job in jobs:
            job.result()
    world.sim.behave_well("slow-answer")
    world.sim.behave_well("lost-answer")
    world.hub.start()
    return outcomes


def pull_now(world):
    """The safety net, without the hour's wait: what a CPO could not deliver is fetched. The lease
    that a dead process left is waited for."""
    world.sql("UPDATE pull SET due_at = now() WHERE module IN ('sessions', 'cdrs')"
              " AND due_at > now() AND coalesce(lease_until < now(), true)")


def wait_with_pulls(world, look, seconds, what):
    pulled_at = 0.0

    def pull_and_look():
        nonlocal pulled_at
        if time.monotonic() - pulled_at > PULL_S:
            pull_now(world)
            pulled_at = time.monotonic()
        return look()

    wait_until(pull_and_look, seconds, what)


def differences(world):
    """Where our state is not the CPO's; both sides are looked at once."""
    theirs = {s["authorization_reference"]: s["state"]
              for s in world.sim.get("/sim/sessions")["sessions"]}
    ours = world.sql("SELECT id::text, state::text, recovered_from FROM session")
    fitting = {
        "active": ("ACTIVE",),
        "stopping": ("COMPLETED",),  # only late starts are left in it, and those were stopped
        "completed": ("COMPLETED",),
        "failed": (None, "STARTING", "GONE", "INVALID"),
    }
    found = [(i, state, recovered, theirs.get(i)) for i, state, recovered in ours
             if theirs.get(i) not in fitting.get(state, ())]
    return found + [(i, None, None, state) for i, state in theirs.items()
                    if i not in {row[0] for row in ours}]


def shown_as(user, session_id, state):
    """Whoever was killed may have owed Redis the newest state: half a minute later Postgres is asked."""
    wait_until(lambda: ok(user.status(session_id))["status"] == state, 35, f"{session_id} to be shown as {state}")


@pytest.mark.timeout(900)
def test_nothing_answered_is_lost_and_nothing_is_started_twice(make_world):
    rng = random.Random(20260330)
    world = make_world(max_open_sessions=10000, start_grace=f"{GRACE_S}s",
                       sim_args=("--speed", str(SPEED), "--world", str(ROUNDS * STARTS + 10)))
    world.wait_for_evse(f"FI*VRT*E9{ROUNDS * STARTS + 5:07d}*1", 120)
    users = [User(world.hub) for _ in range(50)]
    outcomes = []
    for number in range(ROUNDS):
        outcomes += one_round(world, users, rng, number)
    answered = [(session_id, user) for _, session_id, user in outcomes if session_id]
    assert len(answered) > ROUNDS, "the kills came before anything was answered"

    # What a process took and did not finish is settled by its lease, the facts or the deadline.
    wait_with_pulls(world, lambda: not world.sql(f"SELECT 1 FROM session WHERE NOT {SETTLED} LIMIT 1"),
                    30 + 75 + GRACE_S + 30, "every start to end or to run")
    wait_with_pulls(world, lambda: not differences(world), 30, "our states to be the CPO's")

    # I1: known to its owner, who is shown what the database says.
    states = dict(world.sql("SELECT id::text, state::text FROM session"))
    for session_id, user in answered:
        shown_as(user, session_id, states[session_id])
    # I2: at most one START_SESSION each, none for what was never stored.
    sent = collections.Counter(
        r["body"]["authorization_reference"] for r in world.sim.commands("START_SESSION"))
    assert sent and max(sent.values()) == 1
    assert {i for i, _ in answered} <= set(states) and set(sent) <= set(states)
    unclear = world.sql("SELECT count(DISTINCT session_id) FROM session_event"
                        " WHERE event = 'command_unclear'")[0][0]
    print("starts:", dict(collections.Counter(o for o, _, _ in outcomes)),
          "stored:", len(states), "sent:", len(sent), "unclear:", unclear,
          "then:", dict(collections.Counter(states.values())),
          "of the answered:", dict(collections.Counter(states[i] for i, _ in answered)))

    # Everything that runs is stopped, while the hub is killed twice more.
    running = [i for i, state in states.items() if state == "active"]
    owner = dict(world.sql("SELECT id::text, user_id FROM session"))
    by_sub = {u.sub: u for u in users}
    for n, session_id in enumerate(running):
        ok(by_sub[owner[session_id]].stop(session_id))
        if n in (len(running) // 3, 2 * len(running) // 3):
            world.hub.kill()
            world.hub.start()
    wait_with_pulls(
        world, lambda: not world.sql("SELECT 1 FROM session WHERE state IN ('pending', 'active', 'stopping')"
                                     " AND recovered_from IS NULL LIMIT 1"),
        120, "every session to end")
    wait_with_pulls(world, lambda: not differences(world), 30, "our states to be the CPO's")
    states = dict(world.sql("SELECT id::text, state::text FROM session"))
    for session_id, user in answered:
        shown_as(user, session_id, states[session_id])

    # I5, I6: each CDR once; one receipt each, unless it waits for a person.
    accepted = {r["body"]["id"] for r in world.sim.sent(method="POST", path="/cdrs")
                if r["status"] in (200, 201)}
    made = {s["cdr_id"] for s in world.sim.get("/sim/sessions")["sessions"] if s["cdr_id"]}
    rows = world.sql("SELECT cdr_id, count(*) FROM cdr GROUP BY cdr_id")
    assert all(n == 1 for _, n in rows)
    assert accepted <= made == {i for i, _ in rows}
    without = world.sql(
        "SELECT c.cdr_id FROM cdr c LEFT JOIN receipt r ON r.cdr = c.id WHERE r.id IS NULL"
        " AND NOT EXISTS (SELECT FROM finance_case f WHERE f.resolved_at IS NULL"
        " AND (f.cdr = c.id OR f.session_id = c.session_id))")
    assert without == []
    assert world.sql("SELECT cdr FROM receipt GROUP BY cdr HAVING count(*) > 1") == []
    # I8: numbers without gaps.
    assert all(row[0] for row in world.sql(
        "SELECT max(seq) - min(seq) + 1 = count(*) FROM receipt GROUP BY series, year"))
    print("CDRs:", len(rows), "of these answered with success:", len(accepted), "receipts:",
          world.sql("SELECT count(*) FROM receipt")[0][0], "late starts:",
          world.sql("SELECT count(*) FROM session WHERE recovered_from IS NOT NULL")[0][0])
