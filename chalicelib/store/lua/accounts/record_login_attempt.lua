#!lua
-- Notes one attempt, unless there were too many of late; one that succeeds is taken back.
-- requires: clock, numbers
-- KEYS[1]  tries   ZSET, see Attempts
-- ARGV[1]  name    of this attempt, no other has it
-- ARGV[2]  window  integer, microseconds an attempt counts
-- ARGV[3]  most    integer, attempts that count; 0: never too many
-- ARGV[4]  keep    integer, attempts that are remembered at the most
-- reply    {attempts that counted before this one; microseconds to wait, 0: it may go on; microseconds since the last
--          that counted, -1: there is none}
local time, window, most = now(), tonumber(ARGV[2]), tonumber(ARGV[3])
local MINUTE = 60 * 1000000
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', decimal(time - window))
-- Of a clock that fell back since. Those of the next minute count: callers that tell the time need not agree on it.
redis.call('ZREMRANGEBYSCORE', KEYS[1], '(' .. decimal(time + MINUTE), '+inf')
local count = redis.call('ZCARD', KEYS[1])
local last = redis.call('ZREVRANGE', KEYS[1], 0, 0, 'WITHSCORES')[2]
local since = last and math.max(time - tonumber(last), 0) or -1
if most > 0 and count >= most then
  local oldest = redis.call('ZRANGE', KEYS[1], count - most, count - most, 'WITHSCORES')[2]
  return {count, tonumber(oldest) + window - time, since}
end
redis.call('ZADD', KEYS[1], decimal(time), ARGV[1])
redis.call('ZREMRANGEBYRANK', KEYS[1], 0, -1 - tonumber(ARGV[4]))
redis.call('PEXPIRE', KEYS[1], math.ceil(window / 1000))
return {count, 0, since}
