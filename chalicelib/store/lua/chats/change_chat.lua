#!lua
-- Changes what a group or room is and how handles stand in it, and tells of it in the log, if nothing has moved.
-- requires: chat_change, chat_members
-- KEYS[1..9]  chat, members, others, readers, log, changes, uncounted, outbox, clients; see chat_people
-- ARGV[1]     id           the chat's
-- ARGV[2]     body         msgpack array, the message that tells of it; empty: none does
-- ARGV[3]     keep         integer, how many messages the log may hold; 0: all
-- ARGV[4]     most         integer, how many members a chat may have
-- ARGV[5]     large above  integer, a chat that has had more members is large for good
-- ARGV[6]     most others  integer, how many former members and the like are kept
-- ARGV[7..8]  join, history  as they were seen
-- ARGV[9]     fields       msgpack array, fields of the chat and values in turn
-- ARGV[10]    moves        msgpack array, four for each handle: the handle; its record as it was seen (see record_of); what becomes
--             of it: `m` and a role, `o` and a relation (128 more: has refused an invitation), each a byte, and of an invited user the
--             inviter's handle; empty: the record goes, `=`: nothing;
--             integer, until when a member is muted, µs
-- reply       {0, seq of the newest message, time in µs, members or nil for a large chat, places: {handle, stamp, state
--             (0 out, 1 in, 2 large, 3 invited), time of last activity in µs, inviter, ...}}   or {1}: something has moved, {2}: the
--             chat is full, {3}: no owner would be left, {4}: too many wait to become members
local join, history, deleted = unpack(redis.call('HMGET', CHAT, 'join', 'history', 'deleted'))
if deleted or join ~= ARGV[7] or history ~= ARGV[8] or not stand_as_seen(MOVES, 4) then return {MOVED} end
return change(false)
