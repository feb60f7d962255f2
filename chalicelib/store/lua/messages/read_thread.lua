#!lua flags=no-writes
-- Reads the thread of a message as far as a reader may: its root, and a page of its replies in rising order.
-- requires: element, hidden_messages, read_permission, thread_replies
local log = KEYS[1] -- LIST, see MessageLog
local chat = KEYS[2] -- HASH, see Chats; of a direct chat only its settings
local members = KEYS[3] -- HASH, see Chats; does not exist for a direct chat
local others = KEYS[4] -- HASH, see Chats; does not exist for a direct chat
local read_states = KEYS[5] -- HASH, see ReadStates
local threads = KEYS[6] -- ZSET, see Threads
local hidden = KEYS[7] -- ZSET, see HiddenMessages, of the reader
local reader = ARGV[1] -- handle
local kind = ARGV[2] -- of the chat, 'group' (or a room) or 'direct'
local seq = tonumber(ARGV[3]) -- integer, of a message of the thread
local after = tonumber(ARGV[4]) -- integer, the page has replies above this seq
local time = ARGV[5] -- 8 bytes, the time that the message at `after` must have; empty: not checked
local epoch = ARGV[6] -- integer as text, the epoch that the log must have; empty: not checked
local limit = tonumber(ARGV[7]) -- integer, maximum number of replies
local budget = tonumber(ARGV[8]) -- integer, maximum bytes of the replies together; one is always given
-- reply: {epoch, 1: there are more, seq of the root, the root or '', [seq, reply...]}; '' for a root that the reader may not read, or
--   that was trimmed; 0: the history has changed, 1: the chat does not exist, 2: the reader may read nothing of it, 3: there is no
--   such message
local view = view_of(log, chat, members, others, read_states, reader, kind)
if view.state == GONE then return 1 end
if not view.reads then return 2 end
if not same_history(view, after, time, epoch) then return 0 end

local function message_at(wanted)
  if wanted <= view.base or wanted > view.head then return '' end
  return redis.call('LINDEX', log, wanted - view.first)
end

local named = message_at(seq)
if named == '' or is_hidden(hidden, seq) then return 3 end
local _, _, _, root = header_of(named)
if root == 0 then root = seq end
local rank, count = replies_of(threads, root, math.max(after, view.base), view.head)
local size, replies, more = 0, {}, count > limit and 1 or 0
local page = count > 0 and redis.call('ZRANGE', threads, rank, rank + math.min(count, limit) - 1) or {}
for _, member in ipairs(page) do
  local reply = struct.unpack('>I8', member)
  local element = message_at(reply)
  if is_hidden(hidden, reply) then element = without_content(element) end
  size = size + #element
  if #replies > 0 and size > budget then
    more = 1
    break
  end
  replies[#replies + 1], replies[#replies + 2] = reply, element
end
return {view.epoch, more, root, is_hidden(hidden, root) and '' or message_at(root), replies}
