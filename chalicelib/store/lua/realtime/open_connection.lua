#!lua
-- Makes a connection known.
-- requires: clock, numbers, signed_identity
-- KEYS[1]  socket   HASH, see Sockets
-- ARGV[1]  handle
-- ARGV[2]  session  digest of its token, or empty
-- ARGV[3]  flags    integer, see Sockets
-- ARGV[4]  room     of its ticket, or empty
-- ARGV[5]  lease    integer, µs that it lives
-- ARGV[6]  kept     integer, ms until the key expires
-- reply    1
local time = now()
local lease = not_beyond_token(ARGV[2], time + tonumber(ARGV[5]))
local until_when, renewed = decimal(lease), decimal(time)
redis.call('HSET', KEYS[1], 'user', ARGV[1], 'session', ARGV[2], 'flags', ARGV[3], 'lease', until_when, 'renewed', renewed)
if ARGV[4] ~= '' then redis.call('HSET', KEYS[1], 'room', ARGV[4]) end
redis.call('PEXPIRE', KEYS[1], ARGV[6])
return 1
