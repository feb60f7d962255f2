#!lua flags=allow-oom
-- Clears the email of an account, if it is still the one that another has by now.
-- KEYS[1]  user   HASH, see Accounts
-- ARGV[1]  email  the one that was lost
-- reply    1: cleared, 0: the account has another, or none
if redis.call('HGET', KEYS[1], 'email') ~= ARGV[1] then return 0 end
return redis.call('HDEL', KEYS[1], 'email')
