#!lua
-- Puts posts into the timelines of several users, but for those who are gone.
-- KEYS[1..] users and timelines in turn: HASH, see Accounts; ZSET, see Timelines
-- ARGV[1]  most    integer, how many posts a timeline holds; of more the oldest go
-- ARGV[2..] id and author:id in turn, of each post
-- reply    integer, how many of the users are there
local there = 0
for i = 1, #KEYS, 2 do
  local made, deleted = unpack(redis.call('HMGET', KEYS[i], 'made', 'deleted'))
  if made and not deleted then
    redis.call('ZADD', KEYS[i + 1], unpack(ARGV, 2))
    redis.call('ZREMRANGEBYRANK', KEYS[i + 1], 0, -1 - tonumber(ARGV[1]))
    there = there + 1
  end
end
return there
