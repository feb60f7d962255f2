#!lua
-- Makes one user block another, ends the edges between them that are in the blocker's slot, and owes the rest.
-- requires: clock, numbers, follow_edges, live_account
-- KEYS[1]  user       HASH, see Accounts: the blocker's
-- KEYS[2]  blocked    ZSET, see Blocks
-- KEYS[3]  following  ZSET, see Follows
-- KEYS[4]  followers  ZSET, see Follows
-- KEYS[5]  owed       HASH, see Owed
-- ARGV[1]  other      whom to block
-- ARGV[2]  mirror     what is owed when the blocker followed the other
-- ARGV[3]  item       what is owed for the other's own edge
-- ARGV[4]  most       integer, how many a user may block
-- reply    1: blocks now, 0: did already, 2: the blocker has no account, 4: blocks too many
if not is_live(KEYS[1]) then return 2 end
if redis.call('ZSCORE', KEYS[2], ARGV[1]) then return 0 end
if redis.call('ZCARD', KEYS[2]) >= tonumber(ARGV[4]) then return 4 end
local since = decimal(now())
redis.call('ZADD', KEYS[2], since, ARGV[1])
redis.call('ZREM', KEYS[4], ARGV[1])
redis.call('HSET', KEYS[5], ARGV[3], since)
if redis.call('ZSCORE', KEYS[3], ARGV[1]) then end_edge(KEYS[1], KEYS[3], KEYS[5], ARGV[1], ARGV[2]) end
return 1
