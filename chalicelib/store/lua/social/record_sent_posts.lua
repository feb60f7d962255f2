#!lua
-- Notes up to which of a user's posts all have reached the followers.
-- requires: live_account
-- KEYS[1]  user  HASH, see Accounts
-- ARGV[1]  id    integer, of the newest of them
-- reply    1: noted, 0: it was known, or the account is gone
if not is_live(KEYS[1]) then return 0 end
if tonumber(ARGV[1]) <= (tonumber(redis.call('HGET', KEYS[1], 'sent')) or 0) then return 0 end
redis.call('HSET', KEYS[1], 'sent', ARGV[1])
return 1
