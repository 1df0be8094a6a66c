# SPDX-License-Identifier: Apache-2.0
"""
hubctl partner test: nothing to complain about in partners that keep to OCPI (the simulator in all
versions and roles, and a second hub), and each misbehaviour found and named.
"""

import json
import subprocess

import pytest

from harness import BUILD, Sim, World, ok, wait_until

VERSIONS = ("2.1.1", "2.2.1", "2.3.0")
PARTIES = {"CPO": ("FI", "VR"), "EMSP": ("DE", "EM")}


@pytest.fixture(scope="module")
def own(directory):
    """A hub for tests of partners, and the simulated partners that it has."""
    w = World(directory / "selftest")
    w.sims = {}
    try:
        w.start(sim=False)
        yield w
    finally:
        for sim in w.sims.values():
            sim.stop()
        w.stop()


def name_of(role, version):
    return f"{role} {version}"


def connected(hub, partner):
    """In the eyes of every worker, as far as asking often tells."""
    return all(ok(hub.admin("GET", f"/partners/{partner}"))["state"] == "connected" for _ in range(8))


def sim_of(own, role, version):
    """The simulated partner of this role and version, which behaves well now."""
    sim = own.sims.get((role, version))
    if not sim:
        country, party = PARTIES[role]
        party += str(VERSIONS.index(version))
        answer = own.hub.admin("POST", "/partners/invite", json={
            "name": name_of(role, version), "country_code": country, "party_id": party, "role": role,
            "version": version})
        invitation = ok(answer)
        url = invitation["versions_url"]
        if version == "2.1.1":
            url = invitation.get("versions_url_2_1_1", url)
        sim = Sim(own.directory / f"{role}-{version}", "--role", role.lower(), "--version", version,
                  "--party", f"{country}*{party}", "--name", name_of(role, version), "--world", "12",
                  "--speed", "60", "--register", url,
                  "--token-a", invitation["token_a"])
        own.sims[role, version] = sim
        wait_until(lambda: connected(own.hub, name_of(role, version)), 10, "the hub to know it")
    sim.post("/sim/behave", name="none")
    return sim


def begin(hub, partner, full=False):
    return ok(hub.admin("POST", f"/partners/{partner}/test", json={"full": full}), 202)["test_id"]


def finished(hub, partner, test_id):
    def look():
        document = ok(hub.admin("GET", f"/partners/{partner}/tests/{test_id}"))
        return document if document["state"] == "finished" else None
    return wait_until(look, 60, "the test to finish")


def report_of(own, role, version, full=False):
    partner = name_of(role, version)
    return finished(own.hub, partner, begin(own.hub, partner, full))


def told(document, *results):
    return [c for c in document["checks"] if c["result"] in results]


def in_words(checks):
    return "\n".join(f"{c['result']} {c['name']} {c['rule']} at {c['where']}: expected {c['expected']},"
                     f" got {c['got']}" for c in checks)


# ---- those who keep to OCPI ----


@pytest.mark.parametrize("full", (False, True), ids=("reading", "full"))
@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("role", PARTIES)
def test_a_correct_partner_fails_no_check(own, role, version, full):
    sim_of(own, role, version)
    document = report_of(own, role, version, full)
    assert not told(document, "fail"), in_words(told(document, "fail"))
    assert document["version"] == version and document["full"] is full
    assert document["passed"] > 25 and len(told(document, "pass")) == document["passed"]
    counted = ("passed", "warnings", "failed", "not_applicable")
    assert sum(document[c] for c in counted) == len(document["checks"])
    assert [c["seq"] for c in document["checks"]] == sorted(c["seq"] for c in document["checks"])


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("role", PARTIES)
def test_without_full_nothing_is_changed_at_the_partner(own, role, version):
    sim = sim_of(own, role, version)
    last = max((r["number"] for r in sim.requests()), default=0)
    report_of(own, role, version)
    changing = [r for r in sim.requests(after=last)
                if r["method"] != "GET" and not (r["method"] == "PUT" and "versions" in r["path"])]
    assert not changing, json.dumps(changing, indent=1)


def test_the_rows_say_what_the_developer_needs(own):
    sim_of(own, "CPO", "2.2.1").behave("no-total-count")
    found = next(c for c in report_of(own, "CPO", "2.2.1")["checks"] if c["name"] == "locations.total")
    assert found["result"] == "fail" and found["rule"] == "R-TRANS-43"
    assert found["section"] and found["rule_text"] and found["advice"]
    assert found["where"] == "X-Total-Count" and found["expected"] and found["got"]


# ---- those who do not: misbehaviour, and the checks that find it ----

# role, misbehaviour, full, check, rule (None: whatever the object's table says)
MISBEHAVIOURS = [
    # transport
    ("CPO", "missing-envelope", False, "answers.envelope", "R-TRANS-30"),
    ("CPO", "no-envelope-timestamp", False, "answers.timestamp", "R-TRANS-30"),
    ("CPO", "no-request-id-echo", False, "answers.message_ids", "R-TRANS-60"),
    ("CPO", "wrong-routing-headers", False, "answers.routing", "R-ROUTE-04"),
    ("CPO", "open-credentials", False, "auth.wrong_token", "R-TRANS-06"),
    ("CPO", "open-credentials", False, "auth.no_token", "R-TRANS-06"),
    ("CPO", "garbage-body", False, "answers.envelope", "R-TRANS-30"),
    ("CPO", "html-body", False, "answers.content_type", "R-TRANS-08"),
    ("CPO", "empty-body", False, "answers.envelope", "R-TRANS-30"),
    ("CPO", "http-201", False, "locations.list", "R-TRANS-40"),
    ("CPO", "http-401", False, "locations.list", "R-TRANS-40"),
    ("CPO", "http-429", False, "locations.list", "R-TRANS-40"),
    ("CPO", "http-500", False, "locations.list", "R-TRANS-40"),
    ("CPO", "ocpi-3000", False, "locations.list", "R-TRANS-40"),
    ("CPO", "lost-answer", False, "locations.list", "R-TRANS-40"),
    # discovery
    ("CPO", "version-2-2", False, "versions.list", "R-VER-05"),
    ("CPO", "details-wrong-version", False, "details.version", "R-VER-05"),
    ("CPO", "endpoint-missing", False, "details.endpoints", "R-ROUTE-56"),
    ("EMSP", "endpoint-missing", False, "details.endpoints", "R-ROUTE-56"),
    ("CPO", "private-url", False, "details.urls", "R-CRED-19"),
    ("CPO", "trailing-slash", False, "locations.list", "R-VER-08"),
    # lists
    ("CPO", "link-elsewhere", False, "locations.link", "R-TRANS-47"),
    ("CPO", "link-loop", False, "locations.link", "R-TRANS-43"),
    ("CPO", "endless-link", False, "locations.end", "R-TRANS-43"),
    ("CPO", "link-keeps-no-filter", False, "locations.link_filters", "R-TRANS-43"),
    ("CPO", "shrinking-total", False, "locations.total_stable", "R-TRANS-46"),
    ("CPO", "no-total-count", False, "tariffs.total", "R-TRANS-43"),
    ("CPO", "limit-ignored", False, "locations.limit", "R-TRANS-40"),
    ("CPO", "ignores-date-from", False, "locations.dates", "R-TRANS-41"),
    ("CPO", "unordered-pages", False, "locations.order", "R-TRANS-45"),
    ("CPO", "bad-object-in-page", False, "locations.objects", "R-TYPE-12"),
    ("CPO", "missing-last-updated", False, "locations.objects", "R-TYPE-12"),
    ("CPO", "bad-location", False, "locations.objects", "R-TYPE-12"),
    ("CPO", "offset-times", False, "locations.objects", "R-TYPE-04"),
    ("CPO", "numbers-as-text", False, "tariffs.objects", "R-TYPE-09"),
    ("CPO", "long-address", False, "locations.objects", "R-TYPE-17"),
    ("EMSP", "no-total-count", False, "tokens.total", "R-TRANS-43"),
    ("EMSP", "missing-last-updated", False, "tokens.objects", "R-TYPE-12"),
    # single objects
    ("CPO", "list-for-object", False, "locations.single", "R-TRANS-30"),
    ("CPO", "http-200-for-unknown-object", False, "locations.unknown", "R-TRANS-33"),
    ("EMSP", "http-200-for-unknown-object", False, "sessions.unknown", "R-TRANS-33"),
    # what is pushed and asked
    ("CPO", "no-timeout", True, "commands.start_unknown_location", None),
    ("CPO", "accepts-broken-object", True, "tokens.put_broken", "R-TYPE-12"),
    ("CPO", "patch-not-merged", True, "tokens.patch", "R-TRANS-11"),
    ("EMSP", "patch-not-merged", True, "locations.patch", "R-TRANS-11"),
    ("EMSP", "patch-accepted-without-last-updated", True, "locations.patch_without_last_updated",
     "R-TRANS-12"),
    ("EMSP", "patch-accepted-without-last-updated", True, "sessions.patch_without_last_updated",
     "R-TRANS-12"),
    ("EMSP", "cdr-post-no-location-header", True, "cdrs.post", "R-CDR-03"),
    ("EMSP", "accepts-broken-object", True, "locations.put_broken", "R-TYPE-12"),
    ("EMSP", "accepts-broken-object", True, "cdrs.post_broken", "R-TYPE-12"),
    ("EMSP", "authorize-unknown-token-allowed", True, "tokens.authorize_unknown", "R-TOK-03"),
]

# Rules that 2.1.1 does not have.
SINCE_22 = {"no-request-id-echo", "wrong-routing-headers", "version-2-2", "no-timeout",
            "patch-accepted-without-last-updated"}
# ... and labels of one version.
ONLY_221 = {"version-2-2"}


def cases():
    for role, word, full, check, rule in MISBEHAVIOURS:
        for version in VERSIONS:
            if (version == "2.1.1" and word in SINCE_22) or (version != "2.2.1" and word in ONLY_221):
                continue
            yield pytest.param(role, version, word, full, check, rule,
                               id=f"{role}-{version}-{word}-{check}")


@pytest.mark.parametrize("role, version, word, full, check, rule", cases())
def test_each_misbehaviour_is_found_and_named(own, role, version, word, full, check, rule):
    sim = sim_of(own, role, version)
    sim.behave(word)
    try:
        document = report_of(own, role, version, full)
    finally:
        sim.behave_well(word)
    found = [c for c in document["checks"] if c["name"] == check and c["result"] in ("warn", "fail")]
    assert found, f"{check} did not find it; found was:\n{in_words(told(document, 'warn', 'fail'))}"
    assert rule is None or rule in [c["rule"] for c in found], in_words(found)
    assert all(c["advice"] and c["expected"] and c["got"] for c in found), in_words(found)


# ---- the command ----


def ctl(hub, *args):
    return subprocess.run([BUILD / "hub" / "hubctl", "--socket", str(hub.settings["admin_socket"]), *args],
                          capture_output=True, text=True, check=False, timeout=120)


def test_hubctl_shows_each_check_and_a_summary(own):
    sim_of(own, "CPO", "2.2.1")
    done = ctl(own.hub, "partner", "test", name_of("CPO", "2.2.1"))
    lines = done.stdout.splitlines()
    assert done.returncode == 0, done.stdout + done.stderr
    assert any(line.split()[:2] == ["pass", "versions.list"] for line in lines)
    assert lines[-1].endswith("not applicable") and " 0 failed, " in lines[-1]


def test_hubctl_ends_with_1_where_a_check_fails_and_says_what_to_do(own):
    sim = sim_of(own, "CPO", "2.2.1")
    sim.behave("no-total-count")
    done = ctl(own.hub, "partner", "test", name_of("CPO", "2.2.1"))
    assert done.returncode == 1, done.stdout + done.stderr
    for word in ("fail      locations.total", "R-TRANS-43, OCPI ", "expected", "got", "to do"):
        assert word in done.stdout
    document = json.loads(ctl(own.hub, "--json", "partner", "test", name_of("CPO", "2.2.1")).stdout)
    sim.behave_well("no-total-count")
    assert document["state"] == "finished" and document["failed"] >= 1


def test_one_test_of_a_partner_at_a_time(own):
    sim_of(own, "CPO", "2.2.1").behave("slow-answer", after_s=1)
    partner = name_of("CPO", "2.2.1")
    first = begin(own.hub, partner)
    answer = own.hub.admin("POST", f"/partners/{partner}/test", json={})
    assert answer.status_code == 409 and answer.json()["code"] == "test_running", answer.text
    sim_of(own, "CPO", "2.2.1")
    assert finished(own.hub, partner, first)["finished_at"]
    begin(own.hub, partner)


def test_what_is_not_there_is_not_found(own):
    sim_of(own, "CPO", "2.2.1")
    assert own.hub.admin("POST", "/partners/Nobody/test", json={}).status_code == 404
    for test in ("0", "x", "999999"):
        answer = own.hub.admin("GET", f"/partners/{name_of('CPO', '2.2.1')}/tests/{test}")
        assert answer.status_code == 404, answer.text


def test_a_partner_that_only_has_an_invitation_cannot_be_tested(own):
    own.hub.invite("Invited only", "SE", "INV")
    answer = own.hub.admin("POST", "/partners/Invited only/test", json={})
    assert answer.status_code == 422, answer.text


# ---- our own faces ----


@pytest.fixture(scope="module")
def other(directory, own):
    """A second hub, with a charging network whose objects the first one may read."""
    w = World(directory / "selftest-other", stores=own.stores, database="selftest_other", redis_db=1)
    try:
        w.start(sim=False, country_code="SE", party_id="OTH", name="Other hub")
        w.start_sim("--speed", "60", "--world", "12", "--party", "FI*VRT")
        w.wait_for_evse("FI*VRT*E90000012*2")
        w.hub.ctl("contract", "allow", "--from", "FI*VRT", "--to", "FI*HUB")
        yield w
    finally:
        w.stop()


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("role", PARTIES)
def test_another_hub_fails_no_check(own, other, role, version):
    """The role is what the first hub sees in the second one."""
    as_what = "EMSP" if role == "CPO" else "CPO"
    invitation = ok(other.hub.admin("POST", "/partners/invite", json={
        "name": "First hub", "country_code": "FI", "party_id": "HUB", "role": as_what,
        "version": version}))
    url = invitation["versions_url"]
    if version == "2.1.1":
        url = invitation.get("versions_url_2_1_1", url)
    partner = own.hub.ctl("partner", "register", "--versions-url", url, "--token-a",
                          invitation["token_a"], "--role", role, "--version", version)["id"]
    try:
        wait_until(lambda: connected(own.hub, partner), 10, "the hub to know it")
        document = finished(own.hub, partner, begin(own.hub, partner, full=True))
    finally:
        own.hub.ctl("partner", "unregister", str(partner))
    assert not told(document, "fail"), in_words(told(document, "fail", "warn"))
    assert document["passed"] > 20
