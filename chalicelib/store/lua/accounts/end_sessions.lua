#!lua flags=allow-oom
-- Ends sessions of a user, and what was signed for them until now.
-- requires: clock, numbers
-- KEYS[1]  user      HASH, see Accounts
-- KEYS[2]  sessions  HASH, see Sessions
-- ARGV[1]  prefix    what the digest of the session begins with; empty for all
-- ARGV[2]  signed    1: what was signed for the user until now counts no more either
-- ARGV[3]  made      integer, µs: nor does what was signed until then, which a clock ahead of the store's may put later
-- reply    integer, how many sessions have ended
local ended = 0
for _, digest in ipairs(redis.call('HKEYS', KEYS[2])) do
  if string.sub(digest, 1, #ARGV[1]) == ARGV[1] then ended = ended + redis.call('HDEL', KEYS[2], digest) end
end
if ARGV[2] == '1' and redis.call('EXISTS', KEYS[1]) == 1 then
  redis.call('HSET', KEYS[1], 'since', decimal(math.max(now(), tonumber(ARGV[3]))))
end
return ended
