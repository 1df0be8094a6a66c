# SPDX-License-Identifier: Apache-2.0
"""
Six partners at once: a CPO and an eMSP in each version of OCPI, registered by handshakes from both
sides. A charge through the CPO of each version, and who is told what: each eMSP the locations and
tariffs of the CPOs it has a contract with, and the Sessions and CDRs of its own drivers.
"""

import pytest
from harness import Sim, User, World, ok, wait_until

VERSIONS = ("2.1.1", "2.2.1", "2.3.0")
# Named after their version; the country tells the side.
CPOS = {v: ("FI", "C" + v[0] + v[2]) for v in VERSIONS}
EMSPS = {v: ("DE", "E" + v[0] + v[2]) for v in VERSIONS}
# Which CPOs' places each eMSP may see: not the same set twice.
MAY_SEE = {"2.1.1": ("2.1.1", "2.2.1"), "2.2.1": ("2.2.1", "2.3.0"), "2.3.0": VERSIONS}
# Who began: the partner (POST to us) or the hub (POST to them).
BY_PARTNER = {("CPO", "2.1.1"), ("CPO", "2.3.0"), ("EMSP", "2.2.1")}


def star(party):
    return "*".join(party)


class House(World):
    """A hub with six partners."""

    def start_all(self):
        self.start(sim=False, workers=2)
        self.partners = {}
        for version in VERSIONS:
            self.connect("CPO", version, CPOS[version])
            self.connect("EMSP", version, EMSPS[version])
        for version in VERSIONS:
            for cpo in MAY_SEE[version]:
                self.hub.ctl("contract", "allow", "--from", star(CPOS[cpo]), "--to", star(EMSPS[version]))
                # ... and the CPO may know this eMSP's tokens
                self.hub.ctl("contract", "allow", "--from", star(EMSPS[version]), "--to", star(CPOS[cpo]))
        return self

    def connect(self, role, version, party):
        directory = self.directory / f"{role}-{version}"
        name = f"{role} {version}"
        args = [role.lower(), "--version", version, "--party", star(party), "--name", name, "--speed", "60",
                "--seed", str(len(self.partners) + 1)]
        if role == "EMSP":
            args += ["--tokens", "3"]
        if (role, version) in BY_PARTNER:
            invitation = self.hub.ctl("partner", "invite", "--name", name, "--country", party[0],
                                      "--party", party[1], "--role", role, "--version", version)
            sim = Sim(directory, *args[1:], "--register", invitation["versions_url"],
                      "--token-a", invitation["token_a"], role=role.lower())
        else:
            sim = Sim(directory, *args[1:], role=role.lower())
            self.hub.ctl("partner", "register", "--versions-url", sim.info["versions_url"],
                         "--token-a", sim.info["token_a"], "--role", role, "--version", version)
        self.partners[role, version] = sim
        wait_until(lambda: sim.get("/sim/state")["registered"], what=f"{name} to be registered")

    def cpo(self, version):
        return self.partners["CPO", version]

    def emsp(self, version):
        return self.partners["EMSP", version]

    def stop(self):
        self.more += getattr(self, "partners", {}).values()
        super().stop()


@pytest.fixture(scope="module")
def house(directory, token_keys):
    h = House(directory / "six")
    try:
        yield h.start_all()
    finally:
        h.stop()


@pytest.fixture(autouse=True)
def nobody_complains(house):
    """What the hub sent to each of them passes the tables of its version."""
    before = {who: len(sim.violations()) for who, sim in house.partners.items()}
    yield
    new = {who: found[before[who]:] for who, sim in house.partners.items()
           if len(found := sim.violations()) > before[who]}
    assert not new, new


def known_evse(house, version):
    """An EVSE of this CPO where a car may begin, which the hub has heard of."""
    evse = free_evse(house.cpo(version))
    wait_until(lambda: User(house.hub).evse(evse).status_code == 200, 30, f"the locations of {version}")
    return evse


def free_evse(sim):
    return next(e["evse_id"] for e in sim.get("/sim/world")["evses"]
                if e["status"] == "AVAILABLE" and not e["session"])


def pulled(sim, module, **more):
    sim.post("/sim/pull", module=module, **more)
    return sim.get("/sim/pulled", module=module)["objects"]


def received(sim, module):
    return sim.get("/sim/received", module=module)["items"]


def from_party(items, party):
    return [i for i in items if i["owner"].upper() == "-".join(party)]


def test_all_six_are_connected_each_in_its_version(house):
    """R-CRED-01, R-CRED-02, R-VER-04, R-VER-05: handshakes from both sides."""
    partners = {p["name"]: p for p in house.hub.ctl("partner", "list")["items"]}
    assert len(partners) == 6
    for (role, version), sim in house.partners.items():
        p = partners[f"{role} {version}"]
        assert p["state"] == "connected" and p["version"] == version
        assert [r["role"] for r in p["roles"]] == [role]
        assert sim.get("/sim/state")["version"] == version


@pytest.mark.parametrize("version", VERSIONS)
def test_a_charge_from_start_to_receipt(house, version):
    """Start, active, profile (from 2.2.1 on), stop, CDR, receipt."""
    user = User(house.hub)
    evse = f"FI*{CPOS[version][1]}*E12345"
    wait_until(lambda: user.evse(evse).status_code == 200, 30, f"the locations of {version}")
    session_id = user.started(evse)
    answer = user.set_profile(session_id, {"max_charge_rate_kw": 7})
    if version == "2.1.1":
        assert answer.status_code == 422, answer.text
    else:
        assert answer.status_code in (200, 202), answer.text
    user.wait_for(session_id, lambda s: s["energy_kwh"] > 0, 40)
    receipt = user.finished(session_id)
    assert receipt["energy_kwh"] > 0 and receipt["cost"] > 0
    # One START, and nothing else that would start a car.
    sent = house.cpo(version).requests(method="POST", path="/commands/START_SESSION")
    assert len([r for r in sent if r]) == 1


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("module", ["locations", "tariffs"])
def test_an_emsp_lists_what_its_contracts_allow(house, version, module):
    """R-ROUTE-30..32, R-BR-46: nothing of anybody else, in its own version."""
    emsp = house.emsp(version)

    def own(cpo):
        if module == "locations":
            return sorted({e["location"] for e in house.cpo(cpo).get("/sim/world")["evses"]})
        return sorted(i for i, in house.sql("SELECT tariff_id FROM tariff WHERE party_id = %s", CPOS[cpo][1]))

    wait_until(lambda: all(len(own(cpo)) == 3 for cpo in VERSIONS), 20, "three of each")
    expected = sorted((CPOS[cpo], i) for cpo in MAY_SEE[version] for i in own(cpo))

    def told(o):
        """Objects of 2.1.1 name no owner: ids that several owners use have its name in front (R-BR-06)."""
        if version != "2.1.1":
            return [((o["country_code"], o["party_id"]), o["id"])]
        return [(owner, i) for owner, i in expected if o["id"] in (i, "*".join((*owner, i)))]

    def complete():
        found = pulled(emsp, module)
        assert len({o["id"] for o in found}) == len(found) or version != "2.1.1"
        assert len(found) == len(expected)
        named = [told(o) for o in found]
        # Whose a bare id of 2.1.1 is cannot be told; the others have one owner each, which leaves the rest.
        sure = [t[0] for t in named if len(t) == 1]
        rest = [e for e in expected if e not in sure]
        assert all(named) and len(sure) == len(set(sure))
        assert len(rest) == len(named) - len(sure) and all(set(t) & set(rest) for t in named if len(t) > 1)
        return True
    wait_until(complete, 20, "the CPOs' objects")


@pytest.mark.parametrize("version", VERSIONS)
def test_a_change_of_status_is_pushed_to_those_with_a_contract(house, version):
    """R-TRANS-64, R-LOC-01: who has a receiver and may see the place is told; nobody else."""
    uid = house.cpo(version).get("/sim/world")["evses"][3]
    for emsp in VERSIONS:
        house.emsp(emsp).post("/sim/forget")
    house.cpo(version).post("/sim/location", evse=uid["evse_id"], status="INOPERATIVE")
    for emsp in VERSIONS:
        if version in MAY_SEE[emsp]:
            wait_until(lambda e=emsp: from_party(received(house.emsp(e), "locations"), CPOS[version]), 20,
                       f"the push to {emsp}")
    for emsp in VERSIONS:
        if version not in MAY_SEE[emsp]:
            assert not from_party(received(house.emsp(emsp), "locations"), CPOS[version])


@pytest.mark.parametrize("emsp_version", VERSIONS)
@pytest.mark.parametrize("cpo_version", VERSIONS)
def test_the_session_and_the_cdr_go_to_the_driver_s_emsp_alone(house, cpo_version, emsp_version):
    """R-CDR-02, R-ROUTE-32: a driver with the card of this eMSP charges at that CPO."""
    if cpo_version not in MAY_SEE[emsp_version]:
        pytest.skip("no contract between these two")
    cpo, emsp = house.cpo(cpo_version), house.emsp(emsp_version)
    country, party = EMSPS[emsp_version]
    token = {"uid": f"CARD{cpo_version[2]}{emsp_version[2]}{cpo_version[0]}", "type": "RFID"}
    emsp.post("/sim/token", **token, whitelist="ALWAYS", contract_id=f"{country}-{party}-{token['uid']}")
    for other in VERSIONS:
        house.emsp(other).post("/sim/forget")
    evse = free_evse(cpo)
    started = cpo.post("/sim/start_session", evse=evse, token={
        **token, "country_code": country, "party_id": party,
        "contract_id": f"{country}-{party}-{token['uid']}"})
    session_id = started["id"]
    wait_until(lambda: [o for o in received(emsp, "sessions") if o["id"] == session_id], 20, "the Session")
    cpo.post("/sim/stop", id=session_id)
    cdrs = wait_until(lambda: received(emsp, "cdrs"), 30, "the CDR")
    assert len(cdrs) == 1 and cdrs[0]["pushes"] == 1
    wait_until(lambda: [o for o in received(emsp, "sessions") if o["id"] == session_id
                        and o["document"]["status"] == "COMPLETED"], 20, "the end of the Session")
    for other in VERSIONS:
        if other != emsp_version:
            assert not received(house.emsp(other), "sessions") and not received(house.emsp(other), "cdrs")
    # The same by pull.
    assert session_id in {o["id"] for o in pulled(emsp, "sessions", date_from="2020-01-01T00:00:00Z")}
    assert cdrs[0]["id"] in {o["id"] for o in pulled(emsp, "cdrs")}
    for other in VERSIONS:
        if other != emsp_version:
            assert session_id not in {o["id"] for o in pulled(house.emsp(other), "sessions",
                                                               date_from="2020-01-01T00:00:00Z")}


@pytest.mark.parametrize("version", VERSIONS)
def test_sessions_of_our_own_users_go_to_no_emsp(house, version):
    """The hub's own eMSP is the owner of its users' tokens."""
    user = User(house.hub)
    for emsp in VERSIONS:
        house.emsp(emsp).post("/sim/forget")
    evse = known_evse(house, version)
    session_id = user.started(evse)
    user.finished(session_id)
    for emsp in VERSIONS:
        assert not received(house.emsp(emsp), "sessions") and not received(house.emsp(emsp), "cdrs")


def test_rotation_from_both_sides(house):
    """R-CRED-05, R-CRED-06: new tokens, and everything goes on."""
    for (role, version), sim in house.partners.items():
        before = sim.get("/sim/partner")
        sim.post("/sim/rotate")
        house.hub.ctl("partner", "rotate", f"{role} {version}")
        after = sim.get("/sim/partner")
        assert before != after
    assert {p["state"] for p in house.hub.ctl("partner", "list")["items"]} == {"connected"}
    user = User(house.hub)
    for version in VERSIONS:
        evse = known_evse(house, version)
        user.finished(user.started(evse))


@pytest.mark.parametrize("version", VERSIONS[1:])
def test_clients_hear_of_each_other(house, version):
    """R-HCI-01, R-HCI-02, R-HCI-06: an eMSP sees the CPOs it may work with, and no eMSP."""
    infos = pulled(house.emsp(version), "hubclientinfo")
    assert {(i["country_code"], i["party_id"], i["role"], i["status"]) for i in infos} == {
        (*CPOS[cpo], "CPO", "CONNECTED") for cpo in MAY_SEE[version]}


def test_the_oracles_hold(house):
    assert ok(house.hub.admin("GET", "/partners"))
    assert not house.oracles()
