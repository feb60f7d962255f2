#!lua flags=no-writes
-- Reads one page of the reactions to a message, by emoji and handle.
-- requires: numbers, byte_order, hidden_messages, read_permission
local log = KEYS[1] -- LIST, see MessageLog
local chat = KEYS[2] -- HASH, see Chats; of a direct chat only its settings
local members = KEYS[3] -- HASH, see Chats; does not exist for a direct chat
local others = KEYS[4] -- HASH, see Chats; does not exist for a direct chat
local read_states = KEYS[5] -- HASH, see ReadStates
local reactions = KEYS[6] -- ZSET, see Reactions
local hidden = KEYS[7] -- ZSET, see HiddenMessages, of the reader
local reader = ARGV[1] -- handle
local kind = ARGV[2] -- of the chat, 'group' (or a room) or 'direct'
local seq = tonumber(ARGV[3]) -- integer, of the message
local after = ARGV[4] -- the page is above this member of the ZSET; may be a text that is none
local limit = tonumber(ARGV[5]) -- integer, maximum number of members
-- reply: {the message, member...}; 1: the chat does not exist, 2: the reader may read nothing of it, 3: there is no such message
local view = view_of(log, chat, members, others, read_states, reader, kind)
if view.state == GONE then return 1 end
if not view.reads then return 2 end
if seq <= view.base or seq > view.head or is_hidden(hidden, seq) then return 3 end

local low = redis.call('ZCOUNT', reactions, '-inf', '(' .. decimal(seq))
local last = low + redis.call('ZCOUNT', reactions, seq, seq) - 1
local high = last + 1
while low < high do
  local middle = math.floor((low + high) / 2)
  if below(after, redis.call('ZRANGE', reactions, middle, middle)[1]) then high = middle else low = middle + 1 end
end
local page = low > last and {} or redis.call('ZRANGE', reactions, low, math.min(low + limit - 1, last))
return {redis.call('LINDEX', log, seq - view.first), unpack(page)}
