#!lua
-- Sets and clears fields of an account that is not deleted, and owes what follows from it.
-- requires: clock, numbers
-- KEYS[1]   user   HASH, see Accounts
-- KEYS[2]   owed   HASH, see Owed
-- ARGV[1]   item   what is owed, empty for nothing
-- ARGV[2]   sets   integer, how many fields are set
-- ARGV[3..] field, value, ... of those, then the names of the fields that are cleared
-- reply     the account as it was before: {field, value, ...}; {} when there is none
local before = redis.call('HGETALL', KEYS[1])
if #before == 0 or redis.call('HEXISTS', KEYS[1], 'deleted') == 1 then return {} end
local last = 2 + 2 * tonumber(ARGV[2])
if last > 2 then redis.call('HSET', KEYS[1], unpack(ARGV, 3, last)) end
if #ARGV > last then redis.call('HDEL', KEYS[1], unpack(ARGV, last + 1)) end
if ARGV[1] ~= '' then
  redis.call('HSET', KEYS[2], ARGV[1], decimal(now()))
end
return before
