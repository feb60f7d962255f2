#!lua flags=no-writes
-- Reads what has changed in a group or room, in the order in which it was last told of.
-- KEYS[1]  chat     HASH, see Chats
-- KEYS[2]  changes  ZSET, see Chats
-- ARGV[1]  since    integer, µs, the page is above this time
-- ARGV[2]  subject  with this one, it is above this time and subject; empty: above all of this time
-- ARGV[3]  limit    integer, subjects at the most
-- reply    {subject, time, ...}   or nil: some that are newer were forgotten
local lost = tonumber(redis.call('HGET', KEYS[1], 'changes_lost'))
if lost and lost > tonumber(ARGV[1]) then return false end

-- Lua's own comparison depends on the server's locale.
local function above(one, other)
  for i = 1, math.min(#one, #other) do
    local here, there = string.byte(one, i), string.byte(other, i)
    if here ~= there then return here > there end
  end
  return #one > #other
end

local low = redis.call('ZCOUNT', KEYS[2], '-inf', '(' .. ARGV[1])
local high = low + redis.call('ZCOUNT', KEYS[2], ARGV[1], ARGV[1])
if ARGV[2] == '' then low = high end
while low < high do
  local middle = math.floor((low + high) / 2)
  local found = redis.call('ZRANGE', KEYS[2], middle, middle)[1]
  if above(found, ARGV[2]) then high = middle else low = middle + 1 end
end
return redis.call('ZRANGE', KEYS[2], low, low + ARGV[3] - 1, 'WITHSCORES')
