#!lua flags=no-writes
-- Reads who stands to a group or room in one way, without being a member.
-- KEYS[1]  others    HASH, see Chats
-- ARGV[1]  relation  integer
-- reply    {handle, record, ...}
local reply, wanted = {}, tonumber(ARGV[1])
local others = redis.call('HGETALL', KEYS[1])
for i = 1, #others, 2 do
  if bit.band(string.byte(others[i + 1]), 127) == wanted then
    reply[#reply + 1], reply[#reply + 2] = others[i], others[i + 1]
  end
end
return reply
