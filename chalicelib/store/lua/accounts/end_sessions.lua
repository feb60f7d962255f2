#!lua flags=allow-oom
-- Ends sessions of a user, and perhaps every signed identity until now.
-- requires: clock, numbers
local user = KEYS[1] -- HASH, see Accounts
local sessions = KEYS[2] -- HASH, see Sessions
local prefix = ARGV[1] -- of the session's digest; empty: all sessions
local signed = ARGV[2] == '1' -- 1: end signed identities too
local made = tonumber(ARGV[3]) -- integer, µs; signed identities until then end too, in case their signer's clock is ahead
-- reply: integer, how many sessions have ended
local ended = 0
for _, digest in ipairs(redis.call('HKEYS', sessions)) do
  if string.sub(digest, 1, #prefix) == prefix then ended = ended + redis.call('HDEL', sessions, digest) end
end
if signed and redis.call('EXISTS', user) == 1 then
  redis.call('HSET', user, 'since', decimal(math.max(now(), made)))
end
return ended
