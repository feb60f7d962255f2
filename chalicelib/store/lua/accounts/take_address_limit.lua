#!lua
-- Takes a request from the limit of an address.
-- requires: clock, numbers, gcra
local address_limit = KEYS[1] -- STRING, see RateLimits
local limit = tonumber(ARGV[1]) -- integer, requests a minute
local cost = tonumber(ARGV[2]) -- integer, as how many requests this one counts
-- reply: {1: it may pass, 0: it may not; how many more would; µs until the limit is unused; µs to wait}
local time = now()
local passes, unused, left = pass(limit, redis.call('GET', address_limit), time, cost)
if passes then redis.call('SET', address_limit, decimal(unused), 'EX', 120) end
return {passes and 1 or 0, left, unused - time, passes and 0 or wait(limit, unused, time, cost)}
