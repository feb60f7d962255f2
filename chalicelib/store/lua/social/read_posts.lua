#!lua flags=no-writes
-- Reads posts of a user by their ids, with what is shown of the user.
-- KEYS[1]  user     HASH, see Accounts
-- KEYS[2]  posts    ZSET, see Posts
-- KEYS[3]  blocked  ZSET, see Blocks
-- ARGV[1]  reader   handle of who reads
-- ARGV[2..] ids     integers
-- reply    {name, avatar, post, ...}, those of the posts that there are   or {} when the user is gone or has blocked the reader
local made, deleted, name, avatar = unpack(redis.call('HMGET', KEYS[1], 'made', 'deleted', 'name', 'avatar'))
if not made or deleted or redis.call('ZSCORE', KEYS[3], ARGV[1]) then return {} end
local reply = {name or '', avatar or ''}
for i = 2, #ARGV do
  reply[#reply + 1] = redis.call('ZRANGEBYSCORE', KEYS[2], ARGV[i], ARGV[i])[1]
end
return reply
