#!lua flags=no-writes
-- Reads what has changed in a chat: its fields and members, by the last system messages about them, and its messages.
-- requires: numbers, byte_order, hidden_messages, memberships, newest_change, read_permission
local log = KEYS[1] -- LIST, see MessageLog
local chat = KEYS[2] -- HASH, see Chats; of a direct chat only its settings
local members = KEYS[3] -- HASH, see Chats; does not exist for a direct chat
local others = KEYS[4] -- HASH, see Chats; does not exist for a direct chat
local read_states = KEYS[5] -- HASH, see ReadStates
local changes = KEYS[6] -- ZSET, see Chats
local hidden = KEYS[7] -- ZSET, see HiddenMessages, of the reader
local hidings = KEYS[8] -- ZSET, see HiddenMessages, of the reader
local reader = ARGV[1] -- handle
local kind = ARGV[2] -- of the chat, 'group' (or a room) or 'direct'
local since = ARGV[3] -- integer, µs, the page is above this number
local subject = ARGV[4] -- with it, the page is above this number and subject; empty: above all of this number
local limit = tonumber(ARGV[5]) -- integer, maximum number of subjects
local budget = tonumber(ARGV[6]) -- integer, maximum bytes of the page's messages together; one is always given
local seq = tonumber(ARGV[7]) -- integer, of the newest change that the caller knows; 0: none
local number = ARGV[8] -- 8 bytes, its number; empty: not checked
local epoch = ARGV[9] -- integer as text, the epoch that the log must have; empty: not checked
-- reply: {seq and number of the newest change that the reader may know of, epoch, 1: there are more, number and subject up to which
--   changes were read, [subject, number, the message or '', ...]}; only the first three: newer ones were forgotten; 0: the history has changed, 1:
--   the chat does not exist, 2: the reader is not a member
local BATCH, MAX_READ = 128, 4096

-- Returns whether the chat still has a change that the caller knows: a system message, or a later change of the message.
local function holds(view)
  if epoch ~= '' and epoch ~= decimal(view.epoch) then return false end
  if same_history(view, seq, number, '') then return true end
  if seq > view.head then return false end
  local at = struct.unpack('>I8', number)
  for _, held in ipairs({redis.call('ZSCORE', changes, 'e:' .. seq), redis.call('ZSCORE', hidings, seq)}) do
    if held and tonumber(held) >= at then return true end
  end
  return false
end

-- Returns the rank of the first change above the page before.
local function first_rank()
  local low = redis.call('ZCOUNT', changes, '-inf', '(' .. since)
  local high = low + redis.call('ZCOUNT', changes, since, since)
  if subject == '' then low = high end
  while low < high do
    local middle = math.floor((low + high) / 2)
    local found = redis.call('ZRANGE', changes, middle, middle)[1]
    if below(subject, found) then high = middle else low = middle + 1 end
  end
  return low
end

-- Returns the message that a subject names, '' for another subject, false if the reader may not read it.
local function message_of(view, named)
  local changed = tonumber(string.match(named, '^e:(%d+)$'))
  if not changed then return '' end
  if changed <= view.base or changed > view.head or is_hidden(hidden, changed) then return false end
  return redis.call('LINDEX', log, changed - view.first)
end

-- Returns a function that returns the next members of a sorted set and their scores, one after the other; nil at the end.
local function reading(zset, rank)
  local batch, at = {}, 1
  return function()
    if at > #batch and (#batch == 0 or #batch == 2 * BATCH) then
      batch, at = redis.call('ZRANGE', zset, rank, rank + BATCH - 1, 'WITHSCORES'), 1
      rank = rank + BATCH
    end
    at = at + 2
    return batch[at - 2], batch[at - 1]
  end
end

-- Returns a function that returns the changes of the chat and what the reader has hidden, in the order of their numbers, of which
-- no two are the same: subject and number.
local function merged(rank)
  local next_change, next_hiding = reading(changes, rank), reading(hidings, redis.call('ZCOUNT', hidings, '-inf', since))
  local change, number = next_change()
  local hiding, hidden_at = next_hiding()
  return function()
    local subject, at
    if hiding and not (change and tonumber(number) < tonumber(hidden_at)) then
      subject, at = 'h:' .. hiding, hidden_at
      hiding, hidden_at = next_hiding()
    else
      subject, at = change, number
      change, number = next_change()
    end
    return subject, at
  end
end

-- Adds the changes from a rank on that the reader may know of; returns whether there are more, and the last one that was read.
local function add_changes(view, rank, page)
  local size, last_number, last_subject, next_one = 0, since, subject, merged(rank)
  for _ = 1, MAX_READ do
    local named, at = next_one()
    if not named then return 0, last_number, last_subject end
    local element = message_of(view, named)
    size = size + #(element or '')
    if #page == 3 * limit or (#page > 0 and size > budget) then return 1, last_number, last_subject end
    last_subject, last_number = named, at
    if element then
      page[#page + 1], page[#page + 2], page[#page + 3] = named, at, element
    end
  end
  return 1, last_number, last_subject
end

local view = view_of(log, chat, members, others, read_states, reader, kind)
if view.state == GONE then return 1 end
if kind == GROUP and view.state ~= MEMBER then return 2 end
if not holds(view) then return 0 end
local lost = tonumber(redis.call('HGET', chat, 'changes_lost'))
local newest_seq, newest_number = newest_change_of(chat, changes, hidings)
if newest_seq > view.head then newest_seq, newest_number = 0, 0 end
if lost and lost > tonumber(since) then return {newest_seq, newest_number, view.epoch} end
local page = {}
local more, last_number, last_subject = add_changes(view, first_rank(), page)
return {newest_seq, newest_number, view.epoch, more, last_number, last_subject, page}
