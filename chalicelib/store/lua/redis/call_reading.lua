#!lua flags=no-writes
-- Runs one command that reads on one key, also on a store that refuses writes; see call.
local key = KEYS[1] -- of any type
local command = ARGV[1] -- its name
-- ARGV[2..]: what follows the key
-- reply: the command's
return redis.call(command, key, unpack(ARGV, 2))
