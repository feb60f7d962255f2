-- Asks for the time; no other part or script does. `callers_clock` takes its place where scripts may not ask.

-- Returns the store's time, µs since 1970.
local function now()
  local clock = redis.call('TIME')
  return clock[1] * 1000000 + clock[2]
end
