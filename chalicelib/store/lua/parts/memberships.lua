-- Reads what a group or room is and who its members are, see Chats.
local GROUP = 'group' -- the kind of groups and rooms

-- Returns whether the group exists, whether new members may read its history, and whether it is large.
local function group_of(chat)
  local fields = redis.call('HMGET', chat, 'made', 'deleted', 'history', 'large')
  return fields[1] and not fields[2], fields[3] == '1', fields[4] and true or false
end

-- Returns role, since, joined and muted_until of a member; nothing for anybody else.
local function member_of(members, handle)
  local held = redis.call('HGET', members, handle)
  if held then return struct.unpack('>BI8I8I8', held) end
end

-- Returns the record of a handle as text: `m` and that of a member, `o` and that of another, or ''.
local function record_of(members, others, handle)
  local member = redis.call('HGET', members, handle)
  if member then return 'm' .. member end
  local other = redis.call('HGET', others, handle)
  return other and 'o' .. other or ''
end
