# SPDX-License-Identifier: Apache-2.0
"""
Bad input for the finance API: whatever it is, a clear refusal that names what is wrong, and not a row
of the books is another one afterwards.
"""

import json
import time
import uuid

import pytest
import requests
from harness import User, wait_until
from test_finance_lists import billed, staff  # noqa: F401

BOOKS = ("receipt", "cdr", "ledger_entry", "ledger_line", "statement", "statement_line", "statement_series", "statement_terms",
         "finance_case", "receipt_series", "payment", "refund", "invoice_record", "invoice_total")
TERMS = {"currency": "EUR", "vat_treatment": "domestic", "vat_rate": 19}
DRAFT = {"energy_kwh": 1, "start_time": "2026-01-31T12:00:00Z", "end_time": "2026-01-31T12:30:00Z", "cost": 1, "reason": "none"}
LONG = "9" * 3000


def books(world):
    """What stands in them, whatever the order; when the hub itself looks at a CDR again is no part of it."""
    known = {t for t, in world.sql("SELECT table_name::text FROM information_schema.tables WHERE table_schema = 'public'")}
    return {t: world.sql(f"SELECT count(*), md5(string_agg(x::text, '|' ORDER BY x::text)) "
                         f"FROM (SELECT to_jsonb({t}) - 'retry_at' AS x FROM {t}) t") for t in BOOKS
            if t in known}


def standing_books(world):
    """They, once nothing is added any more: what is still charging here would end by itself meanwhile."""
    for session_id, user_id in world.sql("SELECT id::text, user_id FROM session WHERE state IN ('pending', 'active')"):
        User(world.hub, user_id).stop(session_id)
    readings = [books(world)]

    def still():
        time.sleep(1)
        readings.append(books(world))
        return readings[-1] == readings[-2]
    wait_until(still, 30, "the books to stand still")
    return readings[-1]


def ask(hub, token, method, path, body=None, raw=None, key="new", kind="application/json", **headers):
    headers["Authorization"] = f"Bearer {token}"
    if key:
        headers["Idempotency-Key"] = str(uuid.uuid4()) if key == "new" else key
    data = raw if raw is not None else None if body is None else json.dumps(body).encode()
    if data is not None and kind:
        headers["Content-Type"] = kind
    return requests.request(method, hub.url + "/v1/finance" + path, data=data, headers=headers, timeout=30)


def refused(answer, fields=None):
    """A problem of 4xx that tells something; the fields that it names."""
    assert 400 <= answer.status_code < 500, (answer.request.method, answer.request.url[:200], answer.status_code, answer.text[:300])
    assert answer.headers["Content-Type"].startswith("application/problem+json")
    body = answer.json()
    assert body["detail"] and body["status"] == answer.status_code and body["code"] and body["request_id"]
    told = [e["field"] for e in body.get("errors", [])]
    if fields is not None:
        assert told == fields, (answer.request.url[:200], answer.request.body, body)
    return body


def test_bad_bodies_are_told_by_field_and_change_nothing(world, hub, billed, token_keys):  # noqa: F811
    token = staff(token_keys, "finance")
    (receipt, cdr), = world.sql("SELECT r.id, r.cdr FROM receipt r WHERE session_id = %s", billed)
    partner, = world.sql("SELECT min(id) FROM partner")[0]
    before = standing_books(world)
    huge = {"resolution": "done", "note": "x" * 1000000}
    for method, path, body, fields in (
            ("PUT", f"/terms/{partner}", {**TERMS, "valid_from": "0000-01-01"}, ["valid_from"]),
            ("PUT", f"/terms/{partner}", {**TERMS, "valid_from": "2026-02-30"}, ["valid_from"]),
            ("PUT", f"/terms/{partner}", {**TERMS, "valid_from": 20260101}, ["valid_from"]),
            ("PUT", f"/terms/{partner}", {**TERMS, "valid_from": "2026-01-01T00"}, ["valid_from"]),
            ("PUT", f"/terms/{partner}", {**TERMS, "currency": "XXX"}, ["currency"]),
            ("PUT", f"/terms/{partner}", {**TERMS, "currency": "eur"}, ["currency"]),
            ("PUT", f"/terms/{partner}", {**TERMS, "currency": ["EUR"]}, ["currency"]),
            ("PUT", f"/terms/{partner}", {**TERMS, "vat_rate": True}, ["vat_rate"]),
            ("PUT", f"/terms/{partner}", {**TERMS, "vat_rate": "-0.0001"}, ["vat_rate"]),
            ("PUT", f"/terms/{partner}", {**TERMS, "vat_rate": "100.0001"}, ["vat_rate"]),
            ("PUT", f"/terms/{partner}", {**TERMS, "vat_rate": "19 "}, ["vat_rate"]),
            ("PUT", f"/terms/{partner}", {**TERMS, "vat_rate": "NaN"}, ["vat_rate"]),
            ("PUT", f"/terms/{partner}", {**TERMS, "vat_rate": LONG}, ["vat_rate"]),
            ("PUT", f"/terms/{partner}", {**TERMS, "fee_per_cdr": 1e300, "fee_vat_rate": 0}, ["fee_per_cdr"]),
            ("PUT", f"/terms/{partner}", {**TERMS, "fee_percent": [], "fee_vat_rate": 0}, ["fee_percent"]),
            ("PUT", f"/terms/{partner}", {**TERMS, "netting": None}, ["netting"]),
            ("PUT", f"/terms/{partner}", {}, ["currency", "vat_treatment"]),
            ("POST", f"/cdrs/{cdr}/match", {}, ["session_id"]),
            ("POST", f"/cdrs/{cdr}/match", {"session_id": None}, ["session_id"]),
            ("POST", f"/cdrs/{cdr}/match", {"session_id": billed + "0"}, ["session_id"]),
            ("POST", "/cases/1/resolve", {"resolution": 5}, ["resolution"]),
            ("POST", "/cases/1/resolve", {"resolution": "done", "note": "\u0000"}, None),
            ("POST", "/cases/1/resolve", {"resolution": "done", "note": "a\u0007"}, ["note"]),
            ("POST", "/cases/1/resolve", huge, None),
            ("POST", f"/sessions/{billed}/manual-cdr", {}, ["energy_kwh", "start_time", "end_time", "cost", "reason"]),
            ("POST", f"/sessions/{billed}/manual-cdr", {**DRAFT, "energy_kwh": 1e15}, ["energy_kwh"]),
            ("POST", f"/sessions/{billed}/manual-cdr", {**DRAFT, "cost": -1}, ["cost"]),
            ("POST", f"/sessions/{billed}/manual-cdr", {**DRAFT, "cost": 1e15}, ["cost"]),
            ("POST", f"/sessions/{billed}/manual-cdr", {**DRAFT, "currency": "EU"}, ["currency"]),
            ("POST", f"/sessions/{billed}/manual-cdr", DRAFT, []),  # it has a CDR
            ("POST", f"/receipts/{receipt}/refund", {}, ["amount", "reason"]),
            ("POST", f"/receipts/{receipt}/refund", {"amount": -1, "reason": "x"}, ["amount"]),
            ("POST", f"/receipts/{receipt}/refund", {"amount": 0.001, "reason": "x"}, ["amount"]),
            ("POST", f"/receipts/{receipt}/refund", {"amount": 1e300, "reason": "x"}, ["amount"]),
            ("POST", f"/receipts/{receipt}/refund", {"amount": 1, "reason": ""}, ["reason"]),
            ("POST", f"/receipts/{receipt}/refund", {"amount": 1, "reason": "nothing was paid"}, []),
            ("POST", f"/statements/2001-01-{partner}-EUR/state", {}, ["state"])):
        refused(ask(hub, token, method, path, body), fields)
    assert books(world) == before


def test_what_is_no_body_no_key_and_no_path_changes_nothing(world, hub, billed, token_keys):  # noqa: F811
    token = staff(token_keys, "finance")
    partner, = world.sql("SELECT min(id) FROM partner")[0]
    posts = ("/cdrs/1/match", "/cases/1/resolve", f"/sessions/{billed}/manual-cdr", "/receipts/1/refund")
    before = standing_books(world)
    for path in (*posts, f"/statements/2001-01-{partner}-EUR/state"):
        for raw, code in ((b"", None), (b"{", "malformed_json"), (b"[]", "invalid_body"), (b'"x"', "invalid_body"),
                          (b'{"a":1,"a":2}', "malformed_json"), (b'{"a":"\xff"}', "malformed_json"), (b"[" * 5000, "malformed_json"),
                          (b'{"a":' + LONG.encode() + b"}", None)):
            body = refused(ask(hub, token, "POST", path, raw=raw))
            assert code in (None, body["code"]), (path, raw, body)
        assert refused(ask(hub, token, "POST", path, raw=b"{}", kind="text/plain"))["code"] == "unsupported_media_type"
    for path in posts:
        assert refused(ask(hub, token, "POST", path, {"amount": 1, "reason": "x", "resolution": "done", "session_id": billed, **DRAFT},
                           key=None))["code"] == "idempotency_key_required"
        for key in ("", "x" * 201, "a\tb"):
            assert refused(ask(hub, token, "POST", path, {}, key=key))["code"] in ("idempotency_key_invalid", "idempotency_key_required")
    for path in ("/manual-cdrs/1/confirm", "/manual-cdrs/1/decline", f"/statements/2001-01-{partner}-EUR/close",
                 f"/statements/2001-01-{partner}-EUR/send", f"/refunds/{uuid.uuid4()}/confirm"):
        for raw in (b"{", b"[]", b"\xff"):
            refused(ask(hub, token, "POST", path, raw=raw))
        assert refused(ask(hub, token, "POST", path))["status"] in (404, 409)
    for wrong in ("0", "-1", "1.5", "1e3", "%20", "%2e%2e", "%00", "%ff", "1%2F2", "'", LONG, "99999999999999999999"):
        for method, path in (("GET", "/receipts/{}"), ("GET", "/cdrs/{}"), ("GET", "/statements/{}"), ("GET", "/statements/{}/lines"),
                             ("GET", "/invoices/{}"), ("POST", "/cdrs/{}/match"), ("POST", "/cases/{}/resolve"),
                             ("POST", "/manual-cdrs/{}/confirm"), ("POST", "/statements/{}/close"), ("POST", "/receipts/{}/refund"),
                             ("POST", "/refunds/{}/confirm"), ("POST", "/sessions/{}/manual-cdr"), ("PUT", "/terms/{}")):
            body = {"session_id": billed, "resolution": "done", "amount": 1, "reason": "x", **TERMS, **DRAFT}
            refused(ask(hub, token, method, path.format(wrong), body if method != "GET" else None))
    for method in ("PUT", "PATCH", "DELETE"):
        for path in ("/receipts", "/receipts/1", "/cdrs/1", "/statements/2001-01-1-EUR", "/ledger", "/cases/1"):
            assert refused(ask(hub, token, method, path))["code"] in ("method_not_allowed", "not_found")
    assert books(world) == before
    wait_until(lambda: ask(hub, token, "GET", "/check").json()["faults"] == [], what="books without a fault")


@pytest.mark.parametrize("list_", ["/receipts", "/cdrs", "/cases", "/ledger", "/refunds", "/reconciliation", "/statements",
                                   "/invoices", "/invoices/gaps"])
def test_no_question_gets_more_than_was_asked(hub, token_keys, list_):
    """A filter that cannot be understood is refused, not left out."""
    token = staff(token_keys, "auditor")
    month = "month=2026-01&" if list_ in ("/reconciliation", "/statements") else ""
    names = {"/receipts": "from to network payment_status user", "/cdrs": "from to network source matched filed",
             "/cases": "network kind resolved", "/ledger": "from to", "/refunds": "from to network status", "/reconciliation": "month network",
             "/statements": "month network", "/invoices": "from to network state", "/invoices/gaps": "network kind"}[list_].split()
    for name in names:
        rest = "" if name == "month" else month
        for value in ("", "%ff", "%00", "a%00", "%C3", "%ED%A0%80", "%c0%af"):
            refused(ask(hub, token, "GET", f"{list_}?{rest}{name}={value}"), [name])
        refused(ask(hub, token, "GET", f"{list_}?{rest}{name}"), [name])
        if name != "user":
            refused(ask(hub, token, "GET", f"{list_}?{rest}{name}=%27%3B--"), [name])
            refused(ask(hub, token, "GET", f"{list_}?{rest}{name}={LONG}"), [name])
        refused(ask(hub, token, "GET", f"{list_}?{rest}{name}=1&{name}=1"), [name])
    for other in ("Month=1", "limit=1", "x[]=1"):
        assert refused(ask(hub, token, "GET", f"{list_}?{month}{other}"))["errors"][0]["code"] == "unknown_parameter"
