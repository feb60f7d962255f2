#!lua flags=allow-oom
-- Renews a connection that is attached to a chat.
-- requires: clock
-- KEYS[1]  clients     HASH, see Clients
-- ARGV[1]  connection
-- ARGV[2]  lease       integer, µs
-- ARGV[3]  grace       integer, µs that it is kept after that
-- reply    1: renewed, 0: it is not attached, or not any more
local time, lease, held = now(), tonumber(ARGV[2]), redis.call('HGET', KEYS[1], ARGV[1])
if not held or struct.unpack('>I8', held) <= time then return 0 end
redis.call('HSET', KEYS[1], ARGV[1], struct.pack('>I8', time + lease) .. string.sub(held, 9))
redis.call('PEXPIRE', KEYS[1], math.ceil((lease + tonumber(ARGV[3])) / 1000))
return 1
