#!lua flags=no-writes
-- Reads what a user's slot should say of one chat.
-- requires: chat_log, entry_states
-- KEYS[1..3]  chat, members, others HASH, see Chats; of a direct chat there are none
-- KEYS[4]     readers  HASH, see Readers
-- KEYS[5]     log      LIST, see MessageLog
-- ARGV[1]     handle
-- ARGV[2]     direct   1: it is a direct chat, 0: a group or room
-- reply       {state (0 out, 1 in, 2 large, 3 invited), stamp (0: none), time of last activity in µs (0: none),
--             inviter (empty: none is known)}
local INVITED, HIDDEN = 1, 16
local held = redis.call('HGET', KEYS[4], ARGV[1])
local cleared, stamp, flags = 0, 0, 0
if held then cleared, stamp, flags = struct.unpack('>I8I8B', held, 17) end
local head, active = newest(KEYS[5])

if ARGV[2] == '1' then
  if head > cleared then return {IN, stamp, active, ''} end
  if math.floor(flags / HIDDEN) % 2 == 1 then return {OUT, stamp, active, ''} end
  return {IN, stamp, 0, ''}
end
local large, deleted = unpack(redis.call('HMGET', KEYS[1], 'large', 'deleted'))
if deleted then return {OUT, stamp, active, ''} end
if redis.call('HEXISTS', KEYS[2], ARGV[1]) == 1 then return {large and LARGE or IN, stamp, active, ''} end
local other = redis.call('HGET', KEYS[3], ARGV[1])
if other then
  local relation, at = struct.unpack('>BI8', other)
  if bit.band(relation, 127) == INVITED then return {IS_INVITED, stamp, at, string.sub(other, 26)} end
end
return {OUT, stamp, active, ''}
