#!lua flags=no-writes
-- Reads the users with one relation to a group or room, of which they are no members.
local others = KEYS[1] -- HASH, see Chats
local relation = tonumber(ARGV[1]) -- integer
-- reply: {handle, record, ...}
local reply, held = {}, redis.call('HGETALL', others)
for i = 1, #held, 2 do
  if bit.band(string.byte(held[i + 1]), 127) == relation then
    reply[#reply + 1], reply[#reply + 2] = held[i], held[i + 1]
  end
end
return reply
