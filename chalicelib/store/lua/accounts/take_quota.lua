#!lua
-- Takes one of a quota, which is whole again some time after the first was taken.
local quota = KEYS[1] -- STRING, see DailyQuotas
local limit = tonumber(ARGV[1]) -- integer, how many the quota has
local seconds = tonumber(ARGV[2]) -- integer, after which it is whole again
-- reply: integer, seconds to wait; 0: one was taken
local taken = tonumber(redis.call('GET', quota) or 0)
-- A longer wait was set before the clock fell back.
if redis.call('TTL', quota) > seconds then redis.call('EXPIRE', quota, seconds) end
if taken >= limit then return math.max(redis.call('TTL', quota), 1) end
redis.call('INCR', quota)
if taken == 0 then redis.call('EXPIRE', quota, seconds) end
return 0
