-- Appends messages to a chat's log.

-- Appends a message and trims the log. Returns its seq, its time and the log's epoch, µs.
-- log: LIST, see MessageLog. uncounted: ZSET, see Chats. body: msgpack array. keep: maximum number of messages in the log,
-- 0: all. time: now, µs.
local function add_message(log, uncounted, body, keep, time)
  local header = redis.call('LINDEX', log, 0)
  if header then
    local last = redis.call('LINDEX', log, -1)
    time = math.max(time, struct.unpack('>I8', last, 2) + 1)
  else
    header = struct.pack('>BI8I8', 0, 0, time)
    redis.call('RPUSH', log, header)
  end
  local base, epoch = struct.unpack('>I8I8', header, 2)
  local held = redis.call('RPUSH', log, struct.pack('>BI8', 1, time) .. body) - 1

  local surplus = held - keep
  if keep > 0 and surplus > 0 then
    redis.call('LSET', log, surplus, struct.pack('>BI8I8', 0, base + surplus, epoch))
    redis.call('LTRIM', log, surplus, -1)
    redis.call('ZREMRANGEBYSCORE', uncounted, '-inf', base + surplus)
  end
  return base + held, time, epoch
end
