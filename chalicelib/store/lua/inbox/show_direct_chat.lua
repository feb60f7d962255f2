#!lua
-- Shows a direct chat to one of its users, with or without messages.
-- requires: read_permission, read_state_change, read_states
local log = KEYS[1] -- LIST, see MessageLog
local chat = KEYS[2] -- HASH, see Chats; does not exist for a direct chat without settings
local members = KEYS[3] -- HASH, see Chats; does not exist for a direct chat
local others = KEYS[4] -- HASH, see Chats; does not exist for a direct chat
local read_states = KEYS[5] -- HASH, see ReadStates
local outbox = KEYS[6] -- HASH, see Outbox: the inbox entry becomes pending
local reader = ARGV[1] -- handle
local item = ARGV[2] -- the pending inbox entry
-- reply: {stamp, time of the newest message that the reader sees in µs, 0}
local view = view_of(log, chat, members, others, read_states, reader, 'direct')
view.own.flags = bit.band(view.own.flags, bit.bnot(HIDDEN))
view.state = MEMBER
return change_read_state(view, read_states, outbox, reader, view.own, item)
