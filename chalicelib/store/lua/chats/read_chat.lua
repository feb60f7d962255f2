#!lua flags=no-writes
-- Reads what a group or room is, and the records of handles in it.
-- requires: memberships
local chat = KEYS[1] -- HASH, see Chats
local members = KEYS[2] -- HASH, see Chats
local others = KEYS[3] -- HASH, see Chats
local handles = cmsgpack.unpack(ARGV[1]) -- msgpack array
-- reply: {{field and value of the chat in turn}, number of members, record of each handle (see record_of)}
local reply = {redis.call('HGETALL', chat), redis.call('HLEN', members)}
for i, handle in ipairs(handles) do reply[2 + i] = record_of(members, others, handle) end
return reply
