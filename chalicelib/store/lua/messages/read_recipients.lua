#!lua flags=no-writes
-- Reads the time of a chat's newest message, its recipients, and what was pushed to all connections.
-- requires: clock, attached_connections, chat_log
local log = KEYS[1] -- LIST, see MessageLog
local chat = KEYS[2] -- HASH, see Chats; does not exist for a direct chat without settings
local members = KEYS[3] -- HASH, see Chats; does not exist for a direct chat
local chat_connections = KEYS[4] -- HASH, see ChatConnections
local outbox = KEYS[5] -- HASH, see Outbox
local field = ARGV[1] -- that holds what was pushed
-- reply: {time in µs; time of the newest message that was pushed, or 0; connections of a large chat that take JSON; that take
--   protobuf, see recipients; member...}; no members of a chat that is large, deleted or direct
local _, time = newest(log)
local reply = {time, tonumber(redis.call('HGET', outbox, field) or 0), '', ''}
if redis.call('HEXISTS', chat, 'large') == 1 then
  reply[3], reply[4] = attached(chat_connections, members, now())
else
  for i, member in ipairs(redis.call('HKEYS', members)) do reply[4 + i] = member end
end
return reply
