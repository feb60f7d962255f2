#!lua
-- Adds a post of a user, and owes its way to the followers.
-- requires: clock, numbers, live_account
-- KEYS[1]  user   HASH, see Accounts
-- KEYS[2]  posts  ZSET, see Posts
-- KEYS[3]  owed   HASH, see Owed
-- ARGV[1]  item   what is owed
-- ARGV[2]  text   UTF-8
-- reply    the post's id: the time in microseconds, above that of all the user's posts; 0: there is no account
if not is_live(KEYS[1]) then return 0 end
local last = tonumber(redis.call('HGET', KEYS[1], 'posted')) or 0
local id = math.max(now(), last + 1)
local written = decimal(id)
redis.call('HSET', KEYS[1], 'posted', written)
redis.call('ZADD', KEYS[2], written, struct.pack('>I8', id) .. ARGV[2])
redis.call('HSET', KEYS[3], ARGV[1], written)
return id
