#!lua flags=no-writes
-- Reads which chats a user is invited to by another one whom they have blocked.
-- requires: inbox_entries
-- KEYS[1]  blocked      ZSET, see Blocks
-- KEYS[2]  invitations  ZSET, see Inboxes
-- KEYS[3]  chats        HASH, see Inboxes
-- ARGV[1]  by           handle of the other user
-- reply    the chats; none if the other is not blocked
local reply = {}
if not redis.call('ZSCORE', KEYS[1], ARGV[1]) then return reply end
for _, chat in ipairs(redis.call('ZRANGE', KEYS[2], 0, -1)) do
  if inviter_of(KEYS[3], chat) == ARGV[1] then reply[#reply + 1] = chat end
end
return reply
