-- Reads where a chat's log begins and ends, see MessageLog.

-- Returns base, head and epoch of a log; 0 each before the first message.
local function bounds(log)
  local header = redis.call('LINDEX', log, 0)
  if not header then return 0, 0, 0 end
  local base, epoch = struct.unpack('>I8I8', header, 2)
  return base, base + redis.call('LLEN', log) - 1, epoch
end

-- Returns seq and time of the newest message of a log; the time is 0 if the log holds none.
local function newest(log)
  local base, head = bounds(log)
  if head == base then return head, 0 end
  return head, (struct.unpack('>I8', redis.call('LINDEX', log, -1), 2))
end
