-- A part of other scripts. A user's index of chats, see Inboxes.
-- requires: clock, numbers, entry_states
local EMPTY = 1  -- the floor of a chat that is in without a message: the first one moves it, whatever its time

-- Notes that a chat has moved. Returns nothing.
local function bump(chats, inbox, chat)
  local last = tonumber(redis.call('HGET', chats, 'version')) or 0
  local version = decimal(math.max(now(), last + 1))
  redis.call('HSET', chats, 'version', version)
  redis.call('ZADD', inbox, version, chat)
end

-- Returns stamp, state and floor of a chat; nothing if it was never placed.
local function place_of(chats, chat)
  local held = redis.call('HGET', chats, chat)
  if held then return struct.unpack('>I8BI8', held) end
end

-- inviter: handle of the sender of an invitation that waits; empty of any other state, or if it is not known.
local function keep_place(chats, chat, stamp, state, floor, inviter)
  redis.call('HSET', chats, chat, struct.pack('>I8BI8', stamp, state, floor) .. inviter)
end

-- Returns the inviter of an invitation that waits; empty if there is none, or they are not known.
local function inviter_of(chats, chat)
  local held = redis.call('HGET', chats, chat)
  return held and string.byte(held, 9) == IS_INVITED and string.sub(held, 18) or ''
end

-- Returns the time of a chat's last activity as the index has it, or 0.
local function active_of(active, chat)
  return tonumber(redis.call('ZSCORE', active, chat) or 0)
end

