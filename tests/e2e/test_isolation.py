# SPDX-License-Identifier: Apache-2.0
"""
No object of one partner can be read, changed, or told apart from a missing one by another.

Every route of OCPI is walked, as hub/routes.c lists them: a route without a case here fails the
first test. In each version there are two CPOs and two eMSPs. A and X work together; B and Y have a
contract with nobody. What is A's (or X's) is asked for, written and deleted by all who may not, with
its true id and with ids that nobody has: the answers are the same to the byte, but for the ids
themselves and the clock, and no row in the database has changed.
"""

import json
import re
import time
import uuid
from urllib.parse import quote

import pytest
import requests
from harness import ROOT, User, World, ok, wait_until
from partner import now
from test_versions_inbound import VERSIONS, Speaker, done, envelope, face_url

PARTY_PREFIX = {"2.1.1": "1", "2.2.1": "2", "2.3.0": "3"}
SINCE = "?date_from=2020-01-01T00:00:00Z"

# ---------------------------------------------------------------- the routes of the program

BASES = {"EMSP": "/ocpi/emsp/{version}", "CPO": "/ocpi/cpo/{version}", "PLATFORM": "/ocpi/{version}"}


def routes():
    """(method, pattern) -> door and flags, of each row of hub/routes.c that is OCPI's."""
    source = (ROOT / "hub" / "routes.c").read_text(encoding="utf-8")
    macro = re.search(r"#define FACE_ROUTES\(.*?\n\n", source, re.DOTALL).group(0).replace("\\\n", " ")
    faces = re.findall(r'FACE_ROUTES\("([^"]+)", (\w+)\)', source)
    assert len(faces) == 3, "FACE_ROUTES has another shape now"
    found = {}
    for versions, base in faces:
        of_face = re.findall(r'"(GET|PUT|POST|PATCH|DELETE)",\s*(versions|details)(?: "([^"]+)")?,\s*(DOOR_\w+),',
                             macro)
        assert len(of_face) == 6
        for method, what, tail, door in of_face:
            found[method, (versions if what == "versions" else BASES[base]) + tail] = door, ""
    for method, base, tail, door, flags in re.findall(
            r'^\s*\{"([A-Z]+)",\s*(EMSP|CPO|PLATFORM) "([^"]+)",\s*(DOOR_\w+),\s*([^&]+),\s*&', source, re.MULTILINE):
        found[method, BASES[base] + tail] = door, flags
    rows = len(re.findall(r'^\s*\{"[A-Z]+",\s*(?:[A-Z]{2,}\b|"/ocpi)', source, re.MULTILINE))
    assert len(found) == 6 * 3 + rows, "the table in hub/routes.c has another shape now"
    return found


ROUTES = routes()


def speaks(method, pattern, version):
    """Whether the route exists in this version."""
    flags = ROUTES[method, pattern][1]
    if "ONLY_2_1_1" in flags and version != "2.1.1" or "SINCE_2_3_0" in flags and version != "2.3.0":
        return False
    return version != "2.1.1" or not ("NOT_2_1_1" in flags or "hubclientinfo" in pattern)


# ---------------------------------------------------------------- the cast


class Cast:
    """Of one version: A and X work together, B and Y with nobody."""

    def __init__(self, world, version):
        self.world, self.hub, self.version = world, world.hub, version
        n = PARTY_PREFIX[version]
        self.a, self.b = Speaker(version, "NL", f"A{n}Z"), Speaker(version, "NL", f"B{n}Z")
        self.x, self.y = Speaker(version, "DE", f"X{n}Z", "EMSP"), Speaker(version, "DE", f"Y{n}Z", "EMSP")
        self.hubs = ()
        if version != "2.1.1":
            self.hubs = tuple(Speaker(version, "CH", f"{letter}{n}Z") for letter in "GH")
        for p in self.all:
            self.join(p)
        for one, other in ((self.a, self.x), (self.x, self.a)):
            self.hub.ctl("contract", "allow", "--from", f"{one.country}*{one.party}",
                         "--to", f"{other.country}*{other.party}")

    @property
    def all(self):
        return (self.a, self.b, self.x, self.y, *self.hubs)

    def join(self, p):
        """Where tokens of eMSPs are told: the platform, for those who know it."""
        p.http = requests.Session()
        if p in self.hubs:
            role = {"business_details": {"name": p.name}, "country_code": p.country, "party_id": p.party}
            p.hub_party = p.country + p.party if self.version == "2.3.0" else None
            p.roles = [{**role, "role": "CPO"}, *([{**role, "role": "HUB"}] if not p.hub_party else [])]
        p.invited(self.hub)
        if self.version != "2.1.1":
            p.look(self.hub, face_url(self.hub, "platform"))
        p.token = done(p.post(p.credentials_url, p.credentials()))["token"]

    def furnish(self):
        """What is A's and X's: one of everything, and a running session of a user of ours at A."""
        a, x = self.a, self.x
        self.token = {"uid": f"CARD{uuid.uuid4().hex[:12]}".upper(), "type": "RFID", "issuer": x.name, "valid": True,
                      "whitelist": "ALLOWED", "last_updated": now(-60)}
        self.contract_id = f"{x.country}-{x.party}-C{uuid.uuid4().hex[:12]}".upper()
        if self.version == "2.1.1":
            self.token["auth_id"] = self.contract_id
        else:
            self.token.update(country_code=x.country, party_id=x.party, contract_id=self.contract_id)
        self.put(x, "cpo", "tokens", self.token["uid"], self.token)
        self.location, self.tariff = a.location(), a.tariff()
        self.put(a, "emsp", "locations", self.location["id"], self.location)
        self.put(a, "emsp", "tariffs", self.tariff["id"], self.tariff)
        self.session = a.session(location=self.location, status="COMPLETED", **self.of_card())
        self.put(a, "emsp", "sessions", self.session["id"], self.session)
        self.cdr = a.cdr(self.session)
        answer = a.post(f"{self.hub.url}/ocpi/emsp/{self.version}/cdrs", self.cdr)
        done(answer, 201)
        self.cdr_path = answer.headers["Location"].rsplit("/", 1)[1]
        if self.version == "2.3.0":
            self.exchange_invoices()
        self.run_a_session()
        for p in self.hubs[:1]:
            self.client = {"country_code": "CH", "party_id": f"C{PARTY_PREFIX[self.version]}Z", "role": "CPO",
                           "status": "CONNECTED", "last_updated": now()}
            done(p.put(self.client_url(), self.client), 201)

    def exchange_invoices(self):
        """One of A's for the hub, and one of the hub's for A."""
        a = self.a
        self.record = {"country_code": a.country, "party_id": a.party, "id": f"R{uuid.uuid4().hex[:20]}",
                       "invoice_id": "I-1", "cdrs": [self.cdr["id"]], "last_updated": now(-60)}
        done(a.post(f"{self.hub.url}/ocpi/emsp/{self.version}/invoicereconciliation", self.record), 201)
        self.ours = f"R{uuid.uuid4().hex[:20]}"
        self.world.sql("SELECT invoice_issue(partner_id, country_code, party_id, %s, 'I-2', '{C}', NULL) FROM party"
                       " WHERE country_code = %s AND party_id = %s", self.ours, a.country, a.party)

    def of_card(self):
        if self.version == "2.1.1":
            return {"auth_id": self.contract_id}
        return {"cdr_token": {"country_code": self.x.country, "party_id": self.x.party, "uid": self.token["uid"],
                              "type": "RFID", "contract_id": self.contract_id}, "auth_method": "WHITELIST"}

    def run_a_session(self):
        a, self.user = self.a, User(self.hub)
        evse = self.location["evses"][0]["evse_id"]
        wait_until(lambda: self.user.evse(evse).status_code == 200, 10, "the EVSE")
        session_id = ok(self.user.start(evse))["session_id"]
        wait_until(lambda: a.requests("POST", f"/{self.version}/commands/START_SESSION"), 10, "the command")
        self.command = a.requests("POST", f"/{self.version}/commands/START_SESSION")[-1]["body"]
        self.callback = self.command["response_url"].rsplit("/", 1)[1]
        token = self.command["token"]
        own = {"auth_id": token.get("auth_id")} if self.version == "2.1.1" else {
            "authorization_reference": self.command["authorization_reference"],
            "cdr_token": {k: token[k] for k in ("country_code", "party_id", "uid", "type", "contract_id")}}
        start = "start_datetime" if self.version == "2.1.1" else "start_date_time"
        self.running = a.session(location=self.location, **{start: now()}, **own)
        self.put(a, "emsp", "sessions", self.running["id"], self.running)
        self.user.wait_for(session_id, "active")
        self.session_id = session_id

    def client_url(self):
        return f"{self.hub.url}/ocpi/{self.version}/hubclientinfo/CH/{self.client['party_id']}"

    def put(self, p, face, module, object_id, body):
        done(p.put(f"{self.hub.url}/ocpi/{face}/{self.version}/{module}/{p.country}/{p.party}/{object_id}", body), 201)

    def everything(self):
        """The true values of the parameters of all patterns."""
        evse = self.location["evses"][0]
        return {"version": self.version, "location": self.location["id"], "evse": evse["uid"], "connector": "1",
                "tariff": self.tariff["id"], "cdr": self.cdr_path,
                **({"record": self.record["id"]} if self.version == "2.3.0" else {}), "uid": self.token["uid"],
                "callback": self.callback}


@pytest.fixture(scope="module")
def stage(directory, token_keys):
    """One world, and a cast of each version."""
    w = World(directory / "isolation")
    casts = {}
    try:
        w.start(sim=False, jwt_keys_file=token_keys.jwks_file)
        for version in VERSIONS:
            casts[version] = Cast(w, version)
        for cast in casts.values():
            cast.furnish()
        yield casts
    finally:
        for cast in casts.values():
            for p in cast.all:
                p.http.close()
                p.close()
        w.stop()


@pytest.fixture(params=VERSIONS)
def cast(request, stage):
    return stage[request.param]


# ---------------------------------------------------------------- the cases
# Each says who owns the object, who may have it besides, and what a writer would send.


def newer(document, **changes):
    """What would win over the stored one."""
    return {**document, "last_updated": now(5), **changes}


def patch_of(cast, **changes):
    return {**changes, "last_updated": now(5)}


def of_cpo(body=None, **values):
    return {"owner": "a", "also": "", "body": body, "values": values}


def of_emsp(body=None, also="", **values):
    return {"owner": "x", "also": also, "body": body, "values": values}


def session_of(cast):
    return {"session": cast.session["id"]}


def running_of(cast):
    return {"session": cast.running["id"]}


def carried(body=None, also="x", values=session_of, query=""):
    """To the CPO that the content names; X may ask about its own Session (R-CP-02)."""
    return {"owner": "a", "also": also, "body": body, "values": {"values": values}, "query": query, "to": None}


def own_list(module):
    return {"list": module}


ASKER = "http://the.asker"  # stands for who sends it
RESULT = f"{ASKER}/results/1"
QUERY = "?response_url=" + quote(RESULT, safe="")
REGISTRATION = {"registration": True}  # there is no object in the path: test_credentials_are_ones_own
E, C, P = BASES["EMSP"], BASES["CPO"], BASES["PLATFORM"]
LOCATION, TARIFF = E + "/locations/{cc}/{pid}/{location}", E + "/tariffs/{cc}/{pid}/{tariff}"
INVOICES = "/invoicereconciliation"
SESSION, TOKEN = E + "/sessions/{cc}/{pid}/{session}", C + "/tokens/{cc}/{pid}/{uid}"


def evse_of(cast):
    return cast.location["evses"][0]


def stop_running(cast):
    return {"response_url": RESULT, "session_id": cast.running["id"]}


def profile_of(_cast):
    return {"response_url": RESULT, "charging_profile": {
        "charging_rate_unit": "W", "charging_profile_period": [{"start_period": 0, "limit": 4000.0}]}}


CASES = {
    ("GET", LOCATION): of_cpo(),
    ("PUT", LOCATION): of_cpo(lambda c: newer(c.location, name="taken")),
    ("PATCH", LOCATION): of_cpo(lambda c: patch_of(c, name="taken")),
    ("GET", LOCATION + "/{evse}"): of_cpo(),
    ("PUT", LOCATION + "/{evse}"): of_cpo(lambda c: newer(evse_of(c), status="REMOVED")),
    ("PATCH", LOCATION + "/{evse}"): of_cpo(lambda c: patch_of(c, status="REMOVED")),
    ("GET", LOCATION + "/{evse}/{connector}"): of_cpo(),
    ("PUT", LOCATION + "/{evse}/{connector}"): of_cpo(lambda c: newer(evse_of(c)["connectors"][0], format="SOCKET")),
    ("PATCH", LOCATION + "/{evse}/{connector}"): of_cpo(lambda c: patch_of(c, format="SOCKET")),
    ("GET", TARIFF): of_cpo(),
    ("PUT", TARIFF): of_cpo(lambda c: newer(c.tariff, currency="SEK")),
    ("PATCH", TARIFF): of_cpo(lambda c: patch_of(c, currency="SEK")),
    ("DELETE", TARIFF): of_cpo(),
    ("GET", SESSION): of_cpo(values=session_of),
    ("PUT", SESSION): of_cpo(lambda c: newer(c.session, kwh=99), values=session_of),
    ("PATCH", SESSION): of_cpo(lambda c: patch_of(c, kwh=99), values=session_of),
    ("POST", E + "/cdrs"): of_cpo(lambda c: newer(c.cdr, total_energy=99)),
    ("GET", E + "/cdrs/{cdr}"): of_cpo(),
    ("POST", E + "/cb/{callback}"): of_cpo(lambda c: {"result": "REJECTED"}),
    ("PUT", E + "/chargingprofiles/{session}"): of_cpo(
        lambda c: {"start_date_time": now(), "charging_profile": {"charging_rate_unit": "W"}}, values=running_of),
    ("GET", C + "/locations/{location}"): {**of_cpo(), "also": "x"},
    ("GET", C + "/locations/{location}/{evse}"): {**of_cpo(), "also": "x"},
    ("GET", C + "/locations/{location}/{evse}/{connector}"): {**of_cpo(), "also": "x"},
    ("POST", C + "/commands/{command}"): carried(stop_running, "", lambda c: {"command": "STOP_SESSION"}),
    ("GET", C + "/chargingprofiles/{session}"): carried(query=QUERY + "&duration=60"),
    ("PUT", C + "/chargingprofiles/{session}"): carried(profile_of),
    ("DELETE", C + "/chargingprofiles/{session}"): carried(query=QUERY),
    ("PUT", C + "/sessions/{session}/charging_preferences"): carried(lambda c: {"profile_type": "FAST"}),
    ("POST", E + "/tokens/{uid}/authorize"): of_emsp(also="a"),
    ("GET", TOKEN): of_emsp(),
    ("PUT", TOKEN): of_emsp(lambda c: newer(c.token, valid=False)),
    ("PATCH", TOKEN): of_emsp(lambda c: patch_of(c, valid=False)),
    ("GET", E + "/tokens"): own_list("tokens"),
    ("GET", C + "/locations"): own_list("locations"),
    ("GET", C + "/tariffs"): own_list("tariffs"),
    ("GET", C + "/sessions"): own_list("sessions"),
    ("GET", C + "/cdrs"): own_list("cdrs"),
    **{("GET", base + INVOICES): own_list("invoicereconciliation") for base in (E, P)},
    **{("POST", base + INVOICES): of_cpo(lambda c: newer(c.record, cdrs=["X"])) for base in (E, P)},
    **{(method, base + INVOICES + "/{cc}/{pid}/{record}"): of_cpo(
        (lambda c: newer(c.record, cdrs=["X"])) if method == "PUT" else None)
       for base in (E, P) for method in ("GET", "PUT", "DELETE")},
    **{("GET", base + "/hubclientinfo"): own_list("hubclientinfo") for base in (E, P)},
    **{(method, base + "/hubclientinfo/{cc}/{pid}"): {
        "owner": "hub", "also": "", "values": {},
        "body": (lambda c: newer(c.client, status="OFFLINE")) if method == "PUT" else None}
       for base in (E, P) for method in ("GET", "PUT")},
    **{(method, base + tail): REGISTRATION for versions, base in (
        ("/ocpi/emsp/versions", E), ("/ocpi/cpo/versions", C), ("/ocpi/versions", P))
       for method, tail in (("GET", ""), ("GET", "/credentials"), ("POST", "/credentials"),
                            ("PUT", "/credentials"), ("DELETE", "/credentials"))},
    **{("GET", f"/ocpi/{face}versions"): REGISTRATION for face in ("emsp/", "cpo/", "")},
}


def walk(wanted):
    """(version, method, pattern) of the cases that are wanted."""
    found = [pytest.param(v, *key, id=f"{v}-{key[0]}-{key[1].replace('/ocpi/', '')}")
             for key, case in CASES.items() for v in VERSIONS if wanted(v, key, case) and speaks(*key, v)]
    return pytest.mark.parametrize("version, method, pattern", found)


def test_every_route_has_a_case():
    """Whoever adds a route says here whose objects it shows."""
    assert set(CASES) == set(ROUTES)


# ---------------------------------------------------------------- asking


def like(text):
    """As long, of the same letters, and nobody's."""
    return "".join(c if c in "-*" else "0" if c.isdigit() else "Q" if c.isupper() else "b" for c in text[:-4]) + "0000"


def told(response, twins):
    """The answer as it would be if what was asked for had the true names; without its clock."""
    body = response.content.decode()
    headers = {k.lower(): v for k, v in response.headers.items() if k.lower() != "date"}
    for true, twin in twins.items():
        body = body.replace(twin, true)
        headers = {k: v.replace(twin, true) for k, v in headers.items()}
    body = re.sub(r'"timestamp":"[^"]+"', '"timestamp":""', body)
    return response.status_code, headers, body


IDS = {"X-Request-ID": "one-and-the-same", "X-Correlation-ID": "one-and-the-same"}


def send(p, method, url, raw, headers=None):
    h = {**p.headers(), **IDS, **(headers or {})}
    if raw is not None:
        h["Content-Type"] = "application/json"
    h = {k: v for k, v in h.items() if v is not None}
    url = url.replace(quote(ASKER, safe=""), quote(p.base, safe=""))
    raw = raw.replace(ASKER, p.base) if raw else raw
    return p.http.request(method, url, data=raw, headers=h, timeout=30, allow_redirects=False)


def owner_of(case, cast):
    return cast.hubs[0] if case["owner"] == "hub" else getattr(cast, case["owner"])


def strangers(case, cast, stage):
    """All who may not have it: of this version and, with the same words, of another."""
    owner, also = owner_of(case, cast), case["also"]
    other = stage[VERSIONS[(VERSIONS.index(cast.version) + 1) % 3]]
    return [p for c in (cast, other) for p in c.all
            if p is not owner and not (c is cast and also and p is getattr(cast, also))]


def twins_of(case, cast, params, url):
    """By which names the same is asked for once more: of the same owner, of nobody, of oneself."""
    owner = owner_of(case, cast)
    ids = {params[k]: like(params[k]) for k in ("location", "tariff", "session", "cdr", "uid", "callback", "record")
           if k in params and params[k] in url}
    ids.update({i: like(i) for i in (cast.cdr["id"], cast.running["id"])})
    nobody = {owner.party: "Q0Q", f'"{owner.country}"': '"QZ"', f"/{owner.country}/": "/QZ/",
              f"{owner.country}-": "QZ-"}
    return ids, {**ids, **nobody}


def rename(text, twins):
    for true, twin in twins.items():
        text = text.replace(true, twin) if text else text
    return text


def rows(world):
    """All that the database holds, but for who called when, and the log of it."""
    # New tariffs are looked through a moment later, whoever asks for what meanwhile.
    wait_until(lambda: not world.sql("SELECT 1 FROM tariff_version WHERE lint IS NULL"), 15, "tariffs to be read")
    tables = [t for t, in world.sql(
        "SELECT relname FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace WHERE nspname = 'public'"
        " AND relkind = 'r' AND relname !~ '^(message|pull|partner_token|hub_instance|schema|finance_(job|audit)$)' ORDER BY 1")]
    assert {"location", "evse", "tariff", "network_session", "cdr", "operation", "roaming_token", "session",
            "client_info", "party", "party_pending", "contract", "outbox", "token"} <= set(tables)
    found = {t: set() for t in tables}
    for table, row in world.sql(" UNION ALL ".join(
            f"SELECT '{t}', (to_jsonb(t) - '{{last_contact_at,probe_at,failures,retry_at}}'::text[])::text FROM {t} t"
            for t in tables)):
        found[table].add(row)
    return found


def quiet(world):
    wait_until(lambda: not world.sql("SELECT 1 FROM outbox WHERE due_at IS NOT NULL"), 15, "all to be told")
    # What X asked of A was answered; that is written behind the answer.
    wait_until(lambda: not world.sql("SELECT 1 FROM relay_context WHERE state = 'open'"), 5, "all to be noted")
    time.sleep(0.2)


def changes(before, after):
    return {t: after[t] ^ before[t] for t in before if before[t] != after[t]}


# (A CDR of 2.1.1 names no owner: it is the sender's, test_two_with_the_same_ids.)
@walk(lambda version, key, case: "owner" in case and (version, key) != ("2.1.1", ("POST", E + "/cdrs")))
def test_what_is_anothers_is_a_missing_one(stage, version, method, pattern):
    """R-TRANS-16, R-TRANS-33, R-ASYNC-11, R-BR-47, R-HCI-01, R-ROUTE-06, R-TOK-10, R-CP-03."""
    case, cast = CASES[method, pattern], stage[version]
    owner = owner_of(case, cast)
    params = {**cast.everything(), "cc": owner.country, "pid": owner.party}
    if case["owner"] == "hub":
        params.update(cc=cast.client["country_code"], pid=cast.client["party_id"])
    params.update(case["values"]["values"](cast) if "values" in case["values"] else {})
    url = cast.hub.url + pattern.format(**params) + case.get("query", "")
    raw = json.dumps(case["body"](cast)) if case["body"] else None
    headers = {f"OCPI-to-{part}": None for part in ("country-code", "party-id")} if "to" in case else {}
    if case["owner"] == "hub":
        twin_sets = [{cast.client["party_id"]: "Q0Q"}]
    else:
        twin_sets = twins_of(case, cast, params, url)
    if method == "GET":  # so that it is true that the object is there, and that the twins are not
        assert send(owner, "GET", url, None).status_code == (403 if "/ocpi/cpo/" in url and case["also"] else 200)
    if case["also"] and (method == "GET" or "query" in case):
        assert done(send(getattr(cast, case["also"]), method, url, raw, headers))
    quiet(cast.world)
    before = rows(cast.world)
    for p in strangers(case, cast, stage):
        if case["owner"] == "hub" and p in [h for c in stage.values() for h in c.hubs] and method == "PUT":
            continue  # another hub knows this client in its own right: test_two_with_the_same_ids
        answer = told(send(p, method, url, raw, headers), {})
        assert answer[0] >= 400 or json.loads(answer[2])["status_code"] >= 2000, (p.party, answer)
        for twins in twin_sets:
            missing = send(p, method, rename(url, twins), rename(raw, twins), headers)
            assert told(missing, twins) == answer, (p.name, p.role, twins)
        if method == "GET":
            head, missing = (send(p, "HEAD", rename(url, twins), None, headers) for twins in ({}, twin_sets[0]))
            assert told(head, {})[:2] == told(missing, twin_sets[0])[:2]
    assert changes(before, rows(cast.world)) == {}


@walk(lambda version, key, case: case.get("owner") in ("a", "x") and "{cc}" in key[1] and key[0] != "PUT")
def test_anothers_id_at_ones_own_address_is_missing(stage, version, method, pattern):
    """R-TRANS-33: ids are unique per owner only (R-ROUTE-55)."""
    case, cast = CASES[method, pattern], stage[version]
    p = cast.b if case["owner"] == "a" else cast.y
    params = {**cast.everything(), "cc": p.country, "pid": p.party}
    params.update(case["values"]["values"](cast) if "values" in case["values"] else {})
    url = cast.hub.url + pattern.format(**params) + case.get("query", "")
    raw = json.dumps(case["body"](cast)) if case["body"] else None
    twins, _ = twins_of(case, cast, params, url)
    before = rows(cast.world)
    answer = told(send(p, method, url, raw), {})
    assert answer[0] == 404, answer
    assert told(send(p, method, rename(url, twins), rename(raw, twins)), twins) == answer
    assert changes(before, rows(cast.world)) == {}


# ---------------------------------------------------------------- lists


def listed(p, url, **headers):
    found, answer = [], send(p, "GET", url, None, headers)
    while True:
        found += done(answer)
        if "Link" not in answer.headers:
            return found, answer
        answer = send(p, "GET", re.match("<([^>]+)>", answer.headers["Link"]).group(1), None, headers)


@walk(lambda version, key, case: "list" in case)
def test_a_list_has_nothing_of_others(stage, version, method, pattern):
    """R-ROUTE-30, -31, -32, R-TOK-10, R-HCI-06: who has a contract sees A's and X's, nobody else does."""
    cast = stage[version]
    module = CASES[method, pattern]["list"]
    url = cast.hub.url + pattern.format(version=cast.version) + SINCE
    secret = {"locations": cast.location["id"], "tariffs": cast.tariff["id"], "sessions": cast.session["id"],
              "cdrs": cast.cdr["id"], "tokens": cast.token["uid"], "hubclientinfo": None,
              "invoicereconciliation": getattr(cast, "ours", None)}[module]
    for p in cast.all:
        answer = send(p, "GET", url, None)
        if answer.status_code == 403:
            assert p.role != ("EMSP" if "/ocpi/cpo/" in url else "CPO") or p in cast.hubs
            continue
        found, last = listed(p, url)
        text = json.dumps(found)
        if module == "hubclientinfo":
            expected = {"x": {cast.a.party}, "a": {cast.x.party}}.get(
                "x" if p is cast.x else "a" if p is cast.a else "", set())
            assert {o["party_id"] for o in found} - {"HUB"} == expected  # our own eMSP is there for all CPOs
        else:
            friend = cast.x if "/ocpi/cpo/" in url else None if cast.version == "2.1.1" else cast.a
            may = p is friend
            assert (secret in text) == may, (p.party, text)
            if not may and module != "tokens":
                assert found == [] and last.headers["X-Total-Count"] == "0"
        for other in (o for c in stage.values() for o in c.all):
            if other not in (cast.a, cast.x, p):
                assert other.party not in text, (p.party, other.party)


@walk(lambda version, key, case: case.get("list", "hubclientinfo") != "hubclientinfo" and version != "2.1.1")
def test_a_party_without_a_contract_is_an_unknown_one(stage, version, method, pattern):
    """R-ROUTE-41, R-ROUTE-42: 4001 for both, in the same words."""
    cast = stage[version]
    assert method == "GET"
    url = cast.hub.url + pattern.format(version=version) + (SINCE if "sessions" in pattern else "")
    asker, hidden = (cast.b, cast.x) if "/ocpi/emsp/" in pattern else (cast.y, cast.a)

    def to(country, party):
        return send(asker, "GET", url, None, {"OCPI-to-country-code": country, "OCPI-to-party-id": party})

    known, unknown = to(hidden.country, hidden.party), to("QZ", "Q0Q")
    envelope(known, 200, 4001)
    assert told(known, {}) == told(unknown, {hidden.party: "Q0Q", f"{hidden.country}-": "QZ-",
                                             hidden.country: "QZ"})


# ---------------------------------------------------------------- routing headers


@pytest.mark.parametrize("version", VERSIONS[1:])
def test_nobody_speaks_for_another(stage, version):
    """R-ROUTE-06: FROM a party of somebody else, or in the other role, is as FROM nobody."""
    cast = stage[version]
    before = rows(cast.world)
    for p, method, path, body in (
            (cast.b, "GET", f"emsp/{version}/locations/NL/{cast.a.party}/{cast.location['id']}", None),
            (cast.b, "PUT", f"emsp/{version}/locations/NL/{cast.a.party}/{cast.location['id']}",
             newer(cast.location, name="taken")),
            (cast.b, "PATCH", f"emsp/{version}/sessions/NL/{cast.a.party}/{cast.session['id']}",
             patch_of(cast, kwh=99)),
            (cast.b, "POST", f"emsp/{version}/cdrs", newer(cast.cdr)),
            (cast.b, "POST", f"emsp/{version}/cb/{cast.callback}", {"result": "REJECTED"}),
            (cast.b, "GET", f"emsp/{version}/tokens", None),
            (cast.y, "GET", f"cpo/{version}/locations", None),
            (cast.y, "GET", f"cpo/{version}/locations/{cast.location['id']}", None),
            (cast.y, "GET", f"cpo/{version}/cdrs", None),
            (cast.y, "PUT", f"cpo/{version}/tokens/DE/{cast.x.party}/{cast.token['uid']}", newer(cast.token))):
        friend = cast.a if p is cast.b else cast.x
        raw = json.dumps(body) if body else None
        url = f"{cast.hub.url}/ocpi/{path}"
        spoofed = send(p, method, url, raw, {"OCPI-from-country-code": friend.country,
                                             "OCPI-from-party-id": friend.party})
        nobody = send(p, method, url, raw, {"OCPI-from-country-code": "QZ", "OCPI-from-party-id": "Q0Q"})
        envelope(spoofed, 403, 2001)
        twins = {friend.party: "Q0Q", f"{friend.country}-": "QZ-", friend.country: "QZ"}
        assert told(spoofed, {}) == told(nobody, twins)
    assert changes(before, rows(cast.world)) == {}


@pytest.mark.parametrize("version", VERSIONS[1:])
def test_an_addressee_is_known_to_those_with_a_contract_only(stage, version):
    """R-ROUTE-41, R-ROUTE-42: on single objects and on what is written, too."""
    cast = stage[version]
    for p, method, path, body in (
            (cast.y, "GET", f"cpo/{version}/locations/{cast.location['id']}", None),
            (cast.b, "POST", f"emsp/{version}/tokens/{cast.token['uid']}/authorize", None),
            (cast.b, "PUT", f"emsp/{version}/sessions/NL/{cast.b.party}/S1", cast.b.session("S1")),
            (cast.y, "PUT", f"cpo/{version}/tokens/DE/{cast.y.party}/T1", cast.token),
            (cast.y, "POST", f"cpo/{version}/commands/STOP_SESSION", stop_running(cast)),
            (cast.y, "GET", f"cpo/{version}/chargingprofiles/{cast.session['id']}{QUERY}&duration=60", None),
            (cast.y, "PUT", f"cpo/{version}/chargingprofiles/{cast.session['id']}", profile_of(cast)),
            (cast.y, "DELETE", f"cpo/{version}/chargingprofiles/{cast.session['id']}{QUERY}", None),
            (cast.y, "PUT", f"cpo/{version}/sessions/{cast.session['id']}/charging_preferences",
             {"profile_type": "FAST"})):
        hidden = cast.x if p is cast.b else cast.a
        answers = []
        for country, party in ((hidden.country, hidden.party), ("QZ", "Q0Q")):
            answers.append(send(p, method, f"{cast.hub.url}/ocpi/{path}", json.dumps(body) if body else None,
                                {"OCPI-to-country-code": country, "OCPI-to-party-id": party}))
        twins = {hidden.party: "Q0Q", f"{hidden.country}-": "QZ-", hidden.country: "QZ"}
        assert told(answers[0], {}) == told(answers[1], twins)
        assert answers[0].status_code == 404 or answers[0].json()["status_code"] == 4001, answers[0].text


# ---------------------------------------------------------------- equal ids, and what is not in a path


def test_two_with_the_same_ids(cast):
    """R-ROUTE-55, R-CRED-12: B and Y may use the ids that A and X use; each has its own object."""
    a, b, x, y = cast.a, cast.b, cast.x, cast.y
    v, url = cast.version, cast.hub.url
    before = rows(cast.world)
    mine = {"country_code": b.country, "party_id": b.party} if v != "2.1.1" else {}
    of = {"emsp": (a, b), "cpo": (x, y)}
    tokens = {"country_code": y.country, "party_id": y.party} if v != "2.1.1" else {}
    for face, module, document, changed in (
            ("emsp", "locations", cast.location, {**mine, "name": "of B"}),
            ("emsp", "tariffs", cast.tariff, {**mine, "currency": "SEK"}),
            ("emsp", "sessions", cast.session, {**mine, "kwh": 99}),
            ("cpo", "tokens", cast.token, {**tokens, "valid": False})):
        owner, other = of[face]
        object_id = document.get("id") or document["uid"]
        copy = newer(document, **changed)
        if module == "locations":  # one EVSE is at one place
            copy["evses"] = [{**e, "evse_id": f"NL*{b.party}*E1"} for e in document["evses"]]
        base = f"{url}/ocpi/{face}/{v}/{module}"
        done(send(other, "PUT", f"{base}/{other.country}/{other.party}/{object_id}", json.dumps(copy)), 201)
        assert done(send(owner, "GET", f"{base}/{owner.country}/{owner.party}/{object_id}", None)) == document
        assert done(send(other, "GET", f"{base}/{other.country}/{other.party}/{object_id}", None)) == copy
        if module == "tariffs":
            done(send(other, "DELETE", f"{base}/{other.country}/{other.party}/{object_id}", None))
            assert done(send(owner, "GET", f"{base}/{owner.country}/{owner.party}/{object_id}", None)) == document
    answer = send(b, "POST", f"{url}/ocpi/emsp/{v}/cdrs", json.dumps(newer(cast.cdr, **mine, total_energy=99)))
    done(answer, 201)
    assert not answer.headers["Location"].endswith(cast.cdr_path)
    assert done(send(a, "GET", f"{url}/ocpi/emsp/{v}/cdrs/{cast.cdr_path}", None)) == cast.cdr
    for p, q in [cast.hubs] if cast.hubs else []:
        info = cast.client_url()
        assert send(q, "GET", info, None).status_code == 404
        done(send(q, "PUT", info, json.dumps(newer(cast.client, status="OFFLINE"))), 201)
        assert done(send(p, "GET", info, None))["status"] == "CONNECTED"
    quiet(cast.world)
    lost = {t: before[t] - after for t, after in rows(cast.world).items()}
    # That two use an id is noted (R-BR-06): it shows to readers of both only.
    assert not {t: r for t, r in lost.items() if r and t not in ("partner", "shared_id")}
    # What X may see of A has not become more or other.
    assert done(send(x, "GET", f"{url}/ocpi/cpo/{v}/locations/{cast.location['id']}", None)) == cast.location


def test_a_card_that_two_call_their_own_is_told_to_neither(stage):
    """R-BR 15.5: no eMSP comes to another's Sessions by claiming the contract id that 2.1.1 names."""
    cast = stage["2.1.1"]
    a, x, y, hub = cast.a, cast.x, cast.y, cast.hub
    pair = ("--from", f"{y.country}*{y.party}", "--to", f"{a.country}*{a.party}")
    hub.ctl("contract", "allow", *pair)
    try:
        for n, claim in enumerate(({"uid": cast.contract_id}, {"uid": "CLAIM1", "auth_id": cast.contract_id},
                                   {"uid": "CLAIM2", "auth_id": cast.token["uid"]})):
            claimed = {**cast.token, "uid": "C0", "auth_id": "DE-Y-1", **claim}
            url = f"{hub.url}/ocpi/cpo/2.1.1/tokens/{y.country}/{y.party}/{claimed['uid']}"
            done(y.put(url, claimed), 201)
            for auth_id in (cast.contract_id, cast.token["uid"]):
                session = a.session(location=cast.location, auth_id=auth_id, session_id=f"CLAIMED{n}{auth_id[:2]}")
                done(a.put(a.own("sessions", session["id"]), session), 201)
                found, _ = listed(y, f"{hub.url}/ocpi/cpo/2.1.1/sessions{SINCE}")
                assert session["id"] not in [s["id"] for s in found], (claim, auth_id)
            done(y.put(url, newer(claimed, valid=False)))
    finally:
        hub.ctl("contract", "deny", *pair)


def test_a_live_command_is_told_to_its_network_alone(cast):
    """R-CMD-03, R-TOK-05: who else asks for our user's token learns of no session."""
    token = cast.command["token"]
    kind = "OTHER" if cast.version == "2.1.1" else token["type"]
    url = f"{cast.hub.url}/ocpi/emsp/{cast.version}/tokens/{token['uid']}/authorize?type={kind}"
    assert done(send(cast.a, "POST", url, None))["allowed"] == "ALLOWED"
    other = done(send(cast.b, "POST", url, None))
    assert other["allowed"] == "NOT_ALLOWED" and "authorization_reference" not in other


def test_a_callback_of_another_changes_nothing_whatever_it_says(cast):
    """R-ASYNC-11: an attempt's number, another version's address, a body that is wrong."""
    before = rows(cast.world)
    twin = like(cast.callback)
    for version in VERSIONS:
        for tail in ("", "-1", "-2"):
            for raw in ('{"result":"REJECTED"}', '{"result":"ACCEPTED"}', "{}", '{"result":5}', "[]", "{"):
                answers = [send(cast.b, "POST", f"{cast.hub.url}/ocpi/emsp/{version}/cb/{callback}{tail}", raw)
                           for callback in (cast.callback, twin)]
                assert told(answers[0], {}) == told(answers[1], {cast.callback: twin})
                assert answers[0].json()["status_code"] >= 2000
    assert ok(cast.user.status(cast.session_id))["status"] == "active"
    assert changes(before, rows(cast.world)) == {}


# ---------------------------------------------------------------- versions and credentials


def test_credentials_are_ones_own(stage, cast):
    """R-CRED-04, -12, -18: the caller's token and nobody else's; a party of others is as one of nobody."""
    for p in cast.all:
        mine = send(p, "GET", p.credentials_url, None)
        assert done(mine)["token"] == p.token
        for other in (o for c in stage.values() for o in c.all if o is not p):
            assert other.token not in mine.text and other.token_b not in mine.text
            if {p, other} != {cast.a, cast.x}:
                assert other.party not in mine.text.replace(p.token, "")  # random letters may spell any name
        assert send(p, "POST", p.credentials_url, json.dumps(p.credentials())).status_code == 405
        versions = [told(send(q, "GET", face_url(cast.hub, "emsp"), None), {}) for q in cast.all]
        assert all(v == versions[0] for v in versions)
    if cast.version == "2.1.1":
        body = {**cast.b.credentials(), "party_id": cast.a.party}
        answers = [send(cast.b, "PUT", cast.b.credentials_url, json.dumps({**body, "party_id": party}))
                   for party in (cast.a.party, "Q0Q")]
        envelope(answers[0], 200, 2001)
        assert told(answers[0], {}) == told(answers[1], {cast.a.party: "Q0Q"})
        return
    answers = []
    for party in (cast.a.party, "Q0Q"):
        roles = cast.b.credentials()["roles"]
        answer = send(cast.b, "PUT", cast.b.credentials_url,
                      json.dumps(cast.b.credentials(roles=[*roles, {**roles[0], "party_id": party}])))
        cast.b.token = done(answer)["token"]
        answers.append(told(answer, {cast.a.party: "Q0Q", "": cast.b.token}))
    assert answers[0] == answers[1]
    assert send(cast.b, "GET", f"{cast.hub.url}/ocpi/emsp/{cast.version}/locations/NL/{cast.a.party}/"
                f"{cast.location['id']}", None).status_code == 404


def test_leaving_ends_ones_own_connection_only(stage):
    """R-CRED-08."""
    for c in stage.values():
        done(send(c.y, "DELETE", c.y.credentials_url, None))
        for p in (p for one in stage.values() for p in one.all):
            gone = p.role == "EMSP" and p.party.startswith("Y") and p.version <= c.version
            if gone:  # whichever worker is asked hears of it in a moment
                wait_until(lambda p=p: send(p, "GET", p.versions_url, None).status_code == 401, 5, f"{p.name} to be gone")
            else:
                assert send(p, "GET", p.versions_url, None).status_code == 200
