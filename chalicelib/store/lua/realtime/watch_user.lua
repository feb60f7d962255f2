#!lua
-- Tells a connection of a user for the time of a lease, and shows whether they are online now.
-- requires: clock, presence
-- KEYS[1..4]  user, connections, seen, blocked; see read_presence
-- KEYS[5]     watchers    HASH, see Presence
-- ARGV[1]     watcher     handle of who asks
-- ARGV[2]     connection  that of the watcher
-- ARGV[3]     flags       integer, see Presence
-- ARGV[4]     lease       integer, µs that it is told
-- ARGV[5]     most        integer, connections that are told; a new one beyond is not
-- reply       as of read_presence
local watchers, connection, lease, time = KEYS[5], ARGV[2], tonumber(ARGV[4]), now()
local SAMPLE = 16
local sample = redis.call('HRANDFIELD', watchers, SAMPLE, 'WITHVALUES')
for i = 1, #sample, 2 do
  local expiry = struct.unpack('>I8', sample[i + 1])
  if expiry <= time then
    redis.call('HDEL', watchers, sample[i])
  elseif expiry > time + lease then -- of a clock that has fallen back since
    redis.call('HSET', watchers, sample[i], struct.pack('>I8', time + lease) .. string.sub(sample[i + 1], 9))
  end
end
if redis.call('HEXISTS', watchers, connection) == 1 or redis.call('HLEN', watchers) < tonumber(ARGV[5]) then
  redis.call('HSET', watchers, connection, struct.pack('>I8B', time + lease, tonumber(ARGV[3])) .. ARGV[1])
  redis.call('PEXPIRE', watchers, math.ceil(lease / 1000))
end
return shown(KEYS[1], KEYS[2], KEYS[3], KEYS[4], ARGV[1])
