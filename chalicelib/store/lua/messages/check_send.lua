#!lua flags=no-writes
-- Checks whether a user may send a message to a chat now, and writes nothing.
-- requires: clock, chat_log, send_permission
local log = KEYS[1] -- LIST, see MessageLog
local chat = KEYS[2] -- HASH, see Chats; does not exist for a direct chat without settings
local members = KEYS[3] -- HASH, see Chats; does not exist for a direct chat
local sender = ARGV[1] -- handle
local kind = ARGV[2] -- of the chat, 'group' (or a room) or 'direct'
local reply_to = tonumber(ARGV[3]) -- integer, the seq of the message that it replies to; 0: none
-- reply: {seq of the newest message, until when a muted sender is muted, outcome, epoch of the log, nil}, see append_message
local _, head, epoch = bounds(log)
if kind == GROUP then
  local refusal, muted_until = send_permission(chat, members, sender, now())
  if refusal then return {head, muted_until, refusal} end
end
return {head, 0, reply_to > head and 6 or 0, epoch, false}
