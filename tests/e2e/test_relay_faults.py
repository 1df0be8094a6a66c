# SPDX-License-Identifier: Apache-2.0
"""
What may go wrong between third parties: the hub is killed between a command and its result, somebody
asks for what is not theirs, results come twice, late or from somebody else, a CPO hangs or is away.
"""

import json
import threading
import time
import uuid

import pytest
from harness import wait_until
from test_six_partners import CPOS, EMSPS, VERSIONS, House, from_party, pulled, received, star

OLD = "2.1.1"
# Each version once on each side, all with contracts (MAY_SEE of the six).
PAIRS = [("2.1.1", "2.2.1"), ("2.2.1", "2.3.0"), ("2.3.0", "2.1.1")]
# What a simulator says of an answer that comes from the hub, not from whom it asked.
UNEXPECTED_FROM = "answer: ocpi-from-party-id is not OCPI-to-party-id"


@pytest.fixture(scope="module")
def house(directory, token_keys):
    h = House(directory / "faults")
    try:
        yield h.start_all()
    finally:
        h.stop()


@pytest.fixture
def hub_answers():
    """For tests in which the hub answers in place of the party that TO names: FROM is the hub."""


@pytest.fixture(autouse=True)
def peace(house, request):
    """Misbehaviours end with the test; what the hub sent to each of them was in order."""
    before = {who: len(sim.violations()) for who, sim in house.partners.items()}
    yield
    for sim in house.partners.values():
        sim.behave("none")
    fine = UNEXPECTED_FROM if "hub_answers" in request.fixturenames else None
    new = [v for who, sim in house.partners.items() for v in sim.violations()[before[who]:] if v["what"] != fine]
    assert not new, json.dumps(new, indent=1)


def place(house, emsp, cpo, evse="E20001*3"):
    """An EVSE of a CPO, in the words of an eMSP."""
    evse_id = f"{star(CPOS[cpo])}*{evse}"

    def look():
        return [{"location_id": o["id"], "evse_uid": e["uid"]} for o in pulled(house.emsp(emsp), "locations")
                for e in o.get("evses", ()) if e.get("evse_id") == evse_id]
    return wait_until(look, 20, evse_id)[0]


def to(emsp, cpo):
    return {} if emsp == OLD else {"to": star(CPOS[cpo])}


def command(house, emsp, cpo, name="START_SESSION", **more):
    where = place(house, emsp, cpo) if name == "START_SESSION" else {}
    return house.emsp(emsp).post("/sim/command", command=name, **{**where, **to(emsp, cpo), **more})


def asked_of(house, cpo, name="START_SESSION"):
    """Commands that a CPO got."""
    return house.cpo(cpo).requests(method="POST", path=f"/commands/{name}")


def open_command(house, emsp, cpo):
    """A START whose result is still to come: (what the eMSP sent, the URL that the CPO was given)."""
    house.cpo(cpo).behave("no-callback")
    house.cpo(cpo).behave("session-never")
    before = len(asked_of(house, cpo))
    asked = command(house, emsp, cpo)
    assert asked["body"]["data"]["result"] == "ACCEPTED", asked
    got = asked_of(house, cpo)[before:]
    assert len(got) == 1
    return asked, got[0]["body"]["response_url"]


def call_back(sim, url, body=None, **more):
    """The hub's answer to a result."""
    return sim.post("/sim/push", method="POST", module="commands", url=url, body=body or {"result": "ACCEPTED"}, **more)


def results(house, emsp, asked):
    return [r["body"]["result"] for r in house.emsp(emsp).get("/sim/results", id=asked["id"])["results"]]


def refused(house, name, correlation):
    """The row of the message log about a refused message."""
    found = wait_until(lambda: house.hub.ctl("message", "list", "--refused", "--partner", name,
                                             "--correlation", correlation)["items"], 10, "the refusal in the log")
    assert len(found) == 1
    return found[0]


def raw_command(house, emsp, name, body, **more):
    """Any command, and the log's row about it."""
    correlation = str(uuid.uuid4())
    headers = {"X-Correlation-ID": correlation, **more.pop("headers", {})}
    answer = house.emsp(emsp).post("/sim/push", method="POST", module="commands", path=name, body=body,
                                   headers=headers, **more)
    return answer, lambda: refused(house, f"EMSP {emsp}", correlation)


def start_body(house, emsp, cpo, **changes):
    country, party = EMSPS[emsp]
    token = {"uid": "CARD-1", "type": "RFID", "issuer": "x", "valid": True, "whitelist": "NEVER",
             "last_updated": "2026-01-01T00:00:00Z"}
    own = {"auth_id": "X"} if emsp == OLD else {"contract_id": "X", "country_code": country, "party_id": party}
    where = place(house, emsp, cpo)
    endpoint = house.emsp(emsp).info["versions_url"].rsplit("/", 2)[0]
    return {"response_url": f"{endpoint}/results/{uuid.uuid4().hex}", "token": {**token, **own}, **where, **changes}


# --- results ---


def test_a_result_after_a_crash_still_reaches_who_asked(house):
    """R-ASYNC-18, R-ASYNC-10: what is waited for is not in the memory of a process."""
    waiting = {pair: open_command(house, *pair) for pair in PAIRS}
    house.hub.kill()
    house.hub.start()
    for (emsp, cpo), (asked, url) in waiting.items():
        assert results(house, emsp, asked) == []
        answer = call_back(house.cpo(cpo), url, to=star(EMSPS[emsp]))
        assert (answer["status"], answer["body"]["status_code"]) == (200, 1000), answer
        assert results(house, emsp, asked) == ["ACCEPTED"]


def test_a_result_after_a_crash_before_the_answer_still_reaches_who_asked(house):
    """R-ASYNC-10: the context is there before the CPO hears of the command, and it hears of it once."""
    emsp, cpo = "2.2.1", "2.3.0"
    sim = house.cpo(cpo)
    where, before, ended = place(house, emsp, cpo), len(asked_of(house, cpo)), {}
    sim.behave("hang")
    ids = {r["id"] for r in house.emsp(emsp).get("/sim/results")["results"]}

    def ask():
        ended["asked"] = house.emsp(emsp).post("/sim/command", **where, **to(emsp, cpo))
    waiting = threading.Thread(target=ask)
    waiting.start()
    wait_until(lambda: len(asked_of(house, cpo)) > before, 5, "the command at the CPO")
    house.hub.kill()
    house.hub.start()
    waiting.join(30)
    sim.behave_well("hang")
    got = asked_of(house, cpo)[before:]
    assert len(got) == 1, "a START is never sent again"
    answer = call_back(sim, got[0]["body"]["response_url"], to=star(EMSPS[emsp]))
    assert (answer["status"], answer["body"]["status_code"]) == (200, 1000), answer
    told = [r for r in house.emsp(emsp).get("/sim/results")["results"] if r["id"] not in ids]
    assert [r["body"]["result"] for r in told] == ["ACCEPTED"], told
    assert len(asked_of(house, cpo)) == before + 1


@pytest.mark.parametrize("emsp, cpo", PAIRS)
def test_a_repeated_result_goes_nowhere_and_another_one_once(house, emsp, cpo):
    """R-ASYNC-14: 1000 to all of them."""
    asked, url = open_command(house, emsp, cpo)
    for word, expected in (("ACCEPTED", 1), ("ACCEPTED", 1), ("REJECTED", 2), ("REJECTED", 2), ("TIMEOUT", 2),
                           ("ACCEPTED", 2)):
        answer = call_back(house.cpo(cpo), url, {"result": word}, to=star(EMSPS[emsp]))
        assert (answer["status"], answer["body"]["status_code"]) == (200, 1000), answer
        assert len(results(house, emsp, asked)) == expected, word
    assert results(house, emsp, asked) == ["ACCEPTED", "REJECTED"]


@pytest.mark.parametrize("emsp, cpo", PAIRS)
def test_only_the_cpo_that_was_asked_is_heard(house, emsp, cpo):
    """R-ASYNC-11: everybody else finds nothing, and cannot tell that there is something."""
    asked, url = open_command(house, emsp, cpo)
    unknown = url[:-32] + uuid.uuid4().hex
    for other in VERSIONS:
        if other == cpo:
            continue
        theirs = url.replace(f"/{cpo}/", f"/{other}/") # the URL as it would be for them
        answers = [call_back(house.cpo(other), u) for u in (theirs, unknown.replace(f"/{cpo}/", f"/{other}/"))]
        assert [a["status"] for a in answers] == [404, 404], answers
        assert answers[0]["body"]["status_message"] == answers[1]["body"]["status_message"]
    assert call_back(house.emsp(emsp), url)["status"] in (401, 403, 404)
    assert call_back(house.cpo(cpo), url, token="somebody")["status"] == 401
    assert call_back(house.cpo(cpo), unknown)["status"] == 404
    assert results(house, emsp, asked) == []
    assert call_back(house.cpo(cpo), url)["status"] == 200
    assert results(house, emsp, asked) == ["ACCEPTED"]


@pytest.mark.parametrize("emsp, cpo", PAIRS)
def test_a_result_that_comes_too_late_is_not_found(house, emsp, cpo):
    """R-ASYNC-13, R-ASYNC-14."""
    asked, url = open_command(house, emsp, cpo)
    changed = house.sql("UPDATE relay_context SET deadline_at = hub_now() - interval '1 s' WHERE id::text = %s"
                        " RETURNING created_at, deadline_at", url[-32:]) or house.sql(
        "UPDATE relay_context SET deadline_at = hub_now() - interval '1 s'"
        " WHERE replace(id::text, '-', '') = %s RETURNING created_at, deadline_at", url[-32:])
    assert len(changed) == 1
    assert call_back(house.cpo(cpo), url)["status"] == 404
    assert results(house, emsp, asked) == []


def test_a_context_lives_as_long_as_the_cpo_said(house):
    """R-ASYNC-13: its timeout (30 s here) and a minute more."""
    for emsp, cpo in PAIRS:
        _, url = open_command(house, emsp, cpo)
        # The answer does not wait for this to be written.
        wait_until(lambda: house.sql("SELECT state FROM relay_context WHERE id = %s", url[-32:]) == [("accepted",)],
                   5, "the answer to be noted")
        lives = house.sql("SELECT extract(epoch FROM deadline_at - created_at)::float FROM relay_context"
                          " WHERE id = %s", url[-32:])[0][0]
        assert 85 <= lives <= 125, lives
        assert call_back(house.cpo(cpo), url)["status"] == 200


@pytest.mark.parametrize("emsp, cpo", PAIRS)
def test_after_a_refusal_no_result_is_expected(house, emsp, cpo):
    """R-ASYNC-15, R-ASYNC-01."""
    house.cpo(cpo).behave("reject-start")
    before = len(asked_of(house, cpo))
    asked = command(house, emsp, cpo)
    assert asked["body"]["data"]["result"] == "REJECTED", asked
    url = asked_of(house, cpo)[before]["body"]["response_url"]
    assert call_back(house.cpo(cpo), url)["status"] == 404
    assert results(house, emsp, asked) == []


# --- what is not theirs ---


@pytest.mark.usefixtures("hub_answers")
def test_without_a_contract_a_party_does_not_exist(house):
    """R-ROUTE-42: 4001, and the CPO hears nothing."""
    emsp, cpo = "2.2.1", OLD
    before = len(asked_of(house, cpo))
    body = start_body(house, emsp, "2.2.1")
    answer, row = raw_command(house, emsp, "START_SESSION", body, to=star(CPOS[cpo]))
    assert (answer["status"], answer["body"]["status_code"]) == (200, 4001), answer
    assert answer["headers"]["ocpi-from-party-id"] == "HUB"
    unknown, _ = raw_command(house, emsp, "START_SESSION", body, to="FI*XXX")
    assert unknown["body"]["status_code"] == 4001
    why = row()
    assert why["ocpi_status"] == 4001 and why["rule"] in ("R-ROUTE-41", "R-ROUTE-42"), why
    assert len(asked_of(house, cpo)) == before
    # Nor is what it says told: the places of that CPO are nowhere.
    assert not from_party(received(house.emsp(emsp), "locations"), CPOS[cpo])


@pytest.mark.parametrize("emsp, cpo", [p for p in PAIRS if p[0] != OLD])
def test_nobody_speaks_for_somebody_else(house, emsp, cpo):
    """R-ROUTE-06: HTTP 403, 2001."""
    before = len(asked_of(house, cpo))
    other = next(EMSPS[v] for v in VERSIONS if v not in (emsp, OLD))
    answer, row = raw_command(house, emsp, "START_SESSION", start_body(house, emsp, cpo), to=star(CPOS[cpo]),
                              headers={"OCPI-from-country-code": other[0], "OCPI-from-party-id": other[1]})
    assert (answer["status"], answer["body"]["status_code"]) == (403, 2001), answer
    why = row()
    assert why["rule"] == "R-ROUTE-06" and why["http_status"] == 403, why
    assert len(asked_of(house, cpo)) == before


@pytest.mark.parametrize("emsp, cpo", [p for p in PAIRS if p[0] != OLD])
def test_nobody_charges_with_the_token_of_somebody_else(house, emsp, cpo):
    """R-CMD-02."""
    before = len(asked_of(house, cpo))
    other = next(EMSPS[v] for v in VERSIONS if v not in (emsp, OLD))
    body = start_body(house, emsp, cpo)
    body["token"].update(country_code=other[0], party_id=other[1])
    answer, row = raw_command(house, emsp, "START_SESSION", body, to=star(CPOS[cpo]))
    assert (answer["status"], answer["body"]["status_code"]) == (200, 2001), answer
    assert (row()["rule"], row()["pointer"]) == ("R-CMD-02", "/token")
    assert len(asked_of(house, cpo)) == before


@pytest.mark.parametrize("url", ["http://results.example/r/1", "http://10.1.2.3/r/1", "http://127.0.0.2:9/r/1",
                                 "http://169.254.169.254/latest", "file:///etc/passwd"])
@pytest.mark.parametrize("emsp, cpo", PAIRS)
def test_results_go_to_nobody_else(house, emsp, cpo, url):
    """R-ASYNC-17: response_url is on a host of who asks, or nothing is asked."""
    before = len(asked_of(house, cpo))
    answer, row = raw_command(house, emsp, "START_SESSION", start_body(house, emsp, cpo, response_url=url),
                              **to(emsp, cpo))
    assert answer["body"]["status_code"] == 2001, answer
    if emsp != OLD: # whose simulator sends no ids
        why = row()
        assert why["pointer"] == "/response_url" and why["rule"], why
    assert "/response_url" in answer["body"]["status_message"]
    assert len(asked_of(house, cpo)) == before


@pytest.mark.usefixtures("hub_answers")
def test_nobody_stops_the_session_of_somebody_else(house):
    """R-CP-02, R-CMD-11, R-ROUTE-24: it is as unknown as one that does not exist."""
    cpo, owner, other = "2.2.1", "2.3.0", OLD
    country, party = EMSPS[owner]
    sim = house.cpo(cpo)
    house.emsp(owner).post("/sim/token", uid="MINE", contract_id="DE-E23-MINE", method="PUT")
    started = sim.post("/sim/start_session", evse="3256", token={
        "uid": "MINE", "type": "RFID", "country_code": country, "party_id": party, "contract_id": "DE-E23-MINE"})
    session_id = started["id"]
    wait_until(lambda: [i for i in received(house.emsp(owner), "sessions") if i["id"] == session_id], 20,
               "the Session at its eMSP")
    before = len(asked_of(house, cpo, "STOP_SESSION"))
    for emsp in (other, "2.2.1"):
        for stranger in (session_id, "no-such-session"):
            said = house.emsp(emsp).post("/sim/command", command="STOP_SESSION", session_id=stranger)["body"]
            assert said["status_code"] in ((2000, 2001, 3000) if emsp == OLD else (4001,)) or \
                said["data"]["result"] == "UNKNOWN_SESSION", said
    said = command(house, "2.2.1", cpo, "STOP_SESSION", session_id=session_id)["body"]
    assert said["data"]["result"] == "UNKNOWN_SESSION", said
    said = house.emsp("2.2.1").post("/sim/profile", session_id=session_id, to=star(CPOS[cpo]))["body"]
    assert said["status_code"] == 2001 and "R-CP-02" in said["status_message"], said
    assert len(asked_of(house, cpo, "STOP_SESSION")) == before
    assert not sim.requests(path=f"/chargingprofiles/{session_id}")
    own = command(house, owner, cpo, "STOP_SESSION", session_id=session_id)["body"]
    assert own["data"]["result"] == "ACCEPTED", own


# --- one that is away ---


@pytest.mark.usefixtures("hub_answers")
def test_a_cpo_that_is_gone_is_said_to_be(house):
    """R-ROUTE-41, R-TRANS-35: 4003 at once; 2.1.1 has no such codes."""
    cpo = "2.2.1"
    sim = house.cpo(cpo)
    sim.post("/sim/offline", on=True)
    try:
        for emsp in ("2.2.1", OLD):
            where = place(house, emsp, cpo)
            began = time.monotonic()
            said = house.emsp(emsp).post("/sim/command", **where, **to(emsp, cpo))["body"]
            assert said["status_code"] == (3000 if emsp == OLD else 4003), said
            assert time.monotonic() - began < 5
    finally:
        sim.post("/sim/offline", on=False)
    asked, url = wait_until(lambda: open_command(house, "2.2.1", cpo), 30, "the CPO to be back")
    assert call_back(sim, url)["status"] == 200
    assert results(house, "2.2.1", asked) == ["ACCEPTED"]


@pytest.mark.usefixtures("hub_answers")
def test_a_cpo_that_hangs_delays_nobody_else(house):
    """R-ROUTE-41, R-ROUTE-60, R-ROUTE-61, R-ROUTE-62: 4002 in time; its result may still come."""
    hanging, asks = "2.3.0", "2.2.1"
    cpo = house.cpo(hanging)
    where = place(house, asks, hanging)
    places = {pair: place(house, *pair, evse="E12346") for pair in (("2.2.1", "2.2.1"), (OLD, OLD), (OLD, "2.2.1"))}
    cpo.behave("hang")
    before = len(asked_of(house, hanging))
    ended = {}

    def ask():
        began = time.monotonic()
        ended["asked"] = house.emsp(asks).post("/sim/command", **where, **to(asks, hanging))
        ended["after"] = time.monotonic() - began
    waiting = threading.Thread(target=ask)
    waiting.start()
    wait_until(lambda: len(asked_of(house, hanging)) > before, 5, "the command at the CPO that hangs")
    for (emsp, other), there in places.items():
        asked = house.emsp(emsp).post("/sim/command", **there, **to(emsp, other))
        assert asked["body"]["data"]["result"] == "ACCEPTED", asked
        wait_until(lambda e=emsp, a=asked: results(house, e, a) == ["ACCEPTED"], 8, "the result")
        sessions = house.cpo(other).get("/sim/sessions")["sessions"]
        wait_until(lambda e=emsp, s=sessions[-1]: [i for i in received(house.emsp(e), "sessions") if i["id"] == s["id"]],
                   10, "the Session")
        house.cpo(other).post("/sim/stop", id=sessions[-1]["id"])
    assert waiting.is_alive(), "the others were served while it hung"
    waiting.join(30)
    said = ended["asked"]["body"]
    assert said["status_code"] == 4002, said
    assert ended["after"] < 20
    cpo.behave_well("hang")
    url = asked_of(house, hanging)[before]["body"]["response_url"]
    answer = call_back(cpo, url)
    assert (answer["status"], answer["body"]["status_code"]) == (200, 1000), answer
    assert results(house, asks, ended["asked"]) == ["ACCEPTED"]
