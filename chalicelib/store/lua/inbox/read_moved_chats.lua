#!lua flags=no-writes
-- Reads which chats of a user moved after a version, if the user's history still has that version.
-- requires: large_chats
local inbox_entries = KEYS[1] -- HASH, see Inboxes
local inbox = KEYS[2] -- ZSET, see Inboxes
local large = KEYS[3] -- ZSET, see Inboxes
local lineages = KEYS[4] -- ZSET, see Inboxes
local lineage = ARGV[1] -- of the sync token; empty: none
local since = ARGV[2] -- integer, the token's version
local limit = ARGV[3] -- integer, maximum number of chats
local round = tonumber(ARGV[4]) -- integer, when the round of checks of large chats began, µs; 0: it begins now
local most = tonumber(ARGV[5]) -- integer, maximum number of large chats
-- reply: {version, {chat, version, digest of a large chat or ''...}, large chats, see unchecked}; {}: the token is of another
--   history
local version = redis.call('HGET', inbox_entries, 'version') or '0'

if lineage ~= '' then
  local highest = tonumber(redis.call('ZSCORE', lineages, lineage) or -1)
  if highest < tonumber(since) then return {} end
end
local found = redis.call('ZRANGEBYSCORE', inbox, '(' .. since, '+inf', 'WITHSCORES', 'LIMIT', 0, limit)
local rows = {}
for i = 1, #found, 2 do
  rows[#rows + 1], rows[#rows + 2], rows[#rows + 3] = found[i], found[i + 1], digest_of(inbox_entries, found[i]) or ''
end
return {version, rows, unchecked(inbox_entries, large, round, most)}
