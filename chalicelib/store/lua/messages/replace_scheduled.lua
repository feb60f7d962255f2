#!lua flags=allow-oom
-- Replaces or removes a scheduled message if it still equals the record that the caller has seen.
local scheduled = KEYS[1] -- HASH, see ScheduledMessages
local scheduled_due = KEYS[2] -- ZSET, see ScheduledMessages
local id = ARGV[1] -- of the scheduled message
local item = ARGV[2] -- the member of the ZSET
local seen = ARGV[3] -- the record that the caller has seen
local record = ARGV[4] -- the new record; empty: it is removed
local time = ARGV[5] -- integer, when the schedule looks at it next, µs
-- reply: 1: it is done; 0: there is another record, or none
if redis.call('HGET', scheduled, id) ~= seen then return 0 end
if record == '' then
  redis.call('HDEL', scheduled, id)
  redis.call('ZREM', scheduled_due, item)
else
  redis.call('HSET', scheduled, id, record)
  redis.call('ZADD', scheduled_due, time, item)
end
return 1
