#!lua flags=allow-oom
-- Notes search terms of a group or room, or strikes some off; for one that never was, does nothing.
-- KEYS[1]  chat   HASH, see ChatTerms
-- ARGV[1]  terms to note, each without a NUL, joined by it; may be empty
-- ARGV[2]  terms to strike off, the same
-- reply    1: done, 0: there never was such a chat
local function each(joined) return string.gmatch(joined, '[^%z]+') end

if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
local noted, terms = {}, {}
for term in each(redis.call('HGET', KEYS[1], 'terms') or '') do noted[term] = true end
for term in each(ARGV[1]) do noted[term] = true end
for term in each(ARGV[2]) do noted[term] = nil end
for term in pairs(noted) do terms[#terms + 1] = term end
if #terms == 0 then
  redis.call('HDEL', KEYS[1], 'terms')
else
  redis.call('HSET', KEYS[1], 'terms', table.concat(terms, '\0'))
end
return 1
