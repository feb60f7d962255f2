#!lua flags=no-writes
-- Reads what decides whether somebody may be put into a chat by another user.
-- requires: inbox_entries
-- KEYS[1]  user         HASH, see Accounts
-- KEYS[2]  blocked      ZSET, see Blocks
-- KEYS[3]  following    ZSET, see Follows
-- KEYS[4]  invitations  ZSET, see Inboxes
-- KEYS[5]  large        ZSET, see Inboxes
-- KEYS[6]  chats        HASH, see Inboxes
-- ARGV[1]  by           handle of the other user
-- reply    {0: no account, 1: an account, 2: a deleted one; 1: has blocked the other, 0: not; 1: follows the other, 0: not; how
--          many invitations wait; how many of them are by the other; in how many large chats they are; who may add them, '' for the default}
local fields = redis.call('HMGET', KEYS[1], 'made', 'deleted', 'who_may_add_me')
local state = fields[2] and 2 or redis.call('EXISTS', KEYS[1])
local blocks, follows = redis.call('ZSCORE', KEYS[2], ARGV[1]), redis.call('ZSCORE', KEYS[3], ARGV[1])
local large = redis.call(redis.call('TYPE', KEYS[5]).ok == 'set' and 'SCARD' or 'ZCARD', KEYS[5])
local waiting, by_other = redis.call('ZRANGE', KEYS[4], 0, -1), 0
for _, chat in ipairs(waiting) do
  if inviter_of(KEYS[6], chat) == ARGV[1] then by_other = by_other + 1 end
end
return {state, blocks and 1 or 0, follows and 1 or 0, #waiting, by_other, large, fields[3] or ''}
