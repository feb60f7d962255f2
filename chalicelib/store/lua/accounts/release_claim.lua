#!lua flags=allow-oom
-- Releases a claim if the user still holds it.
local claim = KEYS[1] -- STRING, see Claims
local handle = ARGV[1] -- of the user who releases it
-- reply: 1: it is free, 0: another user holds it
local holder = redis.call('GET', claim)
if holder and holder ~= handle then return 0 end
redis.call('DEL', claim)
return 1
