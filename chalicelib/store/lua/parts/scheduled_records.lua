-- Reads and writes the header of a scheduled message, see ScheduledMessages.
local SCHEDULED_VERSION, FAILED_FLAG, ACCOUNT_FLAG = 1, 1, 2
local SCHEDULED_BODY = 27 -- where the body begins

-- Returns flags, send_at, first and last of a record.
local function scheduled_header(record)
  local _, flags, send_at, first, last = struct.unpack('>BBI8I8I8', record)
  return flags, send_at, first, last
end

-- Returns a record with another time of its first and its last attempt, µs.
local function attempted(record, first, last)
  local flags, send_at = scheduled_header(record)
  return struct.pack('>BBI8I8I8', SCHEDULED_VERSION, flags, send_at, first, last) .. string.sub(record, SCHEDULED_BODY)
end
