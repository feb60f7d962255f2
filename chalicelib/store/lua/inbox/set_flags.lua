#!lua
-- Sets and clears flags that a member has on a chat.
-- requires: read_state_change, permissions
-- KEYS[1]  log      LIST, see MessageLog
-- KEYS[2]  chat     HASH, see Chats; absent for a chat of two
-- KEYS[3]  members  HASH, see Chats; absent for a chat of two
-- KEYS[4]  others   HASH, see Chats; absent for a chat of two
-- KEYS[5]  readers  HASH, see Readers
-- KEYS[6]  outbox   HASH: the inbox is owed the flags
-- ARGV[1]  reader   handle
-- ARGV[2]  kind     of the chat, 'group' (or a room) or 'direct'
-- ARGV[3]  item     what is owed
-- ARGV[4]  set      integer, the bits to set
-- ARGV[5]  clear    integer, the bits to clear
-- reply    {stamp, time of the newest message in µs, 1: the chat is large}, or {}: nothing changed that an inbox shows.
--          Or 1: no such chat, 2: not a member
local reader, kind = ARGV[1], ARGV[2]
local seen = judged(reader, kind)
local refused = refusal(seen, kind)
if refused then return refused end

local own = seen.own or reader_of(KEYS[5], reader)
local flags = bit.band(bit.bor(own.flags, tonumber(ARGV[4])), bit.bnot(tonumber(ARGV[5])))
if flags == own.flags then return {} end
own.flags = flags
return touch(seen, KEYS[5], KEYS[6], reader, own, ARGV[3])
