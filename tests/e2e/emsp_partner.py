# SPDX-License-Identifier: Apache-2.0
"""
A partner of any role and OCPI version, played by a test: an eMSP that is told of others' objects, a
CPO that knows us as a hub. What it is told it keeps, as a receiver does (partner.py for the rest).
"""

import http.server
import threading
import time
import uuid
from urllib.parse import urlsplit

from partner import Partner, encode, now

RECEIVED_BY_EMSP = ("locations", "tariffs", "sessions", "cdrs")


class Party(Partner):
    def __init__(self, country, party, name, version="2.2.1", role="EMSP"):
        self.version, self.role = version, role
        self.objects = {m: {} for m in (*RECEIVED_BY_EMSP, "hubclientinfo", "tokens")}
        self.down = None  # a function(request) -> answer, while it does not do its work
        self.lock = threading.Lock()
        self.busy = self.busiest = 0  # pushes at the same time
        self.address = self.handler = None
        self.taken = []  # of those received, what was not refused by `down` or a script
        super().__init__(country, party, name)

    @property
    def old(self):
        return self.version == "2.1.1"

    def vanish(self):
        """Nobody listens any more, until come_back."""
        self.address, self.handler = self.server.server_address, self.server.RequestHandlerClass
        self.server.handle_error = lambda *_: None
        self.fall_silent()
        self.down = hangs_up  # connections that are still open

    def come_back(self):
        self.down = None
        self.server = http.server.ThreadingHTTPServer(self.address, self.handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    # ---- what we answer ----

    def serve(self, request):
        path = urlsplit(request["path"]).path
        start = f"/{self.version}/"
        if path.startswith(start) and not path.startswith(start + "credentials"):
            self.received.append(request)
            for (method, prefix), script in list(self.scripted.items()):
                if request["method"] == method and path.startswith(prefix):
                    answer = script(request)
                    return (*answer, {}) if len(answer) == 2 else answer
            if request["method"] == "GET":  # a pull: we have nothing
                return 200, self.envelope([]), {"X-Total-Count": "0", "X-Limit": "100"}
            with self.lock:
                self.busy += 1
                self.busiest = max(self.busiest, self.busy)
            try:
                if self.down:
                    return self.down(request)
                return self.receive(request, *path[len(start):].strip("/").split("/"))
            finally:
                with self.lock:
                    self.busy -= 1
        if path == f"/{self.version}":
            self.received.append(request)
            return 200, self.envelope({"version": self.version,
                                       "endpoints": self.endpoints or self.our_endpoints()}), {}
        return super().serve(request)

    def receive(self, request, module, *key):
        """As a receiver does: PUT, PATCH, POST, DELETE by the key in the path."""
        kept = self.objects[module]
        with self.lock:
            self.taken.append(request)
            if request["method"] == "POST" and module == "tokens":  # authorise: we know nobody
                return 404, self.envelope(None, 2000 if self.old else 2004), {}
            if request["method"] == "POST":
                kept[request["body"]["id"]] = request["body"]
                return 201, self.envelope(None), {"Location": f"{self.base}/cdr/1"}
            if request["method"] == "PUT":
                is_new = key not in kept
                kept[key] = request["body"]
                return 201 if is_new else 200, self.envelope(None), {}
            if request["method"] == "DELETE":
                return (200, self.envelope(None), {}) if kept.pop(key, None) else \
                    (404, self.envelope(None, 2000), {})
            if request["method"] == "PATCH" and key[:3] in kept:
                target = kept[key[:3]]
                if len(key) > 3:
                    target = next(e for e in target["evses"] if e["uid"] == key[3])
                target.update(request["body"])
                return 200, self.envelope(None), {}
        return 404, self.envelope(None, 2003 if module == "locations" else 2000), {}

    def our_versions(self):
        return [{"version": self.version, "url": f"{self.base}/{self.version}"}]

    def our_endpoints(self):
        receiver = RECEIVED_BY_EMSP if self.role == "EMSP" else ("tokens", "commands")
        sender = ("tokens", "commands") if self.role == "EMSP" else RECEIVED_BY_EMSP
        modules = [("credentials", "SENDER"), *((m, "RECEIVER") for m in receiver),
                   *((m, "SENDER") for m in sender)]
        if not self.old:
            modules.append(("hubclientinfo", "RECEIVER"))
        return [{"identifier": m, "url": f"{self.base}/{self.version}/{m}",
                 **({} if self.old else {"role": r})} for m, r in modules]

    def credentials(self, token=None, url=None, roles=None):
        token, url = token or self.token_b, url or self.base + "/versions"
        details = {"name": self.name}
        if self.old:
            return {"token": token, "url": url, "business_details": details,
                    "party_id": self.party, "country_code": self.country}
        own = ("HUB", "OTHER") if self.role == "HUB" else (self.role,)
        return {"token": token, "url": url,
                "roles": roles or [{"role": r, "party_id": self.party, "country_code": self.country,
                                    "business_details": details} for r in own]}

    # ---- the handshake ----

    def register(self, hub):
        self.hub = hub
        invitation = hub.invite(self.name, self.country, self.party,
                                "OTHER" if self.role == "HUB" else self.role)
        self.token = invitation["token_a"]
        self.versions_url = hub.url + ("/ocpi/cpo/versions" if self.old and self.role == "EMSP"
                                       else "/ocpi/emsp/versions" if self.old else "/ocpi/versions")
        details = self.discover()
        self.urls = {(e["identifier"], e.get("role")): e["url"] for e in details["endpoints"]}
        self.credentials_url = next(u for (m, _), u in self.urls.items() if m == "credentials")
        answer = self.post(self.credentials_url, self.credentials())
        assert answer.status_code == 200 and answer.json()["status_code"] == 1000, answer.text
        self.token = answer.json()["data"]["token"]
        return answer.json()["data"]

    def discover(self):
        versions = self.get(self.versions_url).json()["data"]
        url = next(v["url"] for v in versions if v["version"] == self.version)
        return self.get(url).json()["data"]

    # ---- what we send ----

    def url(self, module, *segments, role="RECEIVER"):
        base = self.urls[(module, None if self.old else role)]
        return "/".join([base.rstrip("/"), *[str(s) for s in segments]])

    def headers(self, token=None, authorization=None, to=("FI", "HUB"), **more):
        token = token or self.token
        h = {"Authorization": authorization or f"Token {token if self.old else encode(token)}",
             "X-Request-ID": str(uuid.uuid4()), "X-Correlation-ID": str(uuid.uuid4())}
        if not self.old:
            h.update({"OCPI-from-country-code": self.country, "OCPI-from-party-id": self.party})
            if to:
                h.update({"OCPI-to-country-code": to[0], "OCPI-to-party-id": to[1]})
        h.update(more)
        return {k: v for k, v in h.items() if v is not None}

    def listed(self, module, query="", **kw):
        """A list as we read it: the answer."""
        return self.get(self.url(module, role="SENDER") + query, **kw)

    def pushed(self, module, method=None):
        return self.requests(method, f"/{self.version}/{module}")

    def own_token(self, uid=None, **changes):
        token = {"uid": uid or self.new_id("T").replace("-", ""), "type": "RFID",
                 "issuer": self.name, "valid": True, "whitelist": "ALLOWED",
                 "last_updated": now(-60)}
        if self.old:
            token["auth_id"] = f"{self.country}-{self.party}-{token['uid']}"[:36]
        else:
            token.update({"country_code": self.country, "party_id": self.party,
                          "contract_id": f"{self.country}-{self.party}-{token['uid']}"[:36]})
        return {**token, **changes}


def answers(status, code, **headers):
    """A `down` that answers at once, but not well."""
    return lambda request: (status, Party.envelope(None, code), headers)


def hangs_up(_request):
    raise ConnectionResetError


def hangs(seconds):
    def answer(_request):
        time.sleep(seconds)
        return 200, Party.envelope(None), {}
    return answer
