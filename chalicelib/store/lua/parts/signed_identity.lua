-- A part of other scripts. What stands for a signed identity where others have a session's digest, see signed.py.
local SIGNED_BYTES = 17

-- Returns when the token was made and when it ends, µs; nothing for any other session.
local function signed_times(session)
  if #session == SIGNED_BYTES then return struct.unpack('>I8I8', session, 2) end
end

-- Returns when a lease ends that a token's end cuts short.
local function not_beyond_token(session, expiry)
  local _, ends = signed_times(session)
  return ends and math.min(expiry, ends) or expiry
end
