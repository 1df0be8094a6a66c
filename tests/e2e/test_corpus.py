# SPDX-License-Identifier: Apache-2.0
"""
The bad-input corpus: named cases of broken HTTP, broken JSON, wrong objects, odd times and odd
texts, and of callers who want more than is theirs. The id of a case begins the id of its test.

For all of them: the answer is well formed or the connection ends, it is no 5xx, nothing is stored
of what was refused, the workers live on and do not grow.

Not here, because there is nothing they could reach: H38 (there is no TLS listener), O30 (2.3.0),
O46-O48 (tokens of other eMSPs), O49-O52 (commands of eMSPs), O64 (broadcasts), O69 (invoices),
A28 (webhooks). A01-A21 are in test_auth.py, O65-O68 in test_ocpi_inbound.py.
"""

import concurrent.futures
import gzip
import json
import statistics
import time
import uuid
from urllib.parse import quote

import pytest
import requests
from harness import SLOW, User, ok, problem
from partner import Partner, encode, now
from rawhttp import Connection, request

FACE = "/ocpi/emsp/2.2.1"
START = "/v1/sessions/start"
GROWTH_MAX = 50 * 1024 * 1024


# ---- the world and what must not change in it ----


def rss(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as f:
        return next(int(line.split()[1]) * 1024 for line in f if line.startswith("VmRSS"))


@pytest.fixture(scope="module")
def cpo(shared_world):
    p = Partner("DE", "COR", "Corpus Power")
    try:
        p.register(shared_world.hub)
        p.http = requests.Session()
        yield p
    finally:
        p.close()


@pytest.fixture(scope="module")
def caller(shared_world):
    return User(shared_world.hub)


@pytest.fixture(scope="module", autouse=True)
def workers_live_on(shared_world, cpo, caller):
    """The same processes as before, no more than 50 MB larger; and nothing that the input did was an
    error of the hub's own."""
    before = {pid: rss(pid) for pid in shared_world.hub.worker_pids()}
    logged = shared_world.hub.log.stat().st_size
    yield
    lines = shared_world.hub.log.read_bytes()[logged:].decode().splitlines()
    assert not [line for line in lines if json.loads(line)["level"] == "error"]
    assert set(shared_world.hub.worker_pids()) == set(before), "a worker died"
    growth = {pid: rss(pid) - size for pid, size in before.items()}
    # A sanitizer keeps what was freed.
    assert SLOW > 1 or all(g < GROWTH_MAX for g in growth.values()), growth


def state(world, cpo, caller):
    return world.sql("""
        SELECT (SELECT count(*) FROM session WHERE user_id = %s),
               (SELECT md5(coalesce(string_agg(x::text, '|' ORDER BY id), '')) FROM network_session x
                 WHERE partner_id = p.id),
               (SELECT md5(coalesce(string_agg(x::text, '|' ORDER BY id), '')) FROM location x
                 WHERE partner_id = p.id),
               (SELECT md5(coalesce(string_agg(x::text, '|' ORDER BY id), '')) FROM tariff x
                 WHERE partner_id = p.id),
               (SELECT count(*) FROM cdr WHERE partner_id = p.id)
          FROM partner p WHERE name = %s""", caller.sub, cpo.name)


@pytest.fixture
def unchanged(shared_world, cpo, caller):
    before = state(shared_world, cpo, caller)
    yield
    assert state(shared_world, cpo, caller) == before


@pytest.fixture(autouse=True)
def healthy(shared_world):
    yield
    assert requests.get(shared_world.hub.internal_url + "/readyz", timeout=5).status_code == 200


def well_formed(answer):
    """A complaint is a problem or an envelope, as the path says that was found."""
    assert 200 <= answer.status < 500 or answer.status == 505, answer
    if answer.status >= 400:
        body = answer.json()
        kind = answer.headers["content-type"].split(";")[0]
        if kind == "application/problem+json":
            assert body["status"] == answer.status and body["code"] and body["title"], answer
        else:
            assert kind == "application/json" and 2000 <= body["status_code"] < 4000, answer


# ---- H: HTTP ----


def rest(caller, cpo):
    return START, [f"Authorization: Bearer {caller.token}", "Content-Type: application/json"], "POST", b"{}"


def ocpi(caller, cpo):
    authorization = f"Authorization: Token {encode(cpo.token)}"
    return (f"{FACE}/sessions/{cpo.country}/{cpo.party}/H", [authorization, "Content-Type: application/json"],
            "PUT", b"{}")


class Base:
    """A right request with an empty object as its body, which nobody accepts: 422, or 200 and 2001."""

    def __init__(self, url, make, caller, cpo):
        self.target, self.headers, self.method, self.body = make(caller, cpo)
        self.host = url.split("//")[1]
        self.ocpi = make is ocpi

    def __call__(self, *more, method=None, target=None, body=None, host="", version="HTTP/1.1", length=True,
                 drop=None):
        headers = [h for h in self.headers if not drop or not h.startswith(drop)]
        return request(method or self.method, target or self.target, self.host if host == "" else host,
                       [*headers, *more], self.body if body is None else body, version, length)

    def chunked(self, chunks, *more):
        return self("Transfer-Encoding: chunked", *more, body=chunks, length=False)


# Expected statuses; None: the connection may end without an answer. USUAL: as if nothing were odd.
USUAL = "usual"
CHUNKS = b"2\r\n{}\r\n0\r\n\r\n"
HTTP_CASES = [
    ("H00 a right request", lambda b: b(), USUAL),
    ("H00 a right request in chunks", lambda b: b.chunked(CHUNKS), USUAL),
    ("H01 no Host", lambda b: b(host=None), {400}),
    ("H01 empty Host", lambda b: b(host=" "), {400, 422, 200}),
    ("H02 two Hosts", lambda b: b(f"Host: {b.host}"), {400}),
    ("H02 two different Hosts", lambda b: b("Host: other.example"), {400}),
    ("H03 length and chunked", lambda b: b("Transfer-Encoding: chunked", body=CHUNKS), {400}),
    ("H03 chunked and length", lambda b: b.chunked(CHUNKS, "Content-Length: 2"), {400}),
    ("H04 gzip, chunked", lambda b: b("Transfer-Encoding: gzip, chunked", body=CHUNKS, length=False), {400}),
    ("H05 xchunked", lambda b: b("Transfer-Encoding: xchunked", body=CHUNKS, length=False), {400}),
    ("H05 identity", lambda b: b("Transfer-Encoding: identity", body=b"", length=False), {400}),
    ("H05 chunked twice", lambda b: b.chunked(CHUNKS, "Transfer-Encoding: chunked"), {400}),
    ("H06 two lengths", lambda b: b("Content-Length: 3"), {400}),
    ("H06 two equal lengths", lambda b: b("Content-Length: 2"), {400}),
    ("H07 signed length", lambda b: b("Content-Length: +2", length=False), {400}),
    ("H08 list of lengths", lambda b: b("Content-Length: 2, 2", length=False), {400}),
    ("H09 negative length", lambda b: b("Content-Length: -1", length=False), {400}),
    ("H10 length 2^64", lambda b: b(f"Content-Length: {2**64}", length=False), {400, 413}),
    ("H10 length 2^64+2", lambda b: b(f"Content-Length: {2**64 + 2}", length=False), {400, 413}),
    ("H10 hex length", lambda b: b("Content-Length: 0x2", length=False), {400}),
    ("H10 empty length", lambda b: b("Content-Length:", length=False), {400}),
    ("H11 more length than body", lambda b: b("Content-Length: 9", length=False), {400, 408, None}),
    ("H13 chunk size 0x2", lambda b: b.chunked(b"0x2\r\n{}\r\n0\r\n\r\n"), {400}),
    ("H13 chunk size +2", lambda b: b.chunked(b"+2\r\n{}\r\n0\r\n\r\n"), {400}),
    ("H13 chunk size with space", lambda b: b.chunked(b" 2\r\n{}\r\n0\r\n\r\n"), {400}),
    ("H13 no chunk size", lambda b: b.chunked(b"\r\n{}\r\n0\r\n\r\n"), {400}),
    ("H13 chunk longer than its size", lambda b: b.chunked(b"1\r\n{}\r\n0\r\n\r\n"), {400}),
    ("H14 chunk size 16 F", lambda b: b.chunked(b"FFFFFFFFFFFFFFFF\r\n{}\r\n0\r\n\r\n"), {400, 413}),
    ("H14 chunk size 8 F", lambda b: b.chunked(b"FFFFFFFF\r\n{}\r\n0\r\n\r\n"), {400, 413}),
    ("H14 chunk size of 17 digits", lambda b: b.chunked(b"00000000000000002\r\n{}\r\n0\r\n\r\n"), {400}),
    ("H15 chunk extension of 1 MiB", lambda b: b.chunked(b"2;" + b"x" * 2**20 + b"\r\n{}\r\n0\r\n\r\n"),
     {400, 413, 431, None}),
    ("H16 bare LF in a chunk line", lambda b: b.chunked(b"2\n{}\r\n0\r\n\r\n"), {400}),
    ("H16 bare LF after a chunk", lambda b: b.chunked(b"2\r\n{}\n0\r\n\r\n"), {400}),
    ("H16 bare LF in the head", lambda b: b().replace(b"\r\n", b"\n"), {400}),
    ("H17 trailer with Authorization", lambda b: b(
        "Transfer-Encoding: chunked", drop="Authorization", length=False,
        body=b"2\r\n{}\r\n0\r\n" + b.headers[0].encode() + b"\r\n\r\n"), {400, 401}),
    ("H17 trailer with Content-Length", lambda b: b.chunked(b"2\r\n{}\r\n0\r\nContent-Length: 7\r\n\r\n"),
     {400, 422, 200}),
    ("H18 empty header name", lambda b: b(": x"), {400}),
    ("H19 space before colon", lambda b: b("X-Odd : x"), {400}),
    ("H20 folded header", lambda b: b("X-Odd: a\r\n b"), {400}),
    ("H20 folded first header", lambda b: b().replace(b"Host:", b" Host:", 1), {400}),
    ("H21 NUL in a value", lambda b: b(b"X-Odd: a\0b"), {400}),
    ("H21 NUL in a name", lambda b: b(b"X\0Odd: a"), {400}),
    ("H21 ESC in a value", lambda b: b(b"X-Odd: a\x1b[2Jb"), {400}),
    ("H22 CR alone in a value", lambda b: b(b"X-Odd: a\rb"), {400}),
    ("H22 CR CR LF", lambda b: b(b"X-Odd: a\r"), {400}),
    ("H23 header of 64 KiB", lambda b: b("X-Long: " + "x" * 65536), {431}),
    ("H24 1000 headers", lambda b: b(*[f"X-{i}: {i}" for i in range(1000)]), {431}),
    ("H25 URL of 64 KiB", lambda b: b(target="/" + "u" * 65536), {414}),
    ("H26 NUL in the path", lambda b: b(target=b.target + "%00"), {400, 404}),
    ("H27 way up in the path", lambda b: b(target="/v1/%2e%2e%2fv1/sessions/start"), {400, 404}),
    ("H27 dots in the path", lambda b: b(target="/healthz/../v1/sessions/start"), {400, 404}),
    ("H28 slash encoded twice", lambda b: b(target=b.target.replace("/sessions", "%252fsessions")), {400, 404}),
    ("H28 slash encoded", lambda b: b(target=b.target.replace("/sessions", "%2fsessions")), {400, 404}),
    ("H29 invalid percent", lambda b: b(target=b.target + "%zz"), {400}),
    ("H29 half a percent", lambda b: b(target=b.target + "%4"), {400}),
    ("H29 raw bytes in the path", lambda b: b(target=b.target + "\u00e4").replace(b"\xc3\xa4", b"\xe4"), {400}),
    ("H30 absolute URI to another host", lambda b: b(target="http://other.example" + b.target),
     {400, 403, 404, 421}),
    ("H31 method FOO", lambda b: b(method="FOO"), {400, 405}),
    ("H32 lower case method", lambda b: b(method=b.method.lower()), {400, 405}),
    ("H33 CONNECT", lambda b: b(method="CONNECT", target="other.example:443"), {400, 404, 405}),
    ("H33 TRACE", lambda b: b(method="TRACE", body=b""), {400, 405}),
    ("H33 OPTIONS *", lambda b: b(method="OPTIONS", target="*", body=b""), {400, 404, 405}),
    ("H34 HTTP/0.9", lambda b: f"GET {b.target}\r\n\r\n".encode(), {400, 505, None}),
    ("H34 HTTP/2.0 in the line", lambda b: b(version="HTTP/2.0"), {400, 505}),
    ("H34 http/1.1", lambda b: b(version="http/1.1"), {400, 505}),
    ("H34 HTTP/1.10", lambda b: b(version="HTTP/1.10"), {400, 505}),
    ("H34 two spaces", lambda b: b().replace(b" HTTP/1.1", b"  HTTP/1.1", 1), {400}),
    ("H35 HTTP/1.0 keep-alive", lambda b: b("Connection: keep-alive", version="HTTP/1.0"), USUAL),
    ("H36 HTTP/2 preface", lambda b: b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", {400, 505, None}),
    ("H37 TLS on the plain port", lambda b: bytes.fromhex("16030100c8010000c403035e") + b"\x11" * 200,
     {400, None}),
    ("H40 another expectation", lambda b: b("Expect: 200-ok"), {417}),
    ("H46 no Content-Type", lambda b: b(drop="Content-Type"), {415, 200}),
    ("H46 text/xml", lambda b: b("Content-Type: text/xml", drop="Content-Type"), {415}),
    ("H46 multipart", lambda b: b("Content-Type: multipart/form-data; boundary=x", drop="Content-Type"), {415}),
    ("H46 two Content-Types", lambda b: b("Content-Type: text/xml"), {400, 415, 422, 200}),
    ("H47 utf-16", lambda b: b("Content-Type: application/json; charset=utf-16", drop="Content-Type",
                               body="{}".encode("utf-16")), {400, 415}),
    ("H48 gzip bomb", lambda b: b("Content-Encoding: gzip", body=gzip.compress(b"[" * 2**24)), {400, 415}),
    ("H48 unknown encoding", lambda b: b("Content-Encoding: zebra", body=b"\x01\x02"), {400, 415}),
    ("H49 Range and If-Match junk", lambda b: b("Range: bytes=9-1,x", "If-Match: \"\"\"", "If-None-Match: ,,"),
     USUAL),
    ("H50 Upgrade: websocket", lambda b: b("Upgrade: websocket", "Connection: Upgrade",
                                           "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="), USUAL),
    ("H51 method override", lambda b: b("X-HTTP-Method-Override: DELETE", "X-Method-Override: GET"), USUAL),
    ("H52 X-Forwarded-For of 10 000", lambda b: b("X-Forwarded-For: " + ", ".join(["1.2.3.4"] * 10000)), {431}),
    ("H53 query of 10 000", lambda b: b(target=b.target + "?" + "&".join(f"a{i}={i}" for i in range(10000))),
     {414}),
    ("H53 query of 1000", lambda b: b(target=b.target + "?" + "&".join(f"a{i}" for i in range(1000))), USUAL),
    ("H54 repeated parameters", lambda b: b(target=b.target + "?type=a&type=b&type"), USUAL),
    ("H56 unknown path", lambda b: b(target="/v1/unknown"), {404}),
    ("H56 double slash", lambda b: b(target="/" + b.target), {400, 404}),
    ("H57 no Authorization", lambda b: b(drop="Authorization"), {401}),
    ("H57 Authorization twice", lambda b: b(b.headers[0]), {400, 401}),
    ("H57 another Authorization first", lambda b: b(b.headers[0], drop="-").replace(
        b.headers[0].encode(), b"Authorization: Bearer x", 1), {400, 401}),
    ("H57 empty", lambda b: b("Authorization:", drop="Authorization"), {401}),
    ("H57 100 KiB", lambda b: b("Authorization: Token " + "A" * 102400, drop="Authorization"), {431}),
    ("H57 8 000 bytes", lambda b: b("Authorization: Token " + "A" * 8000, drop="Authorization"), {401, 431}),
    ("H57 scheme only", lambda b: b(b.headers[0].rsplit(" ", 1)[0], drop="Authorization"), {401}),
    ("H57 tab", lambda b: b("\t".join(b.headers[0].rsplit(" ", 1)), drop="Authorization"), {401}),
    ("H57 two spaces", lambda b: b("  ".join(b.headers[0].rsplit(" ", 1)), drop="Authorization"), {401}),
    ("H57 the scheme of the others", lambda b: b(
        b.headers[0].replace("Bearer", "x").replace("Token", "Bearer").replace(" x ", " Token "),
        drop="Authorization"), {401}),
]


@pytest.mark.parametrize("make", [rest, ocpi])
@pytest.mark.parametrize("case", HTTP_CASES, ids=lambda c: c[0])
def test_http(shared_world, cpo, caller, unchanged, case, make):
    name, build, expected = case
    base = Base(shared_world.hub.url, make, caller, cpo)
    begun = time.monotonic()
    with Connection(shared_world.hub.url) as c:
        c.send(build(base))
        c.half_close()
        answers = c.answers()
    assert time.monotonic() - begun < 3 * SLOW
    for answer in answers:
        well_formed(answer)
    statuses = {200 if base.ocpi else 422} if expected == USUAL else expected
    first = answers[0].status if answers else None
    assert first in statuses, (name, answers)
    if first == 200 and base.ocpi:
        assert answers[0].json()["status_code"] == 2001
    # Only what was read to its end may be followed by another answer.
    assert len(answers) <= 1 or all(a.status >= 400 for a in answers[1:]), answers


def raw_pair(shared_world, caller, cpo, make):
    base = Base(shared_world.hub.url, make, caller, cpo)
    return base, {"rest": 422, "ocpi": 200}[make.__name__]


@pytest.mark.parametrize("make", [rest, ocpi])
def test_h12_less_length_than_body(shared_world, caller, cpo, unchanged, make):
    base, _ = raw_pair(shared_world, caller, cpo, make)
    with Connection(shared_world.hub.url) as c:
        c.send(base("Content-Length: 1", length=False))
        c.half_close()
        answers = c.answers()
    assert [a.status for a in answers] in ([400], [400, 400])


@pytest.mark.parametrize("make", [rest, ocpi])
def test_h39_expectation_and_then_no_body(shared_world, caller, cpo, unchanged, make):
    base, usual = raw_pair(shared_world, caller, cpo, make)
    head, body = base("Expect: 100-continue").split(b"\r\n\r\n")
    with Connection(shared_world.hub.url) as c:
        c.send(head + b"\r\n\r\n")
        assert c.answer().status == 100
        c.half_close()
        assert [a.status for a in c.answers()] in ([], [400])
    with Connection(shared_world.hub.url) as c:
        c.send(head + b"\r\n\r\n")
        assert c.answer().status == 100
        c.send(body)
        assert c.answer().status == usual
    # Nobody is asked to send what will be refused.
    with Connection(shared_world.hub.url) as c:
        c.send(head.replace(b"Content-Length: 2", b"Content-Length: 99999999") + b"\r\n\r\n")
        assert c.answer().status == 413


def test_h41_a_thousand_pipelined_requests(shared_world, caller, cpo, unchanged):
    base, usual = raw_pair(shared_world, caller, cpo, ocpi)
    sender = concurrent.futures.ThreadPoolExecutor(1)
    with Connection(shared_world.hub.url, 20) as c:
        sent = sender.submit(c.send, b"".join(base(f"X-Request-ID: {i}") for i in range(1000)))
        answers = [c.answer(20) for _ in range(1000)]
        assert sent.result()
    assert [a.headers["x-request-id"] for a in answers] == [str(i) for i in range(1000)]
    assert {a.status for a in answers} == {usual}


@pytest.mark.parametrize("make", [rest, ocpi])
def test_h42_byte_by_byte(shared_world, caller, cpo, unchanged, make):
    base, usual = raw_pair(shared_world, caller, cpo, make)
    with Connection(shared_world.hub.url) as c:
        for byte in base():
            c.send(bytes([byte]))
            time.sleep(0.0005)
        assert c.answer().status == usual


@pytest.mark.parametrize("make", [rest, ocpi])
def test_h43_the_client_leaves(shared_world, caller, cpo, unchanged, make):
    base, _ = raw_pair(shared_world, caller, cpo, make)
    whole = base()
    for cut in (1, 20, len(whole) - 6, len(whole) - 2, len(whole) - 1, len(whole)):
        for _ in range(10):
            with Connection(shared_world.hub.url) as c:
                c.send(whole[:cut])


def test_h44_the_client_closes_its_half(shared_world, caller, cpo, unchanged):
    base, usual = raw_pair(shared_world, caller, cpo, ocpi)
    with Connection(shared_world.hub.url) as c:
        c.send(base() * 3)
        c.half_close()
        assert [a.status for a in c.answers()] == [usual] * 3


def test_h45_the_client_never_reads(shared_world, caller, cpo, unchanged):
    base, usual = raw_pair(shared_world, caller, cpo, ocpi)
    connections = [Connection(shared_world.hub.url) for _ in range(3)]
    for c in connections:
        c.socket.settimeout(0.2)
        try:
            while c.send(base() * 500):
                pass
        except TimeoutError:
            pass
    with Connection(shared_world.hub.url) as other:
        other.send(base())
        assert other.answer().status == usual
    for c in connections:
        c.socket.close()


@pytest.mark.parametrize("method,make", [("GET", rest), ("GET", ocpi), ("DELETE", ocpi)])
def test_h55_a_body_where_none_belongs(shared_world, caller, cpo, unchanged, method, make):
    """Whatever is made of it, it is not taken for the next request."""
    base, _ = raw_pair(shared_world, caller, cpo, make)
    target = f"/v1/sessions/{uuid.uuid4()}/status" if make is rest else \
        f"{FACE}/tariffs/{cpo.country}/{cpo.party}/none"
    inner = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
    with Connection(shared_world.hub.url) as c:
        c.send(base(method=method, target=target, body=inner) if method != "GET" else
               base(f"Content-Length: {len(inner)}", method=method, target=target, body=inner, length=False))
        c.half_close()
        answers = c.answers()
    assert [a.status for a in answers] in ([404], [400], [413]), answers


# ---- J: JSON ----

GOOD_START = '{"evse_id": "DE*COR*E404404", "connector_type": "CCS", "battery_target_kwh": 60.5}'


class Door:
    """Where a body goes, and what the answers to it are called there."""

    def __init__(self, name, caller, cpo):
        self.name, self.caller, self.cpo = name, caller, cpo

    def good(self):
        """REST: right, but the EVSE is unknown. OCPI: a right Session."""
        if self.name == "rest":
            return GOOD_START
        return json.dumps(self.cpo.session("J"))

    def send(self, body):
        data = body.encode("utf-8", "surrogatepass") if isinstance(body, str) else body
        headers = {"Content-Type": "application/json"}
        try:
            if self.name == "rest":
                return self.caller.call("POST", START, data=data, headers=headers)
            return self.cpo.http.put(self.cpo.own("sessions", "J"), data=data, timeout=30,
                                     headers={**self.cpo.headers(), **headers})
        except requests.ConnectionError:
            return None  # the hub answered and closed before it had all of it

    def is_broken(self, answer):
        """No JSON, or too much of it."""
        if answer is None:
            return True
        if answer.status_code == 413:
            return True
        code = "code" if self.name == "rest" else "status_code"
        return answer.status_code == 400 and answer.json()[code] in ("malformed_json", 2000)

    def is_refused(self, answer):
        """JSON, but not what belongs here."""
        if self.name == "rest":
            return (answer.status_code, answer.json()["code"]) in [(422, "validation_failed"),
                                                                  (400, "invalid_body")]
        return answer.status_code == 200 and answer.json()["status_code"] == 2001

    def is_fine(self, answer):
        if self.name == "rest":
            return answer.status_code == 404 and answer.json()["code"] == "evse_not_found"
        return answer.status_code in (200, 201) and answer.json()["status_code"] == 1000


@pytest.fixture(params=["rest", "ocpi"])
def door(request, caller, cpo):  # pylint: disable=redefined-outer-name
    return Door(request.param, caller, cpo)


def in_object(inner, key='"x"'):
    return lambda good: f'{good[:-1]}, {key}: {inner}}}'


BROKEN = {
    "J01 empty": lambda g: "",
    "J02 white space only": lambda g: " \r\n\t ",
    "J03 BOM": lambda g: "\ufeff" + g,
    "J03 UTF-16": lambda g: g.encode("utf-16"),
    "J05 trailing comma": lambda g: g[:-1] + ",}",
    "J06 trailing garbage": lambda g: g + "x",
    "J06 trailing NUL": lambda g: g + "\0",
    "J07 two documents": lambda g: g + g,
    "J08 single quotes": lambda g: g.replace('"', "'"),
    "J09 block comment": lambda g: "/* */" + g,
    "J09 line comment": lambda g: g + "// end",
    "J10 NaN": in_object("NaN"),
    "J10 Infinity": in_object("-Infinity"),
    "J11 depth 33": in_object("[" * 32 + "]" * 32),
    "J11 depth 1000": in_object("[" * 1000 + "]" * 1000),
    "J11 depth of a million": lambda g: "[" * 10**6,
    "J11 a million objects deep": lambda g: '{"a":' * 150000,
    "J12 a million entries": in_object("[" + "1," * (10**6 - 1) + "1]"),
    "J12 200 000 entries": in_object("[" + "1," * (2 * 10**5 - 1) + "1]"),
    "J13 100 000 keys": lambda g: "{" + ",".join(f'"k{i}":1' for i in range(10**5)) + "}",
    "J15 a key twice": lambda g: g[:-1] + ', "x": 1, "x": 1}',
    "J15 a key twice, deep": in_object('{"a": [{"b": 1, "b": 2}]}'),
    "J16 a key twice by escape": lambda g: g[:-1] + ', "id": 1, "\\u0069d": 2}',
    "J27 64 MiB string": lambda g: g[:-1] + ', "x": "' + "x" * 2**26 + '"}',
    "J27 string of 70 000": in_object('"' + "x" * 70000 + '"'),
    "J28 lone surrogate": in_object('"\\ud800"'),
    "J28 reversed surrogates": in_object('"\\udc00\\ud800"'),
    "J28 surrogate as bytes": in_object('"\ud800"'),
    "J29 \\u0000 in a string": in_object('"a\\u0000b"'),
    "J29 \\u0000 in a key": in_object("1", '"a\\u0000b"'),
    "J30 overlong": lambda g: in_object('"@"')(g).encode().replace(b"@", b"\xc0\xaf"),
    "J30 0xFF": lambda g: in_object('"@"')(g).encode().replace(b"@", b"\xff"),
    "J30 truncated": lambda g: in_object('"@"')(g).encode().replace(b"@", b"\xe2\x82"),
    "J30 beyond U+10FFFF": lambda g: in_object('"@"')(g).encode().replace(b"@", b"\xf4\x90\x80\x80"),
    "J31 raw newline in a string": in_object('"a\nb"'),
    "J31 raw ESC in a string": in_object('"a\x1bb"'),
    "J31 form feed between": lambda g: g[:-1] + "\f}",
    "J32 key of 1 MiB": in_object("1", '"' + "k" * 2**20 + '"'),
    "J33 number of 10 000 digits": in_object("1" * 10000),
    "J34 1e400": in_object("1e400"),
    "J34 01": in_object("01"),
    "J34 +1": in_object("+1"),
    "J34 .5": in_object(".5"),
    "J34 5.": in_object("5."),
    "J34 0x10": in_object("0x10"),
    "J34 --1": in_object("--1"),
    "J34 1e": in_object("1e"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_broken_json(door, unchanged, case):
    answer = door.send(BROKEN[case](door.good()))
    assert door.is_broken(answer), answer.text


def test_j04_truncated_at_every_byte(door, unchanged):
    good = door.good()
    wrong = [cut for cut in range(len(good)) if not door.is_broken(door.send(good[:cut]))]
    assert not wrong


def with_value(field, value):
    return lambda g: {**json.loads(g), field: value}


WRONG = {
    "rest": {
        "J17 array": "[]", "J17 string": '"evse_id"', "J17 number": "42", "J17 null": "null", "J17 true": "true",
        "J18 array for a text": with_value("evse_id", ["DE*COR*E404404"]),
        "J19 object for a text": with_value("evse_id", {"id": "DE*COR*E404404"}),
        "J20 number for a text": with_value("evse_id", 404404),
        "J20 text for a number": with_value("battery_target_kwh", "60.5"),
        "J21 true as a text": with_value("battery_target_kwh", "true"),
        "J22 null for required": with_value("evse_id", None),
        "J24 empty": "{}",
        "J34 -0": with_value("battery_target_kwh", -0.0),
        "J34 1e-400": lambda g: g.replace("60.5", "1e-400"),
        "J34 1e300": with_value("battery_target_kwh", 1e300),
    },
    "ocpi": {
        "J17 array": "[]", "J17 string": '"id"', "J17 number": "42", "J17 null": "null", "J17 true": "true",
        "J18 array for an object": with_value("cdr_token", []),
        "J19 object for a text": with_value("id", {"id": "J"}),
        "J20 number for a text": with_value("currency", 978),
        "J20 text for a number": with_value("kwh", "1.5"),
        "J21 true as a text": with_value("kwh", "true"),
        "J22 null for required": with_value("kwh", None),
        "J24 empty": "{}",
        "J24 empty object": with_value("cdr_token", {}),
        "J24 empty list where one is needed": with_value("charging_periods", [{
            "start_date_time": "2026-03-30T08:00:00Z", "dimensions": []}]),
        "J34 1e300": with_value("kwh", 1e300),
    },
}


@pytest.mark.parametrize("where,case", [(w, c) for w in WRONG for c in WRONG[w]])
def test_wrong_json(caller, cpo, unchanged, where, case):
    door = Door(where, caller, cpo)
    make = WRONG[where][case]
    body = make(door.good()) if callable(make) else make
    answer = door.send(body if isinstance(body, str) else json.dumps(body))
    assert door.is_refused(answer), answer.text


FINE = {
    "J14 10 000 alike keys": lambda g: {**json.loads(g), "x": {f"k{i:05d}": 1 for i in range(4000)}},
    "J23 null for optional": lambda g: {**json.loads(g), "connector_type": None, "end_date_time": None,
                                        "charging_periods": None},
    "J25 unknown members": lambda g: {**json.loads(g), "unknown": {"a": [1, 2, {"b": None}]}},
    "J26 __proto__, constructor": lambda g: {**json.loads(g), "__proto__": {"role": "admin"},
                                             "constructor": {"prototype": {}}, "toString": 1},
    "J34 -0 in what is unknown": lambda g: in_object("-0")(g),
    "J35 a double's noise": lambda g: {**json.loads(g), "battery_target_kwh": 0.30000000000000004,
                                       "kwh": 0.30000000000000004},
    "J36 long white space": lambda g: g.replace(" ", " " * 1500)[:60000] if len(g) < 100 else
    g.replace(" ", " " * 8000),
    "J16 one key, escaped": lambda g: g.replace('"evse_id"', '"\\u0065vse_id"').replace('"id"', '"\\u0069d"'),
}


@pytest.mark.parametrize("case", FINE)
def test_odd_but_right_json(door, case):
    made = FINE[case](door.good())
    took = []
    for _ in range(3):
        begun = time.monotonic()
        answer = door.send(made if isinstance(made, str) else json.dumps(made))
        took.append(time.monotonic() - begun)
        assert door.is_fine(answer), answer.text
    assert min(took) < 1 * SLOW, took


# ---- O, T, U: OCPI objects ----

REFUSED, ACCEPTED, MISSING = "2001", "1000", "404"


def judge(answer, expected):
    assert answer.status_code < 500, answer.text
    body = answer.json()
    code = body["status_code"]
    if expected == REFUSED:
        assert (answer.status_code, code) == (200, 2001), answer.text
        assert body.get("status_message")
    elif expected == ACCEPTED:
        assert answer.status_code in (200, 201) and code == 1000, answer.text
    else:
        assert answer.status_code == 404 and 2000 <= code < 3000, answer.text


class Sender:
    """Shorthand for the tables below: sends a right object with one thing changed."""

    def __init__(self, p):
        self.p = p

    def send(self, method, url, body=None, **kw):
        return self.p.call(method, url, body, **kw)

    def location(self, path_id=None, path_party=None, path_country=None, part=None, **changes):
        o = self.p.location(**changes)
        if part:
            part(o)
        country, party = path_country or self.p.country, path_party or self.p.party
        return self.send("PUT", self.p.url("locations", country, party,
                                           quote(str(path_id or o["id"]), safe="")), o)

    def evse(self, **changes):
        return self.location(part=lambda o: o["evses"][0].update(changes))

    def connector(self, **changes):
        return self.location(part=lambda o: o["evses"][0]["connectors"][0].update(changes))

    def without(self, kind, field):
        o = getattr(self.p, kind)()
        del o[field]
        return self.put(kind, o)

    def put(self, kind, o):
        if kind == "cdr":
            return self.send("POST", self.p.url("cdrs"), o)
        return self.send("PUT", self.p.own(kind + "s", quote(o["id"], safe="")), o)

    def session(self, **changes):
        return self.put("session", self.p.session(**changes))

    def cdr(self, **changes):
        return self.put("cdr", self.p.cdr(**changes))

    def tariff(self, **changes):
        return self.put("tariff", self.p.tariff(**changes))

    def component(self, **changes):
        o = self.p.tariff()
        o["elements"][0]["price_components"][0].update(changes)
        return self.put("tariff", o)

    def restriction(self, **restrictions):
        o = self.p.tariff()
        o["elements"][0]["restrictions"] = restrictions
        return self.put("tariff", o)

    def tokens(self, query):
        return self.p.get(self.p.url("tokens", role="SENDER") + query)

    def twice(self, kind, first, second):
        o = getattr(self.p, kind)()
        judge(self.put(kind, {**o, **first}), ACCEPTED)
        return self.put(kind, {**o, **second})

    def patched(self, changes, kind="session"):
        o = getattr(self.p, kind)()
        url = self.p.own(kind + "s", o["id"])
        judge(self.send("PUT", url, o), ACCEPTED)
        return self.send("PATCH", url, changes)

    def headers(self, **headers):
        o = self.p.session()
        return self.p.call("PUT", self.p.own("sessions", o["id"]), o, headers=headers)


def period(start, volume=1.0):
    return {"start_date_time": now(start), "dimensions": [{"type": "ENERGY", "volume": volume}]}


def swapped_ids(o):
    evse = o["evses"][0]
    evse["uid"], evse["evse_id"] = evse["evse_id"], evse["uid"]


O_CASES = [
    ("O01 id of 36", lambda s: s.session(id="i" * 36), ACCEPTED),
    ("O01 id of 37", lambda s: s.session(id="i" * 37), REFUSED),
    ("O01 id of 39", lambda s: s.tariff(id="i" * 39), REFUSED),
    ("O01 id of 40", lambda s: s.location(id="i" * 40, path_id="i" * 40), REFUSED),
    ("O01 CDR id of 37", lambda s: s.cdr(id="i" * 37), REFUSED),
    ("O01 credit id of 39", lambda s: s.cdr(id="i" * 39, credit=True, credit_reference_id="none",
                                            total_cost={"excl_vat": -3}), ACCEPTED),
    ("O01 credit id of 40", lambda s: s.cdr(id="i" * 40, credit=True, credit_reference_id="none"), REFUSED),
    ("O02 id empty", lambda s: s.location(id="", path_id="x"), REFUSED),
    ("O02 id blank", lambda s: s.location(id="   ", path_id="   "), REFUSED),
    ("O02 evse_uid #NA", lambda s: s.session(evse_uid="#NA", connector_id="#NA"), ACCEPTED),
    ("O02 CDR of nowhere", lambda s: s.cdr(cdr_location={
        **s.p.cdr()["cdr_location"], "evse_uid": "#NA", "evse_id": "#NA", "connector_id": "#NA"}), ACCEPTED),
    *[(f"O03 id with {what}", lambda s, i=i: s.session(id=i), ACCEPTED) for what, i in [
        ("slash", "a/b"), ("quote", "a'b\"c"), ("semicolon", "a;b"), ("percent", "a%b%2F"), ("query", "a?b=c#d"),
        ("backslash", "a\\b")]],
    ("O03 id of dots, which is no path", lambda s: s.session(id=".."), MISSING),
    ("O03 id with newline", lambda s: s.session(id="a\nb"), REFUSED),
    ("O03 id with emoji", lambda s: s.session(id="a\U0001f50cb"), REFUSED),
    ("O05 URL id is another", lambda s: s.location(path_id="another"), REFUSED),
    ("O06 URL party is another", lambda s: s.location(path_party="OTH"), MISSING),
    ("O06 body party is another", lambda s: s.session(party_id="OTH"), REFUSED),
    ("O06 body country is another", lambda s: s.tariff(country_code="NL"), REFUSED),
    ("O06 CDR of another party", lambda s: s.cdr(party_id="OTH"), REFUSED),
    ("O07 country de", lambda s: s.location(country_code="de"), ACCEPTED),
    ("O07 country DEU", lambda s: s.location(country_code="DEU"), REFUSED),
    ("O07 country XX", lambda s: s.location(country_code="XX"), REFUSED),
    ("O07 country D1", lambda s: s.location(country_code="D1"), REFUSED),
    ("O08 party of 2", lambda s: s.session(party_id="CO"), REFUSED),
    ("O08 party of 4", lambda s: s.session(party_id="CORP"), REFUSED),
    ("O08 party lower case", lambda s: s.session(party_id="cor"), ACCEPTED),
    ("O09 currency eur", lambda s: s.session(currency="eur"), REFUSED),
    ("O09 currency EURO", lambda s: s.session(currency="EURO"), REFUSED),
    ("O09 currency EU1", lambda s: s.cdr(currency="EU1"), REFUSED),
    ("O09 currency XXX", lambda s: s.session(currency="XXX"), ACCEPTED),
    ("O09 currency BTC", lambda s: s.cdr(currency="BTC"), ACCEPTED),
    ("O10 status unknown", lambda s: s.session(status="CHARGING"), REFUSED),
    ("O10 auth_method unknown", lambda s: s.session(auth_method="MAGIC"), REFUSED),
    ("O11 capability unknown", lambda s: s.evse(capabilities=["TELEPORT"]), ACCEPTED),
    ("O11 standard unknown", lambda s: s.connector(standard="IEC_99999"), ACCEPTED),
    ("O12 status in lower case", lambda s: s.session(status="active"), REFUSED),
    ("O12 format in lower case", lambda s: s.connector(format="cable"), REFUSED),
    ("O13 COMPLETED without end", lambda s: s.session(status="COMPLETED"), ACCEPTED),
    ("O14 end before start", lambda s: s.session(status="COMPLETED", end_date_time=now(-9000)), ACCEPTED),
    ("O14 CDR ends before it starts", lambda s: s.cdr(end_date_time=now(-9000)), REFUSED),
    ("O15 kwh negative", lambda s: s.session(kwh=-0.001), REFUSED),
    ("O16 kwh falls", lambda s: s.twice("session", {"kwh": 5.0}, {"kwh": 4.0, "last_updated": now(5)}), ACCEPTED),
    ("O17 periods empty", lambda s: s.session(charging_periods=[]), ACCEPTED),
    ("O17 periods unsorted", lambda s: s.session(charging_periods=[period(-60), period(-600)]), ACCEPTED),
    ("O17 periods outside", lambda s: s.session(charging_periods=[period(-99999), period(99999)]), ACCEPTED),
    ("O18 a period twice", lambda s: s.session(charging_periods=[period(-60), period(-60)]), ACCEPTED),
    ("O19 10 000 periods", lambda s: s.session(charging_periods=[
        {"start_date_time": "2026-03-30T08:00:00Z", "dimensions": [{"type": "TIME", "volume": 1}]}] * 10000),
     ACCEPTED),
    ("O20 tariff without elements", lambda s: s.tariff(elements=[]), REFUSED),
    ("O20 element without components", lambda s: s.tariff(elements=[{"price_components": []}]), REFUSED),
    ("O21 price negative", lambda s: s.component(price=-0.1), ACCEPTED),
    ("O22 price 10^9", lambda s: s.component(price=10**9), ACCEPTED),
    ("O22 price 10^12", lambda s: s.component(price=10**12), REFUSED),
    ("O23 vat 1900", lambda s: s.component(vat=1900), ACCEPTED),
    ("O23 vat -19", lambda s: s.component(vat=-19), REFUSED),
    ("O23 vat 19.00001", lambda s: s.component(vat=19.00001), ACCEPTED),
    ("O24 step_size 0", lambda s: s.component(step_size=0), ACCEPTED),
    ("O24 step_size -1", lambda s: s.component(step_size=-1), REFUSED),
    ("O24 step_size 2^31", lambda s: s.component(step_size=2**31), REFUSED),
    *[(f"O25 start_time {t!r}", lambda s, t=t: s.restriction(start_time=t), REFUSED)
      for t in ("24:00", "9:00", "25:61", "", "09:00:00", "-1:00")],
    ("O26 start_date 30 February", lambda s: s.restriction(start_date="2026-02-30"), REFUSED),
    ("O27 min_kwh above max_kwh", lambda s: s.restriction(min_kwh=9, max_kwh=1), ACCEPTED),
    ("O28 a day twice", lambda s: s.restriction(day_of_week=["MONDAY", "MONDAY"]), ACCEPTED),
    ("O28 day unknown", lambda s: s.restriction(day_of_week=["Monday"]), REFUSED),
    ("O29 max_price below min_price", lambda s: s.tariff(min_price={"excl_vat": 5}, max_price={"excl_vat": 1}),
     ACCEPTED),
    ("O31 no coordinates", lambda s: s.without("location", "coordinates"), REFUSED),
    *[(f"O32 {what}", lambda s, c=c: s.location(coordinates=c), REFUSED) for what, c in [
        ("latitude 91", {"latitude": "91.000000", "longitude": "0.000000"}),
        ("longitude 181", {"latitude": "0.000000", "longitude": "181.000000"}),
        ("NaN", {"latitude": "NaN", "longitude": "0.000000"}),
        ("comma", {"latitude": "52,520008", "longitude": "13,404954"}),
        ("20 decimals", {"latitude": "52." + "5" * 20, "longitude": "13.404954"}),
        ("number", {"latitude": 52.520008, "longitude": 13.404954}),
        ("exponent", {"latitude": "5.2520008e1", "longitude": "13.404954"})]],
    ("O33 zone Europe/Atlantis", lambda s: s.location(time_zone="Europe/Atlantis"), ACCEPTED),
    ("O33 zone CET", lambda s: s.location(time_zone="CET"), ACCEPTED),
    ("O33 zone +01:00", lambda s: s.location(time_zone="+01:00"), REFUSED),
    ("O33 zone as a path", lambda s: s.location(time_zone="../../../etc/passwd"), REFUSED),
    ("O34 EVSE without connectors", lambda s: s.evse(connectors=[]), REFUSED),
    ("O34 1000 EVSEs", lambda s: s.location(part=lambda o: o.update(evses=[
        {**o["evses"][0], "uid": f"u{i}", "evse_id": f"DE*COR*E9{i:06d}"} for i in range(1000)])), ACCEPTED),
    ("O35 tariff unknown", lambda s: s.connector(tariff_ids=["never-seen"]), ACCEPTED),
    ("O36 uid and evse_id swapped", lambda s: s.location(part=swapped_ids), ACCEPTED),
    ("O37 total is not its parts", lambda s: s.cdr(total_energy_cost={"excl_vat": 99}), ACCEPTED),
    ("O38 energy is not its sum", lambda s: s.cdr(
        total_energy=99.0, charging_periods=s.p.cdr()["charging_periods"]), ACCEPTED),
    ("O39 credit without reference", lambda s: s.cdr(credit=True, total_cost={"excl_vat": -3}), REFUSED),
    ("O40 credit of nothing", lambda s: s.cdr(credit=True, credit_reference_id="never-seen",
                                              total_cost={"excl_vat": -3}), ACCEPTED),
    ("O41 credit that is positive", lambda s: s.cdr(credit=True, credit_reference_id="never-seen"), ACCEPTED),
    ("O43 unknown times", lambda s: s.cdr(start_date_time="1970-1-1T00:00:00Z",
                                          end_date_time="1970-1-1T00:00:00Z"), ACCEPTED),
    ("O43 unknown time elsewhere", lambda s: s.session(start_date_time="1970-1-1T00:00:00Z"), REFUSED),
    ("O44 same CDR", lambda s: s.twice("cdr", {}, {}), ACCEPTED),
    ("O44 same id, other content", lambda s: s.twice("cdr", {}, {"total_energy": 11.0}), REFUSED),
    ("O54 result of an unknown command", lambda s: s.send(
        "POST", s.p.url("commands", uuid.uuid4().hex, role="SENDER"), {"result": "ACCEPTED"}), MISSING),
    ("O56 PATCH without last_updated", lambda s: s.patched({"kwh": 2.0}), REFUSED),
    ("O57 PATCH on nothing", lambda s: s.send("PATCH", s.p.own("sessions", "never-seen"),
                                              {"kwh": 2.0, "last_updated": now()}), MISSING),
    ("O57 PATCH on an EVSE of nothing", lambda s: s.send(
        "PATCH", s.p.own("locations", "never-seen", "1"), {"status": "BLOCKED", "last_updated": now()}), MISSING),
    ("O58 PATCH of the id", lambda s: s.patched({"id": "x", "last_updated": now()}), REFUSED),
    ("O58 PATCH of the party", lambda s: s.patched({"party_id": "OTH", "last_updated": now()}), REFUSED),
    ("O59 older", lambda s: s.twice("session", {}, {"kwh": 9.0, "last_updated": now(-900)}), ACCEPTED),
    ("O59 equal", lambda s: s.twice("tariff", {}, {"currency": "NOK"}), ACCEPTED),
    ("O60 DELETE of an unknown tariff", lambda s: s.send("DELETE", s.p.own("tariffs", "never-seen")), MISSING),
    *[(f"O61 {q}", lambda s, q=q: s.tokens(q), e) for q, e in [
        ("?date_from=2026-03-02T00:00:00Z&date_to=2026-03-01T00:00:00Z", REFUSED),
        ("?date_from=2026-03-02T00:00:00", ACCEPTED), ("?date_from=2026-03-02T00:00:00%2B02:00", REFUSED),
        ("?date_from=1900-01-01T00:00:00Z", ACCEPTED), ("?date_to=9999-12-31T23:59:59Z", ACCEPTED),
        ("?date_from=", REFUSED), ("?date_from=yesterday", REFUSED)]],
    *[(f"O62 {q}", lambda s, q=q: s.tokens(q), e) for q, e in [
        ("?offset=-1", REFUSED), ("?offset=1000000000000000000", REFUSED), ("?offset=99999999999999999999", REFUSED),
        ("?limit=0", ACCEPTED), ("?limit=-1", REFUSED), ("?limit=1000000000", ACCEPTED), ("?limit=ten", REFUSED),
        ("?limit=1e2", REFUSED), ("?limit=", REFUSED)]],
    ("O63 no routing headers", lambda s: s.headers(**{
        "OCPI-from-country-code": None, "OCPI-from-party-id": None, "OCPI-to-country-code": None,
        "OCPI-to-party-id": None}), ACCEPTED),
    ("O63 half a sender", lambda s: s.headers(**{"OCPI-from-party-id": None}), REFUSED),
    ("O63 lower case", lambda s: s.headers(**{"OCPI-from-country-code": "de", "OCPI-from-party-id": "cor"}),
     ACCEPTED),
    ("O63 odd party", lambda s: s.headers(**{"OCPI-to-party-id": "TOOLONG"}), REFUSED),
    ("O70 signed_data of 5001", lambda s: s.cdr(signed_data={
        "encoding_method": "OCMF", "signed_values": [{"nature": "Start", "plain_data": "x",
                                                      "signed_data": "x" * 5001}]}), REFUSED),
    ("O70 no Base64", lambda s: s.cdr(signed_data={
        "encoding_method": "OCMF", "signed_values": [{"nature": "Start", "plain_data": "a\r\nb",
                                                      "signed_data": "!!!"}]}), ACCEPTED),
    ("O71 remark of 256", lambda s: s.cdr(remark="<script>" + "x" * 248), REFUSED),
    ("O71 remark of 255 with a script", lambda s: s.cdr(remark="<script>alert(1)</script>".ljust(255, "x")),
     ACCEPTED),
    ("O72 text with markup", lambda s: s.location(directions=[{"language": "en", "text": "<b>here</b>"}]), ACCEPTED),
    ("O72 language xx", lambda s: s.location(directions=[{"language": "xx", "text": "here"}]), ACCEPTED),
    ("O72 language english", lambda s: s.location(directions=[{"language": "eng", "text": "here"}]), REFUSED),
]


def run(cpo, world, caller, send, expected):
    before = state(world, cpo, caller)
    answer = send(Sender(cpo))
    judge(answer, expected)
    return before


def first_line(case):
    return case[0]


@pytest.mark.parametrize("case", O_CASES, ids=first_line)
def test_object(shared_world, cpo, caller, case):
    _, send, expected = case
    before = run(cpo, shared_world, caller, send, expected)
    prepares = any(word in case[0] for word in ("O44", "O56", "O58", "O59", "O16"))
    if expected in (REFUSED, MISSING) and not prepares:
        assert state(shared_world, cpo, caller) == before


def test_o04_ids_that_differ_in_case_are_one(cpo):
    """R-TYPE-01"""
    tariff = cpo.tariff("Case-Of-An-Id")
    judge(cpo.put(cpo.own("tariffs", tariff["id"]), tariff), ACCEPTED)
    other = {**tariff, "id": "cASE-oF-aN-iD", "currency": "NOK", "last_updated": now()}
    answer = cpo.put(cpo.own("tariffs", other["id"]), other)
    assert answer.status_code == 200  # known, not new
    assert cpo.get(cpo.own("tariffs", tariff["id"])).json()["data"]["currency"] == "NOK"


def test_o63_headers_of_others(cpo):
    """A party that is not the sender's own: refused, and nothing is stored."""
    session = cpo.session()
    for headers in ({"OCPI-from-party-id": "VRT", "OCPI-from-country-code": "FI"},
                    {"OCPI-from-country-code": "FI", "OCPI-from-party-id": "HUB",
                     "OCPI-to-country-code": cpo.country, "OCPI-to-party-id": cpo.party}):
        answer = cpo.put(cpo.own("sessions", session["id"]), session, headers=headers)
        assert answer.status_code in (200, 403) and 2000 <= answer.json()["status_code"] < 3000, answer.text
    assert cpo.get(cpo.own("sessions", session["id"])).status_code == 404


def test_o63_headers_twice(shared_world, cpo):
    session = cpo.session()
    path = cpo.own("sessions", session["id"]).split(shared_world.hub.url)[1]
    headers = [f"{k}: {v}" for k, v in cpo.headers().items()]
    with Connection(shared_world.hub.url) as c:
        c.send(request("PUT", path, c.host, [*headers, "OCPI-from-party-id: OTH", "Content-Type: application/json"],
                       json.dumps(session).encode()))
        answer = c.answer()
    assert answer.status in (200, 400) and 2000 <= answer.json()["status_code"] < 3000, answer
    assert cpo.get(cpo.own("sessions", session["id"])).status_code == 404


T_CASES = [
    ("T01 no zone", "2026-03-30T08:00:00", ACCEPTED),
    ("T02 offset", "2026-03-30T08:00:00+02:00", REFUSED),
    ("T02 offset -00:30", "2026-03-30T08:00:00-00:30", REFUSED),
    ("T03 lower case", "2026-03-30t08:00:00z", ACCEPTED),
    ("T04 space", "2026-03-30 08:00:00Z", REFUSED),
    ("T05 1 digit", "2026-03-30T08:00:00.1Z", ACCEPTED),
    ("T05 3 digits", "2026-03-30T08:00:00.123Z", ACCEPTED),
    ("T05 9 digits", "2026-03-30T08:00:00.123456789Z", ACCEPTED),
    ("T05 no digit", "2026-03-30T08:00:00.Z", REFUSED),
    ("T05 comma", "2026-03-30T08:00:00,5Z", REFUSED),
    ("T06 leap second", "2016-12-31T23:59:60Z", ACCEPTED),
    ("T06 second 60 at noon", "2026-03-30T12:00:60Z", REFUSED),
    ("T06 second 61", "2016-12-31T23:59:61Z", REFUSED),
    ("T07 29 February of no leap year", "2026-02-29T08:00:00Z", REFUSED),
    ("T07 29 February", "2024-02-29T08:00:00Z", ACCEPTED),
    ("T08 month 13", "2026-13-01T08:00:00Z", REFUSED),
    ("T08 month 0", "2026-00-01T08:00:00Z", REFUSED),
    ("T08 day 0", "2026-03-00T08:00:00Z", REFUSED),
    ("T09 year 0", "0000-01-01T00:00:00Z", REFUSED),
    ("T09 year 10000", "10000-01-01T00:00:00Z", REFUSED),
    ("T09 negative year", "-026-01-01T00:00:00Z", REFUSED),
    ("T10 1970", "1970-01-01T00:00:00Z", ACCEPTED),
    ("T10 before 1970", "1969-12-31T23:59:59Z", ACCEPTED),
    ("T11 2038", "2038-01-19T03:14:08Z", REFUSED),
    ("T12 gap of spring", "2026-03-29T02:30:00Z", ACCEPTED),
    ("T13 overlap of autumn", "2025-10-26T02:30:00Z", ACCEPTED),
    ("T14 midnight", "2026-03-30T00:00:00Z", ACCEPTED),
    ("T14 24:00", "2026-03-30T24:00:00Z", REFUSED),
    ("T16 4:59 ahead", lambda: now(299), ACCEPTED),
    ("T16 5:01 ahead", lambda: now(301), ACCEPTED),
    ("T16 25 h ahead", lambda: now(25 * 3600), REFUSED),
    ("T17 10 years ago", "2016-03-30T08:00:00Z", ACCEPTED),
    ("T00 words", "now", REFUSED), ("T00 empty", "", REFUSED), ("T00 date", "2026-03-30", REFUSED),
    ("T00 digits of others", "\u0662\u0660\u0662\u0666-03-30T08:00:00Z", REFUSED),
    ("T00 trailing space", "2026-03-30T08:00:00Z ", REFUSED),
]


@pytest.mark.parametrize("case", T_CASES, ids=first_line)
def test_last_updated(shared_world, cpo, caller, case):
    _, text, expected = case
    text = text() if callable(text) else text
    before = run(cpo, shared_world, caller, lambda s: s.session(last_updated=text), expected)
    if expected == REFUSED:
        assert state(shared_world, cpo, caller) == before


@pytest.fixture(scope="module")
def charging(shared_world):
    """A session that is active for as long as this file runs."""
    user = User(shared_world.hub)
    session_id = user.started(shared_world.fresh_evse())
    ok(user.set_profile(session_id, {"max_charge_rate_kw": 1}))
    yield user, session_id
    user.finished(session_id)


# The times of the table as departure times of apps, who give a zone; most are long past.
DEPARTURES = {"T01 no zone": "invalid", "T02 offset": "past", "T02 offset -00:30": "past", "T16 4:59 ahead": None,
              "T16 5:01 ahead": None, "T16 25 h ahead": None, "T11 2038": "too_far", "T10 1970": "past",
              "T10 before 1970": "past"}


@pytest.mark.parametrize("case", T_CASES, ids=first_line)
def test_departure_time(charging, case):
    name, text, expected = case
    text = text() if callable(text) else text
    code = DEPARTURES.get(name, "past" if expected == ACCEPTED else "invalid")
    user, session_id = charging
    answer = user.set_profile(session_id, {"max_charge_rate_kw": 5, "departure_time": text})
    if code is None:
        assert ok(answer)["profile_set"] is True
        return
    errors = problem(answer, 422, "validation_failed")["errors"]
    assert [(e["field"], e["code"]) for e in errors] == [("departure_time", f"departure_time_{code}")]


def test_t15_a_session_over_new_year(cpo):
    judge(Sender(cpo).session(start_date_time="2025-12-31T23:30:00Z", end_date_time="2026-01-01T00:30:00Z",
                              status="COMPLETED"), ACCEPTED)


def test_t18_t19_order_of_versions(cpo):
    """R-TRANS-15: an older version changes nothing, by as little as a microsecond."""
    session = cpo.session(last_updated="2026-03-30T08:00:00.000500Z", kwh=5.0)
    url = cpo.own("sessions", session["id"])
    judge(cpo.put(url, session), ACCEPTED)
    judge(cpo.put(url, {**session, "last_updated": "2026-03-30T08:00:00.000499Z", "kwh": 6.0}), ACCEPTED)
    assert cpo.get(url).json()["data"] == session
    same_time = {**session, "kwh": 5.5}
    judge(cpo.put(url, same_time), ACCEPTED)
    assert cpo.get(url).json()["data"] == same_time
    lower = {**session, "kwh": 4.0}
    judge(cpo.put(url, lower), ACCEPTED)
    assert cpo.get(url).json()["data"] == same_time
    newer = {**session, "last_updated": "2026-03-30T08:00:00.000501Z", "kwh": 7.0}
    judge(cpo.put(url, newer), ACCEPTED)
    assert cpo.get(url).json()["data"] == newer


@pytest.mark.parametrize("hours,expected", [(0, ACCEPTED), (8 * 24, ACCEPTED)])
def test_t20_short_and_long_sessions(cpo, hours, expected):
    start = now(-3600 - hours * 3600)
    judge(Sender(cpo).session(start_date_time=start, end_date_time=now(-3600), status="COMPLETED"), expected)


U_TEXTS = {
    "U01 composed": "Caf\u00e9", "U01 combining": "Cafe\u0301",
    "U02 right to left": "abc\u202edef", "U03 joiner": "a\u200db",
    "U05 emoji": "\U0001f50c" * 45, "U06 most characters": "\u20ac" * 45,
    "U10 formula": "=HYPERLINK(\"http://x\")", "U11 script": "<script>alert(1)</script>",
    "U11 template": "{{7*7}}", "U11 lookup": "${jndi:ldap://x/a}", "U12 SQL": "' OR 1=1--; DROP TABLE x",
    "U13 format": "%n%s%x%p %-99999d", "U14 noncharacter": "\ufffe\uffff", "U14 private use": "\ue000\U0010fffd",
    "U08 backslashes": "\\u0000 \\x1b",
}


@pytest.mark.parametrize("case", U_TEXTS)
def test_text_is_kept_as_it_came(shared_world, caller, cpo, case):
    text = U_TEXTS[case]
    location = cpo.location(name=text, city=text[:45])
    url = cpo.own("locations", location["id"])
    judge(cpo.put(url, location), ACCEPTED)
    assert cpo.get(url).json()["data"] == location
    seen = ok(caller.evse(location["evses"][0]["evse_id"]))["location"]
    assert seen["name"] == text and seen["city"] == text[:45]


U_CASES = [
    ("U03 joiner in an id", lambda s: s.session(id="a\u200db"), REFUSED),
    ("U04 homoglyph party", lambda s: s.session(party_id="\u0421OR"), REFUSED),
    ("U04 homoglyph party in the URL", lambda s: s.location(path_party=quote("\u0421OR")), MISSING),
    ("U06 one character too many", lambda s: s.location(city="\u20ac" * 46), REFUSED),
    ("U07 dotless i", lambda s: s.tariff(id="d\u0131gital"), REFUSED),
    ("U08 BEL", lambda s: s.location(name="a\u0007b"), REFUSED),
    ("U08 ESC", lambda s: s.location(name="a\u001b[2Jb"), REFUSED),
    ("U08 C1", lambda s: s.location(name="a\u009bb"), REFUSED),
    ("U08 DEL", lambda s: s.location(name="a\u007fb"), REFUSED),
    ("U09 CRLF in a remark", lambda s: s.cdr(remark="a\r\nSet-Cookie: x"), REFUSED),
    ("U12 SQL in an id", lambda s: s.session(id="' OR 1=1--"), ACCEPTED),
    ("U12 SQL in a query", lambda s: s.tokens("?limit=" + quote("1; DROP TABLE x")), REFUSED),
    ("U12 SQL in a path", lambda s: s.p.get(s.p.own("sessions", quote("' OR '1'='1"))), MISSING),
    ("U13 format in an id", lambda s: s.session(id="%n%n%s%s"), ACCEPTED),
    ("U15 9000 combining marks", lambda s: s.location(name="\u0301" * 9000), REFUSED),
]


@pytest.mark.parametrize("case", U_CASES, ids=first_line)
def test_text(shared_world, cpo, caller, case):
    _, send, expected = case
    before = run(cpo, shared_world, caller, send, expected)
    if expected != ACCEPTED:
        assert state(shared_world, cpo, caller) == before


def test_u15_a_mebibyte_of_combining_marks(cpo, unchanged):
    location = cpo.location(name="\u0301" * 2**19)
    answer = cpo.call("PUT", cpo.own("locations", location["id"]), raw=json.dumps(
        location, ensure_ascii=False).encode())
    assert answer.status_code in (400, 413) and answer.json()["status_code"] == 2000


def test_what_partners_send_does_not_reach_the_log_raw(shared_world, cpo):
    """U08, U09: every line of the log is one JSON document, whatever ids look like."""
    cpo.get(cpo.own("sessions", quote("a\r\n{\"level\":\"error\"}\x1b[2J")))
    cpo.put(cpo.own("sessions", "x"), cpo.session(id="%0a\"}"), headers={"X-Request-ID": "a\"}{\\"})
    for line in shared_world.hub.log.read_bytes().splitlines():
        assert isinstance(json.loads(line), dict) and b"\x1b" not in line


# ---- A: identity ----


def test_a22_ids_cannot_be_guessed(shared_world, caller):
    """A session of somebody else looks like none at all, also by the clock."""
    other = User(shared_world.hub)
    foreign = ok(other.start(shared_world.fresh_evse()))["session_id"]
    times = {foreign: [], "none": []}
    for _ in range(40):
        for which in times:
            session_id = foreign if which == foreign else str(uuid.uuid4())
            begun = time.monotonic()
            answer = caller.status(session_id)
            times[which].append(time.monotonic() - begun)
            body = problem(answer, 404, "session_not_found")
            del body["request_id"], body["instance"]
            assert body == {"type": body["type"], "title": body["title"], "status": 404,
                            "code": "session_not_found", "detail": body["detail"]}
            assert foreign not in body["detail"]
    # Whatever else the machine does makes some answers slow; what the hub itself needs shows in the quick ones.
    quick = {which: statistics.quantiles(measured, n=10)[0] for which, measured in times.items()}
    assert abs(quick[foreign] - quick["none"]) < 0.005 * SLOW, quick


@pytest.mark.parametrize("key", ["k" * 201, "k" * 1024, "k\u00e9y".encode("latin-1"), b"a\tb", ""],
                         ids=["201", "1 KiB", "not ASCII", "tab", "empty"])
def test_a23_idempotency_keys_that_are_none(caller, unchanged, key):
    answer = caller.call("POST", START, json={"evse_id": "DE*COR*E404404"}, headers={"Idempotency-Key": key})
    problem(answer, 400, "idempotency_key_invalid")


def test_a23_an_idempotency_key_of_somebody_else(shared_world):
    one, two, key = User(shared_world.hub), User(shared_world.hub), {"Idempotency-Key": f"k-{uuid.uuid4()}"}
    first = ok(one.start(shared_world.fresh_evse(), headers=key))
    second = two.start(shared_world.fresh_evse(), headers=key)
    assert ok(second)["session_id"] != first["session_id"]
    assert "Idempotent-Replay" not in second.headers
    problem(one.start("DE*COR*E404404", headers=key), 422, "idempotency_key_reused")


def at_once(calls):
    with concurrent.futures.ThreadPoolExecutor(len(calls)) as pool:
        return [f.result() for f in [pool.submit(c) for c in calls]]


def test_a24_fifty_starts_with_one_key(shared_world):
    user, evse, key = User(shared_world.hub), shared_world.fresh_evse(), str(uuid.uuid4())
    headers = {"Authorization": f"Bearer {user.token}", "Idempotency-Key": key}
    answers = at_once([lambda: requests.post(shared_world.hub.url + START, json={"evse_id": evse}, timeout=30,
                                             headers=headers)] * 50)
    good = [a for a in answers if a.status_code == 200]
    assert good and len({a.json()["session_id"] for a in good}) == 1
    for answer in answers:
        if answer.status_code != 200:
            problem(answer, 409, "idempotency_in_progress")
            assert answer.headers["Retry-After"] == "1"
    assert sum("Idempotent-Replay" not in a.headers for a in good) == 1
    assert len(ok(user.list())["items"]) == 1


def test_a25_fifty_users_start_at_one_evse(shared_world):
    evse = shared_world.fresh_evse()
    users = [User(shared_world.hub) for _ in range(50)]
    answers = at_once([lambda u=u: u.start(evse) for u in users])
    assert sorted(a.status_code for a in answers) == [200] + [409] * 49
    for answer in answers:
        if answer.status_code == 409:
            body = problem(answer, 409, "evse_busy")
            assert "session_id" not in body  # it is somebody else's


def test_a25_one_user_starts_fifty_times(shared_world):
    user, evse = User(shared_world.hub), shared_world.fresh_evse()
    headers = {"Authorization": f"Bearer {user.token}"}
    answers = at_once([lambda: requests.post(shared_world.hub.url + START, json={"evse_id": evse}, timeout=30,
                                             headers=headers)] * 50)
    assert sorted(a.status_code for a in answers) == [200] + [409] * 49
    session_id = next(a for a in answers if a.status_code == 200).json()["session_id"]
    for answer in answers:
        if answer.status_code == 409:
            assert problem(answer, 409, "evse_busy")["session_id"] == session_id


def test_a26_nobody_stops_what_is_not_theirs(shared_world, caller):
    owner = User(shared_world.hub)
    session_id = owner.started(shared_world.fresh_evse())
    problem(caller.stop(session_id), 404, "session_not_found")
    problem(caller.set_profile(session_id, {"max_charge_rate_kw": 1}), 404, "session_not_found")
    problem(caller.clear_profile(session_id), 404, "session_not_found")
    problem(caller.receipt(session_id), 404, "session_not_found")
    problem(caller.show(session_id), 404, "session_not_found")
    assert ok(owner.status(session_id))["status"] == "active"
    assert session_id not in json.dumps(ok(caller.list()))


def test_a27_nobody_assigns_more_than_the_table_lists(shared_world):
    user, other = User(shared_world.hub), User(shared_world.hub)
    evse = shared_world.fresh_evse()
    session_id = ok(user.start(evse, role="admin", user_id=other.sub, price=0, cost=0, status="completed",
                               energy_kwh=99, currency="XTS", network="Mine", version=99,
                               session_id=str(uuid.uuid4())))["session_id"]
    status = ok(user.status(session_id))
    assert status["status"] in ("pending", "active") and status["currency"] == "EUR"
    assert ok(other.list())["items"] == []
    row = shared_world.sql("SELECT user_id, network FROM session WHERE id = %s", session_id)
    assert row == [(user.sub, "Virta")]
