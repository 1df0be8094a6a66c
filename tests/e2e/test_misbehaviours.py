# SPDX-License-Identifier: Apache-2.0
"""
What networks do wrong, each misbehaviour of ocpi-sim with the outcome the contract demands:
contract 4. The simulator runs 60 times as fast;
the hub's own clock does not, so what waits for a deadline of minutes is asserted as "still open".
"""

import time

import pytest
from harness import User, ok, problem, rounded, wait_until


def one_start(sim, session_id):
    assert len(sim.commands("START_SESSION", session_id)) == 1


def fails(user, sim, evse, code, seconds=20):
    session_id = ok(user.start(evse))["session_id"]
    status = user.wait_for(session_id, "failed", seconds)
    assert status["failure_code"] == code
    problem(user.receipt(session_id), 409, "session_failed")
    problem(user.stop(session_id), 409, "session_already_ended")
    one_start(sim, session_id)
    return session_id


def goes_well(user, sim, evse, **more):
    """The whole life; its receipt is that of the one CDR."""
    session_id = ok(user.start(evse, **more))["session_id"]
    user.wait_for(session_id, lambda s: s["status"] == "active" and s["energy_kwh"] > 0)
    receipt = user.finished(session_id)
    one_start(sim, session_id)
    return session_id, receipt


def unclear(user, sim, evse):
    session_id = ok(user.start(evse))["session_id"]
    status = user.wait_for(session_id, lambda s: s["substatus"] == "command_unclear")
    assert status["status"] == "pending" and status["failure_code"] is None
    return session_id


# ---- a start that is refused: contract 4.2 rule 3 ----


@pytest.mark.parametrize("name,code", [
    ("reject-start", "rejected_by_network"),
    ("occupied", "evse_occupied"),
    ("inoperative", "evse_inoperative"),
    ("failed-result", "rejected_by_network"),
    ("timeout-result", "start_timeout"),
    ("invalid-session", "invalidated"),
    ("http-404", "not_supported"),
    ("ocpi-3000", "network_error"),
])
def test_a_refused_start_fails_with_its_reason(user, sim, evse, name, code):
    sim.behave(name, evse)
    fails(user, sim, evse, code)


def test_the_evse_is_free_again_after_a_refusal(user, sim, evse):
    sim.behave("reject-start", evse, times=1)
    fails(user, sim, evse, "rejected_by_network")
    goes_well(user, sim, evse)


def test_a_partner_that_forgot_us(make_world):
    """401: no retry, failed network_error."""
    w = make_world()
    user, evse = User(w.hub), w.fresh_evse()
    w.sim.behave("http-401", evse)
    fails(user, w.sim, evse, "network_error")


def test_a_network_that_cannot_be_reached(make_world):
    """not_sent: two more tries within five seconds, then network_unreachable."""
    w = make_world()
    user = User(w.hub)
    w.sim.post("/sim/offline", on=True)
    session_id = ok(user.start(w.fresh_evse()))["session_id"]
    status = user.wait_for(session_id, "failed", 25)
    assert status["failure_code"] == "network_unreachable"
    w.sim.post("/sim/offline", on=False)
    assert w.sim.commands("START_SESSION", session_id) == []


# ---- a start whose outcome is unclear: never sent again (I2) ----


@pytest.mark.parametrize("name", ["http-500", "garbage-body", "html-body", "empty-body", "close-after-request",
                                  "lost-answer"])
def test_an_unclear_start_is_never_sent_again(user, sim, evse, name):
    sim.behave(name, evse)
    session_id = ok(user.start(evse))["session_id"]
    time.sleep(3)
    one_start(sim, session_id)
    status = ok(user.status(session_id))
    # Where the network did start, its Session says so; else nobody knows yet.
    assert (status["status"], status["substatus"]) == ("pending", "command_unclear") \
        or status["status"] == "active"
    sim.behave_well(name, evse)


@pytest.mark.parametrize("name", ["garbage-body", "html-body", "empty-body", "lost-answer"])
def test_the_session_is_found_though_the_answer_was_lost(user, sim, evse, name):
    sim.behave(name, evse, times=1)
    goes_well(user, sim, evse)


@pytest.mark.slow
def test_a_network_that_never_answers(user, sim, evse):
    sim.behave("hang", evse)
    session_id = ok(user.start(evse))["session_id"]
    user.wait_for(session_id, lambda s: s["substatus"] == "command_unclear", 25)
    one_start(sim, session_id)
    sim.behave_well("hang", evse)


def test_429_is_tried_once_more_when_told_when(user, sim, evse):
    """Retry-After up to 5 s and nothing accepted."""
    sim.behave("http-429", evse, times=1, after_s=1)
    session_id = ok(user.start(evse))["session_id"]
    user.wait_for(session_id, "active")
    assert len(sim.commands("START_SESSION", session_id)) == 2


# ---- results that are lost, late, doubled, early ----


@pytest.mark.parametrize("name", ["no-callback", "double-callback", "early-callback", "callback-trailing-slash",
                                  "session-before-result", "no-timeout", "http-201", "slow-answer"])
def test_any_order_of_answer_result_and_session_leads_to_active(user, sim, evse, name):
    """R-CMD-12, R-ASYNC-14, contract 4.3 rule 7."""
    sim.behave(name, evse)
    goes_well(user, sim, evse)


def test_a_late_result_changes_nothing(user, sim, evse):
    sim.behave("late-callback", evse, after_s=120)
    session_id, receipt = goes_well(user, sim, evse)
    sim.advance(300)
    time.sleep(0.5)
    assert ok(user.status(session_id))["status"] == "completed"
    assert ok(user.receipt(session_id)) == receipt


def test_an_accepted_result_alone_is_no_session(user, sim, evse):
    """Rule 2, R-ASYNC-04."""
    sim.behave("session-never", evse)
    session_id = ok(user.start(evse))["session_id"]
    user.wait_for(session_id, lambda s: s["substatus"] == "command_accepted")
    time.sleep(1)
    status = ok(user.status(session_id))
    assert status["status"] == "pending" and status["energy_kwh"] == 0 and status["start_time"] is None


def test_a_pending_session_stays_pending(user, sim, evse):
    sim.behave("pending-session", evse)
    session_id = ok(user.start(evse))["session_id"]
    wait_until(lambda: (s := sim.session(session_id)) and s["known_to_hub"], what="the Session")
    time.sleep(0.5)
    assert ok(user.status(session_id))["status"] == "pending"


def test_a_session_after_the_failure_is_stopped_at_once(user, sim, evse):
    """Rule 12, I3: stopped, marked, billed only by a person's decision."""
    sim.behave("late-start", evse, after_s=60)
    session_id = ok(user.start(evse))["session_id"]
    failed = user.wait_for(session_id, "failed")
    assert failed["failure_code"] == "rejected_by_network"
    user.wait_for(session_id, lambda s: s["status"] == "stopping" and s["substatus"] == "recovered")
    network_id = wait_until(lambda: sim.session(session_id), what="the network's session")["id"]
    wait_until(lambda: sim.commands("STOP_SESSION", network_id), what="STOP_SESSION")
    wait_until(lambda: [c for c in sim.get("/sim/cdrs")["cdrs"]
                        if c.get("authorization_reference") == session_id], what="the CDR")
    time.sleep(1)
    assert ok(user.status(session_id))["status"] == "stopping"
    problem(user.receipt(session_id), 409, "receipt_not_ready")


# ---- sessions and CDRs in any order ----


@pytest.mark.parametrize("name", ["cdr-before-session", "cdr-no-reference", "session-no-reference",
                                  "cdr-no-session-id", "cdr-unknown-location", "cdr-id-is-session-id",
                                  "long-session-id", "cdr-twice", "falling-kwh", "active-after-completed",
                                  "duplicate-pushes", "reordered-pushes", "no-cost"])
def test_a_session_ends_with_one_right_receipt(user, sim, world, evse, name):
    sim.behave(name, evse)
    if name == "long-session-id":
        # More than 36 characters break a limit: refused with 2001, so this one is never active.
        session_id = ok(user.start(evse))["session_id"]
        wait_until(lambda: [r for r in sim.sent(method="PUT", path="/sessions/", contains=session_id)
                            if r["status"] == 200 and r["answer"]["status_code"] == 2001],
                   what="the refusal")
        assert ok(user.status(session_id))["status"] == "pending"
        return
    session_id, receipt = goes_well(user, sim, evse)
    time.sleep(0.5)
    cdr, = [c for c in sim.get("/sim/cdrs")["cdrs"] if c["id"] == sim.session_cdr(session_id)]
    assert rounded(receipt["cost"], 6) == rounded(cdr["total_cost"]["incl_vat"], 2)
    assert rounded(receipt["energy_kwh"], 6) == rounded(cdr["total_energy"], 3)
    assert ok(user.status(session_id))["status"] == "completed"
    assert ok(user.receipt(session_id)) == receipt
    network = sim.session(session_id)["id"]
    rows = world.sql("SELECT count(*) FROM receipt WHERE session_id = %s", session_id)
    assert rows == [(1,)], f"{rows} for {network}"


def test_energy_never_falls_for_the_caller(user, sim, evse):
    """Contract 4.3 rule 5."""
    sim.behave("falling-kwh", evse)
    session_id = user.started(evse)
    seen = []
    end = time.monotonic() + 4
    while time.monotonic() < end:
        seen.append(ok(user.status(session_id))["energy_kwh"])
        time.sleep(0.05)
    assert seen == sorted(seen) and seen[-1] > seen[0]


def test_no_cost_is_not_free(user, sim, evse):
    """R-SESS-06, R-REST-04."""
    sim.behave("no-cost", evse)
    session_id = ok(user.start(evse))["session_id"]
    status = user.wait_for(session_id, lambda s: s["energy_kwh"] > 0)
    assert status["cost"] == 0 and status["cost_estimated"] is True


def test_the_same_cdr_with_other_content_is_refused(user, sim, evse):
    """R-CDR-04, I5: 2001, the first one stays."""
    sim.behave("cdr-altered", evse)
    session_id, receipt = goes_well(user, sim, evse)
    posts = wait_until(lambda: (p := [r for r in sim.sent(method="POST", path="/cdrs", contains=session_id)
                                      if r["status"] is not None]) and len(p) >= 2 and p, what="two CDRs")
    assert posts[0]["answer"]["status_code"] == 1000
    assert posts[1]["answer"]["status_code"] == 2001
    assert ok(user.receipt(session_id)) == receipt
    assert rounded(receipt["cost"], 6) == rounded(posts[0]["body"]["total_cost"]["incl_vat"], 2)


def test_a_cdr_without_any_session_completes_it(user, sim, evse):
    """Rule 13."""
    sim.behave("no-session-only-cdr", evse, after_s=60)
    session_id = ok(user.start(evse))["session_id"]
    user.wait_for(session_id, "completed")
    assert ok(user.receipt(session_id))["energy_kwh"] > 0


def test_without_a_cdr_nothing_is_completed(user, sim, evse):
    """Contract 4.1: stays stopping / awaiting_cdr; the receipt waits."""
    sim.behave("no-cdr", evse)
    session_id = user.started(evse)
    ok(user.stop(session_id))
    user.wait_for(session_id, lambda s: s["substatus"] == "awaiting_cdr")
    time.sleep(1)
    status = ok(user.status(session_id))
    assert status["status"] == "stopping" and status["end_time"]
    response = user.receipt(session_id)
    problem(response, 409, "receipt_not_ready")
    assert response.headers["Retry-After"] == "30"


def test_a_late_cdr_is_in_time(user, sim, evse):
    sim.behave("late-cdr", evse, after_s=120)
    goes_well(user, sim, evse)


# ---- stop ----


@pytest.mark.slow
def test_a_refused_stop_goes_back_to_active(user, sim, evse):
    """Rule 9: one more try after ten seconds, then active with last_error stop_rejected."""
    sim.behave("refuse-stop", evse)
    session_id = user.started(evse)
    network_id = sim.session(session_id)["id"]
    ok(user.stop(session_id))
    status = user.wait_for(session_id, lambda s: s["status"] == "active" and s["last_error"], 40)
    assert status["last_error"] == "stop_rejected"
    assert len(sim.commands("STOP_SESSION", network_id)) == 2
    sim.behave_well("refuse-stop", evse)
    user.finished(session_id)  # the caller may ask again


@pytest.mark.slow
def test_a_stop_refused_at_once(user, sim, evse):
    sim.behave("refuse-stop-sync", evse)
    session_id = user.started(evse)
    ok(user.stop(session_id))
    user.wait_for(session_id, lambda s: s["last_error"] == "stop_rejected", 40)
    sim.behave_well("refuse-stop-sync", evse)
    user.finished(session_id)


def test_the_network_no_longer_knows_the_session(user, sim, evse):
    """UNKNOWN_SESSION: ask for its status; it had ended just before."""
    sim.behave("unknown-session-on-stop", evse)
    session_id = user.started(evse)
    ok(user.stop(session_id))
    user.wait_for(session_id, "completed", 30)


@pytest.mark.slow
def test_a_stop_without_effect_is_asked_again(user, sim, evse):
    """I4: an accepted stop ends nothing by itself (R-CMD-13)."""
    sim.behave("stop-ignored", evse, times=1)
    session_id = user.started(evse)
    network_id = sim.session(session_id)["id"]
    ok(user.stop(session_id))
    time.sleep(2)
    assert ok(user.status(session_id))["status"] == "stopping"
    assert len(sim.commands("STOP_SESSION", network_id)) == 1
    sim.post("/sim/stop", id=network_id)
    user.wait_for(session_id, "completed")


@pytest.mark.parametrize("name", ["http-500", "garbage-body", "close-after-request", "lost-answer"])
@pytest.mark.slow
def test_an_unclear_stop_is_repeated(user, sim, evse, name):
    session_id = user.started(evse)
    network_id = sim.session(session_id)["id"]
    sim.behave(name, evse, times=1)
    ok(user.stop(session_id))
    user.wait_for(session_id, "completed", 40)
    assert 1 <= len(sim.commands("STOP_SESSION", network_id)) <= 3


# ---- charging profiles: contract 5.4 ----


@pytest.mark.parametrize("name,status,code", [
    ("profile-refused", 409, "profile_rejected"),
    ("profile-rejected", 409, "profile_rejected"),
    ("profile-unknown", 409, "profile_rejected"),
    ("profile-not-supported", 422, "profile_not_supported"),
    ("profile-too-often", 429, "profile_too_often"),
])
def test_a_profile_the_network_does_not_take(user, sim, evse, name, status, code):
    session_id = user.started(evse)
    sim.behave(name, evse)
    problem(user.set_profile(session_id, {"max_charge_rate_kw": 7.4}), status, code)
    assert ok(user.status(session_id))["status"] == "active"
    sim.behave_well(name, evse)
    assert ok(user.set_profile(session_id, {"max_charge_rate_kw": 7.4}))["profile_set"] is True


@pytest.mark.slow
def test_a_profile_without_a_result_is_202(user, sim, evse):
    session_id = user.started(evse)
    sim.behave("profile-no-callback", evse)
    answer = user.set_profile(session_id, {"max_charge_rate_kw": 7.4})
    body = ok(answer, 202)
    assert body["profile_set"] is False and body["max_charge_rate_kw"] == 7.4
    assert 12 <= answer.elapsed.total_seconds() <= 20
    cleared = ok(user.clear_profile(session_id), 202)
    assert cleared == {"session_id": session_id, "profile_cleared": False}


def test_no_profile_at_the_network_is_a_cleared_one(user, sim, evse):
    """UNKNOWN on clear."""
    session_id = user.started(evse)
    ok(user.set_profile(session_id, {"max_charge_rate_kw": 7.4}))
    sim.behave("profile-unknown", evse)
    assert ok(user.clear_profile(session_id))["profile_cleared"] is True


def test_pushed_active_profiles_are_taken(user, sim, evse):
    """R-CP-03."""
    sim.behave("active-profile-push", evse)
    session_id = user.started(evse)
    ok(user.set_profile(session_id, {"max_charge_rate_kw": 7.4}))
    pushed = wait_until(lambda: [r for r in sim.sent(method="PUT", path="/chargingprofiles/")
                                 if r["status"] is not None and sim.session(session_id)["id"] in r["path"]],
                        what="the pushed profile")
    assert pushed[0]["status"] == 200 and pushed[0]["answer"]["status_code"] == 1000


# ---- how messages are written ----


@pytest.mark.parametrize("name", ["plain-token", "lower-case-ids", "bare-times", "extra-fields"])
def test_writing_that_is_survived(user, sim, evse, name):
    """R-TRANS-03, R-TYPE-01, R-TYPE-04, R-TRANS-20."""
    sim.behave(name, None if name == "plain-token" else evse)
    try:
        goes_well(user, sim, evse)
    finally:
        sim.behave_well(name)
        sim.behave_well(name, evse)


@pytest.mark.parametrize("name,module", [("offset-times", "/sessions/"), ("numbers-as-text", "/sessions/")])
def test_writing_that_breaks_a_type_is_answered_2001(user, sim, evse, name, module):
    """R-TYPE-05, R-TYPE-09: accepted only from partners with that quirk."""
    sim.behave(name, evse)
    session_id = ok(user.start(evse))["session_id"]
    pushed = wait_until(lambda: [r for r in sim.sent(method="PUT", path=module, contains=session_id)
                                 if r["status"] is not None], what="the push")
    assert pushed[0]["status"] == 200 and pushed[0]["answer"]["status_code"] == 2001
    assert ok(user.status(session_id))["status"] == "pending"


@pytest.mark.parametrize("name,present", [("bad-location", True), ("link-elsewhere", False), ("link-loop", False),
                                          ("no-evse-id", False), ("extra-fields", True)])
def test_a_pull_of_locations_that_is_not_quite_right(make_world, name, present):
    """R-TRANS-19 object by object; R-TRANS-47 no foreign or endless Link: the first page counts."""
    w = make_world(sim=False)
    w.start_sim("--speed", "60", "--world", "6", "--page", "3", "--behave", name)
    user = User(w.hub)
    first = "FI*VRT*E12345"
    if name != "no-evse-id":
        wait_until(lambda: any(user.evse(e).status_code == 200 for e in (first, "FI*VRT*E20001*3")), 20,
                   "the locations")
    def on_second_page():
        return 200 in [user.evse(e).status_code for e in ("FI*VRT*E90000004*1", "FI*VRT*E90000005*1")]

    if present:
        wait_until(on_second_page, 20, "the second page")
    else:
        time.sleep(1)
        assert not on_second_page()
    assert w.hub.process.running()
    assert len(w.sim.requests(method="GET", path="/locations")) < 20


def test_a_location_with_an_overlong_address_is_left_out_of_its_page(make_world):
    """R-TYPE-17, R-TRANS-19: what breaks a limit is refused, the rest of the page counts."""
    w = make_world(sim=False)
    w.start_sim("--speed", "60", "--world", "6", "--behave", "long-address@FI*VRT*E12345")
    user = User(w.hub)
    wait_until(lambda: user.evse("FI*VRT*E20001*3").status_code == 200, 20, "the other locations")
    assert user.evse("FI*VRT*E12345").status_code == 404
