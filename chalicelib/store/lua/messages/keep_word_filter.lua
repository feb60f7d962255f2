#!lua
-- Keeps the filter of a block of messages, unless one of them has changed since the filter was made.
-- requires: chat_log, word_filters
local log = KEYS[1] -- LIST, see MessageLog
local word_filters = KEYS[2] -- HASH, see WordFilters
local block = tonumber(ARGV[1]) -- integer, number of the block
local filter = ARGV[2] -- bytes, opaque here
local digest = ARGV[3] -- SHA-1 in hexadecimal of the elements of these messages, one after the other
-- reply: 1: kept, 0: the block has changed, or is not whole
local base, head = bounds(log)
local first, last = math.max(block * BLOCK, base) + 1, (block + 1) * BLOCK
if first > last or last > head then return 0 end
local elements = redis.call('LRANGE', log, first - base, last - base)
if redis.sha1hex(table.concat(elements)) ~= digest then return 0 end
drop_trimmed_word_filters(word_filters, base)
redis.call('HSET', word_filters, block, filter)
return 1
