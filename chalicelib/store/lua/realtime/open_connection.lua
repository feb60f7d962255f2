#!lua
-- Records a connection under its id.
-- requires: clock, numbers, signed_identity
local connection = KEYS[1] -- HASH, see Connections
local handle = ARGV[1]
local session = ARGV[2] -- digest of its token, or empty
local flags = ARGV[3] -- integer, see Connections
local room = ARGV[4] -- of its ticket, or empty
local lease = tonumber(ARGV[5]) -- integer, µs that it lives
local ttl = ARGV[6] -- integer, ms until the key expires
-- reply: 1
local time = now()
local expiry, renewed = decimal(lease_end(session, time + lease)), decimal(time)
redis.call('HSET', connection, 'user', handle, 'session', session, 'flags', flags, 'lease', expiry, 'renewed', renewed)
if room ~= '' then redis.call('HSET', connection, 'room', room) end
redis.call('PEXPIRE', connection, ttl)
return 1
