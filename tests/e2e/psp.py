# SPDX-License-Identifier: Apache-2.0
"""The simulated payment service provider, and a world that pays through it."""

import pathlib
import secrets

import harness
from harness import Sim, World


def secret_file(path):
    path.write_text(secrets.token_hex(32) + "\n", encoding="ascii")
    path.chmod(0o600)
    return path


class Psp(Sim):
    """ocpi-sim psp and its control API."""

    def __init__(self, directory):
        directory = pathlib.Path(directory)
        directory.mkdir(parents=True, exist_ok=True)
        self.key_file = secret_file(directory / "psp.key")
        self.webhook_secret_file = secret_file(directory / "psp-webhook.secret")
        super().__init__(directory, "--key-file", self.key_file, "--webhook-secret-file",
                         self.webhook_secret_file, role="psp")

    def settings(self):
        return {"psp_url": self.info["url"], "psp_key_file": self.key_file,
                "psp_webhook_secret_file": self.webhook_secret_file, "psp_timeout": "2s"}

    def tell(self, hub):
        """Events go to this hub from now on."""
        self.post("/psp/webhook", url=hub.url + "/v1/psp/webhook")

    def behave(self, name, customer=None, times=None, after_ms=None, on=True):  # pylint: disable=arguments-renamed
        body = {"name": name, "customer": customer, "times": times, "after_ms": after_ms, "on": on}
        return self.post("/psp/behave", **{k: v for k, v in body.items() if v is not None})

    def payments(self, customer):
        return self.get("/psp/payments", customer=customer)["payments"]

    def calls(self, contains):
        """Requests that name this payment or customer, with what they asked for."""
        return self.get("/psp/requests", contains=contains)["requests"]

    def events(self, payment):
        return self.get("/psp/events", payment=payment)["events"]


class PayingWorld(World):
    """Stores, PSP, hub and CPO."""

    psp = None

    def start(self, sim_args=("--speed", "60", "--world", "20"), sim=True, **settings):
        self.psp = Psp(self.directory / "psp")
        super().start(sim_args=sim_args, sim=sim, **{**self.psp.settings(), **settings})
        self.psp.tell(self.hub)
        return self

    def payments(self, session):
        return self.sql("SELECT kind, state::text, amount_minor, capture_minor, captured_minor,"
                        " refunded_minor, currency, psp_id FROM payment WHERE session_id = %s"
                        " ORDER BY id", session)

    def states(self, session):
        return [row[1] for row in self.payments(session)]

    def cases(self, kind):
        return self.sql("SELECT detail FROM finance_case WHERE kind = %s AND resolved_at IS NULL", kind)

    def oracles(self):
        checks = {
            "the ledger does not sum to zero (I7)": "SELECT * FROM ledger_check()",
            "a capture without its receipt (I6)":
                "SELECT id FROM payment WHERE captured_minor > 0 AND receipt IS NULL",
            "a START without a hold":
                "SELECT p.session_id FROM payment p JOIN operation o ON o.session_id = p.session_id"
                " AND o.kind = 'start' WHERE p.kind = 'hold' AND NOT EXISTS"
                " (SELECT FROM payment_event e WHERE e.payment = p.id AND e.event = 'authorised')",
        }
        return super().oracles() + [
            f"{what}: {rows}" for what, sql in checks.items() if (rows := self.sql(sql))]

    def stop(self):
        try:
            super().stop()
        finally:
            if self.psp:
                self.psp.stop()


assert harness.SETTING_SECTIONS["psp_url"] == "payments"
