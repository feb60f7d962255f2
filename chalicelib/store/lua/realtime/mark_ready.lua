#!lua
-- Makes a connection ready, and renews it.
-- requires: clock, numbers, connection_flags, user_connections, watchers
-- KEYS[1]  user         HASH, see Accounts
-- KEYS[2]  connections  HASH, see Presence
-- KEYS[3]  seen         STRING, see Presence
-- KEYS[4]  leases       ZSET, see Presence
-- KEYS[5]  watchers     HASH, see Presence
-- KEYS[6]  blocked      ZSET, see Blocks
-- KEYS[7]  sessions     HASH, see Sessions
-- ARGV[1]  handle
-- ARGV[2]  connection
-- ARGV[3]  lease        integer, µs that it lives
-- reply    {1: the user went online, 0: was it before; 0; watchers to tell that take JSON; and that take protobuf},
--          see targets; {}: the connection is gone, or its session has ended
local user, connections, leases, handle, connection = KEYS[1], KEYS[2], KEYS[4], ARGV[1], ARGV[2]
local time = now()
local flags, session = renewable(user, KEYS[7], connections, leases, handle, connection, time)
if not flags then return {} end
keep_connection(connections, leases, handle, connection, time + tonumber(ARGV[3]), bit.bor(flags, READY), session)
if has(flags, READY) or ready_but(connections, connection, time) then return {0, 0, '', ''} end
return {1, 0, watching(KEYS[5], KEYS[6], time)}
