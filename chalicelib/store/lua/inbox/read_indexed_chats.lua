#!lua flags=no-writes
-- Reads what a user's index says of the chats that moved between two versions.
-- requires: clock, entry_states, inbox_entries
local inbox_entries = KEYS[1] -- HASH, see Inboxes
local inbox = KEYS[2] -- ZSET, see Inboxes
local active = KEYS[3] -- ZSET, see Inboxes
local above = '(' .. ARGV[1] -- integer, µs, only higher versions
local upto = ARGV[2] -- integer, µs, the highest version
local limit = ARGV[3] -- integer, maximum number of chats
local side = ARGV[4] -- 'first' or 'last' of them
-- reply: {the store's time in µs, {chat, version, stamp in µs, state, time of the newest message in µs, 0: none}...}
local reply, found = {now()}, {}
if side == 'first' then
  found = redis.call('ZRANGEBYSCORE', inbox, above, upto, 'WITHSCORES', 'LIMIT', 0, limit)
else
  found = redis.call('ZREVRANGEBYSCORE', inbox, upto, above, 'WITHSCORES', 'LIMIT', 0, limit)
end
for i = 1, #found, 2 do
  local stamp, state, floor = entry_of(inbox_entries, found[i])
  local time = (floor == EMPTY or state == LARGE) and 0 or activity_of(active, found[i])
  reply[#reply + 1] = {found[i], tonumber(found[i + 1]), stamp or 0, state or IN, time}
end
return reply
