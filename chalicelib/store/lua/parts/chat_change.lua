-- A part of other scripts. The same for create_chat and change_chat, after log and chat_people: what both do once they may.
-- requires: numbers, chat_log, chat_members, entry_states, append
local ID, BODY, KEEP, MOST, LARGE_ABOVE = ARGV[1], ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
local MOST_OTHERS, FIELDS, MOVES = tonumber(ARGV[6]), cmsgpack.unpack(ARGV[9]), cmsgpack.unpack(ARGV[10])
local DONE, MOVED, FULL, NO_OWNER, CROWDED = 0, 1, 2, 3, 4

local function count(condition) return condition and 1 or 0 end

-- Returns by how much the change raises the numbers of members, owners and others, and that of those who wait
-- to become members.
local function growth()
  local members, owners, others, waiting = 0, 0, 0, 0
  for i = 1, #MOVES, 4 do
    local held, to = standing(MOVES[i + 1]), MOVES[i + 2]
    if to ~= '=' then
      members = members + count(is_member(to)) - count(is_member(held))
      owners = owners + count(to == OWNER) - count(held == OWNER)
      others = others + count(to ~= '' and not is_member(to)) - count(held ~= '' and not is_member(held))
      waiting = waiting + count(standing(to) == INVITED or standing(to) == REQUESTED)
    end
  end
  return members, owners, others, waiting
end

-- Forgets some former members; returns whether there was room for `more` others then.
local function forget(more)
  local busy, surplus = {}, redis.call('HLEN', OTHERS) + more - MOST_OTHERS
  if more <= 0 or surplus <= 0 then return true end
  for i = 1, #MOVES, 4 do busy[MOVES[i]] = true end
  local sample = redis.call('HRANDFIELD', OTHERS, 100 + surplus, 'WITHVALUES')
  for i = 1, #sample, 2 do
    local handle, was = sample[i], standing('o' .. sample[i + 1])
    if surplus > 0 and not busy[handle] and (was == LEFT or was == DELETED or was == REMOVED) then
      local told = redis.call('ZSCORE', CHANGES, 'm:' .. handle)
      local lost = tonumber(redis.call('HGET', CHAT, 'changes_lost')) or 0
      if told then redis.call('HSET', CHAT, 'changes_lost', decimal(math.max(lost, tonumber(told)))) end
      redis.call('ZREM', CHANGES, 'm:' .. handle)
      redis.call('HDEL', OTHERS, handle)
      redis.call('HDEL', READERS, handle)
      surplus = surplus - 1
    end
  end
  return surplus <= 0
end

-- Returns what the record of a handle becomes that held another and will be a member, or not.
-- head: seq of the newest message before the change, seq: after it.
local function as_member(held, to, muted_until, head, time)
  local since, joined = head, time
  if is_member(held) then since, joined = struct.unpack('>I8I8', held, 3) end
  return struct.pack('>BI8I8I8', string.byte(to, 2), since, joined, muted_until)
end

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

-- Writes the records of all whom the change concerns. Returns their handles, those who are members no more as a
-- set, and of those who are no members what becomes of each.
local function settle(head, seq, time)
  local concerned, leavers, outside, members, others = {}, {}, {}, {}, {}
  for i = 1, #MOVES, 4 do
    local handle, held, to = MOVES[i], MOVES[i + 1], MOVES[i + 2]
    if to ~= '=' then
      concerned[#concerned + 1] = handle
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
  in_pieces('HSET', MEMBERS, members)
  in_pieces('HSET', OTHERS, others)
  return concerned, leavers, outside
end

-- Notes what the message told of, and that it does not count as unread.
local function note(seq, time, concerned)
  redis.call('ZADD', UNCOUNTED, seq, seq)
  local subjects = {}
  if #FIELDS > 0 then subjects = {decimal(time), 'info'} end
  for _, handle in ipairs(concerned) do
    subjects[#subjects + 1] = decimal(time)
    subjects[#subjects + 1] = 'm:' .. handle
  end
  in_pieces('ZADD', CHANGES, subjects)
  redis.call('HSET', CHAT, 'change_seq', seq, 'change_time', decimal(time))
end

-- Notes that the chat is large, if it came to be. Returns whether it is, and whether it only came to be now.
local function grown()
  if redis.call('HEXISTS', CHAT, 'large') == 1 then return true, false end
  if redis.call('HLEN', MEMBERS) <= LARGE_ABOVE then return false, false end
  redis.call('HSET', CHAT, 'large', 1)
  return true, true
end

-- Owes the search entries and the members what they must be told.
local function owe(time)
  if #FIELDS > 0 then redis.call('HSET', OUTBOX, 'i' .. ID, decimal(time)) end
  if BODY ~= '' then redis.call('HSET', OUTBOX, 'm' .. ID, decimal(time)) end
end

-- Returns who has made the change, if they are a member after it. The message that tells of it begins with its sender.
local function joiner(outside)
  local sender = BODY ~= '' and cmsgpack.unpack(BODY)[1]
  return sender and not outside[sender] and sender or nil
end

-- Makes the change, unless a guard refuses it. new: whether it makes the chat.
local function change(new)
  local members, owners, others, waiting = growth()
  local owned = (tonumber(redis.call('HGET', CHAT, 'owners')) or 0) + owners
  if members > 0 and redis.call('HLEN', MEMBERS) + members > MOST then return {FULL} end
  if (new or owners < 0) and owned < 1 then return {NO_OWNER} end
  if not forget(others) and waiting > 0 then return {CROWDED} end

  local head, time = newest(LOG), next_time(LOG)
  local seq = BODY == '' and head or add_message(LOG, UNCOUNTED, BODY, KEEP, time)
  local concerned, leavers, outside = settle(head, seq, time)
  if BODY ~= '' then note(seq, time, concerned) end
  redis.call('HSET', CHAT, 'owners', owned)
  if new then redis.call('HSET', CHAT, 'made', decimal(time)) end
  if #FIELDS > 0 then redis.call('HSET', CHAT, 'info_time', decimal(time), unpack(FIELDS)) end
  local large, only_now = grown()
  owe(time)

  if only_now then
    concerned = redis.call('HKEYS', MEMBERS)
    for handle in pairs(outside) do concerned[#concerned + 1] = handle end
  end
  local _, active = newest(LOG)
  local told = placed(ID, concerned, time, leavers, joiner(outside), function(handle)
    if not outside[handle] then return large and LARGE or IN, active, '' end
    local to = outside[handle]
    if standing(to) == INVITED then return IS_INVITED, time, string.sub(to, 3) end
    return OUT, active, ''
  end)
  return {DONE, seq, time, not large and redis.call('HKEYS', MEMBERS), told}
end
