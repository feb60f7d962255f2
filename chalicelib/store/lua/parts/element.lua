-- Reads and writes the header of a message in a chat's log, see MessageLog.
local EXTENDED = 2 -- the version with more than a time
local PLAIN_BODY, EXTENDED_BODY = 10, 34 -- the positions at which bodies begin

-- Returns the position at which the body of a message begins.
local function body_at(element) return string.byte(element) == EXTENDED and EXTENDED_BODY or PLAIN_BODY end

-- Returns time, change, expires and root of a message, and the position at which its body begins.
local function header_of(element)
  if string.byte(element) ~= EXTENDED then return struct.unpack('>I8', element, 2), 0, 0, 0, PLAIN_BODY end
  local time, change, expires, root = struct.unpack('>I8I8I8I8', element, 2)
  return time, change, expires, root, EXTENDED_BODY
end

-- Returns a message with such a header.
local function extended(time, change, expires, root, body)
  return struct.pack('>BI8I8I8I8', EXTENDED, time, change, expires, root) .. body
end
