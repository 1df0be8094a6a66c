# SPDX-License-Identifier: Apache-2.0
"""
What leaves the house: the month's sums of each network against those of its receipts and of its CDRs
as they came; the lists against their description; and all of them in a spreadsheet program.
"""

import json
import shutil
import subprocess
import xml.etree.ElementTree as tree
from decimal import ROUND_HALF_UP, Decimal

import pytest
from harness import User, World, ok, wait_until
from test_cdr_intake import books_agree, charged, credit_of, post, record, remember_places, rows  # noqa: F401
from test_finance import Person, this_month, unmatched
from test_finance_lists import table
from test_openapi_examples import agrees, answer_content
from test_rules_transport import Cpo

NAMES = {"2.2.1": 'Größe & Söhne, "Nord"', "2.3.0": "+Ström Oy"}
# Each is an id of OCPI, and something else to a careless spreadsheet.
IDS = ("00123", "12E5", "=1+1", "+49", "-5", "@A1", "2026-11-21", "TRUE", "1,5")
LISTS = ("/receipts", "/cdrs", "/cases", "/ledger", "/reconciliation", "/statements", "/statements/{id}/lines")


@pytest.fixture(scope="module")
def world(directory, token_keys):
    w = World(directory / "exports")
    try:
        w.start(sim=False, jwt_keys_file=token_keys.jwks_file, power_tolerance=10, max_open_sessions=100,
                cancellation_hold="1s", issuer_name="Hub Oy", issuer_address="Testikatu 1, 00100 Helsinki",
                issuer_vat_id="FI00000000", issuer_contact="help@hub.example")
        yield w
        books_agree(w)
    finally:
        w.stop()
        shutil.rmtree(w.directory, ignore_errors=True)


@pytest.fixture(scope="module")
def cpos(world):
    made = {v: Cpo(v, "DE", f"X{n}P", name=NAMES[v]) for n, v in enumerate(NAMES)}
    for cpo in made.values():
        cpo.register(world.hub)
    yield made
    for cpo in made.values():
        cpo.close()


@pytest.fixture(scope="module")
def ann(world, token_keys):
    return Person(world.hub, token_keys, "ann")


@pytest.fixture
def month(world, cpos, ann):
    """Two networks with a month behind them; made once."""
    if hasattr(world, "month"):
        return world.month
    user, first = User(world.hub), cpos["2.2.1"]
    for cpo in cpos.values():
        for net, gross in ((3.0, 3.57), (3.0004, 3.565), (2.9951, 3.5649)):
            _, session = charged(cpo, user)
            cdr = record(cpo, session, net=net, gross=gross)
            post(cpo, cdr)
        post(cpo, credit_of(cpo, cdr))
        _, session = charged(cpo, user)
        post(cpo, record(cpo, session, net=9.0, gross=10.71))  # disputed: the user pays, the network waits
        _, session = charged(cpo, user)
        post(cpo, record(cpo, session, total_energy=500.0))  # quarantined: nobody pays
    for name in IDS:
        _, session = charged(first, user)
        post(first, record(first, session, id=name))
    unmatched(first, user)
    _, session = charged(first, user)
    post(first, record(first, session, currency="SEK", tariff={**first.tariff(), "currency": "SEK"}))
    ok(ann.post("/terms/" + str(partner_of(world, first)), {"currency": "EUR", "vat_treatment": "domestic", "vat_rate": 19,
                                                           "fee_percent": 2.5, "fee_vat_rate": 25.5, "netting": True},
                method="PUT"))
    wait_until(lambda: len(rows(world, "SELECT 1 FROM receipt WHERE kind = 'cancellation'")) == len(cpos),
               what="the cancellations")
    world.month = this_month()
    return world.month


def partner_of(world, cpo):
    return rows(world, "SELECT id FROM partner WHERE name = %s", cpo.name)[0]["id"]


def every_list(world, cpos, month):
    owed = f"{month}-{partner_of(world, cpos['2.2.1'])}-EUR"
    for path in LISTS:
        yield path, path.replace("{id}", owed), {"month": month} if path in ("/reconciliation", "/statements") else {}


# ---- sums ----


def cent(amount):
    return Decimal(amount).quantize(Decimal("0.01"), ROUND_HALF_UP)


def cost_of(cdr):
    """What a document of any version says is to be paid: before tax, and with it."""
    cost = cdr["total_cost"]
    if "excl_vat" in cost:
        return cost["excl_vat"], cost["incl_vat"]
    return cost["before_taxes"], cost["before_taxes"] + sum(t["amount"] for t in cost["taxes"])


def test_the_month_of_each_network_is_that_of_its_receipts_and_of_its_cdrs(world, month, cpos, ann):
    """Two ways, and neither is the hub's: the receipts table, and the bytes that the networks sent."""
    told = {(r["network"], r["currency"]): r for r in json.loads(
        ann.get("/reconciliation", month=month).text, parse_float=Decimal)["items"]}
    assert {n for n, _ in told} == set(NAMES.values()) and (NAMES["2.2.1"], "SEK") in told
    for (network, currency), row in told.items():
        by_receipts, = rows(world, "SELECT sum(amount_minor) AS gross, sum(net_minor) AS net, sum(vat_minor) AS vat,"
                            " count(*) AS n FROM receipt r JOIN session s ON s.id = r.session_id JOIN partner p ON"
                            " p.id = s.partner_id WHERE p.name = %s AND r.currency = %s", network, currency)
        gross = owed = Decimal(0)
        billed = rows(world, "SELECT convert_from(body, 'UTF8') AS body, class FROM cdr c JOIN partner p ON"
                      " p.id = c.partner_id WHERE p.name = %s AND accepted_at IS NOT NULL", network)
        for text in billed:
            cdr = json.loads(text["body"], parse_float=Decimal)
            if cdr["currency"] != currency:
                continue
            before, after = cost_of(cdr)
            disputed = text["class"] == "DISPUTE"  # then the user pays what the tariff comes to
            gross += cent(cdr["total_energy"] * Decimal("0.30") * Decimal("1.19") if disputed else after)
            owed += 0 if disputed else Decimal(before)
        assert row["gross"] == row["gross_by_cdrs"] == gross == Decimal(by_receipts["gross"]) / 100, (network, currency)
        assert row["net"] == Decimal(by_receipts["net"]) / 100 and row["vat"] == Decimal(by_receipts["vat"]) / 100
        assert row["owed"] == row["owed_by_ledger"] == owed
        assert row["receipts"] + row["cancellations"] == by_receipts["n"] and row["control"] is True
    assert told[NAMES["2.3.0"], "EUR"]["disputed"] == told[NAMES["2.3.0"], "EUR"]["quarantined"] == 1
    assert told[NAMES["2.3.0"], "EUR"]["cancellations"] == 1
    for network in NAMES.values():
        only = ok(ann.get("/reconciliation", month=month, network=network))["items"]
        assert {r["network"] for r in only} == {network}


# ---- as it is described ----


def test_each_list_is_as_it_is_described(world, month, cpos, ann):
    for path, asked, params in every_list(world, cpos, month):
        answer = ok(ann.get(asked, **params))
        assert answer["items"], path
        content = answer_content("GET", "/v1/finance" + path)
        agrees(answer, content, "some")
        schema = content["schema"]["properties"]["items"]["items"]
        for item in answer["items"]:
            assert set(item) == set(schema["required"]) == set(schema["properties"]), path
        example = answer_content("GET", "/v1/finance" + path, kind="text/csv")["examples"]["some"]["value"]
        text = ann.get(asked, "text/csv", **params).content.decode()
        assert text.split("\r\n")[0] == example.split("\r\n")[0], path
        assert text.endswith("\r\n") and text.replace("\r\n", "").count("\n") == 0


def test_single_objects_are_as_they_are_described(world, month, cpos, ann):
    owed = f"{month}-{partner_of(world, cpos['2.2.1'])}-EUR"
    receipt = ok(ann.get("/receipts"))["items"][0]
    cdr = next(c for c in ok(ann.get("/cdrs"))["items"] if c["filed"] == "billed")
    for path, asked in (("/receipts/{id}", f"/receipts/{receipt['receipt_number']}"), ("/cdrs/{id}", f"/cdrs/{cdr['id']}"),
                        ("/statements/{id}", f"/statements/{owed}"), ("/terms", "/terms"), ("/check", "/check")):
        content = answer_content("GET", "/v1/finance" + path)
        assert content.get("examples"), path
        # An open statement has no history yet; test_finance.py has the example of a closed one.
        agrees(ok(ann.get(asked)), content, *(() if path == "/statements/{id}" else content["examples"]))
    head = ann.get(f"/receipts/{receipt['receipt_number']}", "text/csv").text.split("\r\n")[0]
    example = answer_content("GET", "/v1/finance/receipts/{id}", kind="text/csv")["examples"]
    assert [e["value"].split("\r\n")[0] for e in example.values()] == [head]


# ---- spreadsheets ----

SOFFICE = shutil.which("soffice") or shutil.which("libreoffice")
NAMESPACES = {"t": "urn:oasis:names:tc:opendocument:xmlns:table:1.0", "x": "urn:oasis:names:tc:opendocument:xmlns:text:1.0",
              "o": "urn:oasis:names:tc:opendocument:xmlns:office:1.0"}


def sheet(text):
    """Rows of (type, value) of a flat OpenDocument; a formula is a type of its own."""
    def name(prefix, word):
        return f"{{{NAMESPACES[prefix]}}}{word}"

    out = []
    for row in tree.fromstring(text).iter(name("t", "table-row")):
        cells = []
        for cell in row.iter(name("t", "table-cell")):
            kind = cell.get(name("o", "value-type"))
            value = cell.get(name("o", "value")) or cell.get(name("o", "boolean-value")) or "\n".join(
                "".join(p.itertext()) for p in cell.findall("x:p", NAMESPACES))
            kind = "formula" if cell.get(name("t", "formula")) else kind
            cells += [(kind, value)] * min(int(cell.get(name("t", "number-columns-repeated"), "1")), 40)
        if any(kind for kind, _ in cells):
            out.append(cells)
    return out


def kind_in_json(value):
    if isinstance(value, bool):
        return "boolean"
    return "float" if isinstance(value, (int, Decimal)) else "string"


@pytest.mark.skipif(not SOFFICE, reason="soffice (Debian's libreoffice-calc-nogui) is not installed: no spreadsheet program")
@pytest.mark.timeout(400)
def test_libreoffice_reads_each_list_with_the_right_types_and_values(world, month, cpos, ann, tmp_path):
    """Numbers are numbers to the last digit, texts are texts whatever they look like, nothing is a formula."""
    asked = list(every_list(world, cpos, month))
    files = []
    for n, (_, path, params) in enumerate(asked):
        files.append(tmp_path / f"list{n}.csv")
        files[-1].write_bytes(ann.get(path, "text/csv", **params).content)
    # Comma, text quote ", UTF-8, from the first line, English, quoted cells are text, numbers are recognised.
    run = subprocess.run([SOFFICE, f"-env:UserInstallation=file://{tmp_path}/profile", "--headless",
                          "--infilter=CSV:44,34,76,1,,1033,true,true", "--convert-to", "fods", "--outdir", tmp_path, *files],
                         capture_output=True, text=True, check=False, timeout=300)
    assert run.returncode == 0, run.stderr
    seen = {"float": 0, "string": 0, "boolean": 0}
    for source, (path, asked_path, params) in zip(files, asked):
        grid = sheet(source.with_suffix(".fods").read_text(encoding="utf-8"))
        items = json.loads(ann.get(asked_path, **params).text, parse_float=Decimal)["items"]
        head, body, last = [v for _, v in grid[0]], grid[1:-1], grid[-1]
        assert len(body) == len(items) > 0, path
        assert last[0] == ("string", "#total") and last[1] == ("float", str(len(items))), path
        for row, item in zip(body, items):
            for column, (kind, value) in zip(head, row):
                if not column:
                    continue
                truth = item[column]
                if truth is None:
                    assert (kind, value) == (None, ""), (path, column, kind, value)
                    continue
                assert kind == kind_in_json(truth), (path, column, kind, value, truth)
                seen[kind] += 1
                if kind == "float":
                    assert Decimal(value) == truth, (path, column)
                elif kind == "boolean":
                    assert value == str(truth).lower()
                else:
                    assert value.removeprefix("'") == truth and value[0] not in "=+-@", (path, column, value)
    assert seen["float"] > 500 and seen["string"] > 500 and seen["boolean"] > 20, seen
    print("LibreOffice:", seen)
    assert set(IDS) <= {r["cdr_id"] for r in rows(world, "SELECT cdr_id FROM cdr WHERE filed = 'billed'")}


def test_the_bytes_are_utf8_and_safe(month, ann):
    lines, _ = table(ann.get("/cdrs", "text/csv"))
    ids = {x["cdr_id"] for x in lines}
    assert {x["network"] for x in lines} == {NAMES["2.2.1"], "'" + NAMES["2.3.0"]}
    assert {"'=1+1", "'+49", "'-5", "'@A1", "00123", "1,5"} <= ids and not ids & {"=1+1", "+49", "-5", "@A1"}
    assert any(x["net"].startswith("-") for x in lines), "a credit's amount is a number"
