-- Asks for the time, once; no other part or script does. `callers_clock` takes its place where scripts may not ask.
local asked

-- Returns the store's time when the script first asked, µs since 1970.
local function now()
  if not asked then
    local clock = redis.call('TIME')
    asked = clock[1] * 1000000 + clock[2]
  end
  return asked
end
