#!lua flags=no-writes
-- Reads which users of a partition may have sessions that have expired.
-- requires: clock, numbers
-- KEYS[1]  ends   ZSET, see Sessions
-- ARGV[1]  limit  integer, users at the most
-- reply    handles, those first whose sessions expired first
return redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', decimal(now()), 'LIMIT', 0, ARGV[1])
