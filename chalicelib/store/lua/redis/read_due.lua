#!lua flags=no-writes
-- Reads the members of a sorted set whose times have come, the earliest first.
-- requires: clock, numbers
local page = KEYS[1] -- ZSET, of times in µs
local limit = ARGV[1] -- integer, maximum number of members
-- reply: {member, score, ...}
return redis.call('ZRANGEBYSCORE', page, '-inf', decimal(now()), 'WITHSCORES', 'LIMIT', 0, limit)
