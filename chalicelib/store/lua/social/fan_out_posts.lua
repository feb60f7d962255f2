#!lua
-- Adds posts to the timelines of users, except deleted ones.
-- KEYS[1..]: of each user: user HASH, see Accounts; timeline ZSET, see Timelines
local most = tonumber(ARGV[1]) -- integer, maximum number of posts in a timeline; the oldest go
-- ARGV[2..]: id and author:id in turn, of each post
-- reply: integer, how many of the users exist
local reached = 0
for i = 1, #KEYS, 2 do
  local made, deleted = unpack(redis.call('HMGET', KEYS[i], 'made', 'deleted'))
  if made and not deleted then
    redis.call('ZADD', KEYS[i + 1], unpack(ARGV, 2))
    redis.call('ZREMRANGEBYRANK', KEYS[i + 1], 0, -1 - most)
    reached = reached + 1
  end
end
return reached
