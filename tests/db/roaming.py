# SPDX-License-Identifier: Apache-2.0
"""
A hub with several partners: CPOs, eMSPs, contracts, and what passes between them. Statements are
the hub's own, read from db/statements.
"""

import datetime
import itertools
import json
import pathlib
import re
import sys
import uuid

import psycopg2
import psycopg2.extras

from model import Model

DB = pathlib.Path(__file__).parents[2] / "db"
sys.path.insert(0, str(DB))
import embed_sql  # noqa: E402

STATEMENTS = {name: text for path in sorted((DB / "statements").glob("*.sql"))
              for name, text, _, _ in embed_sql.statements_of(path)}

TABLES = ("partner, party, party_pending, partner_token, pull, push_target, contract, outbox,"
          " roaming_token, client_info, location, evse, tariff, tariff_version, session,"
          " session_event, operation, timer, network_session, shared_session, cdr, cdr_refused, receipt,"
          " receipt_series, ledger_entry, finance_case, idempotency, token, relay_context, relay_result,"
          " relay_cursor, profile_setter, invoice_record, invoice_cdr, alias, shared_id, reservation_number")

SENDER_MODULES = ("locations", "tariffs", "sessions", "cdrs")
OLD = datetime.datetime(2026, 1, 1, tzinfo=datetime.timezone.utc)


def clean(connection):
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        cursor.execute(f"TRUNCATE {TABLES} RESTART IDENTITY CASCADE")
        cursor.execute("SET session_replication_role = origin")


def endpoints(kind, version):
    """What a partner of this kind lists: a CPO sends what an eMSP receives."""
    found = []
    for module in SENDER_MODULES:
        found.append((module, "SENDER" if kind == "CPO" else "RECEIVER"))
    found.append(("tokens", "RECEIVER" if kind == "CPO" else "SENDER"))
    if version != "2.1.1":
        found.append(("hubclientinfo", "RECEIVER"))
    return json.dumps([
        {"identifier": m, "url": f"https://partner.example/{m}",
         **({} if version == "2.1.1" else {"role": role})} for m, role in found])


class Roaming(Model):
    """Beside the model's partner, any number of others."""

    tokens = itertools.count(1)

    def __init__(self, url):
        connection = psycopg2.connect(url)
        connection.autocommit = True
        clean(connection)
        connection.close()
        super().__init__(url)

    def statement(self, name, *values):
        text = re.sub(r"\$(\d+)", r"%(p\1)s", STATEMENTS[name].replace("%", "%%"))
        with self.connection.cursor() as cursor:
            cursor.execute(text, {f"p{i}": v for i, v in enumerate(values, 1)})
            return cursor.fetchall() if cursor.description else []

    # ---- partners ----

    def invite(self, party, role="EMSP", country="NL"):
        return self.value("partner_invite", party, country, party, role,
                          f"a-{next(self.tokens)}-{uuid.uuid4()}", "FI", "HUB")

    def registered(self, partner, party, kind="EMSP", country="NL", version="2.2.1", face=None,
                   roles=None, listed=None, expected=None, hub=False, spend=False):
        face = face or ("emsp" if kind == "CPO" else "cpo" if version == "2.1.1" else "platform")
        roles = roles or [{"role": kind, "country_code": country, "party_id": party,
                           "business_details": {"name": party}}]
        return self.call(
            "partner_registered", partner, expected, party, version,
            f"https://{party.lower()}.example/versions", "sealed",
            f"c-{next(self.tokens)}-{uuid.uuid4()}", None, listed or endpoints(kind, version),
            json.dumps(roles), "FI", "HUB", spend, face, hub)[0]["outcome"]

    def connect(self, party, kind="EMSP", country="NL", **how):
        partner = self.invite(party, kind, country)
        assert self.registered(partner, party, kind, country, **how) == "registered"
        return partner

    def partner_row(self, partner):
        return self.row("SELECT * FROM partner WHERE id = %s", partner)

    def state_of(self, partner):
        return self.partner_row(partner)["state"]

    def contract(self, giver, taker, module=None, allowed=True, giver_country="FI",
                 taker_country="NL"):
        self.statement("contract_set", giver_country, giver, taker_country, taker, module, allowed)

    # ---- objects ----

    def location(self, partner, party, place, country="FI", at=None, evses=None, ocpi="2.2.1",
                 view=None, if_version=0, **more):
        document = {"id": place, "publish": True, "evses": evses or [], **more}
        return self.value("location_put", partner, country, party, place, json.dumps(document),
                          at or self.later(), if_version, False, ocpi,
                          json.dumps(view) if view else None)

    def tariff(self, partner, party, place, country="FI", at=None, ocpi="2.2.1", **more):
        return self.value("tariff_put", partner, country, party, place,
                          json.dumps({"id": place, **more}), at or self.later(), ocpi)

    def network_session(self, partner, party, name, owner=None, country="FI", kwh=0, at=None,
                        status="ACTIVE", location="L0"):
        at = at or self.later()
        document = f'{{"id":"{name}","kwh":{kwh}}}'
        return self.value(
            "network_session_put", partner, country, party, name, document, f"{document} {at}", 0,
            at, status, self.now(), None, round(kwh * 1000000), None, "EUR", "T", None, location,
            "E0", "1", False, False, "2.2.1", "NL" if owner else None, owner)

    def foreign_cdr(self, partner, party, name, owner=None, country="FI", location="L0"):
        body, now = f'{{"id":"{name}"}}', self.now()
        context = self.context(None, partner, country, party, name, name, None, "T", None, "E0", now,
                               now, "EUR", False, None)
        priced = {"situation": context["situation"], "class": "OK", "ours": owner is None}
        return self.value(
            "cdr_put", partner, country, party, name, body.encode(), name,
            f"path-{uuid.uuid4().hex}", None, "T", None, "E0", location, now, now, 1, 1, 1, True,
            "EUR", False, None, self.later(), "2.2.1", "NL" if owner else None, owner, "push",
            json.dumps(priced), "FI-HUB", types={26: "jsonb"})

    def token(self, partner, party, uid, country="NL", contract=None, valid=True, type="RFID",
              at=None):
        return self.value("roaming_token_put", partner, country, party, uid, type,
                          json.dumps({"uid": uid}), "2.2.1", contract or f"C-{uid}", valid,
                          at or self.later(), 0)

    # ---- reading ----

    def shared(self, kind, reader, reader_party=None, owner=None, old=False, since=None, until=None,
               offset=0, limit=1000):
        """(total, ids) of a list."""
        rows = self.statement(
            f"share_{kind}", reader, "NL" if reader_party else None, reader_party,
            "FI" if owner else None, owner, old, since, until, offset, limit)
        assert rows
        return rows[0]["total"], [r["id"] for r in rows if r["id"] is not None]

    def shared_one(self, kind, reader, name, old=False):
        return self.statement(f"share_{kind}", reader, None, None, None, None, old, name)

    # ---- outbox ----

    def claimed(self, limit=100, per_partner=100):
        return self.statement("outbox_claim", limit, per_partner)

    def told(self, limit=100, per_partner=100):
        """Claims and delivers; what was said, in short."""
        items = self.claimed(limit, per_partner)
        for item in items:
            self.done(item)
        return sorted((i["partner_id"], i["kind"], i["object_id"] or i["party_id"])
                      for i in items)

    def done(self, item, outcome="sent", retry_after=0, detail=None):
        self.done_many((item, outcome, retry_after, detail))

    def done_many(self, *ends):
        columns = [[str(item["id"]), str(item["version"]), outcome, str(retry_after), detail]
                   for item, outcome, retry_after, detail in ends]
        self.statement("outbox_done", *map(list, zip(*columns)))

    def waiting(self):
        return self.rows("SELECT * FROM outbox ORDER BY id")
