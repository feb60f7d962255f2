#!lua
-- Raises how far a member has read, or received, a chat; reading takes the mark of being unread away.
-- requires: read_state_change, permissions
-- KEYS[1]  log      LIST, see MessageLog
-- KEYS[2]  chat     HASH, see Chats; absent for a chat of two
-- KEYS[3]  members  HASH, see Chats; absent for a chat of two
-- KEYS[4]  others   HASH, see Chats; absent for a chat of two
-- KEYS[5]  readers  HASH, see Readers
-- KEYS[6]  outbox   HASH: the inbox is owed what was read
-- ARGV[1]  reader   handle
-- ARGV[2]  kind     of the chat, 'group' (or a room) or 'direct'
-- ARGV[3]  item     what is owed
-- ARGV[4]  mark     'read' or 'received'
-- ARGV[5]  seq      integer, up to where
-- ARGV[6]  time     8 bytes, the time the message at seq must have; empty: not checked
-- ARGV[7]  epoch    integer as text, the epoch the log must have; empty: not checked
-- reply    {stamp, time of the newest message in µs, 1: the chat is large}, or {}: nothing rose that an inbox shows.
--          Or 0: the history changed, 1: no such chat, 2: not a member, 3: there is no such message yet
local reader, kind, seq = ARGV[1], ARGV[2], tonumber(ARGV[5])
local seen = judged(reader, kind)
local refused = refusal(seen, kind)
if refused then return refused end
if not same_history(seen, seq, ARGV[6], ARGV[7]) then return 0 end
if seq > seen.head then return 3 end

local own = seen.own or reader_of(KEYS[5], reader)
local received, unread = seq > own.received, bit.band(own.flags, UNREAD) ~= 0
own.received = math.max(own.received, seq)
if ARGV[4] == 'read' and (seq > own.read or unread) then
  own.read = math.max(own.read, seq)
  own.flags = bit.band(own.flags, bit.bnot(UNREAD))
  return touch(seen, KEYS[5], KEYS[6], reader, own, ARGV[3])
end
if not received then return {} end
keep_reader(KEYS[5], reader, own)
return ARGV[4] == 'read' and {} or {own.stamp, 0, 0}
