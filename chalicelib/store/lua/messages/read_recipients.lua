#!lua flags=no-writes
-- Reads the time of a chat's newest message, to whom it goes, and what was pushed to all of them.
-- requires: clock, attached_connections, chat_log
-- KEYS[1]  log      LIST, see MessageLog
-- KEYS[2]  chat     HASH, see Chats; none of a direct chat
-- KEYS[3]  members  HASH, see Chats; none of a direct chat
-- KEYS[4]  clients  HASH, see Clients
-- KEYS[5]  outbox   HASH, see Outbox
-- ARGV[1]  field    of what was pushed
-- reply    {time in µs; time of the newest message that was pushed, or 0; connections of a large chat that take JSON; and
--          that take protobuf, see targets; member...}   no members of a chat that is large, gone, or direct
local _, time = newest(KEYS[1])
local reply = {time, tonumber(redis.call('HGET', KEYS[5], ARGV[1]) or 0), '', ''}
if redis.call('HEXISTS', KEYS[2], 'large') == 1 then
  reply[3], reply[4] = attached(KEYS[4], KEYS[3], now())
else
  local members = redis.call('HKEYS', KEYS[3])
  for i = 1, #members do reply[4 + i] = members[i] end
end
return reply
