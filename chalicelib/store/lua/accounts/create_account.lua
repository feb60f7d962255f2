#!lua
-- Creates an account unless its handle was ever taken, and records its search entries as pending.
-- requires: clock, numbers
local user = KEYS[1] -- HASH, see Accounts
local pending = KEYS[2] -- HASH, see PendingWork
local item = ARGV[1] -- the pending work
-- ARGV[2..]: field, value, ...
-- reply: 1: created, 0: the handle is taken, perhaps by a deleted account
if redis.call('EXISTS', user) == 1 then return 0 end
local time = decimal(now())
redis.call('HSET', user, 'made', time, unpack(ARGV, 2))
redis.call('HSET', pending, item, time)
return 1
