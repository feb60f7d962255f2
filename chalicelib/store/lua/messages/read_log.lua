#!lua flags=no-writes
-- Reads one page of a chat's log as far as a reader may, in rising order, and checks the cursor that it starts from.
-- requires: chat_log, element, hidden_messages, memberships, read_permission
local log = KEYS[1] -- LIST, see MessageLog
local chat = KEYS[2] -- HASH, see Chats; does not exist for a direct chat without settings
local members = KEYS[3] -- HASH, see Chats; does not exist for a direct chat
local others = KEYS[4] -- HASH, see Chats; does not exist for a direct chat
local read_states = KEYS[5] -- HASH, see ReadStates
local hidden = KEYS[6] -- ZSET, see HiddenMessages, of the reader
local side = ARGV[1] -- 'after' a seq, 'before' a seq, or 'newest' without a number of them
local seq = tonumber(ARGV[2]) -- integer, that seq or number
local limit = tonumber(ARGV[3]) -- integer, maximum number of messages
local budget = tonumber(ARGV[4]) -- integer, maximum bytes of the page's elements together; one element is always given
local time = ARGV[5] -- 8 bytes, the time that the message at `seq` must have; empty: not checked
local epoch = ARGV[6] -- integer as text, the epoch that the log must have; empty: not checked
local reader = ARGV[7] -- handle; empty: no user, all is read
local kind = ARGV[8] -- of the chat, 'group' (or a room) or 'direct'
-- reply: {base, head, epoch, seq of the first element, [handle of each sender whose account is deleted...], element...}; base and
--   head are the reader's own; 0: the history has changed, 1: the chat does not exist, 2: the reader may read nothing of it
local BATCH = 64
local DELETED = '\5'

local view = {log = log}
if reader == '' then
  view.base, view.head, view.epoch = bounds(log)
  view.first = view.base
else
  view = view_of(log, chat, members, others, read_states, reader, kind)
  if view.state == GONE then return 1 end
  if not view.reads then return 2 end
end
if not same_history(view, seq, time, epoch) then return 0 end
local begin, base, head = view.first, view.base, view.head

local first, last
if side == 'after' then
  first = math.max(seq, base) + 1
  last = math.min(first + limit - 1, head)
else
  last = math.min(side == 'before' and seq - 1 or head - seq, head)
  first = math.max(last - limit + 1, base + 1)
end

local size, page = 0, {}
local left_out = reader ~= '' and first <= last and hidden_between(hidden, first, last)
if left_out and not next(left_out) then left_out = nil end

-- Adds a message to the page, unless the page is full; a hidden one without its content.
local function fits(element, at)
  if left_out and left_out[at] then element = without_content(element) end
  size = size + #element
  if #page > 0 and size > budget then return false end
  page[#page + 1] = element
  return true
end

local function forward()
  for from = first, last, BATCH do
    local to = math.min(from + BATCH - 1, last)
    for i, element in ipairs(redis.call('LRANGE', log, from - begin, to - begin)) do
      if not fits(element, from + i - 1) then return end
    end
  end
end

local function backward()
  for to = last, first, -BATCH do
    local from = math.max(to - BATCH + 1, first)
    local batch = redis.call('LRANGE', log, from - begin, to - begin)
    for i = #batch, 1, -1 do
      if not fits(batch[i], from + i - 1) then return end
    end
  end
end

-- Returns a page of one batch without hidden messages, in rising order; nil: it is longer, or more bytes than may be.
local function short_page()
  if left_out or first > last or last - first >= BATCH then return nil end
  local batch, bytes = redis.call('LRANGE', log, first - begin, last - begin), 0
  for i = 1, #batch do bytes = bytes + #batch[i] end
  return bytes <= budget and batch or nil
end

-- Returns the senders of the page. A sender is the first value of the array that follows an element's header.
local function senders()
  local known, found = {}, {}
  for _, element in ipairs(page) do
    local is_whole, _, sender = pcall(cmsgpack.unpack_one, element, body_at(element))
    if is_whole and type(sender) == 'string' and not known[sender] then
      known[sender] = true
      found[#found + 1] = sender
    end
  end
  return found
end

local function deleted_senders()
  local deleted, asked = {}, senders()
  if #asked == 0 then return deleted end
  for i, held in ipairs(redis.call('HMGET', others, unpack(asked))) do
    if held and string.sub(held, 1, 1) == DELETED then deleted[#deleted + 1] = asked[i] end
  end
  return deleted
end

local short = short_page()
local rises = short or side == 'after'
if short then page = short elseif rises then forward() else backward() end
local reply = {base, head, view.epoch, side == 'after' and first or last - #page + 1, {}}
if kind == GROUP and reader ~= '' then reply[5] = deleted_senders() end
if rises then
  for i = 1, #page do reply[5 + i] = page[i] end
else
  for i = #page, 1, -1 do reply[#reply + 1] = page[i] end
end
return reply
