-- Creates or changes a group or room, with the log entry that reports it.
-- requires: numbers, append, batches, chat_log, chat_members, entry_states, retention
-- The scripts that require it have these keys and arguments:
local RETAINED = KEYS[10] -- ZSET, see Retention
local ID = ARGV[1] -- of the chat
local BODY = ARGV[2] -- msgpack array, the message that reports the change; empty: there is none
local KEEP = tonumber(ARGV[3]) -- integer, maximum number of messages in the log; 0: all
local MAX_MEMBERS = tonumber(ARGV[4]) -- integer, maximum number of members
local LARGE_ABOVE = tonumber(ARGV[5]) -- integer, a chat that once has more members is large for good
local MAX_OTHERS = tonumber(ARGV[6]) -- integer, maximum number of former members and the like
local FIELDS = cmsgpack.unpack(ARGV[9]) -- msgpack array, field and value of the chat in turn
local MOVES = cmsgpack.unpack(ARGV[10]) -- msgpack array, see below
local ADMIN = 2 -- the lowest role that decides on requests to join
local DONE, MOVED, FULL, NO_OWNER, CROWDED = 0, 1, 2, 3, 4

-- MOVES has four values for each handle: the handle; its record as the caller has seen it (see record_of); its new membership
-- (see chat_members; of an invited user then the inviter's handle; '': the record goes; '=': it stays); and until when a
-- member is muted, µs.

local function count(condition) return condition and 1 or 0 end

-- Returns by how much the change raises the numbers of members, owners and others, and how many of these wait to become
-- members.
local function growth()
  local members, owners, others, waiting = 0, 0, 0, 0
  for i = 1, #MOVES, 4 do
    local held, to = membership(MOVES[i + 1]), MOVES[i + 2]
    if to ~= '=' then
      members = members + count(is_member(to)) - count(is_member(held))
      owners = owners + count(to == OWNER) - count(held == OWNER)
      others = others + count(to ~= '' and not is_member(to)) - count(held ~= '' and not is_member(held))
      waiting = waiting + count(membership(to) == INVITED or membership(to) == REQUESTED)
    end
  end
  return members, owners, others, waiting
end

-- Returns by how much the change raises the number of users who ask to join.
local function growth_of_requests()
  local more = 0
  for i = 1, #MOVES, 4 do
    local held, to = membership(MOVES[i + 1]), MOVES[i + 2]
    if to ~= '=' then more = more + count(membership(to) == REQUESTED) - count(held == REQUESTED) end
  end
  return more
end

-- Returns the number of users who ask to join; counts them in a chat that an earlier version made.
local function requests_now()
  local kept = redis.call('HGET', CHAT, 'requests')
  if kept then return tonumber(kept) end
  local requests = 0
  for _, other in ipairs(redis.call('HVALS', OTHERS)) do requests = requests + count(membership('o' .. other) == REQUESTED) end
  return requests
end

-- Adds to handles those of the admins and owners, who see the number of requests.
local function add_managers(handles)
  local known, held = {}, redis.call('HGETALL', MEMBERS)
  for _, handle in ipairs(handles) do known[handle] = true end
  for i = 1, #held, 2 do
    if string.byte(held[i + 1]) >= ADMIN and not known[held[i]] then handles[#handles + 1] = held[i] end
  end
end

-- Removes the records of some former members; returns whether `more` others fit then.
local function forget(more)
  local busy, surplus = {}, redis.call('HLEN', OTHERS) + more - MAX_OTHERS
  if more <= 0 or surplus <= 0 then return true end
  for i = 1, #MOVES, 4 do busy[MOVES[i]] = true end
  local sample = redis.call('HRANDFIELD', OTHERS, 100 + surplus, 'WITHVALUES')
  for i = 1, #sample, 2 do
    local handle, was = sample[i], membership('o' .. sample[i + 1])
    if surplus > 0 and not busy[handle] and (was == LEFT or was == DELETED or was == REMOVED) then
      local changed = redis.call('ZSCORE', CHANGES, 'm:' .. handle)
      local lost = tonumber(redis.call('HGET', CHAT, 'changes_lost')) or 0
      if changed then redis.call('HSET', CHAT, 'changes_lost', decimal(math.max(lost, tonumber(changed)))) end
      redis.call('ZREM', CHANGES, 'm:' .. handle)
      redis.call('HDEL', OTHERS, handle)
      redis.call('HDEL', READ_STATES, handle)
      surplus = surplus - 1
    end
  end
  return surplus <= 0
end

-- Returns the new record of a handle that becomes, or stays, a member. head: seq of the newest message before the change.
local function as_member(held, to, muted_until, head, time)
  local since, began = head, time
  if is_member(held) then since, began = struct.unpack('>I8I8', held, 3) end
  return struct.pack('>BI8I8I8', string.byte(to, 2), since, began, muted_until)
end

-- Returns the new record of a handle that is not a member. seq: of the newest message after the change.
local function as_other(held, to, seq, time)
  local since, upto, relation, _ = 0, 0, string.byte(to, 2), nil
  if is_member(held) then
    since, upto = struct.unpack('>I8', held, 3), seq
  elseif held ~= '' then
    _, since, upto = struct.unpack('>I8I8I8', held, 3)
    relation = bit.bor(relation, bit.band(string.byte(held, 2), REFUSED))
  end
  return struct.pack('>BI8I8I8', relation, time, since, upto) .. string.sub(to, 3)
end

-- Writes the records of all handles that change. Returns these handles; a set of those that are members no more; and the new
-- membership of each that is not a member.
local function write_records(head, seq, time)
  local changed, leavers, outside, members, others = {}, {}, {}, {}, {}
  for i = 1, #MOVES, 4 do
    local handle, held, to = MOVES[i], MOVES[i + 1], MOVES[i + 2]
    if to ~= '=' then
      changed[#changed + 1] = handle
      if is_member(to) then
        members[#members + 1] = handle
        members[#members + 1] = as_member(held, to, tonumber(MOVES[i + 3]), head, time)
        if held ~= '' and not is_member(held) then redis.call('HDEL', OTHERS, handle) end
      else
        outside[handle], leavers[handle] = to, is_member(held)
        redis.call('HDEL', is_member(held) and MEMBERS or OTHERS, handle)
        if to ~= '' then
          others[#others + 1] = handle
          others[#others + 1] = as_other(held, to, seq, time)
        end
      end
    end
  end
  in_batches('HSET', MEMBERS, members)
  in_batches('HSET', OTHERS, others)
  return changed, leavers, outside
end

-- Records the subjects of the message that reports the change, and that it does not count as unread.
local function record_subjects(seq, time, changed)
  redis.call('ZADD', UNCOUNTED, seq, seq)
  local subjects = {}
  if #FIELDS > 0 then subjects = {decimal(time), 'info'} end
  for _, handle in ipairs(changed) do
    subjects[#subjects + 1] = decimal(time)
    subjects[#subjects + 1] = 'm:' .. handle
  end
  in_batches('ZADD', CHANGES, subjects)
  redis.call('HSET', CHAT, 'change_seq', seq, 'change_time', decimal(time))
end

-- Marks the chat as large once it has enough members. Returns whether it is large, and whether it became so just now.
local function become_large()
  if redis.call('HEXISTS', CHAT, 'large') == 1 then return true, false end
  if redis.call('HLEN', MEMBERS) <= LARGE_ABOVE then return false, false end
  redis.call('HSET', CHAT, 'large', 1)
  return true, true
end

-- Records the search entries and the message as pending.
local function record_pending(time)
  if #FIELDS > 0 then redis.call('HSET', OUTBOX, 'i' .. ID, decimal(time)) end
  if BODY ~= '' then redis.call('HSET', OUTBOX, 'm' .. ID, decimal(time)) end
end

-- Returns the user who has made the change, if a member after it: the sender of the message, the first value of its array.
local function joiner_of(outside)
  local sender = BODY ~= '' and cmsgpack.unpack(BODY)[1]
  return sender and not outside[sender] and sender or nil
end

-- Returns how many messages the log keeps; 0: all.
local function kept() return tighter(KEEP, tonumber(redis.call('HGET', CHAT, 'keep')) or 0) end

-- Has the sweep look at a chat whose retention changes.
local function record_retention(time)
  for i = 1, #FIELDS, 2 do
    if FIELDS[i] == 'keep' or FIELDS[i] == 'keep_days' then redis.call('ZADD', RETAINED, decimal(time), ID) end
  end
end

-- Appends the message that reports the change; returns its seq.
local function append(time)
  local seq, _, _, _, trimmed = add_message(LOG, UNCOUNTED, BODY, kept(), time)
  if trimmed then look_by(RETAINED, ID, time + DAY) end
  return seq
end

-- Makes the change, unless a limit refuses it. new: whether it creates the chat.
local function change(new)
  local members, owners, others, waiting = growth()
  local owned = (tonumber(redis.call('HGET', CHAT, 'owners')) or 0) + owners
  if members > 0 and redis.call('HLEN', MEMBERS) + members > MAX_MEMBERS then return {FULL} end
  if (new or owners < 0) and owned < 1 then return {NO_OWNER} end
  if not forget(others) and waiting > 0 then return {CROWDED} end

  local more_requests, requests = growth_of_requests(), nil
  if more_requests ~= 0 then requests = requests_now() + more_requests end
  local head, time = newest(LOG), next_time()
  local seq = BODY == '' and head or append(time)
  local changed, leavers, outside = write_records(head, seq, time)
  if BODY ~= '' then record_subjects(seq, time, changed) end
  redis.call('HSET', CHAT, 'owners', owned)
  if requests then redis.call('HSET', CHAT, 'requests', requests) end
  if new then redis.call('HSET', CHAT, 'made', decimal(time)) end
  if #FIELDS > 0 then redis.call('HSET', CHAT, 'info_time', decimal(time), unpack(FIELDS)) end
  record_retention(time)
  local large, only_now = become_large()
  record_pending(time)

  if only_now then
    changed = redis.call('HKEYS', MEMBERS)
    for handle in pairs(outside) do changed[#changed + 1] = handle end
  end
  if requests then add_managers(changed) end
  local _, active = newest(LOG)
  local entries = raise_stamps(ID, changed, time, leavers, joiner_of(outside), function(handle)
    if not outside[handle] then return large and LARGE or IN, active, '' end
    local to = outside[handle]
    if membership(to) == INVITED then return IS_INVITED, time, string.sub(to, 3) end
    return OUT, active, ''
  end)
  return {DONE, seq, time, not large and redis.call('HKEYS', MEMBERS), entries}
end
