-- Reads and writes the inbox entries of a user, see Inboxes.
-- requires: clock, numbers, entry_states
local EMPTY = 1 -- the floor of a chat without messages that is in the inbox: the first message moves it, whatever its time

local present -- the time as text, written once for all users

-- Returns the version, as text, that follows a user's last one; false: there is none.
local function version_after(last)
  local after = (tonumber(last) or 0) + 1
  if after > now() then return decimal(after) end
  present = present or decimal(now())
  return present
end

-- Moves a chat to the top of the inbox: gives it a version above the user's last one.
local function move_above(inbox_entries, inbox, chat, last)
  local version = version_after(last)
  redis.call('HSET', inbox_entries, 'version', version)
  redis.call('ZADD', inbox, version, chat)
end

local function move_up(inbox_entries, inbox, chat)
  move_above(inbox_entries, inbox, chat, redis.call('HGET', inbox_entries, 'version'))
end

-- Returns stamp, state and floor of a chat's entry; nothing if there is none.
local function entry_of(inbox_entries, chat)
  local held = redis.call('HGET', inbox_entries, chat)
  if held then return struct.unpack('>I8BI8', held) end
end

-- inviter: handle of the sender of a waiting invitation; empty for any other state, or if it is not known.
local function keep_entry(inbox_entries, chat, stamp, state, floor, inviter)
  redis.call('HSET', inbox_entries, chat, struct.pack('>I8BI8', stamp, state, floor) .. inviter)
end

-- Returns the inviter of a waiting invitation; empty if none waits, or the inviter is not known.
local function inviter_of(inbox_entries, chat)
  local held = redis.call('HGET', inbox_entries, chat)
  return held and string.byte(held, 9) == IS_INVITED and string.sub(held, 18) or ''
end

-- Returns the time of a chat's last activity as the index has it, µs, or 0.
local function activity_of(active, chat)
  return tonumber(redis.call('ZSCORE', active, chat) or 0)
end
