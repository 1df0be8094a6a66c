# SPDX-License-Identifier: Apache-2.0
"""
Why was it refused? What the partner is told, what the message log keeps and what hubctl says are the
same words: the rule, where, what came, what was expected, how often.
"""

import json
import re
import subprocess

import pytest
from harness import BUILD, wait_until


@pytest.fixture
def ctl(hub):
    def run(*args):
        done = subprocess.run([BUILD / "hub" / "hubctl", "--socket", str(hub.settings["admin_socket"]), *args],
                              capture_output=True, text=True, check=False, timeout=60)
        assert done.returncode == 0, done.stderr
        return done.stdout
    return run


def refused(ctl, partner, **filters):
    """The refused messages of this partner, the newest first, once the log has been written."""
    args = [word for name, value in filters.items() for word in (f"--{name}", value)]

    def listed():
        return json.loads(ctl("message", "list", "--refused", "--partner", partner.name, "--json", *args))["items"]
    return wait_until(listed, what="a refused message in the log")


def send_bad_session(partner):
    session = partner.session(partner.new_id("S"))
    session["kwh"] = "many"
    response = partner.put(partner.own("sessions", session["id"]), session)
    assert response.status_code == 200 and response.json()["status_code"] == 2001
    return session["id"], response


def test_the_answer_the_log_and_hubctl_use_the_same_words(partner, ctl):
    """R-TYPE-09: a number does not come as a text."""
    session_id, response = send_bad_session(partner)
    told = response.json()["status_message"]
    assert re.search(r"/kwh", told) and "R-TYPE-09" in told and '"many"' in told, told
    message = refused(ctl, partner, object=session_id)[0]
    assert message["pointer"] == "/kwh" and message["rule"] == "R-TYPE-09"
    assert message["error"] in told and message["came"] in told and message["expected"] in told
    assert message["module"] == "sessions" and message["ocpi_status"] == 2001 and message["direction"] == "in"
    explained = ctl("message", "explain", message["id"])
    for word in ("/kwh", "R-TYPE-09", '"many"', message["expected"], "OCPI", "types, number"):
        assert word in explained, explained


def test_how_often_and_since_when(partner, ctl):
    """Positions in lists do not matter: the same complaint about another entry is the same."""
    for index in range(3):
        location = partner.location(partner.new_id("WHY"))
        location["evses"] = [json.loads(json.dumps(location["evses"][0])) for _ in range(index + 1)]
        for number, evse in enumerate(location["evses"]):
            evse["uid"] = f"W{number}"
        location["evses"][index]["status"] = "DREAMING"
        body = partner.put(partner.own("locations", location["id"]), location).json()
        assert body["status_code"] == 2001 and f"/evses/{index}/status" in body["status_message"]
    last = wait_until(lambda: [m for m in refused(ctl, partner, module="locations")
                               if m.get("pointer") == "/evses/2/status"], what="the third refusal")[0]

    def counted():
        shown = json.loads(ctl("message", "show", last["id"], "--json"))
        return shown if shown["same"]["count"] >= 3 else None
    shown = wait_until(counted, what="all three, from whichever worker")
    assert shown["same"]["first_at"] <= shown["same"]["last_at"]
    assert "times in 30 days" in ctl("message", "explain", last["id"])
    assert "DREAMING" in shown["request_body"] and shown["rule_text"]["ocpi_section"]


def test_a_good_message_is_not_among_the_refused(partner, ctl):
    location = partner.location(partner.new_id("GOOD"))
    assert partner.put(partner.own("locations", location["id"]), location).status_code == 201

    def logged():
        return json.loads(ctl("message", "list", "--partner", partner.name, "--object", location["id"], "--json"))["items"]
    message = wait_until(logged, what="the message in the log")[0]
    assert not message["refused"] and "rule" not in message
    assert "was not refused" in ctl("message", "explain", message["id"])
    assert not json.loads(ctl("message", "list", "--refused", "--object", location["id"], "--json"))["items"]


def test_it_is_found_by_correlation_and_time(partner, ctl):
    session_id, response = send_bad_session(partner)
    correlation = response.headers["X-Correlation-ID"]
    found = refused(ctl, partner, correlation=correlation)
    assert [m["object_id"] for m in found] == [session_id]
    assert not json.loads(ctl("message", "list", "--correlation", correlation, "--until", "2020-01-01T00:00:00Z", "--json"))["items"]
    assert json.loads(ctl("message", "list", "--correlation", correlation, "--since", "2020-01-01T00:00:00Z", "--json"))["items"]


def test_tokens_are_not_in_the_log(partner, ctl):
    """R-TRANS-05: what a partner sends as its token is masked, in the bodies and in the complaint."""
    body = partner.credentials(token="a-secret that is no token")
    response = partner.put(partner.url("credentials", role="SENDER"), body)
    assert response.json()["status_code"] == 2001
    message = refused(ctl, partner, module="credentials")[0]
    shown = ctl("message", "show", message["id"], "--json")
    assert "a-secret" not in shown and "***" in shown


@pytest.mark.parametrize("query, field", [
    ("partner=Nobody", "partner"), ("since=yesterday", "since"), ("until=soon", "until"),
    ("limit=0", "limit"), ("limit=1000000", "limit"), ("limit=x", "limit"), ("before=7", "before"),
])
def test_a_wrong_filter_is_named(hub, query, field):
    response = hub.admin("GET", f"/messages?{query}")
    assert response.status_code == 422
    assert response.json()["errors"][0]["field"] == field


def test_an_unknown_message_is_not_found(hub):
    for which in ("x", "0190b0c8-7d9a-7c3e-8a52-6f1f6c0d2b11"):
        assert hub.admin("GET", f"/messages/{which}").status_code == 404


def test_pages_of_the_log_follow_each_other(partner, hub):
    sent = {send_bad_session(partner)[0] for _ in range(3)}

    def logged():
        items = hub.admin("GET", f"/messages?partner={partner.name}&refused=true&limit=500").json()["items"]
        return sent <= {m.get("object_id") for m in items}
    wait_until(logged, what="the three in the log, from whichever worker")
    whole = hub.admin("GET", f"/messages?partner={partner.name}&refused=true&limit=500").json()["items"]
    pages, before = [], None
    while True:
        path = f"/messages?partner={partner.name}&refused=true&limit=2" + (f"&before={before}" if before else "")
        page = hub.admin("GET", path).json()["items"]
        if not page:
            break
        pages += page
        before = page[-1]["id"]
    assert [m["id"] for m in pages] == [m["id"] for m in whole]
