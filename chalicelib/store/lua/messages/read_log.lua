#!lua flags=no-writes
-- Reads one page of a chat's log as far as a reader may, in rising order, and checks the cursor it was asked from.
-- requires: permissions
-- KEYS[1]  log      LIST, see MessageLog
-- KEYS[2]  chat     HASH, see Chats; absent for a chat of two
-- KEYS[3]  members  HASH, see Chats; absent for a chat of two
-- KEYS[4]  others   HASH, see Chats; absent for a chat of two
-- KEYS[5]  readers  HASH, see Readers
-- ARGV[1]  side     'after' a seq, 'before' a seq, or 'newest' but for a number of them
-- ARGV[2]  place    integer, that seq or number
-- ARGV[3]  limit    integer, messages at the most
-- ARGV[4]  bytes    integer, stop before the page's elements are larger together; one is always given
-- ARGV[5]  time     8 bytes, the time the message at `place` must have; empty: not checked
-- ARGV[6]  epoch    integer as text, the epoch the log must have; empty: not checked
-- ARGV[7]  reader   handle; empty: nobody, all is read
-- ARGV[8]  kind     of the chat, 'group' (or a room) or 'direct'
-- reply    {base, head, epoch, seq of the first element, [handle of a sender whose account is deleted...],
--          element...}; base and head are the reader's own.
--          Or 0: the history changed, 1: no such chat, 2: not one of its readers
local log, side, place = KEYS[1], ARGV[1], tonumber(ARGV[2])
local limit, budget = tonumber(ARGV[3]), tonumber(ARGV[4])
local reader, kind = ARGV[7], ARGV[8]
local PIECE = 64
local DELETED = '\5'
local SENDER = 10

local seen = {}
if reader == '' then
  seen.base, seen.head, seen.epoch = bounds(log)
  seen.first = seen.base
else
  seen = judged(reader, kind)
  if seen.state == GONE then return 1 end
  if not seen.reads then return 2 end
end
if not same_history(seen, place, ARGV[5], ARGV[6]) then return 0 end
local begin, base, head = seen.first, seen.base, seen.head

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
    for _, element in ipairs(redis.call('LRANGE', log, from - begin, to - begin)) do
      if not take(element) then return end
    end
  end
end

local function backward()
  for to = last, first, -PIECE do
    local piece = redis.call('LRANGE', log, math.max(to - PIECE + 1, first) - begin, to - begin)
    for i = #piece, 1, -1 do
      if not take(piece[i]) then return end
    end
  end
end

-- The sender is the first value of the array that follows the version and the time.
local function senders()
  local known, found = {}, {}
  for _, element in ipairs(page) do
    local whole, _, sender = pcall(cmsgpack.unpack_one, element, SENDER)
    if whole and type(sender) == 'string' and not known[sender] then
      known[sender] = true
      found[#found + 1] = sender
    end
  end
  return found
end

local function deleted()
  local gone, asked = {}, senders()
  if #asked == 0 then return gone end
  for i, held in ipairs(redis.call('HMGET', KEYS[4], unpack(asked))) do
    if held and string.sub(held, 1, 1) == DELETED then gone[#gone + 1] = asked[i] end
  end
  return gone
end

if side == 'after' then forward() else backward() end
local reply = {base, head, seen.epoch, side == 'after' and first or last - #page + 1, {}}
if kind == GROUP and reader ~= '' then reply[5] = deleted() end
if side == 'after' then
  for i = 1, #page do reply[5 + i] = page[i] end
else
  for i = #page, 1, -1 do reply[#reply + 1] = page[i] end
end
return reply
