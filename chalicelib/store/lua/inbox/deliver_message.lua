#!lua
-- Records a message of a chat in the inboxes of users, and reads their connections; twice changes nothing.
-- requires: entry_states, inbox_entries, recipients
-- KEYS[1..]: of each user: user HASH, see Accounts; inbox entries HASH, inbox ZSET, active ZSET, see Inboxes; user connections
--   HASH, see UserConnections
local chat = ARGV[1] -- its id
local is_group = ARGV[2] == '1' -- 1: users without an entry get none; 0: both users of a direct chat do
local time = ARGV[3] -- integer, the message's, µs
-- reply: {ready connections that take JSON; that take protobuf} (see recipients) of users who are not deleted
local OF_USER = 5
local IS_IN = struct.pack('>BI8', IN, 0) -- what follows the stamp in the entry of almost every member of a group

-- Makes the chat active at the time of the message; returns whether it was not active as late as that.
local function activate(active) return redis.call('ZADD', active, 'GT', 'CH', time, chat) == 1 end

-- Delivers to a user whose entry is absent, out or of a chat that had no message; a deleted user has no entries.
local function deliver_first(user, inbox_entries, active, held)
  local stamp, state, floor = 0, nil, 0
  if held then stamp, state, floor = struct.unpack('>I8BI8', held) end
  if state ~= IN and (is_group or tonumber(time) <= floor) then return false end
  if not held then return redis.call('HEXISTS', user, 'deleted') == 0 and activate(active) end
  keep_entry(inbox_entries, chat, stamp, IN, 0, '')
  redis.call('ZADD', active, time, chat)
  return true
end

for i = 1, #KEYS, OF_USER do
  local inbox_entries, active = KEYS[i + 1], KEYS[i + 3]
  local index = redis.call('HMGET', inbox_entries, chat, 'version')
  local held, version = index[1], index[2]
  local is_in, moves = held and string.sub(held, 9) == IS_IN, nil
  if is_in then moves = activate(active) else moves = deliver_first(KEYS[i], inbox_entries, active, held) end
  if moves then move_above(inbox_entries, KEYS[i + 2], chat, version) end
end
local recipients = {{}, {}}
add_users(recipients, KEYS, OF_USER)
return {joined(recipients)}
