#!lua
-- Has a connection receive a user's changes of presence for the time of a lease, and reads whether the user is online.
-- requires: clock, presence
local user = KEYS[1] -- HASH, see Accounts
local user_connections = KEYS[2] -- HASH, see UserConnections
local last_seen = KEYS[3] -- STRING, see UserConnections
local blocked = KEYS[4] -- ZSET, see Blocks
local watchers = KEYS[5] -- HASH, see UserConnections
local watcher = ARGV[1] -- handle of the user who asks
local connection = ARGV[2] -- of the watcher
local flags = tonumber(ARGV[3]) -- integer, see UserConnections
local lease = tonumber(ARGV[4]) -- integer, µs
local most = tonumber(ARGV[5]) -- integer, maximum number of watching connections; a new one beyond is not added
-- reply: see read_presence
local SAMPLE = 16
local time, sample = now(), redis.call('HRANDFIELD', watchers, SAMPLE, 'WITHVALUES')
for i = 1, #sample, 2 do
  local expiry = struct.unpack('>I8', sample[i + 1])
  if expiry <= time then
    redis.call('HDEL', watchers, sample[i])
  elseif expiry > time + lease then -- set before the clock fell back
    redis.call('HSET', watchers, sample[i], struct.pack('>I8', time + lease) .. string.sub(sample[i + 1], 9))
  end
end
if redis.call('HEXISTS', watchers, connection) == 1 or redis.call('HLEN', watchers) < most then
  redis.call('HSET', watchers, connection, struct.pack('>I8B', time + lease, flags) .. watcher)
  redis.call('PEXPIRE', watchers, math.ceil(lease / 1000))
end
return presence_of(user, user_connections, last_seen, blocked, watcher)
