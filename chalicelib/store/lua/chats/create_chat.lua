#!lua
-- Creates a group or room with its members and first message, unless its id was ever taken.
-- requires: chat_change, chat_members
-- KEYS[1..9]: see chat_members
-- KEYS[10]: see chat_change
-- ARGV[1..10]: see change_chat; nothing was seen yet: [7], [8] and the records in [10] are empty
-- reply: see change_chat; {1}: the id is taken
local made, deleted = unpack(redis.call('HMGET', CHAT, 'made', 'deleted'))
if made or deleted then return {MOVED} end
return change(true)
