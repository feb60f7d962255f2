#!lua
-- Runs one command on one key, so that a reply is the same from a server and from a cluster's client.
-- KEYS[1]   key      any
-- ARGV[1]   command  its name
-- ARGV[2..] rest     what follows the key
-- reply     the command's
return redis.call(ARGV[1], KEYS[1], unpack(ARGV, 2))
