#!lua
-- Makes a user's index say what a chat says that has lost writes, unless the chat has moved since. An invitation
-- keeps the inviter that the index knows.
-- requires: numbers, entry_states, inbox_entries, large_chats
-- KEYS[1]  chats    HASH, see Inboxes
-- KEYS[2]  inbox    ZSET, see Inboxes
-- KEYS[3]  active   ZSET, see Inboxes
-- KEYS[4]  large    ZSET, see Inboxes
-- KEYS[5]  invitations  ZSET, see Inboxes
-- ARGV[1]  chat     its id
-- ARGV[2]  version  integer, µs, at which it had moved last
-- ARGV[3]  stamp    integer, of (chat, user), µs
-- ARGV[4]  state    0: out, 1: in, 2: large, 3: invited
-- ARGV[5]  time     integer, of the chat's last activity, µs; 0: there was none
-- reply    1: it says so, 0: the chat has moved
local chats, inbox, active, large, chat = KEYS[1], KEYS[2], KEYS[3], KEYS[4], ARGV[1]
if tonumber(redis.call('ZSCORE', inbox, chat) or 0) ~= tonumber(ARGV[2]) then return 0 end

local stamp, state, time = tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
local floor, inviter = 0, state == IS_INVITED and inviter_of(chats, chat) or ''
if state == OUT then floor = time elseif state == IN and time == 0 then floor, time = EMPTY, stamp end
if state == OUT then redis.call('ZREM', active, chat) else redis.call('ZADD', active, decimal(time), chat) end
keep_large(large, chat, state)
keep_invitation(KEYS[5], chat, state, time)
keep_place(chats, chat, stamp, state, floor, inviter)
bump(chats, inbox, chat)
return 1
