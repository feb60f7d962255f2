-- Numbers the changes of a chat, see Chats.
-- requires: clock, chat_log, newest_change

-- Returns the number of the next change: now, but always above the time of the newest message and the last change, also one that
-- only one reader knows of. chat: HASH, see Chats.
local function next_change(log, changes, chat)
  local _, time = newest(log)
  local hidden = tonumber(redis.call('HGET', chat, 'hidden')) or 0
  return math.max(now(), time + 1, last_change(changes) + 1, hidden + 1)
end
