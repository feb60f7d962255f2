#!lua flags=no-writes
-- Reads messages of a chat that a reader sees beside others: those that are replied to, and the threads of roots.
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
local wanted = tonumber(ARGV[3]) -- integer, number of messages
-- ARGV[4..]: integers, seqs of the messages; then those of the roots of threads
-- reply: {[message, ''...], [number of replies, seq and time (µs) of the last, 0: none...]}; '' for a message that the reader may not
--   read, or that was trimmed; empty lists for a reader who may read nothing
local view = view_of(log, chat, members, others, read_states, reader, kind)
if view.state == GONE or not view.reads then return {{}, {}} end

local function message_at(seq)
  if seq <= view.base or seq > view.head or is_hidden(hidden, seq) then return '' end
  return redis.call('LINDEX', log, seq - view.first)
end

-- Returns the number of replies of each thread that the reader has hidden.
local function hidden_replies()
  local counts, seqs = {}, redis.call('ZRANGEBYSCORE', hidden, '(' .. decimal(view.base), decimal(view.head))
  for from = 1, #seqs, 1000 do
    local members = {}
    for i = from, math.min(from + 999, #seqs) do members[#members + 1] = struct.pack('>I8', tonumber(seqs[i])) end
    for _, root in ipairs(redis.call('ZMSCORE', threads, unpack(members))) do
      if root then counts[tonumber(root)] = (counts[tonumber(root)] or 0) + 1 end
    end
  end
  return counts
end

-- Returns seq and time of the last reply of a thread that the reader has not hidden.
local function last_reply(rank, count)
  for at = rank + count - 1, rank, -1 do
    local seq = struct.unpack('>I8', redis.call('ZRANGE', threads, at, at)[1])
    local element = message_at(seq)
    if element ~= '' then return seq, (header_of(element)) end
  end
end

local messages, summaries = {}, {}
local without = #ARGV > 3 + wanted and hidden_replies() or {}
for i = 4, 3 + wanted do messages[#messages + 1] = message_at(tonumber(ARGV[i])) end
for i = 4 + wanted, #ARGV do
  local rank, count = replies_of(threads, tonumber(ARGV[i]), view.base, view.head)
  local last, time = 0, 0
  local shown = count - (without[tonumber(ARGV[i])] or 0)
  if shown > 0 then last, time = last_reply(rank, count) end
  local at = #summaries
  summaries[at + 1], summaries[at + 2], summaries[at + 3] = shown, last, time
end
return {messages, summaries}
