#!lua flags=allow-oom
-- Drops the expired sessions of a user, and records when the next one expires.
-- requires: clock, numbers, session_records
local sessions = KEYS[1] -- HASH, see Sessions
local session_ends = KEYS[2] -- ZSET, see Sessions
local handle = ARGV[1]
-- reply: integer, how many were dropped
local dropped, earliest, held, time = 0, nil, redis.call('HGETALL', sessions), now()
for i = 1, #held, 2 do
  local _, _, expires = session_times(held[i + 1])
  if expires <= time then
    dropped = dropped + redis.call('HDEL', sessions, held[i])
  else
    earliest = math.min(earliest or expires, expires)
  end
end
if earliest then
  redis.call('ZADD', session_ends, decimal(earliest), handle)
else
  redis.call('ZREM', session_ends, handle)
end
return dropped
