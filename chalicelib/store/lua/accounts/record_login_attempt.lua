#!lua
-- Records a login attempt unless there were too many recently; the caller removes one that succeeds.
-- requires: clock, numbers
local login_attempts = KEYS[1] -- ZSET, see LoginAttempts
local name = ARGV[1] -- of this attempt, unique
local window = tonumber(ARGV[2]) -- integer, µs that an attempt counts
local most = tonumber(ARGV[3]) -- integer, maximum number of attempts that count; 0: no maximum
local keep = tonumber(ARGV[4]) -- integer, maximum number of attempts that are remembered
-- reply: {attempts that counted before this one; µs to wait, 0: it may go on; µs since the last that counted, -1: none}
local time, MINUTE = now(), 60 * 1000000
redis.call('ZREMRANGEBYSCORE', login_attempts, '-inf', decimal(time - window))
-- Later ones were recorded before the clock fell back. Those of the next minute count: callers' own clocks may differ.
redis.call('ZREMRANGEBYSCORE', login_attempts, '(' .. decimal(time + MINUTE), '+inf')
local count = redis.call('ZCARD', login_attempts)
local last = redis.call('ZREVRANGE', login_attempts, 0, 0, 'WITHSCORES')[2]
local since = last and math.max(time - tonumber(last), 0) or -1
if most > 0 and count >= most then
  local oldest = redis.call('ZRANGE', login_attempts, count - most, count - most, 'WITHSCORES')[2]
  return {count, tonumber(oldest) + window - time, since}
end
redis.call('ZADD', login_attempts, decimal(time), name)
redis.call('ZREMRANGEBYRANK', login_attempts, 0, -1 - keep)
redis.call('PEXPIRE', login_attempts, math.ceil(window / 1000))
return {count, 0, since}
