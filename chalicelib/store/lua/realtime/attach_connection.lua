#!lua
-- Attaches a connection to a group or room for the time of a lease, if its user is a member.
-- requires: clock, chat_connections, flags, memberships
local chat = KEYS[1] -- HASH, see Chats
local members = KEYS[2] -- HASH, see Chats
local chat_connections = KEYS[3] -- HASH, see ChatConnections
local handle = ARGV[1]
local connection = ARGV[2]
local flags = tonumber(ARGV[3]) -- integer, see ChatConnections
local lease = tonumber(ARGV[4]) -- integer, µs
local grace = tonumber(ARGV[5]) -- integer, µs that an expired connection is kept
-- reply: {1: the user's first connection that joined, 0: it is not; the joined connections; flags; handles}, see chat_connections;
--   {}: not a member, or the chat does not exist
local time = now()
if not group_of(chat) or redis.call('HEXISTS', members, handle) == 0 then return {} end

local joins, held = has(flags, JOINED), redis.call('HGET', chat_connections, connection)
if held then
  local expiry, before = struct.unpack('>I8B', held)
  if has(before, JOINED) then
    joins = joins and expiry <= time
    flags = bit.bor(flags, JOINED)
  end
end
redis.call('HSET', chat_connections, connection, struct.pack('>I8B', time + lease, flags) .. handle)
redis.call('PEXPIRE', chat_connections, math.ceil((lease + grace) / 1000))

local all = redis.call('HGETALL', chat_connections)
for i = 1, #all, 2 do
  local expiry = struct.unpack('>I8', all[i + 1])
  if expiry <= time - grace then
    redis.call('HDEL', chat_connections, all[i])
  elseif expiry > time + lease then -- set before the clock fell back
    redis.call('HSET', chat_connections, all[i], struct.pack('>I8', time + lease) .. string.sub(all[i + 1], 9))
  end
end
local first = joins and not other_joined(all, handle, connection, time)
return {first and 1 or 0, joined_connections(all, members, time)}
