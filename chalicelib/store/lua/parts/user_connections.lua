-- Reads and writes the connections of a user and their leases, see UserConnections.
-- requires: numbers, connection_flags, flags, session_records, signed_identity
local NAMED = '\0'

-- Returns expiry, flags and session of a connection; nothing if the user has no such connection.
local function connection_of(user_connections, connection)
  local held = redis.call('HGET', user_connections, connection)
  if not held then return end
  local expiry, flags = struct.unpack('>I8B', held)
  return expiry, flags, string.sub(held, 10)
end

-- Keeps a connection and its lease, which ends with the token of a signed identity at the latest.
local function keep_connection(user_connections, leases, handle, connection, expiry, flags, session)
  expiry = lease_end(session, expiry)
  redis.call('HSET', user_connections, connection, struct.pack('>I8B', expiry, flags) .. session)
  redis.call('ZADD', leases, decimal(expiry), handle .. '\0' .. connection)
end

-- Returns whether a connection may go on: its account is not deleted and its session has not ended. The token of a signed
-- identity must also be newer than the last logout everywhere; a name without credentials must have no account.
local function is_let_in(user, sessions, session, time)
  if redis.call('HEXISTS', user, 'deleted') == 1 then return false end
  if session == '' then return true end
  if session == NAMED then return redis.call('EXISTS', user) == 0 end
  local made, ends = signed_times(session)
  if made then return ends > time and made > (tonumber(redis.call('HGET', user, 'since')) or 0) end
  local held = redis.call('HGET', sessions, session)
  if not held then return false end
  local _, _, expires = session_times(held)
  return expires > time
end

-- Reads a connection that is about to be renewed. Returns flags and session; nothing if it has expired or may not go on: its
-- lease ends now then, so that the sweep drops it.
local function renewable(user, sessions, user_connections, leases, handle, connection, time)
  local expiry, flags, session = connection_of(user_connections, connection)
  if not expiry or expiry <= time then return end
  if is_let_in(user, sessions, session, time) then return flags, session end
  keep_connection(user_connections, leases, handle, connection, time, flags, session)
end

-- Reads the ready connections of a user except one. Returns whether any of them lives; the expired ones; and when the last of
-- these expired, or 0.
local function other_ready(user_connections, except, time)
  local lives, expired, last, held = false, {}, 0, redis.call('HGETALL', user_connections)
  for i = 1, #held, 2 do
    local expiry, flags = struct.unpack('>I8B', held[i + 1])
    if held[i] ~= except and has(flags, READY) then
      lives = lives or expiry > time
      if expiry <= time then
        expired[#expired + 1] = held[i]
        last = math.max(last, expiry)
      end
    end
  end
  return lives, expired, last
end
