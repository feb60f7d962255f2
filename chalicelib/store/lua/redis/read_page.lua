#!lua flags=no-writes
-- Reads one page of a sorted set, from the highest score down; of equal scores the later member first.
-- requires: byte_order
local page = KEYS[1] -- ZSET
local highest = ARGV[1] -- integer, a score; the page is below it and the member; empty: it is the first page
local before = ARGV[2] -- any bytes, a member
local limit = tonumber(ARGV[3]) -- integer, maximum number of members
-- reply: {member, score, ...}
local offset, reply = 0, {}

if highest == '' then return redis.call('ZREVRANGE', page, 0, limit - 1, 'WITHSCORES') end
repeat
  local found = redis.call('ZREVRANGEBYSCORE', page, highest, '-inf', 'WITHSCORES', 'LIMIT', offset, limit)
  for i = 1, #found, 2 do
    if #reply < 2 * limit and (tonumber(found[i + 1]) < tonumber(highest) or below(found[i], before)) then
      reply[#reply + 1], reply[#reply + 2] = found[i], found[i + 1]
    end
  end
  offset = offset + limit
until #reply == 2 * limit or #found < 2 * limit
return reply
