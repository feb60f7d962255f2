#!lua
-- Notes up to which message everything was pushed, if the message is still owed; never lowers it.
-- KEYS[1]  outbox  HASH, see Outbox
-- ARGV[1]  item    what is owed when a message was sent
-- ARGV[2]  field   of what was pushed
-- ARGV[3]  time    integer, the message's, µs
-- reply    1: noted, 0: it is not owed any more, or a later one was pushed
local outbox, field, time = KEYS[1], ARGV[2], tonumber(ARGV[3])
if redis.call('HEXISTS', outbox, ARGV[1]) == 0 then return 0 end
if time <= (tonumber(redis.call('HGET', outbox, field)) or 0) then return 0 end
redis.call('HSET', outbox, field, ARGV[3])
return 1
