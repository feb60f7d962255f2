#!lua
-- Records chats to which a connection is attached.
local connection = KEYS[1] -- HASH, see Connections
-- ARGV[1..]: fields, one for each chat
-- reply: 1: recorded, 0: there is no such connection
if redis.call('EXISTS', connection) == 0 then return 0 end
for _, field in ipairs(ARGV) do redis.call('HSET', connection, field, '') end
return 1
