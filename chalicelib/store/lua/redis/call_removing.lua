#!lua flags=allow-oom
-- Runs one command that removes on one key, also on a store without memory; see call.
-- KEYS[1]   key      any
-- ARGV[1]   command  its name
-- ARGV[2..] rest     what follows the key
-- reply     the command's
return redis.call(ARGV[1], KEYS[1], unpack(ARGV, 2))
