#!lua
-- Makes an account, unless its handle was ever taken, and owes its entry in the search.
-- requires: clock, numbers
-- KEYS[1]   user   HASH, see Accounts
-- KEYS[2]   owed   HASH, see Owed
-- ARGV[1]   item   what is owed
-- ARGV[2..] field, value, ...
-- reply     1: made, 0: the handle is taken, be it by an account that was deleted
if redis.call('EXISTS', KEYS[1]) == 1 then return 0 end
local time = decimal(now())
redis.call('HSET', KEYS[1], 'made', time, unpack(ARGV, 2))
redis.call('HSET', KEYS[2], ARGV[1], time)
return 1
