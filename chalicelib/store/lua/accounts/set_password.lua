#!lua flags=allow-oom
-- Gives an account another password, if it still has the one that was checked, and ends its other sessions.
-- KEYS[1]  user      HASH, see Accounts
-- KEYS[2]  sessions  HASH, see Sessions
-- ARGV[1]  held      the hash that was checked
-- ARGV[2]  hash      the new one
-- ARGV[3]  digest    the session that stays, empty for none
-- reply    1: done, 0: the account has another password by now, or is gone
if redis.call('HGET', KEYS[1], 'password') ~= ARGV[1] then return 0 end
redis.call('HSET', KEYS[1], 'password', ARGV[2])
redis.call('HDEL', KEYS[1], 'reset')
for _, digest in ipairs(redis.call('HKEYS', KEYS[2])) do
  if digest ~= ARGV[3] then redis.call('HDEL', KEYS[2], digest) end
end
return 1
