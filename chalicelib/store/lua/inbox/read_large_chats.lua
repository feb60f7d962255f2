#!lua flags=no-writes
-- Reads a user's large chats, those first that were checked last.
-- KEYS[1]  large  ZSET, see Inboxes
-- ARGV[1]  most   integer, chats at most
-- reply    {chat, ...}
local large, most = KEYS[1], tonumber(ARGV[1])
if redis.call('TYPE', large).ok ~= 'set' then return redis.call('ZREVRANGE', large, 0, most - 1) end
local found, reply = redis.call('SMEMBERS', large), {}
for i = 1, math.min(#found, most) do reply[i] = found[i] end
return reply
