# SPDX-License-Identifier: Apache-2.0
"""
A private Postgres with the hub's schema for the tests of this folder, and a Model in it.
"""

import os
import pathlib
import sys
import tempfile

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parents[1]))
sys.path.insert(0, str(pathlib.Path(__file__).parent))
import stores  # noqa: E402
from model import Model, migrate  # noqa: E402
from roaming import Roaming  # noqa: E402


@pytest.fixture(scope="session")
def url():
    directory = tempfile.mkdtemp(prefix="hub-model-", dir="/tmp")
    os.chmod(directory, 0o755)
    s = stores.Stores(directory, fast=True)
    try:
        s.start("postgres")
        migrate(s.database_url)
        yield s.database_url
    finally:
        s.remove()


@pytest.fixture
def m(url):
    model = Model(url)
    # Every test has the world for itself; cdr and receipt refuse to be emptied otherwise.
    model.rows("SET session_replication_role = replica")
    model.rows("TRUNCATE session, session_event, operation, timer, network_session, cdr,"
               " cdr_refused, receipt, receipt_series, finance_case, idempotency, token, invoice_record, invoice_cdr CASCADE")
    model.rows("SET session_replication_role = origin")
    yield model
    model.close()


@pytest.fixture
def r(url):
    model = Roaming(url)
    yield model
    model.close()
