#!lua flags=no-writes
-- Reads the ready connections of each of some users who are not deleted.
-- requires: recipients
-- KEYS[1..]: of each user: user HASH, see Accounts; user connections HASH, see UserConnections
-- reply: {place of a user in the keys, from 1; their connections that take JSON; that take protobuf, see recipients; ...}; a user
--   without connections is left out
local reply = {}
for i = 1, #KEYS, 2 do
  local recipients = {{}, {}}
  add_users(recipients, {KEYS[i], KEYS[i + 1]}, 2)
  if #recipients[1] + #recipients[2] > 0 then
    reply[#reply + 1] = (i + 1) / 2
    reply[#reply + 1], reply[#reply + 2] = joined(recipients)
  end
end
return reply
