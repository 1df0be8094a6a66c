# SPDX-License-Identifier: Apache-2.0
"""A claimed operation comes with its session and its token, whenever they were committed."""

import re
import threading
import time

import psycopg2
import psycopg2.extras
from roaming import STATEMENTS


def asleep(url):
    """Waits until a statement sleeps: then it has begun, and its snapshot is taken."""
    connection = psycopg2.connect(url)
    connection.autocommit = True
    end = time.monotonic() + 20
    with connection.cursor() as cursor:
        while True:
            cursor.execute("SELECT 1 FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND datname = current_database()")
            if cursor.fetchone():
                break
            assert time.monotonic() < end, "no statement sleeps"
            time.sleep(0.02)
    connection.close()


def test_what_is_committed_while_a_claim_begins_is_claimed_whole(m, url):
    """The statement sees what was there when it began, the claim in it what is there by then."""
    text = STATEMENTS["operation_claim"]
    later = text.replace("FROM operation_claim($1, $2,", "FROM (SELECT 1 AS n FROM pg_sleep(3) OFFSET 0) z,"
                         " LATERAL operation_claim($1, $2::int * z.n,")
    assert later != text
    found = []

    def claim():
        connection = psycopg2.connect(url, cursor_factory=psycopg2.extras.RealDictCursor)
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(re.sub(r"\$(\d)", r"%(p\1)s", later), {"p1": None, "p2": 1, "p3": "somebody"})
            found.extend(cursor.fetchall())
        connection.close()

    m.connection.autocommit = False
    session = m.started()
    thread = threading.Thread(target=claim)
    thread.start()
    asleep(url)
    m.connection.commit()
    m.connection.autocommit = True
    thread.join()
    row, = found
    assert str(row["s_id"]) == str(session) and row["s_evse_uid"] and row["s_location_id"]
    assert row["token_uid"] and row["token_contract_id"] and row["kind"] == "start"
