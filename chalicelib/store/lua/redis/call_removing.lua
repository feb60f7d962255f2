#!lua flags=allow-oom
-- Runs one command that removes on one key, also on a store without memory; see call.
local key = KEYS[1] -- of any type
local command = ARGV[1] -- its name
-- ARGV[2..]: what follows the key
-- reply: the command's
return redis.call(command, key, unpack(ARGV, 2))
