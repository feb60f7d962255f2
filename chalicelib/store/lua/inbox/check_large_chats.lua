#!lua flags=allow-oom
-- Records the present digests of large chats, and moves those up that differ from the index.
-- requires: numbers, inbox_entries, large_chats
local inbox_entries = KEYS[1] -- HASH, see Inboxes
local inbox = KEYS[2] -- ZSET, see Inboxes
local active = KEYS[3] -- ZSET, see Inboxes
local large = KEYS[4] -- ZSET, see Inboxes
local round = tonumber(ARGV[1]) -- integer, µs, when the round of checks began; 0: the checks belong to none
-- ARGV[2..]: four for each chat: its id; 8 bytes, its digest; integer, the time of its newest message, µs, 0: none; integer, the
--   version with which the caller is about to send it, 0: none
-- reply: integer, how many have moved
local moved = 0
upgrade(large)

-- Returns whether a client is about to receive the entry. Its digest is absent until then: the first client that receives it
-- need not receive it twice.
local function is_sent(chat, held, version)
  return held == NO_DIGEST and version ~= '0' and tonumber(redis.call('ZSCORE', inbox, chat) or 0) == tonumber(version)
end

for i = 2, #ARGV, 4 do
  local chat, digest, time = ARGV[i], ARGV[i + 1], tonumber(ARGV[i + 2])
  local held = digest_of(inbox_entries, chat)
  if held and round > 0 then redis.call('ZADD', large, 'XX', 'GT', decimal(round), chat) end
  if held and held ~= digest then
    keep_digest(inbox_entries, chat, entry_of(inbox_entries, chat), digest)
    if time > 0 then redis.call('ZADD', active, decimal(time), chat) end
    if not is_sent(chat, held, ARGV[i + 3]) then
      move_up(inbox_entries, inbox, chat)
      moved = moved + 1
    end
  end
end
return moved
