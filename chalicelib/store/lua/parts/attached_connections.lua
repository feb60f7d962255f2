-- Reads the connections that receive the messages of a large chat.
-- requires: chat_connections, recipients

-- chat_connections: HASH, see ChatConnections. members: HASH, see Chats. time: now, µs.
-- seq: see live_chat_connections. Returns the members' connections that are attached to the chat, as `joined` does.
local function attached(chat_connections, members, time, seq)
  local recipients = {{}, {}}
  local connections, flags, _, count = live_chat_connections(redis.call('HGETALL', chat_connections), members, time, 0, seq)
  for i = 1, count do add_recipient(recipients, connections[i], flags[i]) end
  return joined(recipients)
end
