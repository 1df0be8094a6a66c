/* SPDX-License-Identifier: Apache-2.0 */
/* A receipt to test with: six hours in Helsinki, by the retail tariff of the worked examples. */
#ifndef TESTS_HUB_RECEIPT_FIXTURE_H
#define TESTS_HUB_RECEIPT_FIXTURE_H

#include <stdbool.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/time.h"
#include "hub/finance/receipt_content.h"

static inline struct receipt_content receipt_fixture(struct arena *a)
{
    static const char *const address[] = {"Mannerheimintie 12 B", "00100 Helsinki"};
    static const struct receipt_meter meter = {
        true,  true, INT64_C(120384117000), INT64_C(120426435000), "https://meter.example/1",
        "9f86"};
    static const char *const notes[] = {"max_charging_time", "Danke für Ihren Besuch"};
    struct receipt_content c = {
        .issuer = {"Nordlicht Oy", address, 2, "FI12345678", "help@hub.example"},
        .network = "Virta",
        .evse_id = "FI*VRT*E12345",
        .place = {"Kamppi", "Urho Kekkosen katu 1", "00100", "Helsinki", "FIN", "Europe/Helsinki"},
        .energy_mwh = 42318000,
        .duration_s = 22345,
        .charging_s = 15120,
        .parking_s = 7225,
        .tariff_name = "Standard",
        .tariff_version = 3,
        .tariff_mode = "fixed",
        .session_id = "770e8400-e29b-41d4-a716-446655440000",
        .cdr_id = "CDR-1",
        .meter = &meter,
        .notes = notes,
        .note_count = 2,
    };

    time_parse("2026-11-12T12:05:09Z", TIME_RFC3339, &c.start.us);
    time_parse("2026-11-12T18:17:34Z", TIME_RFC3339, &c.end.us);
    c.start.offset_s = c.end.offset_s = 2 * 3600;
    struct err e = bill_new("EUR", true, a, &c.bill);
    bill_put(&c.bill, (struct bill_line){.kind = BILL_SESSION,
                                         .quantity_u6 = 1000000,
                                         .price_u6 = 350000,
                                         .vat_u4 = 190000});
    bill_put(&c.bill, (struct bill_line){.kind = BILL_ENERGY,
                                         .unit = BILL_KWH,
                                         .quantity_u6 = 42318000,
                                         .price_u6 = 590000,
                                         .vat_u4 = 190000});
    bill_put(&c.bill, (struct bill_line){.kind = BILL_TIME,
                                         .unit = BILL_MINUTE,
                                         .quantity_u6 = 133000000,
                                         .price_u6 = 100000,
                                         .from_minute = 240,
                                         .vat_u4 = 190000});
    if (!failed(e))
        e = bill_add_up(&c.bill, &BILL_NO_LIMITS, 0);
    if (failed(e))
        abort();
    return c;
}

#endif
