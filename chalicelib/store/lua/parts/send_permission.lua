-- Decides whether a user may send to a group or room: its members may, unless they are muted.
-- requires: memberships
local CHAT_NOT_FOUND, NOT_A_MEMBER, MUTED = 3, 4, 5 -- outcomes of append_message

-- Returns the outcome that refuses a message at a time, nil for none; until when a muted sender is muted; whether the group is
-- large; and the seconds after which its messages expire, nil or 0: never.
local function send_permission(chat, members, sender, time)
  local exists, _, is_large, expires_in = group_of(chat)
  if not exists then return CHAT_NOT_FOUND, 0 end
  local role, _, _, muted_until = member_of(members, sender)
  if not role then return NOT_A_MEMBER, 0 end
  if muted_until > time then return MUTED, muted_until end
  return nil, 0, is_large, expires_in
end
