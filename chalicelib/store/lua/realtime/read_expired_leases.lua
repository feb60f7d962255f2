#!lua flags=no-writes
-- Reads which connections of a partition have expired without being dropped, and whose leases are too long: they end later than
-- any that is given now, so they were given before the clock fell back.
-- requires: clock, numbers
local leases = KEYS[1] -- ZSET, see UserConnections
local limit = ARGV[1] -- integer, maximum number of connections of each kind
local lease = tonumber(ARGV[2]) -- integer, µs that a connection lives
-- reply: {the expired ones, those first that expired first; those with too long leases}, each the handle, \0 and the connection
local time = now()
local function scored(from, to) return redis.call('ZRANGEBYSCORE', leases, from, to, 'LIMIT', 0, limit) end

return {scored('-inf', decimal(time)), scored('(' .. decimal(time + lease), '+inf')}
