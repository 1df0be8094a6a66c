# SPDX-License-Identifier: Apache-2.0
"""
Every field of every object that partners send, wrong in every way and right at its limits; the
cases are generated from the hub's own field tables (mutations.py). One test per class and kind of
mistake, which lists all cases that went wrong.

What is wrong is answered 2001 in HTTP 200 with the JSON pointer of the place (R-TRANS-32), and
leaves everything as it was.
"""

import copy
import json
import uuid

import pytest
import requests
from harness import User, ok
from mutations import (at_limits, beyond_limits, changed, full, optional_absent, pointer, tables,
                       with_unknown_fields, with_wrong_types, without_required)
from partner import Partner, now

MISTAKES = {"missing": without_required, "wrong types": with_wrong_types, "limits": beyond_limits}


@pytest.fixture(scope="module")
def cpo(shared_world):
    p = Partner("DE", "GEN", "Generated Power")
    try:
        p.register(shared_world.hub)
        p.http = requests.Session()
        yield p
    finally:
        p.close()


def send(p, method, url, body, **kw):
    headers = {**p.headers(**kw), "Content-Type": "application/json"}
    return p.http.request(method, url, data=json.dumps(body), headers=headers, timeout=30)


def stored(p, url):
    answer = p.http.get(url, headers=p.headers(), timeout=30)
    return ok(answer)["data"]


class Kind:
    """How one class of object reaches the hub, and what the hub then has."""

    def __init__(self, p, world):
        self.p, self.world = p, world
        self.count = 0

    def fresh(self):
        self.count += 1
        return f"g{uuid.uuid4().hex[:10]}-{self.count}"

    def owned(self, document):
        return {**document, "country_code": self.p.country, "party_id": self.p.party}


class Place(Kind):
    """A Location, or a part of one."""

    def __init__(self, p, world, name):
        super().__init__(p, world)
        self.name = name
        self.method = "PUT"

    def location(self):
        location = self.owned(full("Location", id=self.fresh()))
        return location

    def document(self):
        """A right document and the URL where it is not yet."""
        location = self.location()
        url = self.p.own("locations", location["id"])
        if self.name == "Location":
            return location, url
        assert send(self.p, "PUT", url, location).json()["status_code"] == 1000
        if self.name == "EVSE":
            evse = full("EVSE", uid=self.fresh())
            return evse, f"{url}/{evse['uid']}"
        connector = full("Connector", id=self.fresh())
        return connector, f"{url}/{location['evses'][0]['uid']}/{connector['id']}"

    def url_for(self, url, document):
        return f"{url.rsplit('/', 1)[0]}/{document['uid' if self.name == 'EVSE' else 'id']}"

    def state(self, url):
        return stored(self.p, url)

    def kept(self, url, _):
        return stored(self.p, url)


class Flat(Kind):
    """Session, Tariff."""

    method = "PUT"

    def __init__(self, p, world, name):
        super().__init__(p, world)
        self.name = name

    def document(self):
        document = self.owned(full(self.name, id=self.fresh()))
        return document, self.p.own(self.name.lower() + "s", document["id"])

    url_for = Place.url_for
    state = Place.state
    kept = Place.kept


class Cdr(Kind):
    name, method = "CDR", "POST"

    def document(self):
        return self.owned(full("CDR", id=self.fresh())), self.p.url("cdrs")

    @staticmethod
    def url_for(url, _):
        return url

    def state(self, _):
        return self.world.sql("SELECT count(*), max(c.id) FROM cdr c JOIN partner p ON p.id = c.partner_id "
                              "WHERE p.name = %s", self.p.name)

    def kept(self, _, answer):
        return stored(self.p, answer.headers["Location"])


def kind_of(name, p, world):
    if name == "CDR":
        return Cdr(p, world)
    return (Place if name in ("Location", "EVSE", "Connector") else Flat)(p, world, name)


def refusal(answer, case):
    """None if the answer is what a wrong document deserves."""
    try:
        body = answer.json()
    except ValueError:
        return f"{case}: HTTP {answer.status_code}, no JSON"
    if answer.status_code != 200 or body.get("status_code") != 2001:
        return f"{case}: HTTP {answer.status_code} {body}"
    if not body.get("status_message", "").startswith(pointer(case.path) + ":"):
        return f"{case}: {body.get('status_message')}"
    return None


def assert_all_refused(cases, send_case):
    wrong, count = [], 0
    for case in cases:
        count += 1
        wrong.append(refusal(send_case(case), case))
    wrong = [w for w in wrong if w]
    assert not wrong, f"{len(wrong)} of {count} cases:\n" + "\n".join(wrong[:60])
    assert count > 0


def acceptable(answer, case):
    try:
        body = answer.json()
    except ValueError:
        return f"{case}: HTTP {answer.status_code}, no JSON"
    if answer.status_code not in (200, 201) or body.get("status_code") != 1000:
        return f"{case}: HTTP {answer.status_code} {body}"
    return None


NAMES = ["Location", "EVSE", "Connector", "Session", "CDR", "Tariff"]


@pytest.mark.parametrize("mistake", MISTAKES)
@pytest.mark.parametrize("name", NAMES)
def test_a_wrong_object_is_refused(shared_world, cpo, name, mistake):
    kind = kind_of(name, cpo, shared_world)
    document, url = kind.document()
    assert send(cpo, kind.method, url, document).json()["status_code"] == 1000
    before = kind.state(url)
    assert_all_refused(MISTAKES[mistake](name, document),
                       lambda case: send(cpo, kind.method, url, case.document))
    assert kind.state(url) == before


def accepted(cpo, kind, cases):
    wrong, count = [], 0
    for what, path, document, url in cases:
        count += 1
        answer = send(cpo, kind.method, url, document)
        why = acceptable(answer, f"{pointer(path)}: {what}")
        if not why and kind.kept(url, answer) != document:
            why = f"{pointer(path)}: {what}: comes back as something else"
        wrong.append(why)
    wrong = [w for w in wrong if w]
    assert not wrong, f"{len(wrong)} of {count} cases:\n" + "\n".join(wrong[:60])
    assert count > 0


def one_by_one(kind, generate):
    """Each case in an object of its own: what comes later has no older state to be compared with."""
    document, url = kind.document()
    ids = {"id", "uid"}
    for case in generate(kind.name, document):
        if case.path[-1] in ids and len(case.path) == 1:
            mine = case.document
        else:
            key = "uid" if kind.name == "EVSE" else "id"
            mine = {**case.document, key: kind.fresh()}
        yield case.what, case.path, mine, kind.url_for(url, mine)


@pytest.mark.parametrize("name", NAMES)
def test_an_object_at_its_limits_is_accepted(shared_world, cpo, name):
    kind = kind_of(name, cpo, shared_world)
    cases = [c for c in one_by_one(kind, at_limits) if not breaks_a_rule(c)]
    accepted(cpo, kind, cases)


def breaks_a_rule(case):
    """A CDR does not end before it begins."""
    _, path, document, _ = case
    if path in (("start_date_time",), ("end_date_time",)) and "total_time" in document:
        return document["start_date_time"] > document["end_date_time"]
    return False


@pytest.mark.parametrize("name", NAMES)
def test_optional_fields_may_be_absent_or_null(shared_world, cpo, name):
    kind = kind_of(name, cpo, shared_world)
    rules = ("type", "issuer") if name == "Location" else ("credit", "credit_reference_id")

    def bound(path):
        return (path[0] == "publish_allowed_to" and len(path) == 3 and path[2] in rules
                or name == "CDR" and path[0] in rules)

    accepted(cpo, kind, [c for c in one_by_one(kind, optional_absent) if not bound(c[1])])


@pytest.mark.parametrize("name", NAMES)
def test_unknown_fields_are_kept(shared_world, cpo, name):
    kind = kind_of(name, cpo, shared_world)
    document, url = kind.document()
    document = with_unknown_fields(name, document)
    answer = send(cpo, kind.method, url, document)
    assert answer.json()["status_code"] == 1000, answer.text
    assert kind.kept(url, answer) == document


# ---- PATCH ----

PATCHED = ["Location", "EVSE", "Connector", "Session"]


def as_patches(cases):
    """The same mistakes, in a body that names the one field only."""
    for case in cases:
        name = case.path[0]
        if name not in case.document:
            continue  # left out, which is what PATCH is for
        case.document = {name: case.document[name], **({} if name == "last_updated" else
                                                       {"last_updated": now()})}
        yield case


@pytest.mark.parametrize("mistake", MISTAKES)
@pytest.mark.parametrize("name", PATCHED)
def test_a_wrong_patch_is_refused(shared_world, cpo, name, mistake):
    kind = kind_of(name, cpo, shared_world)
    document, url = kind.document()
    assert send(cpo, "PUT", url, document).json()["status_code"] == 1000
    before = kind.state(url)
    assert_all_refused(as_patches(MISTAKES[mistake](name, document)),
                       lambda case: send(cpo, "PATCH", url, case.document))
    assert kind.state(url) == before


class At:
    def __init__(self, what, *path):
        self.what, self.path = what, path

    def __str__(self):
        return f"{pointer(self.path)}: {self.what}"


@pytest.mark.parametrize("name", PATCHED)
def test_a_patch_without_last_updated_is_refused(shared_world, cpo, name):
    """R-TRANS-12"""
    kind = kind_of(name, cpo, shared_world)
    document, url = kind.document()
    assert send(cpo, "PUT", url, document).json()["status_code"] == 1000
    before, wrong = kind.state(url), []
    for field in tables()[name]:
        if field["name"] != "last_updated":
            patch = {field["name"]: document[field["name"]]}
            wrong.append(refusal(send(cpo, "PATCH", url, patch), At(field["name"], "last_updated")))
    wrong.append(refusal(send(cpo, "PATCH", url, {}), At("nothing at all", "last_updated")))
    assert not [w for w in wrong if w]
    assert kind.state(url) == before


@pytest.mark.parametrize("name", PATCHED)
def test_a_patch_of_the_identity_is_refused(shared_world, cpo, name):
    """R-TRANS-13, O58; the same id in other letters is the same id (R-TYPE-01)."""
    kind = kind_of(name, cpo, shared_world)
    document, url = kind.document()
    assert send(cpo, "PUT", url, document).json()["status_code"] == 1000
    before, wrong = kind.state(url), []
    other = {"country_code": "NL", "party_id": "OTH"}
    identity = [f["name"] for f in tables()[name] if f["identity"]]
    assert identity
    for field in identity:
        patch = {field: other.get(field, "another"), "last_updated": now()}
        wrong.append(refusal(send(cpo, "PATCH", url, patch), At("another", field)))
    assert not [w for w in wrong if w]
    assert kind.state(url) == before
    same = {f: document[f].lower() for f in identity}
    answer = send(cpo, "PATCH", url, {**same, "last_updated": now()})
    assert answer.json()["status_code"] == 1000, answer.text
    after = kind.state(url)
    assert [after[f] for f in identity] == [document[f] for f in identity]


@pytest.mark.parametrize("name", PATCHED)
def test_a_patch_clears_replaces_and_adds(shared_world, cpo, name):
    """R-TRANS-11, 13, 20: null clears an optional field, lists and objects are replaced as a whole."""
    kind = kind_of(name, cpo, shared_world)
    document, url = kind.document()
    assert send(cpo, "PUT", url, document).json()["status_code"] == 1000
    expected = copy.deepcopy(document)
    wrong = []
    for i, field in enumerate(f for f in tables()[name] if not f["required"]):
        patch = {field["name"]: None, f"x_own_{i}": {"n": i}, "last_updated": now(i - 60)}
        wrong.append(acceptable(send(cpo, "PATCH", url, patch), field["name"]))
        expected.update(patch)
        # An absent or empty list of periods changes nothing (R-SESS-08).
        if field["name"] == "charging_periods":
            expected["charging_periods"] = document["charging_periods"]
        else:
            del expected[field["name"]]
    assert not [w for w in wrong if w]
    assert kind.state(url) == expected


# ---- what is no stored object ----


@pytest.fixture(scope="module")
def token_uid(shared_world, cpo):
    ok(User(shared_world.hub).start(shared_world.fresh_evse()))
    tokens = ok(cpo.get(cpo.url("tokens", role="SENDER")))["data"]
    return tokens[0]["uid"]


def test_location_references(cpo, token_uid):
    """R-TOK-05: the body of a real-time authorisation."""
    url = cpo.url("tokens", token_uid, "authorize", role="SENDER") + "?type=APP_USER"
    document = full("LocationReferences")
    for make in MISTAKES.values():
        assert_all_refused(make("LocationReferences", document),
                           lambda case: send(cpo, "POST", url, case.document))
    right = [document, with_unknown_fields("LocationReferences", document)]
    right += [c.document for c in at_limits("LocationReferences", document)]
    right += [c.document for c in optional_absent("LocationReferences", document)]
    for body in right:
        answer = ok(send(cpo, "POST", url, body))
        assert answer["status_code"] == 1000, (body, answer)
        # Our tokens charge by command only, and this partner was sent none (R-CMD-03).
        assert answer["data"]["allowed"] == "NOT_ALLOWED" and answer["data"]["token"]["uid"] == token_uid


def test_active_charging_profile(cpo):
    """R-CP-03: it is checked first, and belongs to a profile that was set; this one to no session."""
    url = cpo.url("chargingprofiles", uuid.uuid4(), role="SENDER")
    document = full("ActiveChargingProfile")
    for make in MISTAKES.values():
        assert_all_refused(make("ActiveChargingProfile", document),
                           lambda case: send(cpo, "PUT", url, case.document))
    for body in [document, with_unknown_fields("ActiveChargingProfile", document),
                 *(c.document for c in at_limits("ActiveChargingProfile", document)),
                 *(c.document for c in optional_absent("ActiveChargingProfile", document))]:
        answer = send(cpo, "PUT", url, body)
        assert answer.status_code == 404 and "R-CP-03" in answer.json()["status_message"], body


def called_back(p):
    """What the hub asked of it, but for the lists that it reads of whoever has registered."""
    return [r for r in p.received if r["method"] != "GET"
            or not r["path"].startswith(tuple(f"/2.2.1/{m}" for m in ("locations", "tariffs", "sessions", "cdrs")))]


def credentials_of(p):
    document = full("Credentials", token=p.token_b, url=p.base + "/versions")
    role = {**document["roles"][0], "role": "CPO", "country_code": p.country, "party_id": p.party}
    return {**document, "roles": [role]}


@pytest.mark.parametrize("registered", [False, True], ids=["POST", "PUT"])
def test_credentials(shared_world, registered):
    """Wrong credentials are refused before anybody is called back, and token A stays good."""
    p = Partner("DE", "GC1" if registered else "GC0", f"Credentials {registered}")
    p.http = requests.Session()
    try:
        if registered:
            p.register(shared_world.hub)
        else:
            p.face(shared_world.hub)
            p.token = shared_world.hub.invite(p.name, p.country, p.party)["token_a"]
            details = p.discover()
            p.credentials_url = next(e["url"] for e in details["endpoints"]
                                     if e["identifier"] == "credentials")
        method = "PUT" if registered else "POST"
        document = credentials_of(p)
        calls = len(called_back(p))
        for make in MISTAKES.values():
            assert_all_refused(make("Credentials", document),
                               lambda case: send(p, method, p.credentials_url, case.document))
        for wrong in ("ftp://127.0.0.1/versions", "file:///etc/passwd", "//127.0.0.1/versions",
                      "https://user@127.0.0.1/versions", "https:///versions"):
            case = At(wrong, "url")
            why = refusal(send(p, method, p.credentials_url, {**document, "url": wrong}), case)
            assert not why, why
        assert len(called_back(p)) == calls, called_back(p)[calls:]

        best = with_unknown_fields("Credentials", document)
        for case in at_limits("Credentials", document):
            if case.path not in (("token",), ("url",)):
                best = changed(best, case.path, value_at(case.document, case.path))
        answer = send(p, method, p.credentials_url, best)
        assert ok(answer)["status_code"] == 1000, answer.text
    finally:
        p.close()


def value_at(document, path):
    for step in path:
        document = document[step]
    return document
