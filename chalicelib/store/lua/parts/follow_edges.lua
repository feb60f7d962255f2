-- Changes the edges of a user in the user's own slot: whom the user follows, see Follows.
-- requires: clock, numbers

-- user: the key of the user's account. Returns a version above all that the user's edges ever had, as text.
local function next_version(user)
  local last = tonumber(redis.call('HGET', user, 'followed')) or 0
  local version = decimal(math.max(now(), last + 1))
  redis.call('HSET', user, 'followed', version)
  return version
end

-- Ends an edge, and records its mirror as pending unless item is empty.
local function end_edge(user, following, pending, target, item)
  local version = next_version(user)
  redis.call('ZREM', following, target)
  if item ~= '' then redis.call('HSET', pending, item, version) end
end
