#!lua flags=no-writes
-- Reads a user's large chats, those first that were checked last.
local large = KEYS[1] -- ZSET, see Inboxes
local most = tonumber(ARGV[1]) -- integer, maximum number of chats
-- reply: {chat, ...}
if redis.call('TYPE', large).ok ~= 'set' then return redis.call('ZREVRANGE', large, 0, most - 1) end
local found, reply = redis.call('SMEMBERS', large), {}
for i = 1, math.min(#found, most) do reply[i] = found[i] end
return reply
