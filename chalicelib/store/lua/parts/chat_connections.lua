-- Reads the connections that are attached to a chat, see ChatConnections.
-- requires: flags
local JOINED = 1
local BATCH = 4000

-- Returns connections, flags and handles of those that have not expired and whose users are members, and how many they are.
-- held: field and value of each connection in turn. members: HASH, see Chats. time: now, µs. wanted: a flag that they must
-- have, or 0. seq: of a message that the members must be able to read, see message_readers; nil: any.
local function live_chat_connections(held, members, time, wanted, seq)
  local connections, flags, handles, count, kept = {}, {}, {}, 0, 0
  local read, band, sub = struct.unpack, bit.band, string.sub -- looked up once, not for each of thousands
  for i = 1, #held, 2 do
    local expiry, bits = read('>I8B', held[i + 1])
    if expiry > time and band(bits, wanted) == wanted then
      count = count + 1
      connections[count], flags[count], handles[count] = held[i], bits, sub(held[i + 1], 10)
    end
  end
  for from = 1, count, BATCH do
    local records = redis.call('HMGET', members, unpack(handles, from, math.min(from + BATCH - 1, count)))
    for i = 1, #records do
      if records[i] and (not seq or read('>I8', records[i], 2) < seq) then
        kept = kept + 1
        local at = from + i - 1
        if kept < at then connections[kept], flags[kept], handles[kept] = connections[at], flags[at], handles[at] end
      end
    end
  end
  return connections, flags, handles, kept
end

-- Returns three texts: the connections, with \0 between them; a byte of flags for each; and their handles, with \0 between them.
-- See live_chat_connections.
local function connections_in_texts(held, members, time, wanted, seq)
  local connections, flags, handles, count = live_chat_connections(held, members, time, wanted, seq)
  for i = 1, count do flags[i] = string.char(flags[i]) end
  local names = table.concat(handles, '\0', 1, count)
  return table.concat(connections, '\0', 1, count), table.concat(flags, '', 1, count), names
end

-- Returns the texts of the connections that have joined the room.
local function joined_connections(held, members, time) return connections_in_texts(held, members, time, JOINED) end

-- Returns whether another joined connection of a user lives, and the user's joined connections that have expired.
local function other_joined(held, handle, except, time)
  local lives, expired = false, {}
  for i = 1, #held, 2 do
    local expiry, flags = struct.unpack('>I8B', held[i + 1])
    if held[i] ~= except and has(flags, JOINED) and string.sub(held[i + 1], 10) == handle then
      if expiry > time then lives = true else expired[#expired + 1] = held[i] end
    end
  end
  return lives, expired
end
