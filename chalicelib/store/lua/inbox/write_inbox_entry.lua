#!lua
-- Writes a user's inbox entry of a chat, unless the index has a newer one.
-- requires: numbers, entry_states, inbox_entries, large_chats, recipients
local user = KEYS[1] -- HASH, see Accounts
local inbox_entries = KEYS[2] -- HASH, see Inboxes
local inbox = KEYS[3] -- ZSET, see Inboxes
local active = KEYS[4] -- ZSET, see Inboxes
local large = KEYS[5] -- ZSET, see Inboxes
local user_connections = KEYS[6] -- HASH, see UserConnections; read for a large chat
local invitations = KEYS[7] -- ZSET, see Inboxes
local chat = ARGV[1] -- its id
local stamp = tonumber(ARGV[2]) -- integer, of (chat, user), µs
local state = tonumber(ARGV[3]) -- 0: out, 1: in, 2: large, 3: invited
local time = tonumber(ARGV[4]) -- integer, of the chat's last activity, µs; 0: none
local inviter = ARGV[5] -- handle of the sender of an invitation; may be empty
-- reply: {1: written, or the index has a newer one, 0: the account is deleted; of a large chat the user's ready connections that
--   take JSON; that take protobuf}, see recipients
if redis.call('HEXISTS', user, 'deleted') == 1 then return {0, '', ''} end

local recipients = {{}, {}}
if state == LARGE then add_ready(recipients, user_connections) end
local held = entry_of(inbox_entries, chat)
if held and held >= stamp then return {1, joined(recipients)} end
local floor = 0
if state == OUT then floor = time elseif state == IN and time == 0 then floor, time = EMPTY, stamp end
if state == OUT then
  redis.call('ZREM', active, chat)
else
  redis.call('ZADD', active, decimal(math.max(time, activity_of(active, chat))), chat)
end
keep_large(large, chat, state)
keep_invitation(invitations, chat, state, time)
keep_entry(inbox_entries, chat, stamp, state, floor, inviter)
move_up(inbox_entries, inbox, chat)
return {1, joined(recipients)}
