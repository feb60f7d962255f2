#!lua flags=no-writes
-- Reads the users who have accepted a chat: who wrote in it, or created or joined a group unasked, and have not left since.
-- requires: flags, read_states
local chat = KEYS[1] -- HASH, see Chats; does not exist for a direct chat without settings
local read_states = KEYS[2] -- HASH, see ReadStates
-- reply: {handle, ...}; none for a large chat
if redis.call('HEXISTS', chat, 'large') == 1 then return {} end
local reply, held = {}, redis.call('HGETALL', read_states)
for i = 1, #held, 2 do
  if has(string.byte(held[i + 1], 33), ACCEPTED) then reply[#reply + 1] = held[i] end
end
return reply
