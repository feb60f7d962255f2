#!lua flags=no-writes
-- Reads what has changed in a group or room, in the order of the last system messages about it.
-- requires: byte_order
local chat = KEYS[1] -- HASH, see Chats
local changes = KEYS[2] -- ZSET, see Chats
local since = ARGV[1] -- integer, µs, the page is above this time
local subject = ARGV[2] -- with it, the page is above this time and subject; empty: above all of this time
local limit = ARGV[3] -- integer, maximum number of subjects
-- reply: {subject, time, ...}; nil: newer ones were forgotten
local lost = tonumber(redis.call('HGET', chat, 'changes_lost'))
if lost and lost > tonumber(since) then return false end

local low = redis.call('ZCOUNT', changes, '-inf', '(' .. since)
local high = low + redis.call('ZCOUNT', changes, since, since)
if subject == '' then low = high end
while low < high do
  local middle = math.floor((low + high) / 2)
  local found = redis.call('ZRANGE', changes, middle, middle)[1]
  if below(subject, found) then high = middle else low = middle + 1 end
end
return redis.call('ZRANGE', changes, low, low + limit - 1, 'WITHSCORES')
