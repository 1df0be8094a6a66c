# SPDX-License-Identifier: Apache-2.0
"""
What the hub fetches by itself: pages, deltas, full pulls, and what becomes of objects that are not
listed any more. The partner is played by the test: it lists what the test says, page by page.
"""

import time
from datetime import datetime, timezone
from urllib.parse import parse_qs, urlsplit

import pytest
from harness import User, wait_until
from partner import Partner, now

MODULES = ("locations", "tariffs", "sessions", "cdrs")
numbers = iter(range(1000))


class Lister(Partner):
    """Lists `items` of a module in pages of `size`."""

    def __init__(self, *args):
        super().__init__(*args)
        self.size, self.link, self.total = 3, True, True
        self.items = {m: [] for m in MODULES}
        for m in MODULES:
            self.scripted[("GET", f"/2.2.1/{m}")] = lambda r, m=m: self.page(m, r)

    def page(self, module, request):
        query = parse_qs(urlsplit(request["path"]).query)
        offset = int(query.get("offset", ["0"])[0])
        limit = min(int(query.get("limit", ["100"])[0]), self.size)
        items = self.items[module]
        headers = {}
        if self.total:
            headers["X-Total-Count"] = str(len(items))
        if self.link and offset + limit < len(items):
            rest = "".join(f"&date_from={v}" for v in query.get("date_from", []))
            headers["Link"] = (f'<{self.base}/2.2.1/{module}?offset={offset + limit}&limit={limit}'
                               f'{rest}>; rel="next"')
        return 200, self.envelope(items[offset:offset + limit]), headers

    def asked(self, module):
        """The queries of the pages that were asked for."""
        return [{k: v[0] for k, v in parse_qs(urlsplit(r["path"]).query).items()}
                for r in self.requests("GET", f"/2.2.1/{module}")]


@pytest.fixture
def lister(shared_world):
    number = next(numbers)
    p = Lister("DE", f"P{number:02d}", f"Pages {number}")
    p.register(shared_world.hub)
    p.id = shared_world.sql("SELECT partner_id FROM party WHERE country_code = 'DE' AND party_id = %s", p.party)[0][0]
    try:
        wait_until(lambda: shared_world.sql("SELECT count(*) FROM pull WHERE partner_id = %s"
                                            " AND good_from IS NOT NULL", p.id) == [(4,)], 20, "the first pulls")
        p.received.clear()
        yield p
    finally:
        shared_world.sql("UPDATE partner SET enabled = false WHERE id = %s", p.id)
        shared_world.sql("SELECT partner_changed()")
        p.close()


def pull(world, lister, module, full=True, seconds=20):
    """Has a pull begun and waits until it has ended, well or not."""
    if full:
        world.sql("UPDATE pull SET full_at = NULL WHERE partner_id = %s AND module = %s", lister.id, module)
    world.sql("UPDATE pull SET due_at = hub_now() - interval '1 second' WHERE partner_id = %s AND module = %s",
              lister.id, module)
    wait_until(lambda: world.sql("SELECT count(*) FROM pull WHERE partner_id = %s AND module = %s"
                                 " AND due_at > hub_now() AND lease_until IS NULL AND cursor IS NULL",
                                 lister.id, module) == [(1,)], seconds, "the pull to end")


def state(world, lister, module, columns):
    return world.sql(f"SELECT {columns} FROM pull WHERE partner_id = %s AND module = %s", lister.id, module)[0]


def stored(world, lister):
    return {i for (i,) in world.sql("SELECT location_id FROM location WHERE partner_id = %s", lister.id)}


def logged(world, text):
    return world.hub.process.log.read_text(encoding="utf-8").count(text)


def locations(lister, count):
    lister.items["locations"] = [lister.location(f"L{i:03d}") for i in range(count)]
    return lister.items["locations"]


# ---- pages ----


def test_all_pages_are_followed_by_link(world, lister):
    """R-TRANS-43, 47: verbatim, to the end."""
    all_of_them = locations(lister, 8)
    pull(world, lister, "locations")
    assert stored(world, lister) == {o["id"] for o in all_of_them}
    assert [q.get("offset") for q in lister.asked("locations")] == [None, "3", "6"]
    user = User(world.hub)
    evse = all_of_them[7]["evses"][0]["evse_id"]
    wait_until(lambda: user.evse(evse).status_code == 200, 5, "the EVSE of the last page")


def test_without_link_the_total_tells_that_there_is_more(world, lister):
    """R-TRANS-43: X-Total-Count counts all; offset and limit do the rest."""
    lister.link = False
    all_of_them = locations(lister, 7)
    pull(world, lister, "locations")
    assert stored(world, lister) == {o["id"] for o in all_of_them}
    assert [q.get("offset") for q in lister.asked("locations")] == [None, "3", "6"]


def test_without_link_and_total_one_page_is_all(world, lister):
    lister.link = lister.total = False
    locations(lister, 7)
    pull(world, lister, "locations")
    assert len(stored(world, lister)) == 3
    assert len(lister.asked("locations")) == 1


def test_a_partner_that_ignores_the_offset_is_not_asked_for_ever(world, lister):
    lister.link = False
    locations(lister, 9)
    first = lister.items["locations"][:3]
    lister.scripted[("GET", "/2.2.1/locations")] = lambda r: (
        200, lister.envelope(first), {"X-Total-Count": "9"})
    pull(world, lister, "locations")
    assert len(lister.asked("locations")) == 2
    assert state(world, lister, "locations", "full_at IS NULL") == (True,)


def test_a_shrinking_list_is_read_again_one_page_back(world, lister):
    """R-TRANS-46: an object leaves while we read; the one that moved up is not missed."""
    all_of_them = locations(lister, 9)
    honest = lister.scripted[("GET", "/2.2.1/locations")]
    pages = []

    def shrinking(request):
        pages.append(request)
        if len(pages) == 3:  # two pages have been read; now one of the first page goes
            del lister.items["locations"][0]
        return honest(request)

    lister.scripted[("GET", "/2.2.1/locations")] = shrinking
    pull(world, lister, "locations")
    assert [q.get("offset") for q in lister.asked("locations")] == [None, "3", "6", "2", "5"]
    assert {o["id"] for o in all_of_them} <= stored(world, lister)  # L006 was on no page but the repeated


def test_a_circle_of_pages_ends(world, lister):
    """R-TRANS-47: a Link that was followed before."""
    locations(lister, 6)
    honest = lister.page

    def circle(request):
        status, body, headers = honest("locations", request)
        offset = parse_qs(urlsplit(request["path"]).query).get("offset", ["0"])[0]
        there = {"0": "3", "3": "1", "1": "2", "2": "3"}[offset]
        headers["Link"] = f'<{lister.base}/2.2.1/locations?offset={there}&limit=3>; rel="next"'
        headers.pop("X-Total-Count")
        return status, body, headers

    lister.scripted[("GET", "/2.2.1/locations")] = circle
    before = logged(world, "the pages go in a circle")
    pull(world, lister, "locations")
    assert len(lister.asked("locations")) < 15
    assert logged(world, "the pages go in a circle") == before + 1
    assert state(world, lister, "locations", "full_at IS NULL") == (True,)


def test_a_link_to_another_host_is_not_followed_and_told(world, lister):
    """R-TRANS-47: our token stays here; what was read counts, but not as all there is."""
    locations(lister, 6)
    other = Partner("DE", "XXX", "Other host")
    try:
        lister.scripted[("GET", "/2.2.1/locations")] = lambda r: (
            200, lister.envelope(lister.items["locations"][:3]),
            {"Link": f'<{other.base}/2.2.1/locations?offset=3>; rel="next"', "X-Total-Count": "6"})
        before = logged(world, "a Link to a foreign host is not followed")
        pull(world, lister, "locations")
        assert len(stored(world, lister)) == 3
        assert other.received == []
    finally:
        other.close()
    assert logged(world, "a Link to a foreign host is not followed") == before + 1
    assert state(world, lister, "locations", "full_at IS NULL") == (True,)


def test_a_page_that_fails_is_asked_for_again_not_the_first_one(world, lister):
    """The cursor survives a failure: what was read is not read again."""
    all_of_them = locations(lister, 9)
    honest, failures = lister.page, []

    def fails_once(request):
        if "offset=3" in request["path"] and not failures:
            failures.append(request)
            return 500, lister.envelope(None, 3000)
        return honest("locations", request)

    lister.scripted[("GET", "/2.2.1/locations")] = fails_once
    world.sql("UPDATE pull SET full_at = NULL, due_at = hub_now() WHERE partner_id = %s AND module = 'locations'",
              lister.id)
    wait_until(lambda: failures, 10, "the failure")
    wait_until(lambda: state(world, lister, "locations", "failures, cursor LIKE '%%offset=3%%'") == (1, True), 5,
               "the cursor to stay")
    pull(world, lister, "locations", full=False)
    assert [q.get("offset") for q in lister.asked("locations")] == [None, "3", "3", "6"]
    assert stored(world, lister) == {o["id"] for o in all_of_them}


def heavy(lister, weight):
    """Each object makes its page some MiB longer."""
    honest = lister.page

    def page(request):
        status, body, headers = honest("locations", request)
        kilobytes = sum(weight(o["id"]) << 10 for o in body["data"])
        return status, {**body, "padding": ["x" * 1024] * kilobytes}, headers

    lister.scripted[("GET", "/2.2.1/locations")] = page


def test_a_page_that_is_too_large_comes_in_smaller_ones_and_what_is_too_large_alone_is_left_out(world, lister):
    all_of_them = locations(lister, 8)
    before = logged(world, "an object is too large to be fetched")
    heavy(lister, lambda name: 9 if name == "L004" else 3)
    pull(world, lister, "locations")
    assert stored(world, lister) == {o["id"] for o in all_of_them} - {"L004"}
    asked = [(q.get("offset"), q["limit"]) for q in lister.asked("locations")]
    assert asked == [(None, "20"), (None, "10"), (None, "5"), (None, "2"), ("2", "2"), ("4", "2"), ("4", "1"),
                     ("5", "20"), ("5", "10"), ("5", "5"), ("5", "2"), ("7", "2")]
    assert logged(world, "an object is too large to be fetched") == before + 1
    assert state(world, lister, "locations", "failures, full_at") == (0, None), "what is left out is asked for again"


def test_a_partner_whose_pages_are_all_too_large_is_not_asked_for_ever(world, lister):
    locations(lister, 100)
    lister.size = 1
    heavy(lister, lambda name: 9)
    world.sql("UPDATE pull SET pages = 7000 WHERE partner_id = %s AND module = 'locations'", lister.id)
    world.sql("UPDATE pull SET cursor = %s WHERE partner_id = %s AND module = 'locations'",
              f"{lister.base}/2.2.1/locations?offset=3&limit=1", lister.id)
    pull(world, lister, "locations")
    assert [q["offset"] for q in lister.asked("locations")] == ["3"] + ["4"] * 5 + ["5"] * 5 + ["6"] * 5 + [
        "7"] * 5 + ["8"] * 5
    assert not stored(world, lister)
    assert not world.hub.metric("hub_breaker_state", network=str(lister.id)), "it answers: nothing is kept from it"


# ---- objects ----


def test_one_bad_object_does_not_spoil_its_page(world, lister):
    """R-TRANS-19: left out and listed."""
    all_of_them = locations(lister, 3)
    del all_of_them[1]["address"]
    before = logged(world, "an object of a page is refused")
    pull(world, lister, "locations")
    assert stored(world, lister) == {"L000", "L002"}
    assert logged(world, "an object of a page is refused") == before + 1


@pytest.mark.parametrize("module, table, column", [("sessions", "network_session", "network_session_id"),
                                                   ("cdrs", "cdr", "cdr_id")])
def test_one_that_the_database_does_not_take_does_not_spoil_its_page(world, lister, module, table, column):
    """R-TRANS-19: whatever goes wrong with it alone; the pull goes on, and is a good one."""
    make = lister.session if module == "sessions" else lister.cdr
    items = [make() for _ in range(5)]
    for item, kind in zip(items, ("A", "BAD", "B", "BAD", "C")):
        item["id"] = f"{kind}-{item['id']}"
    lister.items[module] = items
    world.sql(f"""CREATE FUNCTION refuse_some() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN RAISE EXCEPTION 'not this one'; END $$;
        CREATE TRIGGER refuse_some BEFORE INSERT ON {table} FOR EACH ROW
        WHEN (NEW.{column} LIKE 'BAD-%%') EXECUTE FUNCTION refuse_some()""".replace("%%", "%"))
    before = logged(world, "an object of a page is refused")
    try:
        pull(world, lister, module)
    finally:
        world.sql("DROP FUNCTION refuse_some CASCADE")
    assert {i for (i,) in world.sql(f"SELECT {column} FROM {table} WHERE partner_id = %s", lister.id)} == {
        item["id"] for item in items if not item["id"].startswith("BAD")}
    assert logged(world, "an object of a page is refused") == before + 2


def test_an_object_that_comes_twice_is_stored_once(world, lister):
    one = lister.location("TWICE", last_updated=now(-100))
    newer = {**one, "name": "Newer", "last_updated": now(-10)}
    lister.items["locations"] = [one, newer, one]
    pull(world, lister, "locations")
    assert world.sql("SELECT location_id, name FROM location WHERE partner_id = %s", lister.id) \
        in ([("TWICE", "Newer")], [("TWICE", "Testing ground")])
    assert len(stored(world, lister)) == 1


def test_what_has_not_changed_is_not_written(world, lister):
    """A full pull of the same documents leaves rows and their locks alone."""
    locations(lister, 7)
    lister.items["tariffs"] = [lister.tariff(f"T{i}") for i in range(4)]
    rows = ("SELECT l.xmin::text, l.xmax::text, l.version, array_agg(e.xmin::text ORDER BY uid) FROM location l"
            " JOIN evse e ON e.location = l.id WHERE l.partner_id = %s GROUP BY l.id ORDER BY l.id")
    prices = "SELECT xmin::text, xmax::text, version FROM tariff WHERE partner_id = %s ORDER BY id"
    pull(world, lister, "locations")
    pull(world, lister, "tariffs")
    before = world.sql(rows, lister.id), world.sql(prices, lister.id)
    lister.items["locations"][4]["name"] = "Another name"
    lister.items["locations"][4]["last_updated"] = now()
    pull(world, lister, "locations")
    pull(world, lister, "tariffs")
    after = world.sql(rows, lister.id), world.sql(prices, lister.id)
    assert len(before[0]) == 7 and len(before[1]) == 4
    assert before[1] == after[1]
    assert [i for i in range(7) if before[0][i] != after[0][i]] == [4]


# ---- what is not listed any more (R-TRANS-48) ----


def statuses(world, lister):
    return dict(world.sql("SELECT l.location_id, min(e.status) FROM location l JOIN evse e ON e.location = l.id"
                          " WHERE l.partner_id = %s GROUP BY 1", lister.id))


def test_a_location_is_closed_when_two_full_pulls_lack_it_and_opens_when_it_returns(world, lister):
    all_of_them = list(locations(lister, 4))
    user, evse = User(world.hub), all_of_them[2]["evses"][0]["evse_id"]
    pull(world, lister, "locations")
    del lister.items["locations"][2]
    pull(world, lister, "locations")
    assert statuses(world, lister)["L002"] == "AVAILABLE"  # once is not enough
    pull(world, lister, "locations", full=False)           # a delta says nothing of the rest
    assert statuses(world, lister)["L002"] == "AVAILABLE"
    pull(world, lister, "locations")
    assert statuses(world, lister) == {"L000": "AVAILABLE", "L001": "AVAILABLE", "L002": "REMOVED",
                                       "L003": "AVAILABLE"}
    wait_until(lambda: user.evse(evse).json()["startable"] is False, 5, "the EVSE to be gone")
    document = world.sql("SELECT document FROM location WHERE partner_id = %s AND location_id = 'L002'", lister.id)
    assert '"REMOVED"' in document[0][0]
    lister.items["locations"] = all_of_them
    pull(world, lister, "locations")                       # as old as it was
    assert set(statuses(world, lister).values()) == {"AVAILABLE"}
    wait_until(lambda: user.evse(evse).json()["startable"] is True, 5, "the EVSE to be back")


def test_a_location_that_is_told_in_between_is_not_missing(world, lister):
    locations(lister, 3)
    pull(world, lister, "locations")
    gone = lister.items["locations"].pop(1)
    pull(world, lister, "locations")
    told = {**gone, "name": "Still here", "last_updated": now()}
    assert lister.put(lister.own("locations", gone["id"]), told).json()["status_code"] == 1000
    pull(world, lister, "locations")
    assert statuses(world, lister)["L001"] == "AVAILABLE"
    pull(world, lister, "locations")
    assert statuses(world, lister)["L001"] == "REMOVED"


def test_a_list_that_was_not_read_to_its_end_closes_nothing(world, lister):
    locations(lister, 6)
    pull(world, lister, "locations")
    lister.scripted[("GET", "/2.2.1/locations")] = lambda r: (
        200, lister.envelope(lister.items["locations"][:2]),
        {"Link": '<https://elsewhere.example/locations?offset=2>; rel="next"'})
    for _ in range(3):
        pull(world, lister, "locations")
    assert set(statuses(world, lister).values()) == {"AVAILABLE"}


def test_a_refused_object_is_there_all_the_same(world, lister):
    """R-TRANS-19 and 48: an object that we cannot read today has not gone."""
    locations(lister, 3)
    pull(world, lister, "locations")
    del lister.items["locations"][1]["city"]
    for _ in range(3):
        pull(world, lister, "locations")
    assert set(statuses(world, lister).values()) == {"AVAILABLE"}


def test_a_tariff_is_deleted_when_two_full_pulls_lack_it(world, lister):
    lister.items["tariffs"] = [lister.tariff(f"T{i}") for i in range(3)]
    alive = "SELECT tariff_id FROM tariff WHERE partner_id = %s AND deleted_at IS NULL ORDER BY 1"
    pull(world, lister, "tariffs")
    gone = lister.items["tariffs"].pop(1)
    pull(world, lister, "tariffs")
    assert world.sql(alive, lister.id) == [("T0",), ("T1",), ("T2",)]
    pull(world, lister, "tariffs")
    assert world.sql(alive, lister.id) == [("T0",), ("T2",)]
    lister.items["tariffs"].insert(1, gone)
    pull(world, lister, "tariffs")
    assert world.sql(alive, lister.id) == [("T0",), ("T1",), ("T2",)]


# ---- from when on ----


def days_ago(text):
    at = datetime.fromisoformat(text.replace("Z", "+00:00"))
    return (datetime.now(timezone.utc) - at).total_seconds() / 86400


def test_after_a_full_pull_only_what_changed_is_asked_for(world, lister):
    """R-TRANS-40, 41: from ten minutes before the last good pull; each week everything."""
    pull(world, lister, "locations")
    assert "date_from" not in lister.asked("locations")[-1]
    pull(world, lister, "locations", full=False)
    assert days_ago(lister.asked("locations")[-1]["date_from"]) == pytest.approx(600 / 86400, abs=60 / 86400)
    world.sql("UPDATE pull SET full_at = full_at - interval '8 days' WHERE partner_id = %s AND module = 'locations'",
              lister.id)
    pull(world, lister, "locations", full=False)
    assert "date_from" not in lister.asked("locations")[-1]


def test_sessions_are_always_asked_for_from_some_time_on(world, lister):
    """R-TRANS-42"""
    pull(world, lister, "sessions")
    assert days_ago(lister.asked("sessions")[-1]["date_from"]) < 1


def test_cdrs_are_swept_each_week_and_each_month(world, lister):
    """A day at each pull, 35 days a week, 100 a month."""
    pull(world, lister, "cdrs", full=False)
    assert days_ago(lister.asked("cdrs")[-1]["date_from"]) == pytest.approx(1, abs=0.01)
    for column, days in (("week_at", 35), ("month_at", 100), (None, 1)):
        if column:
            world.sql(f"UPDATE pull SET {column} = hub_now() - interval '31 days'"
                      " WHERE partner_id = %s AND module = 'cdrs'", lister.id)
        pull(world, lister, "cdrs", full=False)
        assert days_ago(lister.asked("cdrs")[-1]["date_from"]) == pytest.approx(days, abs=0.01), column


# ---- silence (R-HCI-08) ----


def test_a_silent_partner_is_probed_goes_offline_and_comes_back(make_world):
    """Two failed probes, then every network says so; one good answer and what was missed is pulled."""
    w = make_world(sim=False, probe_silence="1s", probe_every="1s")
    user = User(w.hub)
    p = Lister("DE", "OFF", "Now and then")
    try:
        p.register(w.hub)
        evse = locations(p, 1)[0]["evses"][0]["evse_id"]
        w.sql("UPDATE pull SET due_at = hub_now() WHERE module = 'locations'")
        wait_until(lambda: user.evse(evse).status_code == 200, 20, "the location")
        partner_state = "SELECT state FROM partner WHERE name = 'Now and then'"

        p.scripted[("GET", "/versions")] = lambda r: (401, p.envelope(None, 2001))
        w.sql("UPDATE partner SET last_contact_at = hub_now() - interval '10 minutes'")
        w.sql("UPDATE pull SET due_at = hub_now() + interval '1 hour'")
        wait_until(lambda: p.requests("GET", "/versions"), 20, "a probe")
        w.sql("UPDATE partner SET probe_at = hub_now()")
        wait_until(lambda: w.sql(partner_state) == [("offline",)], 40, "two probes to fail")
        w.hub.workers_know(w.sql("SELECT id FROM partner WHERE name = 'Now and then'")[0][0], state="offline")
        refused = user.start(evse)
        assert refused.status_code == 503 and "offline" in refused.json()["detail"], refused.text

        del p.scripted[("GET", "/versions")]
        p.received.clear()
        w.sql("UPDATE partner SET probe_at = hub_now()")
        wait_until(lambda: w.sql(partner_state) == [("connected",)], 40, "it to be back")
        wait_until(lambda: all(p.requests("GET", f"/2.2.1/{m}") for m in MODULES), 20, "what was missed")
        wait_until(lambda: user.start(evse).status_code == 200, 10, "a start")
    finally:
        p.close()


def test_a_suspended_network_starts_nothing(world, lister):
    evse = locations(lister, 1)[0]["evses"][0]["evse_id"]
    user = User(world.hub)
    pull(world, lister, "locations")
    wait_until(lambda: user.evse(evse).status_code == 200, 5, "the EVSE")
    world.sql("UPDATE partner SET state = 'suspended' WHERE id = %s", lister.id)
    world.sql("SELECT partner_changed()")
    wait_until(lambda: user.start(evse).status_code == 422, 5, "the register")
    time.sleep(0.5)
    before = len(lister.requests("POST", "/2.2.1/commands"))  # before the worker knew
    for _ in range(3):
        assert "suspended" in user.start(evse).json()["detail"]
    time.sleep(0.1)
    assert len(lister.requests("POST", "/2.2.1/commands")) == before
