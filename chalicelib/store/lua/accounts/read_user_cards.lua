#!lua flags=no-writes
-- Reads what lists show of users.
-- KEYS[1..] users  HASH, see Accounts
-- reply     {{name, avatar}, ...} in the order of the keys; {} for one who is gone
local reply = {}
for i, user in ipairs(KEYS) do
  local made, deleted, name, avatar = unpack(redis.call('HMGET', user, 'made', 'deleted', 'name', 'avatar'))
  reply[i] = made and not deleted and {name or '', avatar or ''} or {}
end
return reply
