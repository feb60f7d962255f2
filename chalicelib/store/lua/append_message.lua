#!lua
-- Appends one message to a chat's log in one step, at most once for an idempotency id.
-- KEYS[1]     log          LIST, see MessageLog
-- KEYS[2..5]  ids          HASH, four UTC days in a row, the store's today and yesterday among them as long
--                          as the caller's clock is less than a day off; absent when the message has no id
-- ARGV[1]     body         msgpack array, opaque here
-- ARGV[2]     keep         integer, how many messages the log may hold; 0: all
-- ARGV[3]     field        8 bytes, digest of sender and id
-- ARGV[4]     fingerprint  8 bytes, digest of the content
-- ARGV[5]     day          integer, the UTC day of KEYS[2]
-- ARGV[6]     ttl          integer, seconds an ids key lives after its last write
-- reply       {seq, time in µs, outcome}   outcome 0: stored, 1: was stored before, 2: the id has other content
local log, keep = KEYS[1], tonumber(ARGV[2])
local clock = redis.call('TIME')
local time = clock[1] * 1000000 + clock[2]
local today

if #KEYS > 1 then
  for i = 2, #KEYS do
    local held = redis.call('HGET', KEYS[i], ARGV[3])
    if held then
      local fingerprint, sent, seq = struct.unpack('>c8I8I6', held)
      return {seq, sent, fingerprint == ARGV[4] and 1 or 2}
    end
  end
  local offset = math.floor(clock[1] / 86400) - tonumber(ARGV[5])
  today = KEYS[2 + math.max(0, math.min(offset, #KEYS - 2))]
end

local header = redis.call('LINDEX', log, 0)
if header then
  local last = redis.call('LINDEX', log, -1)
  time = math.max(time, (struct.unpack('>I8', last, 2)))
else
  header = struct.pack('>BI8I8', 0, 0, time)
  redis.call('RPUSH', log, header)
end
local base, epoch = struct.unpack('>I8I8', header, 2)
local held = redis.call('RPUSH', log, struct.pack('>BI8', 1, time) .. ARGV[1]) - 1
local seq = base + held

local surplus = held - keep
if keep > 0 and surplus > 0 then
  redis.call('LSET', log, surplus, struct.pack('>BI8I8', 0, base + surplus, epoch))
  redis.call('LTRIM', log, surplus, -1)
end

if today then
  redis.call('HSET', today, ARGV[3], ARGV[4] .. struct.pack('>I8I6', time, seq))
  redis.call('EXPIRE', today, ARGV[6])
end
return {seq, time, 0}
