#!lua flags=no-writes
-- Reads the ids of the newest posts of several users.
-- KEYS[1..] posts  ZSET, see Posts
-- ARGV[1]  most    integer, the ids are this one or older; empty: any
-- ARGV[2]  limit   integer, ids of each user at the most
-- reply    {{8 bytes of each id, the newest first}, ...} in the order of the keys
local highest, reply = ARGV[1] == '' and '+inf' or ARGV[1], {}
for i, posts in ipairs(KEYS) do
  local ids = {}
  for place, post in ipairs(redis.call('ZREVRANGEBYSCORE', posts, highest, '-inf', 'LIMIT', 0, ARGV[2])) do
    ids[place] = string.sub(post, 1, 8)
  end
  reply[i] = ids
end
return reply
