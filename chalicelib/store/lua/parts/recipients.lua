-- A part of other scripts. The connections that something goes to, see Presence.
-- requires: clock, numbers, connection_flags

-- Adds a connection to those of its kind: they take JSON, or protobuf.
local function add_target(targets, connection, flags)
  local kind = has(flags, PROTOBUF) and targets[2] or targets[1]
  kind[#kind + 1] = connection
end

-- Adds the ready connections of a user that have not expired. connections: HASH, see Presence.
local function add_ready(targets, connections)
  local held = redis.call('HGETALL', connections)
  if #held == 0 then return end
  local time = now()
  for i = 1, #held, 2 do
    local expiry, flags = struct.unpack('>I8B', held[i + 1])
    if expiry > time and has(flags, READY) then add_target(targets, held[i], flags) end
  end
end

-- Returns two texts: the connections that take JSON and those that take protobuf, with \0 between them. One long text
-- is read far faster than many short ones.
local function told(targets) return table.concat(targets[1], '\0'), table.concat(targets[2], '\0') end
