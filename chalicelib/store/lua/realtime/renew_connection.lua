#!lua flags=allow-oom
-- Renews a connection, unless it is gone; one of a session that has ended is ended, too.
-- requires: clock, user_connections
-- KEYS[1]  user         HASH, see Accounts
-- KEYS[2]  sessions     HASH, see Sessions
-- KEYS[3]  connections  HASH, see Presence
-- KEYS[4]  leases       ZSET, see Presence
-- ARGV[1]  handle
-- ARGV[2]  connection
-- ARGV[3]  lease        integer, µs that it lives
-- reply    1: renewed, 0: gone or ended
local connections, leases, handle, connection, time = KEYS[3], KEYS[4], ARGV[1], ARGV[2], now()
local flags, session = renewable(KEYS[1], KEYS[2], connections, leases, handle, connection, time)
if not flags then return 0 end
keep_connection(connections, leases, handle, connection, time + tonumber(ARGV[3]), flags, session)
return 1
