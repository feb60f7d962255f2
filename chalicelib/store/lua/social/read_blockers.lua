#!lua flags=no-writes
-- Reads which users of a partition block another user.
-- KEYS[1...]  blocked of each of them  ZSET, see Blocks
-- ARGV[1]     other                    handle
-- reply       {1: this user does, 0: not; ...}, in the order of the keys
local reply = {}
for i = 1, #KEYS do reply[i] = redis.call('ZSCORE', KEYS[i], ARGV[1]) and 1 or 0 end
return reply
