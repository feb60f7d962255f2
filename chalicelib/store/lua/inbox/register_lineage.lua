#!lua flags=allow-oom
-- Records the highest version that a lineage of sync tokens has reached.
local inbox_entries = KEYS[1] -- HASH, see Inboxes
local lineages = KEYS[2] -- ZSET, see Inboxes
local lineage = ARGV[1]
local version = ARGV[2] -- integer, µs
local most = tonumber(ARGV[3]) -- integer, maximum number of lineages; of the others those with the lowest versions go
-- reply: 1: recorded, 0: the user's chats do not have that version any more
if tonumber(version) > (tonumber(redis.call('HGET', inbox_entries, 'version')) or 0) then return 0 end
local highest = tonumber(redis.call('ZSCORE', lineages, lineage) or -1)
if highest < tonumber(version) then
  redis.call('ZADD', lineages, version, lineage)
  local surplus = redis.call('ZCARD', lineages) - most
  for _, other in ipairs(surplus > 0 and redis.call('ZRANGE', lineages, 0, surplus) or {}) do
    if surplus > 0 and other ~= lineage then surplus = surplus - redis.call('ZREM', lineages, other) end
  end
end
return 1
