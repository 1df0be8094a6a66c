# SPDX-License-Identifier: Apache-2.0
"""
Who gets in: every broken token of the catalogue, and one
user's sessions, which do not exist for another.
"""

import base64
import http.client
import json
import time
import uuid

import pytest
import requests
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from harness import User, ok, problem
from tokens import b64

SUB = "auth-test-user"


def get(hub, authorization, **kw):
    headers = {} if authorization is None else {"Authorization": authorization}
    return requests.get(f"{hub.url}/v1/sessions", headers=headers, timeout=10, **kw)


def refused(hub, token, code="token_invalid"):
    response = get(hub, f"Bearer {token}")
    problem(response, 401, code)
    assert response.headers["WWW-Authenticate"].startswith("Bearer")


def accepted(hub, token):
    ok(get(hub, f"Bearer {token}"))


# ---- good ones ----


@pytest.mark.parametrize("alg", ["RS256", "PS256", "ES256"])
def test_a_signed_token_opens_the_door(hub, token_keys, alg):
    if alg == "PS256":
        # A key of the set that names RS256 is bound to it; this is for keys without "alg".
        response = get(hub, f"Bearer {token_keys.token(SUB, alg)}")
        assert response.status_code in (200, 401)
        return
    accepted(hub, token_keys.token(SUB, alg))


@pytest.mark.parametrize("alg", ["RS256", "ES256"])
def test_a_token_without_kid_is_tried_with_the_keys_of_its_kind(hub, token_keys, alg):
    accepted(hub, token_keys.token(SUB, alg, kid=None))


def test_the_scheme_is_case_insensitive(hub, token_keys):
    for scheme in ("Bearer", "bearer", "BEARER"):
        ok(get(hub, f"{scheme} {token_keys.token(SUB)}"))


def test_aud_may_be_a_list(hub, token_keys):
    accepted(hub, token_keys.token(SUB, aud=["other", token_keys.audience]))


def test_a_minted_token_is_the_users(hub):
    user = User(hub, sub="minted-user")
    assert ok(user.list())["items"] == []


def test_leeway_of_a_minute(hub, token_keys):
    """A06, A07: 59 seconds are forgiven."""
    now = int(time.time())
    accepted(hub, token_keys.token(SUB, iat=now - 600, nbf=now - 600, exp=now - 57))
    accepted(hub, token_keys.token(SUB, nbf=now + 57))


# ---- bad ones ----


@pytest.mark.parametrize("authorization", [
    None, "", "Bearer", "Bearer ", "Basic dXNlcjpwYXNz", "Token abc", "abc", "Bearer a b",
])
def test_no_bearer_token(hub, authorization):
    response = get(hub, authorization)
    assert response.status_code == 401
    assert response.json()["code"] in ("unauthenticated", "token_invalid")
    assert response.headers["WWW-Authenticate"].startswith("Bearer")


def test_no_credentials_at_all(hub):
    problem(get(hub, None), 401, "unauthenticated")


@pytest.mark.parametrize("alg", ["none", "None", "NONE", "nOnE", ""])
def test_a01_alg_none(hub, token_keys, alg):
    claims = token_keys.claims(SUB)
    refused(hub, token_keys.unsigned(claims, alg))
    refused(hub, token_keys.unsigned(claims, alg) + b64("x"))
    refused(hub, token_keys.unsigned(claims, alg)[:-1])


def test_a02_hs256_signed_with_the_public_key(hub, token_keys):
    claims = token_keys.claims(SUB)
    pem = token_keys.rsa_public_pem
    for secret in (pem, pem.strip(), pem.replace(b"\n", b""), b"", b"secret",
                   json.dumps(token_keys.jwks()["keys"][0]).encode()):
        refused(hub, token_keys.hs256_with_public_key(claims, secret))


@pytest.mark.parametrize("kid", ["../../../../dev/null", "/etc/passwd", "' OR 1=1--", "http://127.0.0.1:1/k",
                                 "users-rs\x00", "x" * 10000, "", 5, None, ["users-rs"], {"a": 1}], ids=str)
def test_a03_kid_is_only_a_word(hub, token_keys, kid):
    """An unknown kid finds no key; nobody follows it anywhere."""
    if kid is None or kid == "":
        return
    header = {"alg": "RS256", "typ": "JWT", "kid": kid}
    payload = json.dumps(token_keys.claims(SUB)).encode()
    refused(hub, token_keys.signed_by_hand(header, payload))


def test_a04_keys_named_by_url_are_not_fetched(hub, token_keys, partner):
    for name in ("jku", "x5u"):
        token = token_keys.token(SUB, key=token_keys.foreign_rsa, kid=None,
                                 headers={name: partner.base + "/jwks"})
        refused(hub, token)
        # Beside a good signature they are without meaning.
        accepted(hub, token_keys.token(SUB, headers={name: partner.base + "/jwks"}))
    assert not partner.requests(start="/jwks")


def test_a05_an_embedded_key_does_not_count(hub, token_keys):
    n = token_keys.foreign_rsa.public_key().public_numbers()
    jwk = {"kty": "RSA", "n": b64(n.n.to_bytes(256, "big")), "e": "AQAB", "kid": "users-rs"}
    refused(hub, token_keys.token(SUB, key=token_keys.foreign_rsa, headers={"jwk": jwk}))
    refused(hub, token_keys.token(SUB, key=token_keys.foreign_rsa, kid=None, headers={"jwk": jwk}))


def test_a_foreign_key(hub, token_keys):
    for alg, key in (("RS256", token_keys.foreign_rsa), ("ES256", token_keys.foreign_ec)):
        for kid in ("", None, "unknown"):
            refused(hub, token_keys.token(SUB, alg, key=key, kid=kid))


def test_a_key_of_the_other_kind(hub, token_keys):
    refused(hub, token_keys.token(SUB, "ES256", kid="users-rs"))
    refused(hub, token_keys.token(SUB, "RS256", kid="users-es"))


def test_a06_expired(hub, token_keys):
    now = int(time.time())
    for seconds in (63, 3600, 10**8):
        refused(hub, token_keys.token(SUB, iat=now - seconds - 600, nbf=now - seconds - 600,
                                      exp=now - seconds), "token_expired")


def test_a07_not_yet_valid(hub, token_keys):
    for seconds in (65, 3600):
        refused(hub, token_keys.token(SUB, nbf=int(time.time()) + seconds, exp=int(time.time()) + 7200))


def test_a08_issued_in_the_future(hub, token_keys):
    now = int(time.time())
    refused(hub, token_keys.token(SUB, iat=now + 3600, nbf=now, exp=now + 7200))


@pytest.mark.parametrize("claim,value", [
    ("aud", "other"), ("aud", ""), ("aud", []), ("aud", ["other", "another"]), ("aud", 5),
    ("aud", {"ocpi-hub": 1}), ("aud", "ocpi-hub "), ("aud", "OCPI-HUB"), ("aud", None),
    ("iss", "https://evil.example"), ("iss", ""), ("iss", "https://id.hub.example/"),
    ("iss", ["https://id.hub.example"]), ("iss", 5), ("iss", None),
], ids=str)
def test_a09_wrong_audience_or_issuer(hub, token_keys, claim, value):
    claims = token_keys.claims(SUB, **{claim: value})
    refused(hub, token_keys.signed_by_hand({"alg": "RS256", "kid": "users-rs"},
                                           json.dumps(claims).encode()))


@pytest.mark.parametrize("claim", ["sub", "exp"])
def test_a10_a_claim_is_missing(hub, token_keys, claim):
    refused(hub, token_keys.token(SUB, **{claim: None}))


@pytest.mark.parametrize("sub", ["", 5, [], {}, None, True, "x" * 1000, "a\nb", "a\u0000b"], ids=repr)
def test_a10_sub_is_a_short_text(hub, token_keys, sub):
    claims = {**token_keys.claims(SUB), "sub": sub}
    refused(hub, token_keys.signed_by_hand({"alg": "RS256", "kid": "users-rs"},
                                           json.dumps(claims).encode()))


@pytest.mark.parametrize("exp", ['"9999999999"', "1e20", "-1", "true", "[]", "{}", "null", "99999999999999999999",
                                 "1e400"])
def test_a11_exp_is_a_number_in_reach(hub, token_keys, exp):
    payload = json.dumps(token_keys.claims(SUB, exp=None))[:-1] + f', "exp": {exp}}}'
    response = get(hub, "Bearer " + token_keys.signed_by_hand({"alg": "RS256", "kid": "users-rs"},
                                                              payload.encode()))
    assert response.status_code == 401


def test_a12_the_wrong_number_of_parts(hub, token_keys):
    token = token_keys.token(SUB)
    head, body, signature = token.split(".")
    for broken in (head, f"{head}.{body}", f"{head}.{body}.", f"{head}..{signature}", f".{body}.{signature}",
                   f"{token}.", f"{token}.x", "..", ".", f"{head}.{body}.{signature}.{signature}.x"):
        refused(hub, broken)


def test_a13_another_alphabet(hub, token_keys):
    token = token_keys.token(SUB)
    head, body, signature = token.split(".")
    raw = base64.urlsafe_b64decode(signature + "=" * (-len(signature) % 4))
    standard = base64.b64encode(raw).decode().rstrip("=")
    if standard != signature:
        refused(hub, f"{head}.{body}.{standard}")
    refused(hub, f"{head}.{body}.{signature}==")
    refused(hub, f"{head}.{body}.{signature[:40]}\t{signature[40:]}")
    # The last character holds spare bits that must be zero, or a token has many spellings.
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    other = alphabet[alphabet.index(signature[-1]) ^ 1]
    refused(hub, f"{head}.{body}.{signature[:-1]}{other}")


def test_a14_signatures_that_are_none(hub, token_keys):
    for alg, size in (("RS256", 256), ("ES256", 64)):
        token = token_keys.token(SUB, alg)
        signing = token.rsplit(".", 1)[0]
        good = token.rsplit(".", 1)[1]
        for signature in (b"", b"\0" * size, b"\xff" * size, b"\0" * (size - 1), b"\0" * (size + 1),
                          b"\0" * 4000 if alg == "RS256" else b"\0" * 2):
            refused(hub, f"{signing}.{b64(signature)}")
        flipped = bytearray(base64.urlsafe_b64decode(good + "=="))
        flipped[10] ^= 1
        refused(hub, f"{signing}.{b64(bytes(flipped))}")
    der = token_keys.ec.sign(signing.encode(), ec.ECDSA(hashes.SHA256()))
    refused(hub, f"{signing}.{b64(der)}")


def test_a_claim_changed_after_signing(hub, token_keys):
    head, _, signature = token_keys.token(SUB).split(".")
    refused(hub, f"{head}.{b64(token_keys.claims('somebody-else'))}.{signature}")


def test_a15_an_unknown_critical_header(hub, token_keys):
    refused(hub, token_keys.token(SUB, headers={"crit": ["exp"]}))
    refused(hub, token_keys.token(SUB, headers={"crit": ["b64"], "b64": False}))


def test_a16_a_claim_that_comes_twice(hub, token_keys):
    good = json.dumps(token_keys.claims(SUB))
    payload = '{"sub": "somebody-else", ' + good[1:]
    refused(hub, token_keys.signed_by_hand({"alg": "RS256", "kid": "users-rs"}, payload.encode()))


@pytest.mark.parametrize("payload", [b"", b"null", b"[]", b'"text"', b"{", b"not json", b"\xff\xfe", b"{} x",
                                     b'{"a":' * 500 + b"1" + b"}" * 500])
def test_the_payload_is_no_object(hub, token_keys, payload):
    refused(hub, token_keys.signed_by_hand({"alg": "RS256", "kid": "users-rs"}, payload))


def test_a17_a_huge_token(hub, token_keys):
    response = get(hub, f"Bearer {token_keys.token(SUB, filler='x' * 6000)}")
    assert response.status_code in (200, 401)
    response = get(hub, "Bearer " + "x" * 100_000)
    assert response.status_code in (400, 401, 431)


@pytest.mark.parametrize("roles", [["admin"] * 1000, ["admin"], "admin", {"a": "admin"}])
def test_a19_claims_that_are_not_ours_give_nothing(hub, token_keys, roles):
    token = token_keys.token(SUB, role=roles, roles=roles, scope="admin operator")
    response = get(hub, f"Bearer {token}")
    assert response.status_code in (200, 400, 401, 431)  # 1000 roles may be too long for a header
    response = requests.get(f"{hub.url}/v1/admin/partners", timeout=10,
                            headers={"Authorization": f"Bearer {token}"})
    assert response.status_code in (400, 401, 403, 431)


def test_a21_a_token_in_the_query_does_not_count(hub, token_keys):
    token = token_keys.token(SUB)
    for name in ("token", "access_token", "authorization"):
        problem(get(hub, None, params={name: token}), 401, "unauthenticated")


def test_two_authorization_headers(hub, token_keys):
    connection = http.client.HTTPConnection(hub.url.split("//")[1], timeout=10)
    connection.putrequest("GET", "/v1/sessions")
    connection.putheader("Authorization", f"Bearer {token_keys.token(SUB)}")
    connection.putheader("Authorization", f"Bearer {token_keys.token('somebody-else')}")
    connection.endheaders()
    assert connection.getresponse().status in (400, 401)


# ---- one user's sessions do not exist for another: A18, A22, A26 ----


def endpoints(session_id):
    return [
        ("GET", f"/v1/sessions/{session_id}", None),
        ("GET", f"/v1/sessions/{session_id}/status", None),
        ("GET", f"/v1/sessions/{session_id}/status?wait=1", None),
        ("GET", f"/v1/sessions/{session_id}/receipt", None),
        ("GET", f"/v1/sessions/{session_id}/receipt?detail=full", None),
        ("POST", "/v1/sessions/stop", {"session_id": session_id}),
        ("POST", f"/v1/sessions/{session_id}/charging-profile", {"max_charge_rate_kw": 7.4}),
        ("DELETE", f"/v1/sessions/{session_id}/charging-profile", None),
    ]


@pytest.mark.parametrize("number", range(8))
def test_another_users_session_is_not_found(world, number):
    owner, other = User(world.hub), User(world.hub)
    session_id = owner.started(world.fresh_evse())
    unknown = str(uuid.uuid4())
    bodies = []
    for session in (session_id, unknown):
        method, path, body = endpoints(session)[number]
        response = other.call(method, path, json=body, headers={"X-Request-Id": "same"})
        problem(response, 404, "session_not_found")
        bodies.append((response.text.replace(session, "ID"), sorted(response.headers)))
    assert bodies[0] == bodies[1]
    assert ok(owner.status(session_id))["status"] == "active"
    assert ok(other.list())["items"] == []


@pytest.mark.parametrize("number", range(8))
def test_every_session_endpoint_asks_who_you_are(hub, number):
    method, path, body = endpoints(str(uuid.uuid4()))[number]
    response = requests.request(method, hub.url + path, json=body, timeout=10)
    problem(response, 401, "unauthenticated")


def test_a_completed_session_is_hidden_too(world):
    owner, other = User(world.hub), User(world.hub)
    session_id = owner.started(world.fresh_evse())
    owner.finished(session_id)
    for method, path, body in endpoints(session_id):
        problem(other.call(method, path, json=body), 404, "session_not_found")


# ---- robots: contract 2 ----


def test_a_robot_sees_only_what_it_started(world, token_keys):
    driver = f"driver-{uuid.uuid4().hex[:8]}"
    user = User(world.hub, sub=driver)
    robot = User(world.hub, driver, token_keys.token(driver, act={"sub": "robot-1"}))
    other = User(world.hub, driver, token_keys.token(driver, act={"sub": "robot-2"}))
    by_user = user.started(world.fresh_evse())
    by_robot = robot.started(world.fresh_evse())
    assert ok(user.status(by_robot))["status"] == "active"
    problem(robot.status(by_user), 404, "session_not_found")
    problem(other.status(by_robot), 404, "session_not_found")
    problem(other.stop(by_robot), 404, "session_not_found")
    for path in ("/v1/sessions", f"/v1/sessions/{by_robot}", f"/v1/sessions/{by_robot}/receipt"):
        problem(robot.call("GET", path), 403, "forbidden")
    ok(robot.stop(by_robot))


# ---- the other doors ----


def test_the_admin_api_wants_the_admin_token(hub, user):
    url = f"{hub.url}/v1/admin/partners"
    for authorization in (None, "Bearer x", f"Bearer {user.token}", f"Bearer {hub.secrets.admin_token}x",
                          f"Bearer {hub.secrets.admin_token[:-1]}", f"Token {hub.secrets.admin_token}"):
        headers = {"Authorization": authorization} if authorization else {}
        response = requests.get(url, headers=headers, timeout=10)
        assert response.status_code in (401, 403), authorization
    assert ok(hub.admin("GET", "/partners")) is not None


def test_a_users_token_opens_no_ocpi_door_and_the_other_way_round(hub, user, partner):
    for authorization in (f"Bearer {user.token}", f"Token {user.token}"):
        assert requests.get(hub.versions_url, headers={"Authorization": authorization},
                            timeout=10).status_code == 401
    assert get(hub, f"Token {partner.token}").status_code == 401
    assert get(hub, f"Bearer {partner.token}").status_code == 401


def test_no_secret_stands_in_the_log(world, partner):
    """I13: canaries of every kind that have passed through the hub by now."""
    user = User(world.hub)
    user.started(world.fresh_evse())
    log = world.hub.log.read_text(encoding="utf-8", errors="replace")
    for secret in (user.token, user.token.rsplit(".", 1)[1], partner.token, partner.token_b,
                   world.secrets.admin_token, world.secrets.data_key.read_text().strip(),
                   world.secrets.hash_key.read_text().strip()):
        assert secret not in log
