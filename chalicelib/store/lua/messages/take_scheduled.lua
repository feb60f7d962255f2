#!lua flags=allow-oom
-- Takes a scheduled message whose time has come for one attempt to send it; drops it if it is past use.
-- requires: clock, numbers, scheduled_records
local user = KEYS[1] -- HASH, see Accounts
local scheduled = KEYS[2] -- HASH, see ScheduledMessages
local scheduled_due = KEYS[3] -- ZSET, see ScheduledMessages
local id = ARGV[1] -- of the scheduled message
local item = ARGV[2] -- the member of the ZSET
local lease = tonumber(ARGV[3]) -- integer, µs for which no other attempt takes it
-- reply: its record, with the time of this attempt; nil: there is nothing to send
local time, at = now(), redis.call('ZSCORE', scheduled_due, item)
if not at or tonumber(at) > time then return nil end

local function drop()
  redis.call('HDEL', scheduled, id)
  redis.call('ZREM', scheduled_due, item)
end

local held = redis.call('HGET', scheduled, id)
if not held then return drop() end
local flags, _, first, last = scheduled_header(held)
if bit.band(flags, FAILED_FLAG) > 0 then return drop() end
local made, deleted = unpack(redis.call('HMGET', user, 'made', 'deleted'))
local is_of_account = bit.band(flags, ACCOUNT_FLAG) > 0
if deleted or is_of_account ~= (made and true or false) then return drop() end

local record = attempted(held, first > 0 and first or time, math.max(time, last + 1))
redis.call('HSET', scheduled, id, record)
redis.call('ZADD', scheduled_due, decimal(time + lease), item)
return record
