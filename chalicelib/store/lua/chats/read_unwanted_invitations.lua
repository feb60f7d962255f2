#!lua flags=no-writes
-- Reads the chats to which a user is invited by another user whom the user has blocked.
-- requires: inbox_entries
local blocked = KEYS[1] -- ZSET, see Blocks
local invitations = KEYS[2] -- ZSET, see Inboxes
local inbox_entries = KEYS[3] -- HASH, see Inboxes
local by = ARGV[1] -- handle of the other user
-- reply: the chats; none if the other user is not blocked
local reply = {}
if not redis.call('ZSCORE', blocked, by) then return reply end
for _, chat in ipairs(redis.call('ZRANGE', invitations, 0, -1)) do
  if inviter_of(inbox_entries, chat) == by then reply[#reply + 1] = chat end
end
return reply
