-- SPDX-License-Identifier: Apache-2.0
-- One message of a partner again and again, each with ids of its own: @N@ is what differs.
-- BENCH_HEADERS is a file with a header a line, BENCH_BODY one with the body; BENCH_RUN tells this
-- run's ids from those of all others.
local headers = {}
for line in io.lines(os.getenv("BENCH_HEADERS")) do
    local name, value = line:match("^(%S+): (.*)$")
    headers[name] = value
end
local file = io.open(os.getenv("BENCH_BODY"))
local parts = {}
for part in (file:read("*a") .. "@N@"):gmatch("(.-)@N@") do parts[#parts + 1] = part end
file:close()
local method, path, run = os.getenv("BENCH_METHOD"), os.getenv("BENCH_PATH"), os.getenv("BENCH_RUN")
local n = 0

function request()
    n = n + 1
    local id = run .. "-" .. n
    headers["X-Request-ID"] = id
    headers["X-Correlation-ID"] = id
    return wrk.format(method, (path:gsub("@N@", id)), headers, table.concat(parts, id))
end
