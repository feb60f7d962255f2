#!lua flags=allow-oom
-- Judges a caller by session or signed identity, and takes one request from the limits of both user and session.
-- requires: clock, numbers, gcra, user_limits
-- KEYS[1]  user      HASH, see Accounts
-- KEYS[2]  sessions  HASH, see Sessions
-- KEYS[3]  rates     HASH, see Rates
-- KEYS[4]  ends      ZSET, see Sessions
-- ARGV[1]  digest    32 bytes of the session's token; empty for a signed identity
-- ARGV[2]  identity  32 bytes, the digest of the signed identity
-- ARGV[3]  signed    integer, the time in microseconds at which it was signed
-- ARGV[4]  class     of the route
-- ARGV[5]  limit     integer, requests a minute of that class for a session; a user has twice as many; 0: no limit
-- ARGV[6]  details   where the caller is now, opaque here
-- ARGV[7]  idle      integer, microseconds a session lives unused
-- ARGV[8]  longest   integer, microseconds a session lives at the most
-- ARGV[9]  slide     integer, microseconds after which the use of a session is written down again
-- ARGV[10] cost      integer, as how many requests this one counts
-- ARGV[11] handle
-- reply    {1: admitted, 0: refused, 2: over a limit; how many more may pass; microseconds until the limit is unused; to wait}
local user, sessions, rates, digest = KEYS[1], KEYS[2], KEYS[3], ARGV[1]
local time = now()
local made, seen, expires

if digest ~= '' then
  local held = redis.call('HGET', sessions, digest)
  if not held then return {0, 0, 0, 0} end
  made, seen, expires = struct.unpack('>I8I8I8', held)
  if expires <= time then
    redis.call('HDEL', sessions, digest)
    return {0, 0, 0, 0}
  end
else
  local identity, deleted, since = unpack(redis.call('HMGET', user, 'identity', 'deleted', 'since'))
  if identity ~= ARGV[2] or deleted or tonumber(ARGV[3]) <= (tonumber(since) or 0) then return {0, 0, 0, 0} end
end

local passes, left, busy, waiting =
  take_of_user(rates, ARGV[4], string.sub(digest, 1, 8), tonumber(ARGV[5]), time, tonumber(ARGV[10]), pass)
if not passes then return {2, left, busy, waiting} end

-- Seen later than now: the clock has fallen back since, and the session would live for longer than it may.
if made and (time - seen >= tonumber(ARGV[9]) or seen > time) then
  made = math.min(made, time)
  expires = math.min(time + tonumber(ARGV[7]), made + tonumber(ARGV[8]))
  redis.call('HSET', sessions, digest, struct.pack('>I8I8I8', made, time, expires) .. ARGV[6])
  -- Earlier versions let the key expire, and did not note when sessions end: the next sweep does.
  if redis.call('PERSIST', sessions) == 1 then redis.call('ZADD', KEYS[4], decimal(time), ARGV[11]) end
end
return {1, left, busy, 0}
