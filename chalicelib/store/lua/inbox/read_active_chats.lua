#!lua flags=no-writes
-- Reads a page of a user's chats by their last activity, from the highest down, and large ones that are to be checked.
-- requires: byte_order, large_chats
-- KEYS[1]  active  ZSET, see Inboxes
-- KEYS[2]  chats   HASH, see Inboxes
-- KEYS[3]  large   ZSET, see Inboxes
-- ARGV[1]  time    integer, of the chat before the page, µs; empty: from the top
-- ARGV[2]  chat    that chat
-- ARGV[3]  since   integer, only what was active later, µs
-- ARGV[4]  limit   integer, chats at the most
-- ARGV[5]  most    integer, large chats at most
-- reply    {{chat, time, ...}, large chats, see unchecked}
local active, limit, above = KEYS[1], tonumber(ARGV[4]), '(' .. ARGV[3]
local page = {}

-- Chats of the same time are in the order of their ids, so of those the ones before the page are left out.
local function take(from, keep)
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

if ARGV[1] == '' then
  take('+inf', function() return true end)
else
  local time = tonumber(ARGV[1])
  take(ARGV[1], function(chat, score) return tonumber(score) < time or below(chat, ARGV[2]) end)
end
return {page, unchecked(KEYS[2], KEYS[3], 0, tonumber(ARGV[5]))}
