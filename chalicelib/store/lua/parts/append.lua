-- Appends messages to a chat's log.
-- requires: element

local HEADER_BYTES, MOST_TRIMMED = 17, 1000 -- bytes of a header without `cleaned`; messages that one append trims

-- Returns the seq up to which no other key holds anything of the trimmed messages of a log, see MessageLog.
local function cleaned_of(header)
  return #header > HEADER_BYTES and struct.unpack('>I8', header, HEADER_BYTES + 1) or 0
end

-- Trims the oldest messages of a log. header: its first element. count: at least 1, at most all.
local function trim(log, header, count)
  local base, epoch = struct.unpack('>I8I8', header, 2)
  redis.call('LSET', log, count, struct.pack('>BI8I8', 0, base + count, epoch) .. string.sub(header, HEADER_BYTES + 1))
  redis.call('LTRIM', log, count, -1)
end

-- Appends a message and trims the log. Returns its seq, its time, the log's epoch, when the message expires, µs, and whether
-- messages were trimmed.
-- log: LIST, see MessageLog. uncounted: ZSET, see Chats. body: msgpack array. keep: maximum number of messages in the log,
-- 0: all. time: now, µs. lifetime: seconds until it expires, 0: never. root: seq of its thread's root, 0: it is
-- in none. Both are nil for a message with neither.
local function add_message(log, uncounted, body, keep, time, lifetime, root)
  local header = redis.call('LINDEX', log, 0)
  if header then
    local last = redis.call('LINDEX', log, -1)
    time = math.max(time, struct.unpack('>I8', last, 2) + 1)
  else
    header = struct.pack('>BI8I8', 0, 0, time)
    redis.call('RPUSH', log, header)
  end
  local base, epoch = struct.unpack('>I8I8', header, 2)
  local expires, element = 0, nil
  if lifetime and (lifetime > 0 or root > 0) then
    if lifetime > 0 then expires = time + lifetime * 1000000 end
    element = extended(time, 0, expires, root, body)
  else
    element = struct.pack('>BI8', 1, time) .. body
  end
  local held = redis.call('RPUSH', log, element) - 1

  local surplus = keep > 0 and math.min(held - keep, MOST_TRIMMED) or 0
  if surplus > 0 then
    trim(log, header, surplus)
    redis.call('ZREMRANGEBYSCORE', uncounted, '-inf', base + surplus)
  end
  return base + held, time, epoch, expires, surplus > 0
end
