# SPDX-License-Identifier: Apache-2.0
"""Idempotency-Key, every line of contract 1.2, and what guards those who send none."""

import concurrent.futures
import uuid

import pytest
from harness import User, ok, problem, wait_until


def key(value=None):
    return {"Idempotency-Key": value if value is not None else str(uuid.uuid4())}


def test_the_same_start_again_gets_the_stored_answer(user, sim, evse):
    k = key()
    first = user.start(evse, headers=k, battery_target_kwh=20)
    assert "Idempotent-Replay" not in first.headers
    session_id = ok(first)["session_id"]
    user.wait_for(session_id, "active")
    again = user.start(evse, headers=k, battery_target_kwh=20)
    assert again.status_code == 200 and again.headers["Idempotent-Replay"] == "true"
    assert again.json() == first.json()  # still "pending": it is the answer of then
    assert len(sim.commands("START_SESSION", session_id)) == 1


def test_key_order_and_white_space_do_not_count(user, evse):
    k = {**key(), "Content-Type": "application/json"}
    one = user.call("POST", "/v1/sessions/start", headers=k,
                    data=f'{{"evse_id":"{evse}","battery_target_kwh":20.0}}')
    two = user.call("POST", "/v1/sessions/start", headers=k,
                    data=f'\n{{ "battery_target_kwh" : 20.0,\t"evse_id" : "{evse}" }} ')
    assert ok(two) == ok(one) and two.headers["Idempotent-Replay"] == "true"


def test_the_same_key_with_another_body(user, world):
    k = key()
    ok(user.start(world.fresh_evse(), headers=k))
    problem(user.start(world.fresh_evse(), headers=k), 422, "idempotency_key_reused")


def test_the_replay_comes_before_every_other_check(user, world, evse):
    """Contract 5.1: the record is looked at before the EVSE; the session may long be over."""
    k = key()
    first = ok(user.start(evse, headers=k))
    user.wait_for(first["session_id"], "active")
    user.finished(first["session_id"])
    assert ok(user.start(evse, headers=k)) == first
    assert len(ok(user.list())["items"]) == 1


def test_the_scope_is_the_caller(world):
    """A23: another user's key is another key."""
    k = key()
    one, two = User(world.hub), User(world.hub)
    first = ok(one.start(world.fresh_evse(), headers=k))
    second = two.start(world.fresh_evse(), headers=k)
    assert ok(second)["session_id"] != first["session_id"]
    assert "Idempotent-Replay" not in second.headers


def test_the_scope_is_the_path(user, evse):
    k = key()
    session_id = ok(user.start(evse, headers=k))["session_id"]
    user.wait_for(session_id, "active")
    stopped = user.stop(session_id, headers=k)
    assert ok(stopped)["status"] == "stopping" and "Idempotent-Replay" not in stopped.headers


def test_stop_is_stored_too(user, evse):
    session_id = user.started(evse)
    k = key()
    first = user.stop(session_id, headers=k)
    user.wait_for(session_id, "completed")
    again = user.stop(session_id, headers=k)
    assert ok(again) == ok(first) and again.headers["Idempotent-Replay"] == "true"
    problem(user.stop(session_id), 409, "session_already_ended")


def test_a_profile_is_stored_too(user, sim, evse):
    session_id = user.started(evse)
    k = key()
    path = f"/v1/sessions/{session_id}/charging-profile"
    first = user.call("POST", path, json={"max_charge_rate_kw": 7.4}, headers=k)
    again = user.call("POST", path, json={"max_charge_rate_kw": 7.4}, headers=k)
    assert ok(again) == ok(first) and again.headers["Idempotent-Replay"] == "true"
    problem(user.call("POST", path, json={"max_charge_rate_kw": 11}, headers=k), 422,
            "idempotency_key_reused")
    network_id = sim.session(session_id)["id"]
    assert len(sim.requests(method="PUT", path=f"/chargingprofiles/{network_id}")) == 1
    cleared = user.call("DELETE", path, headers=k)  # another method, another scope
    assert ok(cleared)["profile_cleared"] is True and "Idempotent-Replay" not in cleared.headers
    assert user.call("DELETE", path, headers=k).headers["Idempotent-Replay"] == "true"


@pytest.mark.parametrize("bad", ["", "x" * 201, "x" * 1024, "käse".encode(), "a\tb"], ids=repr)
def test_a_key_that_is_none(user, evse, bad):
    problem(user.start(evse, headers=key(bad)), 400, "idempotency_key_invalid")
    assert ok(user.list())["items"] == []


@pytest.mark.parametrize("good", ["1", "x" * 200, "a b", "!\"#$%&'()*+,-./:;<=>?@[]^_`{|}~"])
def test_a_key_that_is_one(user, world, good):
    # The user is new: the same text used by the other tests is another key.
    ok(user.start(world.fresh_evse(), headers=key(good)))


def test_a_refusal_is_not_stored(user, world, evse):
    """The caller may correct the body and use the key again."""
    k = key()
    problem(user.start(evse, headers=k, battery_target_kwh=-1), 422, "validation_failed")
    problem(user.start("FI*VRT*E99999", headers=k), 404, "evse_not_found")
    problem(user.start("FI*VRT*E30001", headers=k), 422, "evse_not_startable")
    problem(user.start(evse, headers=k, connector_type="NACS"), 422, "connector_type_mismatch")
    other = User(world.hub)
    busy = world.fresh_evse()
    other.started(busy)
    problem(user.start(busy, headers=k), 409, "evse_busy")
    first = user.start(evse, headers=k)
    assert ok(first)["status"] == "pending" and "Idempotent-Replay" not in first.headers


def test_401_is_not_stored(user, evse):
    k = key()
    response = user.call("POST", "/v1/sessions/start", json={"evse_id": evse},
                         headers={**k, "Authorization": "Bearer nonsense"})
    problem(response, 401, "token_invalid")
    ok(user.start(evse, headers=k))


def test_fifty_at_once_with_one_key_are_one_start(user, sim, evse):
    """A24."""
    k = key()
    with concurrent.futures.ThreadPoolExecutor(50) as pool:
        answers = list(pool.map(lambda _: User(user.hub, user.sub, user.token).start(evse, headers=k),
                                range(50)))
    good = [a for a in answers if a.status_code == 200]
    assert good and len({a.json()["session_id"] for a in good}) == 1
    for a in answers:
        if a.status_code != 200:
            assert a.status_code in (409, 429), a.text
            assert a.status_code == 429 or a.json()["code"] == "idempotency_in_progress"
            assert int(a.headers["Retry-After"]) >= 1
    assert sum("Idempotent-Replay" not in a.headers for a in good) == 1
    session_id = good[0].json()["session_id"]
    user.wait_for(session_id, "active")
    assert len(sim.commands("START_SESSION", session_id)) == 1
    assert len(ok(user.list())["items"]) == 1


def test_fifty_users_at_once_at_one_evse(world, sim, evse):
    """A25: one gets it."""
    users = [User(world.hub) for _ in range(50)]
    with concurrent.futures.ThreadPoolExecutor(50) as pool:
        answers = list(pool.map(lambda u: u.start(evse), users))
    assert sorted(a.status_code for a in answers) == [200] + [409] * 49
    assert {a.json()["code"] for a in answers if a.status_code == 409} == {"evse_busy"}
    session_id = next(a for a in answers if a.status_code == 200).json()["session_id"]
    wait_until(lambda: sim.session(session_id), what="the session at the network")
    uid = sim.commands("START_SESSION", session_id)[0]["body"]["evse_uid"]
    assert len([r for r in sim.commands("START_SESSION") if r["body"]["evse_uid"] == uid]) == 1


def test_without_a_key_the_connector_guards_the_start(user, evse):
    session_id = ok(user.start(evse))["session_id"]
    assert problem(user.start(evse), 409, "evse_busy")["session_id"] == session_id
