#!lua
-- Moves chats up in the inboxes of users whose rows of them show something else now.
-- requires: inbox_entries
-- KEYS[1..]: of each user: user HASH, see Accounts; inbox entries HASH, inbox ZSET, active ZSET, see Inboxes
-- ARGV[1..]: of each user: ids of chats, with \0 between them
-- reply: of each user the moved chats, with \0 between them: those that are in the inbox
local OF_USER = 4
local reply = {}
for i = 1, #KEYS, OF_USER do
  local moved = {}
  if redis.call('HEXISTS', KEYS[i], 'deleted') == 0 then
    for chat in string.gmatch(ARGV[(i + OF_USER - 1) / OF_USER], '[^%z]+') do
      if redis.call('ZSCORE', KEYS[i + 3], chat) then
        move_up(KEYS[i + 1], KEYS[i + 2], chat)
        moved[#moved + 1] = chat
      end
    end
  end
  reply[#reply + 1] = table.concat(moved, '\0')
end
return reply
