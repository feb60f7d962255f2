-- A part of other scripts. The edges of a user, in the user's own slot: whom they follow.
-- requires: clock, numbers

-- user: the key of the user's account. Returns a version above all that the user's edges ever had, as text.
local function next_version(user)
  local last = tonumber(redis.call('HGET', user, 'followed')) or 0
  local version = decimal(math.max(now(), last + 1))
  redis.call('HSET', user, 'followed', version)
  return version
end

-- Takes an edge away, and owes its mirror unless item is empty.
local function end_edge(user, following, owed, target, item)
  local version = next_version(user)
  redis.call('ZREM', following, target)
  if item ~= '' then redis.call('HSET', owed, item, version) end
end
