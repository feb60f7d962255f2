-- Takes requests from the limits of a user and of a session, see RateLimits.
-- requires: numbers, gcra
local MAX_STATES = 500

-- Drops the states of unused limits: those of sessions that ended while other sessions of the user went on.
local function drop_unused(limits, time)
  local held = redis.call('HGETALL', limits)
  for i = 1, #held, 2 do
    if tonumber(held[i + 1]) <= time then redis.call('HDEL', limits, held[i]) end
  end
end

local function keep_states(limits, time, class, unused, own, own_unused)
  local new = redis.call('HSET', limits, class, decimal(unused), own, decimal(own_unused))
  if new > 0 and redis.call('HLEN', limits) > MAX_STATES then drop_unused(limits, time) end
  if redis.call('TTL', limits) < 60 then redis.call('EXPIRE', limits, 120) end
end

-- Takes a request from both limits.
-- limits: HASH, see RateLimits. session: the first bytes of its token's digest; empty for a signed identity. limit: requests a
-- minute of a session, and half of a user's; 0: no limit. taking: the function `pass` or `take`.
-- Returns whether it may pass; how many more may; µs until the limit is unused; µs to wait.
local function take_of_user(limits, class, session, limit, time, cost, taking)
  if limit == 0 then return true, 0, 0, 0 end
  local own = class .. ':' .. session
  local used = redis.call('HMGET', limits, class, own)
  local passes, unused, more = taking(2 * limit, used[1], time, cost)
  if not passes then return false, 0, unused - time, wait(2 * limit, unused, time, cost) end
  local own_passes, own_unused, own_more = taking(limit, used[2], time, cost)
  if not own_passes then return false, 0, own_unused - time, wait(limit, own_unused, time, cost) end
  keep_states(limits, time, class, unused, own, own_unused)
  return true, math.min(more, own_more), own_unused - time, 0
end
