# SPDX-License-Identifier: Apache-2.0
"""
Receipts for people (contract 5.6, money 8): JSON with everything, a page, a PDF, in three languages.
The CPO is played by the test, so that its names may be hostile and its records may be credited.
"""

import contextlib
import json
import re
import shutil
import struct
import subprocess
import uuid
import xml.etree.ElementTree as ET
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from decimal import Decimal

import pytest
import requests
from harness import BUILD, User, World, ok, problem, wait_until
from partner import Partner, now

PDF, HTML = "application/pdf", "text/html"
RECEIPT_KEYS = {"session_id", "network", "evse_id", "energy_kwh", "duration_minutes", "cost",
                "currency", "payment_status"}
DETAIL_KEYS = {"receipt_number", "revision", "issued_at", "cancelled_by", "cost_excl_vat", "vat_amount",
               "vat_included", "vat", "line_items", "start_time", "end_time", "location", "cdr_id"}
WORDS = {
    "en": ("Receipt", "Charging session", "Session fee", "Net total", "€6.84", "€5.75", "€1.09",
           "11.000 kWh", "€0.59/kWh", "19%", "Page 1 of 1", "Germany"),
    "de": ("Rechnung", "Ladevorgang", "Grundpreis", "Summe netto", "6,84 €", "5,75 €", "1,09 €",
           "11,000 kWh", "0,59 €/kWh", "19 %", "Seite 1 von 1", "Deutschland"),
    "fi": ("Kuitti", "Lataustapahtuma", "Aloitusmaksu", "Veroton summa", "6,84 €", "5,75 €", "1,09 €",
           "11,000 kWh", "0,59 €/kWh", "19 %", "Sivu 1/1", "Saksa"),
}
HOSTILE = "<script>alert('x')</script> & \"Söhne\" \u202eevil ]]>"


@pytest.fixture(scope="module")
def world(directory, token_keys):
    w = World(directory / "receipts")
    try:
        w.start(sim=False, jwt_keys_file=token_keys.jwks_file, issuer_name="Nordlicht Mobility Hub Oy",
                issuer_address="Mannerheimintie 12 B, 00100 Helsinki", issuer_contact="help@hub.example",
                issuer_vat_id="FI12345678", receipt_series="DOC", receipt_language="de",
                cancellation_hold="1s")
        ok(w.hub.admin("PUT", "/vat/DE", json={"rate": 19, "valid_from": "2020-01-01",
                                               "vat_id": "DE123456789", "currency": "EUR"}))
        ok(w.hub.admin("POST", "/retail-tariffs", json={
            "id": "RT-DOC", "version": 1, "name": "Standard <Europe>", "currency": "EUR", "vat": 19,
            "kwh_price": 0.59, "session_price": 0.35, "max_charging_time": 720,
            "time_tariffs": [{"starting_at_minute": 0, "minute_price": 0},
                             {"starting_at_minute": 240, "minute_price": 0.10}],
            "selector": {"country": ["DEU"]}}))
        yield w
    finally:
        w.stop()
        shutil.rmtree(w.directory, ignore_errors=True)


@pytest.fixture(scope="module")
def cpo(world):
    p = Partner("DE", "DOC", "Doc & Sons <Power>")
    try:
        p.register(world.hub)
        p.place = p.location(name=HOSTILE, address="Lange Straße 1")
        p.place["evses"] = [p.location(p.place["id"] + f"-{i}")["evses"][0] for i in range(12)]
        assert p.put(p.own("locations", p.place["id"]), p.place).status_code in (200, 201)
        p.free = iter(p.place["evses"])
        yield p
    finally:
        p.close()


class Charged:
    """A session of a user of its own at the test's CPO, and the records that are sent for it."""

    def __init__(self, world, cpo):
        self.world, self.cpo, self.user = world, cpo, User(world.hub)
        evse = next(cpo.free)
        wait_until(lambda: (self.user.evse(evse["evse_id"]).json().get("tariff") or {})
                   .get("kwh_price") == 0.59, 10, "the EVSE with its price")
        before = len(cpo.requests("POST", "/2.2.1/commands/START_SESSION"))
        self.id = ok(self.user.start(evse["evse_id"]))["session_id"]
        command = wait_until(lambda: cpo.requests("POST", "/2.2.1/commands/START_SESSION")[before:], 10,
                             "the command")[0]["body"]
        token = command["token"]
        self.document = cpo.session(
            location=cpo.place, evse_uid=evse["uid"], start_date_time=now(-2700), kwh=11.0,
            authorization_reference=command["authorization_reference"],
            cdr_token={k: token[k] for k in ("country_code", "party_id", "uid", "type", "contract_id")})
        self.put(status="ACTIVE")
        self.user.wait_for(self.id, "active")

    def put(self, **changes):
        self.document = {**self.document, **changes, "last_updated": now()}
        answer = self.cpo.put(self.cpo.own("sessions", self.document["id"]), self.document)
        assert answer.json()["status_code"] == 1000, answer.text

    def record(self, energy=11.0, cost=3.30, **changes):
        """A CDR of 45 minutes; its receipt is example W10 of the rules."""
        start = self.document["start_date_time"]
        end = datetime.fromisoformat(start) + timedelta(seconds=2700)
        cdr = self.cpo.cdr(self.document, start_date_time=start, end_date_time=end.strftime("%Y-%m-%dT%H:%M:%SZ"),
                           total_energy=energy, tariffs=[self.cpo.tariff()],
                           total_cost={"excl_vat": cost, "incl_vat": round(cost * 1.19, 4)}, **changes)
        cdr["cdr_location"].update(name=HOSTILE, address="Lange Straße 1", postal_code="10115",
                                   id=self.cpo.place["id"])
        self.send(cdr)
        return cdr

    def send(self, cdr):
        answer = self.cpo.post(self.cpo.url("cdrs"), cdr)
        assert answer.json()["status_code"] == 1000, answer.text

    def billed(self):
        self.put(status="COMPLETED", end_date_time=now())
        self.cdr = self.record()
        self.user.wait_for(self.id, "completed")
        return self

    def get(self, accept=None, language=None, user=None, **params):
        headers = {k: v for k, v in {"Accept": accept, "Accept-Language": language}.items() if v is not None}
        return (user or self.user).call("GET", f"/v1/sessions/{self.id}/receipt", params=params,
                                        headers=headers)


@pytest.fixture(scope="module")
def charged(world, cpo):
    return Charged(world, cpo).billed()


def body_of(answer, kind):
    assert answer.status_code == 200, answer.text
    assert answer.headers["Content-Type"].split(";")[0] == kind
    return answer.content


@pytest.fixture
def text_of(tmp_path):
    """What a reader can mark and copy."""
    def text(pdf):
        path = tmp_path / f"{uuid.uuid4().hex}.pdf"
        path.write_bytes(pdf)
        done = subprocess.run(["pdftotext", "-layout", "-enc", "UTF-8", path, "-"], check=True,
                              stdout=subprocess.PIPE)
        return re.sub(r"[ \u00a0]+", " ", done.stdout.decode())
    return text


# ---- JSON ----


def test_the_default_is_json_with_exactly_its_keys(charged):
    for accept in (None, "*/*", "application/json", "application/json; charset=utf-8", "application/*",
                   "not a media type", ""):
        answer = charged.get(accept)
        receipt = json.loads(body_of(answer, "application/json"))
        assert set(receipt) == RECEIPT_KEYS
        assert receipt["cost"] == 6.84 and receipt["energy_kwh"] == 11.0 and receipt["duration_minutes"] == 45
        assert {v.strip() for v in answer.headers["Vary"].split(",")} == {"Accept", "Accept-Language"}


def test_the_detail_adds_up(charged):
    receipt = json.loads(body_of(charged.get(detail="full"), "application/json"), parse_float=Decimal)
    assert set(receipt) == RECEIPT_KEYS | DETAIL_KEYS
    assert re.fullmatch(r"DOC-\d{4}-\d{7}", receipt["receipt_number"])
    assert receipt["revision"] == 1 and receipt["cancelled_by"] is None
    lines = {line["kind"]: line for line in receipt["line_items"]}
    assert lines["session"]["amount"] == Decimal("0.35")
    assert lines["energy"] == {"kind": "energy", "quantity": 11, "unit": "kwh", "unit_price": Decimal("0.59"),
                               "amount": Decimal("6.49"), "vat_rate": 19}
    assert lines["time"]["quantity"] == 45 and lines["time"]["amount"] == 0
    assert sum(line["amount"] for line in receipt["line_items"]) == receipt["cost"] == Decimal("6.84")
    assert receipt["vat"] == [{"rate": 19, "net": Decimal("5.75"), "amount": Decimal("1.09")}]
    assert receipt["cost_excl_vat"] + receipt["vat_amount"] == receipt["cost"]
    assert receipt["vat_included"] is True and receipt["cdr_id"] == charged.cdr["id"]
    assert receipt["location"]["name"] == HOSTILE and receipt["location"]["country"] == "DEU"
    assert receipt["location"]["time_zone"] == "Europe/Berlin"
    assert receipt["start_time"] == re.sub(r"\.\d+Z", "Z", charged.cdr["start_date_time"])


def test_another_detail_is_refused(charged):
    body = problem(charged.get(detail="some"), 422, "validation_failed")
    assert [(e["field"], e["code"]) for e in body["errors"]] == [("detail", "detail_invalid")]


# ---- which form ----


@pytest.mark.parametrize("accept,kind", [
    (PDF, PDF), (HTML, HTML), ("text/*", HTML), ("application/json;q=0.5, application/pdf", PDF),
    ("text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8", HTML),
    ("application/pdf;q=0.2, */*;q=0.1", PDF), ("image/png, application/pdf;q=0.1", PDF),
    ("application/pdf;q=0, */*", "application/json"), ("*/*, application/json;q=0.1", HTML),
])
def test_accept_chooses_the_form(charged, accept, kind):
    body_of(charged.get(accept), kind)


@pytest.mark.parametrize("accept", ["image/png", "text/plain", "application/json;q=0", "*/*;q=0"])
def test_other_forms_there_are_none(charged, accept):
    assert "application/pdf" in problem(charged.get(accept), 406, "not_acceptable")["detail"]


@pytest.mark.parametrize("header,language", [
    ("en", "en"), ("de", "de"), ("fi", "fi"), ("fi-FI,fi;q=0.9,en;q=0.8", "fi"), ("de-AT", "de"),
    ("sv;q=0.9, en;q=0.1", "en"), ("sv, no", "de"), (None, "de"), ("*", "en"), ("de;q=0.1, fi;q=0.2", "fi"),
])
def test_accept_language_chooses_the_words(charged, text_of, header, language):
    """Without one of ours: the hub's own, here German."""
    answer = charged.get(HTML, header)
    page = body_of(answer, HTML).decode()
    assert answer.headers["Content-Language"] == language
    assert f'lang="{language}"' in page and f"<h1>{WORDS[language][0]}</h1>" in page
    answer = charged.get(PDF, header)
    assert answer.headers["Content-Language"] == language
    assert WORDS[language][0] in text_of(body_of(answer, PDF))


def test_there_is_no_document_without_a_receipt(world, cpo, charged):
    other = Charged(world, cpo)
    for accept in ("application/json", HTML, PDF):
        problem(other.get(accept), 409, "receipt_not_ready")
        assert other.get(accept).headers["Retry-After"] == "30"
        # Nor for those whom it does not concern.
        problem(charged.get(accept, user=User(world.hub)), 404, "session_not_found")
    other.put(status="INVALID")


# ---- paper ----


def test_the_same_receipt_is_the_same_pdf(charged):
    """Fault C22: it is drawn again whenever it is wanted, with the same hash. By any worker."""
    with ThreadPoolExecutor(8) as pool:
        for language in WORDS:
            drawn = set(pool.map(lambda _, l=language: body_of(charged.get(PDF, l), PDF), range(24)))
            assert len(drawn) == 1
            assert next(iter(drawn)).startswith(b"%PDF-")


def test_a_pdf_that_is_drawn_after_a_restart_is_the_same(world, charged):
    before = body_of(charged.get(PDF, "fi"), PDF)
    world.hub.stop()
    world.hub.start()
    assert body_of(charged.get(PDF, "fi"), PDF) == before


@pytest.mark.parametrize("language", WORDS)
def test_the_text_of_the_pdf_is_that_of_the_receipt(charged, text_of, language):
    text = text_of(body_of(charged.get(PDF, language), PDF))
    for word in WORDS[language]:
        assert word in text, (word, text)
    full = ok(charged.get(detail="full"))
    for word in (full["receipt_number"], charged.id, charged.cdr["id"], "Nordlicht Mobility Hub Oy",
                 "Mannerheimintie 12 B", "00100 Helsinki", "DE123456789", "help@hub.example",
                 "Standard <Europe>", "Lange Straße 1", "10115 Berlin", "<script>alert('x')</script>",
                 full["network"], full["evse_id"], "(UTC+"):
        assert word in text, (word, text)
    # What is said of it changes; a document does not.
    assert "not_required" not in text


def test_fonts_are_embedded_and_nothing_is_fetched(charged, tmp_path):
    pdf = body_of(charged.get(PDF, "fi"), PDF)
    path = tmp_path / "receipt.pdf"
    path.write_bytes(pdf)
    rows = subprocess.run(["pdffonts", path], check=True, stdout=subprocess.PIPE,
                          text=True).stdout.splitlines()[2:]
    assert rows
    for row in rows:
        embedded, subset, unicode_ = row.split()[-5:-2]
        assert (embedded, subset, unicode_) == ("yes", "yes", "yes"), row
    info = subprocess.run(["pdfinfo", path], check=True, stdout=subprocess.PIPE, text=True).stdout
    assert re.search(r"JavaScript:\s+no", info) and re.search(r"Pages:\s+1\n", info)
    assert "Nordlicht Mobility Hub Oy" in info and "A4" in info
    for word in (b"/URI", b"/Launch", b"/JavaScript", b"/AcroForm", b"/EmbeddedFile", b"/Annots"):
        assert word not in pdf


def test_the_file_has_a_name(charged):
    answer = charged.get(PDF)
    number = ok(charged.get(detail="full"))["receipt_number"]
    assert answer.headers["Content-Disposition"] == f'inline; filename="{number}.pdf"'
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "private" in answer.headers["Cache-Control"]


# ---- the page ----


@pytest.mark.parametrize("language", WORDS)
def test_the_page_is_well_formed_and_hostile_names_are_text(charged, language):
    answer = charged.get(HTML, language)
    page = body_of(answer, HTML).decode()
    root = ET.fromstring(page)  # well-formed, or it raises
    space = "{http://www.w3.org/1999/xhtml}"
    assert root.tag == space + "html"
    allowed = {"html", "head", "meta", "title", "style", "body", "main", "header", "section", "address",
               "strong", "br", "div", "h1", "h2", "dl", "dt", "dd", "p", "table", "thead", "tbody", "tfoot",
               "tr", "th", "td", "small", "ul", "li", "footer"}
    tags = {e.tag.removeprefix(space) for e in root.iter()}
    assert tags <= allowed, tags - allowed
    names = {a for e in root.iter() for a in e.attrib}
    assert not {a for a in names if a.startswith("on") or a in ("src", "href", "srcset", "action")}
    text = re.sub(r"[\s\u00a0]+", " ", " ".join(root.itertext()))
    assert "<script>alert('x')</script> & \"Söhne\"" in text
    for word in WORDS[language]:
        if "1 of 1" not in word and "1 von 1" not in word and "1/1" not in word:
            assert word in text, word
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy and "script-src" not in policy
    assert not re.search(r"https?://(?!www\.w3\.org/1999/xhtml)", page)
    assert "\u202e" not in page


# ---- credits ----


def test_after_a_credit_the_cancelled_one_and_then_the_replacement(world, cpo, text_of):
    """Contract 5.6: the replacement's receipt, until then the cancelled one."""
    c = Charged(world, cpo).billed()
    first = ok(c.get(detail="full"))
    paper = body_of(c.get(PDF, "de"), PDF)
    credit = {**c.cdr, "id": c.cdr["id"] + "-C", "credit": True, "credit_reference_id": c.cdr["id"],
              "total_cost": {k: -v for k, v in c.cdr["total_cost"].items()}, "last_updated": now()}
    c.send(credit)
    number = wait_until(lambda: ok(c.get(detail="full"))["cancelled_by"], 30, "the cancellation")
    again = ok(c.get(detail="full"))
    assert again == {**first, "cancelled_by": number}
    assert number in body_of(c.get(HTML, "de"), HTML).decode()
    # A document that was issued stays as it is.
    assert body_of(c.get(PDF, "de"), PDF) == paper

    content, issued = world.sql("SELECT content, issued_at FROM receipt WHERE number = %s", number)[0]
    with drawer() as draw:
        text = text_of(draw("de", number, issued.strftime("%Y-%m-%dT%H:%M:%SZ"), json.loads(content)))
    for word in ("Stornorechnung", number, first["receipt_number"], "−6,84 €", "−5,75 €", "−1,09 €",
                 "−11,000 kWh"):
        assert word in text, (word, text)

    c.record(energy=10.0, cost=3.0)
    second = wait_until(lambda: (r := ok(c.get(detail="full")))["revision"] > 1 and r, 10, "the new one")
    assert second["receipt_number"] not in (first["receipt_number"], number)
    assert second["cost"] == 6.25 and second["cancelled_by"] is None
    text = text_of(body_of(c.get(PDF, "en"), PDF))
    assert "Replaces receipt" in text and first["receipt_number"] in text and "€6.25" in text


# ---- the program that draws ----


@contextlib.contextmanager
def drawer():
    """Speaks to it as the hub does."""
    p = subprocess.Popen([BUILD / "hub" / "receipt-pdf"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def draw(language, number, issued, content):
        question = json.dumps({"language": language, "number": number, "issued": issued,
                               "content": content}).encode()
        p.stdin.write(struct.pack(">I", len(question)) + question)
        p.stdin.flush()
        answer = p.stdout.read(struct.unpack(">I", p.stdout.read(4))[0])
        assert answer[:1] == b"p", answer
        return answer[1:]

    try:
        yield draw
    finally:
        p.stdin.close()
        assert p.wait(10) == 0
        p.stdout.close()


def content_of(world, number):
    return json.loads(world.sql("SELECT content FROM receipt WHERE number = %s", number)[0][0])


def test_many_lines_fill_several_pages(world, charged, tmp_path, text_of):
    content = content_of(world, ok(charged.get(detail="full"))["receipt_number"])
    content["lines"] = [{**content["lines"][1], "quantity": n, "amount": float(n)} for n in range(1, 151)]
    with drawer() as draw:
        pdf = draw("en", "DOC-2026-0000001", "2026-11-13T08:00:00Z", content)
    text = text_of(pdf)
    pages = text.rstrip("\f").split("\f")
    assert len(pages) >= 4
    for n, page in enumerate(pages, 1):
        assert f"Page {n} of {len(pages)}" in page
        assert n == 1 or "DOC-2026-0000001 · continued" in page
    for n in range(1, 151):
        assert f"{n}.000 kWh" in text
    assert all("Unit price" in page for page in pages[:-1])


def test_names_of_any_length_and_script_stay_on_the_page(world, charged, text_of):
    content = content_of(world, ok(charged.get(detail="full"))["receipt_number"])
    content["issuer"]["name"] = "Ω" * 2000
    content["issuer"]["address"] = ["Straße " * 300] * 8
    content["issuer"]["contact"] = "x" * 4000
    content["location"].update(name="W" * 4000, address="Кириллица " * 200, city="北京 مدينة 😀 " * 100)
    content["buyer"] = {"name": "B" * 4000, "address": ["a\nb" * 500] * 8, "vat_id": "V" * 4000, "contact": None}
    content["notes"] = ["n" * 4000] * 32
    with drawer() as draw:
        pdf = draw("fi", "N" * 400, "2026-11-13T08:00:00Z", content)
    text = text_of(pdf)
    assert "6,84 €" in text and "5,75 €" in text and "Sivu 1/" in text


def test_a_world_without_the_program_still_has_receipts(make_world):
    w = make_world(receipt_pdf="/bin/false", workers=1)
    user = User(w.hub)
    session = user.started(w.fresh_evse())
    user.finished(session)
    answer = user.call("GET", f"/v1/sessions/{session}/receipt", headers={"Accept": PDF})
    problem(answer, 500, "internal_error")
    assert user.call("GET", f"/v1/sessions/{session}/receipt", headers={"Accept": HTML}).status_code == 200
    assert requests.get(w.hub.internal_url + "/healthz", timeout=5).status_code == 200
