#!lua
-- Notes whom a connection watches, instead of whom it did before; nothing, if there is no such connection.
-- KEYS[1]    socket  HASH, see Sockets
-- ARGV[1]    prefix  of the fields of those who are watched
-- ARGV[2..]  fields  one for each of them
-- reply      the fields of those whom it watched before
local before, socket = {}, KEYS[1]
if redis.call('EXISTS', socket) == 0 then return before end
for _, field in ipairs(redis.call('HKEYS', socket)) do
  if string.sub(field, 1, #ARGV[1]) == ARGV[1] then
    before[#before + 1] = field
    redis.call('HDEL', socket, field)
  end
end
for i = 2, #ARGV do redis.call('HSET', socket, ARGV[i], '') end
return before
