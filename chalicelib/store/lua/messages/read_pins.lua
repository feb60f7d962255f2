#!lua flags=no-writes
-- Reads one page of the pinned messages of a chat as far as a reader may, the newest pin first.
-- requires: byte_order, hidden_messages, read_permission
local log = KEYS[1] -- LIST, see MessageLog
local chat = KEYS[2] -- HASH, see Chats; of a direct chat only its settings
local members = KEYS[3] -- HASH, see Chats; does not exist for a direct chat
local others = KEYS[4] -- HASH, see Chats; does not exist for a direct chat
local read_states = KEYS[5] -- HASH, see ReadStates
local pins = KEYS[6] -- ZSET, see Pins
local hidden = KEYS[7] -- ZSET, see HiddenMessages, of the reader
local reader = ARGV[1] -- handle
local kind = ARGV[2] -- of the chat, 'group' (or a room) or 'direct'
local time = tonumber(ARGV[3]) -- integer, µs, of the pin before the page; 0: the first page
local seq = ARGV[4] -- integer as text, of the message before the page
local limit = tonumber(ARGV[5]) -- integer, maximum number of messages
local budget = tonumber(ARGV[6]) -- integer, maximum bytes of the messages together; one is always given
-- reply: {1: there are more, [seq, when it was pinned, the message, ...]}; 1: the chat does not exist, 2: the reader may read
--   nothing of it
local view = view_of(log, chat, members, others, read_states, reader, kind)
if view.state == GONE then return 1 end
if not view.reads then return 2 end

local function is_wanted(member, pinned)
  if time > 0 and (pinned > time or (pinned == time and not below(member, seq))) then return false end
  local at = tonumber(member)
  return at > view.base and at <= view.head and not is_hidden(hidden, at)
end

local size, page, found = 0, {}, redis.call('ZREVRANGE', pins, 0, -1, 'WITHSCORES')
for i = 1, #found, 2 do
  if is_wanted(found[i], tonumber(found[i + 1])) then
    local element = redis.call('LINDEX', log, tonumber(found[i]) - view.first)
    size = size + #element
    if #page == 3 * limit or (#page > 0 and size > budget) then return {1, page} end
    page[#page + 1], page[#page + 2], page[#page + 3] = tonumber(found[i]), found[i + 1], element
  end
end
return {0, page}
