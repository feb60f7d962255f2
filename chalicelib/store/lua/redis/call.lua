#!lua
-- Runs one command on one key, so that a server and a cluster's client reply alike.
local key = KEYS[1] -- of any type
local command = ARGV[1] -- its name
-- ARGV[2..]: what follows the key
-- reply: the command's
return redis.call(command, key, unpack(ARGV, 2))
