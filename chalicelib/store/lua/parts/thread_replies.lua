-- Finds the replies of a thread, see Threads.

-- Returns how many of a thread's replies have seqs up to `seq`. rank: of the first reply. count: of the replies.
local function replies_up_to(threads, rank, count, seq)
  local low, high = 0, count
  while low < high do
    local middle = math.floor((low + high) / 2)
    local member = redis.call('ZRANGE', threads, rank + middle, rank + middle)[1]
    if struct.unpack('>I8', member) <= seq then low = middle + 1 else high = middle end
  end
  return low
end

-- Returns the rank of the first reply of a thread whose seq is above `seq`, and the number of those up to `head`.
local function replies_of(threads, root, seq, head)
  local rank = redis.call('ZCOUNT', threads, '-inf', '(' .. root)
  local count = redis.call('ZCOUNT', threads, root, root)
  local before = replies_up_to(threads, rank, count, seq)
  return rank + before, math.max(replies_up_to(threads, rank, count, head) - before, 0)
end

-- Removes replies that were trimmed, some at a time. base: of the log.
local function drop_trimmed_replies(threads, base)
  for _, member in ipairs(redis.call('ZRANGEBYSCORE', threads, '-inf', base, 'LIMIT', 0, 64)) do
    if struct.unpack('>I8', member) <= base then redis.call('ZREM', threads, member) end
  end
end
