#!lua
-- Notes a message of a chat in the indexes of some users of a partition, and reads their connections; again is no change.
-- requires: numbers, entry_states, inbox_entries, recipients
-- KEYS[1...] of each user: user HASH, see Accounts; chats HASH, inbox ZSET, active ZSET, see Inboxes;
--          connections HASH, see Presence
-- ARGV[1]  chat      its id
-- ARGV[2]  time      integer, the message's, µs
-- ARGV[3]  is_group  1: only who was placed in the chat is told; 0: both of a direct chat are
-- reply    {ready connections that take JSON; and that take protobuf}, see targets, of those who are not deleted
local chat, time, is_group = ARGV[1], tonumber(ARGV[2]), ARGV[3] == '1'
local targets = {{}, {}}

for i = 1, #KEYS, 5 do
  local user, chats, inbox, active = KEYS[i], KEYS[i + 1], KEYS[i + 2], KEYS[i + 3]
  local stamp, state, floor = place_of(chats, chat)
  local is_live = redis.call('HEXISTS', user, 'deleted') == 0
  local wanted = state == IN or (not is_group and (not state or time > floor))
  local is_newer = time > active_of(active, chat) or (state == IN and floor == EMPTY)
  if is_live and wanted and is_newer then
    if state and (state == OUT or floor == EMPTY) then keep_place(chats, chat, stamp, IN, 0, '') end
    redis.call('ZADD', active, decimal(time), chat)
    bump(chats, inbox, chat)
  end
  if is_live then add_ready(targets, KEYS[i + 4]) end
end
return {told(targets)}
