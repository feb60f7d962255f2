#!lua flags=no-writes
-- Reads one page of a sorted set, from the highest score down; of equal scores the later member first.
-- requires: byte_order
-- KEYS[1]  page    ZSET
-- ARGV[1]  score   integer, the page is below this score and member; empty: it is the first
-- ARGV[2]  member  any bytes
-- ARGV[3]  limit   integer, members at the most
-- reply    {member, score, ...}
local highest, limit, offset, reply = ARGV[1], tonumber(ARGV[3]), 0, {}

if highest == '' then return redis.call('ZREVRANGE', KEYS[1], 0, limit - 1, 'WITHSCORES') end
repeat
  local found = redis.call('ZREVRANGEBYSCORE', KEYS[1], highest, '-inf', 'WITHSCORES', 'LIMIT', offset, limit)
  for i = 1, #found, 2 do
    if #reply < 2 * limit and (tonumber(found[i + 1]) < tonumber(highest) or below(found[i], ARGV[2])) then
      reply[#reply + 1], reply[#reply + 2] = found[i], found[i + 1]
    end
  end
  offset = offset + limit
until #reply == 2 * limit or #found < 2 * limit
return reply
