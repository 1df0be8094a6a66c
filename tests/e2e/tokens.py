# SPDX-License-Identifier: Apache-2.0
"""The users' token issuer: real keys, and any token one can think of."""

import base64
import hashlib
import hmac
import json
import pathlib
import time

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa


def b64(data):
    if isinstance(data, (dict, list)):
        data = json.dumps(data, separators=(",", ":"))
    if isinstance(data, str):
        data = data.encode()
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _int(value, length=None):
    return b64(value.to_bytes(length or (value.bit_length() + 7) // 8, "big"))


class TokenKeys:
    def __init__(self, directory, issuer, audience):
        directory = pathlib.Path(directory)
        directory.mkdir(parents=True, exist_ok=True)
        self.issuer, self.audience = issuer, audience
        self.rsa = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self.ec = ec.generate_private_key(ec.SECP256R1())
        self.foreign_rsa = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self.foreign_ec = ec.generate_private_key(ec.SECP256R1())
        self.jwks_file = directory / "jwks.json"
        self.jwks_file.write_text(json.dumps(self.jwks()), encoding="utf-8")

    def jwks(self):
        r, e = self.rsa.public_key().public_numbers(), self.ec.public_key().public_numbers()
        return {"keys": [
            {"kty": "RSA", "kid": "users-rs", "use": "sig", "alg": "RS256", "n": _int(r.n), "e": _int(r.e)},
            {"kty": "EC", "kid": "users-es", "use": "sig", "alg": "ES256", "crv": "P-256",
             "x": _int(e.x, 32), "y": _int(e.y, 32)},
        ]}

    @property
    def rsa_public_pem(self):
        return self.rsa.public_key().public_bytes(serialization.Encoding.PEM,
                                                  serialization.PublicFormat.SubjectPublicKeyInfo)

    def claims(self, sub, /, **changes):
        """Good claims; a change to None leaves the claim out."""
        now = int(time.time())
        claims = {"iss": self.issuer, "aud": self.audience, "sub": sub, "iat": now, "nbf": now,
                  "exp": now + 600, **changes}
        return {k: v for k, v in claims.items() if v is not None}

    def token(self, sub, /, alg="RS256", key=None, kid="", headers=None, **changes):
        """A signed token; kid None leaves it out, "" is the right one."""
        ours = {"RS256": (self.rsa, "users-rs"), "PS256": (self.rsa, "users-rs"),
                "ES256": (self.ec, "users-es")}[alg]
        header = {"kid": ours[1] if kid == "" else kid, **(headers or {})}
        header = {k: v for k, v in header.items() if v is not None}
        return jwt.encode(self.claims(sub, **changes), key or ours[0], algorithm=alg, headers=header)

    def signed_by_hand(self, header, payload_bytes, alg="RS256"):
        """For payloads no library writes: duplicate claims, numbers as 1e20, no JSON."""
        signing = f"{b64(header)}.{b64(payload_bytes)}"
        algorithm = jwt.algorithms.get_default_algorithms()[alg]
        key = self.rsa if alg[0] in "RP" else self.ec
        return f"{signing}.{b64(algorithm.sign(signing.encode(), key))}"

    @staticmethod
    def unsigned(claims, alg="none"):
        return f"{b64({'alg': alg, 'typ': 'JWT'})}.{b64(claims)}."

    def hs256_with_public_key(self, claims, secret):
        signing = f"{b64({'alg': 'HS256', 'typ': 'JWT', 'kid': 'users-rs'})}.{b64(claims)}"
        mac = hmac.new(secret, signing.encode(), hashlib.sha256).digest()
        return f"{signing}.{b64(mac)}"
