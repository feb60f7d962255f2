#!lua
-- Records a message of a chat in the inboxes of users, and reads their connections; twice changes nothing.
-- requires: numbers, entry_states, inbox_entries, recipients
-- KEYS[1..]: of each user: user HASH, see Accounts; inbox entries HASH, inbox ZSET, active ZSET, see Inboxes; user connections
--   HASH, see UserConnections
local chat = ARGV[1] -- its id
local time = tonumber(ARGV[2]) -- integer, the message's, µs
local is_group = ARGV[3] == '1' -- 1: users without an entry get none; 0: both users of a direct chat do
-- reply: {ready connections that take JSON; that take protobuf} (see recipients) of users who are not deleted
local recipients = {{}, {}}

for i = 1, #KEYS, 5 do
  local user, inbox_entries, inbox, active = KEYS[i], KEYS[i + 1], KEYS[i + 2], KEYS[i + 3]
  local stamp, state, floor = entry_of(inbox_entries, chat)
  local exists = redis.call('HEXISTS', user, 'deleted') == 0
  local wanted = state == IN or (not is_group and (not state or time > floor))
  local is_newer = time > activity_of(active, chat) or (state == IN and floor == EMPTY)
  if exists and wanted and is_newer then
    if state and (state == OUT or floor == EMPTY) then keep_entry(inbox_entries, chat, stamp, IN, 0, '') end
    redis.call('ZADD', active, decimal(time), chat)
    move_up(inbox_entries, inbox, chat)
  end
  if exists then add_ready(recipients, KEYS[i + 4]) end
end
return {joined(recipients)}
