#!lua flags=no-writes
-- Reads posts of a user by their ids, with the user's name and avatar.
local user = KEYS[1] -- HASH, see Accounts
local posts = KEYS[2] -- ZSET, see Posts
local blocked = KEYS[3] -- ZSET, see Blocks
local reader = ARGV[1] -- handle
-- ARGV[2..]: ids, integers
-- reply: {name, avatar, post, ...}, the posts that exist; {}: the user is deleted, or has blocked the reader
local made, deleted, name, avatar = unpack(redis.call('HMGET', user, 'made', 'deleted', 'name', 'avatar'))
if not made or deleted or redis.call('ZSCORE', blocked, reader) then return {} end
local reply = {name or '', avatar or ''}
for i = 2, #ARGV do
  reply[#reply + 1] = redis.call('ZRANGEBYSCORE', posts, ARGV[i], ARGV[i])[1]
end
return reply
