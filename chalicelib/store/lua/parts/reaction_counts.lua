-- Reads and writes the counts of reactions in a message's body, see Content and Extra: a msgpack array of at most seven values,
-- of which the last is a map that begins with `r`, emoji -> count, or with `d` if the message is deleted. The other values are
-- copied as they are.
local DELETED_KEY, REACTIONS_KEY = '\161d', '\161r'
local DEFAULTS = {'', '', '\192', '\164text', '\192', '\192'} -- msgpack, of the values before the map

-- Returns the position after a msgpack value that begins at a position, and the value. Positions count from 0.
local function value_at(text, position)
  local following, value = cmsgpack.unpack_one(text, position)
  return following < 0 and #text or following, value
end

-- Returns the counts at a position: emoji, count and so on, the earliest first; and the position after them.
local function counts_at(text, position)
  local first, size = string.byte(text, position + 1), 0
  if first == 222 then
    size, position = struct.unpack('>I2', text, position + 2), position + 3
  else
    size, position = first - 128, position + 1
  end
  local counts = {}
  for i = 1, 2 * size do position, counts[i] = value_at(text, position) end
  return counts, position
end

-- Returns what a message's body holds: kind; whether it is deleted; counts; values: the msgpack of the six values before the map;
-- rest, others: the other entries of the map, and their number.
local function body_of(element, body)
  local found, size, position = {counts = {}, rest = '', others = 0}, string.byte(element, body) - 144, body
  for i = 1, math.min(size, 6) do
    local following, value = value_at(element, position)
    if i == 4 then found.kind = value end
    position = following
  end
  found.values = string.sub(element, body + 1, position) .. table.concat(DEFAULTS, '', math.min(size, 6) + 1)
  if size < 7 then return found end
  found.others = string.byte(element, position + 1) - 128
  position = position + 1
  local key = string.sub(element, position + 1, position + 2)
  found.deleted = key == DELETED_KEY
  if key == REACTIONS_KEY then
    found.counts, position = counts_at(element, position + 2)
    found.others = found.others - 1
  end
  found.rest = string.sub(element, position + 1)
  return found
end

-- Returns the msgpack of a body with these counts.
local function body_with(found, counts)
  local size = found.others + (#counts > 0 and 1 or 0)
  if size == 0 then return '\150' .. found.values end
  local parts = {'\151', found.values, string.char(128 + size)}
  if #counts > 0 then
    parts[#parts + 1] = REACTIONS_KEY
    parts[#parts + 1] = #counts < 32 and string.char(128 + #counts / 2) or struct.pack('>BI2', 222, #counts / 2)
    for i = 1, #counts do parts[#parts + 1] = cmsgpack.pack(counts[i]) end
  end
  parts[#parts + 1] = found.rest
  return table.concat(parts)
end
