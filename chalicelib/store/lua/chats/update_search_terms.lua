#!lua flags=allow-oom
-- Adds search terms to the record of a group or room, or removes some; does nothing for one that never existed.
local chat = KEYS[1] -- HASH, see ChatTerms
local added = ARGV[1] -- terms, each without a NUL, joined by it; may be empty
local removed = ARGV[2] -- the same
-- reply: 1: done, 0: the chat never existed
local function each(joined) return string.gmatch(joined, '[^%z]+') end

if redis.call('EXISTS', chat) == 0 then return 0 end
local kept, terms = {}, {}
for term in each(redis.call('HGET', chat, 'terms') or '') do kept[term] = true end
for term in each(added) do kept[term] = true end
for term in each(removed) do kept[term] = nil end
for term in pairs(kept) do terms[#terms + 1] = term end
if #terms == 0 then
  redis.call('HDEL', chat, 'terms')
else
  redis.call('HSET', chat, 'terms', table.concat(terms, '\0'))
end
return 1
