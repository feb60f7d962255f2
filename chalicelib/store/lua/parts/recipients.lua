-- Collects the connections that receive something: two lists, of those that take JSON and of those that take protobuf.
-- requires: clock, connection_flags, flags

local function add_recipient(recipients, connection, flags)
  local list = has(flags, PROTOBUF) and recipients[2] or recipients[1]
  list[#list + 1] = connection
end

-- Adds the recipients of one pair of lists to another.
local function add_all(recipients, others)
  for kind = 1, 2 do
    for _, connection in ipairs(others[kind]) do recipients[kind][#recipients[kind] + 1] = connection end
  end
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

-- Adds the ready connections of users who are not deleted. Most users have no connection: one command finds that of many.
-- keys: of each user, `each` keys: the user HASH, see Accounts, first, and user_connections last.
local function add_users(recipients, keys, each)
  for from = each, #keys, 25 * each do
    local last, asked = math.min(from + 24 * each, #keys), {}
    for i = from, last, each do asked[#asked + 1] = keys[i] end
    for i = redis.call('EXISTS', unpack(asked)) > 0 and from or last + 1, last, each do
      local own = {{}, {}}
      add_ready(own, keys[i])
      if #own[1] + #own[2] > 0 and redis.call('HEXISTS', keys[i - each + 1], 'deleted') == 0 then add_all(recipients, own) end
    end
  end
end

-- Returns the two lists as two texts, the connections in each with \0 between them: one long text is read far faster than
-- many short ones.
local function joined(recipients) return table.concat(recipients[1], '\0'), table.concat(recipients[2], '\0') end
