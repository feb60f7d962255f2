-- Decides what a user may read of a chat.
-- requires: numbers, chat_log, flags, memberships, read_states
local NONE, MEMBER, INVITED, REQUESTED, BANNED, LEFT, GONE = 0, 1, 2, 3, 4, 5, 6

-- Returns the state of a user in a group, and the seqs that the user may read: above the first, up to the second.
local function membership_of(view, members, others, handle)
  local role, since, _, muted = member_of(members, handle)
  if role then
    view.role, view.since, view.muted = role, since, muted
    return MEMBER, since, view.last
  end
  local held = redis.call('HGET', others, handle)
  if not held then return NONE, 0, 0 end
  local relation, _, from, upto = struct.unpack('>BI8I8I8', held)
  local state = math.min(bit.band(relation, 127) + 1, LEFT)
  if state == BANNED then return BANNED, 0, 0 end
  if state == LEFT and upto == 0 then return NONE, 0, 0 end -- refused an invitation, and never was a member
  return state, from, upto
end

-- Returns what a user sees of a chat of a kind, 'group' (or a room) or 'direct': a table of
--   log; state; reads, whether the user may read; base and head, as the user sees them; first and last, as they are; epoch;
--   large; of a member of a group role, since and muted; of a direct chat own, the user's read state.
local function view_of(log, chat, members, others, read_states, handle, kind)
  local view = {log = log, role = 0, since = 0, muted = 0, large = false}
  view.first, view.last, view.epoch = bounds(log)
  local low, high, exists, history
  if kind == GROUP then
    exists, history, view.large = group_of(chat)
    if not exists then
      view.state, low, high = GONE, 0, 0
    else
      view.state, low, high = membership_of(view, members, others, handle)
    end
    view.reads = view.state == MEMBER or high > 0
    if history then low = 0 end
  else
    view.own = read_state_of(read_states, handle)
    low, high = view.own.cleared, view.last
    local hidden = has(view.own.flags, HIDDEN) and high <= low
    view.state, view.reads = hidden and LEFT or MEMBER, true
  end
  view.head = math.min(high, view.last)
  view.base = math.min(math.max(low, view.first), view.head)
  return view
end

-- Returns whether a cursor is of this history: of the log's epoch, with the time of the message at `seq`, as far as the user
-- may know of it. time: 8 bytes. epoch: as text. Either may be empty: it is not checked.
local function same_history(view, seq, time, epoch)
  if epoch ~= '' and epoch ~= decimal(view.epoch) then return false end
  if time == '' or seq <= view.base then return true end
  local element = seq <= view.head and redis.call('LINDEX', view.log, seq - view.first)
  return element and string.sub(element, 2, 9) == time
end

-- Returns the newest message that the user may read, or false.
local function newest_seen(view)
  return view.head > view.base and redis.call('LINDEX', view.log, view.head - view.first)
end

-- Returns the time of that message in µs; 0 if there is none.
local function newest_time(view)
  local element = newest_seen(view)
  return element and struct.unpack('>I8', element, 2) or 0
end
