#!lua
-- Adds a connection of a user: by a ticket, which is used up, or by a session.
-- requires: clock, user_connections
local user = KEYS[1] -- HASH, see Accounts
local sessions = KEYS[2] -- HASH, see Sessions
local user_connections = KEYS[3] -- HASH, see UserConnections
local leases = KEYS[4] -- ZSET, see UserConnections
local ticket = KEYS[5] -- STRING, see UserConnections; absent: the session counts
local handle = ARGV[1]
local connection = ARGV[2]
local flags = tonumber(ARGV[3]) -- integer, see UserConnections
local lease = tonumber(ARGV[4]) -- integer, µs that it lives
local most = tonumber(ARGV[5]) -- integer, maximum number of connections of a user
local session = ARGV[6] -- digest of its token; empty: none; ignored with a ticket
local ticket_ttl = tonumber(ARGV[7]) -- integer, ms that a ticket lives; one that lives longer was made before the clock fell back
-- reply: {0: connected, 1: no such ticket, 2: the session has ended or the account is deleted, 3: too many connections; digest of
--   the session; room of the ticket or empty}
local time, room = now(), ''

if ticket then
  local left, held = redis.call('PTTL', ticket), redis.call('GETDEL', ticket)
  if not held or left > ticket_ttl then return {1, '', ''} end
  local length = string.byte(held)
  session, room = string.sub(held, 2, length + 1), string.sub(held, length + 2)
end
if not is_let_in(user, sessions, session, time) then return {2, '', ''} end

local live, held = 0, redis.call('HGETALL', user_connections)
for i = 1, #held, 2 do
  if held[i] ~= connection and struct.unpack('>I8', held[i + 1]) > time then live = live + 1 end
end
if live >= most then return {3, '', ''} end
keep_connection(user_connections, leases, handle, connection, time + lease, flags, session)
return {0, session, room}
