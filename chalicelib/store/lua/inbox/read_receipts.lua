#!lua flags=no-writes
-- Reads how far each member of a chat has read and received it.
-- requires: memberships, read_permission, read_state_change
local log = KEYS[1] -- LIST, see MessageLog
local chat = KEYS[2] -- HASH, see Chats; does not exist for a direct chat without settings
local members = KEYS[3] -- HASH, see Chats; does not exist for a direct chat
local others = KEYS[4] -- HASH, see Chats; does not exist for a direct chat
local read_states = KEYS[5] -- HASH, see ReadStates
local reader = ARGV[1] -- handle of the user who asks
local kind = ARGV[2] -- of the chat, 'group' (or a room) or 'direct'
-- ARGV[3..]: the handles of a direct chat's users
-- reply: {handle, record or false...}; 1: the chat does not exist, 2: not a member
local BATCH = 1000
local view = view_of(log, chat, members, others, read_states, reader, kind)
local refused = refusal(view, kind)
if refused then return refused end

local handles, reply = {}, {}
if kind == GROUP then
  handles = redis.call('HKEYS', members)
else
  for i = 3, #ARGV do handles[#handles + 1] = ARGV[i] end
end
for from = 1, #handles, BATCH do
  local to = math.min(from + BATCH - 1, #handles)
  for i, record in ipairs(redis.call('HMGET', read_states, unpack(handles, from, to))) do
    reply[#reply + 1] = handles[from + i - 1]
    reply[#reply + 1] = record
  end
end
return reply
