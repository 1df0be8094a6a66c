-- SPDX-License-Identifier: Apache-2.0
-- Each request starts a session at an EVSE of its own, as one of many users.
local tokens = {}
for line in io.lines(os.getenv("BENCH_TOKENS")) do tokens[#tokens + 1] = line end
local per_location = tonumber(os.getenv("BENCH_EVSES"))
local n = tonumber(os.getenv("BENCH_FIRST")) * per_location

function request()
    n = n + 1
    local body = string.format('{"evse_id":"FI*BEN*E%05d%04d"}', math.floor(n / per_location), n % per_location)
    return wrk.format("POST", "/v1/sessions/start", {
        ["Content-Type"] = "application/json",
        ["Authorization"] = "Bearer " .. tokens[n % #tokens + 1],
    }, body)
end
