#!lua
-- Attaches a connection to a group or room for the time of a lease, if its user is a member.
-- requires: clock, chat_connections, permissions
-- KEYS[1]  chat        HASH, see Chats
-- KEYS[2]  members     HASH, see Chats
-- KEYS[3]  clients     HASH, see Clients
-- ARGV[1]  handle
-- ARGV[2]  connection
-- ARGV[3]  flags       integer, see Clients
-- ARGV[4]  lease       integer, µs
-- ARGV[5]  grace       integer, µs that it is kept after that
-- reply    {1: the user's first that joined, 0: not; the joined connections; flags; handles}, see clients; {}: not a
--          member, or no such chat
local members, key, handle, connection, flags = KEYS[2], KEYS[3], ARGV[1], ARGV[2], tonumber(ARGV[3])
local lease, grace, time = tonumber(ARGV[4]), tonumber(ARGV[5]), now()
if not group_of(KEYS[1]) or redis.call('HEXISTS', members, handle) == 0 then return {} end

local joins, held = bit.band(flags, JOINED) ~= 0, redis.call('HGET', key, connection)
if held then
  local expiry, before = struct.unpack('>I8B', held)
  if bit.band(before, JOINED) ~= 0 then
    joins = joins and expiry <= time
    flags = bit.bor(flags, JOINED)
  end
end
redis.call('HSET', key, connection, struct.pack('>I8B', time + lease, flags) .. handle)
redis.call('PEXPIRE', key, math.ceil((lease + grace) / 1000))

local all = redis.call('HGETALL', key)
for i = 1, #all, 2 do
  local expiry = struct.unpack('>I8', all[i + 1])
  if expiry <= time - grace then
    redis.call('HDEL', key, all[i])
  elseif expiry > time + lease then -- of a clock that has fallen back since
    redis.call('HSET', key, all[i], struct.pack('>I8', time + lease) .. string.sub(all[i + 1], 9))
  end
end
local first = joins and not joined_of(all, handle, connection, time)
return {first and 1 or 0, joined_clients(all, members, time)}
