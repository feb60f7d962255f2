#!lua flags=allow-oom
-- Renews the lease of a connection among those of its user; ends it if its session has ended.
-- requires: clock, user_connections
local user = KEYS[1] -- HASH, see Accounts
local sessions = KEYS[2] -- HASH, see Sessions
local user_connections = KEYS[3] -- HASH, see UserConnections
local leases = KEYS[4] -- ZSET, see UserConnections
local handle = ARGV[1]
local connection = ARGV[2]
local lease = tonumber(ARGV[3]) -- integer, µs that it lives
-- reply: 1: renewed, 0: gone or ended
local time = now()
local flags, session = renewable(user, sessions, user_connections, leases, handle, connection, time)
if not flags then return 0 end
keep_connection(user_connections, leases, handle, connection, time + lease, flags, session)
return 1
