#!lua flags=no-writes
-- Reads what a user's inbox entry of a chat should say.
-- requires: chat_log, entry_states, flags, read_states
local chat = KEYS[1] -- HASH, see Chats; does not exist for a direct chat without settings
local members = KEYS[2] -- HASH, see Chats; does not exist for a direct chat
local others = KEYS[3] -- HASH, see Chats; does not exist for a direct chat
local read_states = KEYS[4] -- HASH, see ReadStates
local log = KEYS[5] -- LIST, see MessageLog
local handle = ARGV[1]
local direct = ARGV[2] == '1' -- 1: it is a direct chat, 0: a group or room
-- reply: {state (0 out, 1 in, 2 large, 3 invited), stamp (0: none), time of last activity in µs (0: none), inviter (empty: not
--   known)}
local INVITED = 1
local own = read_state_of(read_states, handle)
local head, active = newest(log)

if direct then
  if head > own.cleared then return {IN, own.stamp, active, ''} end
  if has(own.flags, HIDDEN) then return {OUT, own.stamp, active, ''} end
  return {IN, own.stamp, 0, ''}
end
local large, deleted = unpack(redis.call('HMGET', chat, 'large', 'deleted'))
if deleted then return {OUT, own.stamp, active, ''} end
if redis.call('HEXISTS', members, handle) == 1 then return {large and LARGE or IN, own.stamp, active, ''} end
local other = redis.call('HGET', others, handle)
if other then
  local relation, at = struct.unpack('>BI8', other)
  if bit.band(relation, 127) == INVITED then return {IS_INVITED, own.stamp, at, string.sub(other, 26)} end
end
return {OUT, own.stamp, active, ''}
