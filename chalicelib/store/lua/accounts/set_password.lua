#!lua flags=allow-oom
-- Sets another password if the account still has the one that was checked, and ends its other sessions.
local user = KEYS[1] -- HASH, see Accounts
local sessions = KEYS[2] -- HASH, see Sessions
local checked = ARGV[1] -- the hash that was checked
local hash = ARGV[2] -- the new one
local keep = ARGV[3] -- digest of the session that stays; empty: none
-- reply: 1: done, 0: the account has another password by now, or is deleted
if redis.call('HGET', user, 'password') ~= checked then return 0 end
redis.call('HSET', user, 'password', hash)
redis.call('HDEL', user, 'reset')
for _, digest in ipairs(redis.call('HKEYS', sessions)) do
  if digest ~= keep then redis.call('HDEL', sessions, digest) end
end
return 1
