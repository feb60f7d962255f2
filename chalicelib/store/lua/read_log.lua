#!lua flags=no-writes
-- Reads one page of a chat's log, in rising order, and checks the cursor it was asked from.
-- KEYS[1]  log    LIST, see MessageLog
-- ARGV[1]  side   'after' a seq, 'before' a seq, or 'newest' but for a number of them
-- ARGV[2]  place  integer, that seq or number
-- ARGV[3]  limit  integer, messages at the most
-- ARGV[4]  bytes  integer, stop before the page's elements are larger together; one is always given
-- ARGV[5]  time   8 bytes, the time the message at `place` must have; empty: not checked
-- ARGV[6]  epoch  integer as text, the epoch the log must have; empty: not checked
-- reply    {base, head, epoch, seq of the first element, element...}   or {} when the history changed
local log, side, place = KEYS[1], ARGV[1], tonumber(ARGV[2])
local limit, budget = tonumber(ARGV[3]), tonumber(ARGV[4])
local PIECE = 64

local base, epoch = 0, 0
local header = redis.call('LINDEX', log, 0)
if header then base, epoch = struct.unpack('>I8I8', header, 2) end
local head = base + math.max(redis.call('LLEN', log) - 1, 0)

if ARGV[6] ~= '' and ARGV[6] ~= string.format('%.0f', epoch) then return {} end
if ARGV[5] ~= '' and place > base then
  local element = redis.call('LINDEX', log, place - base)
  if not element or string.sub(element, 2, 9) ~= ARGV[5] then return {} end
end

local first, last
if side == 'after' then
  first = math.max(place, base) + 1
  last = math.min(first + limit - 1, head)
else
  last = math.min(side == 'before' and place - 1 or head - place, head)
  first = math.max(last - limit + 1, base + 1)
end

local size, page = 0, {}
local function take(element)
  size = size + #element
  if #page > 0 and size > budget then return false end
  page[#page + 1] = element
  return true
end

local function forward()
  for from = first, last, PIECE do
    local to = math.min(from + PIECE - 1, last)
    for _, element in ipairs(redis.call('LRANGE', log, from - base, to - base)) do
      if not take(element) then return end
    end
  end
end

local function backward()
  for to = last, first, -PIECE do
    local piece = redis.call('LRANGE', log, math.max(to - PIECE + 1, first) - base, to - base)
    for i = #piece, 1, -1 do
      if not take(piece[i]) then return end
    end
  end
end

local reply = {base, head, epoch, first}
if side == 'after' then
  forward()
  for i = 1, #page do reply[4 + i] = page[i] end
else
  backward()
  reply[4] = last - #page + 1
  for i = #page, 1, -1 do reply[#reply + 1] = page[i] end
end
return reply
