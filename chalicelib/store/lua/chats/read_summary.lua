#!lua flags=no-writes
-- Reads what an inbox shows of a chat to one reader, and no more than they may see.
-- requires: numbers, permissions
-- KEYS[1]  log      LIST, see MessageLog
-- KEYS[2]  chat     HASH, see Chats; absent for a chat of two
-- KEYS[3]  members  HASH, see Chats; absent for a chat of two
-- KEYS[4]  others   HASH, see Chats; absent for a chat of two
-- KEYS[5]  readers  HASH, see Readers
-- KEYS[6]  uncounted ZSET, see Chats
-- ARGV[1]  reader   handle
-- ARGV[2]  kind     of the chat, 'group' (or a room) or 'direct'
-- reply    {state, role, muted until in µs, base, head, epoch, newest message or '', seq and time of the newest system
--          message, read, received, stamp, flags, unread, 1: large, members, field and value of the chat...}; what is
--          not for the reader is 0 or absent
local reader, kind = ARGV[1], ARGV[2]
local seen = judged(reader, kind)
local own = seen.own or reader_of(KEYS[5], reader)
if seen.state == GONE then return {GONE, 0, 0, 0, 0, 0, '', 0, 0, 0, 0, 0, 0, 0, 0, 0} end

local shows_info = seen.state == MEMBER or seen.state == INVITED
local change, changed, members, info = 0, 0, 0, {}
if kind == GROUP then
  local fields = redis.call('HMGET', KEYS[2], 'join', 'change_seq', 'change_time')
  change, changed = tonumber(fields[2]) or 0, tonumber(fields[3]) or 0
  shows_info = shows_info or (seen.state ~= BANNED and fields[1] ~= 'invite')
  if shows_info then members, info = redis.call('HLEN', KEYS[3]), redis.call('HGETALL', KEYS[2]) end
end
if not seen.reads then seen.epoch = 0 end
if not seen.reads or change > seen.head then change, changed = 0, 0 end

local unread = 0
if seen.state == MEMBER then
  local from = math.max(own.read, seen.since, seen.base)
  unread = math.max(seen.head - from, 0)
  if unread > 0 and kind == GROUP then
    unread = unread - redis.call('ZCOUNT', KEYS[6], '(' .. decimal(from), seen.head)
  end
end

local reply = {
  seen.state, seen.role, seen.muted, seen.base, seen.head, seen.epoch, newest_seen(seen) or '', change, changed,
  own.read, own.received, own.stamp, own.flags, unread, shows_info and seen.large and 1 or 0, members
}
for i = 1, #info do reply[#reply + 1] = info[i] end
return reply
