#!lua flags=allow-oom
-- Deletes the record of a connection.
local connection = KEYS[1] -- HASH, see Connections
-- reply: its fields and values; {}: there was none
local held = redis.call('HGETALL', connection)
redis.call('DEL', connection)
return held
