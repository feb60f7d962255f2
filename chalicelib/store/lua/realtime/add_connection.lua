#!lua
-- Adds a connection of a user, by a ticket, which is used up, or by a session.
-- requires: clock, user_connections
-- KEYS[1]  user         HASH, see Accounts
-- KEYS[2]  sessions     HASH, see Sessions
-- KEYS[3]  connections  HASH, see Presence
-- KEYS[4]  leases       ZSET, see Presence
-- KEYS[5]  ticket       STRING, see Presence; absent: it goes by the session
-- ARGV[1]  handle
-- ARGV[2]  connection
-- ARGV[3]  flags        integer, see Presence
-- ARGV[4]  lease        integer, µs that it lives
-- ARGV[5]  most         integer, connections that a user may have
-- ARGV[6]  session      digest of its token; empty: none; not looked at with a ticket
-- ARGV[7]  ticket       integer, ms that a ticket lives; one that lives longer is of a clock that has fallen back since
-- reply    {0: connected, 1: no such ticket, 2: the session has ended or the account is deleted, 3: too many;
--          digest of the session, room of the ticket or empty}
local user, sessions, connections, leases = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local handle, connection, session, room = ARGV[1], ARGV[2], ARGV[6], ''
local time = now()

if #KEYS == 5 then
  local left, held = redis.call('PTTL', KEYS[5]), redis.call('GETDEL', KEYS[5])
  if not held or left > tonumber(ARGV[7]) then return {1, '', ''} end
  local length = string.byte(held)
  session, room = string.sub(held, 2, length + 1), string.sub(held, length + 2)
end
if not is_let_in(user, sessions, session, time) then return {2, '', ''} end

local live, held = 0, redis.call('HGETALL', connections)
for i = 1, #held, 2 do
  if held[i] ~= connection and struct.unpack('>I8', held[i + 1]) > time then live = live + 1 end
end
if live >= tonumber(ARGV[5]) then return {3, '', ''} end
keep_connection(connections, leases, handle, connection, time + tonumber(ARGV[4]), tonumber(ARGV[3]), session)
return {0, session, room}
