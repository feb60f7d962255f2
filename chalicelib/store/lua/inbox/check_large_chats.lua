#!lua flags=allow-oom
-- Notes how large chats are now, and that those have moved that are not as the index held them.
-- requires: numbers, inbox_entries, large_chats
-- KEYS[1]   chats   HASH, see Inboxes
-- KEYS[2]   inbox   ZSET, see Inboxes
-- KEYS[3]   active  ZSET, see Inboxes
-- KEYS[4]   large   ZSET, see Inboxes
-- ARGV[1]   round   integer, µs, when the round of checks began; 0: the checks are of none
-- ARGV[2..] four for each chat: its id; 8 bytes, the digest of how it is; integer, the time of its newest message, µs, 0
--           for none; integer, the version at which it is about to be told so, 0: it is not
-- reply     integer, how many have moved
local chats, inbox, active, large, round = KEYS[1], KEYS[2], KEYS[3], KEYS[4], tonumber(ARGV[1])
local moved = 0
upgrade(large)

-- A digest is absent as long as nobody was told of the version: then who is told first need not be told twice.
local function is_told(chat, held, version)
  return held == NO_DIGEST and version ~= '0' and tonumber(redis.call('ZSCORE', inbox, chat) or 0) == tonumber(version)
end

for i = 2, #ARGV, 4 do
  local chat, digest, time = ARGV[i], ARGV[i + 1], tonumber(ARGV[i + 2])
  local held = digest_of(chats, chat)
  if held and round > 0 then redis.call('ZADD', large, 'XX', 'GT', decimal(round), chat) end
  if held and held ~= digest then
    keep_digest(chats, chat, place_of(chats, chat), digest)
    if time > 0 then redis.call('ZADD', active, decimal(time), chat) end
    if not is_told(chat, held, ARGV[i + 3]) then
      bump(chats, inbox, chat)
      moved = moved + 1
    end
  end
end
return moved
