#!lua flags=no-writes
-- Reads messages of a chat that a reader sees beside others: those that are replied to, and the threads of roots.
-- requires: element, read_permission, threads
local log = KEYS[1] -- LIST, see MessageLog
local chat = KEYS[2] -- HASH, see Chats; of a direct chat only its settings
local members = KEYS[3] -- HASH, see Chats; does not exist for a direct chat
local others = KEYS[4] -- HASH, see Chats; does not exist for a direct chat
local read_states = KEYS[5] -- HASH, see ReadStates
local threads = KEYS[6] -- ZSET, see Threads
local reader = ARGV[1] -- handle
local kind = ARGV[2] -- of the chat, 'group' (or a room) or 'direct'
local wanted = tonumber(ARGV[3]) -- integer, number of messages
-- ARGV[4..]: integers, seqs of the messages; then those of the roots of threads
-- reply: {[message, ''...], [number of replies, seq and time (µs) of the last, 0: none...]}; '' for a message that the reader may not
--   read, or that was trimmed; empty lists for a reader who may read nothing
local view = view_of(log, chat, members, others, read_states, reader, kind)
if view.state == GONE or not view.reads then return {{}, {}} end

local function message_at(seq)
  return seq > view.base and seq <= view.head and redis.call('LINDEX', log, seq - view.first) or ''
end

local messages, summaries = {}, {}
for i = 4, 3 + wanted do messages[#messages + 1] = message_at(tonumber(ARGV[i])) end
for i = 4 + wanted, #ARGV do
  local rank, count = replies_of(threads, tonumber(ARGV[i]), view.base, view.head)
  local last, time = 0, 0
  if count > 0 then
    last = struct.unpack('>I8', redis.call('ZRANGE', threads, rank + count - 1, rank + count - 1)[1])
    time = header_of(message_at(last))
  end
  local at = #summaries
  summaries[at + 1], summaries[at + 2], summaries[at + 3] = count, last, time
end
return {messages, summaries}
