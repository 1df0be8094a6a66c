# SPDX-License-Identifier: Apache-2.0
"""openapi/openapi.yaml says what the program does: its routes, its error codes, true examples."""

import os
import pathlib
import re
import shutil
import subprocess

import jsonschema
import pytest
import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
OPENAPI = ROOT / "openapi"
METHODS = ("get", "put", "post", "delete", "patch", "head", "options")


DOCUMENT = yaml.safe_load((OPENAPI / "openapi.yaml").read_text(encoding="utf-8"))


def operations():
    for path, item in DOCUMENT["paths"].items():
        for method in METHODS:
            if method in item:
                yield method.upper(), path, item[method]


def resolved(node):
    while isinstance(node, dict) and "$ref" in node:
        target = DOCUMENT
        for step in node["$ref"].removeprefix("#/").split("/"):
            target = target[step]
        node = target
    return node


def contents():
    """Every body that is described: where, content type object."""
    for method, path, operation in operations():
        body = resolved(operation.get("requestBody", {}))
        for kind, content in body.get("content", {}).items():
            yield f"{method} {path} request {kind}", content
        for status, response in operation["responses"].items():
            for kind, content in resolved(response).get("content", {}).items():
                yield f"{method} {path} {status} {kind}", content


def examples():
    for where, content in contents():
        for name, example in content.get("examples", {}).items():
            yield pytest.param(content["schema"], example["value"], id=f"{where} {name}")


def validator(schema):
    return jsonschema.Draft202012Validator(
        schema, resolver=jsonschema.RefResolver("", DOCUMENT),
        format_checker=jsonschema.FormatChecker())


def routes():
    """Method and path of each row of the table in hub/routes.c that is not OCPI's."""
    source = (ROOT / "hub" / "routes.c").read_text(encoding="utf-8")
    found = re.findall(r'^\s*\{"([A-Z]+)",\s*"(/[^"]*)",\s*DOOR_', source, re.MULTILINE)
    return {(method, path) for method, path in found if not path.startswith("/ocpi")}


def test_every_route_is_described_and_nothing_else_is():
    described = {(method, path) for method, path, _ in operations()}
    assert routes(), "the table in hub/routes.c has another shape now"
    assert described == routes()


def test_finance_answers_are_described_by_what_the_door_and_the_body_can_lead_to():
    source = (ROOT / "hub" / "routes.c").read_text(encoding="utf-8")
    found = re.findall(r'^\s*\{"([A-Z]+)",\s*"(/[^"]*)",\s*DOOR_FINANCE,\s*(\w+)', source, re.MULTILINE)
    assert len(found) > 20, "the table in hub/routes.c has another shape now"
    for method, path, flags in found:
        operation = DOCUMENT["paths"][path][method.lower()]
        expected = {"401", "403", "500", "503"}
        expected |= {"400", "413", "415"} if "ROUTE_JSON" in flags else set()
        expected |= {"404"} if "{" in path else set()
        assert expected <= set(operation["responses"]), (method, path)
        assert operation["security"] == [{"staff_jwt": []}, {"admin_token": []}], (method, path)


def test_every_error_code_of_the_program_is_in_the_enum():
    source = (ROOT / "base" / "err.h").read_text(encoding="utf-8")
    codes = set(re.findall(r'^\s*X\([A-Z_]+,\s*\d+, "([a-z_]+)"', source, re.MULTILINE)) - {"ok"}
    assert "evse_busy" in codes, "the list in base/err.h has another shape now"
    enum = DOCUMENT["components"]["schemas"]["ProblemCode"]["enum"]
    assert codes <= set(enum), codes - set(enum)
    assert len(enum) == len(set(enum))


def test_every_code_that_a_response_names_is_known():
    known = set(DOCUMENT["components"]["schemas"]["ProblemCode"]["enum"])
    for method, path, operation in operations():
        for status, response in operation["responses"].items():
            response = resolved(response)
            if "application/problem+json" not in response.get("content", {}):
                continue
            words = set(re.findall(r"`([a-z_]+)`", response["description"]))
            fields = {w for w in words if w.endswith(("_required", "_invalid", "_past", "_too_far",
                                                      "_ordered", "_at_zero", "_empty", "_conflict"))}
            other = {"session_id", "session_status", "errors"}
            assert words - fields - other <= known, (method, path, status)
            assert words & known, (method, path, status, "names no code")


def test_field_codes_are_those_of_the_program():
    source = "".join(p.read_text(encoding="utf-8") for p in sorted((ROOT / "hub" / "api").glob("*.c")))
    given = set(re.findall(r'"([a-z_]+_(?:required|invalid|past|too_far|ordered|at_zero|empty|conflict))"',
                           source))
    text = (OPENAPI / "openapi.yaml").read_text(encoding="utf-8")
    assert "evse_id_required" in given
    assert {code for code in given if f"`{code}`" not in text} == set()


@pytest.mark.parametrize("schema, value", examples())
def test_example_fits_its_schema(schema, value):
    errors = [f"{'/'.join(map(str, e.absolute_path))}: {e.message}"
              for e in validator(schema).iter_errors(value)]
    assert not errors, errors


def test_schemas_are_schemas():
    for where, content in contents():
        try:
            jsonschema.Draft202012Validator.check_schema(content["schema"])
        except jsonschema.SchemaError as e:
            pytest.fail(f"{where}: {e.message}")
    for schema in DOCUMENT["components"]["schemas"].values():
        jsonschema.Draft202012Validator.check_schema(schema)


def test_times_are_text():
    def walk(node, where):
        if isinstance(node, dict):
            for key, value in node.items():
                walk(value, f"{where}/{key}")
        elif isinstance(node, list):
            for i, value in enumerate(node):
                walk(value, f"{where}/{i}")
        else:
            assert node is None or isinstance(node, (str, int, float, bool)), \
                f"{where}: {node!r} needs quotes"

    walk(DOCUMENT, "")


def test_idempotency_key_is_offered_where_sessions_are_changed():
    for method, path, operation in operations():
        if not path.startswith("/v1/sessions"):
            continue
        names = {resolved(p)["name"] for p in operation.get("parameters", [])}
        assert ("Idempotency-Key" in names) == (method in ("POST", "DELETE")), (method, path)


@pytest.fixture(scope="module")
def redocly():
    """The linter of package-lock.json, installed once below build/; or the reason why not."""
    if not shutil.which("node") or not shutil.which("npm"):
        pytest.skip("node and npm are not installed")
    home = ROOT / "build" / "openapi"
    program = home / "node_modules" / "@redocly" / "cli" / "bin" / "cli.js"
    lock = (OPENAPI / "package-lock.json").read_bytes()
    done = home / "installed"
    if not (done.exists() and done.read_bytes() == lock):
        home.mkdir(parents=True, exist_ok=True)
        for name in ("package.json", "package-lock.json"):
            shutil.copy(OPENAPI / name, home)
        try:
            npm = subprocess.run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"],
                                 cwd=home, capture_output=True, text=True, check=False, timeout=90)
        except subprocess.TimeoutExpired:
            pytest.skip("npm did not end within 90 s: the package registry is not reachable")
        if npm.returncode:
            network = re.search(r"ENOTFOUND|EAI_AGAIN|ECONN|ETIMEDOUT|ENETUNREACH|network|E40[1347]",
                                npm.stderr)
            if network:
                pytest.skip(f"the package registry is not reachable: {npm.stderr.strip()[:200]}")
            pytest.fail(f"npm ci: {npm.stderr}")
        done.write_bytes(lock)
    return program


def test_redocly_has_nothing_to_say(redocly):
    lint = subprocess.run(
        ["node", redocly, "lint", OPENAPI / "openapi.yaml", "--config", OPENAPI / "redocly.yaml"],
        capture_output=True, text=True, check=False, timeout=60, cwd=ROOT,
        env={**os.environ, "REDOCLY_TELEMETRY": "off", "REDOCLY_SUPPRESS_UPDATE_NOTICE": "true",
             "NO_COLOR": "1"})
    assert lint.returncode == 0, lint.stdout + lint.stderr
    assert "warning" not in (lint.stdout + lint.stderr).lower(), lint.stdout + lint.stderr
