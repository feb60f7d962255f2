#!lua flags=allow-oom
-- Trims some messages that a chat no longer keeps, and removes what other keys hold of trimmed messages.
-- requires: clock, numbers, append, batches, chat_log, memberships, newest_change, retention, word_filters
local log = KEYS[1] -- LIST, see MessageLog
local chat = KEYS[2] -- HASH, see Chats; of a direct chat only its settings
local uncounted = KEYS[3] -- ZSET, see Chats
local changes = KEYS[4] -- ZSET, see Chats
local reactions = KEYS[5] -- ZSET, see Reactions
local threads = KEYS[6] -- ZSET, see Threads
local pins = KEYS[7] -- ZSET, see Pins
local reports = KEYS[8] -- HASH, see Reports
local word_filters = KEYS[9] -- HASH, see WordFilters
local retained = KEYS[10] -- ZSET, see Retention
local id = ARGV[1] -- of the chat
local kind = ARGV[2] -- of the chat, 'group' (or a room) or 'direct'
local keep = tonumber(ARGV[3]) -- integer, maximum number of messages in the log by the server's setting; 0: all
local days = tonumber(ARGV[4]) -- integer, days for which messages are kept by the server's setting; 0: for good
local most = tonumber(ARGV[5]) -- integer, maximum number of messages that one call trims, and of those that it cleans up after
-- reply: {number of messages that were trimmed, 1: another call is needed now}
local header = redis.call('LINDEX', log, 0)
if kind == GROUP then
  local deleted, own_keep, own_days = unpack(redis.call('HMGET', chat, 'deleted', 'keep', 'keep_days'))
  if deleted then header = nil end
  keep, days = tighter(keep, tonumber(own_keep) or 0), tighter(days, tonumber(own_days) or 0)
end
if not header then
  redis.call('ZREM', retained, id)
  return {0, 0}
end
local base, head = bounds(log)
local time = now()

-- Returns how many of the oldest messages are too old.
local function too_old()
  local count, newest_gone = 0, time - days * DAY
  while days > 0 and count < math.min(most, head - base) do
    if struct.unpack('>I8', redis.call('LINDEX', log, count + 1), 2) > newest_gone then break end
    count = count + 1
  end
  return count
end

-- Removes what other keys hold of messages with seqs above one, up to another.
local function clean_up(from, upto)
  local _, newest_subject = last_change(changes)
  local seqs, packed, subjects = {}, {}, {}
  for seq = from + 1, upto do
    local subject = 'e:' .. seq
    seqs[#seqs + 1], packed[#packed + 1] = seq, struct.pack('>I8', seq)
    if subject ~= newest_subject then subjects[#subjects + 1] = subject end -- numbers never fall
  end
  in_batches('ZREM', pins, seqs)
  in_batches('ZREM', threads, packed)
  in_batches('ZREM', changes, subjects)
  redis.call('ZREMRANGEBYSCORE', reactions, '-inf', upto)
  redis.call('ZREMRANGEBYSCORE', uncounted, '-inf', upto)
  drop_trimmed_word_filters(word_filters, upto)
  for _, field in ipairs(redis.call('HKEYS', reports)) do
    if tonumber(string.match(field, '%z(%d+)$')) <= upto then redis.call('HDEL', reports, field) end
  end
end

local surplus = keep > 0 and math.max(head - base - keep, 0) or 0
local trimmed = math.min(most, math.max(surplus, too_old()))
if trimmed > 0 then trim(log, header, trimmed) end
local _, epoch = struct.unpack('>I8I8', header, 2)
base = base + trimmed
local cleaned = cleaned_of(header)
if redis.call('EXISTS', changes, reactions, threads, pins, reports, word_filters) == 0 then cleaned = math.max(base - most, cleaned) end
local upto = math.min(cleaned + most, base)
if upto > cleaned then clean_up(cleaned, upto) end
redis.call('LSET', log, 0, struct.pack('>BI8I8I8', 0, base, epoch, upto))

if trimmed == most or upto < base then
  redis.call('ZADD', retained, decimal(time), id)
  return {trimmed, 1}
end
if days == 0 then
  redis.call('ZREM', retained, id)
else
  local oldest = head > base and struct.unpack('>I8', redis.call('LINDEX', log, 1), 2) or time
  redis.call('ZADD', retained, decimal(oldest + days * DAY), id)
end
return {trimmed, 0}
