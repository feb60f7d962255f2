#!lua
-- Takes one of a quota, which is whole again some time after the first was taken.
-- KEYS[1]  quota    STRING, see Quotas
-- ARGV[1]  limit    integer, how many there are
-- ARGV[2]  seconds  integer, after which it is whole again
-- reply    integer, seconds to wait; 0: one was taken
local taken = tonumber(redis.call('GET', KEYS[1]) or 0)
-- A longer wait is of a clock that has fallen back since.
if redis.call('TTL', KEYS[1]) > tonumber(ARGV[2]) then redis.call('EXPIRE', KEYS[1], ARGV[2]) end
if taken >= tonumber(ARGV[1]) then return math.max(redis.call('TTL', KEYS[1]), 1) end
redis.call('INCR', KEYS[1])
if taken == 0 then redis.call('EXPIRE', KEYS[1], ARGV[2]) end
return 0
