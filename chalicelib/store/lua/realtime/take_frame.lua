#!lua flags=allow-oom
-- Says whose a connection is, renews its lease, and takes one frame from its limit.
-- requires: clock, numbers, gcra, signed_identity
-- KEYS[1]  socket  HASH, see Sockets
-- ARGV[1]  limit   integer, frames a minute; 0: none
-- ARGV[2]  lease   integer, µs that it lives
-- ARGV[3]  kept    integer, ms until the key expires
-- ARGV[4]  often   integer, µs after which other slots are to renew it, too
-- reply    {handle; session; flags; room or empty; 1: other slots are to renew it now, 0: not; microseconds to wait, 0: it
--          may pass}; {}: there is no such connection, or its lease is over
local limit, socket, time = tonumber(ARGV[1]), KEYS[1], now()
local held = redis.call('HMGET', socket, 'user', 'session', 'flags', 'room', 'lease', 'renewed', 'rate')
if not held[1] or tonumber(held[5]) <= time then return {} end

local passes, unused = pass(limit, held[7], time, 1)
local since = time - tonumber(held[6]) -- below 0: the clock has fallen back since, and other leases are too long
local renew = passes and (since >= tonumber(ARGV[4]) or since < 0)
local renewed = renew and decimal(time) or held[6]
local lease, rate = decimal(not_beyond_token(held[2], time + tonumber(ARGV[2]))), decimal(unused)
redis.call('HSET', socket, 'lease', lease, 'renewed', renewed, 'rate', rate)
redis.call('PEXPIRE', socket, ARGV[3])
return {held[1], held[2], tonumber(held[3]), held[4] or '', renew and 1 or 0, passes and 0 or wait(limit, unused, time, 1)}
