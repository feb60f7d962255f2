#!lua
-- Raises how far a member has read or received a chat; reading clears the flag that marks it as unread.
-- requires: flags, read_permission, read_state_change, read_states
local log = KEYS[1] -- LIST, see MessageLog
local chat = KEYS[2] -- HASH, see Chats; does not exist for a direct chat without settings
local members = KEYS[3] -- HASH, see Chats; does not exist for a direct chat
local others = KEYS[4] -- HASH, see Chats; does not exist for a direct chat
local read_states = KEYS[5] -- HASH, see ReadStates
local outbox = KEYS[6] -- HASH, see Outbox: the inbox entry becomes pending
local reader = ARGV[1] -- handle
local kind = ARGV[2] -- of the chat, 'group' (or a room) or 'direct'
local item = ARGV[3] -- the pending inbox entry
local reads = ARGV[4] == 'read' -- 'read' or 'received'
local upto = ARGV[5] -- integer, up to where; empty: up to the newest message
local time = ARGV[6] -- 8 bytes, the time that the message at seq must have; empty: not checked
local epoch = ARGV[7] -- integer as text, the epoch that the log must have; empty: not checked
-- reply: {stamp, time of the newest message in µs, 1: the chat is large, seq up to where the member has read}; {}: nothing rose
--   that an inbox shows; 0: the history has changed, 1: the chat does not exist, 2: not a member, 3: there is no such message yet
local view = view_of(log, chat, members, others, read_states, reader, kind)
local refused = refusal(view, kind)
if refused then return refused end
local seq = tonumber(upto) or view.head
if not same_history(view, seq, time, epoch) then return 0 end
if seq > view.head then return 3 end

local own = view.own or read_state_of(read_states, reader)
local rises = seq > own.received
own.received = math.max(own.received, seq)
if reads and (seq > own.read or has(own.flags, UNREAD)) then
  own.read = math.max(own.read, seq)
  own.flags = bit.band(own.flags, bit.bnot(UNREAD))
  local changed = change_read_state(view, read_states, outbox, reader, own, item)
  if #changed > 0 then changed[4] = own.read end
  return changed
end
if not rises then return {} end
keep_read_state(read_states, reader, own)
return reads and {} or {own.stamp, 0, 0}
