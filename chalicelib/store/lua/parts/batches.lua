-- Runs commands with many arguments in batches.

-- Lua can hand over about 8,000 arguments at once; ElastiCache Serverless takes 3,999 in a request.
-- flat: the arguments after the key, in pairs or one by one. Returns the replies that are lists, joined.
local function in_batches(command, key, flat)
  local joined = {}
  for from = 1, #flat, 2000 do
    local reply = redis.call(command, key, unpack(flat, from, math.min(from + 1999, #flat)))
    if type(reply) == 'table' then
      for i = 1, #reply do joined[#joined + 1] = reply[i] end
    end
  end
  return joined
end
