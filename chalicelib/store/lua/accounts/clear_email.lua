#!lua flags=allow-oom
-- Clears the email of an account if it is still the one that another user has claimed.
local user = KEYS[1] -- HASH, see Accounts
local email = ARGV[1] -- the one that is lost
-- reply: 1: cleared, 0: the account has another email, or none
if redis.call('HGET', user, 'email') ~= email then return 0 end
return redis.call('HDEL', user, 'email')
