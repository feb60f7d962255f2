#!lua
-- Makes one user follow another, and records its mirror in the other's slot as pending.
-- requires: follow_edges, live_account
local user = KEYS[1] -- HASH, see Accounts: the follower's
local following = KEYS[2] -- ZSET, see Follows
local blocked = KEYS[3] -- ZSET, see Blocks
local pending = KEYS[4] -- HASH, see PendingWork
local target = ARGV[1] -- handle of the user to follow
local item = ARGV[2] -- the pending work
local most = tonumber(ARGV[3]) -- integer, maximum number of users that a user may follow
-- reply: 1: follows now, 0: followed before, 2: the follower has no account, 3: has blocked the target, 4: follows too many
if not is_live(user) then return 2 end
if redis.call('ZSCORE', following, target) then return 0 end
if redis.call('ZSCORE', blocked, target) then return 3 end
if redis.call('ZCARD', following) >= most then return 4 end
local version = next_version(user)
redis.call('ZADD', following, version, target)
redis.call('HSET', pending, item, version)
return 1
