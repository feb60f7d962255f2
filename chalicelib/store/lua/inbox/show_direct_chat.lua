#!lua
-- Shows a chat of two to one of the two, whether or not there are messages.
-- requires: read_state_change, permissions
-- KEYS[1]  log      LIST, see MessageLog
-- KEYS[2]  chat     HASH, see Chats; absent for a chat of two
-- KEYS[3]  members  HASH, see Chats; absent for a chat of two
-- KEYS[4]  others   HASH, see Chats; absent for a chat of two
-- KEYS[5]  readers  HASH, see Readers
-- KEYS[6]  outbox   HASH: the inbox is owed that it is there
-- ARGV[1]  reader   handle
-- ARGV[2]  item     what is owed
-- reply    {stamp, time of the newest message that the reader sees in µs, 0}
local seen = judged(ARGV[1], 'direct')
seen.own.flags = bit.band(seen.own.flags, bit.bnot(HIDDEN))
seen.state = MEMBER
return touch(seen, KEYS[5], KEYS[6], ARGV[1], seen.own, ARGV[2])
