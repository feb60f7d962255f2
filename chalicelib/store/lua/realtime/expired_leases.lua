#!lua flags=no-writes
-- Reads which connections of a partition have expired and were not dropped, and whose leases end later than any that is
-- given now: those are of a clock that has fallen back since.
-- KEYS[1]  leases  ZSET, see Presence
-- ARGV[1]  limit   integer, maximum number of connections of each kind
-- ARGV[2]  lease   integer, µs that a connection lives
-- reply    {those that have expired, first those that did so first; those whose leases are too long}, each the handle, \0
--          and the connection
local clock = redis.call('TIME')
local time = clock[1] * 1000000 + clock[2]
local function scored(from, to) return redis.call('ZRANGEBYSCORE', KEYS[1], from, to, 'LIMIT', 0, ARGV[1]) end

return {
  scored('-inf', string.format('%.0f', time)),
  scored(string.format('(%.0f', time + tonumber(ARGV[2])), '+inf'),
}
