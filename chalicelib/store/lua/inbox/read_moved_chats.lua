#!lua flags=no-writes
-- Reads which chats of a user moved after a version, if that is of a history that is still there.
-- requires: large_chats
-- KEYS[1]  chats     HASH, see Inboxes
-- KEYS[2]  inbox     ZSET, see Inboxes
-- KEYS[3]  large     ZSET, see Inboxes
-- KEYS[4]  lineages  ZSET, see Inboxes
-- ARGV[1]  lineage   of the token; empty: there is none
-- ARGV[2]  since     integer, its version
-- ARGV[3]  limit     integer, chats at the most
-- ARGV[4]  round     integer, when the round of checks of large chats began, µs; 0: it begins now
-- ARGV[5]  most      integer, large chats at most
-- reply    {version, {chat, version, digest of a large chat or ''...}, large chats, see unchecked}   or {} for a token that
--          is not of this history
local version = redis.call('HGET', KEYS[1], 'version') or '0'

if ARGV[1] ~= '' then
  local told = tonumber(redis.call('ZSCORE', KEYS[4], ARGV[1]) or -1)
  if told < tonumber(ARGV[2]) then return {} end
end
local found = redis.call('ZRANGEBYSCORE', KEYS[2], '(' .. ARGV[2], '+inf', 'WITHSCORES', 'LIMIT', 0, ARGV[3])
local rows = {}
for i = 1, #found, 2 do
  rows[#rows + 1], rows[#rows + 2], rows[#rows + 3] = found[i], found[i + 1], digest_of(KEYS[1], found[i]) or ''
end
return {version, rows, unchecked(KEYS[1], KEYS[3], tonumber(ARGV[4]), tonumber(ARGV[5]))}
