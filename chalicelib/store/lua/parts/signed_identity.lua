-- Reads what stands for a signed identity where other connections have a session's digest, see signed_identity.py.
local SIGNED_BYTES = 17

-- Returns when the identity's token was made and when it ends, µs; nothing for any other session.
local function signed_times(session)
  if #session == SIGNED_BYTES then return struct.unpack('>I8I8', session, 2) end
end

-- Returns when a lease ends: at its own end, or earlier with the token of a signed identity.
local function lease_end(session, expiry)
  local _, ends = signed_times(session)
  return ends and math.min(expiry, ends) or expiry
end
