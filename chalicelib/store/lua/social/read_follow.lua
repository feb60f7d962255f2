#!lua flags=no-writes
-- Reads whether one user follows another, and the version of the follow.
-- requires: numbers
local following = KEYS[1] -- ZSET, see Follows
local pending = KEYS[2] -- HASH, see PendingWork
local target = ARGV[1] -- handle of the other user
local item = ARGV[2] -- the work that is pending while the mirror may differ
-- reply: {1: follows, 0: does not; version as text}; {}: does not follow, and nothing is pending
local version = redis.call('ZSCORE', following, target)
if version then return {1, decimal(tonumber(version))} end
version = redis.call('HGET', pending, item)
if version then return {0, version} end
return {}
