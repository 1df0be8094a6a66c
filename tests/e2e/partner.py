# SPDX-License-Identifier: Apache-2.0
"""
A CPO played by a test: it registers like any partner and can then send the hub anything.

ocpi-sim behaves as a network does; this one behaves as a test says, byte by byte. It answers what
the hub asks from small dictionaries a test may change, and remembers every request.
"""

import base64
import contextlib
import copy
import http.server
import json
import socket
import threading
import time
import uuid
from datetime import datetime, timedelta, timezone
from urllib.parse import urlsplit

import requests
from harness import kept_port


def now(shift_s=0, micros=False):
    t = datetime.now(timezone.utc) + timedelta(seconds=shift_s)
    return t.strftime("%Y-%m-%dT%H:%M:%S.%f" if micros else "%Y-%m-%dT%H:%M:%S") + "Z"


def hours_between(start, end):
    """As CDRs have them: four decimals. Something where the times are none."""
    try:
        start, end = (datetime.fromisoformat(t.replace("Z", "+00:00")) for t in (start, end))
        return round(max((end.replace(tzinfo=timezone.utc) - start.replace(tzinfo=timezone.utc)).total_seconds(), 0)
                     / 3600, 4)
    except (AttributeError, TypeError, ValueError):
        return 0.1667


def encode(token):
    return base64.b64encode(token.encode()).decode()


class Partner:
    def __init__(self, country, party, name):
        self.country, self.party, self.name = country, party, name
        self.token_b = uuid.uuid4().hex
        self.token = None  # what the hub gave us (C)
        self.credentials_url = None
        self.received = []  # {"method", "path", "headers", "body"}
        self.scripted = {}  # (method, first path segments) -> function(request) -> (status, data)
        self.endpoints = None
        self.versions = None
        self.locations, self.sessions, self.cdrs, self.tariffs = [], [], [], []
        self._counter = 0
        self.connections = set()
        partner = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True  # head and body are two writes: no waiting for an ACK between

            def log_message(self, *_):
                pass

            def setup(self):
                super().setup()
                partner.connections.add(self.connection)

            def finish(self):
                partner.connections.discard(self.connection)
                super().finish()

            def answer(self):
                length = int(self.headers.get("Content-Length") or 0)
                raw = self.rfile.read(length)
                request = {"method": self.command, "path": self.path, "headers": dict(self.headers),
                           "raw": raw, "at": time.time()}
                try:
                    request["body"] = json.loads(raw) if raw else None
                except ValueError:
                    request["body"] = None
                status, body, headers = partner.serve(request)
                data = body if isinstance(body, bytes) else json.dumps(body).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(data)))
                for name, value in headers.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(data)

            do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = answer

        self.held = kept_port()  # also while nobody listens
        self.server = http.server.ThreadingHTTPServer(self.held.getsockname(), Handler)
        self.server.daemon_threads = True
        self.base = f"http://127.0.0.1:{self.server.server_address[1]}"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True)
        self.thread.start()

    def close(self):
        self.fall_silent()
        self.held.close()

    def fall_silent(self):
        self.server.shutdown()
        self.server.server_close()

    def vanish(self):
        """Nobody listens any more, and the connections that stood end."""
        self.server.handle_error = lambda *_: None
        self.fall_silent()
        for connection in list(self.connections):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    # ---- what we answer ----

    def serve(self, request):
        self.received.append(request)
        path = urlsplit(request["path"]).path
        for (method, start), script in list(self.scripted.items()):
            if request["method"] == method and path.startswith(start):
                answer = script(request)
                return (*answer, {}) if len(answer) == 2 else answer
        ids = {name: request["headers"][name] for name in ("X-Request-ID", "X-Correlation-ID")
               if name in request["headers"]}
        if path == "/versions":
            return 200, self.envelope(self.versions or self.our_versions()), ids
        if path == "/2.2.1":
            return 200, self.envelope({"version": "2.2.1",
                                       "endpoints": self.endpoints or self.our_endpoints()}), ids
        if path == "/2.2.1/credentials" and request["method"] == "POST":
            self.token = request["body"]["token"]
            return 200, self.envelope(self.credentials()), ids
        for name in ("locations", "sessions", "cdrs", "tariffs"):
            if path.startswith(f"/2.2.1/{name}"):
                items = getattr(self, name)
                return 200, self.envelope(items), {**ids, "X-Total-Count": str(len(items)),
                                                   "X-Limit": "100"}
        if path.startswith("/2.2.1/commands"):
            return 200, self.envelope({"result": "ACCEPTED", "timeout": 30}), ids
        if path.startswith("/2.2.1/chargingprofiles"):
            return 200, self.envelope({"result": "ACCEPTED", "timeout": 30}), ids
        return 404, self.envelope(None, 2000), ids

    @staticmethod
    def envelope(data, code=1000):
        body = {"status_code": code, "timestamp": now()}
        if data is not None:
            body["data"] = data
        return body

    def our_versions(self):
        return [{"version": "2.2.1", "url": self.base + "/2.2.1"}]

    def our_endpoints(self):
        modules = [("credentials", "SENDER"), ("credentials", "RECEIVER"), ("locations", "SENDER"),
                   ("sessions", "SENDER"), ("cdrs", "SENDER"), ("tariffs", "SENDER"),
                   ("commands", "RECEIVER"), ("chargingprofiles", "RECEIVER"),
                   ("tokens", "RECEIVER")]
        return [{"identifier": m, "role": r, "url": f"{self.base}/2.2.1/{m}"} for m, r in modules]

    def credentials(self, token=None, url=None, roles=None):
        return {"token": token or self.token_b, "url": url or self.base + "/versions",
                "roles": roles or [{"role": "CPO", "party_id": self.party,
                                    "country_code": self.country,
                                    "business_details": {"name": self.name}}]}

    # ---- the handshake, with us as the one who registers ----

    def register(self, hub):
        self.face(hub)
        invitation = hub.invite(self.name, self.country, self.party)
        self.token = invitation["token_a"]
        self.versions_url = invitation["versions_url"]
        details = self.discover()
        self.urls = {(e["identifier"], e["role"]): e["url"] for e in details["endpoints"]}
        self.credentials_url = next(u for (m, _), u in self.urls.items() if m == "credentials")
        answer = self.call("POST", self.credentials_url, self.credentials())
        assert answer.status_code == 200 and answer.json()["status_code"] == 1000, answer.text
        self.token = answer.json()["data"]["token"]
        return answer.json()["data"]

    def face(self, hub):
        self.hub = hub
        self.versions_url = hub.versions_url
        self.urls = {}

    def discover(self):
        versions = self.call("GET", self.versions_url).json()["data"]
        url = next(v["url"] for v in versions if v["version"] == "2.2.1")
        return self.call("GET", url).json()["data"]

    # ---- what we send ----

    def url(self, module, *segments, role="RECEIVER"):
        base = self.urls[(module, role)]
        return "/".join([base.rstrip("/"), *[str(s) for s in segments]])

    def own(self, module, object_id, *deeper):
        return self.url(module, self.country, self.party, object_id, *deeper)

    def headers(self, token=None, authorization=None, **more):
        h = {"Authorization": authorization or f"Token {encode(token or self.token)}",
             "X-Request-ID": str(uuid.uuid4()), "X-Correlation-ID": str(uuid.uuid4()),
             "OCPI-from-country-code": self.country, "OCPI-from-party-id": self.party,
             "OCPI-to-country-code": "FI", "OCPI-to-party-id": "HUB"}
        h.update(more)
        return {k: v for k, v in h.items() if v is not None}

    def call(self, method, url, body=None, raw=None, headers=None, **kw):
        h = self.headers(**kw)
        if body is not None or raw is not None:
            h["Content-Type"] = "application/json"
        h.update(headers or {})
        h = {k: v for k, v in h.items() if v is not None}
        data = raw if raw is not None else (json.dumps(body).encode() if body is not None else None)
        return requests.request(method, url, data=data, headers=h, timeout=30, allow_redirects=False)

    def get(self, url, **kw):
        return self.call("GET", url, **kw)

    def put(self, url, body=None, **kw):
        return self.call("PUT", url, body, **kw)

    def patch(self, url, body=None, **kw):
        return self.call("PATCH", url, body, **kw)

    def post(self, url, body=None, **kw):
        return self.call("POST", url, body, **kw)

    # ---- objects ----

    def new_id(self, prefix):
        self._counter += 1
        return f"{prefix}{self._counter}-{uuid.uuid4().hex[:6]}"

    def location(self, location_id=None, **changes):
        location_id = location_id or self.new_id("L")
        number = uuid.uuid4().int % 10**9
        return {
            "country_code": self.country, "party_id": self.party, "id": location_id,
            "publish": True, "name": "Testing ground", "address": "Teststrasse 1", "city": "Berlin",
            "postal_code": "10115", "country": "DEU",
            "coordinates": {"latitude": "52.520008", "longitude": "13.404954"},
            "time_zone": "Europe/Berlin", "last_updated": now(-3600),
            "evses": [{
                "uid": f"{location_id}-1", "evse_id": f"{self.country}*{self.party}*E{number}",
                "status": "AVAILABLE",
                "capabilities": ["REMOTE_START_STOP_CAPABLE", "CHARGING_PROFILE_CAPABLE"],
                "connectors": [{
                    "id": "1", "standard": "IEC_62196_T2_COMBO", "format": "CABLE",
                    "power_type": "DC", "max_voltage": 920, "max_amperage": 200,
                    "max_electric_power": 150000, "last_updated": now(-3600)}],
                "last_updated": now(-3600)}],
            **changes,
        }

    def session(self, session_id=None, location=None, **changes):
        return {
            "country_code": self.country, "party_id": self.party,
            "id": session_id or self.new_id("S"), "start_date_time": now(-600), "kwh": 1.5,
            "cdr_token": {"country_code": "FI", "party_id": "HUB", "uid": "nobody-we-know",
                          "type": "APP_USER", "contract_id": "FI-HUB-C00000000-1"},
            "auth_method": "COMMAND", "location_id": location["id"] if location else "LOC",
            "evse_uid": location["evses"][0]["uid"] if location else "EVSE", "connector_id": "1",
            "currency": "EUR", "total_cost": {"excl_vat": 0.5, "incl_vat": 0.6},
            "status": "ACTIVE", "last_updated": now(), **changes,
        }

    def cdr(self, session=None, **changes):
        """A record that agrees with itself, whatever is changed of it by the names below."""
        s = session or self.session()
        start = changes.get("start_date_time", s["start_date_time"])
        end = changes.get("end_date_time", now(1))  # some time passes, even in a test
        energy = changes.get("total_energy", 10.0)
        return {
            "country_code": self.country, "party_id": self.party, "id": self.new_id("C"),
            "start_date_time": start, "end_date_time": end, "session_id": s["id"],
            "cdr_token": copy.deepcopy(s["cdr_token"]), "auth_method": "COMMAND",
            **({"authorization_reference": s["authorization_reference"]}
               if "authorization_reference" in s else {}),
            "cdr_location": {
                "id": s["location_id"], "address": "Teststrasse 1", "city": "Berlin",
                "country": "DEU", "coordinates": {"latitude": "52.520008", "longitude": "13.404954"},
                "evse_uid": s["evse_uid"], "evse_id": "DE*TST*E1", "connector_id": s["connector_id"],
                "connector_standard": "IEC_62196_T2_COMBO", "connector_format": "CABLE",
                "connector_power_type": "DC"},
            "currency": "EUR", "charging_periods": [
                {"start_date_time": s["start_date_time"],
                 "dimensions": [{"type": "ENERGY", "volume": energy}]}],
            "total_cost": {"excl_vat": 3.0, "incl_vat": 3.57}, "total_energy": energy,
            "total_time": hours_between(start, end), "last_updated": now(), **changes,
        }

    def tariff(self, tariff_id=None, **changes):
        return {"country_code": self.country, "party_id": self.party,
                "id": tariff_id or self.new_id("T"), "currency": "EUR",
                "elements": [{"price_components": [{"type": "ENERGY", "price": 0.30, "vat": 19,
                                                    "step_size": 1}]}],
                "last_updated": now(-60), **changes}

    def asked_back(self):
        """The GETs of handshakes; the first pulls may come in between."""
        return [r for r in self.received if r["method"] == "GET" and r["path"] in ("/versions", "/2.2.1")]

    def requests(self, method=None, start=None):
        return [r for r in self.received
                if (not method or r["method"] == method) and (not start or r["path"].startswith(start))]
