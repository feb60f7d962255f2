#!lua flags=allow-oom
-- Detaches a connection from a chat, and returns whether its user left the room with it. Of several expired connections of a user,
-- the first that is detached counts as the last.
-- requires: clock, chat_connections, flags
local members = KEYS[1] -- HASH, see Chats
local chat_connections = KEYS[2] -- HASH, see ChatConnections
local connection = ARGV[1]
-- reply: {1: it was the user's last that had joined, 0: it was not; its user, empty: it was not attached; the joined connections;
--   flags; handles}, see chat_connections
local held = redis.call('HGET', chat_connections, connection)
if not held then return {0, '', '', '', ''} end
redis.call('HDEL', chat_connections, connection)
local _, flags = struct.unpack('>I8B', held)
local handle, last, others, time = string.sub(held, 10), false, redis.call('HGETALL', chat_connections), now()
if has(flags, JOINED) then
  local lives, expired = other_joined(others, handle, connection, time)
  last = not lives
  for _, other in ipairs(last and expired or {}) do redis.call('HDEL', chat_connections, other) end
end
return {last and 1 or 0, handle, joined_connections(others, members, time)}
