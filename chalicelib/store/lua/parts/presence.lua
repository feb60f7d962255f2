-- Reads whether a user is online, as far as another user may know.
-- requires: clock, user_connections

-- Returns {1: online, 0: offline; when the user was last online, µs, or 0: never}; {} for a user without account and
-- connections. To a reader whom the user has blocked, the user was never online.
local function presence_of(user, user_connections, last_seen, blocked, reader)
  local exists, deleted = redis.call('EXISTS', user), redis.call('HEXISTS', user, 'deleted')
  local last = tonumber(redis.call('GET', last_seen) or 0)
  if deleted == 1 or (exists == 0 and last == 0 and redis.call('EXISTS', user_connections) == 0) then return {} end
  if redis.call('ZSCORE', blocked, reader) then return {0, 0} end
  local time = now()
  local lives, _, expired = other_ready(user_connections, nil, time)
  if lives then return {1, 0} end
  return {0, math.min(math.max(last, expired), time)}
end
