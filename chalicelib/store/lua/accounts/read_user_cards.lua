#!lua flags=no-writes
-- Reads the name and avatar of users, as lists show them.
-- KEYS[1..]: of each user: user HASH, see Accounts
-- reply: {{name, avatar}, ...} in the order of the keys; {} for a user without account
local reply = {}
for i, user in ipairs(KEYS) do
  local made, deleted, name, avatar = unpack(redis.call('HMGET', user, 'made', 'deleted', 'name', 'avatar'))
  reply[i] = made and not deleted and {name or '', avatar or ''} or {}
end
return reply
