#!lua
-- Sets and clears fields of an account that is not deleted, and records what follows as pending.
-- requires: clock, numbers
local user = KEYS[1] -- HASH, see Accounts
local pending = KEYS[2] -- HASH, see PendingWork
local item = ARGV[1] -- the pending work; empty: none
local rows_item = ARGV[2] -- the pending work after a change of name or avatar; empty: neither is among the fields
local last = 3 + 2 * tonumber(ARGV[3]) -- integer, number of fields to set
-- ARGV[4..]: field, value, ... of these, then the names of the fields to clear
-- reply: the account as it was before: {field, value, ...}; {} if there is none
local before = redis.call('HGETALL', user)
if #before == 0 or redis.call('HEXISTS', user, 'deleted') == 1 then return {} end
local function card() return unpack(redis.call('HMGET', user, 'name', 'avatar')) end

local name, avatar = card()
if last > 3 then redis.call('HSET', user, unpack(ARGV, 4, last)) end
if #ARGV > last then redis.call('HDEL', user, unpack(ARGV, last + 1)) end
if item ~= '' then redis.call('HSET', pending, item, decimal(now())) end
local new_name, new_avatar = card()
if rows_item ~= '' and (new_name ~= name or new_avatar ~= avatar) then
  redis.call('HSET', pending, rows_item, decimal(now()))
end
return before
