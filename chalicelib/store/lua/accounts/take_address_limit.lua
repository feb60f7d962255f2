#!lua
-- Takes a request from the limit of an address.
-- requires: clock, numbers, gcra
-- KEYS[1]  rate   STRING, see Rates
-- ARGV[1]  limit  integer, requests a minute
-- ARGV[2]  cost   integer, as how many requests this one counts
-- reply    {1: it may pass, 0: not; how many more would; microseconds until the limit is unused; microseconds to wait}
local limit, cost, time = tonumber(ARGV[1]), tonumber(ARGV[2]), now()
local passes, unused, left = pass(limit, redis.call('GET', KEYS[1]), time, cost)
if passes then redis.call('SET', KEYS[1], decimal(unused), 'EX', 120) end
return {passes and 1 or 0, left, unused - time, passes and 0 or wait(limit, unused, time, cost)}
