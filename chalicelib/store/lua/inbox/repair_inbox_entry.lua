#!lua
-- Sets an inbox entry to what its chat says after lost writes, unless the chat has moved since. An invitation keeps the inviter
-- that the entry names.
-- requires: numbers, entry_states, inbox_entries, large_chats
local inbox_entries = KEYS[1] -- HASH, see Inboxes
local inbox = KEYS[2] -- ZSET, see Inboxes
local active = KEYS[3] -- ZSET, see Inboxes
local large = KEYS[4] -- ZSET, see Inboxes
local invitations = KEYS[5] -- ZSET, see Inboxes
local chat = ARGV[1] -- its id
local version = tonumber(ARGV[2]) -- integer, µs, at which it moved last
local stamp = tonumber(ARGV[3]) -- integer, of (chat, user), µs
local state = tonumber(ARGV[4]) -- 0: out, 1: in, 2: large, 3: invited
local time = tonumber(ARGV[5]) -- integer, of the chat's last activity, µs; 0: none
-- reply: 1: repaired, 0: the chat has moved
if tonumber(redis.call('ZSCORE', inbox, chat) or 0) ~= version then return 0 end

local floor, inviter = 0, state == IS_INVITED and inviter_of(inbox_entries, chat) or ''
if state == OUT then floor = time elseif state == IN and time == 0 then floor, time = EMPTY, stamp end
if state == OUT then redis.call('ZREM', active, chat) else redis.call('ZADD', active, decimal(time), chat) end
keep_large(large, chat, state)
keep_invitation(invitations, chat, state, time)
keep_entry(inbox_entries, chat, stamp, state, floor, inviter)
move_up(inbox_entries, inbox, chat)
return 1
