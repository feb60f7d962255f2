#!lua
-- Appends one message to a chat's log in one step, at most once for an idempotency id, if its sender may write.
-- requires: clock, numbers, append, attached_connections, chat_log, new_mentions, read_states, retention, send_permission, slow_mode, threads
local log = KEYS[1] -- LIST, see MessageLog
local chat = KEYS[2] -- HASH, see Chats; of a direct chat only its settings
local members = KEYS[3] -- HASH, see Chats; does not exist for a direct chat
local read_states = KEYS[4] -- HASH, see ReadStates: the sender has read and received the message, and accepted the chat
local uncounted = KEYS[5] -- ZSET, see Chats
local outbox = KEYS[6] -- HASH, see Outbox: the delivery of the message becomes pending
local chat_connections = KEYS[7] -- HASH, see ChatConnections; read for a large chat
local expiries = KEYS[8] -- ZSET, see Expiries: the message expires
local last_sent = KEYS[9] -- HASH, see MessageLog; used in a group or room in slow mode
local retained = KEYS[10] -- ZSET, see Retention
-- KEYS[11..14]: ids HASH, see MessageLog, of four UTC days in a row: the store's today and yesterday are among them as long as the
--   caller's clock is less than a day off; absent when the message has no id
-- the last two KEYS, only with ARGV[12..]: threads ZSET, see Threads; mentions HASH, see Mentions
local body = ARGV[1] -- msgpack array, opaque here
local keep = tonumber(ARGV[2]) -- integer, maximum number of messages in the log; 0: all
local days = tonumber(ARGV[3]) -- integer, days for which messages are kept; 0: for good
local sender = ARGV[4] -- handle
local kind = ARGV[5] -- of the chat, 'group' (or a room) or 'direct'
local item = ARGV[6] -- the pending delivery, `m` and the id of the chat; with `-` in place of `m` none becomes pending
local reply_to = tonumber(ARGV[7]) -- integer, the seq of the message that it replies to; 0: none
local field = ARGV[8] -- 8 bytes, digest of sender and id; absent or empty: there is no id
local fingerprint = ARGV[9] -- 8 bytes, digest of the content
local first_day = ARGV[10] -- integer, the UTC day of KEYS[11]
local ttl = ARGV[11] -- integer, seconds that an ids key lives after its last write
-- ARGV[12..] are absent for a message that is no reply, mentions nobody and does not expire
local lifetime = tonumber(ARGV[12]) -- integer, seconds until the message expires; 0: it never does
local mentioned = ARGV[13] -- fields of mentions to which it is added, with \0 between them; may be empty
-- reply: {seq, time in µs, outcome, epoch of the log, handles of the members of a group that is not large, with \0 between them
--   or nil}; of a large chat {seq, time in µs, outcome, epoch, nil, the connections that take JSON, those that take protobuf}, see
--   recipients. With ARGV[12..], and if the message expires, at the 8th and 9th place: when it expires, µs, and the root of its
--   thread; 0: none. With outcome 1 at the 10th place: the message as the log holds it; nil: it was trimmed.
--   Outcomes: 0: stored, 1: was stored before, 2: the id has other content; nothing is stored with 3: the chat does not exist,
--   4: not a member, 5: muted until that time, 6: there is no message to reply to, 7: in slow mode, for that many µs
local FIRST_IDS, IDS = 11, 4
local time, large, slow, handles, today, root = now(), false, 0, '', nil, 0
local chat_lifetime

if kind == GROUP then
  local refusal, muted_until, is_large, expires_in, pause, own_keep, own_days = send_permission(chat, members, sender, time)
  if refusal then return {0, muted_until, refusal} end
  large, chat_lifetime, slow = is_large, expires_in, pause
  keep, days = tighter(keep, own_keep), tighter(days, own_days)
  if not large then handles = table.concat(redis.call('HKEYS', members), '\0') end
else
  chat_lifetime = redis.call('HGET', chat, 'expires_in')
end
chat_lifetime = chat_lifetime and tonumber(chat_lifetime) or 0
if chat_lifetime > 0 then
  lifetime = lifetime and lifetime > 0 and math.min(lifetime, chat_lifetime) or chat_lifetime
end

if field and field ~= '' then
  local last_ids = FIRST_IDS + IDS - 1
  for i = FIRST_IDS, last_ids do
    local held = redis.call('HGET', KEYS[i], field)
    if held then
      local stored, sent, seq = struct.unpack('>c8I8I6', held)
      local base, _, epoch = bounds(log)
      local element = seq > base and redis.call('LINDEX', log, seq - base)
      return {seq, sent, stored == fingerprint and 1 or 2, epoch, false, false, false, 0, 0, element}
    end
  end
  local offset = math.floor(time / 86400000000) - tonumber(first_day)
  today = KEYS[FIRST_IDS + math.max(0, math.min(offset, IDS - 1))]
end

local wait = slow > 0 and slowed(last_sent, sender, slow, time) or 0
if wait > 0 then return {0, wait, 7} end

if reply_to > 0 then
  local base, head = bounds(log)
  if reply_to > head then return {head, 0, 6} end
  root = root_of(log, base, reply_to)
end

local seq, sent, epoch, expires, trimmed = add_message(log, uncounted, body, keep, time, lifetime, root)
if days > 0 then look_by(retained, string.sub(item, 2), sent + days * DAY) end
if trimmed then look_by(retained, string.sub(item, 2), sent + DAY) end
if expires > 0 then redis.call('ZADD', expiries, decimal(expires), seq .. '\0' .. string.sub(item, 2)) end
if slow > 0 then record_sent(last_sent, sender, sent) end
if root > 0 then redis.call('ZADD', KEYS[#KEYS - 1], root, struct.pack('>I8', seq)) end
if mentioned then add_new_mentions(KEYS[#KEYS], mentioned, seq) end
local own = read_state_of(read_states, sender)
own.read, own.received = seq, seq
own.flags = bit.bor(own.flags, ACCEPTED, kind ~= GROUP and WROTE or 0)
keep_read_state(read_states, sender, own, sent)
if string.sub(item, 1, 1) == 'm' then redis.call('HSET', outbox, item, decimal(sent)) end

if today then
  redis.call('HSET', today, field, fingerprint .. struct.pack('>I8I6', sent, seq))
  redis.call('EXPIRE', today, ttl)
end
local reply = large and {seq, sent, 0, epoch, false, attached(chat_connections, members, time)} or {seq, sent, 0, epoch, handles}
if lifetime then
  reply[6], reply[7], reply[8], reply[9] = reply[6] or false, reply[7] or false, expires, root
end
return reply
