#!lua flags=no-writes
-- Reads whether one user follows another, with the version of that.
-- requires: numbers
-- KEYS[1]  following  ZSET, see Follows
-- KEYS[2]  owed       HASH, see Owed
-- ARGV[1]  target     the other
-- ARGV[2]  item       what is owed while the mirror may differ
-- reply    {1: follows, 0: not; version as text}   or {} when not, and nothing is owed
local version = redis.call('ZSCORE', KEYS[1], ARGV[1])
if version then return {1, decimal(tonumber(version))} end
version = redis.call('HGET', KEYS[2], ARGV[2])
if version then return {0, version} end
return {}
