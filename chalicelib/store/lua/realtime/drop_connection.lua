#!lua flags=allow-oom
-- Removes a connection, and says whether the user went offline with it: of all that have expired the first does.
-- requires: clock, numbers, connection_flags, user_connections, watchers
-- KEYS[1..6]  user, connections, seen, leases, watchers, blocked; see say_ready
-- ARGV[1]     handle
-- ARGV[2]     connection
-- reply       {1: the user went offline, 0: not; when, µs; watchers to tell that take JSON; and that take protobuf},
--             see targets
local connections, seen, handle, connection, time = KEYS[2], KEYS[3], ARGV[1], ARGV[2], now()
local expiry, flags = connection_of(connections, connection)
redis.call('ZREM', KEYS[4], handle .. '\0' .. connection)
if not expiry then return {0, 0, '', ''} end
redis.call('HDEL', connections, connection)
local lives, over, last = ready_but(connections, connection, time)
if lives or not has(flags, READY) then return {0, 0, '', ''} end

for _, other in ipairs(over) do redis.call('HDEL', connections, other) end
last = math.min(math.max(math.min(expiry, time), last, tonumber(redis.call('GET', seen) or 0)), time)
if redis.call('HEXISTS', KEYS[1], 'deleted') == 1 then return {1, last, '', ''} end -- whom they had blocked is forgotten
redis.call('SET', seen, decimal(last))
return {1, last, watching(KEYS[5], KEYS[6], time)}
