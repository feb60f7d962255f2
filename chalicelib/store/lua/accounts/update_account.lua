#!lua
-- Sets and clears fields of an account that is not deleted, and records what follows as pending.
-- requires: clock, numbers
local user = KEYS[1] -- HASH, see Accounts
local pending = KEYS[2] -- HASH, see PendingWork
local item = ARGV[1] -- the pending work; empty: none
local last = 2 + 2 * tonumber(ARGV[2]) -- integer, number of fields to set
-- ARGV[3..]: field, value, ... of these, then the names of the fields to clear
-- reply: the account as it was before: {field, value, ...}; {} if there is none
local before = redis.call('HGETALL', user)
if #before == 0 or redis.call('HEXISTS', user, 'deleted') == 1 then return {} end
if last > 2 then redis.call('HSET', user, unpack(ARGV, 3, last)) end
if #ARGV > last then redis.call('HDEL', user, unpack(ARGV, last + 1)) end
if item ~= '' then redis.call('HSET', pending, item, decimal(now())) end
return before
