#!lua flags=no-writes
-- Reads whether a user has an account, and has blocked another user.
local user = KEYS[1] -- HASH, see Accounts
local blocked = KEYS[2] -- ZSET, see Blocks
local other = ARGV[1] -- handle of the user who asks
-- reply: {0: no account, 1: an account, 2: a deleted one; 1: has blocked the other, 0: has not}
local status = redis.call('EXISTS', user)
if status == 1 and redis.call('HEXISTS', user, 'deleted') == 1 then status = 2 end
return {status, redis.call('ZSCORE', blocked, other) and 1 or 0}
