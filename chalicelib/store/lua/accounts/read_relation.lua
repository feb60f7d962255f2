#!lua flags=no-writes
-- Tells whether a user is there, and whether they have blocked somebody.
-- KEYS[1]  user     HASH, see Accounts
-- KEYS[2]  blocked  ZSET, see Blocks
-- ARGV[1]  other    handle of who asks
-- reply    {0: no account, 1: an account, 2: a deleted one; 1: has blocked the other, 0: not}
local state = redis.call('EXISTS', KEYS[1])
if state == 1 and redis.call('HEXISTS', KEYS[1], 'deleted') == 1 then state = 2 end
return {state, redis.call('ZSCORE', KEYS[2], ARGV[1]) and 1 or 0}
