#!lua flags=allow-oom
-- Authenticates a caller by session or signed identity, and takes one request from the limits of the user and the session.
-- requires: clock, numbers, gcra, session_records, user_limits
local user = KEYS[1] -- HASH, see Accounts
local sessions = KEYS[2] -- HASH, see Sessions
local user_limits = KEYS[3] -- HASH, see RateLimits
local session_ends = KEYS[4] -- ZSET, see Sessions
local digest = ARGV[1] -- 32 bytes, of the session's token; empty for a signed identity
local identity = ARGV[2] -- 32 bytes, the digest of the signed identity
local signed = ARGV[3] -- integer, when it was signed, µs
local class = ARGV[4] -- of the route
local limit = tonumber(ARGV[5]) -- integer, requests a minute of that class for a session, half of a user's; 0: no limit
local details = ARGV[6] -- where the caller is now, opaque here
local idle = ARGV[7] -- integer, µs that a session lives unused
local longest = ARGV[8] -- integer, maximum µs that a session lives
local slide = tonumber(ARGV[9]) -- integer, µs after which the use of a session is written down again
local cost = tonumber(ARGV[10]) -- integer, as how many requests this one counts
local handle = ARGV[11]
-- reply: {1: authenticated, 0: refused, 2: over a limit; how many more may pass; µs until the limit is unused; µs to wait}
local time = now()
local began, seen, expires

if digest ~= '' then
  local held = redis.call('HGET', sessions, digest)
  if not held then return {0, 0, 0, 0} end
  began, seen, expires = session_times(held)
  if expires <= time then
    redis.call('HDEL', sessions, digest)
    return {0, 0, 0, 0}
  end
else
  local own, deleted, since = unpack(redis.call('HMGET', user, 'identity', 'deleted', 'since'))
  if own ~= identity or deleted or tonumber(signed) <= (tonumber(since) or 0) then return {0, 0, 0, 0} end
end

local passes, left, busy, waiting = take_of_user(user_limits, class, string.sub(digest, 1, 8), limit, time, cost, pass)
if not passes then return {2, left, busy, waiting} end

-- Seen later than now: the clock has fallen back since, and the session would live for longer than it may.
if began and (time - seen >= slide or seen > time) then
  began = math.min(began, time)
  expires = math.min(time + tonumber(idle), began + tonumber(longest))
  redis.call('HSET', sessions, digest, session_record(began, time, expires, details))
  -- Earlier versions let the key expire and did not record when sessions end: the next sweep does.
  if redis.call('PERSIST', sessions) == 1 then redis.call('ZADD', session_ends, decimal(time), handle) end
end
return {1, left, busy, 0}
