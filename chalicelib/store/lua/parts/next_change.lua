-- Numbers the changes of a chat, see Chats.
-- requires: clock, chat_log, newest_change

-- Returns the number of the next change: now, but always above the time of the newest message and the last change.
local function next_change(log, changes)
  local _, time = newest(log)
  return math.max(now(), time + 1, last_change(changes) + 1)
end
