#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
./dev demo: one charging session from handshake to receipt, and one of another provider's driver,
visible step by step, and checked.

Everything that is printed was observed: in the hub's answers, in the simulated CPO's record of
what it received, in its meter. A check that fails makes the exit status 1.
"""

import argparse
import json
import os
import pathlib
import shutil
import signal
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).parent / "e2e"))
from harness import (BUILD, ROOT, Sim, User, World, ok, rounded, run_directory,  # noqa: E402
                     stores_module, wait_until)

EVSE = "FI-VRT-E12345"
SPEED = 60
LIMIT_KW = 11.0


class Story:
    """Prints what happens: for people on a terminal, or as JSON lines."""

    def __init__(self, as_json):
        self.as_json = as_json
        self.began = time.monotonic()
        self.failed = []
        colour = sys.stdout.isatty() and not as_json
        self.bold, self.dim, self.green, self.red, self.plain = (
            ("\033[1m", "\033[2m", "\033[32m", "\033[31m", "\033[0m") if colour else ("",) * 5)

    def line(self, event, text):
        if self.as_json:
            event = {"at_ms": int((time.monotonic() - self.began) * 1000), **event}
            print(json.dumps(event), flush=True)
        else:
            print(text, flush=True)

    def _time(self):
        return f"{self.dim}{time.monotonic() - self.began:7.2f}s{self.plain}"

    def chapter(self, title):
        self.line({"event": "chapter", "title": title}, f"\n{self.bold}{title}{self.plain}")

    def step(self, who, whom, what, body=None):
        text = f"{self._time()}  {who:>6} -> {whom:<6} {what}"
        if body is not None:
            lines = json.dumps(body) if len(json.dumps(body)) <= 100 else json.dumps(body, indent=2)
            text += "".join(f"\n{'':27}{self.dim}{line}{self.plain}" for line in lines.splitlines())
        self.line({"event": "step", "from": who, "to": whom, "what": what, "body": body}, text)

    def check(self, what, holds, detail=""):
        if not holds:
            self.failed.append(what)
        mark = f"{self.green}ok{self.plain}" if holds else f"{self.red}WRONG{self.plain}"
        self.line({"event": "check", "what": what, "ok": bool(holds), "detail": str(detail)},
                   f"{self._time()}  {'':>6}    {'':<6} [{mark}] {what}"
                   + (f" {self.dim}({detail}){self.plain}" if detail else ""))

    def note(self, text, **event):
        self.line({"event": "note", "text": text, **event}, text)


def show(status):
    keys = ("status", "energy_kwh", "cost", "currency", "duration_minutes")
    return {k: status[k] for k in keys}


def watch(story, user, session_id, until, seconds=30):
    """Asks for the status until until(status), and tells each change."""
    told = None

    def look():
        nonlocal told
        status = ok(user.status(session_id))
        if show(status) != told:
            told = show(status)
            story.step("hub", "app", f"status: {status['status']}"
                       + (f" ({status['substatus']})" if status.get("substatus") else ""), told)
        return status if until(status) else None

    return wait_until(look, seconds, "the session to go on")


def charge(story, world):
    hub, sim = world.hub, world.sim
    user = User(hub, sub="demo-driver")

    story.chapter("A driver's app starts a charging session")
    ask = {"evse_id": EVSE, "connector_type": "CCS", "battery_target_kwh": 60.0}
    story.step("app", "hub", "POST /v1/sessions/start", ask)
    started = ok(user.call("POST", "/v1/sessions/start", json=ask))
    session_id = started["session_id"]
    story.step("hub", "app", "200", started)
    story.check("the answer is pending, at the network Virta",
                started["status"] == "pending" and started["network"] == "Virta"
                and started["evse_id"] == EVSE)

    start = wait_until(lambda: sim.commands("START_SESSION", session_id), 15, "START_SESSION")
    story.step("hub", "Virta", "POST commands/START_SESSION",
               {k: start[0]["body"].get(k) for k in
                ("location_id", "evse_uid", "connector_id", "authorization_reference")})
    watch(story, user, session_id, lambda s: s["status"] == "active")
    first = watch(story, user, session_id, lambda s: s["energy_kwh"] > 0 and s["cost"] > 0)
    second = watch(story, user, session_id,
                   lambda s: s["energy_kwh"] > first["energy_kwh"] and s["cost"] > first["cost"])
    story.check("energy and cost rise", second["energy_kwh"] > first["energy_kwh"] > 0)

    story.chapter(f"The app limits the power to {LIMIT_KW:g} kW")
    before = sim.session(session_id)
    story.step("app", "hub", f"POST /v1/sessions/{session_id}/charging-profile",
               {"max_charge_rate_kw": LIMIT_KW})
    profile = ok(user.set_profile(session_id, {"max_charge_rate_kw": LIMIT_KW}))
    story.step("hub", "app", "200", profile)
    sent = sim.requests(method="PUT", path="/chargingprofiles/")
    story.check("the network was sent 11000 W", len(sent) == 1 and
                sent[0]["body"]["charging_profile"]["charging_profile_period"][0]["limit"] == 11000)
    story.check("the hub says that it holds", profile["profile_set"] is True)
    after = wait_until(
        lambda: (s := sim.session(session_id)) and s["power_w"] <= LIMIT_KW * 1000 and s, 15,
        "the charger to deliver less")
    story.step("Virta", "hub", f"power {before['power_w'] / 1000:g} kW -> {after['power_w'] / 1000:g} kW")
    story.check("the charger delivers at most 11 kW",
                before["power_w"] > 11000 >= after["power_w"] > 0, f"{after['power_w']} W")

    story.chapter("The app stops the session")
    now = ok(user.status(session_id))
    watch(story, user, session_id, lambda s: s["energy_kwh"] > now["energy_kwh"])
    story.step("app", "hub", "POST /v1/sessions/stop", {"session_id": session_id})
    stopped = ok(user.stop(session_id))
    story.step("hub", "app", "200", stopped)
    story.check("the answer is stopping", stopped == {"session_id": session_id, "status": "stopping"})
    stop = wait_until(lambda: sim.commands("STOP_SESSION", sim.session(session_id)["id"]), 15,
                      "STOP_SESSION")
    story.step("hub", "Virta", "POST commands/STOP_SESSION", {"session_id": stop[0]["body"]["session_id"]})
    done = watch(story, user, session_id, lambda s: s["status"] == "completed", 60)

    cdrs = [r["body"] for r in sim.sent(method="POST", path="/cdrs")
            if r["body"].get("authorization_reference") == session_id]
    cdr = cdrs[0]
    story.step("Virta", "hub", "POST cdrs", {k: cdr[k] for k in ("id", "total_energy", "total_cost")})

    story.chapter("The receipt")
    receipt = ok(user.receipt(session_id))
    story.step("hub", "app", f"GET /v1/sessions/{session_id}/receipt", receipt)
    paid = rounded(cdr["total_cost"]["incl_vat"], 2)
    story.check("its energy is the CDR's",
                rounded(receipt["energy_kwh"], 6) == rounded(cdr["total_energy"], 3),
                f"{receipt['energy_kwh']} kWh")
    story.check("its cost is the CDR's", rounded(receipt["cost"], 6) == paid,
                f"{receipt['cost']} {receipt['currency']}")
    story.check("the final status says the same",
                rounded(done["cost"], 6) == paid and done["cost_estimated"] is False)
    story.check("exactly one START_SESSION reached the network",
                len(sim.commands("START_SESSION", session_id)) == 1)
    story.check("exactly one CDR was sent and billed", len(cdrs) == 1)
    story.check("the hub broke no rule of OCPI", not sim.violations(), sim.violations() or "")
    return session_id


def roam(story, world):
    """Another provider's driver charges in the same network: the hub's second job."""
    hub, sim = world.hub, world.sim
    story.chapter("Another provider connects: an eMSP of OCPI 2.3.0")
    invitation = hub.ctl("partner", "invite", "--name", "Ladekarte", "--country", "DE", "--party", "EMS",
                         "--role", "EMSP", "--version", "2.3.0")
    emsp = Sim(world.directory / "emsp", "--version", "2.3.0", "--register",
                            invitation["versions_url"], "--token-a", invitation["token_a"], role="emsp")
    world.more.append(emsp)
    wait_until(lambda: emsp.get("/sim/state")["registered"], 15, "the eMSP to be registered")
    story.step("emsp", "hub", "POST credentials, as DE*EMS")
    story.check("without a contract it sees nothing",
                emsp.post("/sim/pull", module="locations")["count"] == 0)
    for one, other in (("FI*VRT", "DE*EMS"), ("DE*EMS", "FI*VRT")):
        story.step("dev", "hub", f"hubctl contract allow --from {one} --to {other}")
        hub.ctl("contract", "allow", "--from", one, "--to", other)
    found = emsp.post("/sim/pull", module="locations")
    story.step("emsp", "hub", f"GET cpo/2.3.0/locations: {found['count']}")
    story.check("with one it lists the network's locations, as 2.3.0 has them",
                found["count"] == 3 and found["invalid"] == 0)

    story.chapter("Its driver charges with a card")
    token = {"uid": "CARD-1", "type": "RFID", "contract_id": "DE-EMS-C00000001-1"}
    emsp.post("/sim/token", **token)
    story.step("emsp", "hub", "PUT tokens/DE/EMS/CARD-1")
    evse = next(e["evse_id"] for e in sim.get("/sim/world")["evses"]
                if e["status"] == "AVAILABLE" and not e["session"])
    session = sim.post("/sim/start_session", evse=evse,
                       token={**token, "country_code": "DE", "party_id": "EMS"})
    story.step("Virta", "hub", f"PUT sessions/FI/VRT/{session['id']} (OCPI 2.2.1)")

    def received(module):
        return emsp.get("/sim/received", module=module)["items"]
    told = wait_until(lambda: received("sessions"), 15, "the Session at the eMSP")[0]
    story.step("hub", "emsp", "PUT sessions, as 2.3.0 has it", {k: told["document"][k] for k in ("id", "kwh", "status")})
    wait_until(lambda: received("sessions")[0]["document"]["kwh"] > 0, 15, "some energy")
    sim.post("/sim/stop", id=session["id"])
    cdr = wait_until(lambda: received("cdrs"), 20, "the CDR at the eMSP")[0]
    sent = next(r["body"] for r in sim.sent(method="POST", path="/cdrs") if r["body"]["id"] == cdr["id"])
    story.step("Virta", "hub", "POST cdrs (OCPI 2.2.1)", {"id": cdr["id"], "total_cost": sent["total_cost"]})
    story.step("hub", "emsp", "POST cdrs, as 2.3.0 has it", {"id": cdr["id"], "total_cost": cdr["document"]["total_cost"]})
    story.check("it is told once, with the same net cost", cdr["pushes"] == 1 and cdr["valid"] and
                rounded(cdr["document"]["total_cost"]["before_taxes"], 4) == rounded(sent["total_cost"]["excl_vat"], 4))
    story.check("the hub broke no rule of OCPI towards it", not emsp.violations(), emsp.violations() or "")

    story.chapter("Why was it refused?")
    sim.post("/sim/push", method="PUT", module="sessions", path="/FI/VRT/S-WRONG", body={"id": "S-WRONG", "kwh": "much"})
    story.step("Virta", "hub", "PUT sessions/FI/VRT/S-WRONG", {"id": "S-WRONG", "kwh": "much"})
    refused = wait_until(lambda: hub.ctl("message", "list", "--refused", "--object", "S-WRONG")["items"], 15,
                         "the log")[0]
    story.step("dev", "hub", f"hubctl message explain {refused['id']}",
               {k: refused.get(k) for k in ("error", "pointer", "rule", "expected")})
    story.check("the log names the rule", refused["rule"].startswith("R-"))


def farewell(story, world, session_id):
    hub = world.hub
    user = User(hub, sub="demo-driver")
    auth = '-H "Authorization: Bearer $TOKEN"'
    lines = {
        "start another session":
            f"curl -s {auth} -H 'Content-Type: application/json' -d '{{\"evse_id\":\"{EVSE}\"}}' "
            f"{hub.url}/v1/sessions/start",
        "its status": f"curl -s {auth} {hub.url}/v1/sessions/{session_id}/status",
        "its receipt": f"curl -s {auth} {hub.url}/v1/sessions/{session_id}/receipt",
        "the EVSE": f"curl -s {auth} {hub.url}/v1/evses/{EVSE}",
        "the whole story of the session":
            f"{(BUILD / 'hub' / 'hubctl').relative_to(ROOT)} --socket "
            f"{os.path.relpath(hub.settings['admin_socket'], ROOT)} session show {session_id}",
        "is the network's OCPI in order?":
            f"{(BUILD / 'hub' / 'hubctl').relative_to(ROOT)} --socket "
            f"{os.path.relpath(hub.settings['admin_socket'], ROOT)} partner test Virta",
    }
    urls = {"hub": hub.url, "API": f"{hub.url}/v1/openapi.json", "OCPI versions": hub.versions_url,
            "metrics": f"{hub.internal_url}/metrics", "simulated CPO": world.sim.control_url,
            "simulated eMSP": world.more[0].control_url}
    if story.as_json:
        story.note("up", urls=urls, curl=lines, token=user.token, session_id=session_id)
        return
    story.chapter("Look around (the token is a driver's, good for a while)")
    for name, url in urls.items():
        story.note(f"  {name:<15} {url}")
    story.note(f"\n  TOKEN={user.token}")
    for name, line in lines.items():
        story.note(f"\n  # {name}\n  {line}")


def tell(story, directory):
    world = World(directory)
    try:
        story.chapter("The hub starts")
        story.step("dev", "stores", "Postgres and Redis on unix sockets")
        world.start(sim=False)
        story.step("dev", "hub", f"listening on {world.hub.url}")
        story.chapter("A charging network connects: an OCPI 2.2.1 handshake")
        story.step("hub", "Virta", "an invitation: versions URL and token A", {"versions_url": world.hub.versions_url})
        sim = world.start_sim("--speed", str(SPEED), "--seed", "1")
        for r in sim.sent(path="/ocpi/"):
            if "/versions" in r["path"] or "/credentials" in r["path"] or r["path"].endswith("/2.2.1"):
                story.step("Virta", "hub", f"{r['method']} {r['path'].split('/ocpi/')[-1]}: {r['status']}")
        world.wait_for_evse(EVSE)
        partners = ok(world.hub.admin("GET", "/partners"))["items"]
        story.step("hub", "Virta", "GET locations: the first pull")
        story.check("the partner is connected", len(partners) == 1 and partners[0]["enabled"])
        session_id = charge(story, world)
        roam(story, world)
        farewell(story, world, session_id)
        return world
    except BaseException:
        if not isinstance(sys.exc_info()[1], KeyboardInterrupt) and world.hub and world.hub.process:
            print(f"The hub's log ends so:\n{world.hub.process.tail()}", file=sys.stderr)
        world.stop()
        raise


def main():
    def interrupted(*_):
        raise KeyboardInterrupt

    parser = argparse.ArgumentParser(prog="dev demo", description="one charging session, visibly")
    parser.add_argument("--exit", action="store_true", help="end after the receipt")
    parser.add_argument("--json", action="store_true", help="JSON lines instead of text")
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, interrupted)
    signal.signal(signal.SIGINT, interrupted)
    story = Story(arguments.json)
    directory = run_directory("demo")
    world = None
    try:
        try:
            world = tell(story, directory)
        except AssertionError as e:
            story.check("the session goes its way", False, e)
        except (RuntimeError, stores_module.StoresError) as e:
            story.check("the programs run", False, e)
        if world and not arguments.exit:
            story.note("\nCtrl-C ends.")
            while world.hub.process.running():
                time.sleep(0.5)
            story.check("the hub stays up", False)
    except KeyboardInterrupt:
        pass
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        try:
            if world:
                world.stop()
        except AssertionError as e:
            story.check("everything ends in order", False, e)
        shutil.rmtree(directory, ignore_errors=True)
    story.line({"event": "end", "failed": story.failed},
                f"\n{len(story.failed)} checks failed: {'; '.join(story.failed)}" if story.failed else
                "\nEverything held.")
    return 1 if story.failed else 0


if __name__ == "__main__":
    sys.exit(main())
