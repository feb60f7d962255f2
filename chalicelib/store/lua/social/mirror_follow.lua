#!lua
-- Adds or removes one follower of a user, unless a newer version of that follow was mirrored before.
-- requires: clock, numbers, live_account
local user = KEYS[1] -- HASH, see Accounts: the followed user's
local followers = KEYS[2] -- ZSET, see Follows
local unfollowed = KEYS[3] -- ZSET, see Follows
local blocked = KEYS[4] -- ZSET, see Blocks
local follower = ARGV[1] -- handle
local version = ARGV[2] -- integer, of the follow
local follows = ARGV[3] == '1' -- 1: it exists, 0: it has ended
local memory = tonumber(ARGV[4]) -- integer, µs for which an ended follow is remembered
-- reply: 1: as the follower has it, 0: a newer version was mirrored, 2: the user is deleted, 3: has blocked the follower
if not is_live(user) then
  redis.call('ZREM', followers, follower)
  return 2
end
if follows and redis.call('ZSCORE', blocked, follower) then
  redis.call('ZREM', followers, follower)
  return 3
end

local since, ended = redis.call('ZSCORE', followers, follower), redis.call('ZSCORE', unfollowed, follower)
if follows and tonumber(since) == tonumber(version) then return 1 end
if tonumber(version) <= math.max(tonumber(since) or 0, tonumber(ended) or 0) then return 0 end
if follows then
  redis.call('ZREM', unfollowed, follower)
  redis.call('ZADD', followers, version, follower)
  return 1
end

redis.call('ZREM', followers, follower)
redis.call('ZADD', unfollowed, version, follower)
redis.call('ZREMRANGEBYSCORE', unfollowed, '-inf', '(' .. decimal(now() - memory))
redis.call('PEXPIRE', unfollowed, math.ceil(memory / 1000))
return 1
