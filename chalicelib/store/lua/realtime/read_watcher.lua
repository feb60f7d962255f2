#!lua flags=no-writes
-- Reads how a user is shown to one watcher, and the watcher's connections.
-- requires: clock, presence, recipients
local user = KEYS[1] -- HASH, see Accounts
local user_connections = KEYS[2] -- HASH, see UserConnections
local last_seen = KEYS[3] -- STRING, see UserConnections
local blocked = KEYS[4] -- ZSET, see Blocks
local watchers = KEYS[5] -- HASH, see UserConnections
local watcher = ARGV[1] -- handle
-- reply: {1: online, 0: offline; when the user was last online, µs; connections that take JSON; that take protobuf}, see
--   read_presence and recipients; {}: there is nothing to send
local shown, recipients, time = presence_of(user, user_connections, last_seen, blocked, watcher), {{}, {}}, now()
if not shown[1] then return {} end
local held = redis.call('HGETALL', watchers)
for i = 1, #held, 2 do
  local expiry, flags = struct.unpack('>I8B', held[i + 1])
  if expiry > time and string.sub(held[i + 1], 10) == watcher then add_recipient(recipients, held[i], flags) end
end
return {shown[1], shown[2], joined(recipients)}
