-- SPDX-License-Identifier: Apache-2.0
-- A CPO tells of the sessions we started, round after round: each has charged a little more.
-- BENCH_SESSIONS has a line a session: our id, the EVSE's uid, its location, the token's uid.
local sessions = {}
for line in io.lines(os.getenv("BENCH_SESSIONS")) do
    local id, evse, location, token = line:match("(%S+) (%S+) (%S+) (%S+)")
    sessions[#sessions + 1] = { id = id, evse = evse, location = location, token = token }
end
local n = -1
local headers = { ["Content-Type"] = "application/json", ["Authorization"] = os.getenv("BENCH_AUTH") }
local started = os.time() - 7200
local started_at = os.date("!%Y-%m-%dT%H:%M:%SZ", started)

function request()
    n = n + 1
    local s, round = sessions[n % #sessions + 1], math.floor(n / #sessions) + 1
    local at = os.date("!%Y-%m-%dT%H:%M:%SZ", started + round * 30)
    local body = string.format('{"country_code":"FI","party_id":"BEN","id":"%s","start_date_time":"%s",' ..
        '"kwh":%d.25,"cdr_token":{"country_code":"FI","party_id":"HUB","uid":"%s","type":"APP_USER",' ..
        '"contract_id":"FI-HUB-C00000000"},"auth_method":"COMMAND","authorization_reference":"%s",' ..
        '"location_id":"%s","evse_uid":"%s","connector_id":"1","currency":"EUR",' ..
        '"charging_periods":[{"start_date_time":"%s","dimensions":[{"type":"ENERGY","volume":%d.25}]}],' ..
        '"total_cost":{"excl_vat":%d.10,"incl_vat":%d.50},"status":"ACTIVE","last_updated":"%s"}',
        s.id, started_at, round, s.token, s.id, s.location, s.evse, started_at, round, round, round, at)
    return wrk.format("PUT", "/ocpi/emsp/2.2.1/sessions/FI/BEN/" .. s.id, headers, body)
end
