#!lua
-- Makes one user block another, ends the follows between them in the blocker's slot, and records the rest as pending.
-- requires: clock, numbers, follow_edges, live_account
local user = KEYS[1] -- HASH, see Accounts: the blocker's
local blocked = KEYS[2] -- ZSET, see Blocks
local following = KEYS[3] -- ZSET, see Follows
local followers = KEYS[4] -- ZSET, see Follows
local pending = KEYS[5] -- HASH, see PendingWork
local other = ARGV[1] -- handle of the user to block
local mirror = ARGV[2] -- the work that becomes pending if the blocker followed the other
local item = ARGV[3] -- the work that becomes pending for the other's own follow
local most = tonumber(ARGV[4]) -- integer, maximum number of users that a user may block
-- reply: 1: blocked now, 0: was blocked before, 2: the blocker has no account, 4: blocks too many
if not is_live(user) then return 2 end
if redis.call('ZSCORE', blocked, other) then return 0 end
if redis.call('ZCARD', blocked) >= most then return 4 end
local since = decimal(now())
redis.call('ZADD', blocked, since, other)
redis.call('ZREM', followers, other)
redis.call('HSET', pending, item, since)
if redis.call('ZSCORE', following, other) then end_edge(user, following, pending, other, mirror) end
return 1
