#!lua flags=allow-oom
-- Ends the leases of connections whose sessions have ended; the caller drops them then.
-- requires: clock, recipients, user_connections
local user_connections = KEYS[1] -- HASH, see UserConnections
local leases = KEYS[2] -- ZSET, see UserConnections
local handle = ARGV[1]
local prefix = ARGV[2] -- of the session's digest; empty: all sessions
local keep = ARGV[3] -- digest of a session that keeps its connections; empty: none
-- reply: {ended connections that take JSON; that take protobuf}, see recipients
local ended, time = {{}, {}}, now()
for _, connection in ipairs(redis.call('HKEYS', user_connections)) do
  local expiry, flags, session = connection_of(user_connections, connection)
  if string.sub(session, 1, #prefix) == prefix and (keep == '' or session ~= keep) then
    keep_connection(user_connections, leases, handle, connection, math.min(expiry, time), flags, session)
    add_recipient(ended, connection, flags)
  end
end
return {joined(ended)}
