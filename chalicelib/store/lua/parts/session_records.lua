-- Reads and writes the record of a session, see Sessions.

-- Returns when the session began, was last seen and expires, µs.
local function session_times(record) return struct.unpack('>I8I8I8', record) end

-- details: where the caller is, opaque here.
local function session_record(began, seen, expires, details)
  return struct.pack('>I8I8I8', began, seen, expires) .. details
end
