-- A part of other scripts. After targets and connections: who is told that a user comes or goes, see Presence.
-- requires: recipients

-- Returns the watchers that have not expired and whom the user has not blocked, as told does; drops expired ones.
local function watching(watchers, blocked, time)
  local targets, over, held = {{}, {}}, {}, redis.call('HGETALL', watchers)
  local blocks = redis.call('EXISTS', blocked) == 1
  for i = 1, #held, 2 do
    local expiry, flags = struct.unpack('>I8B', held[i + 1])
    if expiry <= time then
      over[#over + 1] = held[i]
    elseif not (blocks and redis.call('ZSCORE', blocked, string.sub(held[i + 1], 10))) then
      add_target(targets, held[i], flags)
    end
  end
  for _, connection in ipairs(over) do redis.call('HDEL', watchers, connection) end
  return told(targets)
end
