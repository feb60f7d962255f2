-- A part of other scripts. After connections: what is shown of a user.
-- requires: clock, user_connections

-- Returns {1: online, 0: not; when they were last online, µs; 0: never}, or {} when there is no account and nobody connected.
local function shown(user, connections, seen, blocked, reader)
  local there, deleted = redis.call('EXISTS', user), redis.call('HEXISTS', user, 'deleted')
  local last = tonumber(redis.call('GET', seen) or 0)
  if deleted == 1 or (there == 0 and last == 0 and redis.call('EXISTS', connections) == 0) then return {} end
  if redis.call('ZSCORE', blocked, reader) then return {0, 0} end
  local time = now()
  local lives, _, expired = ready_but(connections, nil, time)
  if lives then return {1, 0} end
  return {0, math.min(math.max(last, expired), time)}
end
