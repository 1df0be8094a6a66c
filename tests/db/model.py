# SPDX-License-Identifier: Apache-2.0
"""
A database with the hub's schema, and the hub's own SQL functions as methods: what the model tests
drive. Time is the connection's: Model.wait() shifts hub_now() for it.
"""

import datetime
import decimal
import itertools
import json
import pathlib
import uuid

import psycopg2
import psycopg2.extras

MIGRATIONS = pathlib.Path(__file__).parents[2] / "db" / "migrations"
UTC = datetime.timezone.utc
SERIES = "FI-HUB"
HOLD = 72 * 3600
ANSWER = "outcome, path, filed, cdr, class, receipt, waiting, (session).*"


def migrate(url):
    with psycopg2.connect(url) as connection, connection.cursor() as cursor:
        for path in sorted(MIGRATIONS.glob("*.sql")):
            cursor.execute(path.read_text(encoding="utf-8") + ";SELECT 1")
    connection.close()


class Model:
    """One partner with ten EVSEs of two connectors, and everything that may happen to a session."""

    numbers = itertools.count(1)

    def __init__(self, url):
        self.connection = psycopg2.connect(url, cursor_factory=psycopg2.extras.RealDictCursor)
        self.connection.autocommit = True
        self.shift = 0.0
        self.clock = 0  # makes every last_updated differ
        n = next(self.numbers)
        self.country, self.party = "FI", f"{n:03d}"
        self.partner = self.value("partner_invite", "CPO", self.country, self.party, "CPO",
                                  f"hash-{n}-{uuid.uuid4()}", "FI", "HUB")
        for i in range(10):
            document = {
                "id": f"L{i}", "publish": True, "evses": [{
                    "uid": f"E{i}", "evse_id": f"FI*{self.party}*E{i}", "status": "AVAILABLE",
                    "connectors": [{"id": "1"}, {"id": "2"}]}]}
            self.value("location_put", self.partner, self.country, self.party, f"L{i}",
                       psycopg2.extras.Json(document), self.now(), 0, True,
                       types={4: "text"})

    def close(self):
        self.connection.close()

    # ---- plumbing ----

    def rows(self, sql, *values):
        with self.connection.cursor() as cursor:
            cursor.execute(sql, values)
            return cursor.fetchall() if cursor.description else []

    def row(self, sql, *values):
        found = self.rows(sql, *values)
        return found[0] if found else None

    def call(self, function, *values, columns="*", types=None):
        marks = ", ".join(f"%s::{(types or {}).get(i)}" if (types or {}).get(i) else "%s"
                          for i in range(len(values)))
        return self.rows(f"SELECT {columns} FROM {function}({marks})", *values)

    def value(self, function, *values, types=None):
        return list(self.call(function, *values, types=types)[0].values())[0]

    # ---- time ----

    def wait(self, seconds):
        self.shift += seconds
        self.rows("SELECT set_config('hub.clock_shift', %s, false)", f"{self.shift} seconds")

    def wait_until(self, hour):
        """On to the next time that it is so many hours after midnight UTC, whenever the test is run."""
        now = self.now()
        then = now.replace(hour=hour, minute=0, second=0, microsecond=0)
        self.wait(((then - now).total_seconds() - 1) % 86400 + 1)

    def now(self):
        """By UTC, wherever the test is run."""
        return self.row("SELECT hub_now() AS now")["now"].astimezone(UTC)

    def later(self):
        """A time stamp that no earlier message has had."""
        self.clock += 1
        return self.now() + datetime.timedelta(microseconds=self.clock)

    # ---- what our side does ----

    def start(self, evse=0, connector="1", user="u", robot=None, key=None, body="b", own=False,
              target=0, max_open=100, grace=120):
        session = str(uuid.uuid4())
        answer = self.call(
            "session_start", session, user, robot, f"FI*{self.party}*E{evse}", "CPO", self.partner,
            self.country, self.party, f"L{evse}", f"E{evse}", connector, "{}", True, target, None,
            "EUR", max_open, grace, own, "FI-HUB", key, f"user:{user}", "POST", "/start", body,
            f'{{"session_id":"{session}"}}',
            columns="outcome, running_session_id, replay_status, replay_body, (session).*")[0]
        return answer

    def started(self, **ask):
        answer = self.start(**ask)
        assert answer["outcome"] == "stored", answer
        return answer["s_id"]

    def stop(self, session, user="u", robot=None, key=None, body="b", by="user:u",
             cause="user_stop"):
        return self.call("session_stop", session, user, robot, by, cause, key, f"user:{user}",
                         "POST", "/stop", body,
                         columns="outcome, replay_status, replay_body, (session).*")[0]

    def claim(self, session=None, limit=10):
        return self.call("operation_claim", session, limit, "test")

    def answer(self, operation, outcome, failure=None, timeout=30):
        return self.call("operation_answered", operation, outcome, failure, timeout, None)[0]

    def timers(self, limit=100):
        return self.call("timer_run", limit, SERIES, columns="pull_partner, (session).*")

    # ---- what the network does ----

    def result(self, callback, outcome, failure=None, partner=None):
        return self.call("operation_result", callback, partner or self.partner, outcome, failure,
                         outcome.upper(), columns="found, applied, kind, (session).*")[0]

    def push(self, name, status, session=None, kwh=0, at=None, start=None, end=None, cost=None,
             token=None, evse="E0", connector="1", text=None, if_version=0, pull=False,
             unreliable=False, partner=None):
        at = at or self.later()
        document = text or f"{name} {status} {kwh} {at} {cost}"
        return self.call(
            "network_session_put", partner or self.partner, self.country, self.party, name,
            document, f"hash of {document}", if_version, at, status, start or self.now(), end,
            round(kwh * 1000000), cost, "EUR", token, session, f"L{evse[1:]}", evse, connector,
            pull, unreliable, columns="outcome, created, (session).*")[0]

    def cdr(self, name, session=None, network_session=None, kwh=10, cost=7200000, currency="EUR",
            start=None, end=None, token=None, evse="E0", credit=False, credits=None, text=None,
            plausible=True, partner=None, grade=None, hold=HOLD, net=None, race=None):
        """Looks, prices, files, as hub/finance/intake.c does. race: called in between."""
        text = text or f"{name} {kwh} {cost}"
        end = end or self.now()
        start = start or end - datetime.timedelta(minutes=30)
        partner = partner or self.partner
        net = cost if net is None else net
        for _ in range(5):
            context = self.context(None, partner, self.country, self.party, name, f"hash of {text}",
                                   network_session, token, session, evse, start, end, currency,
                                   credit, credits)
            priced = self.price(context, kwh, cost, net, currency, credit, plausible, grade, hold)
            if race:
                race()
                race = None
            answer = self.call(
                "cdr_put", partner, self.country, self.party, name, text.encode(),
                f"hash of {text}", f"path-{uuid.uuid4().hex}", network_session, token, session, evse,
                "L0", start, end, round(kwh * 1000000), cost, net, True, currency, credit, credits,
                end, "2.2.1", None, None, "push", json.dumps(priced), SERIES, columns=ANSWER,
                types={26: "jsonb"})[0]
            if answer["outcome"] != "again":
                break
        assert answer["outcome"] != "again"
        if answer["waiting"]:
            self.settle(answer["waiting"])
        return answer

    def context(self, stored, partner, country, party, name, content_hash, network_session, token,
                reference, evse, start, end, currency, credit, credits, session=None):
        return self.call("cdr_context", stored, partner, country, party, name, content_hash,
                         network_session, token, reference, evse, "L0", "1", start, end, currency,
                         credit, credits, session, 3,
                         types={0: "bigint", 17: "uuid"})[0]

    def price(self, context, kwh, cost, net, currency, credit, plausible, grade, hold):
        """A pricing of the simplest kind: the user pays what the CDR says, at 19 %."""
        exponent = self.row("SELECT exponent FROM currency WHERE code = %s", currency)["exponent"]
        unit = decimal.Decimal(10) ** -exponent

        def minor(amount):
            amount = decimal.Decimal(amount).quantize(unit, rounding=decimal.ROUND_HALF_UP)
            return int(amount.scaleb(exponent))

        gross = minor(decimal.Decimal(cost) / 1000000)
        vat = minor(decimal.Decimal(gross).scaleb(-exponent) * 19 / 119)
        fell = (context["session_energy_mwh"] or 0) * 99 > round(kwh * 1000000) * 100
        wrong = not plausible or (not credit and (fell or cost < 0))
        priced = {"situation": context["situation"],
                  "class": "QUARANTINE" if wrong else grade or "OK", "why": "wrong" if wrong else None,
                  "recalculated_u6": net, "difference_u6": 0, "engine": "model", "tz_version": "none",
                  "calculation": {"loss_u6": 0}, "country": "DEU", "ours": True, "hold_s": hold}
        if credit:
            original = self.row("SELECT total_cost_u6, currency FROM cdr WHERE id ="
                                " (SELECT cdr FROM receipt WHERE number = %s)",
                                context["receipt_number"])
            if context["original_state"] == "open" and (original["currency"] != currency or
                                                        -original["total_cost_u6"] != cost):
                priced["credit_fault"] = "credit_amount"
            priced["cancellation"] = json.dumps({"cancels": context["receipt_number"]})
        elif context["session_id"]:
            u6 = 10 ** (6 - exponent)
            priced["receipt"] = {
                "content": json.dumps({"gross": gross, "session": context["session_id"]}),
                "currency": currency, "gross_minor": gross, "net_minor": gross - vat,
                "vat_minor": vat, "accounts": ["receivable", "revenue:DEU:19", "vat:DEU:19"],
                "amounts_u6": [gross * u6, -(gross - vat) * u6, -vat * u6]}
        return priced

    def settle(self, cdr, session=None, by="hub", confirmed=False, grade=None, hold=HOLD):
        """One that is stored is looked at again."""
        c = self.row("SELECT * FROM cdr WHERE id = %s", cdr)
        for _ in range(5):
            context = self.context(cdr, c["partner_id"], c["country_code"], c["party_id"], c["cdr_id"],
                                   c["content_hash"], c["network_session_id"], c["token_uid"],
                                   c["authorization_reference"], c["evse_uid"], c["start_at"],
                                   c["end_at"], c["currency"], c["credit"], c["credit_reference_id"],
                                   session or c["session_id"])
            priced = self.price(context, c["energy_mwh"] / 1000000, c["total_cost_u6"],
                                c["total_cost_excl_u6"], c["currency"], c["credit"], c["plausible"],
                                grade, hold)
            answer = self.call("cdr_settle", cdr, session, json.dumps(priced), by, confirmed, SERIES,
                               columns=ANSWER, types={1: "uuid", 2: "jsonb"})[0]
            if answer["outcome"] != "again":
                break
        if answer["waiting"]:
            self.settle(answer["waiting"])
        return answer

    def retry(self, limit=200):
        """What the job does with CDRs that wait."""
        claimed = [r["id"] for r in self.rows("SELECT id FROM cdr_retry_claim(%s) AS id", limit)]
        return [self.settle(cdr) for cdr in claimed]

    def cancel_due(self):
        numbers = []
        while (number := self.value("receipt_cancel_due", SERIES)) is not None:
            numbers.append(number)
        return numbers

    def decide(self, cdr, confirm, by="finance:x"):
        if confirm:
            return self.settle(cdr, by=by, confirmed=True)
        return self.call("cdr_decline", cdr, by, columns=ANSWER)[0]

    # ---- looking ----

    def session(self, session):
        return self.row("SELECT *, session_phase(s) AS phase FROM session s WHERE id = %s", session)

    def state(self, session):
        s = self.session(session)
        return s["state"] if not s["substatus"] else f"{s['state']}/{s['substatus']}"

    def operation(self, session, kind):
        return self.row("SELECT * FROM operation WHERE session_id = %s AND kind = %s"
                        " ORDER BY id DESC LIMIT 1", session, kind)

    def events(self, session):
        return self.rows("SELECT * FROM session_event WHERE session_id = %s ORDER BY seq", session)

    def receipts(self, session):
        return self.rows("SELECT * FROM receipt WHERE session_id = %s ORDER BY revision", session)

    def cases(self, session=None, cdr=None):
        return [r["kind"] for r in self.rows(
            "SELECT kind FROM finance_case WHERE resolved_at IS NULL AND"
            " (session_id = %s OR cdr = (SELECT id FROM cdr WHERE cdr_id = %s)) ORDER BY id",
            session, cdr)]

    def active(self, name="S", **ask):
        """A session that charges; returns its id."""
        session = self.started(**ask)
        (start,) = self.claim(session)
        self.answer(start["id"], "accepted")
        self.result(start["callback_id"], "accepted")
        self.push(name, "ACTIVE", session)
        assert self.session(session)["state"] == "active"
        return session


# ---- one session in each phase ----

def cancelling(m):
    session = m.started()
    m.claim(session)
    m.stop(session)
    return session


def stopping(m):
    session = m.active()
    m.stop(session)
    return session


def awaiting_cdr(m):
    session = m.active()
    m.push("S", "COMPLETED", session, kwh=5)
    return session


def failed(m):
    session = m.started()
    (start,) = m.claim(session)
    m.answer(start["id"], "rejected", "evse_occupied")
    return session


def recovered(m):
    session = failed(m)
    m.push("S", "ACTIVE", session)
    return session


def closed(m):
    session = m.active()
    m.rows("SELECT session_force_close(%s, 'test', 'operator:x')", session)
    return session


def completed(m):
    session = m.active()
    m.cdr("C", session)
    return session


PHASES = {
    "pending": lambda m: m.started(),
    "active": lambda m: m.active(),
    "cancelling": cancelling,
    "stopping": stopping,
    "awaiting_cdr": awaiting_cdr,
    "recovered": recovered,
    "completed": completed,
    "failed": failed,
    "closed": closed,
}


def check_receipts(m):
    """In each series and year: numbered from 1 without a gap, each tied to the one before it."""
    rows = m.rows("SELECT *, receipt_hash(r) AS again FROM receipt r ORDER BY series, year, seq")
    for _, of_year in itertools.groupby(rows, lambda r: (r["series"], r["year"])):
        previous = ""
        for i, r in enumerate(of_year):
            assert r["seq"] == i + 1
            assert r["previous_hash"] == previous and r["hash"] == r["again"]
            previous = r["hash"]


def check_books(m):
    """The ledger adds up, each document is posted once, and nothing accepted goes without one."""
    assert not m.rows("SELECT * FROM ledger_check()")
    assert not m.rows("SELECT * FROM finance_check('-infinity', 'infinity')")
