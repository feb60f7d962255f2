-- Writes a read state that an inbox shows, and records the inbox entry as pending.
-- requires: clock, numbers, memberships, read_permission, read_states

-- Writes own and raises its stamp. Returns {stamp, time of the newest message that the user sees, 1: the chat is large}; {} for
-- a hidden direct chat, which no inbox shows.
local function change_read_state(view, read_states, outbox, handle, own, item)
  keep_read_state(read_states, handle, own, now())
  if view.state ~= MEMBER then return {} end
  redis.call('HSET', outbox, item, decimal(own.stamp))
  return {own.stamp, newest_time(view), view.large and 1 or 0}
end

-- Returns 1: the chat does not exist, 2: the user is not a member; nothing for a member and in a direct chat.
local function refusal(view, kind)
  if view.state == GONE then return 1 end
  if kind == GROUP and view.state ~= MEMBER then return 2 end
end
