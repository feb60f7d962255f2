-- Decides whether a user may send to a group or room: its members may, unless they are muted.
-- requires: memberships
local CHAT_NOT_FOUND, NOT_A_MEMBER, MUTED = 3, 4, 5 -- outcomes of append_message
local MEMBER_ROLE = 1 -- the role that slow mode is for, see Role

-- Returns the outcome that refuses a message at a time, nil for none; until when a muted sender is muted; whether the group is
-- large; the seconds after which its messages expire, nil: never; those between two messages of the sender, 0: none; and how many
-- messages it keeps, and for how many days, 0: all, for good.
local function send_permission(chat, members, sender, time)
  local settings = redis.call('HMGET', chat, 'made', 'deleted', 'large', 'expires_in', 'slow', 'keep', 'keep_days')
  local made, deleted, is_large, expires_in, slow, keep, days = unpack(settings)
  if not made or deleted then return CHAT_NOT_FOUND, 0 end
  local role, _, _, muted_until = member_of(members, sender)
  if not role then return NOT_A_MEMBER, 0 end
  if muted_until > time then return MUTED, muted_until end
  local pause = role == MEMBER_ROLE and tonumber(slow) or 0
  return nil, 0, is_large and true or false, tonumber(expires_in), pause, tonumber(keep) or 0, tonumber(days) or 0
end
