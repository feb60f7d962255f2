-- Reads the connections that receive a user's changes of presence, see UserConnections.
-- requires: recipients

-- Drops the watchers that have expired. Returns the others whom the user has not blocked, as `joined` does.
local function live_watchers(watchers, blocked, time)
  local recipients, expired, held = {{}, {}}, {}, redis.call('HGETALL', watchers)
  local blocks = redis.call('EXISTS', blocked) == 1
  for i = 1, #held, 2 do
    local expiry, flags = struct.unpack('>I8B', held[i + 1])
    if expiry <= time then
      expired[#expired + 1] = held[i]
    elseif not (blocks and redis.call('ZSCORE', blocked, string.sub(held[i + 1], 10))) then
      add_recipient(recipients, held[i], flags)
    end
  end
  for _, connection in ipairs(expired) do redis.call('HDEL', watchers, connection) end
  return joined(recipients)
end
