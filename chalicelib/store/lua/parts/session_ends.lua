-- A part of other scripts. When the sessions of users end, see Sessions.
local function whole(number) return string.format('%.0f', number) end

-- Returns the store's time, µs.
local function now()
  local clock = redis.call('TIME')
  return clock[1] * 1000000 + clock[2]
end

-- Returns when a session expires, µs. record: see Sessions.
local function expiry_of(record) return (struct.unpack('>I8', record, 17)) end
