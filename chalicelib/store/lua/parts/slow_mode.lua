-- Keeps members from writing too often to a chat in slow mode.
local LONGEST_SLOW = 6 * 3600 -- seconds, the longest pause that a chat can ask for

-- Returns for how many µs a member may not write; 0: now they may.
-- last_sent: HASH, see MessageLog. slow: seconds between two messages, 0: no slow mode. time: now, µs.
local function slowed(last_sent, sender, slow, time)
  local last = slow > 0 and redis.call('HGET', last_sent, sender)
  local left = last and tonumber(last) + slow * 1000000 - time or 0
  return left > slow * 1000000 and 0 or math.max(left, 0) -- a longer one is of a clock that has fallen back
end

-- Records the time of a member's message.
local function record_sent(last_sent, sender, time)
  redis.call('HSET', last_sent, sender, string.format('%.0f', time))
  redis.call('EXPIRE', last_sent, LONGEST_SLOW)
end
