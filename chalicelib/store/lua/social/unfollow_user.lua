#!lua
-- Makes one user follow another no more, and owes the mirror of it in the other's slot.
-- requires: follow_edges
-- KEYS[1]  user       HASH, see Accounts: the follower's
-- KEYS[2]  following  ZSET, see Follows
-- KEYS[3]  owed       HASH, see Owed
-- ARGV[1]  target     whom to follow no more
-- ARGV[2]  item       what is owed; empty for nothing
-- ARGV[3]  version    only if the edge has this one; empty for any
-- reply    1: ended, 0: there was no such edge
local held = redis.call('ZSCORE', KEYS[2], ARGV[1])
if not held or (ARGV[3] ~= '' and tonumber(held) ~= tonumber(ARGV[3])) then return 0 end
end_edge(KEYS[1], KEYS[2], KEYS[3], ARGV[1], ARGV[2])
return 1
