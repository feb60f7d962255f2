#!lua flags=allow-oom
-- Removes the reports that a user has made in a chat.
-- requires: reports_of
local reports = KEYS[1] -- HASH, see Reports
local reporter = ARGV[1] -- handle
-- reply: integer, how many there were
local own = reports_of(reports, reporter)
return #own > 0 and redis.call('HDEL', reports, unpack(own)) or 0
