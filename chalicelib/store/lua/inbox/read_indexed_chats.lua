#!lua flags=no-writes
-- Reads what a user's index says of the chats that moved between two versions.
-- requires: clock, entry_states, inbox_entries
-- KEYS[1]  chats   HASH, see Inboxes
-- KEYS[2]  inbox   ZSET, see Inboxes
-- KEYS[3]  active  ZSET, see Inboxes
-- ARGV[1]  after   integer, µs, the version that they are above
-- ARGV[2]  upto    integer, µs, the highest version
-- ARGV[3]  most    integer, chats at the most
-- ARGV[4]  side    'first' or 'last' of them
-- reply    {the store's time in µs, {chat, version, stamp in µs, state, time of the newest message in µs, 0 for none}...}
local reply = {now()}
local above, found = '(' .. ARGV[1], {}
if ARGV[4] == 'first' then
  found = redis.call('ZRANGEBYSCORE', KEYS[2], above, ARGV[2], 'WITHSCORES', 'LIMIT', 0, ARGV[3])
else
  found = redis.call('ZREVRANGEBYSCORE', KEYS[2], ARGV[2], above, 'WITHSCORES', 'LIMIT', 0, ARGV[3])
end
for i = 1, #found, 2 do
  local stamp, state, floor = place_of(KEYS[1], found[i])
  local time = (floor == EMPTY or state == LARGE) and 0 or active_of(KEYS[3], found[i])
  reply[#reply + 1] = {found[i], tonumber(found[i + 1]), stamp or 0, state or IN, time}
end
return reply
