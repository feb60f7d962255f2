#!lua flags=no-writes
-- Reads the ids of a user's posts that are not known to have reached all followers.
-- KEYS[1]  user   HASH, see Accounts
-- KEYS[2]  posts  ZSET, see Posts
-- ARGV[1]  limit  integer, ids at the most, the newest ones
-- reply    {the newest post's id ever; 8 bytes of each id, the newest first}   or {} when all are out
local posted, sent = unpack(redis.call('HMGET', KEYS[1], 'posted', 'sent'))
if not posted or posted == sent then return {} end
local reply = {posted}
for _, post in ipairs(redis.call('ZREVRANGEBYSCORE', KEYS[2], '+inf', '(' .. (sent or '0'), 'LIMIT', 0, ARGV[1])) do
  reply[#reply + 1] = string.sub(post, 1, 8)
end
return reply
