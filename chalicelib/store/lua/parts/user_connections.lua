-- A part of other scripts. The connections of a user and their leases, see Presence.
-- requires: numbers, connection_flags, signed_identity
local NAMED = '\0'

-- Returns expiry, flags and session of a connection; nothing of one that is not held.
local function connection_of(connections, connection)
  local held = redis.call('HGET', connections, connection)
  if not held then return end
  local expiry, flags = struct.unpack('>I8B', held)
  return expiry, flags, string.sub(held, 10)
end

-- Keeps a connection and its lease, which ends with the outside token by which it came in.
local function keep_connection(connections, leases, handle, connection, expiry, flags, session)
  expiry = not_beyond_token(session, expiry)
  redis.call('HSET', connections, connection, struct.pack('>I8B', expiry, flags) .. session)
  redis.call('ZADD', leases, decimal(expiry), handle .. '\0' .. connection)
end

-- Returns whether who has a session, or none, is let in: the account is not deleted, the session has not ended; an outside
-- token neither, and it was made after the last logout everywhere; a name alone, as long as there is no account.
local function is_let_in(user, sessions, session, time)
  if redis.call('HEXISTS', user, 'deleted') == 1 then return false end
  if session == '' then return true end
  if session == NAMED then return redis.call('EXISTS', user) == 0 end
  local made, ends = signed_times(session)
  if made then return ends > time and made > (tonumber(redis.call('HGET', user, 'since')) or 0) end
  local held = redis.call('HGET', sessions, session)
  return held and struct.unpack('>I8', held, 17) > time or false
end

-- Reads a connection that is about to be renewed. Returns flags and session; nothing of one that is gone, or that
-- has ended with its session: its lease is over then, so that it is dropped.
local function renewable(user, sessions, connections, leases, handle, connection, time)
  local expiry, flags, session = connection_of(connections, connection)
  if not expiry or expiry <= time then return end
  if is_let_in(user, sessions, session, time) then return flags, session end
  keep_connection(connections, leases, handle, connection, time, flags, session)
end

-- Reads the ready connections of a user but one. Returns whether one has not expired; those that have; and when the last
-- of these did, or 0.
local function ready_but(connections, but, time)
  local lives, over, last, held = false, {}, 0, redis.call('HGETALL', connections)
  for i = 1, #held, 2 do
    local expiry, flags = struct.unpack('>I8B', held[i + 1])
    if held[i] ~= but and bit.band(flags, READY) ~= 0 then
      lives = lives or expiry > time
      if expiry <= time then
        over[#over + 1] = held[i]
        last = math.max(last, expiry)
      end
    end
  end
  return lives, over, last
end
