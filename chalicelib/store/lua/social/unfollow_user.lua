#!lua
-- Ends the follow of one user by another, and records its mirror in the other's slot as pending.
-- requires: follow_edges
local user = KEYS[1] -- HASH, see Accounts: the follower's
local following = KEYS[2] -- ZSET, see Follows
local pending = KEYS[3] -- HASH, see PendingWork
local target = ARGV[1] -- handle of the followed user
local item = ARGV[2] -- the pending work; empty: none
local version = ARGV[3] -- the follow ends only if it has this version; empty: any
-- reply: 1: ended, 0: there was no such follow
local held = redis.call('ZSCORE', following, target)
if not held or (version ~= '' and tonumber(held) ~= tonumber(version)) then return 0 end
end_edge(user, following, pending, target, item)
return 1
