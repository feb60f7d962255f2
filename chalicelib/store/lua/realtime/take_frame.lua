#!lua flags=allow-oom
-- Reads whose a connection is, renews its lease, and takes one frame from its limit.
-- requires: clock, numbers, gcra, signed_identity
local connection = KEYS[1] -- HASH, see Connections
local limit = tonumber(ARGV[1]) -- integer, frames a minute; 0: no limit
local lease = tonumber(ARGV[2]) -- integer, µs that it lives
local ttl = ARGV[3] -- integer, ms until the key expires
local often = tonumber(ARGV[4]) -- integer, µs after which other slots renew it too
-- reply: {handle; session; flags; room or empty; 1: other slots are to renew it now, 0: they are not; µs to wait, 0: it may pass};
--   {}: there is no such connection, or its lease is over
local time = now()
local held = redis.call('HMGET', connection, 'user', 'session', 'flags', 'room', 'lease', 'renewed', 'rate')
if not held[1] or tonumber(held[5]) <= time then return {} end

local passes, unused = pass(limit, held[7], time, 1)
local since = time - tonumber(held[6]) -- below 0: the clock has fallen back since, and other leases are too long
local renew = passes and (since >= often or since < 0)
local renewed = renew and decimal(time) or held[6]
local expiry, rate = decimal(lease_end(held[2], time + lease)), decimal(unused)
redis.call('HSET', connection, 'lease', expiry, 'renewed', renewed, 'rate', rate)
redis.call('PEXPIRE', connection, ttl)
return {held[1], held[2], tonumber(held[3]), held[4] or '', renew and 1 or 0, passes and 0 or wait(limit, unused, time, 1)}
