-- Reads which messages a reader has hidden, see HiddenMessages.
-- requires: numbers

-- Returns the hidden seqs from `first` to `last`, as a set.
local function hidden_between(hidden, first, last)
  local found = {}
  for _, seq in ipairs(redis.call('ZRANGEBYSCORE', hidden, first, last)) do found[tonumber(seq)] = true end
  return found
end

-- Returns what stands for a hidden message among others: a zero and its time.
local function without_content(element) return '\0' .. string.sub(element, 2, 9) end

-- Returns whether a reader has hidden a message.
local function is_hidden(hidden, seq) return redis.call('ZSCORE', hidden, decimal(seq)) and true or false end

-- Returns the seq of the newest message above `base`, up to `head`, that is not hidden; base: there is none.
local function newest_not_hidden(hidden, base, head)
  local seq = head
  while seq > base do
    local found = redis.call('ZREVRANGEBYSCORE', hidden, decimal(seq), '(' .. decimal(base), 'LIMIT', 0, 128)
    for _, one in ipairs(found) do
      if tonumber(one) ~= seq then return seq end
      seq = seq - 1
    end
    if #found < 128 then return seq end
  end
  return seq
end

-- Returns how many messages above `from`, up to `head`, are hidden and not in `uncounted`.
local function count_hidden(hidden, uncounted, from, head)
  local seqs, count = redis.call('ZRANGEBYSCORE', hidden, '(' .. decimal(from), decimal(head)), 0
  for start = 1, #seqs, 1000 do
    local scores = redis.call('ZMSCORE', uncounted, unpack(seqs, start, math.min(start + 999, #seqs)))
    for _, score in ipairs(scores) do
      if not score then count = count + 1 end
    end
  end
  return count
end
