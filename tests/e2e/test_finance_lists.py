# SPDX-License-Identifier: Apache-2.0
"""
Finance people's lists: who may see them, what stands in them, as JSON and as CSV, of any length.

FINANCE_ROWS: how many CDRs the long list has; a million by hand.
"""

import csv
import hashlib
import io
import json
import os
import pathlib
import re
from decimal import Decimal

import pytest
import requests
from harness import BUILD, ok, problem, wait_until

ROWS = int(os.environ.get("FINANCE_ROWS", "30000"))


def staff(token_keys, *roles, **claims):
    return token_keys.token("ann", aud="ocpi-hub-staff", roles=list(roles),
                            **{"amr": ["pwd", "mfa"], **claims})


def get(hub, path, token=None, accept=None, **params):
    headers = {"Authorization": f"Bearer {token or hub.secrets.admin_token}"}
    if accept:
        headers["Accept"] = accept
    return requests.get(hub.url + "/v1/finance" + path, headers=headers, params=params, timeout=60)


def table(answer):
    assert answer.status_code == 200, answer.text
    assert answer.headers["Content-Type"].startswith("text/csv")
    rows = list(csv.reader(io.StringIO(answer.content.decode(), newline="")))
    head, body, last = rows[0], rows[1:-1], rows[-1]
    assert last[0] == "#total" and int(last[1]) == len(body)
    return [dict(zip(head, row, strict=True)) for row in body], last


@pytest.fixture
def billed(world, user, evse):
    session = user.started(evse)
    user.stop(session)
    user.finished(session)
    wait_until(lambda: user.receipt(session).status_code == 200, what="the receipt")
    return session


# ---- who may ----

@pytest.mark.parametrize("path", ["/receipts", "/cdrs", "/cases", "/ledger", "/refunds", "/cdrs/1"])
def test_only_finance_and_auditors_see_it(hub, token_keys, path):
    # A user's token is none of staff, whoever signed it.
    problem(get(hub, path, token_keys.token("ann")), 401, "token_invalid")
    problem(get(hub, path, token_keys.token("ann", roles=["finance"], amr=["mfa"])), 401, "token_invalid")
    problem(get(hub, path, staff(token_keys, "operator", "lead", "admin")), 403, "forbidden")
    problem(get(hub, path, staff(token_keys)), 403, "forbidden")
    problem(get(hub, path, staff(token_keys, "finance", amr=["pwd"])), 403, "forbidden")
    for role in ("finance", "auditor"):
        answer = get(hub, path, staff(token_keys, role))
        assert answer.status_code in (200, 404), answer.text


def test_a_token_of_staff_is_no_users_token(hub, token_keys):
    problem(requests.get(hub.url + "/v1/sessions", timeout=10,
                         headers={"Authorization": f"Bearer {staff(token_keys, 'finance')}"}), 401, "token_invalid")


def test_a_robot_is_no_staff(hub, token_keys):
    problem(get(hub, "/receipts", staff(token_keys, "finance", act={"sub": "r2"})), 401, "token_invalid")


def test_the_same_token_is_judged_anew_at_each_door(hub, token_keys):
    token = token_keys.token("ann", aud=["ocpi-hub", "ocpi-hub-staff"], roles=["auditor"], amr=["mfa"])
    for _ in range(3):
        ok(requests.get(hub.url + "/v1/sessions", timeout=10, headers={"Authorization": f"Bearer {token}"}))
        assert get(hub, "/receipts", token).status_code == 200


# ---- what stands in them ----

def test_a_receipt_and_its_cdr_are_listed(world, hub, user, billed, token_keys):
    token = staff(token_keys, "finance")
    answer = ok(get(hub, "/receipts", token, user=user.sub))
    (receipt,) = answer["items"]
    told = ok(user.receipt(billed, detail="full"))
    assert receipt["receipt_number"] == told["receipt_number"]
    assert receipt["session_id"] == billed and receipt["kind"] == "receipt"
    assert receipt["gross"] == told["cost"] and receipt["currency"] == told["currency"]
    assert round(receipt["net"] + receipt["vat"], 2) == receipt["gross"]
    assert answer["count"] == 1 and answer["control_sum"] == receipt["gross"]

    cdrs = ok(get(hub, "/cdrs", token, matched="true"))["items"]
    (cdr,) = [c for c in cdrs if c["session_id"] == billed]
    assert cdr["class"] == "OK" and cdr["filed"] == "billed" and cdr["cdr_id"] == receipt["cdr_id"]
    whole = ok(get(hub, f"/cdrs/{cdr['id']}", token))
    assert whole["cdr_id"] in whole["raw"] and whole["receipts"] == [receipt["receipt_number"]]
    entries = [e for e in ok(get(hub, "/ledger", token))["items"] if e["cdr_id"] == cdr["cdr_id"]]
    assert entries and sum(Decimal(str(e["amount"])) for e in entries) == 0


def test_the_csv_is_the_same_list(hub, billed):
    rows, last = table(get(hub, "/receipts", accept="text/csv"))
    listed = {r["receipt_number"]: r for r in ok(get(hub, "/receipts"))["items"]}
    assert {r["receipt_number"] for r in rows} <= set(listed)
    if len({r["currency"] for r in rows}) == 1:
        assert Decimal(last[2]) == sum(Decimal(r["gross"]) for r in rows)
    for r in rows:
        assert Decimal(r["gross"]) == Decimal(str(listed[r["receipt_number"]]["gross"]))


def test_an_empty_list_has_its_header_and_its_end(hub):
    rows, last = table(get(hub, "/receipts", accept="text/csv", user="nobody at all"))
    assert rows == [] and last == ["#total", "0", "0"]
    assert ok(get(hub, "/receipts", user="nobody at all")) == {"items": [], "count": 0, "control_sum": 0}


def test_amounts_of_two_currencies_have_no_sum(world, hub):
    partner, = world.sql("SELECT id FROM partner LIMIT 1")
    for day, currency in ((1, "EUR"), (2, "EUR"), (3, "SEK")):
        world.sql("""INSERT INTO cdr (partner_id, country_code, party_id, cdr_id, path, body, content_hash,
                         energy_mwh, total_cost_u6, total_cost_excl_u6, has_incl_vat, currency, credit, plausible,
                         last_updated, received_at, filed, source)
                     SELECT %s, 'ZZ', 'SUM', 'sum-' || n, 'sum-' || n, '{}', 'x', 1, 1500000, 1500000, false, %s,
                            false, true, t, t, 'declined', 'push'
                       FROM (SELECT %s AS n, timestamptz '2003-01-01' + %s * interval '1 day' AS t) x
                     RETURNING 1""", partner[0], currency, day, day)
    for upto, summed in (("2003-01-04", 3), ("2003-01-05", None)):
        period = {"from": "2003-01-01", "to": upto}
        assert ok(get(hub, "/cdrs", **period))["control_sum"] == summed
        _, last = table(get(hub, "/cdrs", accept="text/csv", **period))
        assert (Decimal(last[2]) if summed else last[2]) == (summed or "")


def test_cases_are_listed_by_any_of_their_kinds(world, hub):
    words = world.sql("SELECT pg_get_constraintdef(oid) FROM pg_constraint"
                      " WHERE conname = 'finance_case_kind_check'")[0][0]
    kinds = re.findall(r"'([a-z_]+)'", words)
    assert len(kinds) == 18
    for kind in kinds:
        assert {c["kind"] for c in ok(get(hub, "/cases", kind=kind))["items"]} <= {kind}
    problem(get(hub, "/cases", kind="nonsense"), 422, "validation_failed")


def test_bad_questions_name_the_parameter(hub):
    for params, field, code in (
            ({"from": "yesterday"}, "from", "from_invalid"),
            ({"from": "2026-02-30"}, "from", "from_invalid"),
            ({"from": "2026-03-01", "to": "2026-02-01"}, "to", "to_invalid"),
            ({"network": "nobody"}, "network", "network_invalid"),
            ({"payment_status": "perhaps"}, "payment_status", "payment_status_invalid"),
            ({"from": ""}, "from", "from_invalid"), ({"network": ""}, "network", "network_invalid"),
            ({"from": ["2026-01-01", "2026-02-01"]}, "from", "from_invalid"), ({"user": ["a", "a"]}, "user", "user_invalid"),
            ({"user": b"\xff"}, "user", "user_invalid"), ({"user": b"a\0"}, "user", "user_invalid"),
            ({"network": b"\xff"}, "network", "network_invalid"),
            ({"limit": "5"}, "limit", "unknown_parameter"),
            ({"form": "2026-01-01"}, "form", "unknown_parameter")):
        answer = get(hub, "/receipts", **params)
        body = problem(answer, 422, "validation_failed")
        assert [(e["field"], e["code"]) for e in body["errors"]] == [(field, code)]
    for params in ({"filed": "nonsense"}, {"source": "fax"}, {"matched": "yes"}):
        assert problem(get(hub, "/cdrs", **params), 422, "validation_failed")["errors"][0]["field"] == list(params)[0]
    errors = problem(get(hub, "/receipts", **{f"x{i}": "1" for i in range(100)}), 422, "validation_failed")["errors"]
    assert 1 <= len(errors) <= 10
    problem(get(hub, "/receipts", accept="application/xml"), 406, "not_acceptable")
    for id in ("0", "x", "999999999999999999999", "1'"):
        problem(get(hub, f"/cdrs/{id}"), 404, "not_found")


def test_a_name_of_a_partner_is_no_formula(world, hub):
    """What a partner wrote stands in finance's spreadsheet as text."""
    partner, = world.sql("SELECT id FROM partner LIMIT 1")
    world.sql("""INSERT INTO cdr (partner_id, country_code, party_id, cdr_id, path, body, content_hash, energy_mwh,
                     total_cost_u6, total_cost_excl_u6, has_incl_vat, currency, credit, plausible, last_updated,
                     received_at, filed, source)
                 VALUES (%s, 'FI', 'VRT', '=HYPERLINK("http://x","y")', 'formula', '{}', 'x', 1, -5000000, -5000000,
                     false, 'EUR', false, true, now(), now(), 'unmatched', 'push') RETURNING id""", partner[0])
    rows, _ = table(get(hub, "/cdrs", accept="text/csv", matched="false"))
    (row,) = [r for r in rows if "HYPERLINK" in r["cdr_id"]]
    assert row["cdr_id"] == "'=HYPERLINK(\"http://x\",\"y\")" and row["credit"] == "false"
    assert row["net"] == "-5.0000"  # a number stays one


# ---- of any length ----

def memory_of(pid):
    for line in pathlib.Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1]) * 1024
    return 0


@pytest.fixture(scope="module")
def long_list(shared_world):
    partner, = shared_world.sql("SELECT id FROM partner LIMIT 1")
    shared_world.sql("""INSERT INTO cdr (partner_id, country_code, party_id, cdr_id, path, body, content_hash,
                            energy_mwh, total_cost_u6, total_cost_excl_u6, has_incl_vat, currency, credit, plausible,
                            last_updated, received_at, filed, source)
                        SELECT %s, 'ZZ', 'LNG', 'long-' || n, 'long-' || n, '{}', 'x', 10000000, n, n, false, 'EUR',
                               false, true, timestamptz '2001-01-01' + n * interval '1 second',
                               timestamptz '2001-01-01' + n * interval '1 second', 'declined', 'push'
                          FROM generate_series(1, %s) n RETURNING 1""", partner[0], ROWS)
    return {"from": "2001-01-01", "to": "2002-01-01"}


@pytest.mark.timeout(900)
@pytest.mark.parametrize("accept", ["text/csv", "application/json"])
def test_a_long_list_takes_no_more_memory_than_a_short_one(world, hub, long_list, accept):
    before = {pid: memory_of(pid) for pid in hub.worker_pids()}
    most, total, tail = dict(before), 0, b""
    answer = requests.get(hub.url + "/v1/finance/cdrs", params=long_list, stream=True, timeout=600,
                          headers={"Authorization": f"Bearer {hub.secrets.admin_token}", "Accept": accept})
    assert answer.status_code == 200
    for part in answer.iter_content(1 << 20):
        total += len(part)
        tail = (tail + part)[-200:]
        for pid in before:
            most[pid] = max(most[pid], memory_of(pid))
    assert total > ROWS * 80
    if accept == "text/csv":
        count, summed = tail.decode().strip().rsplit("\r\n", 1)[1].split(",")[1:]
    else:
        count, summed = tail.decode().rsplit('"count":', 1)[1].rstrip("}").split(',"control_sum":')
    assert int(count) == ROWS
    # Of net amounts with four decimals.
    assert abs(Decimal(summed) - Decimal(ROWS) * (ROWS + 1) / 2 / 1000000) < ROWS * Decimal("0.00005")
    if "asan" in BUILD.name:
        pytest.skip("AddressSanitizer keeps what was freed for a while: all but the memory was looked at")
    assert all(most[pid] - before[pid] < 24 << 20 for pid in before), (before, most)


def test_a_list_is_one_snapshot(world, hub, long_list):
    """What comes and changes while it is read does not stand in it."""
    answer = requests.get(hub.url + "/v1/finance/cdrs", params=long_list, stream=True, timeout=120,
                          headers={"Authorization": f"Bearer {hub.secrets.admin_token}", "Accept": "text/csv"})
    text = answer.raw.read(1000)
    assert world.sql("""INSERT INTO cdr (partner_id, country_code, party_id, cdr_id, path, body, content_hash,
                            energy_mwh, total_cost_u6, total_cost_excl_u6, has_incl_vat, currency, credit, plausible,
                            last_updated, received_at, filed, source)
                        SELECT partner_id, 'ZZ', 'LNG', 'late-' || n, 'late-' || n, '{}', 'x', 1, 1, 1, false, 'EUR', false,
                               true, now(), timestamptz '2001-12-01' + n * interval '1 second', 'declined', 'push'
                          FROM cdr, generate_series(1, 50) n WHERE cdr_id = 'long-1' RETURNING 1""")
    try:
        rows = list(csv.reader(io.StringIO((text + answer.raw.read()).decode(), newline="")))
        assert rows[-1][:2] == ["#total", str(ROWS)] and len(rows) == ROWS + 2
        assert not any("late-" in cell for row in rows[1:-1] for cell in row)
        assert ok(get(hub, "/cdrs", **{**long_list, "from": "2001-12-01"}))["count"] == 50
    finally:
        world.sql("UPDATE cdr SET received_at = '2003-01-01' WHERE cdr_id LIKE 'late-%%' AND party_id = 'LNG' RETURNING 1")


def test_each_export_is_told_to_the_log(hub, token_keys):
    answer = get(hub, "/receipts", staff(token_keys, "auditor"), "text/csv", **{"from": "2001-01-01", "user": "nobody"})
    table(answer)

    def told():
        lines = [json.loads(x) for x in hub.log.read_text(encoding="utf-8", errors="replace").splitlines()
                 if '"export"' in x]
        # Another empty list has the same bytes.
        return [x for x in lines if x.get("sha256") == hashlib.sha256(answer.content).hexdigest()
                and x.get("query") == "from=2001-01-01&user=nobody"]

    line = wait_until(told, what="the line of the log")[-1]
    assert (line["list"], line["who"], line["format"], line["rows"], line["whole"]) == ("receipts", "staff:ann", "csv", 0, True)


def test_a_client_that_reads_slowly_or_leaves_hurts_nobody(world, hub, long_list, user):
    answers = [requests.get(hub.url + "/v1/finance/cdrs", params=long_list, stream=True, timeout=60,
                            headers={"Authorization": f"Bearer {hub.secrets.admin_token}"}) for _ in range(3)]
    ok(user.list())
    for answer in answers:
        answer.raw.read(1000)
        answer.close()
    wait_until(lambda: world.sql("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'ocpi-hub export'")
               == [(0,)], seconds=30, what="the end of the exports")
    ok(user.list())


def test_too_many_lists_at_once_are_refused(hub, long_list):
    answers = [requests.get(hub.url + "/v1/finance/cdrs", params=long_list, stream=True, timeout=60,
                            headers={"Authorization": f"Bearer {hub.secrets.admin_token}"}) for _ in range(24)]
    try:
        refused = [a for a in answers if a.status_code != 200]
        for a in refused:
            problem(a, 503, "overloaded")
            assert a.headers["Retry-After"]
    finally:
        for a in answers:
            a.close()
