#!lua flags=no-writes
-- Asks for the time, by which its caller learns whether a script may.
-- KEYS[1]  any  key; ElastiCache Serverless runs no script without one
-- reply    as of TIME
return redis.call('TIME')
