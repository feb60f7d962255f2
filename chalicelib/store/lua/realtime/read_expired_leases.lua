#!lua flags=no-writes
-- Reads which connections of a partition have expired and were not dropped, and whose leases end later than any that is
-- given now: those are of a clock that has fallen back since.
-- requires: clock, numbers
-- KEYS[1]  leases  ZSET, see Presence
-- ARGV[1]  limit   integer, maximum number of connections of each kind
-- ARGV[2]  lease   integer, µs that a connection lives
-- reply    {those that have expired, first those that did so first; those whose leases are too long}, each the handle, \0
--          and the connection
local time = now()
local function scored(from, to) return redis.call('ZRANGEBYSCORE', KEYS[1], from, to, 'LIMIT', 0, ARGV[1]) end

return {
  scored('-inf', decimal(time)),
  scored('(' .. decimal(time + tonumber(ARGV[2])), '+inf'),
}
