# SPDX-License-Identifier: Apache-2.0
"""
Invoice reconciliation of OCPI 2.3.0: partners tell which CDRs their invoices cover, finance enters
the total and learns whether it fits; our own records go to partners that take them.
"""

import uuid
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from harness import Sim, ok, problem, wait_until
from partner import now
from test_finance_lists import get, staff, table
from test_versions_inbound import Speaker, done, envelope, face_url

MODULE = "invoicereconciliation"


class Issuer(Speaker):
    """A partner of 2.3.0 that invoices, and takes our records too where it is told so."""

    def __init__(self, country, party, role="CPO", takes=False, lists=False):
        super().__init__("2.3.0", country, party, role)
        self.endpoints = self.our_endpoints()
        if takes:
            self.endpoints.append({"identifier": MODULE, "role": "RECEIVER", "url": f"{self.base}/2.3.0/{MODULE}"})
        self.records, self.asked = [], []
        if lists:
            self.endpoints.append({"identifier": MODULE, "role": "SENDER", "url": f"{self.base}/2.3.0/{MODULE}"})
            self.scripted["GET", f"/2.3.0/{MODULE}"] = self.show

    def record(self, cdrs, **changes):
        return {"country_code": self.country, "party_id": self.party, "id": uuid.uuid4().hex,
                "invoice_id": f"I-{uuid.uuid4().hex[:8]}", "cdrs": cdrs, "last_updated": now(), **changes}

    def show(self, request):
        """Two records a page, with a Link to the next."""
        query = {k: v[0] for k, v in parse_qs(urlsplit(request["path"]).query).items()}
        self.asked.append(query)
        found = [r for r in self.records if r.get("last_updated", "") >= query.get("date_from", "")]
        offset = int(query.get("offset", 0))
        headers = {"X-Total-Count": str(len(found)), "X-Limit": "2"}
        if offset + 2 < len(found):
            headers["Link"] = f'<{self.base}/2.3.0/{MODULE}?offset={offset + 2}>; rel="next"'
        return 200, self.envelope(found[offset:offset + 2]), headers

    def pulled(self, world, full=False):
        """Asks the hub to fetch our list, and waits for it."""
        where = "y.partner_id = l.partner_id AND y.party_id = %s AND l.module = %s"

        def finished():
            return world.sql("SELECT l.started_at FROM pull l, party y WHERE l.started_at IS NOT NULL AND"
                             f" l.lease_until IS NULL AND l.cursor IS NULL AND {where}", self.party, MODULE)

        (before,), = wait_until(finished, 15, "the first pull")
        world.sql("UPDATE pull l SET due_at = hub_now(), full_at = CASE WHEN %s THEN NULL ELSE full_at END"
                  f" FROM party y WHERE {where}", full, self.party, MODULE)
        wait_until(lambda: [at for at, in finished() if at > before], 15, "the pull")

    def delete(self, url):
        return requests.delete(url, headers=self.headers(), timeout=30)

    def at(self, record=None):
        base = self.urls[MODULE, "RECEIVER"]
        return f"{base}/{record['country_code']}/{record['party_id']}/{record['id']}" if record else base

    def told(self, method):
        return self.requests(method, f"/2.3.0/{MODULE}")


@pytest.fixture(scope="module")
def cast(shared_world):
    made = {"cpo": Issuer("NO", "IVA", takes=True), "other": Issuer("NO", "IVB"),
            "emsp": Issuer("NO", "IVC", "EMSP"), "lister": Issuer("NO", "IVD", lists=True)}
    try:
        for p in made.values():
            p.register(shared_world.hub)
        yield made
    finally:
        for p in made.values():
            p.close()


def cdr(world, p, net, owed="now()", gross=None, **more):
    """A CDR that we owe, as the intake leaves it."""
    name = f"C{uuid.uuid4().hex[:10]}"
    values = {"cdr_id": name, "path": name, "country_code": p.country, "party_id": p.party, "currency": "EUR",
              "filed": "billed", "class": "OK", **more}
    partner, = world.sql("SELECT partner_id FROM party WHERE country_code = %s AND party_id = %s", p.country, p.party)
    world.sql(f"""INSERT INTO cdr ({', '.join(values)}, partner_id, body, content_hash, energy_mwh, total_cost_excl_u6,
                      total_cost_u6, has_incl_vat, credit, plausible, last_updated, received_at, owed_at, end_at)
                  VALUES ({', '.join(['%s'] * len(values))}, %s, '{{}}', 'x', 1000000, %s, %s, %s, false, true, now(),
                      now(), {owed}, now()) RETURNING id""",
              *values.values(), partner[0], net, gross or net, gross is not None)
    return name


def post(hub, path, body, token=None):
    return requests.post(f"{hub.url}/v1/finance{path}", json=body, timeout=60, headers={
        "Authorization": f"Bearer {token or hub.secrets.admin_token}"})


def number_of(world, record):
    return world.sql("SELECT id FROM invoice_record WHERE record_id = %s", record["id"])[0][0]


# ---------------------------------------------------------------- the module


def test_the_module_is_listed_for_2_3_0_once_in_each_role(hub, cast):
    """R-VER-06, R-VER-02."""
    for face, versions in (("emsp", ("2.1.1", "2.2.1", "2.3.0")), ("platform", ("2.2.1", "2.3.0"))):
        for version in versions:
            found = done(cast["cpo"].get(face_url(hub, face, version)))["endpoints"]
            mine = sorted((e["role"], e["url"]) for e in found if e["identifier"] == MODULE)
            url = face_url(hub, face, f"{version}/{MODULE}")
            assert mine == ([("RECEIVER", url), ("SENDER", url)] if version == "2.3.0" else [])
    for p, path in ((cast["cpo"], f"emsp/2.2.1/{MODULE}"), (cast["emsp"], f"2.2.1/{MODULE}")):
        assert p.get(f"{hub.url}/ocpi/{path}").status_code == 404


def test_a_record_is_posted_changed_read_and_deleted(hub, cast):
    """R-INV-02, R-TRANS-30, R-TRANS-33."""
    p = cast["cpo"]
    record = p.record(["A", "B"])
    answer = p.post(p.at(), record)
    done(answer, 201)
    assert answer.headers["Location"] == p.at(record)
    assert done(p.get(p.at(record))) == record
    assert done(p.get(f"{p.at()}/no/iva/{record['id'].upper()}")) == record  # R-TYPE-01
    done(p.post(p.at(), record))  # the same once more
    envelope(p.post(p.at(), {**record, "cdrs": ["A"]}), 200, 2001)
    changed = {**record, "cdrs": ["A"], "last_updated": now(1)}
    done(p.put(p.at(record), changed))
    done(p.put(p.at(record), record))  # older: taken, and nothing changes (R-TRANS-15)
    assert done(p.get(p.at(record))) == changed
    done(p.delete(p.at(record)))
    for method in (p.get, p.delete):
        assert method(p.at(record)).status_code == 404
    done(p.post(p.at(), record), 201)


def test_a_put_of_an_unknown_record_makes_it(cast):
    """R-INV-05."""
    p = cast["cpo"]
    record = p.record(["A"])
    done(p.put(p.at(record), record), 201)
    assert done(p.get(p.at(record))) == record


def stored(world):
    return [world.sql(f"SELECT t::text FROM {t} t ORDER BY 1") for t in ("invoice_record", "invoice_cdr", "invoice_total")]


LEFT_OUT = object()
FIELDS = ("country_code", "party_id", "id", "invoice_id", "cdrs", "last_updated")


@pytest.mark.parametrize("where, change", [
    *((f"/{f}", {f: LEFT_OUT}) for f in FIELDS), *((f"/{f}", {f: None}) for f in FIELDS),
    *((f"/{f}", {f: 7}) for f in FIELDS), *((f"/{f}", {f: {"x": [1]}}) for f in FIELDS),
    *((f"/{f}", {f: ""}) for f in FIELDS),
    ("/cdrs", {"cdrs": []}), ("/cdrs", {"cdrs": "A"}), ("/cdrs/0", {"cdrs": ["x" * 40]}),
    ("/cdrs/1", {"cdrs": ["A", None]}), ("/cdrs/1", {"cdrs": ["A", ""]}), ("/cdrs/0", {"cdrs": [["A"]]}),
    ("/cdrs/0", {"cdrs": ["A\n"]}), ("/cdrs/0", {"cdrs": ["\u00fc"]}),
    ("/id", {"id": "x" * 37}), ("/id", {"id": "a\tb"}), ("/id", {"id": "\U0001f600"}), ("/id", {"id": " "}),
    ("/invoice_id", {"invoice_id": "x" * 256}), ("/country_code", {"country_code": "NOR"}),
    ("/country_code", {"country_code": "N*"}), ("/party_id", {"party_id": "I/A"}),
    ("/last_updated", {"last_updated": now(2 * 86400)}), ("/last_updated", {"last_updated": "2026-13-01T00:00:00Z"}),
    ("/party_id", {"party_id": "IVB"}), ("/party_id", {"party_id": "HUB"})])
def test_a_wrong_record_is_refused_and_the_place_named(world, cast, where, change):
    """R-TRANS-18, R-TRANS-15, R-TYPE-01: by POST and by PUT; what there is stays as it is."""
    p = cast["cpo"]
    good = p.record(["A"])
    done(p.post(p.at(), good), 201)
    before = stored(world)
    for method, base in ((p.post, p.record(["A"])), (p.put, {**good, "last_updated": now(5)})):
        record = {k: v for k, v in {**base, **change}.items() if v is not LEFT_OUT}
        answer = method(p.at(good) if method == p.put else p.at(), record)
        envelope(answer, 200, 2001)
        assert f"{where}:" in answer.json()["status_message"]
    assert stored(world) == before


@pytest.mark.parametrize("raw", [b"", b"null", b"[]", b"5", b"{", b'{"id":"a\\u0000b"}', b"\xff\xfe"])
def test_what_is_no_record_changes_nothing(world, cast, raw):
    """R-TRANS-32."""
    p, before = cast["cpo"], stored(world)
    answer = requests.post(p.at(), data=raw, headers={**p.headers(), "Content-Type": "application/json"}, timeout=30)
    assert answer.json()["status_code"] in (2000, 2001) and stored(world) == before


@pytest.mark.parametrize("odd", ["a/b", "../../x", "a b", "a%2Fb", "?x=1", "#f", "';--", "<b>", "a\\b", 'a"b'])
def test_ids_of_any_printable_letters_have_an_address(cast, odd):
    """R-VER-09."""
    p = cast["cpo"]
    record = p.record([odd], id=f"{odd}-{uuid.uuid4().hex[:8]}", invoice_id=odd)
    answer = p.post(p.at(), record)
    done(answer, 201)
    assert done(p.get(answer.headers["Location"])) == record
    done(p.delete(answer.headers["Location"]))


def test_an_invoice_of_many_thousand_cdrs(world, hub, cast):
    """All are judged; what shows them in one piece has the first 1000."""
    p = cast["cpo"]
    known = cdr(world, p, 5000000)
    record = p.record([f"{n:039d}" for n in range(40000)] + [known])

    def taken(ask):  # on a busy machine a statement may take longer than it may: then once more
        return wait_until(lambda: (a := ask()).status_code != 503 and a, 30, "the database to have the time")

    done(taken(lambda: p.post(p.at(), record)), 201)
    number = number_of(world, record)
    answer = ok(taken(lambda: post(hub, f"/invoices/{number}/total", {"net": 5.4, "currency": "EUR"})))
    assert answer["state"] == "matched" and answer["totals"][0]["tolerance"] == 0.4
    assert (answer["counts"]["unknown"], answer["counts"]["ok"], len(answer["cdrs"])) == (40000, 1, 1000)
    rows, total = table(get(hub, f"/invoices/{number}/cdrs", accept="text/csv"))
    assert len(rows) == 40001 and [r["cdr_id"] for r in rows if r["class"] == "ok"] == [known]
    before = stored(world)
    answer = p.post(p.at(), p.record(["x" * 39] * 100000))
    assert answer.status_code == 413 and stored(world) == before
    done(p.delete(p.at(record)))


def test_records_are_fetched_from_those_who_list_them(world, cast):
    """R-INV-05, R-TRANS-18, R-TRANS-40: issuers need not push; what is wrong on a page costs only itself."""
    p = cast["lister"]
    first, second, third = (p.record([f"L{n}"]) for n in range(3))
    wrong, foreign = {**p.record(["W"]), "cdrs": []}, p.record(["F"], party_id="IVB")
    p.records = [first, wrong, second, foreign, third]
    p.pulled(world, full=True)
    p.asked, first_pull = [], p.asked[-3:]
    assert first_pull == [{"limit": "20"}, {"offset": "2"}, {"offset": "4"}]
    for record in (first, second, third):
        assert done(p.get(p.at(record))) == record
    assert p.get(p.at(wrong)).status_code == 404
    assert not world.sql("SELECT 1 FROM invoice_record WHERE record_id = %s", foreign["id"])
    # What was missed comes with the next one; what is deleted stays so while the page is an old one.
    done(p.delete(p.at(second)))
    changed = {**first, "cdrs": ["L0", "L1"], "last_updated": now(1)}
    p.records[0] = changed
    p.pulled(world)
    assert any("date_from" in asked for asked in p.asked)
    assert done(p.get(p.at(first))) == changed and p.get(p.at(second)).status_code == 404
    p.records[2] = {**second, "last_updated": now(2)}
    p.pulled(world)
    assert done(p.get(p.at(second))) == p.records[2]


def test_ids_of_credit_cdrs_have_39_characters(cast):
    """R-INV-03."""
    p = cast["cpo"]
    record = p.record(["x" * 39])
    done(p.post(p.at(), record), 201)
    assert done(p.get(p.at(record)))["cdrs"] == ["x" * 39]


def test_url_and_body_name_the_same_record(cast):
    """R-TRANS-16, R-TRANS-17."""
    p = cast["cpo"]
    record = p.record(["A"])
    envelope(p.put(p.at(record), {**record, "id": "another"}), 200, 2001)
    envelope(p.put(p.at(record), {**record, "party_id": "IVB"}), 200, 2001)
    assert p.get(p.at(record)).status_code == 404


def test_a_record_of_others_is_a_missing_one(cast):
    """R-TRANS-16, R-TRANS-33."""
    p, other = cast["cpo"], cast["other"]
    record = p.record(["A"])
    done(p.post(p.at(), record), 201)
    for method, body in ((other.get, ()), (other.delete, ()), (other.put, ({**record, "cdrs": ["B"]},))):
        assert method(p.at(record), *body).status_code == 404
    mine = {**record, "party_id": other.party, "cdrs": ["B"]}
    done(other.post(other.at(), mine), 201)  # the same id, in its own right
    assert done(p.get(p.at(record))) == record and done(other.get(other.at(mine))) == mine


def test_an_emsp_bills_in_reverse_at_the_platform(world, hub, cast):
    """R-INV-04: the record is the eMSP's, its CDRs are those of the CPO of the exchange."""
    p, cpo = cast["emsp"], cast["cpo"]
    name = cdr(world, cpo, 5000000, owed="NULL", filed="carried", token_country=p.country, token_party=p.party)
    record = p.record([name])
    done(p.post(p.at(), record), 201)
    assert p.at(record).startswith(f"{hub.url}/ocpi/2.3.0/{MODULE}/")
    shown = ok(get(hub, f"/invoices/{number_of(world, record)}"))
    assert [(c["cdr_id"], c["class"]) for c in shown["cdrs"]] == [(name, "ok")]


# ---------------------------------------------------------------- finance


def test_an_invoice_that_fits_is_matched(world, hub, cast, token_keys):
    """R-INV-01: the listed CDRs are summed and compared with the document."""
    p = cast["cpo"]
    names = [cdr(world, p, 5000000), cdr(world, p, 2504900)]
    record = p.record(names)
    done(p.post(p.at(), record), 201)
    number = number_of(world, record)
    token = staff(token_keys, "finance")
    shown = ok(get(hub, f"/invoices/{number}", token))
    assert shown["state"] == "open" and shown["invoice_id"] == record["invoice_id"]
    (key,) = shown["expected"]
    assert (key["net"], key["vat"], key["gross"], key["cdrs"]) == (7.5, 0, 7.5, 2)
    answer = ok(post(hub, f"/invoices/{number}/total", {"net": 7.52, "currency": "EUR"}, token))
    assert answer["state"] == "matched" and answer["totals"][0]["difference"] == 0.02
    assert answer["totals"][0]["by"] == "staff:ann"
    assert ok(get(hub, f"/invoices/{number}", token)) == answer


def test_an_invoice_that_does_not_fit_tells_what_may_explain_it(world, hub, cast):
    p = cast["cpo"]
    good, disputed = cdr(world, p, 5000000), cdr(world, p, 3000000, owed="NULL", **{"class": "DISPUTE"})
    foreign = cdr(world, cast["other"], 1000000)
    record = p.record([good, disputed, foreign, "NEVER"])
    done(p.post(p.at(), record), 201)
    number = number_of(world, record)
    # A credit note, another currency, a sum beyond all reason: kept, and none of them fits.
    for total in ({"net": -5, "currency": "EUR"}, {"net": 5, "currency": "SEK"}, {"net": 999999999999, "currency": "EUR"}):
        assert ok(post(hub, f"/invoices/{number}/total", total))["state"] == "differs"
    answer = ok(post(hub, f"/invoices/{number}/total", {"gross": 8, "currency": "EUR"}))
    assert answer["state"] == "differs" and answer["totals"][-1]["difference"] == 3
    assert [(d["cdr_id"], d["class"], d["net"]) for d in answer["differences"]] == [
        (disputed, "disputed", 3), (foreign, "other_party", 1), ("NEVER", "unknown", None)]
    assert answer["counts"] == {"ok": 1, "disputed": 1, "other_party": 1, "unknown": 1, "credited": 0,
                                "in_other_invoice": 0}
    # The issuer corrects it; the total stands for the record as it was.
    done(p.put(p.at(record), {**record, "cdrs": [good], "last_updated": now(1)}))
    assert ok(get(hub, f"/invoices/{number}"))["state"] == "open"
    assert ok(post(hub, f"/invoices/{number}/total", {"net": 5, "currency": "EUR"}))["state"] == "matched"


def test_invoices_are_listed_as_json_and_csv(world, hub, cast):
    p = cast["cpo"]
    record = p.record([cdr(world, p, 1000000), "NEVER"])
    done(p.post(p.at(), record), 201)
    number = number_of(world, record)
    ok(post(hub, f"/invoices/{number}/total", {"net": 1.00, "currency": "EUR"}))
    (row,) = [r for r in ok(get(hub, "/invoices", network=p.name, state="matched"))["items"] if r["id"] == number]
    assert (row["cdrs"], row["not_ok"], row["total"], row["expected"], row["difference"]) == (2, 1, 1, 1, 0)
    rows, _ = table(get(hub, "/invoices", accept="text/csv", network=p.name))
    assert str(number) in {r["id"] for r in rows}
    assert number not in {r["id"] for r in ok(get(hub, "/invoices", state="differs"))["items"]}


def test_invoices_by_hubctl(world, hub, cast):
    p = cast["cpo"]
    name = cdr(world, p, 4000000)
    record = p.record([name, "NEVER-BY-CTL"])
    done(p.post(p.at(), record), 201)
    number = str(number_of(world, record))
    assert record["invoice_id"] in hub.say("finance", "invoices", "--partner", p.name, "--state", "open")
    assert name in hub.say("finance", "invoice", number)
    listed = hub.say("finance", "invoice-cdrs", number)
    assert name in listed and "unknown" in listed
    assert "differs" in hub.say("finance", "invoice-total", number, "--net", "-4", "--currency", "EUR")
    assert "matched" in hub.say("finance", "invoice-total", number, "--net", "4.00", "--currency", "EUR")
    assert "NEVER-BY-CTL" in hub.say("finance", "invoice-gaps", "--partner", p.name, "--kind", "unknown_cdr")
    done(p.delete(p.at(record)))


def test_gaps_are_listed(world, hub, cast):
    p = cast["other"]
    lost = cdr(world, p, 1000000, owed="now() - interval '46 days'")
    young = cdr(world, p, 1000000, owed="now() - interval '44 days'")
    twice = cdr(world, p, 1000000)
    for cdrs in ([twice, "NEVER-1"], [twice]):
        done(p.post(p.at(), p.record(cdrs)), 201)
    found = ok(get(hub, "/invoices/gaps", network=p.name))["items"]
    assert {("not_invoiced", lost), ("unknown_cdr", "NEVER-1"), ("in_two_invoices", twice)} <= {
        (g["kind"], g["cdr_id"]) for g in found}
    assert young not in {g["cdr_id"] for g in found}
    rows, _ = table(get(hub, "/invoices/gaps", accept="text/csv", kind="not_invoiced", network=p.name))
    assert lost in {r["cdr_id"] for r in rows} and {r["kind"] for r in rows} == {"not_invoiced"}


@pytest.mark.parametrize("body, field, code", [
    ({"currency": "EUR"}, "net", "total_required"), ({"net": 1, "gross": 1, "currency": "EUR"}, "net", "total_required"),
    ({"net": "1", "currency": "EUR"}, "net", "net_invalid"), ({"gross": None, "currency": "EUR"}, "gross", "gross_invalid"),
    ({"net": 1}, "currency", "currency_invalid"), ({"net": 1, "currency": "eur"}, "currency", "currency_invalid"),
    ({"net": 1, "currency": "ZZZ"}, "currency", "currency_invalid"), ({"net": 1e300, "currency": "EUR"}, "net", "net_invalid"),
    ({"net": 1.005, "currency": "EUR"}, "net", "net_invalid"), ({"gross": 1.5, "currency": "JPY"}, "gross", "gross_invalid"),
    ({"net": 1, "currency": "EUR", "vat": 1}, "vat", "unknown_field")])
def test_a_bad_total_names_its_field(hub, body, field, code):
    found = problem(post(hub, "/invoices/1/total", body), 422, "validation_failed")["errors"]
    assert [(e["field"], e["code"]) for e in found] == [(field, code)]


def test_finance_writes_auditors_read_and_nobody_else(hub, token_keys):
    total = {"net": 1, "currency": "EUR"}
    for path in ("/invoices", "/invoices/gaps", "/invoices/999999999"):
        problem(get(hub, path, token_keys.token("ann")), 401, "token_invalid")
        problem(get(hub, path, staff(token_keys, "operator", "lead", "admin")), 403, "forbidden")
        assert get(hub, path, staff(token_keys, "auditor")).status_code in (200, 404)
    problem(post(hub, "/invoices/1/total", total, staff(token_keys, "auditor")), 403, "forbidden")
    problem(get(hub, "/invoices/1/cdrs", staff(token_keys, "operator", "lead", "admin")), 403, "forbidden")
    for id in ("0", "x", "999999999", "99999999999999999999"):
        problem(get(hub, f"/invoices/{id}/cdrs"), 404, "not_found")
        problem(post(hub, f"/invoices/{id}/total", total), 404, "not_found")
        problem(get(hub, f"/invoices/{id}"), 404, "not_found")
    problem(get(hub, "/invoices", state="lost"), 422, "validation_failed")
    problem(get(hub, "/invoices/gaps", month="2026-01"), 422, "validation_failed")


# ---------------------------------------------------------------- ours


def issue(world, p, cdrs, record, invoice="FI-HUB-1"):
    partner, = world.sql("SELECT partner_id FROM party WHERE country_code = %s AND party_id = %s", p.country, p.party)
    return world.sql("SELECT invoice_issue(%s, %s, %s, %s, %s, %s::text[], NULL)", partner[0], p.country, p.party,
                     record, invoice, cdrs)[0][0]


def test_our_record_is_posted_then_put_then_deleted(world, hub, cast):
    """R-INV-02, R-INV-04: the path has our party."""
    p, record = cast["cpo"], uuid.uuid4().hex
    number = issue(world, p, ["A", "B"], record)
    wait_until(lambda: p.told("POST"), 10, "the record")
    (told,) = p.told("POST")
    assert told["body"]["id"] == record and told["body"]["cdrs"] == ["A", "B"]
    assert told["headers"]["OCPI-to-party-id"] == p.party
    owner = told["body"]["country_code"], told["body"]["party_id"]
    issue(world, p, ["A"], record)
    wait_until(lambda: p.told("PUT"), 10, "its change")
    (told,) = p.told("PUT")
    assert told["path"].endswith("/{}/{}/{}".format(*owner, record)) and told["body"]["cdrs"] == ["A"]
    world.sql("SELECT invoice_withdraw(%s)", number)
    wait_until(lambda: p.told("DELETE"), 10, "its end")
    assert p.told("DELETE")[0]["path"] == told["path"]


def test_a_change_of_what_never_arrived_is_posted(world, hub, cast):
    p, record = cast["cpo"], uuid.uuid4().hex
    p.scripted["PUT", f"/2.3.0/{MODULE}"] = lambda _: (404, {"status_code": 2003, "timestamp": now()})
    p.scripted["POST", f"/2.3.0/{MODULE}"] = lambda _: (503, {"status_code": 3000, "timestamp": now()})
    try:
        issue(world, p, ["A"], record)

        def posted():
            return [t for t in p.told("POST") if t["body"]["id"] == record]

        wait_until(posted, 10, "the first try")
        issue(world, p, ["B"], record)
        del p.scripted["POST", f"/2.3.0/{MODULE}"]
        wait_until(lambda: [t for t in posted() if t["body"]["cdrs"] == ["B"]], 20, "the record")
    finally:
        p.scripted.clear()


def test_a_partner_reads_our_records(world, hub, cast):
    """R-TRANS-40..44: pages, and dates of last_updated; nobody sees what is for others."""
    p = cast["other"]
    ids = [uuid.uuid4().hex for _ in range(3)]
    for record in ids:
        issue(world, p, ["A"], record)
    url = p.urls[MODULE, "SENDER"]
    answer = p.get(url + "?limit=2")
    assert [r["id"] for r in done(answer)] == ids[:2]
    assert answer.headers["X-Total-Count"] == "3"
    link = answer.headers["Link"].split(">")[0][1:]
    assert link.startswith(url + "?") and [r["id"] for r in done(p.get(link))] == ids[2:]
    assert done(p.get(f"{url}?date_from={now(60)}")) == []
    assert len(done(p.get(f"{url}?date_to={now(60)}"))) == 3
    emsp = cast["emsp"]
    assert done(emsp.get(emsp.urls[MODULE, "SENDER"])) == []
    assert not set(ids) & {r["id"] for r in done(cast["cpo"].get(cast["cpo"].urls[MODULE, "SENDER"]))}


# ---------------------------------------------------------------- with a real partner


@pytest.fixture(scope="module")
def networks(shared_world, directory):
    """The simulator, as a CPO at our eMSP and as an eMSP at the platform."""
    made = {}
    try:
        for role, party in (("CPO", "IVS"), ("EMSP", "IVT")):
            name = f"Invoices {role}"
            sim = Sim(directory / f"invoices-{role}", "--version", "2.3.0", "--party", f"NO*{party}", "--name", name,
                      role=role.lower())
            made[role] = sim
            shared_world.hub.ctl("partner", "register", "--versions-url", sim.info["versions_url"], "--token-a",
                                 sim.info["token_a"], "--role", role, "--version", "2.3.0")
            wait_until(lambda s=sim: s.get("/sim/state")["registered"], what=f"{name} to be registered")
        yield made
    finally:
        for sim in made.values():
            sim.stop()


@pytest.mark.parametrize("role, party", [("CPO", "IVS"), ("EMSP", "IVT")])
def test_records_go_both_ways_with_a_partner(world, hub, networks, role, party):
    """R-INV-02, R-INV-04, R-TRANS-48: told, changed, read by page, deleted; no rule is broken."""
    sim, record = networks[role], uuid.uuid4().hex
    answer = sim.post("/sim/invoice", id=record, invoice_id="I-1", cdrs=["A", "B"])
    assert answer["status"] == 201, answer
    assert sim.post("/sim/invoice", id=record, invoice_id="I-1", cdrs=["A"], method="PUT")["status"] == 200
    (row,) = [r for r in ok(get(hub, "/invoices"))["items"] if r["record_id"] == record]
    assert (row["cdrs"], row["party_id"], row["direction"], row["state"]) == (1, party, "received", "open")
    assert sim.post("/sim/invoice", id=record, cdrs=[], method="DELETE")["status"] == 200
    assert ok(get(hub, f"/invoices/{row['id']}"))["state"] == "deleted"

    class Named:
        country = "NO"

    Named.party = party
    mine = uuid.uuid4().hex
    number = issue(world, Named, ["A", "B"], mine)

    def told():
        found = sim.get("/sim/received", module=MODULE, id=mine)["items"]
        return found[0] if found else None

    wait_until(told, 10, "our record")
    assert told()["document"]["cdrs"] == ["A", "B"] and told()["valid"]
    issue(world, Named, ["B"], mine)
    wait_until(lambda: told()["document"]["cdrs"] == ["B"], 10, "its change")
    pulled = sim.post("/sim/pull", module=MODULE)
    assert (pulled["count"], pulled["invalid"], pulled["error"]) == (1, 0, None)
    world.sql("SELECT invoice_withdraw(%s)", number)
    wait_until(lambda: told()["deleted"], 10, "its end")
    assert sim.get("/sim/violations")["count"] == 0
