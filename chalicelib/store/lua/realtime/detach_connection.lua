#!lua flags=allow-oom
-- Detaches a connection from a chat, and says whether its user left the joined ones: of all that have expired the first does.
-- requires: clock, chat_connections
-- KEYS[1]  members     HASH, see Chats
-- KEYS[2]  clients     HASH, see Clients
-- ARGV[1]  connection
-- reply    {1: it was the user's last that had joined, 0: not; whose it was, empty: it was not there; the joined connections;
--          flags; handles}, see clients
local members, key, connection, time = KEYS[1], KEYS[2], ARGV[1], now()
local held = redis.call('HGET', key, connection)
if not held then return {0, '', '', '', ''} end
redis.call('HDEL', key, connection)
local _, flags = struct.unpack('>I8B', held)
local handle, last, others = string.sub(held, 10), false, redis.call('HGETALL', key)
if bit.band(flags, JOINED) ~= 0 then
  local lives, over = joined_of(others, handle, connection, time)
  last = not lives
  for _, other in ipairs(last and over or {}) do redis.call('HDEL', key, other) end
end
return {last and 1 or 0, handle, joined_clients(others, members, time)}
