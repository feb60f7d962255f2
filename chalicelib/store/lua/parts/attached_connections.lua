-- A part of other scripts. After targets and clients: where the messages of a large chat go.
-- requires: chat_connections, recipients

-- clients: HASH, see Clients. members: HASH, see Chats. time: now, in µs.
-- Returns the members' connections that are attached to the chat, as told does.
local function attached(clients, members, time)
  local targets = {{}, {}}
  local connections, flags, _, count = live_clients(redis.call('HGETALL', clients), members, time, 0)
  for i = 1, count do add_target(targets, connections[i], flags[i]) end
  return told(targets)
end
