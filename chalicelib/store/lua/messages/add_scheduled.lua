#!lua
-- Adds a scheduled message of a user, at most once for an id.
local user = KEYS[1] -- HASH, see Accounts
local scheduled = KEYS[2] -- HASH, see ScheduledMessages
local scheduled_due = KEYS[3] -- ZSET, see ScheduledMessages
local id = ARGV[1] -- of the scheduled message
local item = ARGV[2] -- the member of the ZSET
local send_at = ARGV[3] -- integer, µs
local record = ARGV[4] -- see ScheduledMessages
local most = tonumber(ARGV[5]) -- integer, maximum number of a user's scheduled messages
-- reply: {0, the stored record: this one, or the one that the id had}; {1}: the user has `most`; {2}: the account is deleted
local held = redis.call('HGET', scheduled, id)
if held then return {0, held} end
if redis.call('HEXISTS', user, 'deleted') == 1 then return {2} end
if redis.call('HLEN', scheduled) >= most then return {1} end
redis.call('HSET', scheduled, id, record)
redis.call('ZADD', scheduled_due, send_at, item)
return {0, record}
