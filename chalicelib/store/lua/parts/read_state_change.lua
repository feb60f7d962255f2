-- A part of other scripts. How what a reader has changed is kept, and owed to their inbox.
-- requires: clock, numbers, permissions

-- Keeps own and raises its stamp. Returns {stamp, time of the newest message that the reader sees, 1: the chat is large};
-- {} for a chat of two that is hidden, whose inbox need not know.
local function touch(seen, readers, outbox, handle, own, item)
  keep_reader(readers, handle, own, now())
  if seen.state ~= MEMBER then return {} end
  redis.call('HSET', outbox, item, decimal(own.stamp))
  local element = newest_seen(seen)
  return {own.stamp, element and struct.unpack('>I8', element, 2) or 0, seen.large and 1 or 0}
end

-- Returns 1: no such chat, 2: not a member; nothing for a member, and for either of a chat of two.
local function refusal(seen, kind)
  if seen.state == GONE then return 1 end
  if kind == GROUP and seen.state ~= MEMBER then return 2 end
end
