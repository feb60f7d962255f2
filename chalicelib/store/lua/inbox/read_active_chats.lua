#!lua flags=no-writes
-- Reads a page of a user's chats by their last activity, from the newest down, and large chats to check.
-- requires: byte_order, large_chats
local active = KEYS[1] -- ZSET, see Inboxes
local inbox_entries = KEYS[2] -- HASH, see Inboxes
local large = KEYS[3] -- ZSET, see Inboxes
local before_time = ARGV[1] -- integer, of the chat before the page, µs; empty: from the top
local before_chat = ARGV[2] -- that chat
local above = '(' .. ARGV[3] -- integer, only later activity, µs
local limit = tonumber(ARGV[4]) -- integer, maximum number of chats
local most = tonumber(ARGV[5]) -- integer, maximum number of large chats
-- reply: {{chat, time, ...}, large chats, see unchecked}
local page = {}

-- Chats of the same time are in the order of their ids: of those, the ones before the page are left out.
local function fill(from, keep)
  local skip = 0
  while #page < 2 * limit do
    local found = redis.call('ZREVRANGEBYSCORE', active, from, above, 'WITHSCORES', 'LIMIT', skip, limit)
    for i = 1, #found, 2 do
      if #page < 2 * limit and keep(found[i], found[i + 1]) then
        page[#page + 1], page[#page + 2] = found[i], found[i + 1]
      end
    end
    if #found < 2 * limit then return end
    skip = skip + limit
  end
end

if before_time == '' then
  fill('+inf', function() return true end)
else
  local time = tonumber(before_time)
  fill(before_time, function(chat, score) return tonumber(score) < time or below(chat, before_chat) end)
end
return {page, unchecked(inbox_entries, large, 0, most)}
