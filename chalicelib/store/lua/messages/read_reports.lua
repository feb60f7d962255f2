#!lua flags=no-writes
-- Reads the reports that a user has made in a chat.
-- requires: reports_of
local reports = KEYS[1] -- HASH, see Reports
local reporter = ARGV[1] -- handle
-- reply: {field, record, ...}
local reply = {}
for _, field in ipairs(reports_of(reports, reporter)) do
  reply[#reply + 1], reply[#reply + 2] = field, redis.call('HGET', reports, field)
end
return reply
