#!lua
-- Starts a session of an account if its password is still the one that was checked.
-- requires: clock, numbers, session_records
local user = KEYS[1] -- HASH, see Accounts
local sessions = KEYS[2] -- HASH, see Sessions
local session_ends = KEYS[3] -- ZSET, see Sessions
local checked = ARGV[1] -- the password's hash that was checked
local rehash = ARGV[2] -- the same password hashed by today's parameters; empty: the hash stays
local digest = ARGV[3] -- 32 bytes, of the session's token
local details = ARGV[4] -- where the caller is, opaque here
local idle = tonumber(ARGV[5]) -- integer, µs that a session lives unused
local longest = tonumber(ARGV[6]) -- integer, maximum µs that a session lives
local most = tonumber(ARGV[7]) -- integer, maximum number of sessions of a user; the one unused for longest makes room
local handle = ARGV[8]
-- reply: integer, when it expires unless it is used, µs; 0: the password has changed, or the account is deleted
if redis.call('HGET', user, 'password') ~= checked or redis.call('HEXISTS', user, 'deleted') == 1 then return 0 end
if rehash ~= '' then redis.call('HSET', user, 'password', rehash) end
local time = now()

local live, held = {}, redis.call('HGETALL', sessions)
for i = 1, #held, 2 do
  local _, seen, expires = session_times(held[i + 1])
  if expires <= time then redis.call('HDEL', sessions, held[i]) else live[#live + 1] = {seen, held[i]} end
end
table.sort(live, function(one, other) return one[1] < other[1] end)
for i = 1, #live - most + 1 do redis.call('HDEL', sessions, live[i][2]) end

local expires = time + math.min(idle, longest)
redis.call('HSET', sessions, digest, session_record(time, time, expires, details))
redis.call('ZADD', session_ends, 'LT', decimal(expires), handle)
-- Earlier versions let the key expire and did not record when sessions end: the next sweep does.
if redis.call('PERSIST', sessions) == 1 then redis.call('ZADD', session_ends, decimal(time), handle) end
return expires
