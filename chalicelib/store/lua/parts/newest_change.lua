-- Reads the newest change of a chat: of its members and fields, or of a message, see Chats.

-- Returns the number and the subject of the last change; 0 and '': there is none.
local function last_change(changes)
  local last = redis.call('ZREVRANGE', changes, 0, 0, 'WITHSCORES')
  return tonumber(last[2]) or 0, last[1] or ''
end

-- Returns seq and number of the newest change: of the system message that reports it, or of the changed message; 0, 0: none.
-- chat: HASH, see Chats; does not exist for a direct chat without settings.
local function newest_change(chat, changes)
  local number, subject = last_change(changes)
  local seq = string.match(subject, '^e:(%d+)$')
  if seq then return tonumber(seq), number end
  local reported = redis.call('HMGET', chat, 'change_seq', 'change_time')
  return tonumber(reported[1]) or 0, tonumber(reported[2]) or 0
end

-- Returns the same as one reader knows it. hidings: ZSET, see HiddenMessages.
local function newest_change_of(chat, changes, hidings)
  local seq, number = newest_change(chat, changes)
  local hiding = redis.call('ZREVRANGE', hidings, 0, 0, 'WITHSCORES')
  if hiding[2] and tonumber(hiding[2]) > number then return tonumber(hiding[1]), tonumber(hiding[2]) end
  return seq, number
end
