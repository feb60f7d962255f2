#!lua flags=allow-oom
-- Removes a connection from those of its user, and returns whether the user went offline with it. Of several expired connections,
-- the first that is removed counts as the last.
-- requires: clock, numbers, connection_flags, flags, user_connections, watchers
local user = KEYS[1] -- HASH, see Accounts
local user_connections = KEYS[2] -- HASH, see UserConnections
local last_seen = KEYS[3] -- STRING, see UserConnections
local leases = KEYS[4] -- ZSET, see UserConnections
local watchers = KEYS[5] -- HASH, see UserConnections
local blocked = KEYS[6] -- ZSET, see Blocks
local handle = ARGV[1]
local connection = ARGV[2]
-- reply: {1: the user went offline, 0: did not; when, µs; watchers that take JSON; that take protobuf}, see recipients
local time = now()
local expiry, flags = connection_of(user_connections, connection)
redis.call('ZREM', leases, handle .. '\0' .. connection)
if not expiry then return {0, 0, '', ''} end
redis.call('HDEL', user_connections, connection)
local lives, expired, last = other_ready(user_connections, connection, time)
if lives or not has(flags, READY) then return {0, 0, '', ''} end

for _, other in ipairs(expired) do redis.call('HDEL', user_connections, other) end
last = math.min(math.max(math.min(expiry, time), last, tonumber(redis.call('GET', last_seen) or 0)), time)
if redis.call('HEXISTS', user, 'deleted') == 1 then return {1, last, '', ''} end -- a deleted account's blocks are gone
redis.call('SET', last_seen, decimal(last))
return {1, last, live_watchers(watchers, blocked, time)}
