#!lua flags=no-writes
-- Reads which connections of a partition have expired and were not dropped.
-- KEYS[1]  leases  ZSET, see Presence
-- ARGV[1]  limit   integer, connections at the most
-- reply    the handle, \0 and the connection of each, those that expired first
local clock = redis.call('TIME')
local time = string.format('%.0f', clock[1] * 1000000 + clock[2])
return redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', time, 'LIMIT', 0, ARGV[1])
