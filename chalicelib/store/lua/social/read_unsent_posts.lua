#!lua flags=no-writes
-- Reads the ids of a user's posts that may not have reached all followers.
local user = KEYS[1] -- HASH, see Accounts
local posts = KEYS[2] -- ZSET, see Posts
local limit = ARGV[1] -- integer, maximum number of ids, the newest ones
-- reply: {id of the user's newest post ever; 8 bytes of each id, the newest first}; {}: all have reached them
local posted, sent = unpack(redis.call('HMGET', user, 'posted', 'sent'))
if not posted or posted == sent then return {} end
local reply = {posted}
for _, post in ipairs(redis.call('ZREVRANGEBYSCORE', posts, '+inf', '(' .. (sent or '0'), 'LIMIT', 0, limit)) do
  reply[#reply + 1] = string.sub(post, 1, 8)
end
return reply
