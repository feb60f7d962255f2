#!lua flags=no-writes
-- Reads who has accepted a chat: who has written in it, or has made or joined a group by themselves, and has not left since.
-- requires: permissions
-- KEYS[1]  chat     HASH, see Chats; absent for a chat of two
-- KEYS[2]  readers  HASH, see Readers
-- reply    {handle, ...}; none of a large chat
if redis.call('HEXISTS', KEYS[1], 'large') == 1 then return {} end
local reply, held = {}, redis.call('HGETALL', KEYS[2])
for i = 1, #held, 2 do
  if bit.band(string.byte(held[i + 1], 33), ACCEPTED) ~= 0 then reply[#reply + 1] = held[i] end
end
return reply
