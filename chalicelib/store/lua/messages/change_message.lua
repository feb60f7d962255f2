#!lua
-- Puts another version in the place of a message, if it is still as the caller has seen it and the actor may change it.
-- requires: clock, numbers, attached_connections, chat_log, element, memberships, mentions, message_readers, next_change, send_permission, thread_replies, word_filters
local log = KEYS[1] -- LIST, see MessageLog
local chat = KEYS[2] -- HASH, see Chats; of a direct chat only its settings
local members = KEYS[3] -- HASH, see Chats; does not exist for a direct chat
local changes = KEYS[4] -- ZSET, see Chats: the message has changed
local uncounted = KEYS[5] -- ZSET, see Chats: a deleted message does not count as unread
local outbox = KEYS[6] -- HASH, see Outbox: the delivery of the change becomes pending
local chat_connections = KEYS[7] -- HASH, see ChatConnections; read for a large chat
local reactions = KEYS[8] -- ZSET, see Reactions: a deleted message has none
local pins = KEYS[9] -- ZSET, see Pins: a deleted message is not pinned
local word_filters = KEYS[10] -- HASH, see WordFilters
local expiries = KEYS[11] -- ZSET, see Expiries: a deleted message does not expire
local threads = KEYS[12] -- ZSET, see Threads: a deleted reply leaves its thread
local mentions = KEYS[13] -- HASH, see Mentions
local read_states = KEYS[14] -- HASH, see ReadStates; read for a direct chat
local kind = ARGV[1] -- of the chat, 'group' (or a room) or 'direct'
local actor = ARGV[2] -- handle; empty: the server itself, which may do anything
local role_needed = tonumber(ARGV[3]) -- integer, the lowest role in a group or room that may change it
local writes = ARGV[4] == '1' -- 1: a muted member may not change it
local seq = tonumber(ARGV[5]) -- integer, of the message
local seen = ARGV[6] -- the element as the caller has seen it
local body = ARGV[7] -- msgpack array, the new body
local expires = tonumber(ARGV[8]) -- integer, µs, when the message expires; 0: never
local deletes = ARGV[9] == '1' -- 1: the new version is a tombstone
local rewords = ARGV[10] == '1' -- 1: the new version has another text
local item = ARGV[11] -- the pending delivery
local expiry = ARGV[12] -- the message in `expiries`
local mentioned = ARGV[13] -- fields of mentions to which the message is added, with \0 between them; may be empty
local unmentioned = ARGV[14] -- fields of mentions that it leaves, likewise
local pin = tonumber(ARGV[15]) -- integer, µs, when the message was pinned now; 0: nothing changes, -1: it is no longer pinned
local most_pins = tonumber(ARGV[16]) -- integer, maximum number of pinned messages
-- reply: {0, number of the change, handles of the users who may read it, with \0 between them}; of a large chat {0,
--   number, nil, the connections that take JSON, those that take protobuf}, see recipients; {1}: the message has moved; {3}: the
--   chat does not exist; {4}: the actor is not a member; {5, until when the actor is muted, µs}; {6}: the role is too low;
--   {7}: too many are pinned
local DONE, MOVED, ROLE_TOO_LOW, TOO_MANY_PINS = 0, 1, 6, 7

-- Returns the outcome that refuses the actor, nil for none, and until when a muted actor is muted.
local function refusal_of()
  if kind ~= GROUP or actor == '' then return nil end
  local refusal, muted_until = send_permission(chat, members, actor, now())
  if refusal and (writes or refusal ~= MUTED) then return refusal, muted_until end
  if member_of(members, actor) < role_needed then return ROLE_TOO_LOW end
end

-- Returns whether no more messages can be pinned. base: of the log: trimmed ones are forgotten.
local function is_full(base)
  local count = 0
  for _, pinned in ipairs(redis.call('ZRANGE', pins, 0, -1)) do
    if tonumber(pinned) > base then count = count + 1 else redis.call('ZREM', pins, pinned) end
  end
  return count >= most_pins
end

local function drop_traces()
  redis.call('ZREMRANGEBYSCORE', reactions, seq, seq)
  redis.call('ZREM', pins, seq)
  redis.call('ZREM', expiries, expiry)
  redis.call('ZADD', uncounted, seq, seq)
  redis.call('ZREM', threads, struct.pack('>I8', seq))
end

local function change()
  local refusal, muted_until = refusal_of()
  if refusal then return {refusal, muted_until} end
  local base, head = bounds(log)
  local element = seq > base and seq <= head and redis.call('LINDEX', log, seq - base)
  if element ~= seen then return {MOVED} end
  if pin > 0 and is_full(base) then return {TOO_MANY_PINS} end
  local time, _, _, root = header_of(element)
  local number = next_change(log, changes, chat)
  redis.call('LSET', log, seq - base, extended(time, number, expires, root, body))
  if pin > 0 then redis.call('ZADD', pins, decimal(pin), seq) end
  if pin < 0 then redis.call('ZREM', pins, seq) end
  if deletes then drop_traces() end
  if rewords then drop_word_filter(word_filters, seq) end
  each_mention(unmentioned, function(name) drop_mention(mentions, name, seq) end)
  each_mention(mentioned, function(name) add_mention(mentions, name, seq) end)
  drop_trimmed_replies(threads, base)
  redis.call('ZADD', changes, decimal(number), 'e:' .. seq)
  redis.call('HSET', outbox, item, decimal(number))
  if kind == GROUP and redis.call('HEXISTS', chat, 'large') == 1 then
    return {DONE, number, false, attached(chat_connections, members, now(), joined_before(chat, seq))}
  end
  return {DONE, number, readers_of(kind, chat, members, read_states, item, seq)}
end

return change()
