#!lua flags=no-writes
-- Reads which users of a partition may have expired sessions.
-- requires: clock, numbers
local session_ends = KEYS[1] -- ZSET, see Sessions
local limit = ARGV[1] -- integer, maximum number of users
-- reply: handles, those first whose sessions expired first
return redis.call('ZRANGEBYSCORE', session_ends, '-inf', decimal(now()), 'LIMIT', 0, limit)
