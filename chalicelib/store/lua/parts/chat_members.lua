-- Changes the members of a group or room.
-- requires: numbers, batches, memberships, next_change, read_states
-- The scripts that require it have these keys:
local CHAT = KEYS[1] -- HASH, see Chats
local MEMBERS = KEYS[2] -- HASH, see Chats
local OTHERS = KEYS[3] -- HASH, see Chats
local READ_STATES = KEYS[4] -- HASH, see ReadStates
local LOG = KEYS[5] -- LIST, see MessageLog
local CHANGES = KEYS[6] -- ZSET, see Chats
local UNCOUNTED = KEYS[7] -- ZSET, see Chats
local OUTBOX = KEYS[8] -- HASH, see Outbox
local CHAT_CONNECTIONS = KEYS[9] -- HASH, see ChatConnections

-- A membership is text: `m` and a role, `o` and a relation, each a byte, or ''. A record (see record_of) begins with it. REFUSED
-- is added to the relation of a user who has refused an invitation.
local INVITED, REQUESTED, LEFT, DELETED, REMOVED, OWNER = 'o\1', 'o\2', 'o\4', 'o\5', 'o\6', 'm\3'
local REFUSED = 128

-- Returns the membership that a record begins with, without REFUSED.
local function membership(record)
  if string.sub(record, 1, 1) ~= 'o' then return string.sub(record, 1, 2) end
  return 'o' .. string.char(bit.band(string.byte(record, 2), REFUSED - 1))
end
local function is_member(record) return string.sub(record, 1, 1) == 'm' end

-- Returns the time of the next message of the log, which reports a change.
local function next_time() return next_change(LOG, CHANGES, CHAT) end

-- Returns whether handles still have the records that the caller has seen.
-- list: handle and record in turn, and what else belongs to each. step: how many elements that are.
local function are_as_seen(list, step)
  for i = 1, #list, step do
    if record_of(MEMBERS, OTHERS, list[i]) ~= list[i + 1] then return false end
  end
  return true
end

-- Raises the stamps of handles to `time` or above, and records their inbox entries as pending.
-- leavers: a set of the handles whose flags are cleared. joiner: the handle that made or joined the chat itself, or nil.
-- entry: returns the state of a handle's inbox entry, its activity and the inviter.
-- Returns the entries: {handle, stamp, state, active, inviter, ...}.
local function raise_stamps(id, handles, time, leavers, joiner, entry)
  local records, pending, entries = {}, {}, {}
  for i, held in ipairs(in_batches('HMGET', READ_STATES, handles)) do
    local read, received, cleared, stamp, flags = 0, 0, 0, 0, 0
    if held then read, received, cleared, stamp, flags = struct.unpack(READ_STATE, held) end
    local handle, at = handles[i], 2 * i
    stamp = math.max(time, stamp + 1)
    if leavers[handle] then flags = 0 end
    if handle == joiner then flags = bit.bor(flags, ACCEPTED) end
    records[at - 1], records[at] = handle, struct.pack(READ_STATE, read, received, cleared, stamp, flags)
    pending[at - 1], pending[at] = 'p' .. handle .. '\0' .. id, decimal(stamp)
    local last = 5 * i
    entries[last - 4], entries[last - 3] = handle, stamp
    entries[last - 2], entries[last - 1], entries[last] = entry(handle)
  end
  in_batches('HSET', READ_STATES, records)
  in_batches('HSET', OUTBOX, pending)
  return entries
end
