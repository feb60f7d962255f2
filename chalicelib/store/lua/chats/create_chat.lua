#!lua
-- Makes a group or room with its members and first message, unless its id was ever taken.
-- requires: chat_change, chat_members
-- KEYS[1..9]  chat, members, others, readers, log, changes, uncounted, outbox, clients; see chat_people
-- ARGV        as of change_chat; nothing is seen yet, so [7] and [8] and what is seen of each handle are empty
-- reply       as of change_chat; {1}: the id is taken
local made, deleted = unpack(redis.call('HMGET', CHAT, 'made', 'deleted'))
if made or deleted then return {MOVED} end
return change(true)
