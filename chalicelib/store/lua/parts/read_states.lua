-- Reads and writes the read state of a chat's readers, see ReadStates.
local UNREAD, HIDDEN, WROTE, ACCEPTED = 1, 16, 32, 64
local READ_STATE = '>I8I8I8I8B'

-- Returns the read state of a reader; all zeros for a new one.
local function read_state_of(read_states, handle)
  local own, held = {read = 0, received = 0, cleared = 0, stamp = 0, flags = 0}, redis.call('HGET', read_states, handle)
  if held then own.read, own.received, own.cleared, own.stamp, own.flags = struct.unpack(READ_STATE, held) end
  return own
end

-- Writes the read state of a reader. time: what its stamp rises to, or above; nil: the stamp stays.
local function keep_read_state(read_states, handle, own, time)
  if time then own.stamp = math.max(time, own.stamp + 1) end
  local record = struct.pack(READ_STATE, own.read, own.received, own.cleared, own.stamp, own.flags)
  redis.call('HSET', read_states, handle, record)
end
