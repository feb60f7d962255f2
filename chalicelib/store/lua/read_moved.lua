#!lua flags=no-writes
-- Reads which chats of a user moved after a version, if that is of a history that is still there.
-- KEYS[1]  chats     HASH, see Inboxes
-- KEYS[2]  inbox     ZSET, see Inboxes
-- KEYS[3]  large     SET, see Inboxes
-- KEYS[4]  lineages  ZSET, see Inboxes
-- ARGV[1]  lineage   of the token; empty: there is none
-- ARGV[2]  since     integer, its version
-- ARGV[3]  limit     integer, chats at the most
-- reply    {version, {chat, version, ...}, {large chat, ...}}   or {} for a token that is not of this history
local version = redis.call('HGET', KEYS[1], 'version') or '0'

if ARGV[1] ~= '' then
  local told = tonumber(redis.call('ZSCORE', KEYS[4], ARGV[1]) or -1)
  if told < tonumber(ARGV[2]) then return {} end
end
local rows = redis.call('ZRANGEBYSCORE', KEYS[2], '(' .. ARGV[2], '+inf', 'WITHSCORES', 'LIMIT', 0, ARGV[3])
return {version, rows, redis.call('SMEMBERS', KEYS[3])}
