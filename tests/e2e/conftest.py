# SPDX-License-Identifier: Apache-2.0
"""
One world (stores, hub, simulated CPO) per pytest worker, shared by its tests: they keep out of
each other's way by users and EVSEs of their own. What breaks a world asks for one to itself.
"""

import itertools
import json
import pathlib
import shutil
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
pytest.register_assert_rewrite("harness", "partner")
from harness import AUDIENCE, ISSUER, User, World, run_directory  # noqa: E402
from partner import Partner  # noqa: E402
from tokens import TokenKeys  # noqa: E402


@pytest.fixture(scope="session")
def directory():
    path = run_directory("e2e")
    yield path
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture(scope="session")
def token_keys(directory):
    """Keys of the users' issuer, which the hub knows from jwt_keys_file."""
    return TokenKeys(directory / "issuer", ISSUER, AUDIENCE)


@pytest.fixture(scope="session")
def shared_world(directory, token_keys):
    w = World(directory / "shared")
    try:
        w.start(jwt_keys_file=token_keys.jwks_file)
        w.wait_for_evse("FI*VRT*E90000400*2")
        yield w
    finally:
        w.stop()


@pytest.fixture
def world(shared_world):
    """The shared world; the hub has broken no rule of OCPI when the test ends."""
    before = len(shared_world.sim.violations())
    yield shared_world
    new = shared_world.sim.violations()[before:]
    assert not new, json.dumps(new, indent=1)


@pytest.fixture
def hub(world):
    return world.hub


@pytest.fixture
def sim(world):
    return world.sim


@pytest.fixture
def user(world):
    return User(world.hub)


@pytest.fixture
def evse(world):
    """A CCS connector of 150 kW that no other test uses."""
    return world.fresh_evse()


numbers = itertools.count(1)


@pytest.fixture
def make_world(directory, token_keys):
    """A world of one's own: make_world(workers=1, ...) for tests that stop stores or kill hubs."""
    worlds = []

    def make(sim=True, sim_args=("--speed", "60", "--world", "20"), **settings):
        w = World(directory / f"w{next(numbers)}")
        worlds.append(w)
        w.start(sim=sim, sim_args=sim_args, jwt_keys_file=token_keys.jwks_file, **settings)
        if sim:
            w.wait_for_evse("FI*VRT*E90000020*2")
        return w

    yield make
    errors = []
    for w in worlds:
        try:
            errors += [json.dumps(v) for v in (w.sim.violations() if w.sim else [])]
            w.stop()
        except AssertionError as e:
            errors.append(str(e))
        shutil.rmtree(w.directory, ignore_errors=True)
    assert not errors, "\n".join(errors)


@pytest.fixture(scope="module")
def partner(shared_world):
    """A CPO played by the test itself, connected by a real handshake: it may send anything."""
    p = Partner("DE", "TST", "Test Power")
    try:
        p.register(shared_world.hub)
        yield p
    finally:
        p.close()
