-- A part of other scripts. The connections that are attached to a chat, see Clients.
local JOINED = 1
local PIECE = 4000

-- Returns connections, flags and handles of those that have not expired and whose users are members, and how many these are.
-- held: fields and values of Clients in turn. members: HASH, see Chats. time: now, in µs. wanted: a flag they must have, or 0.
local function live_clients(held, members, time, wanted)
  local connections, flags, handles, count, kept = {}, {}, {}, 0, 0
  local read, band, sub = struct.unpack, bit.band, string.sub -- looked up once, not for each of thousands
  for i = 1, #held, 2 do
    local expiry, bits = read('>I8B', held[i + 1])
    if expiry > time and band(bits, wanted) == wanted then
      count = count + 1
      connections[count], flags[count], handles[count] = held[i], bits, sub(held[i + 1], 10)
    end
  end
  for from = 1, count, PIECE do
    local records = redis.call('HMGET', members, unpack(handles, from, math.min(from + PIECE - 1, count)))
    for i = 1, #records do
      if records[i] then
        kept = kept + 1
        local at = from + i - 1
        if kept < at then connections[kept], flags[kept], handles[kept] = connections[at], flags[at], handles[at] end
      end
    end
  end
  return connections, flags, handles, kept
end

-- Returns three texts: the joined connections, with \0 between them; the byte of flags of each; and their handles, with
-- \0 between them.
local function joined_clients(held, members, time)
  local connections, flags, handles, count = live_clients(held, members, time, JOINED)
  for i = 1, count do flags[i] = string.char(flags[i]) end
  local joined, whose = table.concat(connections, '\0', 1, count), table.concat(handles, '\0', 1, count)
  return joined, table.concat(flags, '', 1, count), whose
end

-- Reads the joined connections of a user but one. Returns whether one has not expired, and those that have.
local function joined_of(held, handle, but, time)
  local lives, over = false, {}
  for i = 1, #held, 2 do
    local expiry, flags = struct.unpack('>I8B', held[i + 1])
    if held[i] ~= but and bit.band(flags, JOINED) ~= 0 and string.sub(held[i + 1], 10) == handle then
      if expiry > time then lives = true else over[#over + 1] = held[i] end
    end
  end
  return lives, over
end
