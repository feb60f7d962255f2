#!lua
-- Records up to which message all connections have been pushed to, while a message is pending; never lowers it.
local outbox = KEYS[1] -- HASH, see Outbox
local item = ARGV[1] -- the pending delivery of a chat's messages
local field = ARGV[2] -- that holds what was pushed
local time = ARGV[3] -- integer, the message's, µs
-- reply: 1: recorded, 0: no message is pending, or a later one was pushed
if redis.call('HEXISTS', outbox, item) == 0 then return 0 end
if tonumber(time) <= (tonumber(redis.call('HGET', outbox, field)) or 0) then return 0 end
redis.call('HSET', outbox, field, time)
return 1
