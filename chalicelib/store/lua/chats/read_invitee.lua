#!lua flags=no-writes
-- Reads what decides whether another user may add a user to a chat.
-- requires: inbox_entries
local user = KEYS[1] -- HASH, see Accounts
local blocked = KEYS[2] -- ZSET, see Blocks
local following = KEYS[3] -- ZSET, see Follows
local invitations = KEYS[4] -- ZSET, see Inboxes
local large = KEYS[5] -- ZSET, see Inboxes
local inbox_entries = KEYS[6] -- HASH, see Inboxes
local by = ARGV[1] -- handle of the other user
-- reply: {0: no account, 1: an account, 2: a deleted one; 1: has blocked the other, 0: has not; 1: follows the other, 0: does
--   not; number of waiting invitations; how many of them are by the other; number of large chats; who may add the user, '' for
--   the default}
local fields = redis.call('HMGET', user, 'made', 'deleted', 'who_may_add_me')
local status = fields[2] and 2 or redis.call('EXISTS', user)
local blocks, follows = redis.call('ZSCORE', blocked, by), redis.call('ZSCORE', following, by)
local large_chats = redis.call(redis.call('TYPE', large).ok == 'set' and 'SCARD' or 'ZCARD', large)
local waiting, by_other = redis.call('ZRANGE', invitations, 0, -1), 0
for _, chat in ipairs(waiting) do
  if inviter_of(inbox_entries, chat) == by then by_other = by_other + 1 end
end
return {status, blocks and 1 or 0, follows and 1 or 0, #waiting, by_other, large_chats, fields[3] or ''}
