#!lua flags=allow-oom
-- Deletes an item of pending work if its version is unchanged.
local pending = KEYS[1] -- HASH, see PendingWork and Outbox
local item = ARGV[1] -- what was done
local version = ARGV[2] -- that of the item when the work began
-- ARGV[3..]: other fields that go with the item
-- reply: 1: nothing of it is pending, 0: it is pending again
local held = redis.call('HGET', pending, item)
if held and held ~= version then return 0 end
redis.call('HDEL', pending, item, unpack(ARGV, 3))
return 1
