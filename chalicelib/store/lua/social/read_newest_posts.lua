#!lua flags=no-writes
-- Reads the ids of the newest posts of users.
-- KEYS[1..]: of each user: posts ZSET, see Posts
local upto = ARGV[1] == '' and '+inf' or ARGV[1] -- integer, the highest id; empty: any
local limit = ARGV[2] -- integer, maximum number of ids of each user
-- reply: {{8 bytes of each id, the newest first}, ...} in the order of the keys
local reply = {}
for i, posts in ipairs(KEYS) do
  local ids = {}
  for at, post in ipairs(redis.call('ZREVRANGEBYSCORE', posts, upto, '-inf', 'LIMIT', 0, limit)) do
    ids[at] = string.sub(post, 1, 8)
  end
  reply[i] = ids
end
return reply
