-- Keeps the threads of a chat, see Threads.
-- requires: element

-- Returns the root of the thread that a reply joins, and marks a message that had no replies as a root.
-- base: of the log. A trimmed message has lost its root, and is taken for one.
local function root_of(log, base, reply_to)
  local replied = reply_to > base and redis.call('LINDEX', log, reply_to - base)
  if not replied then return reply_to end
  local time, change, expires, root, body = header_of(replied)
  if root > 0 then return root end
  redis.call('LSET', log, reply_to - base, extended(time, change, expires, reply_to, string.sub(replied, body)))
  return reply_to
end
