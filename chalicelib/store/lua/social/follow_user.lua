#!lua
-- Makes one user follow another, and owes the mirror of it in the other's slot.
-- requires: follow_edges, live_account
-- KEYS[1]  user       HASH, see Accounts: the follower's
-- KEYS[2]  following  ZSET, see Follows
-- KEYS[3]  blocked    ZSET, see Blocks
-- KEYS[4]  owed       HASH, see Owed
-- ARGV[1]  target     whom to follow
-- ARGV[2]  item       what is owed
-- ARGV[3]  most       integer, how many a user may follow
-- reply    1: follows now, 0: did already, 2: the follower has no account, 3: has blocked the target, 4: follows too many
if not is_live(KEYS[1]) then return 2 end
if redis.call('ZSCORE', KEYS[2], ARGV[1]) then return 0 end
if redis.call('ZSCORE', KEYS[3], ARGV[1]) then return 3 end
if redis.call('ZCARD', KEYS[2]) >= tonumber(ARGV[3]) then return 4 end
local version = next_version(KEYS[1])
redis.call('ZADD', KEYS[2], version, ARGV[1])
redis.call('HSET', KEYS[4], ARGV[2], version)
return 1
