#!lua
-- Marks a connection as ready, and renews its lease.
-- requires: clock, connection_flags, flags, user_connections, watchers
local user = KEYS[1] -- HASH, see Accounts
local user_connections = KEYS[2] -- HASH, see UserConnections
-- KEYS[3]: not used; the first six keys are those of drop_connection
local leases = KEYS[4] -- ZSET, see UserConnections
local watchers = KEYS[5] -- HASH, see UserConnections
local blocked = KEYS[6] -- ZSET, see Blocks
local sessions = KEYS[7] -- HASH, see Sessions
local handle = ARGV[1]
local connection = ARGV[2]
local lease = tonumber(ARGV[3]) -- integer, µs that it lives
-- reply: {1: the user came online, 0: was online before; 0; watchers that take JSON; that take protobuf}, see recipients; {}: the
--   connection is gone, or its session has ended
local time = now()
local flags, session = renewable(user, sessions, user_connections, leases, handle, connection, time)
if not flags then return {} end
keep_connection(user_connections, leases, handle, connection, time + lease, bit.bor(flags, READY), session)
if has(flags, READY) or other_ready(user_connections, connection, time) then return {0, 0, '', ''} end
return {1, 0, live_watchers(watchers, blocked, time)}
