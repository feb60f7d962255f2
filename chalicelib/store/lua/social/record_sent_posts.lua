#!lua
-- Records up to which of a user's posts all have reached the followers.
-- requires: live_account
local user = KEYS[1] -- HASH, see Accounts
local id = ARGV[1] -- integer, of the newest of them
-- reply: 1: recorded, 0: it was known, or the account is deleted
if not is_live(user) then return 0 end
if tonumber(id) <= (tonumber(redis.call('HGET', user, 'sent')) or 0) then return 0 end
redis.call('HSET', user, 'sent', id)
return 1
