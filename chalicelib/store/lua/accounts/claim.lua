#!lua
-- Claims something that only one user can have, for a time or for good.
local claim = KEYS[1] -- STRING, see Claims
local handle = ARGV[1] -- of the user who claims it
local seconds = ARGV[2] -- integer, how long the claim lives; 0: for good, also when the user holds it already
-- reply: 1: the user has it, 0: another user does
local holder = redis.call('GET', claim)
if holder and (holder ~= handle or seconds ~= '0') then return 0 end
if seconds == '0' then redis.call('SET', claim, handle) else redis.call('SET', claim, handle, 'EX', seconds) end
return 1
