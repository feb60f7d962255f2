#!lua flags=allow-oom
-- Deletes an account at once, keeps its handle taken, and records what other slots hold of it as pending.
-- requires: clock, numbers
local user = KEYS[1] -- HASH, see Accounts; its fields stay until the pending work is done
local pending = KEYS[2] -- HASH, see PendingWork
local session_ends = KEYS[3] -- ZSET, see Sessions
local scheduled = KEYS[4] -- HASH, see ScheduledMessages
local scheduled_due = KEYS[5] -- ZSET, see ScheduledMessages
-- KEYS[6..]: what else is deleted with the account: sessions, posts, ...
local item = ARGV[1] -- the pending work
local handle = ARGV[2]
-- reply: 1: it is deleted, now or before; 0: there never was one
if redis.call('EXISTS', user) == 0 then return 0 end
if redis.call('HEXISTS', user, 'deleted') == 1 then return 1 end
local time = decimal(now())
redis.call('HSET', user, 'deleted', time)
redis.call('HDEL', user, 'password')
redis.call('HSET', pending, item, time)
redis.call('ZREM', session_ends, handle)
for _, id in ipairs(redis.call('HKEYS', scheduled)) do redis.call('ZREM', scheduled_due, handle .. '\0' .. id) end
redis.call('UNLINK', scheduled, unpack(KEYS, 6))
return 1
