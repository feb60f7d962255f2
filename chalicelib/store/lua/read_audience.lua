#!lua flags=no-writes
-- Reads the time of a chat's newest message, and to whom it goes.
-- KEYS[1]  log      LIST, see MessageLog
-- KEYS[2]  chat     HASH, see Chats; none of a direct chat
-- KEYS[3]  members  HASH, see Chats; none of a direct chat
-- reply    {time in µs, member...}   no members of a chat that is large, gone, or direct
local _, time = newest(KEYS[1])
local reply = {time}
if redis.call('HEXISTS', KEYS[2], 'large') == 0 then
  local members = redis.call('HKEYS', KEYS[3])
  for i = 1, #members do reply[i + 1] = members[i] end
end
return reply
