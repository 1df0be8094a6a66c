# SPDX-License-Identifier: Apache-2.0
"""
hubctl partner test: nothing to complain about in partners that keep to OCPI (the simulator in all
versions and roles, and a second hub), and each misbehaviour found and named.
"""

import base64
import contextlib
import http.server
import json
import subprocess
import threading
import time
import uuid
from urllib.parse import urlsplit

import pytest
import requests

from harness import BUILD, Sim, User, World, ok, wait_until

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


def charge(sim):
    """Three sessions, of which two have ended: so that these lists are not empty."""
    evses = [e for e in sim.get("/sim/world")["evses"] if not e.get("session")][-3:]
    for evse in evses:
        sim.post("/sim/session", evse=evse["uid"])
    for session in sim.get("/sim/sessions")["sessions"][:2]:
        sim.post("/sim/stop", id=session["id"])
    wait_until(lambda: len(sim.get("/sim/cdrs")["cdrs"]) >= 2, 20, "two CDRs")


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
        if role == "CPO":
            charge(sim)
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
    passed = {c["name"] for c in told(document, "pass")}
    lists = ("locations", "tariffs", "sessions", "cdrs") if role == "CPO" else ("tokens",)
    assert passed >= {f"{m}.{c}" for m in lists for c in ("objects", "total", "link", "pages", "window")}


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
    ("CPO", "http-404", False, "locations.list", "R-TRANS-40"),
    ("CPO", "close-after-request", False, "locations.list", "R-TRANS-40"),
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
    for word in ("fail  locations.total", "R-TRANS-43, OCPI ", "expected", "got", "to do"):
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


def test_a_partner_that_has_gone_is_said_to_be_unreachable_at_once(own):
    country, party = "NO", "GON"
    invitation = own.hub.invite("Gone", country, party)
    sim = Sim(own.directory / "gone", "--party", f"{country}*{party}", "--name", "Gone", "--world", "12",
              "--register", invitation["versions_url"], "--token-a", invitation["token_a"])
    wait_until(lambda: connected(own.hub, "Gone"), 10, "the hub to know it")
    sim.stop()
    document = finished(own.hub, "Gone", begin(own.hub, "Gone"))
    assert [c["name"] for c in told(document, "fail")] == ["versions.list"]
    assert [c["name"] for c in told(document, "warn")] == ["test.complete"]
    assert document["passed"] == 0 and document["not_applicable"] > 20


def test_what_is_not_there_is_not_found(own):
    sim_of(own, "CPO", "2.2.1")
    assert own.hub.admin("POST", "/partners/Nobody/test", json={}).status_code == 404
    for test in ("0", "x", "999999"):
        answer = own.hub.admin("GET", f"/partners/{name_of('CPO', '2.2.1')}/tests/{test}")
        assert answer.status_code == 404, answer.text


def test_a_partner_that_only_has_an_invitation_cannot_be_tested(own):
    own.hub.invite("Invited only", "SE", "INV")
    wait_until(lambda: own.hub.admin("POST", "/partners/Invited only/test", json={}).status_code == 422, 10,
               "every process to know the invitation, and to refuse it")


# ---- our own faces, seen by another hub ----


class Mirror:
    """A company whose endpoints are those of a hub.

    Two hubs are no roaming partners in every role and version. So a company stands between them: it
    is connected to the second hub as the first one would be, shows the first one its own versions and
    credentials, and passes everything else on to the second hub and back: tokens and host names are
    exchanged, the messages stay what they are.
    """

    SKIPPED = {"host", "authorization", "content-length", "connection", "transfer-encoding",
               "accept-encoding", "date", "server"}

    def __init__(self, behind, role, version, party):
        self.behind, self.role, self.version, self.party = behind, role, version, party
        self.face = "cpo" if role == "CPO" else "emsp"
        self.tokens = []  # that the first hub may show; a newer one ends the older
        self.token_behind = None
        self.token_of_first = None
        mirror = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def answer(self):
                raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                status, headers, data = mirror.serve(self.command, self.path, self.headers, raw)
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = answer

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.base = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()

    # ---- towards the second hub: the first one's place ----

    def authorization(self, token):
        plain = self.version == "2.1.1"
        return f"Token {token if plain else base64.b64encode(token.encode()).decode()}"

    def ask(self, method, url, token, body=None):
        answer = requests.request(method, url, json=body, timeout=30,
                                  headers={"Authorization": self.authorization(token)})
        assert answer.status_code == 200 and answer.json()["status_code"] == 1000, answer.text
        return answer.json()["data"]

    def credentials(self, token, url, role, country, party):
        who = {"country_code": country, "party_id": party, "business_details": {"name": "Mirror"}}
        base = {"token": token, "url": url}
        return {**base, **who} if self.version == "2.1.1" else {**base, "roles": [{"role": role, **who}]}

    def connect(self):
        role = "EMSP" if self.role == "CPO" else "CPO"
        invitation = ok(self.behind.hub.admin("POST", "/partners/invite", json={
            "name": "First hub", "country_code": "FI", "party_id": "HUB", "role": role,
            "version": self.version}))
        url, token = invitation["versions_url"], invitation["token_a"]
        if self.version == "2.1.1":
            url = invitation.get("versions_url_2_1_1", url)
        versions = self.ask("GET", url, token)
        details = self.ask("GET", next(v["url"] for v in versions if v["version"] == self.version), token)
        self.endpoints = details["endpoints"]
        credentials = next(e["url"] for e in self.endpoints if e["identifier"] == "credentials")
        mine = self.credentials(uuid.uuid4().hex, self.base + "/back/versions", role, "FI", "HUB")
        self.token_behind = self.ask("POST", credentials, token, mine)["token"]

    def back(self, path):
        """What the second hub reads when we register there."""
        network = self.role == "EMSP"
        if path == "/back/versions":
            return [{"version": self.version, "url": f"{self.base}/back/{self.version}"}]
        modules = [("credentials", "SENDER")]
        modules += [(m, "SENDER" if network else "RECEIVER")
                    for m in ("locations", "tariffs", "sessions", "cdrs")]
        modules += [(m, "RECEIVER" if network else "SENDER") for m in ("tokens", "commands")]
        return {"version": self.version, "endpoints": [
            {"identifier": m, "url": f"{self.base}/back/{self.version}/{m}",
             **({} if self.version == "2.1.1" else {"role": r})} for m, r in modules]}

    # ---- towards the first hub ----

    def invite(self):
        self.tokens = [uuid.uuid4().hex]
        return f"{self.base}/versions", self.tokens[0]

    def details(self):
        """Of the second hub's two sides the one that this role has."""
        shown = [e for e in self.endpoints if f"/ocpi/{self.face}/" in e["url"]
                 and e["identifier"] != "credentials"]
        shown = [{**e, "url": e["url"].replace(self.behind.hub.url, self.base)} for e in shown]
        roles = {} if self.version == "2.1.1" else {"role": "SENDER"}
        shown.append({"identifier": "credentials", "url": f"{self.base}/{self.version}/credentials", **roles})
        if self.role == "CPO" and not any(e["identifier"] == "commands" for e in shown):
            roles = {} if self.version == "2.1.1" else {"role": "RECEIVER"}
            shown.append({"identifier": "commands",
                          "url": f"{self.base}/ocpi/cpo/{self.version}/commands", **roles})
        return {"version": self.version, "endpoints": shown}

    def our_credentials(self):
        return self.credentials(self.tokens[-1], self.base + "/versions", self.role, "SE", self.party)

    def shown_token(self, authorization):
        """Whether it is one of ours, and the header with the second hub's token in the same form."""
        value = (authorization or "").removeprefix("Token ")
        with contextlib.suppress(ValueError):
            decoded = base64.b64decode(value, validate=True).decode("ascii")
            if decoded in self.tokens:
                return decoded, f"Token {base64.b64encode(self.token_behind.encode()).decode()}"
        return (value, f"Token {self.token_behind}") if value in self.tokens else (None, authorization)

    def serve(self, method, target, headers, raw):
        path = urlsplit(target).path
        ids = {name: headers[name] for name in ("X-Request-ID", "X-Correlation-ID") if name in headers}
        if path.startswith("/back/"):
            return self.envelope(ids, 200, 1000, self.back(path))
        token, authorization = self.shown_token(headers.get("Authorization"))
        if path.startswith("/ocpi/"):
            return self.forward(method, target, headers, raw, authorization)
        if not token:
            return self.envelope(ids, 401, 2001)
        self.tokens = self.tokens[self.tokens.index(token):]
        if path == "/versions":
            if method != "GET":
                return self.envelope(ids, 405, 2000)
            return self.envelope(ids, 200, 1000, [{"version": self.version,
                                                   "url": f"{self.base}/{self.version}"}])
        if path == f"/{self.version}":
            return self.envelope(ids, 200, 1000, self.details())
        if path == f"/{self.version}/credentials":
            if method in ("POST", "PUT"):
                self.token_of_first = json.loads(raw)["token"]
                self.ask("GET", json.loads(raw)["url"], self.token_of_first)
                self.tokens.append(uuid.uuid4().hex)
                if method == "POST":
                    self.tokens = self.tokens[-1:]
            return self.envelope(ids, 200, 1000, self.our_credentials())
        return self.envelope(ids, 404, 2000)

    @staticmethod
    def envelope(ids, status, code, data=None):
        body = {"status_code": code, "timestamp": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())}
        if data is not None:
            body["data"] = data
        return status, {**ids, "Content-Type": "application/json"}, json.dumps(body).encode()

    def forward(self, method, target, headers, raw, authorization):
        there = self.behind.hub.url
        sent = {k: v for k, v in headers.items() if k.lower() not in self.SKIPPED}
        for name, value in sent.items():
            if name.lower() == "ocpi-to-party-id" and value == self.party:
                sent[name] = "OTH"
        if authorization:
            sent["Authorization"] = authorization
        answer = requests.request(method, there + target, headers=sent, data=raw or None, timeout=30,
                                  allow_redirects=False)
        came = {k: v.replace(there, self.base) for k, v in answer.headers.items()
                if k.lower() not in self.SKIPPED}
        for name, value in came.items():
            if name.lower() == "ocpi-from-party-id" and value == "OTH":
                came[name] = self.party
        return answer.status_code, came, answer.content.replace(there.encode(), self.base.encode())


@pytest.fixture(scope="module", params=PARTIES)
def behind(directory, own, request):
    """A second hub, with a charging network whose objects the first one may read."""
    w = World(directory / f"behind-{request.param}", stores=own.stores,
              database=f"behind_{request.param.lower()}", redis_db=1 + list(PARTIES).index(request.param))
    w.role = request.param
    try:
        w.start(sim=False, country_code="SE", party_id="OTH", name="Second hub")
        w.start_sim("--speed", "60", "--world", "12", "--party", "FI*VRT")
        w.wait_for_evse("FI*VRT*E90000012*2")
        w.hub.ctl("contract", "allow", "--from", "FI*VRT", "--to", "FI*HUB")
        if request.param == "EMSP":  # whose tokens are listed
            for _ in range(3):
                ok(User(w.hub).start(w.fresh_evse()))
        yield w
    finally:
        w.stop()


@pytest.mark.parametrize("version", VERSIONS)
def test_our_own_faces_fail_no_check(own, behind, version):
    number = VERSIONS.index(version) + len(VERSIONS) * list(PARTIES).index(behind.role)
    mirror = Mirror(behind, behind.role, version, f"OT{number}")
    try:
        mirror.connect()
        url, token = mirror.invite()
        partner = own.hub.ctl("partner", "register", "--versions-url", url, "--token-a", token,
                              "--role", behind.role, "--version", version)["id"]
        wait_until(lambda: connected(own.hub, partner), 10, "the hub to know it")
        document = finished(own.hub, partner, begin(own.hub, partner, full=True))
    finally:
        mirror.close()
    assert not told(document, "fail"), in_words(told(document, "fail", "warn"))
    assert document["passed"] > 20
    passed = {c["name"] for c in told(document, "pass")}
    assert passed >= ({"locations.objects", "locations.pages", "locations.end", "tariffs.objects"}
                      if behind.role == "CPO" else
                      {"tokens.objects", "tokens.pages", "locations.get", "tariffs.put", "sessions.patch",
                       "cdrs.get"}), passed
