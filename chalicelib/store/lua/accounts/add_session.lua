#!lua
-- Begins a session of an account, if its password is still the one that was checked.
-- requires: clock, numbers
-- KEYS[1]  user      HASH, see Accounts
-- KEYS[2]  sessions  HASH, see Sessions
-- KEYS[3]  ends      ZSET, see Sessions
-- ARGV[1]  held      the password's hash that was checked
-- ARGV[2]  rehash    the same password by today's parameters; empty to leave it
-- ARGV[3]  digest    32 bytes of the session's token
-- ARGV[4]  details   where the caller is, opaque here
-- ARGV[5]  idle      integer, microseconds a session lives unused
-- ARGV[6]  longest   integer, microseconds a session lives at the most
-- ARGV[7]  most      integer, sessions a user may have; the one unused for longest gives way
-- ARGV[8]  handle
-- reply    the time in microseconds at which it expires unused; 0: the password is another by now, or the account gone
if redis.call('HGET', KEYS[1], 'password') ~= ARGV[1] or redis.call('HEXISTS', KEYS[1], 'deleted') == 1 then return 0 end
if ARGV[2] ~= '' then redis.call('HSET', KEYS[1], 'password', ARGV[2]) end
local time = now()

local live, held = {}, redis.call('HGETALL', KEYS[2])
for i = 1, #held, 2 do
  local _, seen, expires = struct.unpack('>I8I8I8', held[i + 1])
  if expires <= time then redis.call('HDEL', KEYS[2], held[i]) else live[#live + 1] = {seen, held[i]} end
end
table.sort(live, function(one, other) return one[1] < other[1] end)
for i = 1, #live - tonumber(ARGV[7]) + 1 do redis.call('HDEL', KEYS[2], live[i][2]) end

local expires = time + math.min(tonumber(ARGV[5]), tonumber(ARGV[6]))
redis.call('HSET', KEYS[2], ARGV[3], struct.pack('>I8I8I8', time, time, expires) .. ARGV[4])
redis.call('ZADD', KEYS[3], 'LT', decimal(expires), ARGV[8])
-- Earlier versions let the key expire, and did not note when sessions end: the next sweep does.
if redis.call('PERSIST', KEYS[2]) == 1 then redis.call('ZADD', KEYS[3], decimal(time), ARGV[8]) end
return expires
