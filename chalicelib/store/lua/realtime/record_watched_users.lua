#!lua
-- Records the users that a connection watches, in place of those before; does nothing if there is no such connection.
local connection = KEYS[1] -- HASH, see Connections
local prefix = ARGV[1] -- of the fields of watched users
-- ARGV[2..]: fields, one for each user
-- reply: the fields of the users that it watched before
local before = {}
if redis.call('EXISTS', connection) == 0 then return before end
for _, field in ipairs(redis.call('HKEYS', connection)) do
  if string.sub(field, 1, #prefix) == prefix then
    before[#before + 1] = field
    redis.call('HDEL', connection, field)
  end
end
for i = 2, #ARGV do redis.call('HSET', connection, ARGV[i], '') end
return before
