#!lua flags=no-writes
-- Reads what a group or room is, and how handles stand in it.
-- KEYS[1..3]  chat, members, others, see Chats
-- ARGV[1]     handles  msgpack array
-- reply       {{field and value of the chat in turn}, number of members, record of each handle}   a record: `m` and
--             that of a member, or `o` and that of another, or empty
local reply = {redis.call('HGETALL', KEYS[1]), redis.call('HLEN', KEYS[2])}
for i, handle in ipairs(cmsgpack.unpack(ARGV[1])) do
  local member = redis.call('HGET', KEYS[2], handle)
  local other = not member and redis.call('HGET', KEYS[3], handle)
  reply[2 + i] = member and 'm' .. member or other and 'o' .. other or ''
end
return reply
