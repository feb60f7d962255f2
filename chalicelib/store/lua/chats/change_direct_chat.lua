#!lua
-- Changes the settings of a direct chat, and records as pending that its inbox rows change.
-- requires: clock, numbers
local chat = KEYS[1] -- HASH, see Chats: the settings of the direct chat
local log = KEYS[2] -- LIST, see MessageLog
local outbox = KEYS[3] -- HASH, see Outbox: the delivery of the change becomes pending, unless the chat is empty
local expires_in = ARGV[1] -- integer, seconds after which new messages expire; 0: never
local item = ARGV[2] -- the pending delivery
-- reply: 1: the chat has messages and other settings than before, 0: no row changes
local before = redis.call('HGET', chat, 'expires_in') or '0'
if before == expires_in then return 0 end
if expires_in == '0' then
  redis.call('HDEL', chat, 'expires_in')
else
  redis.call('HSET', chat, 'expires_in', expires_in)
end
if redis.call('EXISTS', log) == 0 then return 0 end
redis.call('HSET', outbox, item, decimal(now()))
return 1
