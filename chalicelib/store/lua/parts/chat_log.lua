-- A part of other scripts. What the newest message of a chat is, and small tools.
-- requires: clock

-- Runs a command with many arguments in pieces: Lua can hand over no more than 8,000 or so at once, and ElastiCache
-- Serverless takes no more than 3,999 in a request.
-- flat: the arguments after the key. Returns the replies that are lists, joined.
local function in_pieces(command, key, flat)
  local joined = {}
  for from = 1, #flat, 2000 do
    local reply = redis.call(command, key, unpack(flat, from, math.min(from + 1999, #flat)))
    if type(reply) == 'table' then
      for i = 1, #reply do joined[#joined + 1] = reply[i] end
    end
  end
  return joined
end

-- Returns the seq of the newest message of a log, and its time; 0 and 0 without one.
local function newest(log)
  local header = redis.call('LINDEX', log, 0)
  if not header then return 0, 0 end
  local base, length = struct.unpack('>I8', header, 2), redis.call('LLEN', log)
  if length == 1 then return base, 0 end
  return base + length - 1, (struct.unpack('>I8', redis.call('LINDEX', log, -1), 2))
end

-- Returns the time that the next message of a log gets: the store's, but always above that of the last one.
local function next_time(log)
  local _, last = newest(log)
  return math.max(now(), last + 1)
end
