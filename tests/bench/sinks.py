# SPDX-License-Identifier: Apache-2.0
"""
Partners that cost little: the handshake is done in Python, then nginx stands on the same port and
answers everything with fixed words, or (a sick one) does not.
"""

import json
import os
import pathlib
import re
import subprocess
import time

import requests
from cpu import cpu_seconds
from emsp_partner import Party
from harness import free_port, wait_until
from partner import now

PER_MESSAGE = ("X-Request-ID", "X-Correlation-ID")


class Sink(Party):
    """A CPO or an eMSP. Nothing is said twice over one connection, so that nginx can take over."""

    def serve(self, request):
        status, body, headers = super().serve(request)
        return status, body, {**headers, "Connection": "close"}

    @property
    def port(self):
        return int(self.base.rpartition(":")[2])

    def sent_headers(self):
        kept = {k: v for k, v in self.headers(to=None).items() if k not in PER_MESSAGE}
        return {**kept, "Content-Type": "application/json"}

    # ---- what it has and says ----

    def place(self):
        """A location with one EVSE."""
        own = f"{self.country}{self.party}"
        at = now(-3600)
        connector = {"id": "1", "standard": "IEC_62196_T2_COMBO", "format": "CABLE", "power_type": "DC",
                     "last_updated": at,
                     **({"voltage": 500, "amperage": 300} if self.old else {"max_voltage": 500, "max_amperage": 300})}
        evse = {"uid": f"EV{own}", "evse_id": f"{self.country}*{self.party}*E1", "status": "AVAILABLE",
                "capabilities": ["REMOTE_START_STOP_CAPABLE"], "connectors": [connector], "last_updated": at}
        first = {"type": "ON_STREET"} if self.old else \
            {"country_code": self.country, "party_id": self.party, "publish": True}
        return {**first, "id": f"LOC{own}", "name": "Bench", "address": "Bench street 1", "city": "Helsinki",
                "postal_code": "00100", "country": "FIN",
                "coordinates": {"latitude": "60.170000", "longitude": "24.930000"},
                "time_zone": "Europe/Helsinki", "evses": [evse], "last_updated": at}

    def tell(self, module, thing, key="id"):
        answer = self.put(self.url(module, self.country, self.party, thing[key]), thing, to=None)
        assert answer.json()["status_code"] == 1000, answer.text
        return thing

    def start_of(self, cpo, token):
        """START_SESSION at that CPO's place: (method, path, body), @N@ is the number."""
        body = {"response_url": f"{self.base}/{self.version}/results/@N@", "token": token,
                "location_id": cpo.place()["id"], "evse_uid": cpo.place()["evses"][0]["uid"]}
        return "POST", path_of(self.url("commands", "START_SESSION")), body

    def session_of(self, emsp, token):
        """A Session of an eMSP's token, always another one."""
        place, at = self.place(), now(-600)
        body = {"id": "@N@", "kwh": 1.5, "currency": "EUR", "status": "ACTIVE", "last_updated": now(),
                "charging_periods": [{"start_date_time": at, "dimensions": [{"type": "ENERGY", "volume": 1.5}]}]}
        if self.old:
            body.update(start_datetime=at, auth_id=token.get("auth_id", token.get("contract_id")),
                        auth_method="WHITELIST", location=place, total_cost=0.5)
        else:
            body.update(country_code=self.country, party_id=self.party, start_date_time=at, auth_method="WHITELIST",
                        cdr_token={"country_code": emsp.country, "party_id": emsp.party, "uid": token["uid"],
                                   "type": "RFID", "contract_id": token["contract_id"]},
                        location_id=place["id"], evse_uid=place["evses"][0]["uid"], connector_id="1",
                        total_cost={"excl_vat": 0.5, "incl_vat": 0.6})
        return "PUT", path_of(self.url("sessions", self.country, self.party, "@N@")), body

    # ---- nginx in its place ----

    def places(self):
        """What nginx answers: commands are accepted, lists are empty, all else is done."""
        accepted = {"result": "ACCEPTED"} if self.old else {"result": "ACCEPTED", "timeout": 30}
        return f"""
        default_type application/json;
        location /{self.version}/commands {{ return 200 '{envelope(accepted)}'; }}
        location / {{
            if ($request_method = GET) {{ return 200 '{envelope([])}'; }}
            return 200 '{envelope()}';
        }}"""


def envelope(data=None):
    return json.dumps({**({} if data is None else {"data": data}), "status_code": 1000,
                       "timestamp": "2026-01-01T00:00:00Z"})


def path_of(url):
    return "/" + url.split("/", 3)[3]


class Nginx:
    def __init__(self, directory, servers, workers=1, http=""):
        """servers: what stands in http { }."""
        self.directory = pathlib.Path(directory)
        self.directory.mkdir(parents=True, exist_ok=True)
        self.port = free_port()
        temp = "\n".join(f"    {w}_temp_path {self.directory}/{w};"
                         for w in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        config = self.directory / "nginx.conf"
        config.write_text(f"""
worker_processes {workers}; daemon off; pid {self.directory}/nginx.pid; error_log stderr emerg;
{'user root;' if os.geteuid() == 0 else ''}
events {{ worker_connections 4096; }}
http {{
    access_log off; keepalive_requests 100000000; keepalive_timeout 600s; server_tokens off;
{temp}
    {http}
    server {{ listen 127.0.0.1:{self.port}; location / {{ stub_status; }} }}
    {servers}
}}
""", encoding="utf-8")
        self.asked = 0
        self.process = subprocess.Popen(["nginx", "-e", "stderr", "-c", str(config), "-p", str(self.directory)])
        wait_until(self.requests, 10, "nginx")

    def requests(self):
        """How many it has answered, our own questions left out."""
        answer = requests.get(f"http://127.0.0.1:{self.port}/", timeout=5)
        self.asked += 1
        return int(re.search(r"\n +\d+ +\d+ +(\d+)", answer.text)[1]) - self.asked + 1

    def cpu(self):
        """Seconds that it has used of the processor, with its workers."""
        pid = self.process.pid
        children = pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
        return sum(cpu_seconds(p) for p in [pid, *children])

    def stop(self):
        if self.process.poll() is None:
            self.process.terminate()
            self.process.wait(10)


def server(sink, places=None, log=""):
    return f"server {{ listen 127.0.0.1:{sink.port} backlog=2048; {log} {places or sink.places()} }}\n"


def settle(sinks):
    """Their first pulls are over; nobody listens any more."""
    time.sleep(3)
    for s in sinks:
        s.close()


def allow(hub, *parties):
    """Contracts both ways."""
    for a, b in (parties, parties[::-1]):
        hub.ctl("contract", "allow", "--from", f"{a.country}*{a.party}", "--to", f"{b.country}*{b.party}")
