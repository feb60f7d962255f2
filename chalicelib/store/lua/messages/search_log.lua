#!lua flags=no-writes
-- Reads the messages of a chat's log that may have some words, as far as a reader may, from the newest down.
-- requires: hidden_messages, read_permission, word_filters
local log = KEYS[1] -- LIST, see MessageLog
local chat = KEYS[2] -- HASH, see Chats; does not exist for a direct chat without settings
local members = KEYS[3] -- HASH, see Chats; does not exist for a direct chat
local others = KEYS[4] -- HASH, see Chats; does not exist for a direct chat
local read_states = KEYS[5] -- HASH, see ReadStates
local word_filters = KEYS[6] -- HASH, see WordFilters
local hidden = KEYS[7] -- ZSET, see HiddenMessages, of the reader
local reader = ARGV[1] -- handle
local kind = ARGV[2] -- of the chat, 'group' (or a room) or 'direct'
local terms = ARGV[3] -- a and b of each term that the messages must have, 8 bytes, see BloomFilter
local before = tonumber(ARGV[4]) -- integer, only messages with lower seqs; 0: all
local time = ARGV[5] -- 8 bytes, the time that the message at `before` must have; empty: not checked
local epoch = ARGV[6] -- integer as text, the epoch that the log must have; empty: not checked
local earlier = tonumber(ARGV[7]) -- integer, only messages before this time, µs; 0: all
local opened = tonumber(ARGV[8]) -- integer, µs: the newest message until then decides whether the chat is searched; 0: it is
local above = tonumber(ARGV[9]) -- integer, µs: it is if that message is later than this time
local upto = tonumber(ARGV[10]) -- integer, µs: and not later than this
local limit = tonumber(ARGV[11]) -- integer, maximum number of messages
local budget = tonumber(ARGV[12]) -- integer, maximum bytes of their elements; one element is always given
local most = tonumber(ARGV[13]) -- integer, maximum number of filters to test
-- reply: {base, head, epoch, position: seq from which on nothing is left to be read, time of the message there in µs or 0, number
--   of tested filters, {seq of the first, 1: a whole block without a filter, element...}...}; base and head are the reader's own;
--   0: the history has changed, 1: the chat does not exist, 2: the reader may read nothing of it
local LONG = 2048 -- messages: a chat that holds fewer has no filters
local HASH = 8

local view = view_of(log, chat, members, others, read_states, reader, kind)
if view.state == GONE then return 1 end
if not view.reads then return 2 end
if before > 0 and not same_history(view, before, time, epoch) then return 0 end
local first, base = view.first, view.base
local is_long = view.last - first >= LONG

local function time_at(seq) return (struct.unpack('>I8', redis.call('LINDEX', log, seq - first), 2)) end

-- Returns the seq of the newest message before a time that the reader may read, base if there is none.
local function newest_before(limit_time)
  local low, high = base, view.head
  while low < high do
    local middle = math.ceil((low + high) / 2)
    if time_at(middle) < limit_time then low = middle else high = middle - 1 end
  end
  return low
end

-- Returns whether the terms may be among those of a filter.
local function may_have(filter)
  local hashes, size = string.byte(filter), (#filter - 1) * 8
  for at = 1, #terms, HASH do
    local place, step = struct.unpack('>I4I4', terms, at)
    for _ = 1, hashes do
      local bit_place = place % size
      local held = string.byte(filter, 2 + math.floor(bit_place / 8))
      if bit.band(held, bit.lshift(1, bit_place % 8)) == 0 then return false end
      place = place + step
    end
  end
  return true
end

local position = before > 0 and math.min(before, view.head + 1) or view.head + 1
if earlier > 0 then position = math.min(position, newest_before(earlier) + 1) end
if opened > 0 then
  local active = newest_before(opened + 1)
  local moved = active > base and time_at(active) or 0
  if moved <= above or moved > upto then position = base end
end

local size, count, tested, runs = 0, 0, 0, {}

-- Reads the newest of the messages of a block, below `position`, that are within the limits.
local function read(block, low, filter)
  local last = position - 1
  local from = math.max(low, last - (limit - count) + 1)
  local elements, run = redis.call('LRANGE', log, from - first, last - first), {}
  local kept = #elements
  while kept > 0 and (size + #elements[kept] <= budget or count == 0) do
    size, count, kept = size + #elements[kept], count + 1, kept - 1
  end
  position = from + kept
  local is_whole = is_long and not filter and position == math.max(block * BLOCK, first) + 1
    and last == (block + 1) * BLOCK
  local left_out = hidden_between(hidden, position, last)
  run[1], run[2] = position, is_whole and not next(left_out) and 1 or 0
  for i = kept + 1, #elements do
    run[#run + 1] = left_out[from + i - 1] and without_content(elements[i]) or elements[i]
  end
  runs[#runs + 1] = run
  return kept == 0
end

while position > base + 1 and count < limit and tested < most do
  local block = math.floor((position - 2) / BLOCK)
  local low = math.max(block * BLOCK, base) + 1
  local filter = is_long and (block + 1) * BLOCK <= view.last and redis.call('HGET', word_filters, block)
  if filter then tested = tested + 1 end
  if filter and not may_have(filter) then
    position = low
  elseif count > 0 and position - low > limit - count then
    break -- a block that is read in one step can get a filter
  elseif not read(block, low, filter) then
    break
  end
end
local newest_read = position > base and position <= view.head and time_at(position) or 0
return {base, view.head, view.epoch, position, newest_read, tested, unpack(runs)}
