#!lua
-- Sets or takes off one follower of a user, unless a newer version of that edge came before.
-- requires: clock, numbers, live_account
-- KEYS[1]  user        HASH, see Accounts: the followed one's
-- KEYS[2]  followers   ZSET, see Follows
-- KEYS[3]  unfollowed  ZSET, see Follows
-- KEYS[4]  blocked     ZSET, see Blocks
-- ARGV[1]  follower    handle
-- ARGV[2]  version     integer, of the edge
-- ARGV[3]  follows     1: it is there, 0: it has ended
-- ARGV[4]  memory      integer, microseconds for which an ended edge is remembered
-- reply    1: as the follower has it, 0: a newer version was here before, 2: the user is gone, 3: has blocked the follower
local user, followers, unfollowed, follower, version = KEYS[1], KEYS[2], KEYS[3], ARGV[1], tonumber(ARGV[2])
if not is_live(user) then
  redis.call('ZREM', followers, follower)
  return 2
end
if ARGV[3] == '1' and redis.call('ZSCORE', KEYS[4], follower) then
  redis.call('ZREM', followers, follower)
  return 3
end

local since, ended = redis.call('ZSCORE', followers, follower), redis.call('ZSCORE', unfollowed, follower)
if ARGV[3] == '1' and tonumber(since) == version then return 1 end
if version <= math.max(tonumber(since) or 0, tonumber(ended) or 0) then return 0 end
if ARGV[3] == '1' then
  redis.call('ZREM', unfollowed, follower)
  redis.call('ZADD', followers, ARGV[2], follower)
  return 1
end

redis.call('ZREM', followers, follower)
redis.call('ZADD', unfollowed, ARGV[2], follower)
local memory = tonumber(ARGV[4])
redis.call('ZREMRANGEBYSCORE', unfollowed, '-inf', '(' .. decimal(now() - memory))
redis.call('PEXPIRE', unfollowed, math.ceil(memory / 1000))
return 1
