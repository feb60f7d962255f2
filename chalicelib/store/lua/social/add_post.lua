#!lua
-- Adds a post of a user, and records its fan-out to the followers as pending.
-- requires: clock, numbers, live_account
local user = KEYS[1] -- HASH, see Accounts
local posts = KEYS[2] -- ZSET, see Posts
local pending = KEYS[3] -- HASH, see PendingWork
local item = ARGV[1] -- the pending work
local text = ARGV[2] -- UTF-8
-- reply: integer, the post's id: the time in µs, above that of all the user's posts; 0: there is no account
if not is_live(user) then return 0 end
local last = tonumber(redis.call('HGET', user, 'posted')) or 0
local id = math.max(now(), last + 1)
local written = decimal(id)
redis.call('HSET', user, 'posted', written)
redis.call('ZADD', posts, written, struct.pack('>I8', id) .. text)
redis.call('HSET', pending, item, written)
return id
