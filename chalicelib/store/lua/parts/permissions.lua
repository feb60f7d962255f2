-- A part of other scripts. What a user may see of a chat; all of it is in the chat's slot.
-- requires: numbers
local NONE, MEMBER, INVITED, REQUESTED, BANNED, LEFT, GONE = 0, 1, 2, 3, 4, 5, 6
local UNREAD, HIDDEN, WROTE, ACCEPTED = 1, 16, 32, 64
local GROUP = 'group'

-- log: LIST, see MessageLog. Returns its base, head and epoch, all 0 when it has not begun.
local function bounds(log)
  local header = redis.call('LINDEX', log, 0)
  if not header then return 0, 0, 0 end
  local base, epoch = struct.unpack('>I8I8', header, 2)
  return base, base + redis.call('LLEN', log) - 1, epoch
end

-- chat: HASH, see Chats. Returns whether there is such a group, whether it shows history, and whether it is large.
local function group_of(chat)
  local fields = redis.call('HMGET', chat, 'made', 'deleted', 'history', 'large')
  return fields[1] and not fields[2], fields[3] == '1', fields[4] and true or false
end

-- members: HASH, see Chats. Returns role, since, joined and muted_until; nothing for who is no member.
local function member_of(members, handle)
  local held = redis.call('HGET', members, handle)
  if held then return struct.unpack('>BI8I8I8', held) end
end

-- readers: HASH, see Readers. Returns how far a reader has come.
local function reader_of(readers, handle)
  local own, held = {read = 0, received = 0, cleared = 0, stamp = 0, flags = 0}, redis.call('HGET', readers, handle)
  if held then own.read, own.received, own.cleared, own.stamp, own.flags = struct.unpack('>I8I8I8I8B', held) end
  return own
end

-- Keeps how far a reader has come. time: what the stamp rises to, or above; nil: it stays.
local function keep_reader(readers, handle, own, time)
  if time then own.stamp = math.max(time, own.stamp + 1) end
  local held = struct.pack('>I8I8I8I8B', own.read, own.received, own.cleared, own.stamp, own.flags)
  redis.call('HSET', readers, handle, held)
end

-- Returns how somebody stands to a group, and the seqs that they may read: above the first, up to the second.
local function standing_of(seen, members, others, handle)
  local role, since, _, muted = member_of(members, handle)
  if role then
    seen.role, seen.since, seen.muted = role, since, muted
    return MEMBER, since, seen.last
  end
  local held = redis.call('HGET', others, handle)
  if not held then return NONE, 0, 0 end
  local relation, _, from, upto = struct.unpack('>BI8I8I8', held)
  local state = math.min(bit.band(relation, 127) + 1, LEFT)
  if state == BANNED then return BANNED, 0, 0 end
  if state == LEFT and upto == 0 then return NONE, 0, 0 end -- refused an invitation, and never was a member
  return state, from, upto
end

-- Judges a user: `handle` of a chat of a kind, 'group' (or a room) or 'direct'.
-- The script's first five keys are log, chat, members, others and readers of the chat.
-- Returns state; reads, whether they may; base and head, as they see them; first and last, as they are; epoch;
-- of a member of a group role, since and muted; large; own, of a chat of two: how far they have come.
local function judged(handle, kind)
  local seen = {role = 0, since = 0, muted = 0, large = false}
  seen.first, seen.last, seen.epoch = bounds(KEYS[1])
  local low, high, there, history
  if kind == GROUP then
    there, history, seen.large = group_of(KEYS[2])
    if not there then
      seen.state, low, high = GONE, 0, 0
    else
      seen.state, low, high = standing_of(seen, KEYS[3], KEYS[4], handle)
    end
    seen.reads = seen.state == MEMBER or high > 0
    if history then low = 0 end
  else
    seen.own = reader_of(KEYS[5], handle)
    low, high = seen.own.cleared, seen.last
    local hidden = bit.band(seen.own.flags, HIDDEN) ~= 0 and high <= low
    seen.state, seen.reads = hidden and LEFT or MEMBER, true
  end
  seen.head = math.min(high, seen.last)
  seen.base = math.min(math.max(low, seen.first), seen.head)
  return seen
end

-- Returns whether a cursor is of this history: the log's epoch, and the time of the message at `place`, as far as
-- the reader may know of it. time: 8 bytes. epoch: as text. Either may be empty: it is not checked.
local function same_history(seen, place, time, epoch)
  if epoch ~= '' and epoch ~= decimal(seen.epoch) then return false end
  if time == '' or place <= seen.base then return true end
  local element = place <= seen.head and redis.call('LINDEX', KEYS[1], place - seen.first)
  return element and string.sub(element, 2, 9) == time
end

-- Returns the newest message that the reader may read, or false.
local function newest_seen(seen)
  return seen.head > seen.base and redis.call('LINDEX', KEYS[1], seen.head - seen.first)
end
