# SPDX-License-Identifier: Apache-2.0
"""
The example documents that OCPI 2.2.1 publishes, sent to the hub over the wire. They are not part
of this project (their licence allows no changed copies): OCPI_EXAMPLES names the folder that has
them, by version. What is changed on the way is the owner, who has to be the one that is connected.
"""

import json
import os
import pathlib

import pytest
from harness import ROOT, ok
from partner import Partner

FOLDER = pathlib.Path(os.environ.get("OCPI_EXAMPLES") or
                      ROOT.parent / "shared" / "data" / "ocpi-examples") / "2.2.1"
pytestmark = pytest.mark.skipif(not FOLDER.is_dir(), reason="the published examples are not here "
                                "(OCPI_EXAMPLES names their folder)")

LOCATIONS = ["location_example", "location_example_parking_garage_opening_hours",
             "location_example_uc2_destination_charger",
             "location_example_uc3_destination_charger_not_published",
             "location_example_uc4_limited_visibility", "location_example_uc5_home_charge_point"]
# Parts of a Location without the rest.
PARTS = ["location_energymix_example_complete", "location_energymix_example_energy_provider",
         "location_energymix_example_simple", "location_regularhours_example"]
HOURS = ["location_hours_247_open_exception_closing",
         "location_hours_opening_hours_with_exceptional_closing",
         "location_hours_opening_hours_with_exceptional_opening"]
# Patches, and where below the Location they go.
PATCHES = {"location_patch_example_location": (), "location_patch_example_status": ("3256",),
           "location_patch_example_remove_evse": ("3256",),
           "location_patch_example_tariff": ("3256", "2")}
SESSIONS = ["session_example_1_simple_start", "session_example_2_short_finished"]
TARIFFS = ["tariff_1_simple_2hour", "tariff_2_alt_text", "tariff_3_alt_url", "tariff_4_complex",
           "tariff_5_free_of_charge", "tariff_6_025kwh_start_max_price", "tariff_8_simple_025kwh",
           "tariff_9_025kwh_start", "tariff_10_025kwh_parking_start",
           "tariff_11_not_possible_alt_text", "tariff_12_025kwh_min_price",
           "tariff_13_simple_3hour_5parking", "tariff_14_step_size",
           "tariff_15_reservation_5_euro_per_hour",
           "tariff_16_reservation_2_euro_fee_5_euro_per_hour",
           "tariff_17_reservation_with_expire_fee", "tariff_18_reservation_with_expire_time",
           "tariffrestriction_example_max_duration", "tariffrestriction_example_max_power"]
CREDENTIALS = ["credentials_example", "credentials_example2", "credentials_example3",
               "credentials_example4"]
# At odds with the specification; each lacks a required field.
DEFECTIVE = {"location_put_example_add_evse": "/connectors/0/power_type",
             "tariff_put_example": "/last_updated"}
NOT_SENT = {
    "session_patch_example_charging_period": "test_session_patches",
    "session_patch_example_total_cost": "test_session_patches",
    "cdr_example": "test_cdr",
    "token_example_1_app_user": "an eMSP's object; CPOs send none",
    "token_example_2_full_rfid": "an eMSP's object; CPOs send none",
    "token_put_example": "an eMSP's object; CPOs send none",
    "token_patch_example": "an eMSP's object; CPOs send none",
    "type_displaytext_example": "part of other objects",
    "versions_info_example": "an answer", "version_details_example": "an answer",
    "version_details_example2": "an answer",
    "transport_and_format_get_token_example": "an answer",
    "transport_and_format_get_token_list_example": "an answer",
    "transport_and_format_version_details_example": "an answer",
    "transport_and_format_version_info_example": "an answer",
}

_count = 0


@pytest.fixture
def cpo(shared_world):
    """A partner of its own for each test: many examples have the same id."""
    global _count  # pylint: disable=global-statement
    p = Partner("BE", f"P{_count:02d}", f"Published {_count}")
    _count += 1
    try:
        p.register(shared_world.hub)
        yield p
    finally:
        p.close()


def example(p, name):
    document = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    if "country_code" in document:
        document.update(country_code=p.country, party_id=p.party)
    return document


def done(answer):
    body = answer.json()
    assert answer.status_code in (200, 201) and body["status_code"] == 1000, answer.text
    return body.get("data")


def put_and_compare(p, module, document):
    url = p.own(module, document["id"])
    answer = p.put(url, document)
    done(answer)
    assert answer.status_code == 201
    assert done(p.get(url)) == document
    return url


def test_every_published_example_has_its_place():
    here = {p.stem for p in FOLDER.glob("*.json")}
    known = {*LOCATIONS, *PARTS, *HOURS, *PATCHES, *SESSIONS, *TARIFFS, *CREDENTIALS, *DEFECTIVE,
             *NOT_SENT}
    assert here == known


@pytest.mark.parametrize("name", LOCATIONS)
def test_location(cpo, name):
    put_and_compare(cpo, "locations", example(cpo, name))


@pytest.mark.parametrize("name", PARTS + HOURS)
def test_part_of_a_location(cpo, name):
    part = example(cpo, name)
    if name in HOURS:
        part = {"opening_times": part}
    location = {**example(cpo, "location_example"), **part}
    url = put_and_compare(cpo, "locations", location)
    later = {**part, "last_updated": "2019-06-24T12:39:09Z"}
    done(cpo.patch(url, later))
    assert done(cpo.get(url)) == {**location, **later}


@pytest.mark.parametrize("name", PATCHES)
def test_location_patch(cpo, name):
    """R-LOC-01: the parents of what changed have changed as well."""
    location = example(cpo, "location_example")
    url = put_and_compare(cpo, "locations", location)
    patch = example(cpo, name)
    done(cpo.patch("/".join([url, *PATCHES[name]]), patch))
    part = location
    for key, its_id in zip((("evses", "uid"), ("connectors", "id")), PATCHES[name]):
        part["last_updated"] = patch["last_updated"]
        part = next(p for p in part[key[0]] if p[key[1]] == its_id)
    part.update(patch)
    assert done(cpo.get(url)) == location


@pytest.mark.parametrize("name", SESSIONS)
def test_session(cpo, name):
    put_and_compare(cpo, "sessions", example(cpo, name))


def test_session_patches(cpo):
    """R-SESS-08: charging periods are appended."""
    session = example(cpo, "session_example_1_simple_start")
    # Older than the patches, which were written for another one.
    session.update(last_updated="2019-06-23T08:00:00Z", start_date_time="2019-06-23T08:00:00Z")
    url = put_and_compare(cpo, "sessions", session)
    for name in ("session_patch_example_total_cost", "session_patch_example_charging_period"):
        patch = example(cpo, name)
        done(cpo.patch(url, patch))
        session.update(patch)
        assert done(cpo.get(url)) == session


def test_cdr(cpo):
    document = example(cpo, "cdr_example")
    answer = cpo.post(cpo.url("cdrs"), document)
    done(answer)
    assert answer.status_code == 201
    assert done(cpo.get(answer.headers["Location"])) == document


@pytest.mark.parametrize("name", TARIFFS)
def test_tariff(cpo, name):
    put_and_compare(cpo, "tariffs", example(cpo, name))


@pytest.mark.parametrize("name", CREDENTIALS)
def test_credentials(cpo, name):
    """Their token is the one that the hub calls back with."""
    document = example(cpo, name)
    document["url"] = cpo.base + "/versions"
    for role in document["roles"]:
        if role["role"] == "CPO" and role is document["roles"][0]:
            role.update(country_code=cpo.country, party_id=cpo.party)
    calls = len(cpo.asked_back())
    ours = done(cpo.put(cpo.credentials_url, document))
    assert {r["headers"]["Authorization"] for r in cpo.asked_back()[calls:]} == {
        cpo.headers(token=document["token"])["Authorization"]}
    cpo.token = ours["token"]
    assert done(cpo.get(cpo.credentials_url))["token"] == ours["token"]


@pytest.mark.parametrize("name", DEFECTIVE)
def test_defective_example(cpo, name):
    document = example(cpo, name)
    if name.startswith("tariff"):
        url = cpo.own("tariffs", document["id"])
    else:
        location = put_and_compare(cpo, "locations", example(cpo, "location_example"))
        url = f"{location}/{document['uid']}"
    before = cpo.get(url).json().get("data")
    answer = ok(cpo.put(url, document))
    assert answer["status_code"] == 2001
    assert answer["status_message"].startswith(DEFECTIVE[name] + ":"), answer
    assert cpo.get(url).json().get("data") == before
