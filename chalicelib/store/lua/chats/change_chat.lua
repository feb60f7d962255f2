#!lua
-- Changes a group or room and its memberships, and reports it in the log, if nothing has moved since the caller looked.
-- requires: chat_change, chat_members
-- KEYS[1..9]: see chat_members
-- KEYS[10]: see chat_change
-- ARGV[1..6]: see chat_change
local join_seen = ARGV[7] -- the field `join` as the caller has seen it
local history_seen = ARGV[8] -- the field `history` as the caller has seen it
-- ARGV[9..10]: see chat_change
-- reply: {0, seq of the newest message, time in µs, members or nil for a large chat, inbox entries: {handle, stamp, state (0 out,
--   1 in, 2 large, 3 invited), time of last activity in µs, inviter, ...}}; {1}: something has moved, {2}: the chat is full,
--   {3}: no owner would be left, {4}: too many users wait to become members
local join, history, deleted = unpack(redis.call('HMGET', CHAT, 'join', 'history', 'deleted'))
if deleted or join ~= join_seen or history ~= history_seen or not are_as_seen(MOVES, 4) then return {MOVED} end
return change(false)
