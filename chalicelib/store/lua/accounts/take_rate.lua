#!lua
-- Takes a request from the limit of an address.
-- KEYS[1]  rate   STRING, see Rates
-- ARGV[1]  limit  integer, requests a minute
-- ARGV[2]  cost   integer, as how many requests this one counts
-- reply    {1: it may pass, 0: not; how many more would; microseconds until the limit is unused; microseconds to wait}
local limit, cost, clock = tonumber(ARGV[1]), tonumber(ARGV[2]), redis.call('TIME')
local now = clock[1] * 1000000 + clock[2]
local passes, unused, left = pass(limit, redis.call('GET', KEYS[1]), now, cost)
if passes then redis.call('SET', KEYS[1], string.format('%.0f', unused), 'EX', 120) end
return {passes and 1 or 0, left, unused - now, passes and 0 or wait(limit, unused, now, cost)}
