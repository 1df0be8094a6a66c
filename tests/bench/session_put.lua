-- SPDX-License-Identifier: Apache-2.0
-- A CPO tells of many sessions, each told of several times with more energy.
local n = tonumber(os.getenv("BENCH_FIRST"))
local headers = { ["Content-Type"] = "application/json", ["Authorization"] = os.getenv("BENCH_AUTH") }
local started = os.time() - 3600

function request()
    n = n + 1
    local id, round = math.floor(n / 4), n % 4
    local at = os.date("!%Y-%m-%dT%H:%M:%SZ", started + round * 60)
    local body = string.format('{"country_code":"FI","party_id":"BEN","id":"S%d","start_date_time":"%s",' ..
        '"kwh":%d.25,"cdr_token":{"country_code":"FI","party_id":"HUB","uid":"NOBODY","type":"APP_USER",' ..
        '"contract_id":"FI-HUB-C00000000"},"auth_method":"COMMAND","location_id":"L1","evse_uid":"1-1",' ..
        '"connector_id":"1","currency":"EUR","charging_periods":[{"start_date_time":"%s","dimensions":' ..
        '[{"type":"ENERGY","volume":%d.25}]}],"total_cost":{"excl_vat":%d.10,"incl_vat":%d.50},' ..
        '"status":"ACTIVE","last_updated":"%s"}',
        id, os.date("!%Y-%m-%dT%H:%M:%SZ", started), round, at, round, round, round, at)
    return wrk.format("PUT", "/ocpi/emsp/2.2.1/sessions/FI/BEN/S" .. id, headers, body)
end
