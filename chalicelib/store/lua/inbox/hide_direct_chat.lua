#!lua
-- Hides what a chat of two holds by now from one of the two, and the chat until another message comes.
-- requires: clock, numbers, permissions
-- KEYS[1]  log      LIST, see MessageLog
-- KEYS[2]  readers  HASH, see Readers
-- KEYS[3]  outbox   HASH: the inbox is owed that it is hidden
-- ARGV[1]  reader   handle
-- ARGV[2]  item     what is owed
-- reply    {stamp, time of the last message that is hidden in µs, 0}
local _, head = bounds(KEYS[1])
local own = reader_of(KEYS[2], ARGV[1])
own.cleared, own.flags = head, bit.bor(HIDDEN, bit.band(own.flags, WROTE))
keep_reader(KEYS[2], ARGV[1], own, now())
redis.call('HSET', KEYS[3], ARGV[2], decimal(own.stamp))
local last = head > 0 and redis.call('LINDEX', KEYS[1], -1)
return {own.stamp, last and struct.unpack('>I8', last, 2) or 0, 0}
