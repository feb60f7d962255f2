-- Reads and writes the chats of a user that are too large to write inboxes, see Inboxes.
-- requires: clock, numbers, entry_states
local NO_DIGEST = string.rep('\0', 8)

-- Converts the SET that an earlier version kept to the ZSET of today.
local function upgrade(large)
  if redis.call('TYPE', large).ok ~= 'set' then return end
  local chats = redis.call('SMEMBERS', large)
  redis.call('DEL', large)
  for _, chat in ipairs(chats) do redis.call('ZADD', large, 0, chat) end
end

-- Records whether a chat is large. A new one was never checked.
local function keep_large(large, chat, state)
  upgrade(large)
  if state == LARGE then redis.call('ZADD', large, 'NX', 0, chat) else redis.call('ZREM', large, chat) end
end

-- Records whether an invitation to a chat waits, and since when.
local function keep_invitation(invitations, chat, state, time)
  if state == IS_INVITED then
    redis.call('ZADD', invitations, decimal(time), chat)
  else
    redis.call('ZREM', invitations, chat)
  end
end

-- Returns the digest of a large chat in the index, 8 bytes; nothing for a chat that is not large.
local function digest_of(inbox_entries, chat)
  local held = redis.call('HGET', inbox_entries, chat)
  if held and string.byte(held, 9) == LARGE then return string.sub(held, 10) end
end

local function keep_digest(inbox_entries, chat, stamp, digest)
  redis.call('HSET', inbox_entries, chat, struct.pack('>I8B', stamp, LARGE) .. digest)
end

-- Returns a time above all checks of large chats.
local function after_checks(large)
  local last = redis.call('ZREVRANGE', large, 0, 0, 'WITHSCORES')[2]
  return tonumber(last or 0) + 1
end

-- Reads large chats that a round has not checked yet, those first that were checked longest ago.
-- began: integer, when the round began, µs; 0: it begins now. most: integer, maximum number of chats; 0: none are read.
-- Returns {when the round began, 1: there are more, chat, digest, ...}.
local function unchecked(inbox_entries, large, began, most)
  if most == 0 then return {began, 0} end
  local found = {}
  if redis.call('TYPE', large).ok == 'set' then
    found = redis.call('SMEMBERS', large)
  else
    local time = math.max(now(), after_checks(large))
    if began == 0 or began > time then began = time end
    found = redis.call('ZRANGEBYSCORE', large, '-inf', '(' .. decimal(began), 'LIMIT', 0, most + 1)
  end
  local reply = {began, #found > most and 1 or 0}
  for i = 1, math.min(#found, most) do
    reply[#reply + 1], reply[#reply + 2] = found[i], digest_of(inbox_entries, found[i]) or NO_DIGEST
  end
  return reply
end
