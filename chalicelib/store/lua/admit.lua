#!lua flags=allow-oom
-- Judges a caller by session or signed identity, and takes one request from the limits of both user and session.
-- KEYS[1]  user      HASH, see Accounts
-- KEYS[2]  sessions  HASH, see Sessions
-- KEYS[3]  rates     HASH, see Rates
-- ARGV[1]  digest    32 bytes of the session's token; empty for a signed identity
-- ARGV[2]  identity  32 bytes, the digest of the signed identity
-- ARGV[3]  signed    integer, the time in microseconds at which it was signed
-- ARGV[4]  class     of the route
-- ARGV[5]  limit     integer, requests a minute of that class for a session; a user has twice as many; 0: no limit
-- ARGV[6]  details   where the caller is now, opaque here
-- ARGV[7]  idle      integer, microseconds a session lives unused
-- ARGV[8]  longest   integer, microseconds a session lives at the most
-- ARGV[9]  slide     integer, microseconds after which the use of a session is written down again
-- reply    {1: admitted, 0: refused, 2: over a limit; how many more may pass; microseconds until the limit is unused; to wait}
local MOST_STATES = 500

-- Drops the states that say no more than none would: of sessions that ended while the user's others went on.
local function drop_unused(rates, now)
  local held = redis.call('HGETALL', rates)
  for i = 1, #held, 2 do
    if tonumber(held[i + 1]) <= now then redis.call('HDEL', rates, held[i]) end
  end
end

local user, sessions, rates, digest = KEYS[1], KEYS[2], KEYS[3], ARGV[1]
local clock = redis.call('TIME')
local now = clock[1] * 1000000 + clock[2]
local made, seen, expires

if digest ~= '' then
  local held = redis.call('HGET', sessions, digest)
  if not held then return {0, 0, 0, 0} end
  made, seen, expires = struct.unpack('>I8I8I8', held)
  if expires <= now then
    redis.call('HDEL', sessions, digest)
    return {0, 0, 0, 0}
  end
else
  local identity, deleted, since = unpack(redis.call('HMGET', user, 'identity', 'deleted', 'since'))
  if identity ~= ARGV[2] or deleted or tonumber(ARGV[3]) <= (tonumber(since) or 0) then return {0, 0, 0, 0} end
end

local left, busy, limit = 0, 0, tonumber(ARGV[5])
if limit > 0 then
  local all, own = ARGV[4], ARGV[4] .. ':' .. string.sub(digest, 1, 8)
  local used = redis.call('HMGET', rates, all, own)
  local passes, unused, more = pass(2 * limit, used[1], now)
  if not passes then return {2, 0, unused - now, wait(2 * limit, unused, now)} end
  local own_passes, own_unused, own_more = pass(limit, used[2], now)
  if not own_passes then return {2, 0, own_unused - now, wait(limit, own_unused, now)} end
  local new = redis.call('HSET', rates, all, string.format('%.0f', unused), own, string.format('%.0f', own_unused))
  if new > 0 and redis.call('HLEN', rates) > MOST_STATES then drop_unused(rates, now) end
  if redis.call('TTL', rates) < 60 then redis.call('EXPIRE', rates, 120) end
  left, busy = math.min(more, own_more), own_unused - now
end

if made and now - seen >= tonumber(ARGV[9]) then
  expires = math.min(now + tonumber(ARGV[7]), made + tonumber(ARGV[8]))
  redis.call('HSET', sessions, digest, struct.pack('>I8I8I8', made, now, expires) .. ARGV[6])
end
return {1, left, busy, 0}
