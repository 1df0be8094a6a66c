# SPDX-License-Identifier: Apache-2.0
"""
The life of a connection against accidents and thieves: rotation while both sides are busy, stolen
tokens, tokens A beyond their use, leaving, coming back, and secrets at rest.
"""

import base64
import json
import threading
import time
import uuid
from urllib.parse import urlsplit

import pytest
import requests
from harness import User, World, ok, problem, wait_until
from partner import encode, now
from test_isolation import ROUTES, send, speaks
from test_versions_inbound import VERSIONS, Speaker, done, envelope, face_url, partner_id, shown

WORKERS = 3
secrets = set()  # every token that was given to anybody here


class Actor(Speaker):
    """A partner that remembers its secrets, and turns away who shows a token it does not accept."""

    def __init__(self, *args, **kw):
        self.accepted = None  # None: whatever is shown
        self.turned_away, self.commands = [], []
        super().__init__(*args, **kw)
        self.http = requests.Session()

    def __setattr__(self, name, value):
        if name in ("token", "token_b") and value:
            secrets.add(value)
        super().__setattr__(name, value)

    def close(self):
        self.http.close()
        super().close()

    def form(self, token):
        return f"Token {token if self.version == '2.1.1' else encode(token)}"

    def serve(self, request):
        if "/commands/" in request["path"]:
            shown_token = request["headers"]["Authorization"]
            if self.accepted is not None and shown_token not in [self.form(t) for t in self.accepted]:
                self.turned_away.append(request)
                return 401, self.envelope(None, 2001), {}
            self.commands.append((shown_token, request))
        return super().serve(request)

    def own(self, module, object_id, *deeper):
        """Straight to the address, whatever has been read of it."""
        face = "cpo" if module == "tokens" else "emsp"
        return "/".join([f"{self.hub.url}/ocpi/{face}/{self.version}/{module}", self.country, self.party,
                         object_id, *deeper])

    def site(self, evses=1):
        """A Location of theirs that the hub knows; the EVSE ids."""
        location = self.location()
        first = location["evses"][0]
        number = uuid.uuid4().int % 10**9
        location["evses"] = [{**first, "uid": f"{location['id']}-{i}",
                              "evse_id": f"{self.country}*{self.party}*E{number}{i}"} for i in range(evses)]
        done(self.put(self.own("locations", location["id"]), location), 201)
        ids = [e["evse_id"] for e in location["evses"]]
        user = User(self.hub)
        wait_until(lambda: all(user.anew().evse(ids[-1]).status_code == 200 for _ in range(12 * WORKERS)), 10,
                   "every worker to know the EVSEs")
        return location, ids


@pytest.fixture(scope="module")
def attacked(directory, token_keys):
    w = World(directory / "attacks")
    try:
        w.start(sim=False, workers=WORKERS, jwt_keys_file=token_keys.jwks_file)
        yield w
    finally:
        w.stop()


@pytest.fixture
def hub(attacked):
    return attacked.hub


numbers = iter(range(10, 100))


@pytest.fixture
def actor(attacked):
    """actor(version, role) makes a partner that nobody knows yet."""
    made = []

    def make(version="2.2.1", role="CPO", **more):
        made.append(Actor(version, "SE", f"W{next(numbers)}", role, **more))
        return made[-1]

    yield make
    # Nobody is to ask for those who are no more.
    attacked.sql("UPDATE partner SET state = 'suspended' WHERE id IN (SELECT partner_id FROM party"
                 " WHERE party_id = ANY (%s))", [p.party for p in made])
    for p in made:
        p.close()


def connection(world, p):
    """What is stored of it."""
    return world.sql("SELECT state, version, versions_url, token_out, endpoints::text, hosts, face FROM partner"
                     " WHERE id = %s", partner_id(world.hub, p))[0]


def start_of(user, evse):
    return ok(user.start(evse))["session_id"]


def sent_with(p, hub, evse, token):
    """The hub still calls there, with this token: a command, as it comes."""
    before = len(p.commands)
    start_of(User(hub), evse)
    wait_until(lambda: len(p.commands) > before, 10, "a command")
    assert p.commands[-1][0] == p.form(token)


# ---------------------------------------------------------------- rotation under load


class Load(threading.Thread):
    """Does something again and again until it is stopped; what goes wrong is kept."""

    def __init__(self, work, pause=0.002):
        super().__init__(daemon=True)
        self.work, self.pause = work, pause
        self.ended = threading.Event()
        self.count, self.wrong = 0, []

    def run(self):
        while not self.ended.is_set():
            try:
                self.work(self.count)
            except Exception as e:  # pylint: disable=broad-except
                self.wrong.append(repr(e)[:300])
            self.count += 1
            time.sleep(self.pause)

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.ended.set()
        self.join(20)


@pytest.mark.parametrize("strict", [False, True], ids=["old-until-new-is-used", "old-dead-at-once"])
@pytest.mark.parametrize("version", VERSIONS)
def test_rotation_under_load_loses_nothing(hub, actor, version, strict):
    """R-CRED-05, R-CRED-06: neither side is ever turned away, whoever rotates; and each command arrives once."""
    p = actor(version)
    p.register(hub)
    location, evses = p.site(300)
    sessions = [p.session(location=location, status="COMPLETED") for _ in range(5)]
    started = []
    p.accepted = {p.token_b}
    one_token = threading.Lock()  # a push with the old one is not under way when the new one is first used

    def push(i):
        session = {**sessions[i % 5], "last_updated": now()}
        with one_token:
            answer = send(p, "PUT", p.own("sessions", session["id"]), json.dumps(session))
        assert answer.status_code in (200, 201), answer.text

    def command(i):
        user = User(hub)
        started.append((user, start_of(user, evses[i])))

    def by_partner():
        before, new = p.token_b, uuid.uuid4().hex
        secrets.add(new)
        p.accepted = {before, new}
        p.token = done(p.put(p.credentials_url, p.credentials(token=new)))["token"]
        p.token_b = new
        settle(new)

    def by_hub():
        p.accepted = None  # what is shown while we answer is decided by settle()
        hub.ctl("partner", "rotate", p.name) if not strict else rotate_strictly()
        settle(p.token_b)

    def rotate_strictly():
        """Our old token is dead as soon as we have made a new one."""
        path = f"/{version}/credentials"

        def answer(request):
            p.received.append(request)
            with one_token:
                p.call_back(request)
                p.token, p.token_b = request["body"]["token"], uuid.uuid4().hex
            p.accepted = {p.token_b}
            return 200, p.envelope(p.credentials())

        p.scripted["PUT", path] = answer
        hub.ctl("partner", "rotate", p.name)
        del p.scripted["PUT", path]

    def settle(new):
        if not strict:
            wait_until(lambda: p.commands and p.commands[-1][0] == p.form(new), 10, "the new token to be used")
        p.accepted = {new}

    with Load(push) as pushes, Load(command, 0.03) as commands:
        wait_until(lambda: pushes.count > 3 and commands.count > 1, 10, "work")
        for _ in range(3):
            by_partner()
            by_hub()
        at = pushes.count
        wait_until(lambda: pushes.count > at + 3, 10, "more work")
    assert not pushes.wrong and pushes.count > 20, pushes.wrong[:3]
    assert not commands.wrong and commands.count > 5, commands.wrong[:3]

    def asked_for(session_id, i):
        uid = location["evses"][i]["uid"]
        assert not [r for _, r in p.commands if "evse_uid" not in r["body"]]  # whole, whenever it was claimed
        return [r for _, r in p.commands if r["path"].endswith("START_SESSION") and r["body"]["evse_uid"] == uid]

    for i, (user, session_id) in enumerate(started):
        wait_until(lambda n=i, s=session_id: asked_for(s, n), 10, "the command")
        assert len(asked_for(session_id, i)) == 1
        assert ok(user.status(session_id))["status"] == "pending"
    if not strict:
        assert not p.turned_away


@pytest.mark.parametrize("version", VERSIONS)
def test_a_lost_answer_to_a_put_harms_nobody(attacked, hub, actor, version):
    """R-CRED-06: the old token is good until the new one is used, or for ten minutes."""
    p = actor(version)
    p.register(hub)
    old = p.token

    def goes(token):
        return p.get(p.own("sessions", "missing"), token=token).status_code == 404

    def by_all(token):
        return [goes(token) for _ in range(20)]

    done(p.put(p.credentials_url, p.credentials()))  # its answer is lost
    assert all(by_all(old))
    minutes, = attacked.sql("SELECT extract(epoch FROM t.expires_at - hub_now()) / 60 FROM partner_token t WHERE"
                            " partner_id = %s AND kind = 'previous'", partner_id(hub, p))[0]
    assert 9 < minutes <= 10
    attacked.sql("UPDATE partner_token SET expires_at = hub_now() - interval '1 s' WHERE kind = 'previous'")
    attacked.sql("SELECT partner_changed()")
    wait_until(lambda: not any(by_all(old)), 5, "the old token to be over")


# ---------------------------------------------------------------- a stolen token


def elsewhere(p, thief):
    """Where a thief would like the connection to go; True: it might be theirs, so a person is asked."""
    port, other = urlsplit(p.base).port, urlsplit(thief.base).netloc
    return {
        "another port": (f"http://{other}/versions", True),
        "another scheme": (f"https://127.0.0.1:{port}/versions", True),
        "another address": (f"http://127.0.0.2:{port}/versions", True),
        "another name": ("https://roaming.evil.example/versions", True),
        "a name that begins like theirs": (f"http://127.0.0.1.evil.example:{port}/versions", True),
        "punycode": ("https://xn--bcher-kva.example/versions", True),
        "the same address as IPv6": (f"http://[::ffff:127.0.0.1]:{port}/versions", True),
        "user information": (f"http://127.0.0.1:{port}@{other}/versions", False),
        "user information alone": (f"http://127.0.0.1@{other}/versions", False),
        "a backslash": (f"http://{other}\\@127.0.0.1:{port}/versions", False),
        "a fragment": (f"http://{other}#@127.0.0.1:{port}/versions", False),
        "letters of other alphabets": ("https://b\u00fccher.example/versions", False),
        "a dot at the end": (f"http://127.0.0.1.:{port}/versions", False),
        "a number": (f"http://2130706433:{port}/versions", False),
        "octal": (f"http://0177.0.0.1:{port}/versions", False),
        "hexadecimal": (f"http://0x7f.0.0.1:{port}/versions", False),
        "a short number": (f"http://127.1:{port}/versions", False),
        "private": ("https://10.0.0.1/versions", False),
        "metadata": ("http://169.254.169.254/versions", False),
        "link-local": ("https://[fe80::1]/versions", False),
        "this network": ("http://0.0.0.0/versions", False),
        "a public name without TLS": ("http://8.8.8.8/versions", False),
        "no web at all": ("gopher://127.0.0.1/versions", False),
    }


@pytest.fixture
def robbed(attacked, hub, actor):
    """A partner with a site, and a thief who holds its token."""
    p, thief = actor(), actor()
    p.register(hub)
    p.evse = p.site(8)[1]
    thief.hub = hub
    p.accepted = {p.token_b}
    p.before = connection(attacked, p)
    p.received.clear()
    return p, thief


def nothing_happened(world, p, thief, evse):
    assert connection(world, p) == p.before
    assert not thief.received
    assert not p.turned_away
    sent_with(p, world.hub, evse, p.token_b)
    done(p.get(p.versions_url))


def test_a_stolen_token_moves_nothing(attacked, hub, robbed):
    """R-CRED-19: refused, in the same words for the partner itself; the hub goes on as before."""
    p, thief = robbed
    for what, (url, asks) in elsewhere(p, thief).items():
        attacked.sql("UPDATE partner SET host_asked = NULL")
        answer = p.put(p.credentials_url, p.credentials(token="the-thiefs-token", url=url))
        envelope(answer, 200, 2001)
        assert "data" not in answer.json(), what
        asked = attacked.sql("SELECT host_asked FROM partner WHERE id = %s", partner_id(hub, p))[0][0]
        assert bool(asked) == asks, (what, asked, answer.text)
        assert connection(attacked, p) == p.before, what
    nothing_happened(attacked, p, thief, p.evse[0])


@pytest.mark.parametrize("where", ["details", "endpoint", "redirect"])
def test_a_stolen_token_moves_no_part_of_it(attacked, hub, robbed, where):
    """R-CRED-19: the versions URL stays, and what it leads to would be the thief's."""
    p, thief = robbed
    host = urlsplit(thief.base).netloc
    if where == "details":
        p.versions = [{"version": "2.2.1", "url": thief.base + "/2.2.1"}]
    elif where == "endpoint":
        p.endpoints = [{**e, "url": e["url"].replace(p.base, thief.base) if e["identifier"] == "commands" else e["url"]}
                       for e in p.our_endpoints()]
    else:
        p.scripted["GET", "/versions"] = lambda r: (302, p.envelope(None), {"Location": thief.base + "/versions"})
    answer = p.put(p.credentials_url, p.credentials(token=uuid.uuid4().hex))
    envelope(answer, 200, 3001 if where == "redirect" else 2001)
    if where != "redirect":
        shown(hub, p, host_asked=host)
    p.versions = p.endpoints = None
    p.scripted.clear()
    nothing_happened(attacked, p, thief, p.evse[1])


def test_tls_is_not_given_up(attacked, hub, robbed):
    """R-CRED-19: what was https stays so; the same host without it is another one."""
    p, thief = robbed
    number = partner_id(hub, p)
    attacked.sql("UPDATE partner SET versions_url = replace(versions_url, 'http:', 'https:') WHERE id = %s", number)
    attacked.sql("SELECT partner_changed()")
    hub.workers_know(number, versions_url=p.base.replace("http:", "https:") + "/versions")
    envelope(p.put(p.credentials_url, p.credentials(token="the-thiefs-token")), 200, 2001)
    assert connection(attacked, p)[3] == p.before[3] and not p.received


def test_an_approval_is_for_exactly_that_host(attacked, hub, robbed, actor):
    """R-CRED-19: and for nothing that was not asked for."""
    p, new = robbed
    other = actor()
    host = urlsplit(new.base).netloc
    number = partner_id(hub, p)

    def approve(name):
        return hub.admin("POST", f"/partners/{number}/approve", json={"host": name})

    def ask(whom):
        return p.put(p.credentials_url, p.credentials(token=new.token_b, url=whom.base + "/versions"))

    assert approve(host).status_code // 100 == 4  # nothing waits
    envelope(ask(new), 200, 2001)
    for wrong in ("127.0.0.1", urlsplit(other.base).netloc, "evil.example", f"x{host}", f"http://{host}", host + "."):
        assert approve(wrong).status_code // 100 == 4, wrong
        envelope(ask(new), 200, 2001)
    ok(approve(host))
    hub.workers_know(number, hosts=lambda hosts: host in hosts)
    envelope(ask(other), 200, 2001)  # which the approval was not for
    assert not other.received and not new.received
    p.token = done(ask(new))["token"]
    new.token, new.country, new.party = p.token, p.country, p.party
    before = len(p.commands)
    sent_with(new, hub, p.evse[2], new.token_b)
    assert len(p.commands) == before
    assert {urlsplit(e["url"]).netloc for e in shown(hub, p)["endpoints"]} == {host}


# ---------------------------------------------------------------- token A


def guest(p, hub, versions_url=None):
    """Invited, with token A in hand."""
    p.invited(hub)
    if versions_url:
        p.look(hub, versions_url)
    return p.token


@pytest.mark.parametrize("role", ["CPO", "EMSP"])
@pytest.mark.parametrize("version", VERSIONS)
def test_token_a_opens_versions_and_credentials_only(hub, actor, version, role):
    """R-TRANS-07, R-CRED-04: at every route that there is, of every version."""
    p = actor(version, role)
    guest(p, hub)
    names = dict.fromkeys(("cc", "pid", "location", "evse", "connector", "tariff", "session", "cdr", "uid", "callback",
                           "command", "record"), "x")
    for (method, pattern), (door, _) in ROUTES.items():
        for of_route in VERSIONS:
            if not speaks(method, pattern, of_route):
                continue
            url = hub.url + pattern.format(version=of_route, **names)
            body = "{}" if method in ("PUT", "POST", "PATCH") else None
            if door == "DOOR_PARTNER":
                expected = 401
            elif method == "GET":
                expected = 200 if "{version}" not in pattern or of_route in faces(pattern) else 404
            else:
                expected = (200 if method == "POST" else 405) if of_route in faces(pattern) else 404
            answer = send(p, method, url, body)
            assert answer.status_code == expected, (method, url, answer.text)
            assert expected != 401 or answer.json()["status_code"] >= 2000 and "data" not in answer.json()
    shown(hub, p, state="planned")  # no POST of an empty body has registered anybody


def faces(pattern):
    return VERSIONS if "/emsp/" in pattern else ("2.1.1",) if "/cpo/" in pattern else ("2.2.1", "2.3.0")


@pytest.mark.parametrize("version", VERSIONS)
def test_token_a_is_good_for_one_registration(attacked, hub, actor, version):
    """R-CRED-20: 405 for a day, then 401; of two at once one wins."""
    p = actor(version)
    token_a = guest(p, hub)
    answers = []

    def register():
        answers.append(p.post(p.credentials_url, p.credentials(), token=token_a))

    both = [threading.Thread(target=register) for _ in range(4)]
    for t in both:
        t.start()
    for t in both:
        t.join()
    assert sorted(a.status_code for a in answers) == [200, 405, 405, 405], [a.text for a in answers]
    p.token = next(a for a in answers if a.status_code == 200).json()["data"]["token"]
    for _ in range(10):
        assert p.post(p.credentials_url, p.credentials(), token=token_a).status_code == 405
        for url in (p.versions_url, p.credentials_url, p.own("sessions", "x")):
            assert p.get(url, token=token_a).status_code == 401
    number = partner_id(hub, p)
    hours, = attacked.sql("SELECT extract(epoch FROM expires_at - hub_now()) / 3600 FROM partner_token"
                          " WHERE partner_id = %s AND kind = 'a_used'", number)[0]
    assert 23.9 < hours <= 24
    attacked.sql("UPDATE partner_token SET expires_at = hub_now() - interval '1 s' WHERE partner_id = %s"
                 " AND kind = 'a_used'", number)
    attacked.sql("SELECT partner_changed()")
    wait_until(lambda: {p.post(p.credentials_url, p.credentials(), token=token_a).status_code
                        for _ in range(10)} == {401}, 5, "it to be forgotten")
    done(p.get(p.versions_url))


def test_token_a_ends_after_seven_days(attacked, hub, actor):
    """R-CRED-20, R-CRED-09: and a new invitation ends the one before."""
    p = actor()
    first = guest(p, hub)
    token_a = guest(p, hub)
    assert p.get(p.versions_url, token=first).status_code == 401
    number = partner_id(hub, p)
    days, = attacked.sql("SELECT extract(epoch FROM expires_at - hub_now()) / 86400 FROM partner_token"
                         " WHERE partner_id = %s AND kind = 'a'", number)[0]
    assert 6.99 < days <= 7
    attacked.sql("UPDATE partner_token SET expires_at = hub_now() - interval '1 s' WHERE partner_id = %s", number)
    attacked.sql("SELECT partner_changed()")
    wait_until(lambda: {p.get(p.versions_url, token=token_a).status_code for _ in range(10)} == {401}, 5, "its end")
    assert p.post(p.credentials_url, p.credentials(), token=token_a).status_code == 401
    shown(hub, p, state="planned")


# ---------------------------------------------------------------- leaving


@pytest.fixture(scope="module")
def watcher(attacked):
    """An eMSP that may see everybody's places: whose pushes others' are compared with."""
    p = Actor("2.2.1", "DK", "EYE", "EMSP")
    p.register(attacked.hub)
    yield p
    p.close()


def allow(hub, one, other):
    hub.ctl("contract", "allow", "--from", f"{one.country}*{one.party}", "--to", f"{other.country}*{other.party}")


def leave(hub, p, how):
    if how == "delete":
        done(p.call("DELETE", p.credentials_url))
    else:
        hub.ctl("partner", how, p.name)


def answers_of_all(*calls):
    """What is answered now: many requests at once, on connections of their own, so by every worker."""
    answers = []

    def ask(i):
        answers.append(calls[i % len(calls)]().status_code)

    threads = [threading.Thread(target=ask, args=(i,)) for i in range(50)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    return set(answers)


def all_refused(p, how):
    """Every worker hears of it in a moment; only then what would change something."""
    expected = {403 if how == "suspend" else 401}
    questions = (lambda: p.get(p.versions_url), lambda: p.get(p.own("sessions", "x")), lambda: p.get(p.credentials_url))
    wait_until(lambda: answers_of_all(*questions) == expected, 5, "every worker to know")
    assert answers_of_all(*questions, lambda: p.put(p.own("sessions", "S1"), p.session("S1")),
                          lambda: p.put(p.credentials_url, p.credentials())) == expected


@pytest.mark.parametrize("version, how", [
    ("2.1.1", "delete"), ("2.2.1", "delete"), ("2.2.1", "unregister"), ("2.3.0", "unregister"), ("2.1.1", "suspend"),
    ("2.3.0", "suspend")])
def test_leaving_stops_all_traffic_at_once(attacked, hub, actor, watcher, version, how):
    """R-CRED-08, R-HCI-05, R-ROUTE-46, R-CRED-09: in both directions, on every worker; and what was stays."""
    p = actor(version)
    p.register(hub)
    allow(hub, p, watcher)
    location, evses = p.site(4)
    p.locations = [location]  # two full pulls that lack it would close it
    user = User(hub)
    session_id = start_of(user, evses[0])
    command = wait_until(lambda: p.commands, 10, "the command")[0][1]["body"]
    start = "start_datetime" if version == "2.1.1" else "start_date_time"
    token = command["token"]
    mine = {"auth_id": token.get("auth_id")} if version == "2.1.1" else {
        "authorization_reference": command["authorization_reference"],
        "cdr_token": {k: token[k] for k in ("country_code", "party_id", "uid", "type", "contract_id")}}
    session = p.session(location=location, **{start: now(), **mine})
    done(p.put(p.own("sessions", session["id"]), session), 201)
    user.wait_for(session_id, "active")
    number = partner_id(hub, p)
    wait_until(lambda: not attacked.sql("SELECT 1 FROM pull WHERE partner_id = %s AND lease_until IS NOT NULL", number)
               and all(p.requests("GET", f"/{version}/{m}") for m in ("locations", "sessions", "cdrs", "tariffs")),
               20, "the first pulls")
    assert done(watcher.get(f"{hub.url}/ocpi/cpo/2.2.1/locations/{location['id']}"))

    p.received.clear()
    p.commands.clear()
    leave(hub, p, how)
    all_refused(p, how)
    # What was due and what comes up meanwhile does not go out.
    attacked.sql("UPDATE pull SET due_at = hub_now() WHERE partner_id = %s", number)
    attacked.sql("UPDATE partner SET last_contact_at = hub_now() - interval '1 hour', probe_at = NULL WHERE id = %s",
                 number)
    user.stop(session_id)
    for evse in evses[1:]:
        refused = User(hub).start(evse)
        if how == "suspend":
            assert "suspended" in problem(refused, 422, "evse_not_startable")["detail"]
        else:
            assert "offline" in problem(refused, 503, "network_unavailable")["detail"]
    time.sleep(0.8)
    sent = [(r["method"], r["path"]) for r in p.received if r["method"] != "DELETE"]
    assert not sent and len(p.received) == (how == "unregister"), p.received

    hidden = watcher.get(f"{hub.url}/ocpi/cpo/2.2.1/locations/{location['id']}").status_code
    assert hidden == (404 if how == "suspend" else 200)  # R-ROUTE-31
    if how == "suspend":
        hub.ctl("partner", "resume", p.name)
    else:
        old = p.token
        p.register(hub)
        assert p.token != old and p.get(p.versions_url, token=old).status_code == 401
    assert partner_id(hub, p) == number
    hub.workers_know(number, state="connected")
    assert done(p.get(p.own("locations", location["id"]))) == location
    assert done(p.get(p.own("sessions", session["id"])))["id"] == session["id"]
    end = "end_datetime" if version == "2.1.1" else "end_date_time"
    done(p.patch(p.own("sessions", session["id"]), {"status": "COMPLETED", end: now(), "last_updated": now(1)}))
    done(p.post(f"{hub.url}/ocpi/emsp/{version}/cdrs", p.cdr(session)), 201)
    user.wait_for(session_id, "completed")
    sent_with(p, hub, evses[3], p.token_b)


@pytest.mark.parametrize("how", ["delete", "unregister", "suspend"])
def test_who_has_left_is_told_nothing(attacked, hub, actor, watcher, how):
    """R-CRED-08, R-TRANS-64, R-ROUTE-31: pushes that wait do not go out, and no new ones are made."""
    cpo, emsp = actor(), actor(role="EMSP")
    for p in (cpo, emsp):
        p.register(hub)
    for p in (emsp, watcher):
        allow(hub, cpo, p)

    def told(p, location):
        return [r for r in p.received if location["id"] in r["path"]]

    first = cpo.site()[0]
    wait_until(lambda: told(emsp, first), 10, "a push")
    emsp.scripted["PUT", "/2.2.1/locations"] = lambda r: (503, emsp.envelope(None, 3000))
    waiting = cpo.site()[0]
    wait_until(lambda: told(emsp, waiting), 10, "a push that fails")
    del emsp.scripted["PUT", "/2.2.1/locations"]
    leave(hub, emsp, how)
    emsp.received.clear()
    attacked.sql("UPDATE outbox SET due_at = hub_now() WHERE partner_id = %s", partner_id(hub, emsp))
    later = cpo.site()[0]
    wait_until(lambda: told(watcher, later), 10, "the push to another")
    time.sleep(0.5)
    assert not emsp.received


# ---------------------------------------------------------------- parties


@pytest.mark.parametrize("version", VERSIONS)
def test_a_party_that_belongs_to_another_is_not_to_be_had(attacked, hub, actor, version):
    """R-CRED-12: not as a wish, not by the hub's own registration, not with an operator's help."""
    p, thief = actor(version), actor(version)
    p.register(hub)
    location = p.site()[0]
    thief.register(hub)
    details = {"business_details": {"name": thief.name}, "country_code": thief.country}
    if version == "2.1.1":
        envelope(thief.put(thief.credentials_url, {**thief.credentials(), "party_id": p.party}), 200, 2001)
    else:
        thief.roles = [{**details, "role": "CPO", "party_id": party} for party in (thief.party, p.party)]
        thief.token = done(thief.put(thief.credentials_url, thief.credentials()))["token"]
        known = wait_until(lambda: (k := shown(hub, thief))["pending"] and k, 5, "the wish to be known")
        assert [r["party_id"] for r in known["roles"]] == [thief.party]
        assert [r["party_id"] for r in known["pending"]] == [p.party]
        refused = hub.admin("POST", f"/partners/{known['id']}/approve", json={
            "country_code": p.country, "party_id": p.party, "role": "CPO"})
        assert refused.status_code // 100 == 4 and "another" in refused.text
        envelope(thief.put(thief.credentials_url, thief.credentials(roles=thief.roles[1:])), 200, 2001)
        spoofed = {"OCPI-from-party-id": p.party}
        envelope(thief.get(p.own("locations", location["id"]), headers=spoofed), 403, 2001)
    assert thief.get(p.own("locations", location["id"])).status_code == 404
    # The other way round: the hub is to register at somebody who says that he is p.
    liar = actor(version)
    liar.hub, liar.party = hub, p.party
    answer = hub.admin("POST", "/partners/register", json={"versions_url": liar.base + "/versions", "token_a": "a"})
    assert answer.status_code // 100 != 2 and "another connection" in answer.text, answer.text
    assert done(p.get(p.own("locations", location["id"]))) == location
    assert attacked.sql("SELECT count(DISTINCT partner_id) FROM party WHERE party_id = %s", p.party) == [(1,)]


# ---------------------------------------------------------------- at rest


def hidden_in(text, found):
    """Those of them that stand in it in any writing."""
    text = text.lower()
    return {secret for secret in found for form in (
        secret, encode(secret), secret.encode().hex(), base64.urlsafe_b64encode(secret.encode()).decode())
        if form.lower() in text}


def test_no_token_lies_in_the_database_or_in_a_log(attacked, hub, actor):
    """R-TRANS-05: neither those that we accept nor those that we send, nor any that was refused."""
    p = actor()
    p.register(hub)
    evse = p.site()[1][0]
    sent_with(p, hub, evse, p.token_b)
    words = [uuid.uuid4().hex for _ in range(8)]
    for raw in (p.credentials(token=words[0] * 3), p.credentials(token=words[1] + " blank"),
                {**p.credentials(), "token": [words[2]]}, {**p.credentials(), "token": {"token": words[3]}},
                {**p.credentials(), "Token": words[4], "token": None},
                p.credentials(token=words[5], url="http://10.0.0.1/")):
        assert p.put(p.credentials_url, raw).json()["status_code"] >= 2000
    p.put(p.credentials_url, raw=f'{{"token":"{words[6]}"')
    assert p.get(p.versions_url, token=words[7]).status_code == 401
    p.scripted["GET", "/versions"] = lambda r: (401, p.envelope({"shown": r["headers"]["Authorization"]}, 2001))
    envelope(p.put(p.credentials_url, p.credentials(token=uuid.uuid4().hex)), 200, 3001)
    secrets.update(words)
    secrets.discard("a")
    names = {x for x in secrets if len(x) >= 32}
    assert len(names) > 3
    wait_until(lambda: attacked.sql("SELECT count(*) FROM message WHERE path LIKE '%%/credentials' AND NOT outgoing"
                                    " AND refused AND partner_id = %s", partner_id(hub, p))[0][0] >= 8,
               10, "the log of messages")
    tables = [t for t, in attacked.sql("SELECT relname FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace"
                                       " WHERE nspname = 'public' AND relkind IN ('r', 'm')")]
    seen = 0
    for table in tables:
        text = "\n".join(row for row, in attacked.sql(f"SELECT t::text FROM {table} t"))
        seen += p.name in text
        assert not hidden_in(text, names), table
    assert seen >= 2
    redis = attacked.redis()
    text = "".join(repr((key, redis.dump(key))) for key in redis.scan_iter())
    assert text and not hidden_in(text, names)
    log = hub.log.read_text(encoding="utf-8", errors="replace")
    assert p.name in log and not hidden_in(log, names)
    assert hidden_in(f"x{encode(p.token)}y", names) == {p.token}
