-- Decides how many messages a chat keeps, and for how long, see Retention.
local DAY = 86400 * 1000000 -- µs

-- Returns the smaller of two limits, of which 0 is none.
local function tighter(one, other)
  if one == 0 or other == 0 then return one + other end
  return math.min(one, other)
end

-- Has the sweep look at a chat at a time, unless it does so earlier already. retained: ZSET, see Retention. time: µs.
local function look_by(retained, chat_id, time)
  redis.call('ZADD', retained, 'LT', string.format('%.0f', time), chat_id)
end
