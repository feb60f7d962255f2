#!lua
-- Adds or removes a user's reaction to a message, and counts it in the message.
-- requires: clock, numbers, chat_connections, element, message_readers, next_change, reaction_counts, read_permission
local log = KEYS[1] -- LIST, see MessageLog
local chat = KEYS[2] -- HASH, see Chats; of a direct chat only its settings
local members = KEYS[3] -- HASH, see Chats; does not exist for a direct chat
local others = KEYS[4] -- HASH, see Chats; does not exist for a direct chat
local read_states = KEYS[5] -- HASH, see ReadStates
local changes = KEYS[6] -- ZSET, see Chats: the message has changed
local outbox = KEYS[7] -- HASH, see Outbox: the delivery of the change becomes pending
local chat_connections = KEYS[8] -- HASH, see ChatConnections; read for a large chat
local reactions = KEYS[9] -- ZSET, see Reactions
local user = ARGV[1] -- handle
local kind = ARGV[2] -- of the chat, 'group' (or a room) or 'direct'
local seq = tonumber(ARGV[3]) -- integer, of the message
local emoji = ARGV[4] -- text
local adds = ARGV[5] == '1' -- 1: adds the reaction, else removes it
local limit = tonumber(ARGV[6]) -- integer, maximum number of kinds of reactions to a message
local item = ARGV[7] -- the pending delivery
-- reply: {0, epoch of the log, the message, number of the change, handles of the users who may read it, with \0 between them}; of a large chat {0, epoch, message, number, nil, connections, flags, handles}, see connections_in_texts; {1, epoch, the
--   message}: it is already so; {2}: there is no such message; {3}: the chat does not exist; {4}: the user is not a member; {5,
--   until when the user is muted, µs}; {6}: the message is deleted; {7}: it is of the kind `system`; {8}: it has too many kinds
local DONE, UNCHANGED, NO_MESSAGE, CHAT_MISSING, NO_MEMBER, MUTED, DELETED, SYSTEM, TOO_MANY = 0, 1, 2, 3, 4, 5, 6, 7, 8

local function refusal_of(view)
  if view.state == GONE then return {CHAT_MISSING} end
  if kind == GROUP and view.state ~= MEMBER then return {NO_MEMBER} end
  if adds and view.muted > now() then return {MUTED, view.muted} end
  if seq <= view.base or seq > view.head then return {NO_MESSAGE} end
end

-- Returns the counts after the reaction, nil if they would be too many.
local function counted(counts)
  local changed, found = {}, false
  for i = 1, #counts, 2 do
    local count = counts[i + 1]
    if counts[i] == emoji then
      found, count = true, count + (adds and 1 or -1)
    end
    if count > 0 then changed[#changed + 1], changed[#changed + 2] = counts[i], count end
  end
  if adds and not found then changed[#changed + 1], changed[#changed + 2] = emoji, 1 end
  if #changed <= 2 * limit then return changed end
end

local function connected()
  if kind ~= GROUP or redis.call('HEXISTS', chat, 'large') == 0 then
    return readers_of(kind, chat, members, read_states, item, seq)
  end
  local held = redis.call('HGETALL', chat_connections)
  return false, connections_in_texts(held, members, now(), 0, joined_before(chat, seq))
end

-- Removes reactions to messages that the log no longer holds, some at a time.
local function drop_trimmed(base)
  local trimmed = redis.call('ZRANGEBYSCORE', reactions, '-inf', base, 'LIMIT', 0, 128)
  if #trimmed > 0 then redis.call('ZREM', reactions, unpack(trimmed)) end
end

local function react()
  local view = view_of(log, chat, members, others, read_states, user, kind)
  local refused = refusal_of(view)
  if refused then return refused end
  local element, member = redis.call('LINDEX', log, seq - view.first), table.concat({emoji, user, decimal(seq)}, '\0')
  local time, _, expires, root, start = header_of(element)
  local body = body_of(element, start)
  if body.deleted or (expires > 0 and expires <= now()) then return {DELETED} end
  if body.kind == 'system' then return {SYSTEM} end
  if (redis.call('ZSCORE', reactions, member) and true or false) == adds then return {UNCHANGED, view.epoch, element} end
  local counts = counted(body.counts)
  if not counts then return {TOO_MANY} end

  local number = next_change(log, changes, chat)
  element = extended(time, number, expires, root, body_with(body, counts))
  redis.call('LSET', log, seq - view.first, element)
  redis.call(adds and 'ZADD' or 'ZREM', reactions, unpack(adds and {seq, member} or {member}))
  redis.call('ZADD', changes, decimal(number), 'e:' .. decimal(seq))
  redis.call('HSET', outbox, item, decimal(number))
  drop_trimmed(view.first)
  return {DONE, view.epoch, element, number, connected()}
end

return react()
