#!lua flags=allow-oom
-- Forgets a connection.
-- KEYS[1]  socket  HASH, see Sockets
-- reply    its fields and values; {}: there was none
local held = redis.call('HGETALL', KEYS[1])
redis.call('DEL', KEYS[1])
return held
