# SPDX-License-Identifier: Apache-2.0
"""hubctl as people use it: on the admin socket and by URL, its words, its status."""

import json
import os
import subprocess

import pytest

from harness import BUILD, User, ok

HUBCTL = BUILD / "hub" / "hubctl"


@pytest.fixture
def ctl(hub, tmp_path):
    """hubctl in an empty directory, on the hub's socket unless told otherwise."""
    def run(*args, socket=True, env=None):
        where = ["--socket", str(hub.settings["admin_socket"])] if socket else []
        environment = {k: v for k, v in os.environ.items() if k != "OCPI_HUB_ADMIN_SOCKET"}
        return subprocess.run([HUBCTL, *where, *args], capture_output=True, text=True, check=False,
                              timeout=60, cwd=tmp_path, env={**environment, **(env or {})})
    return run


def said(done, status=0):
    assert done.returncode == status, f"{done.returncode}: {done.stdout}{done.stderr}"
    return done.stdout if status == 0 else done.stderr


def test_a_minted_token_is_printed_alone_and_opens_the_door(hub, ctl):
    token = said(ctl("token", "mint", "--sub", "ctl-user"))
    assert token.count(".") == 2 and token == token.strip() + "\n"
    assert ok(User(hub, token=token.strip()).list())["items"] == []


def test_a_robots_token_is_the_robots(hub, ctl):
    token = said(ctl("token", "mint", "--sub", "ctl-user", "--robot", "r2")).strip()
    assert User(hub, token=token).list().status_code == 403


def test_partners_are_listed_and_shown(ctl):
    lines = said(ctl("partner", "list")).splitlines()
    assert lines[0].split() == ["ID", "NAME", "STATE", "VERSION", "PARTIES", "LAST", "CONTACT"]
    row = next(line for line in lines if "FI*VRT CPO" in line)
    number = row.split()[0]
    by_number, by_name = (json.loads(said(ctl("partner", "show", which, "--json")))
                          for which in (number, "Virta"))
    assert by_number["id"] == by_name["id"] == int(number)
    assert "endpoints" in said(ctl("partner", "show", "Virta"))


def test_an_invitation_names_what_to_pass_on(hub, ctl):
    invitation = json.loads(said(ctl("partner", "invite", "--name", "Ctl Power", "--country", "SE",
                                     "--party", "CTL", "--role", "CPO", "--json")))
    assert invitation["versions_url"] == hub.versions_url
    assert len(invitation["token_a"]) >= 32


def test_a_session_is_shown_whole(ctl, user, evse):
    session_id = user.started(evse)
    text = said(ctl("session", "show", session_id))
    for word in (session_id, "events", "operations", "pending", "active"):
        assert word in text
    assert json.loads(said(ctl("session", "show", session_id, "--json")))["events"]
    ok(user.stop(session_id))


def test_a_connector_is_unlocked(ctl, evse):
    done = ctl("evse", "unlock", evse, "--json")
    answer = json.loads(done.stdout)
    assert done.returncode == (1 if answer["status"] == "failed" else 0)


def test_by_url_it_needs_the_admin_token(hub, ctl, tmp_path):
    by_url = ("--url", hub.url + "/", "partner", "list")
    said(ctl(*by_url, "--token-file", str(hub.secrets.admin_token_file), socket=False))
    wrong = tmp_path / "token"
    wrong.write_text("x" * 64, encoding="ascii")
    wrong.chmod(0o600)
    told = said(ctl(*by_url, "--token-file", str(wrong), socket=False), 1)
    assert "admin_token_file" in told and "xxxx" not in told
    assert "--token-file" in said(ctl(*by_url, socket=False), 2)


def test_the_socket_is_found_by_variable_and_by_run_file(hub, ctl, tmp_path):
    socket = str(hub.settings["admin_socket"])
    said(ctl("partner", "list", socket=False, env={"OCPI_HUB_ADMIN_SOCKET": socket}))
    (tmp_path / "var" / "run").mkdir(parents=True)
    (tmp_path / "var" / "run" / "hub.json").write_text(json.dumps({"admin_socket": socket}),
                                                       encoding="utf-8")
    said(ctl("partner", "list", socket=False))


@pytest.mark.parametrize("arguments, words", [
    (("partner", "show", "Nobody"), ("no such partner", "hubctl partner list")),
    (("session", "show", "not-a-uuid"), ("UUID",)),
    (("session", "show", "770e8400-e29b-41d4-a716-446655440099"), ("no such session",)),
    (("evse", "unlock", "FI*VRT*E99999999"), ("EVSE",)),
    (("partner", "invite", "--name", "N", "--country", "F", "--party", "V", "--role", "HUB"),
     ("country_code", "party_id", "role")),
])
def test_a_refusal_says_why_and_ends_with_1(ctl, arguments, words):
    told = said(ctl(*arguments), 1)
    for word in words:
        assert word in told


@pytest.mark.parametrize("arguments, words", [
    ((), "what shall it do"),
    (("dance",), 'no command "dance"'),
    (("partner", "dance"), 'no command "partner dance"'),
    (("token", "mint"), "--sub is required"),
    (("token", "mint", "--sub"), "--sub needs a value"),
    (("token", "mint", "--sub", "u", "--connector", "1"), "takes no --connector"),
    (("partner", "show"), "ID|NAME is required"),
    (("partner", "list", "all"), '"all" is too much'),
    (("partner", "list", "--colour"), "no option --colour"),
])
def test_a_wrong_command_line_gets_help_and_ends_with_2(ctl, arguments, words):
    told = said(ctl(*arguments), 2)
    assert words in told and "--socket" in told


def test_help_is_no_mistake(ctl):
    assert "hubctl evse unlock EVSE_ID" in said(ctl("--help"))
    assert "hubctl evse unlock EVSE_ID" in said(ctl("help"))
    assert "--connector" in said(ctl("evse", "unlock", "--help"))


def test_no_hub_behind_the_socket(ctl, tmp_path):
    told = said(ctl("--socket", str(tmp_path / "none"), "partner", "list", socket=False), 1)
    assert "No such file" in told and "OCPI_HUB_ADMIN_SOCKET" in told
