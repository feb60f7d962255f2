#!lua flags=allow-oom
-- Notes the highest version that a lineage of sync tokens was told.
-- KEYS[1]  chats     HASH, see Inboxes
-- KEYS[2]  lineages  ZSET, see Inboxes
-- ARGV[1]  lineage
-- ARGV[2]  version   integer, µs
-- ARGV[3]  most      integer, lineages that are kept; of the others those that were told least go
-- reply    1: noted, 0: the user's chats have no such version any more
local version = tonumber(ARGV[2])
if version > (tonumber(redis.call('HGET', KEYS[1], 'version')) or 0) then return 0 end
local told = tonumber(redis.call('ZSCORE', KEYS[2], ARGV[1]) or -1)
if told < version then
  redis.call('ZADD', KEYS[2], ARGV[2], ARGV[1])
  local surplus = redis.call('ZCARD', KEYS[2]) - tonumber(ARGV[3])
  for _, lineage in ipairs(surplus > 0 and redis.call('ZRANGE', KEYS[2], 0, surplus) or {}) do
    if surplus > 0 and lineage ~= ARGV[1] then surplus = surplus - redis.call('ZREM', KEYS[2], lineage) end
  end
end
return 1
