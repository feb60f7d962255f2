#!lua flags=allow-oom
-- Gives up a claim, if it is still one's own.
-- KEYS[1]  claim   STRING, see Claims
-- ARGV[1]  handle  who gives it up
-- reply    1: it is free, 0: another has it
local holder = redis.call('GET', KEYS[1])
if holder and holder ~= ARGV[1] then return 0 end
redis.call('DEL', KEYS[1])
return 1
