#!lua flags=no-writes
-- Reads the ready connections of users who are not deleted.
-- requires: recipients
-- KEYS[1..]: of each user: user HASH, see Accounts; user connections HASH, see UserConnections
-- reply: {those that take JSON; that take protobuf}, see recipients
local recipients = {{}, {}}
add_users(recipients, KEYS, 2)
return {joined(recipients)}
