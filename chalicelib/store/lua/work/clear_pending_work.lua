#!lua flags=allow-oom
-- Takes work off what is owed, unless it has been owed anew.
-- KEYS[1]  owed     HASH, see Owed and Outbox
-- ARGV[1]  item     what was done
-- ARGV[2]  version  that of the item when it was begun
-- ARGV[3...] fields  what else goes with it
-- reply    1: nothing of it is owed, 0: it is owed anew
local held = redis.call('HGET', KEYS[1], ARGV[1])
if held and held ~= ARGV[2] then return 0 end
redis.call('HDEL', KEYS[1], ARGV[1], unpack(ARGV, 3))
return 1
