#!lua
-- Hides a message from one of its readers, and records the reader's inbox entry as pending.
-- requires: numbers, next_change, read_permission, read_state_change, read_states
local log = KEYS[1] -- LIST, see MessageLog
local chat = KEYS[2] -- HASH, see Chats; of a direct chat its settings
local members = KEYS[3] -- HASH, see Chats; does not exist for a direct chat
local others = KEYS[4] -- HASH, see Chats; does not exist for a direct chat
local read_states = KEYS[5] -- HASH, see ReadStates
local changes = KEYS[6] -- ZSET, see Chats
local outbox = KEYS[7] -- HASH, see Outbox: the inbox entry becomes pending
local hidden = KEYS[8] -- ZSET, see HiddenMessages
local hidings = KEYS[9] -- ZSET, see HiddenMessages
local reader = ARGV[1] -- handle
local kind = ARGV[2] -- of the chat, 'group' (or a room) or 'direct'
local item = ARGV[3] -- the pending inbox entry
local seq = tonumber(ARGV[4]) -- integer, of the message
local limit = tonumber(ARGV[5]) -- integer, maximum number of hidden messages
-- reply: {epoch of the log, number of the change, stamp, time of the newest message in µs, 1: the chat is large}; {epoch, number}:
--   it is hidden already; 1: the chat does not exist, 2: not a member, 3: there is no such message, 4: too many are hidden
local view = view_of(log, chat, members, others, read_states, reader, kind)
local refused = refusal(view, kind)
if refused then return refused end
if seq <= view.base or seq > view.head then return 3 end
local known = redis.call('ZSCORE', hidings, seq)
if known then return {view.epoch, tonumber(known)} end

-- Forgets the messages that the reader can no longer read anyway.
local function drop_unreadable()
  local gone = redis.call('ZRANGEBYSCORE', hidden, '-inf', decimal(view.base), 'LIMIT', 0, 1000)
  if #gone == 0 then return end
  redis.call('ZREM', hidden, unpack(gone))
  redis.call('ZREM', hidings, unpack(gone))
end

drop_unreadable()
if redis.call('ZCARD', hidden) >= limit then return 4 end
local number = next_change(log, changes, chat)
redis.call('HSET', chat, 'hidden', decimal(number)) -- so that a change for all has another number
redis.call('ZADD', hidden, seq, seq)
redis.call('ZADD', hidings, decimal(number), seq)
local own = view.own or read_state_of(read_states, reader)
return {view.epoch, number, unpack(change_read_state(view, read_states, outbox, reader, own, item))}
