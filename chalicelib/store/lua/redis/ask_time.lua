#!lua flags=no-writes
-- Asks for the time: its caller learns whether a script may.
-- requires: clock
-- KEYS[1]: any key, which is not touched; ElastiCache Serverless runs no script without one
-- reply: integer, the time in µs
return now()
