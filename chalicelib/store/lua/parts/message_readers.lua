-- Finds who may read a message, and so gets its changes: neither members who joined later without the history, nor a user who has
-- cleared the direct chat since.
-- requires: memberships, read_states

-- Returns the seq that members must have joined before, nil if all members read the history.
local function joined_before(chat, seq)
  if redis.call('HGET', chat, 'history') ~= '1' then return seq end
end

-- Returns the handles of the users who may read a message, with \0 between them. item: a letter and the chat's id.
local function readers_of(kind, chat, members, read_states, item, seq)
  local handles = {}
  if kind ~= GROUP then
    for handle in string.gmatch(string.sub(item, 2), '[^:]+') do
      if read_state_of(read_states, handle).cleared < seq then handles[#handles + 1] = handle end
    end
    return table.concat(handles, '\0')
  end
  if not joined_before(chat, seq) then return table.concat(redis.call('HKEYS', members), '\0') end
  local held = redis.call('HGETALL', members)
  for i = 1, #held, 2 do
    if struct.unpack('>I8', held[i + 1], 2) < seq then handles[#handles + 1] = held[i] end
  end
  return table.concat(handles, '\0')
end
