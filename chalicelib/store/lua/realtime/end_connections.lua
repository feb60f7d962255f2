#!lua flags=allow-oom
-- Ends the leases of connections whose sessions have ended; they are to be dropped then.
-- requires: clock, user_connections, recipients
-- KEYS[1]  connections  HASH, see Presence
-- KEYS[2]  leases       ZSET, see Presence
-- ARGV[1]  handle
-- ARGV[2]  prefix       what the digest of the session begins with; empty: all
-- ARGV[3]  keep         digest of a session that keeps its connections; empty: none
-- reply    {those that take JSON; those that take protobuf}, see targets
local connections, leases, handle, prefix, keep = KEYS[1], KEYS[2], ARGV[1], ARGV[2], ARGV[3]
local ended, time = {{}, {}}, now()
for _, connection in ipairs(redis.call('HKEYS', connections)) do
  local expiry, flags, session = connection_of(connections, connection)
  if string.sub(session, 1, #prefix) == prefix and (keep == '' or session ~= keep) then
    keep_connection(connections, leases, handle, connection, math.min(expiry, time), flags, session)
    add_target(ended, connection, flags)
  end
end
return {told(ended)}
