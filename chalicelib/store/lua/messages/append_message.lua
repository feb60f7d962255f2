#!lua
-- Appends one message to a chat's log in one step, at most once for an idempotency id, if its sender may write.
-- requires: clock, numbers, attached_connections, append, permissions
-- KEYS[1]     log          LIST, see MessageLog
-- KEYS[2]     chat         HASH, see Chats; absent for a chat of two
-- KEYS[3]     members      HASH, see Chats; absent for a chat of two
-- KEYS[4]     readers      HASH, see Readers: the sender has read and received the message, and accepted the chat
-- KEYS[5]     uncounted    ZSET, see Chats
-- KEYS[6]     outbox       HASH: the members are owed the message
-- KEYS[7]     clients      HASH, see Clients; of a chat that is large
-- KEYS[8..11] ids          HASH, four UTC days in a row, the store's today and yesterday among them as long
--                          as the caller's clock is less than a day off; absent when the message has no id
-- ARGV[1]     body         msgpack array, opaque here
-- ARGV[2]     keep         integer, how many messages the log may hold; 0: all
-- ARGV[3]     sender       handle
-- ARGV[4]     kind         of the chat, 'group' (or a room) or 'direct'
-- ARGV[5]     item         what is owed
-- ARGV[6]     reply_to     integer, the seq of the message that is replied to; 0: none
-- ARGV[7]     field        8 bytes, digest of sender and id
-- ARGV[8]     fingerprint  8 bytes, digest of the content
-- ARGV[9]     day          integer, the UTC day of KEYS[8]
-- ARGV[10]    ttl          integer, seconds an ids key lives after its last write
-- reply       {seq, time in µs, outcome, [handle of each member of a group that is not large...]}, or, of a large one,
--             {seq, time in µs, outcome, nil, the connections that take JSON, those that take protobuf}, see targets
--             outcome 0: stored, 1: was stored before, 2: the id has other content; and then nothing is done:
--             3: no such chat, 4: not a member, 5: muted until that time, 6: there is no message to reply to
local FIRST_IDS = 8
local readers, sender, kind = KEYS[4], ARGV[3], ARGV[4]
local time, large, members, today = now(), false, {}, nil

if kind == GROUP then
  local there, _, is_large = group_of(KEYS[2])
  if not there then return {0, 0, 3} end
  local role, _, _, muted = member_of(KEYS[3], sender)
  if not role then return {0, 0, 4} end
  if muted > time then return {0, muted, 5} end
  large = is_large
  if not large then members = redis.call('HKEYS', KEYS[3]) end
end

if #KEYS >= FIRST_IDS then
  for i = FIRST_IDS, #KEYS do
    local held = redis.call('HGET', KEYS[i], ARGV[7])
    if held then
      local fingerprint, sent, seq = struct.unpack('>c8I8I6', held)
      return {seq, sent, fingerprint == ARGV[8] and 1 or 2}
    end
  end
  local offset = math.floor(time / 86400000000) - tonumber(ARGV[9])
  today = KEYS[FIRST_IDS + math.max(0, math.min(offset, #KEYS - FIRST_IDS))]
end

local replied = tonumber(ARGV[6])
if replied > 0 then
  local _, head = bounds(KEYS[1])
  if replied > head then return {head, 0, 6} end
end

local seq, sent = add_message(KEYS[1], KEYS[5], ARGV[1], tonumber(ARGV[2]), time)
local own = reader_of(readers, sender)
own.read, own.received = seq, seq
own.flags = bit.bor(own.flags, ACCEPTED, kind ~= GROUP and WROTE or 0)
keep_reader(readers, sender, own, sent)
redis.call('HSET', KEYS[6], ARGV[5], decimal(sent))

if today then
  redis.call('HSET', today, ARGV[7], ARGV[8] .. struct.pack('>I8I6', sent, seq))
  redis.call('EXPIRE', today, ARGV[10])
end
if large then return {seq, sent, 0, false, attached(KEYS[7], KEYS[3], time)} end
return {seq, sent, 0, members}
