# SPDX-License-Identifier: Apache-2.0
"""
A database with the hub's schema, and the hub's own SQL functions as methods: what the model tests
drive. Time is the connection's: Model.wait() shifts hub_now() for it.
"""

import datetime
import itertools
import pathlib
import uuid

import psycopg2
import psycopg2.extras

MIGRATIONS = pathlib.Path(__file__).parents[2] / "db" / "migrations"
UTC = datetime.timezone.utc


def migrate(url):
    with psycopg2.connect(url) as connection, connection.cursor() as cursor:
        for path in sorted(MIGRATIONS.glob("*.sql")):
            cursor.execute(path.read_text(encoding="utf-8"))
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

    def now(self):
        return self.row("SELECT hub_now() AS now")["now"]

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
        return self.call("timer_run", limit, "FI-HUB", columns="pull_partner, (session).*")

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
            plausible=True, partner=None):
        text = text or f"{name} {kwh} {cost}"
        end = end or self.now()
        return self.call(
            "cdr_put", partner or self.partner, self.country, self.party, name,
            text.encode(), f"hash of {text}", f"path-{uuid.uuid4().hex}", network_session, token,
            session, evse, "L0", start or end - datetime.timedelta(minutes=30), end,
            round(kwh * 1000000), cost, cost, True, currency, credit, credits, end, plausible, None,
            "FI-HUB", columns="outcome, path, filed, (session).*")[0]

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
    rows = m.rows("SELECT *, receipt_hash(r) AS again FROM receipt r ORDER BY series, year, seq")
    previous = ""
    for i, r in enumerate(rows):
        assert r["seq"] == i + 1
        assert r["previous_hash"] == previous and r["hash"] == r["again"]
        previous = r["hash"]
