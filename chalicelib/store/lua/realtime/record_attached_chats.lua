#!lua
-- Notes chats to which a connection is attached.
-- KEYS[1]    socket  HASH, see Sockets
-- ARGV[1..]  fields  one for each chat
-- reply      1: noted, 0: there is no such connection
if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
for i = 1, #ARGV do redis.call('HSET', KEYS[1], ARGV[i], '') end
return 1
