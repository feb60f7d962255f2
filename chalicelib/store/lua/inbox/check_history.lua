#!lua flags=no-writes
-- Checks whether a chat still has the message that a client holds as the newest.
-- requires: read_permission
local log = KEYS[1] -- LIST, see MessageLog
local chat = KEYS[2] -- HASH, see Chats; does not exist for a direct chat without settings
local members = KEYS[3] -- HASH, see Chats; does not exist for a direct chat
local others = KEYS[4] -- HASH, see Chats; does not exist for a direct chat
local read_states = KEYS[5] -- HASH, see ReadStates
local reader = ARGV[1] -- handle
local kind = ARGV[2] -- of the chat, 'group' (or a room) or 'direct'
local seq = tonumber(ARGV[3]) -- integer, of that message
local time = ARGV[4] -- 8 bytes, of that message
local epoch = ARGV[5] -- integer as text, of the log that had it
-- reply: {} if it has, or if the message is below what the reader may read; else {head, its time in µs, epoch}, each 0 where
--   there is none; 1: the chat does not exist, or the reader may read nothing of it
local view = view_of(log, chat, members, others, read_states, reader, kind)
if not view.reads then return 1 end
if same_history(view, seq, time, epoch) then return {} end
local last_time = newest_time(view)
return {last_time > 0 and view.head or 0, last_time, view.epoch}
