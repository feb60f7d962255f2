-- Collects the connections that receive something: two lists, of those that take JSON and of those that take protobuf.
-- requires: clock, connection_flags, flags

local function add_recipient(recipients, connection, flags)
  local list = has(flags, PROTOBUF) and recipients[2] or recipients[1]
  list[#list + 1] = connection
end

-- Adds the ready connections of a user that have not expired. user_connections: HASH, see UserConnections.
local function add_ready(recipients, user_connections)
  local held = redis.call('HGETALL', user_connections)
  if #held == 0 then return end
  local time = now()
  for i = 1, #held, 2 do
    local expiry, flags = struct.unpack('>I8B', held[i + 1])
    if expiry > time and has(flags, READY) then add_recipient(recipients, held[i], flags) end
  end
end

-- Returns the two lists as two texts, the connections in each with \0 between them: one long text is read far faster than
-- many short ones.
local function joined(recipients) return table.concat(recipients[1], '\0'), table.concat(recipients[2], '\0') end
