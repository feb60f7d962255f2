#!lua flags=no-writes
-- Reads how a user is shown to one of those who watch them, and that one's connections.
-- requires: clock, presence, recipients
-- KEYS[1..4]  user, connections, seen, blocked; see read_presence
-- KEYS[5]     watchers  HASH, see Presence
-- ARGV[1]     watcher   handle
-- reply       {1: online, 0: not; when they were last, µs; the connections that take JSON; and that take protobuf}, see
--             read_presence and targets; {}: nobody is to be told
local state, targets, time = shown(KEYS[1], KEYS[2], KEYS[3], KEYS[4], ARGV[1]), {{}, {}}, now()
if not state[1] then return {} end
local held = redis.call('HGETALL', KEYS[5])
for i = 1, #held, 2 do
  local expiry, flags = struct.unpack('>I8B', held[i + 1])
  if expiry > time and string.sub(held[i + 1], 10) == ARGV[1] then add_target(targets, held[i], flags) end
end
return {state[1], state[2], told(targets)}
