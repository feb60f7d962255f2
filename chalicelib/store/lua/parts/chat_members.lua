-- A part of other scripts. After chat_log: the people of a group or room. All these scripts have the keys
-- requires: numbers, chat_log
--   KEYS[1] chat HASH, [2] members HASH, [3] others HASH, [6] changes ZSET, see Chats
--   KEYS[4] readers HASH, see Readers; [5] log LIST, [7] uncounted ZSET, see MessageLog; [8] outbox HASH, see Outbox;
--   [9] clients HASH, see Clients
local CHAT, MEMBERS, OTHERS, READERS = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local LOG, CHANGES, UNCOUNTED, OUTBOX, CLIENTS = KEYS[5], KEYS[6], KEYS[7], KEYS[8], KEYS[9]
local ACCEPTED = 64

-- How somebody stands is text: `m` and a role, `o` and a relation, each a byte, or nothing. What is held goes on
-- with the other bytes of the record. A relation with the bit REFUSED is of somebody who has refused an invitation.
local INVITED, REQUESTED, LEFT, DELETED, REMOVED, OWNER = 'o\1', 'o\2', 'o\4', 'o\5', 'o\6', 'm\3'
local REFUSED = 128

local function standing(text)
  if string.sub(text, 1, 1) ~= 'o' then return string.sub(text, 1, 2) end
  return 'o' .. string.char(bit.band(string.byte(text, 2), REFUSED - 1))
end
local function is_member(text) return string.sub(text, 1, 1) == 'm' end

-- Returns how a handle stands in the chat, in full.
local function record_of(handle)
  local member = redis.call('HGET', MEMBERS, handle)
  if member then return 'm' .. member end
  local other = redis.call('HGET', OTHERS, handle)
  return other and 'o' .. other or ''
end

-- Returns whether handles, each with what was held of it next to it, still stand as they did.
-- list: those, and what else there is of each. step: how many elements that are.
local function stand_as_seen(list, step)
  for i = 1, #list, step do
    if record_of(list[i]) ~= list[i + 1] then return false end
  end
  return true
end

-- Raises the stamps of handles to `time` at the least, and owes the places that follow.
-- leavers: a set of those whose flags are cleared. joiner: who made or joined the chat by themselves, or nil. place: gives the state of a handle's place, its activity, and the inviter.
-- Returns the places: {handle, stamp, state, active, inviter, ...}.
local function placed(id, handles, time, leavers, joiner, place)
  local records, owed, told = {}, {}, {}
  for i, held in ipairs(in_pieces('HMGET', READERS, handles)) do
    local read, received, cleared, stamp, flags = 0, 0, 0, 0, 0
    if held then read, received, cleared, stamp, flags = struct.unpack('>I8I8I8I8B', held) end
    local handle, at = handles[i], 2 * i
    stamp = math.max(time, stamp + 1)
    if leavers[handle] then flags = 0 end
    if handle == joiner then flags = bit.bor(flags, ACCEPTED) end
    records[at - 1], records[at] = handle, struct.pack('>I8I8I8I8B', read, received, cleared, stamp, flags)
    owed[at - 1], owed[at] = 'p' .. handle .. '\0' .. id, decimal(stamp)
    local last = 5 * i
    told[last - 4], told[last - 3] = handle, stamp
    told[last - 2], told[last - 1], told[last] = place(handle)
  end
  in_pieces('HSET', READERS, records)
  in_pieces('HSET', OUTBOX, owed)
  return told
end
