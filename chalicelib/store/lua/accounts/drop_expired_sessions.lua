#!lua flags=allow-oom
-- Drops the sessions of a user that have expired, and notes when the next one will have.
-- requires: clock, numbers, session_records
-- KEYS[1]  sessions  HASH, see Sessions
-- KEYS[2]  ends      ZSET, see Sessions
-- ARGV[1]  handle
-- reply    integer, how many were dropped
local sessions, ends, handle, time = KEYS[1], KEYS[2], ARGV[1], now()
local dropped, earliest, held = 0, nil, redis.call('HGETALL', sessions)
for i = 1, #held, 2 do
  local expires = expiry_of(held[i + 1])
  if expires <= time then
    dropped = dropped + redis.call('HDEL', sessions, held[i])
  else
    earliest = math.min(earliest or expires, expires)
  end
end
if earliest then redis.call('ZADD', ends, decimal(earliest), handle) else redis.call('ZREM', ends, handle) end
return dropped
