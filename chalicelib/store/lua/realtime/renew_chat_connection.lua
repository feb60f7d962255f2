#!lua flags=allow-oom
-- Renews the lease of a connection in a chat.
-- requires: clock
local chat_connections = KEYS[1] -- HASH, see ChatConnections
local connection = ARGV[1]
local lease = tonumber(ARGV[2]) -- integer, µs
local grace = tonumber(ARGV[3]) -- integer, µs that an expired connection is kept
-- reply: 1: renewed, 0: it is not attached, or has expired
local time, held = now(), redis.call('HGET', chat_connections, connection)
if not held or struct.unpack('>I8', held) <= time then return 0 end
redis.call('HSET', chat_connections, connection, struct.pack('>I8', time + lease) .. string.sub(held, 9))
redis.call('PEXPIRE', chat_connections, math.ceil((lease + grace) / 1000))
return 1
