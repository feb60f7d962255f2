#!lua flags=allow-oom
-- Ends an account at once, keeps its handle taken, and owes what other slots hold of it.
-- requires: clock, numbers
-- KEYS[1]   user   HASH, see Accounts; its fields stay until what is owed is done
-- KEYS[2]   owed   HASH, see Owed
-- KEYS[3]   ends   ZSET, see Sessions
-- KEYS[4..] what goes with the account: sessions, posts, ...
-- ARGV[1]   item   what is owed
-- ARGV[2]   handle
-- reply     1: it is deleted now or was before, 0: there never was one
if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
if redis.call('HEXISTS', KEYS[1], 'deleted') == 1 then return 1 end
local time = decimal(now())
redis.call('HSET', KEYS[1], 'deleted', time)
redis.call('HDEL', KEYS[1], 'password')
redis.call('HSET', KEYS[2], ARGV[1], time)
redis.call('ZREM', KEYS[3], ARGV[2])
redis.call('UNLINK', unpack(KEYS, 4))
return 1
