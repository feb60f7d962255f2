-- A part of other scripts. After gcra: the limits of a user and a session, see Rates.
-- requires: numbers, gcra
local MOST_STATES = 500

-- Drops the states that say no more than none would: of sessions that ended while the user's others went on.
local function drop_unused(rates, now)
  local held = redis.call('HGETALL', rates)
  for i = 1, #held, 2 do
    if tonumber(held[i + 1]) <= now then redis.call('HDEL', rates, held[i]) end
  end
end

local function keep_states(rates, now, class, unused, own, own_unused)
  local new = redis.call('HSET', rates, class, decimal(unused), own, decimal(own_unused))
  if new > 0 and redis.call('HLEN', rates) > MOST_STATES then drop_unused(rates, now) end
  if redis.call('TTL', rates) < 60 then redis.call('EXPIRE', rates, 120) end
end

-- Takes a request from the limits of both user and session.
-- rates: HASH, see Rates. session: what its token's digest begins with; empty for a signed identity. limit: requests a minute of
-- a session; a user has twice as many; 0: no limit. taking: pass, or take.
-- Returns whether it may pass; how many more may; microseconds until the limit is unused; microseconds to wait.
local function take_of_user(rates, class, session, limit, now, cost, taking)
  if limit == 0 then return true, 0, 0, 0 end
  local own = class .. ':' .. session
  local used = redis.call('HMGET', rates, class, own)
  local passes, unused, more = taking(2 * limit, used[1], now, cost)
  if not passes then return false, 0, unused - now, wait(2 * limit, unused, now, cost) end
  local own_passes, own_unused, own_more = taking(limit, used[2], now, cost)
  if not own_passes then return false, 0, own_unused - now, wait(limit, own_unused, now, cost) end
  keep_states(rates, now, class, unused, own, own_unused)
  return true, math.min(more, own_more), own_unused - now, 0
end
