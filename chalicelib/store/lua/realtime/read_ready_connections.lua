#!lua flags=no-writes
-- Reads the ready connections of users who are not deleted.
-- requires: recipients
-- KEYS[1..]: of each user: user HASH, see Accounts; user connections HASH, see UserConnections
-- reply: {those that take JSON; that take protobuf}, see recipients
local recipients = {{}, {}}
for i = 1, #KEYS, 2 do
  if redis.call('HEXISTS', KEYS[i], 'deleted') == 0 then add_ready(recipients, KEYS[i + 1]) end
end
return {joined(recipients)}
