#!lua flags=no-writes
-- Reads how far each member of a chat has read and received it.
-- requires: read_state_change, permissions
-- KEYS[1]  log      LIST, see MessageLog
-- KEYS[2]  chat     HASH, see Chats; absent for a chat of two
-- KEYS[3]  members  HASH, see Chats; absent for a chat of two
-- KEYS[4]  others   HASH, see Chats; absent for a chat of two
-- KEYS[5]  readers  HASH, see Readers
-- ARGV[1]  reader   handle of who asks
-- ARGV[2]  kind     of the chat, 'group' (or a room) or 'direct'
-- ARGV[3...] pair   handles of the two of a chat of two
-- reply    {handle, record or false...}   or 1: no such chat, 2: not a member
local PIECE = 1000
local seen = judged(ARGV[1], ARGV[2])
local refused = refusal(seen, ARGV[2])
if refused then return refused end

local handles, reply = {}, {}
if ARGV[2] == GROUP then
  handles = redis.call('HKEYS', KEYS[3])
else
  for i = 3, #ARGV do handles[#handles + 1] = ARGV[i] end
end
for from = 1, #handles, PIECE do
  local to = math.min(from + PIECE - 1, #handles)
  for i, record in ipairs(redis.call('HMGET', KEYS[5], unpack(handles, from, to))) do
    reply[#reply + 1] = handles[from + i - 1]
    reply[#reply + 1] = record
  end
end
return reply
