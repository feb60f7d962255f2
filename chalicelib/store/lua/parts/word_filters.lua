-- Drops filters of the words in messages, see WordFilters.
-- requires: batches
local BLOCK = 128 -- number of messages of a filter

-- Drops the filter of a message that has changed: it would keep bits of what the message said, and miss what it says now.
-- word_filters: HASH. seq: integer.
local function drop_word_filter(word_filters, seq)
  redis.call('HDEL', word_filters, math.floor((seq - 1) / BLOCK))
end

-- Drops the filters of trimmed messages. word_filters: HASH. base: integer, number of messages trimmed from the log.
local function drop_trimmed_word_filters(word_filters, base)
  local kept, gone = math.floor(base / BLOCK), {}
  if kept == 0 or redis.call('EXISTS', word_filters) == 0 then return end
  for block = tonumber(redis.call('HGET', word_filters, 'first') or 0), kept - 1 do gone[#gone + 1] = block end
  if #gone == 0 then return end
  in_batches('HDEL', word_filters, gone)
  redis.call('HSET', word_filters, 'first', kept)
end
