#!lua
-- Sets and clears a member's flags of a chat.
-- requires: read_permission, read_state_change, read_states
local log = KEYS[1] -- LIST, see MessageLog
local chat = KEYS[2] -- HASH, see Chats; does not exist for a direct chat without settings
local members = KEYS[3] -- HASH, see Chats; does not exist for a direct chat
local others = KEYS[4] -- HASH, see Chats; does not exist for a direct chat
local read_states = KEYS[5] -- HASH, see ReadStates
local outbox = KEYS[6] -- HASH, see Outbox: the inbox entry becomes pending
local reader = ARGV[1] -- handle
local kind = ARGV[2] -- of the chat, 'group' (or a room) or 'direct'
local item = ARGV[3] -- the pending inbox entry
local set = tonumber(ARGV[4]) -- integer, the bits to set
local clear = tonumber(ARGV[5]) -- integer, the bits to clear
-- reply: {stamp, time of the newest message in µs, 1: the chat is large}; {}: nothing changed that an inbox shows; 1: the chat does
--   not exist, 2: not a member
local view = view_of(log, chat, members, others, read_states, reader, kind)
local refused = refusal(view, kind)
if refused then return refused end

local own = view.own or read_state_of(read_states, reader)
local flags = bit.band(bit.bor(own.flags, set), bit.bnot(clear))
if flags == own.flags then return {} end
own.flags = flags
return change_read_state(view, read_states, outbox, reader, own, item)
