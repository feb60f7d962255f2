#!lua
-- Makes a user's index say how the user stands to a chat, unless it knows something newer.
-- requires: numbers, entry_states, inbox_entries, large_chats, recipients
-- KEYS[1]  user    HASH, see Accounts
-- KEYS[2]  chats   HASH, see Inboxes
-- KEYS[3]  inbox   ZSET, see Inboxes
-- KEYS[4]  active  ZSET, see Inboxes
-- KEYS[5]  large   ZSET, see Inboxes
-- KEYS[6]  connections  HASH, see Presence; of a chat that is large
-- KEYS[7]  invitations  ZSET, see Inboxes
-- ARGV[1]  chat    its id
-- ARGV[2]  stamp   integer, of (chat, user), µs
-- ARGV[3]  state   0: out, 1: in, 2: large, 3: invited
-- ARGV[4]  time    integer, of the chat's last activity, µs; 0: there was none
-- ARGV[5]  inviter handle of the sender of an invitation; may be empty
-- reply    {1: it says so or something newer, 0: the account is deleted; of a large chat the user's ready connections
--          that take JSON; and that take protobuf}, see targets
local user, chats, inbox, active, large = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local chat, stamp, state, time = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
if redis.call('HEXISTS', user, 'deleted') == 1 then return {0, '', ''} end

local targets = {{}, {}}
if state == LARGE then add_ready(targets, KEYS[6]) end
local held = place_of(chats, chat)
if held and held >= stamp then return {1, told(targets)} end
local floor = 0
if state == OUT then
  floor = time
elseif state == IN and time == 0 then
  floor, time = EMPTY, stamp
end
if state == OUT then
  redis.call('ZREM', active, chat)
else
  redis.call('ZADD', active, decimal(math.max(time, active_of(active, chat))), chat)
end
keep_large(large, chat, state)
keep_invitation(KEYS[7], chat, state, time)
keep_place(chats, chat, stamp, state, floor, ARGV[5])
bump(chats, inbox, chat)
return {1, told(targets)}
