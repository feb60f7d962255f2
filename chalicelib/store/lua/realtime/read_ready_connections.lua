#!lua flags=no-writes
-- Reads the ready connections of users of a partition who are not deleted.
-- requires: recipients
-- KEYS[1...] of each user: user HASH, see Accounts; connections HASH, see Presence
-- reply      {those that take JSON; those that take protobuf}, see targets
local targets = {{}, {}}
for i = 1, #KEYS, 2 do
  if redis.call('HEXISTS', KEYS[i], 'deleted') == 0 then add_ready(targets, KEYS[i + 1]) end
end
return {told(targets)}
