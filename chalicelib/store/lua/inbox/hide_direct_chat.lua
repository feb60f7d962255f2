#!lua
-- Hides the messages of a direct chat from one of its users, and the chat until the next message.
-- requires: clock, numbers, chat_log, read_states
local log = KEYS[1] -- LIST, see MessageLog
local read_states = KEYS[2] -- HASH, see ReadStates
local outbox = KEYS[3] -- HASH, see Outbox: the inbox entry becomes pending
local hidden = KEYS[4] -- ZSET, see HiddenMessages, of the reader: all messages are hidden from now on
local hidings = KEYS[5] -- ZSET, see HiddenMessages, likewise
local reader = ARGV[1] -- handle
local item = ARGV[2] -- the pending inbox entry
-- reply: {stamp, time of the last hidden message in µs, 0}
local _, head = bounds(log)
local own = read_state_of(read_states, reader)
own.cleared, own.flags = head, bit.bor(HIDDEN, bit.band(own.flags, WROTE))
redis.call('UNLINK', hidden, hidings)
keep_read_state(read_states, reader, own, now())
redis.call('HSET', outbox, item, decimal(own.stamp))
local last = head > 0 and redis.call('LINDEX', log, -1)
return {own.stamp, last and struct.unpack('>I8', last, 2) or 0, 0}
