#!lua
-- Claims something that only one user can have, for a time or for good.
-- KEYS[1]  claim    STRING, see Claims
-- ARGV[1]  handle   who claims it
-- ARGV[2]  seconds  integer, how long the claim lives; 0: for good, also when it is held already
-- reply    1: the user has it, 0: another does
local holder = redis.call('GET', KEYS[1])
if holder and (holder ~= ARGV[1] or ARGV[2] ~= '0') then return 0 end
if ARGV[2] == '0' then redis.call('SET', KEYS[1], ARGV[1]) else redis.call('SET', KEYS[1], ARGV[1], 'EX', ARGV[2]) end
return 1
