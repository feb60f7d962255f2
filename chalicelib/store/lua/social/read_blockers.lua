#!lua flags=no-writes
-- Reads which users block another user.
-- KEYS[1..]: of each user: blocked ZSET, see Blocks
local other = ARGV[1] -- handle
-- reply: {1: this user does, 0: does not; ...} in the order of the keys
local reply = {}
for i, blocked in ipairs(KEYS) do reply[i] = redis.call('ZSCORE', blocked, other) and 1 or 0 end
return reply
