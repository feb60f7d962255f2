#!lua
-- Moves a chat up in the inboxes of users because one of its messages has changed, and reads their connections.
-- requires: entry_states, inbox_entries, recipients
-- KEYS[1..]: of each user: user HASH, see Accounts; inbox entries HASH, inbox ZSET, active ZSET, see Inboxes; user connections
--   HASH, see UserConnections
local chat = ARGV[1] -- its id
local is_group = ARGV[2] == '1' -- 1: users without an entry are left out; 0: both users of a direct chat have one
-- reply: {ready connections that take JSON; that take protobuf} (see recipients) of users who are not deleted
local OF_USER = 5

local function is_shown(user, inbox_entries)
  local _, state = entry_of(inbox_entries, chat)
  if state then return state ~= OUT end
  return not is_group and redis.call('HEXISTS', user, 'deleted') == 0
end

for i = 1, #KEYS, OF_USER do
  if is_shown(KEYS[i], KEYS[i + 1]) then move_up(KEYS[i + 1], KEYS[i + 2], chat) end
end
local recipients = {{}, {}}
add_users(recipients, KEYS, OF_USER)
return {joined(recipients)}
